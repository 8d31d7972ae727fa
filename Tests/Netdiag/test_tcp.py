# SPDX-License-Identifier: Apache-2.0
"""`netdiag tcp`: every way in which a connection can come about or not, made for real."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from EndToEnd.peers import tcp
from netdiag import FINE, PROBLEM, shape
from peers.namespaces import Namespace

# What a firewall says of each port, beside those that nobody talks about.
REJECTIONS = {
    81: "reject with tcp reset",
    82: "reject",
    83: "reject with icmp type admin-prohibited",
    84: "drop",
    85: "reject with icmp type host-unreachable",
    86: "reject with icmp type net-unreachable",
    87: "reject with icmp type prot-unreachable",
}


@pytest.fixture(scope="module")
def networks():
    """A client, a router with a firewall, and a server behind it, each in a namespace of its own."""
    with Namespace() as client, Namespace() as router, Namespace() as server:
        client.join(router, "eth0", "eth0")
        router.join(server, "eth1", "eth0")
        client.ip("addr", "add", "10.99.1.1/24", "dev", "eth0")
        router.ip("addr", "add", "10.99.1.2/24", "dev", "eth0")
        router.ip("addr", "add", "10.99.2.1/24", "dev", "eth1")
        server.ip("addr", "add", "10.99.2.2/24", "dev", "eth0")
        client.ip("route", "add", "10.99.2.0/24", "via", "10.99.1.2")
        server.ip("route", "add", "default", "via", "10.99.2.1")
        for kind, number in [("unreachable", 97), ("prohibit", 96), ("blackhole", 95)]:
            client.ip("route", "add", kind, f"10.{number}.0.0/16")
        subprocess.run([*router.inside, "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
        rules = "\n".join(f"tcp dport {port} {verdict}" for port, verdict in REJECTIONS.items())
        table = f"table inet f {{\nchain c {{\ntype filter hook input priority 0\n{rules}\n}}\n}}\n"
        done = subprocess.run([*router.inside, "nft", "-f", "-"], input=table, text=True, capture_output=True)
        if done.returncode != 0:
            pytest.skip(f"needs the right to set firewall rules: {done.stderr.strip()}")
        yield client, router, server


@pytest.mark.usefixtures("root_user")
@pytest.mark.parametrize(
    "target, code, sender, words",
    [
        ("10.99.1.2:80", "TCP_REFUSED", None, "refused by a RST"),
        ("10.99.1.2:81", "TCP_REFUSED", None, "or a firewall answers as if"),
        ("10.99.1.2:82", "TCP_FILTERED", "10.99.1.2", "ICMP port unreachable"),
        ("10.99.1.2:83", "TCP_FILTERED", "10.99.1.2", "ICMP administratively prohibited"),
        ("10.99.1.2:84", "TCP_TIMEOUT", None, "no answer at all"),
        ("10.99.1.2:85", "TCP_FILTERED", "10.99.1.2", "ICMP host unreachable"),
        ("10.99.1.2:86", "TCP_FILTERED", "10.99.1.2", "ICMP network unreachable"),
        ("10.99.1.2:87", "TCP_FILTERED", "10.99.1.2", "ICMP protocol unreachable"),
        ("10.99.1.77:80", "HOST_DOWN", "10.99.1.1", "nobody answers for this address"),
        ("10.99.2.77:80", "HOST_DOWN", "10.99.1.2", "nobody answers for this address"),
        ("10.98.0.1:80", "NO_ROUTE", None, "no route leads there"),
        ("10.97.0.1:80", "NO_ROUTE", None, "no route leads there"),
        ("10.96.0.1:80", "FORBIDDEN_LOCALLY", None, "this machine itself forbids it"),
        ("10.95.0.1:80", "FORBIDDEN_LOCALLY", None, "this machine itself forbids it"),
    ],
)
def test_each_failure_and_who_said_so(netdiag, networks, target, code, sender, words):
    client, _, _ = networks
    result = netdiag("tcp", target, "--json", "--timeout=4s", prefix=client.inside).ends(PROBLEM)
    (address,) = result.json["addresses"]
    assert (result.json["code"], address["code"], address["sender"]) == (code, code, sender)
    assert words in address["meaning"] and address["address"] == target
    if code == "TCP_TIMEOUT":
        # The first packet went out more than once: the network is at fault, and not a slow program.
        assert address["synRetransmits"] >= 1


@pytest.mark.usefixtures("root_user")
def test_nobody_on_the_link_shows_before_the_kernel_gives_up(netdiag, networks):
    """The kernel says so after 3.1 seconds; its table of neighbours knows sooner."""
    client, _, _ = networks
    document = netdiag("tcp", "10.99.1.78:80", "--timeout=500ms", "--json", prefix=client.inside).ends(PROBLEM).json
    assert document["code"] == "HOST_DOWN", document
    # Behind a router nothing of that is seen.
    assert netdiag.json("tcp", "10.99.2.78:80", "--timeout=500ms", prefix=client.inside)["code"] == "TCP_TIMEOUT"


@pytest.mark.usefixtures("root_user")
def test_no_port_of_its_own_is_left(netdiag, networks, serve):
    """Two ports to connect from, and both are in use."""
    client, _, server = networks
    port = serve("0.0.0.0:0", prefix=server.inside).port
    setting = "net.ipv4.ip_local_port_range"
    subprocess.run([*client.inside, "sysctl", "-qw", f"{setting}=40000 40001"], check=True)
    holder = (
        "import socket, sys\n"
        "held = [socket.create_connection(('10.99.2.2', int(sys.argv[1]))) for _ in range(2)]\n"
        "print('ready', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [*client.inside, sys.executable, "-c", holder, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline()
        result = netdiag("tcp", f"10.99.2.2:{port}", "--json", prefix=client.inside).ends(PROBLEM)
        doctor = netdiag.json("doctor", f"10.99.2.2:{port}", prefix=client.inside)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
        subprocess.run([*client.inside, "sysctl", "-qw", f"{setting}=32768 60999"], check=True)
    assert (result.json["code"], doctor["code"]) == ("EPHEMERAL_PORTS_EXHAUSTED", "EPHEMERAL_PORTS_EXHAUSTED")


def test_no_descriptor_is_left(static, netdiag, serve):
    """The ordinary build's libraries could not be opened either."""
    port = serve("127.0.0.1:0").port
    limited = ["sh", "-c", 'ulimit -n 3 && exec "$@"', "sh"]
    document = netdiag("tcp", f"127.0.0.1:{port}", "--json", prefix=limited).ends(PROBLEM).json
    assert document["code"] == "FD_LIMIT", document


