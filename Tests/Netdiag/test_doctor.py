# SPDX-License-Identifier: Apache-2.0
"""`netdiag doctor`: what it comes to beside the breakdowns of `test_breakdowns.py`."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from EndToEnd.peers import health, tcp
from netdiag import FINE, PROBLEM, UNDETERMINED, Netdiag
from peers.grpc_server import Silent
from peers.shop import PORT, Shop


@pytest.fixture(scope="module")
def server():
    statuses = {"": health.SERVING, "up": health.SERVING, "down": health.NOT_SERVING}
    with health.HealthServer(statuses) as running:
        yield running


def layers(document: dict) -> list[str]:
    return [check["layer"] for check in document["checks"]]


def marks(document: dict, layer: str) -> list[str]:
    return [check["mark"] for check in document["checks"] if check["layer"] == layer]


def test_all_is_well(netdiag, server):
    result = netdiag("doctor", server.address).ends(FINE).lacks("FAIL", "warn", "likely", "evidence")
    result.says("ok", "protocol", "speaks HTTP/2 in the clear").says("ok", "health", "SERVING")
    assert result.lines[-1] == (
        f"DIAGNOSIS  OK  {server.address}: serves gRPC in the clear, and its health service says SERVING"
    )
    document = netdiag.json("doctor", server.address)
    assert (document["code"], document["ok"], document["expected"]) == ("OK", True, "grpc")
    assert layers(document) == sorted(
        layers(document), key=["environment", "port", "name", "route", "tcp", "protocol", "tls", "http2", "health",
                               "proxy", "connections"].index,
    )


def test_who_listens_is_told_where_the_target_is_this_place(netdiag, server):
    netdiag("doctor", server.address).says("ok", "port", "is listened on by python", f"{server.port}")


def test_each_expectation_looks_so_far(netdiag, server):
    for expected, words in [
        ("tcp", "takes connections"), ("http2", "speaks HTTP/2 in the clear"), ("grpc", "serves gRPC in the clear"),
    ]:
        document = netdiag("doctor", server.address, f"--expect={expected}", "--json").ends(FINE).json
        assert document["diagnosis"]["sentence"].startswith(words)
        assert ("health" in layers(document)) == (expected == "grpc")
        assert ("http2" in layers(document)) == (expected != "tcp")
    document = netdiag("doctor", server.address, "--expect=tls", "--json").ends(PROBLEM).json
    assert document["code"] == "TLS_TO_PLAINTEXT"


def test_a_published_port_with_nobody_behind_it_is_no_connection(netdiag):
    with tcp.resets_at_once() as peer:
        document = netdiag("doctor", peer.address, "--expect=tcp", "--json").ends(PROBLEM).json
    assert document["code"] == "ACCEPTED_THEN_CLOSED"


def test_services(netdiag, server):
    netdiag("doctor", server.address, "--service=up").ends(FINE).says("ok", "health", "up: SERVING")
    result = netdiag("doctor", server.address, "--service=up", "--service=down").ends(PROBLEM)
    result.says("ok", "health", "up: SERVING").says("FAIL", "health", "down: ")
    assert netdiag.json("doctor", server.address, "--service=down")["code"] == "NOT_SERVING"


def test_a_server_without_the_health_service_may_serve_all_the_same(netdiag):
    with health.HealthServer(register=False) as bare:
        document = netdiag("doctor", bare.address, "--json").ends(FINE).json
        assert (document["code"], document["ok"], marks(document, "health")) == ("GRPC_UNIMPLEMENTED", True, ["warn"])
        netdiag("doctor", bare.address, "--strict").ends(PROBLEM)


def test_one_family_that_nobody_listens_on_is_worth_a_note(netdiag, server):
    document = netdiag("doctor", f"localhost:{server.port}", "--json").ends(FINE).json
    assert (document["code"], sorted(marks(document, "tcp"))) == ("OK", ["note", "ok"])


def test_an_address_that_nobody_listens_on_excuses_none_that_is_not_well(netdiag, server):
    document = netdiag("doctor", f"localhost:{server.port}", "--service=down", "--json").ends(PROBLEM).json
    assert (document["code"], document["ok"]) == ("NOT_SERVING", False)


@pytest.mark.usefixtures("root_user")
def test_addresses_that_were_not_looked_at_excuse_none(netdiag):
    """Nine addresses, of which eight are spoken to, and none is well."""
    with Shop() as shop:
        numbers = range(20, 29)
        for number in numbers:
            shop.service.ip("addr", "add", f"172.20.0.{number}/24", "dev", "eth0")
        hosts = "".join(f"172.20.0.{number} replicas\n" for number in numbers)
        (shop.folder / "hosts").write_text(hosts + "127.0.0.1 localhost\n")
        shop.serve(status=health.NOT_SERVING)
        document = netdiag("doctor", f"replicas:{PORT}", "--json", prefix=shop.at_client).ends(PROBLEM).json
    assert (document["code"], document["ok"]) == ("NOT_SERVING", False)
    assert any("1 more addresses were not spoken to" in check["text"] for check in document["checks"])


def test_what_there_was_no_time_to_look_at_is_not_well(netdiag, server):
    """Where the time ends is a matter of chance: before anything was seen, or while something was waited for."""
    result = netdiag("doctor", server.address, "--count=1000", "--timeout=10ms", "--json")
    assert result.code in (PROBLEM, UNDETERMINED) and not result.json["ok"], result
    assert any("ran out" in check["text"] for check in result.json["checks"]), result


@pytest.mark.usefixtures("root_user")
def test_connections_of_others_are_not_taken_for_a_sidecars(netdiag):
    """Few ports to connect from, so that ours has been some other connection's on loopback as well."""
    held = (
        "import socket, sys\n"
        "listener = socket.create_server(('127.0.0.1', 7000), backlog=16)\n"
        "held = [socket.create_connection(('127.0.0.1', 7000)) for _ in range(6)]\n"
        "print('ready', flush=True); sys.stdin.read()"
    )
    with Shop() as shop:
        shop.serve()
        setting = "net.ipv4.ip_local_port_range=40000 40011"
        subprocess.run([*shop.client.inside, "sysctl", "-qw", setting], check=True)
        shop.program(shop.client, "-c", held)
        for _ in range(4):
            document = netdiag.json("doctor", f"172.20.0.2:{PORT}", "--expect=tcp", prefix=shop.at_client)
            assert not any(check["code"] == "MESH_SIDECAR" for check in document["checks"]), document


