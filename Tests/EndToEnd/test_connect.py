# SPDX-License-Identifier: Apache-2.0
"""Getting a connection: what is retried until the window ends, what ends at once, and what is said of either."""

import threading
import time

import pytest

from peers import http2, programs, tcp
from peers.http2 import ScriptedPeer, answering, expect_preface, settings, until_closed
from probe import AT_ONCE


# Transient: retried, and a timeout when the window ends.


def test_a_refusal_is_retried_until_the_window_ends(probe):
    address = tcp.refused_address()
    result = probe(f"-addr={address}", "-connect-timeout=300ms").connect_timed_out(address, "300ms")
    result.because("refused", address).at_once()
    assert result.seconds > 0.25, result


def test_a_refusal_on_ipv6_names_the_address(probe, ipv6):
    address = tcp.refused_address("::1")
    probe(f"-addr={address}", "-connect-timeout=200ms").connect_timed_out(address, "200ms").because("refused", address)


def test_a_refusal_of_a_port_alone_names_an_address(probe):
    port = tcp.free_port()
    result = probe(f"-addr=:{port}", "-connect-timeout=200ms").connect_timed_out(f":{port}", "200ms")
    result.because("refused", f"127.0.0.1:{port}|[::1]:{port}")


def test_the_default_window_is_one_second(probe):
    address = tcp.refused_address()
    result = probe(f"-addr={address}").connect_timed_out(address, "1s")
    assert result.seconds > 0.9, result


def test_a_black_hole_ends_with_the_window(probe):
    with tcp.black_hole() as address:
        result = probe(f"-addr={address}", "-connect-timeout=300ms").connect_timed_out(address, "300ms").at_once()
        result.because("timed out|no answer|unanswered|timeout")


def test_a_silent_server_ends_with_the_window(probe):
    with tcp.silence() as server:
        result = probe(f"-addr={server.address}", "-connect-timeout=300ms").at_once()
        result.connect_timed_out(server.address, "300ms").because("settings|nothing|silent|said")


def test_a_server_that_closes_at_once_is_tried_again(probe):
    with tcp.closes_at_once() as server:
        result = probe(f"-addr={server.address}", "-connect-timeout=400ms").at_once()
        result.connect_timed_out(server.address, "400ms").because("closed|eof")
        assert server.accepted > 1


def test_a_server_that_resets_at_once_is_tried_again(probe):
    """An attempt that the window cuts short tells nothing new: the reason is that of the last complete one."""
    with tcp.resets_at_once() as server:
        result = probe(f"-addr={server.address}", "-connect-timeout=400ms").at_once()
        result.connect_timed_out(server.address, "400ms").because("reset")
        assert server.accepted > 1


def test_retries_pause_in_between(probe):
    """A few tens of milliseconds: many tries in a window, and yet no storm."""
    with tcp.closes_at_once() as server:
        probe(f"-addr={server.address}", "-connect-timeout=1s").ends(2)
        assert 3 <= server.accepted <= 100


def test_a_server_that_fails_first_is_found_when_it_recovers(probe):
    close_at_once = [lambda c: setattr(c, "ending", "we closed")]
    with ScriptedPeer(close_at_once, close_at_once, answering()) as peer:
        probe.check(peer.address).serving()
        assert len(peer.conversations) == 3


def test_a_server_that_says_goodbye_before_the_call_is_tried_again(probe):
    goodbye = [expect_preface(), settings(), http2.goaway(http2.NO_ERROR, 0), http2.close()]
    with ScriptedPeer(goodbye, answering()) as peer:
        probe.check(peer.address).serving()
        assert len(peer.conversations) == 2


def opens_late(probe, delay):
    """How long the probe needed after a server that was closed at first had opened."""
    port = tcp.free_port()
    opened = []
    peers = []

    def open_it():
        peers.append(ScriptedPeer(answering(), listener=tcp.listen_tcp(port=port)))
        opened.append(time.monotonic())

    timer = threading.Timer(delay, open_it)
    timer.start()
    try:
        probe(f"-addr=127.0.0.1:{port}", "-connect-timeout=20s").serving()
        return time.monotonic() - opened[0]
    finally:
        timer.join()
        for peer in peers:
            with peer:
                pass


def test_a_server_that_opens_late_is_found_soon(probe):
    """The best of a few runs, so that a busy machine spoils none: a back-off of a second would show in all."""
    assert min(opens_late(probe, 0.1) for _ in range(3)) < 0.5


