# SPDX-License-Identifier: Apache-2.0
"""Signals end the probe at once, with the line of what was under way."""

import signal
import subprocess
import threading
import time

import pytest

from peers import http2, tcp
from peers.http2 import START, ScriptedPeer, answering, expect_preface, until_closed

SIGNALS = [(signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupt")]
LONG = ["-connect-timeout=40s", "-rpc-timeout=40s"]


def ends_soon(running):
    """The result, and that it did not wait for a window of 40 s."""
    sent = time.monotonic()
    result = running.result()
    assert time.monotonic() - sent < 8, result
    return result


@pytest.mark.parametrize("number, word", SIGNALS)
def test_a_signal_while_connecting(probe, number, word):
    with tcp.silence() as server:
        running = probe.start(f"-addr={server.address}", *LONG)
        server.wait_until(lambda: bool(server.received and server.received[0]))
        running.send(number)
        result = ends_soon(running).says(2, f"cancellation received (signal: {word})")
        assert result.lines[1] == f'error: failed to connect service at "{server.address}": context canceled', result


@pytest.mark.parametrize("number, word", SIGNALS)
def test_a_signal_during_the_call(probe, number, word):
    with ScriptedPeer([*START, until_closed()]) as peer:
        running = probe.start(f"-addr={peer.address}", *LONG)
        peer.wait_for_request()
        running.send(number)
        result = ends_soon(running).says(3, f"cancellation received (signal: {word})")
        assert result.lines[1] == "error: health rpc failed: rpc error: code = Canceled desc = context canceled", result
        assert peer.conversation.ending == "FIN"


def test_a_signal_between_attempts(probe):
    """A closed port: the probe sleeps or dials, and either ends."""
    with tcp.closes_at_once() as server:
        running = probe.start(f"-addr={server.address}", *LONG)
        server.wait_for_connections(2)
        running.send(signal.SIGTERM)
        ends_soon(running).says(2, "cancellation received (signal: terminated)")


def test_a_signal_while_a_connection_is_closed_is_not_lost(probe):
    """It comes while the probe, told goodbye, waits for the server's end; the next connection would be silent."""
    closing = threading.Event()

    def behaviour(sock, server):
        if len(server.received) == 1:
            sock.sendall(http2.frame(http2.SETTINGS, 0, 0) + http2.frame(http2.GOAWAY, 0, 0, bytes(8)))
            tcp.read_until_closed(sock, server)
            closing.set()
            time.sleep(0.5)
        else:
            tcp.read_until_closed(sock, server)

    with tcp.Talker(behaviour) as server:
        running = probe.start(f"-addr={server.address}", *LONG)
        assert closing.wait(10)
        running.send(signal.SIGTERM)
        ends_soon(running).says(3, "cancellation received (signal: terminated)")


def test_a_signal_in_the_tls_handshake(probe):
    with tcp.silence() as server:
        running = probe.start(f"-addr={server.address}", "-tls", "-tls-no-verify", *LONG)
        server.wait_until(lambda: bool(server.received and server.received[0]))
        running.send(signal.SIGTERM)
        ends_soon(running).says(2, "cancellation received (signal: terminated)")


def test_a_signal_while_the_identity_is_fetched(probe):
    with tcp.silence() as server:
        env = {"SPIFFE_ENDPOINT_SOCKET": f"tcp://{server.address}"}
        running = probe.start("-addr=127.0.0.1:1", "-spiffe", *LONG, env=env)
        server.wait_until(lambda: bool(server.received and server.received[0]))
        running.send(signal.SIGTERM)
        result = ends_soon(running).says(20, "cancellation received (signal: terminated)")
        assert result.lines[1].startswith("failed to initialize tls credentials with spiffe. error="), result


def test_a_signal_while_waiting_for_the_service(probe):
    with ScriptedPeer(answering(http2.NOT_SERVING)) as peer:
        running = probe.start(f"-addr={peer.address}", "-wait=40s")
        peer.wait_for_connections(1)
        running.send(signal.SIGTERM)
        result = ends_soon(running)
        assert result.code not in (0, 1) and result.code > 0, result
        assert "cancellation received (signal: terminated)" in result.lines, result


def test_hang_up_kills(probe):
    with tcp.silence() as server:
        # Who runs the tests may ignore the signal, as nohup(1) does, and children take that over.
        default = lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)  # noqa: E731
        running = probe.start(f"-addr={server.address}", *LONG, preexec_fn=default)
        server.wait_for_connections(1)
        running.send(signal.SIGHUP)
        assert ends_soon(running).code == -signal.SIGHUP


def test_hang_up_may_be_ignored_from_outside(probe):
    """nohup(1) must go on working."""
    with ScriptedPeer([expect_preface(), http2.sleep(0.3), *answering()[1:]]) as peer:
        prefix = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"]
        running = probe.start(f"-addr={peer.address}", *LONG, prefix=prefix)
        peer.wait_for_connections(1)
        running.send(signal.SIGHUP)
        running.result().serving()


def test_a_reader_of_stderr_that_went_away_does_not_kill(probe, healthy):
    """SIGPIPE is ignored: the exit code is what counts."""
    process = probe.start(f"-addr={healthy.address}", "-v", "-service=down").process
    process.stderr.close()
    process.stdout.close()
    assert process.wait(20) == 4


def test_a_reader_of_stdout_that_went_away_does_not_kill(probe, healthy):
    process = probe.start(f"-addr={healthy.address}", "-output=json", "-service=down").process
    process.stdout.close()
    process.stderr.close()
    assert process.wait(20) == 4


def test_a_server_that_resets_while_the_probe_writes_does_not_kill(probe):
    """A write on a connection that was reset raises SIGPIPE as well."""
    with ScriptedPeer([expect_preface(), http2.settings(), http2.cut()]) as peer:
        result = probe(f"-addr={peer.address}", "-connect-timeout=500ms", "-rpc-timeout=500ms")
        assert result.code in (2, 3), result


def test_a_full_disk_behind_stderr_does_not_change_the_exit_code(probe, healthy):
    with open("/dev/full", "wb") as full:
        process = probe.start(f"-addr={healthy.address}", "-service=down", stdout=full, stderr=full).process
        assert process.wait(20) == 4


def test_stopped_and_continued_the_probe_goes_on(probe):
    with ScriptedPeer([*START, http2.sleep(0.3), *answering()[3:]]) as peer:
        running = probe.start(f"-addr={peer.address}", *LONG)
        peer.wait_for_request()
        running.send(signal.SIGSTOP)
        time.sleep(0.05)
        running.send(signal.SIGCONT)
        running.result().serving()


CLOSED = {
    "stdin": "0<&-",
    "stdout": "1>&-",
    "stderr": "2>&-",
    "all three": "0<&- 1>&- 2>&-",
}


@pytest.mark.parametrize("redirection", CLOSED.values(), ids=CLOSED)
@pytest.mark.parametrize("flags", [[], ["-v"], ["-output=json"]], ids=["plain", "-v", "JSON"])
def test_closed_streams_change_neither_the_exit_code_nor_the_wire(probe, redirection, flags):
    """A socket must never become descriptor 2, or diagnostics would be sent to the server."""
    with ScriptedPeer(answering(http2.NOT_SERVING)) as peer:
        prefix = ["sh", "-c", f'exec "$@" {redirection}', "sh"]
        running = probe.start(f"-addr={peer.address}", *flags, *LONG, prefix=prefix, stderr=subprocess.PIPE)
        assert running.result().code == 4
        conversation = peer.conversation
    assert conversation.frames[-1].type == http2.GOAWAY and conversation.ending == "FIN"
    for text in (b"unhealthy", b"parsed options", b'"status"'):
        assert text not in conversation.received
