# SPDX-License-Identifier: Apache-2.0
"""How the probe leaves: GOAWAY(NO_ERROR) and a FIN, never a reset that would stand in the server's log."""

import re
import signal

import pytest

from peers import http2, programs, tls
from peers.http2 import (
    GRPC, SERVING, START, ScriptedPeer, answer, answering, data, ending_with, expect_preface, frame,
    header_block, headers, ping, raw, settings, status, until_closed,
)

ONE_WRITE = (
    frame(http2.HEADERS, http2.END_HEADERS, 1, header_block(GRPC))
    + frame(http2.DATA, 0, 1, answer(SERVING))
    + frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, 1, header_block(status(0)))
)

ENDINGS = {
    "serving": (answering(), 0),
    "not serving": (answering(http2.NOT_SERVING), 4),
    "a failed call": (ending_with(5, "unknown service"), 3),
    "a call that timed out": ([*START, until_closed()], 3),
    "a page instead of an answer": (
        [*START, headers([(":status", "404"), ("content-type", "text/html")]), data(b"x" * 4000, end_stream=True)],
        3,
    ),
    "a message that is too large": ([*START, headers(GRPC), data(http2.message(b"x" * 5000, length=5 << 20))], 3),
    "a reset stream": ([*START, http2.rst(http2.INTERNAL_ERROR)], 3),
    "everything in one write": ([*START, raw(ONE_WRITE)], 0),
    "frames behind the answer in the same write": (
        [*START, raw(ONE_WRITE + frame(http2.PING, 0, 0, bytes(8)) + frame(http2.SETTINGS, 0, 0))],
        0,
    ),
    "a ping behind the answer": ([*answering(), ping()], 0),
    "a GOAWAY behind the answer": ([*answering(), http2.goaway(http2.NO_ERROR, 1)], 0),
    "GOAWAY during the call": ([*START, http2.goaway(http2.NO_ERROR, 1), *answering()[3:]], 0),
    "no stream allowed": ([expect_preface(), settings(max_concurrent_streams=0)], 3),
}


@pytest.mark.parametrize("script, code", ENDINGS.values(), ids=ENDINGS)
def test_the_probe_says_goodbye_and_closes_without_a_reset(probe, script, code):
    window = "300ms" if code == 3 else "20s"
    with ScriptedPeer(script) as peer:
        probe.check(peer.address, f"-rpc-timeout={window}").ends(code)
        conversation = peer.conversation
    goodbyes = conversation.frames_of(http2.GOAWAY)
    assert [goodbye.goaway_code for goodbye in goodbyes] == [http2.NO_ERROR]
    assert conversation.frames[-1].type == http2.GOAWAY, "something was sent after GOAWAY"
    assert conversation.ending == "FIN"


@pytest.mark.parametrize("code", [0, 4])
def test_over_tls_the_goodbye_is_complete_too(probe, certificates, code):
    context = tls.server_context(certificates("server.pem"), certificates("server.key"))
    with ScriptedPeer(answering(SERVING if code == 0 else http2.NOT_SERVING), tls=context) as peer:
        probe.check(peer.address, "-tls", f"-tls-ca-cert={certificates('ca.pem')}").ends(code)
        conversation = peer.conversation
    assert conversation.frames[-1].type == http2.GOAWAY
    assert conversation.ending == "FIN", "no close_notify came, or a reset"


def test_a_connection_that_never_got_settings_ends_without_a_reset(probe):
    with ScriptedPeer([expect_preface(), until_closed()]) as peer:
        probe(f"-addr={peer.address}", "-connect-timeout=200ms").ends(2)
        peer.wait_until_idle()
        assert [conversation.ending for conversation in peer.conversations] == ["FIN"] * len(peer.conversations)


def test_one_check_makes_one_connection(probe):
    with ScriptedPeer(answering()) as peer:
        probe.check(peer.address).serving()
        peer.wait_until_idle()
        assert peer.accepted == 1


def test_nghttpd_sees_a_goodbye_and_no_error(probe, folder):
    """nghttpd knows no gRPC: it answers 404, which means that the protocol is not implemented."""
    with programs.nghttpd(folder) as server:
        result = probe.check(server.address).ends(3)
        assert "does not implement the grpc health protocol" in result.line, result
        server.wait_for_log("recv GOAWAY frame")
        log = re.sub(r"\x1b\[[0-9;]*m", "", server.stop())
    assert re.search(r"error_code=NO_ERROR\(0x00\)", log)
    assert not re.search(r"reset|broken pipe", log, re.I)


def test_nghttpd_over_tls_sees_a_goodbye_and_no_error(probe, folder, certificates):
    with programs.nghttpd(folder, certificates("server.pem"), certificates("server.key")) as server:
        probe.check(server.address, "-tls", f"-tls-ca-cert={certificates('ca.pem')}").ends(3)
        server.wait_for_log("recv GOAWAY frame")
        log = re.sub(r"\x1b\[[0-9;]*m", "", server.stop())
    assert not re.search(r"reset|broken pipe", log, re.I)


def test_nginx_logs_no_reset(probe, folder, healthy):
    """nginx passes the call on to a real server, and logs what clients do wrong."""
    block = f"listen 127.0.0.1:{{port}} http2; location / {{ grpc_pass grpc://{healthy.address}; }}"
    with programs.nginx(folder, block) as server:
        probe.check(server.address).serving()
        probe.check(server.address, "-service=down").unhealthy("NOT_SERVING")
        # SIGQUIT lets nginx finish with its connections first.
        log = server.stop(signal.SIGQUIT)
    assert not re.search(r"reset by peer|prematurely|broken pipe|processing HTTP/2", log, re.I), log