@pytest.mark.usefixtures("root_user")
def test_the_way_to_an_address(netdiag, networks, serve):
    client, _, server = networks
    port = serve("0.0.0.0:0", prefix=server.inside).port
    result = netdiag("tcp", f"10.99.2.2:{port}", "--traceroute", prefix=client.inside).ends(FINE)
    result.says("ok", f"10.99.2.2:{port}", "open in")
    assert [line.split()[:2] for line in result.lines[1:]] == [["1", "10.99.1.2"], ["2", "the"]]
    hops = netdiag.json("tcp", f"10.99.2.2:{port}", "--traceroute", prefix=client.inside)["addresses"][0]["hops"]
    assert [(hop["hop"], hop["address"], hop["code"]) for hop in hops] == [(1, "10.99.1.2", None), (2, None, "OK")]


@pytest.mark.usefixtures("root_user")
def test_the_way_is_found_without_a_privilege(reachable, networks, serve, as_user):
    client, _, server = networks
    port = serve("0.0.0.0:0", prefix=server.inside).port
    prefix = [*client.inside, *as_user(65534)]
    reachable("tcp", f"10.99.2.2:{port}", "--traceroute", prefix=prefix).ends(FINE)
    result = reachable("tcp", f"10.99.2.2:{port}", "--traceroute", prefix=prefix)
    assert result.lines[1].split()[1] == "10.99.1.2", result


def test_open(netdiag, serve):
    port = serve("127.0.0.1:0").port
    result = netdiag("tcp", "127.0.0.1", str(port)).ends(FINE)
    assert re.fullmatch(rf"ok    127\.0\.0\.1:{port}  open in [\d.]+(µs|ms)", result.stdout.strip()), result