def test_a_unix_socket_that_appears_late_is_found(probe, folder):
    path = str(folder / "s")
    peers = []
    timer = threading.Timer(0.2, lambda: peers.append(ScriptedPeer(answering(), listener=tcp.listen_unix(path))))
    timer.start()
    try:
        probe.check(f"unix:{path}").serving()
    finally:
        timer.join()
        with peers[0]:
            pass


def test_settings_that_come_a_byte_at_a_time_are_waited_for(probe):
    script = [expect_preface()]
    for byte in http2.frame(http2.SETTINGS, 0, 0):
        script += [http2.raw(bytes([byte])), http2.sleep(0.02)]
    script += [http2.raw(http2.frame(http2.SETTINGS, http2.ACK, 0)), *answering()[2:]]
    with ScriptedPeer(script) as peer:
        probe.check(peer.address).serving()


# With -fail-fast a refusal is final.


def test_fail_fast_makes_a_refusal_final(probe):
    address = tcp.refused_address()
    probe.check(address, "-fail-fast").connect_failed(address).because("refused", address)


def test_fail_fast_changes_nothing_for_a_healthy_server(probe, healthy):
    probe.check(healthy.address, "-fail-fast").serving()


def test_fail_fast_tries_all_addresses_of_a_name(probe):
    """Refused on ::1 is not refused where 127.0.0.1 answers."""
    with ScriptedPeer(answering(), listener=tcp.listen_tcp("127.0.0.1")) as peer:
        probe.check(f"localhost:{peer.port}", "-fail-fast").serving()


# Permanent: told at once. The window of `check` is far longer than AT_ONCE.

HTTP_1 = {
    "an answer": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    "an answer of 1.0": b"HTTP/1.0 505 HTTP Version Not Supported\r\n\r\n",
    "an answer with a page": b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>" + b"x" * 10_000,
}


@pytest.mark.parametrize("closes", [True, False], ids=["then closes", "then waits"])
@pytest.mark.parametrize("answer", HTTP_1.values(), ids=HTTP_1)
def test_a_server_of_http_1_is_told_at_once(probe, answer, closes):
    with tcp.says(answer, then_close=closes, after_hearing=True) as server:
        result = probe.check(server.address).connect_failed(server.address)
        result.because("HTTP/1.1|HTTP/1|HTTP/1.0")


def test_nginx_without_http_2_is_told_at_once(probe, folder):
    with programs.nginx(folder, "listen 127.0.0.1:{port}; return 200 one;") as server:
        probe.check(server.address).connect_failed(server.address).because("HTTP/1")


def test_a_tls_server_met_in_plaintext_is_told_at_once(probe, certificates):
    """The alert that a TLS server answers a plaintext preface with."""
    with tcp.says(b"\x15\x03\x01\x00\x02\x02\x46", then_close=True, after_hearing=True) as server:
        probe.check(server.address).connect_failed(server.address).because("tls")


def test_a_real_tls_server_met_in_plaintext_closes_and_the_reason_thinks_of_tls(probe, folder, certificates):
    """OpenSSL answers a plaintext preface with a bare FIN, so that only a guess is possible."""
    pair = ["-cert", certificates("server.pem"), "-key", certificates("server.key")]
    with programs.s_server(folder, *pair) as server:
        result = probe(f"-addr={server.address}", "-connect-timeout=500ms").could_not_connect(server.address).at_once()
        assert "tls" in "\n".join(result.lines[1:]).lower(), result


def test_nginx_with_tls_met_in_plaintext_answers_in_http_1(probe, folder, certificates):
    block = (
        f"listen 127.0.0.1:{{port}} ssl http2; ssl_certificate {certificates('server.pem')};"
        f" ssl_certificate_key {certificates('server.key')}; return 200 one;"
    )
    with programs.nginx(folder, block) as server:
        probe.check(server.address).connect_failed(server.address).because("HTTP/1")


def test_an_ssh_banner_is_named(probe):
    with tcp.says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n") as server:
        result = probe(f"-addr={server.address}", "-connect-timeout=1s").could_not_connect(server.address).at_once()
        result.because("SSH|not HTTP/2|no HTTP/2")


def test_permanent_faults_do_not_wait_even_when_the_server_stays_connected(probe):
    """The bound is of another order than the window, which is what makes this no matter of timing."""
    with tcp.says(HTTP_1["an answer"], after_hearing=True) as server:
        assert probe.check(server.address).seconds < AT_ONCE
        assert server.accepted == 1


def test_a_frame_that_is_no_settings_first_fails(probe):
    with ScriptedPeer([expect_preface(), http2.ping(), until_closed()]) as peer:
        probe(f"-addr={peer.address}", "-connect-timeout=500ms").could_not_connect(peer.address).at_once()
