# SPDX-License-Identifier: Apache-2.0
"""`netdiag listeners`: who listens where, and why that cannot be seen where it cannot."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time

import pytest

from netdiag import FINE, PROBLEM, UNDETERMINED, USAGE, shapes_of_members
from peers.namespaces import Namespace

NOBODY, SOMEBODY = 65534, 61234


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture(scope="session")
def ipv6() -> None:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6 on its loopback interface")


def one(document: dict) -> dict:
    (port,) = document["ports"]
    return port


@pytest.mark.parametrize(
    "address, dual, ipv4, ipv6, code",
    [
        ("0.0.0.0", False, True, False, "OK"),
        ("[::]", True, True, True, "OK"),
        ("[::]", False, False, True, "OK"),
        ("127.0.0.1", False, True, False, "LOCALHOST_ONLY"),
        ("[::1]", False, False, True, "LOCALHOST_ONLY"),
        ("[::ffff:127.0.0.1]", True, True, False, "LOCALHOST_ONLY"),
    ],
)
@pytest.mark.usefixtures("ipv6")
def test_each_kind_of_address(netdiag, serve, address, dual, ipv4, ipv6, code):
    server = serve(f"{address}:0", dual=dual, backlog=7)
    result = netdiag("listeners", str(server.port), "--json").ends(FINE)
    port = one(result.json)
    assert (port["code"], port["ipv4"], port["ipv6"]) == (code, ipv4, ipv6)
    (listener,) = port["listeners"]
    assert listener["address"] == address.strip("[]")
    assert (listener["queued"], listener["limit"]) == (0, 7)
    assert [process["pid"] for process in listener["processes"]] == [server.pid]
    assert result.json["source"] == "netlink" and result.json["error"] is None


def test_a_warning_is_a_problem_where_that_is_asked_for(netdiag, serve):
    server = serve("127.0.0.1:0")
    netdiag("listeners", str(server.port)).ends(FINE).says("warn", "localhost only", f"pid {server.pid}")
    netdiag("listeners", str(server.port), "--strict").ends(PROBLEM).says("warn", "localhost only")


@pytest.mark.usefixtures("root_user")
def test_what_nobody_asked_for_is_no_problem(netdiag, serve, namespace):
    # In a place of its own: elsewhere, other tests have listeners that are problems.
    server = serve("127.0.0.1:0", prefix=namespace.inside)
    result = netdiag("listeners", "--strict", prefix=namespace.inside).ends(FINE)
    result.says("ok", f":{server.port} (localhost only)")


def test_several_ports_have_the_worst_outcome(netdiag, serve):
    first, second = serve("0.0.0.0:0"), serve("127.0.0.1:0")
    missing = free_port()
    document = netdiag("listeners", str(first.port), f":{second.port}", str(missing), "--json").ends(PROBLEM).json
    assert [port["port"] for port in document["ports"]] == [first.port, second.port, missing]
    assert [port["code"] for port in document["ports"]] == ["OK", "LOCALHOST_ONLY", "NOT_LISTENING"]
    assert (document["code"], document["ok"]) == ("NOT_LISTENING", False)


@pytest.mark.usefixtures("root_user")
def test_nothing_listens_but_a_port_nearby_does(netdiag, namespace, serve):
    netdiag("listeners", prefix=namespace.inside).ends(FINE).says("ok", "nothing listens on any TCP port")
    serve(
        *("0.0.0.0:50015", "0.0.0.0:50052", "127.0.0.1:9999", "0.0.0.0:80", "0.0.0.0:443"), prefix=namespace.inside
    )
    result = netdiag("listeners", "50051", prefix=namespace.inside).ends(PROBLEM).says("FAIL", "50051")
    near = [line for line in result.lines if "near:" in line]
    assert len(near) == 2 and "0.0.0.0:50015" in near[0] and "0.0.0.0:50052" in near[1]
    assert one(netdiag.json("listeners", "50051", prefix=namespace.inside))["near"] == [50015, 50052]


@pytest.mark.usefixtures("root_user")
def test_an_address_of_an_interface(netdiag, namespace, serve):
    with Namespace() as other:
        namespace.join(other, "uplink", "peer")
        namespace.ip("address", "add", "10.9.0.2/24", "dev", "uplink")
        namespace.ip("address", "add", "10.9.0.3/24", "dev", "uplink")
        serve("10.9.0.3:50051", prefix=namespace.inside)
        result = netdiag("listeners", "50051", prefix=namespace.inside).ends(FINE).says("ok", "10.9.0.3:50051")
        result.lacks("10.9.0.2", "localhost only")


def test_an_accept_queue_that_is_full(netdiag, serve):
    server = serve("127.0.0.1:0", backlog=1)
    # The kernel lets one more wait than it was told.
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
    try:
        deadline = time.monotonic() + 10
        # The last segment of a handshake may be under way when connect returns.
        while one(document := netdiag.json("listeners", str(server.port)))["listeners"][0]["queued"] < 2:
            assert time.monotonic() < deadline, document
        assert one(document)["code"] == "ACCEPT_QUEUE_FULL"
        assert one(document)["listeners"][0]["limit"] == 1
        result = netdiag("listeners", str(server.port)).ends(PROBLEM).says("FAIL", "queue 2 of 1")
        assert "the server does not accept" in result.stdout
        # It is a problem for those who ask for all ports too.
        netdiag("listeners").ends(PROBLEM).says("FAIL", f":{server.port}")
    finally:
        for client in clients:
            client.close()


def test_two_processes_on_one_port(netdiag, serve):
    first = serve("127.0.0.1:0", reuse=True)
    second = serve(f"127.0.0.1:{first.port}", reuse=True)
    listeners = one(netdiag.json("listeners", str(first.port)))["listeners"]
    assert sorted(process["pid"] for each in listeners for process in each["processes"]) == sorted(
        [first.pid, second.pid]
    )


def test_a_process_with_a_hostile_name(netdiag, serve):
    """Whatever a process calls itself, it makes neither a line nor a colour, and the document stays one."""
    server = serve("0.0.0.0:0", name=b'a\n"\x1b[31m\\\xff{')
    result = netdiag("listeners", str(server.port)).ends(FINE)
    (line,) = [line for line in result.lines if f":{server.port}" in line]
    assert 'a\\n"\\x1b[31m\\\\xff{' in line
    assert "\x1b" not in result.stdout
    (listener,) = one(netdiag.json("listeners", str(server.port)))["listeners"]
    assert listener["processes"] == [{"pid": server.pid, "command": 'a\\n"\\x1b[31m\\\\xff{', "inferred": False}]


# What cannot be seen.


def test_another_users_process_and_why_it_cannot_be_seen(reachable, serve, as_user):
    server = serve("0.0.0.0:0")
    result = reachable("listeners", str(server.port), prefix=as_user(NOBODY)).ends(FINE)
    result.says("ok", f"0.0.0.0:{server.port}", "process unknown", f"user {NOBODY} may not look into", "run as uid 0")
    (listener,) = one(reachable.json("listeners", str(server.port), prefix=as_user(NOBODY)))["listeners"]
    assert listener["uid"] == 0 and listener["processes"] == []
    assert "CAP_SYS_PTRACE" in listener["processUnknown"]


def test_the_only_process_of_another_user_is_probably_the_one(reachable, serve, as_user):
    server = serve("0.0.0.0:0", name=b"lonely", prefix=as_user(SOMEBODY))
    result = reachable("listeners", str(server.port), prefix=as_user(NOBODY)).ends(FINE)
    result.says("ok", f"probably lonely (pid {server.pid})")
    (listener,) = one(reachable.json("listeners", str(server.port), prefix=as_user(NOBODY)))["listeners"]
    assert listener["processes"] == [{"pid": server.pid, "command": "lonely", "inferred": True}]


def test_the_same_user_in_another_group_is_denied_and_not_told_of_other_containers(reachable, serve, as_user):
    """The kernel lets the user list the descriptors, and not see what they are."""
    server = serve("127.0.0.1:0", prefix=as_user(1004), name=b"grouped")
    other = [word.replace("--regid=1004", "--regid=1005") for word in as_user(1004)]
    document = reachable.json("listeners", str(server.port), prefix=other)
    (listener,) = document["ports"][0]["listeners"]
    assert listener["processes"] == [{"pid": server.pid, "command": "grouped", "inferred": True}], listener


def test_a_process_that_gave_up_root_is_hidden_from_its_own_user_too(reachable, as_user):
    """Whoever changes user without a new program is not dumpable: the kernel lets only CAP_SYS_PTRACE look into it."""
    program = (
        "import os, socket, sys\n"
        "os.setgroups([]); os.setresgid(1006, 1006, 1006); os.setresuid(1006, 1006, 1006)\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "print(listener.getsockname()[1], flush=True); sys.stdin.read()"
    )
    server = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().strip()
        root = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
        for prefix in (as_user(1006), root):
            (listener,) = one(reachable.json("listeners", port, prefix=prefix))["listeners"]
            assert [each["inferred"] for each in listener["processes"]] == [True], listener
            assert listener["processes"][0]["pid"] == server.pid
    finally:
        server.stdin.close()
        server.wait()
        server.stdout.close()


def test_netlink_is_forbidden(netdiag, serve, without_netlink):
    server = serve("127.0.0.1:0", "0.0.0.0:0", backlog=9)
    result = netdiag("listeners", *map(str, server.ports), prefix=without_netlink).ends(FINE)
    result.says("note", "operation not permitted", "/proc/self/net")
    result.says("warn", f"127.0.0.1:{server.ports[0]}", f"pid {server.pid}")
    result.says("ok", f"0.0.0.0:{server.ports[1]}", f"pid {server.pid}")
    document = netdiag.json("listeners", str(server.port), prefix=without_netlink)
    assert document["source"] == "proc"
    assert one(document)["listeners"][0]["limit"] is None
    netdiag("listeners", str(free_port()), prefix=without_netlink).ends(PROBLEM)


def test_proc_is_hidden(netdiag, serve, without_proc):
    server = serve("127.0.0.1:0")
    result = netdiag("listeners", str(server.port), prefix=without_proc).ends(FINE)
    result.says("warn", f"127.0.0.1:{server.port}", "process unknown")


def test_neither_netlink_nor_proc(netdiag, serve, without_proc, without_netlink):
    server = serve("127.0.0.1:0")
    both = [*without_proc, *without_netlink]
    result = netdiag("listeners", str(server.port), prefix=both).ends(UNDETERMINED)
    result.says("?", "operation not permitted", "/proc/self/net cannot be read")
    document = netdiag("listeners", str(server.port), "--json", prefix=both).ends(UNDETERMINED).json
    assert document["code"] == "UNDETERMINED" and document["ok"] is False and document["error"]


def test_a_document_has_the_same_keys_whatever_came_of_it(netdiag, serve, without_netlink, as_user, reachable):
    server = serve("0.0.0.0:0")
    port = str(server.port)
    documents = [
        netdiag.json("listeners", port),
        netdiag.json("listeners", str(free_port())),
        netdiag.json("listeners"),
        netdiag.json("listeners", port, prefix=without_netlink),
        reachable.json("listeners", port, prefix=as_user(NOBODY)),
    ]
    assert len({json.dumps(list(document)) for document in documents}) == 1
    ports = [port for document in documents for port in document["ports"]]
    assert len(shapes_of_members([{**port, "listeners": 0, "near": 0} for port in ports])) == 1
    listeners = [listener for port in ports for listener in port["listeners"]]
    assert len(shapes_of_members([{**listener, "processes": 0} for listener in listeners])) == 1


@pytest.mark.parametrize("word", ["0", "65536", "-1x", "http", "::", "", "99999999999999999999", "5\n1"])
def test_words_that_are_no_port(netdiag, word):
    result = netdiag("listeners", "--", word)
    result.ends(USAGE)
    line = r"netdiag listeners: .* is no port from 1 to 65535; see netdiag listeners --help\n"
    assert re.fullmatch(line, result.stderr), result