def test_an_address_that_fails_beside_one_that_does_not(netdiag, serve):
    port = serve("127.0.0.1:0").port
    result = netdiag("tcp", f"localhost:{port}").ends(FINE)
    result.says("ok", f"127.0.0.1:{port}").says("warn", f"[::1]:{port}")
    netdiag("tcp", f"localhost:{port}", "--strict").ends(PROBLEM)


@pytest.mark.parametrize("server, words", [(tcp.closes_at_once, "closed"), (tcp.resets_at_once, "reset")])
def test_accepted_is_not_reachable(netdiag, server, words):
    """What Docker's proxy does when nobody listens behind it."""
    with server() as peer:
        result = netdiag("tcp", peer.address).ends(PROBLEM).says("FAIL", f"accepted, then {words} at once")
        assert netdiag.json("tcp", peer.address)["code"] == "ACCEPTED_THEN_CLOSED", result


def test_a_server_that_speaks_first_is_open(netdiag):
    with tcp.says(b"220 hello\r\n", then_close=True) as peer:
        netdiag("tcp", peer.address).ends(FINE).says("ok", "open")


def test_times_and_losses(netdiag, serve):
    port = serve("127.0.0.1:0").port
    result = netdiag("tcp", f"127.0.0.1:{port}", "--count=5", "--interval=1ms", "--json").ends(FINE)
    (address,) = result.json["addresses"]
    assert (address["attempts"], address["open"]) == (5, 5)
    times = address["milliseconds"]
    assert 0 < times["min"] <= times["p50"] <= times["p99"] <= times["max"]
    netdiag("tcp", f"127.0.0.1:{port}", "--count=5", "--interval=1ms").says("ok", "5 of 5 open", "min", "p99")
    netdiag("tcp", tcp.refused_address(), "--count=3", "--interval=1ms").ends(PROBLEM).says("FAIL", "0 of 3 open")


def test_a_queue_that_is_full_looks_like_a_firewall(netdiag, serve):
    """From outside no more can be seen; `netdiag listeners` beside the server tells it apart."""
    server = serve("127.0.0.1:0", backlog=0)
    with tcp.held(server.port, 2):
        assert netdiag.json("tcp", f"127.0.0.1:{server.port}", "--timeout=1500ms")["code"] == "TCP_TIMEOUT"
        assert netdiag.json("listeners", str(server.port))["code"] == "ACCEPT_QUEUE_FULL"


def test_a_name_that_does_not_exist(netdiag):
    result = netdiag("tcp", "nosuch.invalid:80", "--json", "--timeout=5s").ends(PROBLEM)
    # Without any name server, nobody can know that it does not exist.
    assert result.json["code"] in ("DNS_NXDOMAIN", "DNS_UNREACHABLE", "DNS_TIMEOUT")
    assert result.json["addresses"] == [] and "nosuch.invalid" in result.json["error"]


def test_documents_have_the_same_keys(netdiag, serve):
    port = serve("127.0.0.1:0").port
    well, ill = netdiag.json("tcp", f"127.0.0.1:{port}"), netdiag.json("tcp", tcp.refused_address())
    lost = netdiag.json("tcp", "nosuch.invalid:80")
    assert well.keys() == ill.keys() == lost.keys()
    assert shape(ill["addresses"][0]).keys() == well["addresses"][0].keys()


@pytest.mark.parametrize(
    "arguments, line",
    [
        ([], "name one target, as HOST:PORT"),
        (["a"], '"a" names no port: write HOST:PORT'),
        (["a:0"], '"0" is no port from 1 to 65535'),
        (["::1:80"], '"::1:80" is ambiguous: write an IPv6 address in brackets, as [::1]:80'),
        (["a:1", "--timeout=0"], "--timeout must be greater than zero"),
        (["a:1", "--count=0"], 'invalid value "0" for flag --count: must be from 1 to 10000'),
    ],
)
def test_command_lines_that_cannot_be_used(netdiag, arguments, line):
    netdiag("tcp", *arguments).complains(f"netdiag tcp: {line}; see netdiag tcp --help")