def test_its_own_connections_are_none_that_it_tells_of(netdiag, serve):
    """A server that never accepts keeps those that were made to it."""
    document = netdiag("doctor", f"127.0.0.1:{serve('127.0.0.1:0').port}", "--expect=tcp", "--json").ends(FINE).json
    assert "connections" not in layers(document), document


@pytest.mark.usefixtures("root_user")
def test_an_address_of_several_that_is_not_well(netdiag):
    """Three replicas have one name; one of them is gone."""
    with Shop() as shop:
        shop.serve()
        (shop.folder / "hosts").write_text(
            "172.20.0.2 replicas\n172.20.0.77 replicas\n172.21.0.2 replicas\n127.0.0.1 localhost\n"
        )
        shop.host = shop.legacy
        shop.serve()
        result = netdiag("doctor", f"replicas:{PORT}", prefix=shop.at_client).ends(FINE)
        document = netdiag.json("doctor", f"replicas:{PORT}", prefix=shop.at_client)
    result.says("ok", "name", "by /etc/hosts").says("warn", "tcp", f"172.20.0.77:{PORT}", "nobody answers")
    result.says("ok", "health", f"172.20.0.2:{PORT}").says("ok", "health", f"172.21.0.2:{PORT}")
    assert (document["code"], document["ok"]) == ("HOST_DOWN", True)


@pytest.mark.usefixtures("root_user")
def test_a_name_server_that_does_not_answer_is_told_apart_from_one_that_does(netdiag):
    with Shop() as shop:
        shop.serve()
        (shop.folder / "resolv.conf").write_text(
            "nameserver 172.20.0.88\nnameserver 127.0.0.11\noptions timeout:2 attempts:1\n"
        )
        document = netdiag("doctor", f"user-service:{PORT}", "--json", prefix=shop.at_client).ends(FINE).json
    assert (document["code"], document["ok"]) == ("DNS_TIMEOUT", True), document
    texts = " ".join(check["text"] for check in document["checks"] if check["layer"] == "name")
    assert "172.20.0.88 says of user-service" in texts and "every look-up waits for it" in texts


