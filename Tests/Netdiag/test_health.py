# SPDX-License-Identifier: Apache-2.0
"""`netdiag health`: grpcio's health service in every state, and servers that have none."""

from __future__ import annotations

import pytest

from EndToEnd.peers import health, tcp
from netdiag import FINE, PROBLEM


@pytest.fixture(scope="module")
def server():
    statuses = {"": health.SERVING, "up": health.SERVING, "down": health.NOT_SERVING}
    with health.HealthServer(statuses) as running:
        yield running


def test_the_server_as_a_whole(netdiag, server):
    result = netdiag("health", server.address).ends(FINE)
    result.says("ok", "the server as a whole: SERVING").says("note", "connect", "call")


@pytest.mark.parametrize(
    "services, code, statuses",
    [
        (["up"], "OK", ["SERVING"]),
        (["down"], "NOT_SERVING", ["NOT_SERVING"]),
        (["up", "down"], "NOT_SERVING", ["SERVING", "NOT_SERVING"]),
    ],
)
def test_services(netdiag, server, services, code, statuses):
    document = netdiag("health", server.address, *services, "--json").ends(FINE if code == "OK" else PROBLEM).json
    assert (document["code"], document["ok"]) == (code, code == "OK")
    assert [service["name"] for service in document["services"]] == services
    assert [service["status"] for service in document["services"]] == statuses


def test_a_service_that_the_server_does_not_know(netdiag, server):
    document = netdiag("health", server.address, "nobody", "--json").ends(PROBLEM).json
    (service,) = document["services"]
    assert service["status"] is None and "does not know the service" in service["reason"]
    # The probe's own flags would mean nothing here.
    assert "-all" not in service["reason"]


def test_every_service_that_is_listed(netdiag, server):
    result = netdiag("health", server.address, "--all").ends(PROBLEM)
    result.says("ok", "up: SERVING").says("FAIL", "down: NOT_SERVING").says("ok", "the server as a whole: SERVING")


def test_nobody_listens(netdiag):
    document = netdiag("health", tcp.refused_address(), "--json").ends(PROBLEM).json
    assert (document["code"], document["services"]) == ("TCP_REFUSED", [])
    assert "connection refused" in document["error"]


def test_a_server_that_speaks_something_else(netdiag):
    with tcp.says(b"HTTP/1.1 400 Bad Request\r\n\r\n", after_hearing=True) as peer:
        assert netdiag.json("health", peer.address, "--timeout=2s")["code"] == "NOT_HTTP2"


def test_documents_have_the_same_keys(netdiag, server):
    well, ill = netdiag.json("health", server.address), netdiag.json("health", tcp.refused_address())
    assert well.keys() == ill.keys() and well["milliseconds"].keys() == ill["milliseconds"].keys()


@pytest.mark.parametrize(
    "arguments, line",
    [
        ([], "name one target, as HOST:PORT"),
        (["a:1", "--cacert=x"], "--cacert needs --tls"),
        (["a:1", "--header=secret"], "a header of 6 bytes has no colon: write 'NAME: VALUE'"),
    ],
)
def test_command_lines_that_cannot_be_used(netdiag, arguments, line):
    netdiag("health", *arguments).complains(f"netdiag health: {line}; see netdiag health --help")
