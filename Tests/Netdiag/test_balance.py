# SPDX-License-Identifier: Apache-2.0
"""`netdiag balance`: three servers behind a proxy of connections and behind one of calls, and on their own."""

from __future__ import annotations

import socket
import subprocess

import pytest

from EndToEnd.peers import health, tcp
from netdiag import FINE, PROBLEM, UNDETERMINED

NAMES = ["pod-a", "pod-b", "pod-c"]


class Named(health.ListingServicer):
    """Says in its answers which server gave them."""

    def __init__(self, name: str, header: str = "x-served-by"):
        super().__init__()
        self.name, self.header = name, header

    def Check(self, request, context):
        context.send_initial_metadata([(self.header, self.name)])
        return super().Check(request, context)


@pytest.fixture(scope="module")
def servers():
    running = [health.HealthServer(servicer=Named(name)) for name in NAMES]
    yield running
    for server in running:
        server.__exit__()


@pytest.fixture
def proxy(servers, tmp_path):
    """Starts haproxy before the servers: in mode "tcp" it balances connections, in mode "http" requests."""
    running: list[subprocess.Popen] = []

    def start(mode: str) -> str:
        port = tcp.free_port()
        protocol = " proto h2" if mode == "http" else ""
        lines = [
            "defaults", f"  mode {mode}", "  timeout connect 5s", "  timeout client 30s", "  timeout server 30s",
            "frontend f", f"  bind 127.0.0.1:{port}{protocol}", "  default_backend b",
            "backend b", "  balance roundrobin",
            *(f"  server s{number} {server.address}{protocol}" for number, server in enumerate(servers)),
        ]
        configuration = tmp_path / f"{mode}.cfg"
        configuration.write_text("\n".join(lines) + "\n")
        running.append(subprocess.Popen(["/usr/sbin/haproxy", "-q", "-db", "-f", configuration]))
        tcp.wait_for_port(port)
        return f"127.0.0.1:{port}"

    yield start
    for process in running:
        process.terminate()
        process.wait()


def served(calls: dict) -> dict[str, int]:
    return {one["name"]: one["count"] for one in calls["servedBy"]}


def test_a_proxy_of_connections_gives_one_client_one_server(netdiag, proxy):
    address = proxy("tcp")
    document = netdiag("balance", address, "--calls=30", "--json").ends(PROBLEM).json
    assert document["code"] == "ONE_BACKEND" and document["error"] is None
    one, many = document["oneConnection"], document["manyConnections"]
    assert (one["made"], one["answered"], list(served(one).values())) == (30, 30, [30])
    assert served(many) == dict.fromkeys(NAMES, 10)
    text = netdiag("balance", address, "--calls=30").ends(PROBLEM)
    text.says("FAIL", "all calls of one connection are answered by one server").says("ok", "30 of 30 calls answered")


def test_a_proxy_of_calls_spreads_them(netdiag, proxy):
    document = netdiag("balance", proxy("http"), "--calls=30", "--json").ends(FINE).json
    assert document["code"] == "OK" and set(served(document["oneConnection"])) == set(NAMES), document
    assert served(document["manyConnections"]).keys() <= set(NAMES)


def test_one_server_is_no_verdict(netdiag, servers):
    result = netdiag("balance", servers[0].address, "--calls=5").ends(FINE)
    result.says("note", "one server answers all: it is alone, or").lacks("FAIL")
    assert netdiag.json("balance", servers[0].address, "--calls=5")["code"] == "OK"


def test_answers_that_do_not_say_whose_they_are(netdiag):
    with health.HealthServer() as silent:
        document = netdiag("balance", silent.address, "--calls=3", "--json").ends(UNDETERMINED).json
    assert document["code"] == "UNDETERMINED" and "x-served-by" in document["error"]
    assert document["oneConnection"]["answered"] == 3


def test_addresses_that_take_no_connections_are_passed_over(netdiag, servers):
    document = netdiag("balance", f"localhost:{servers[0].port}", "--calls=4", "--json").ends(FINE).json
    assert (document["code"], document["addresses"]) == ("OK", ["::1", "127.0.0.1"])
    assert served(document["oneConnection"]) == served(document["manyConnections"]) == {"pod-a": 4}


def test_other_metadata_can_tell(netdiag):
    with health.HealthServer(servicer=Named("pod\x1b-d".replace("\x1b", "~"), header="x-pod")) as other:
        document = netdiag.json("balance", other.address, "--calls=3", "--by=X-Pod")
    assert (document["by"], served(document["oneConnection"])) == ("x-pod", {"pod~-d": 3})


def test_the_connections_that_are_there(netdiag, servers):
    held = [socket.create_connection(("127.0.0.1", servers[1].port)) for _ in range(3)]
    try:
        result = netdiag("balance", servers[1].address).ends(FINE)
        document = netdiag.json("balance", servers[1].address)
    finally:
        for one in held:
            one.close()
    result.says("note", "3 connections from this network namespace").lacks("FAIL", "warn")
    assert any("cannot be seen from here; --calls asks them" in line for line in result.lines), result
    assert document["connections"] == [{"address": servers[1].address, "count": 3}]
    assert (document["oneConnection"], document["manyConnections"]) == (None, None)


def test_nobody_answers(netdiag):
    document = netdiag("balance", tcp.refused_address(), "--calls=3", "--json").ends(PROBLEM).json
    assert (document["code"], document["oneConnection"]["answered"]) == ("TCP_REFUSED", 0)


def test_a_name_that_does_not_exist(netdiag):
    document = netdiag("balance", "nosuch.invalid:1", "--json").ends(PROBLEM).json
    assert document["code"].startswith("DNS_") and "nosuch.invalid" in document["error"]


def test_without_netlink_the_calls_tell(netdiag, without_netlink, servers):
    netdiag("balance", servers[0].address, prefix=without_netlink).ends(UNDETERMINED)
    netdiag("balance", servers[0].address, "--calls=2", prefix=without_netlink).ends(FINE)


def test_documents_have_the_same_keys(netdiag, servers):
    documents = [
        netdiag.json("balance", servers[0].address), netdiag.json("balance", servers[0].address, "--calls=2"),
        netdiag.json("balance", "nosuch.invalid:1"), netdiag.json("balance", tcp.refused_address(), "--calls=1"),
    ]
    assert {frozenset(document) for document in documents} == {frozenset(documents[0])}


@pytest.mark.parametrize(
    "arguments, line",
    [
        ([], "name one target, as HOST:PORT"),
        (["a:1", "--calls=99999"], 'invalid value "99999" for flag --calls: must be from 0 to 10000'),
        (["a:1", "--by=a b"], '"a b" is no name of metadata'),
        (["a:1", "--timeout=0"], "--timeout must be greater than zero"),
        (["a:1", "--cacert=x"], "--cacert needs --tls"),
    ],
)
def test_command_lines_that_cannot_be_used(netdiag, arguments, line):
    netdiag("balance", *arguments).complains(f"netdiag balance: {line}; see netdiag balance --help")