@pytest.mark.usefixtures("root_user")
def test_containers_of_other_networks_where_no_way_leads_out(netdiag):
    """Docker's resolver cannot ask anybody then, and says SERVFAIL: the candidates say what that means."""
    with Shop() as shop:
        shop.client.ip("route", "del", "default")
        (shop.folder / "resolv.conf").write_text("nameserver 127.0.0.11\n")
        document = netdiag("doctor", "broken-service:1", "--json", prefix=shop.at_client).ends(PROBLEM).json
    assert document["code"] == "DNS_SERVFAIL"
    assert "not of a network of this container" in document["diagnosis"]["candidates"][0]


def test_loopback_never_goes_through_a_proxy(netdiag, server):
    refused = tcp.refused_address()
    document = netdiag.json("doctor", server.address, env={"HTTPS_PROXY": f"http://{refused}"})
    assert "proxy" not in layers(document)


@pytest.mark.usefixtures("root_user")
def test_a_proxy_in_the_way(netdiag):
    with Shop() as shop:
        shop.serve()
        secret = {"HTTPS_PROXY": "http://user:hunter2@172.20.0.1:3128"}
        result = netdiag("doctor", f"user-service:{PORT}", prefix=shop.at_client, env=secret).ends(FINE)
        result.says("warn", "proxy", "172.20.0.1:3128").lacks("hunter2")
        document = netdiag.json("doctor", f"user-service:{PORT}", prefix=shop.at_client, env=secret)
        excepted = secret | {"NO_PROXY": "user-service"}
        fine = netdiag.json("doctor", f"user-service:{PORT}", prefix=shop.at_client, env=excepted)
    assert document["code"] == "PROXY_IN_THE_WAY" and "hunter2" not in str(document)
    assert fine["code"] == "OK"


def test_connections_are_tried_as_often_as_is_wanted(netdiag, server):
    document = netdiag("doctor", server.address, "--count=5", "--json").ends(FINE).json
    assert any("5 of 5 open" in check["text"] for check in document["checks"])


def test_nothing_takes_longer_than_all_may(netdiag):
    with health.HealthServer(servicer=Silent()) as silent:
        start = time.monotonic()
        document = netdiag("doctor", silent.address, "--timeout=1s", "--json").ends(PROBLEM).json
        assert time.monotonic() - start < 10
    assert document["code"] == "DEADLINE_EXPIRED"


def test_a_signal_ends_it_with_what_is_known(netdiag: Netdiag):
    with tcp.silence() as peer:
        command = netdiag.command("doctor", peer.address, "--timeout=30s", "--json")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=netdiag.environment())
        deadline = time.monotonic() + 20
        while peer.accepted < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == UNDETERMINED and '"code":"CANCELLED"' in output, output


def test_documents_have_the_same_keys(netdiag, server):
    well, ill = netdiag.json("doctor", server.address), netdiag.json("doctor", tcp.refused_address())
    lost = netdiag.json("doctor", "nosuch.invalid:80", "--timeout=3s")
    assert well.keys() == ill.keys() == lost.keys()
    assert well["diagnosis"].keys() == ill["diagnosis"].keys() == lost["diagnosis"].keys()
    assert {frozenset(check) for check in well["checks"] + ill["checks"] + lost["checks"]} == {
        frozenset(["layer", "mark", "code", "text", "address"])
    }


@pytest.mark.parametrize(
    "arguments, line",
    [
        ([], "name one target, as HOST:PORT"),
        (["a"], '"a" names no port: write HOST:PORT'),
        (["a:1", "--expect=udp"], '--expect takes tcp, tls, http2 or grpc, not "udp"'),
        (["a:1", "--tls", "--plaintext"], "--tls and --plaintext exclude each other"),
        (["a:1", "--expect=tls", "--plaintext"], "--expect=tls and --plaintext exclude each other"),
        (["a:1", "--timeout=0"], "--timeout must be greater than zero"),
        (["a:1", "--cert=x"], "--cert and --key go together"),
    ],
)
def test_command_lines_that_cannot_be_used(netdiag, arguments, line):
    netdiag("doctor", *arguments).complains(f"netdiag doctor: {line}; see netdiag doctor --help")
