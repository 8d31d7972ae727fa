# SPDX-License-Identifier: Apache-2.0
"""`netdiag http2`: what real servers of HTTP/2 say of themselves, and what others say instead."""

from __future__ import annotations

import json
import signal
import struct
import subprocess

import pytest

from EndToEnd.peers import health, http2, programs, tcp
from EndToEnd.peers.http2 import ScriptedPeer, close, cut, expect, expect_preface, flood, frame, goaway, settings
from netdiag import FINE, PROBLEM, UNDETERMINED

PONG = [lambda c: c.send(frame(http2.PING, http2.ACK, 0, c.frames_of(http2.PING)[-1].payload))]
ANSWERED_PING = [expect(http2.PING, 0), *PONG]
START = [expect_preface(), settings(max_concurrent_streams=100)]


def names(document: dict) -> dict[str, int]:
    return {setting["name"]: setting["value"] for setting in document["settings"]}


def test_grpcio(netdiag):
    with health.HealthServer({"": health.SERVING}) as server:
        result = netdiag("http2", server.address).ends(FINE)
        result.says("ok", "HTTP/2 in the clear").says("ok", "SETTINGS after").says("ok", "acknowledged after")
        result.says("note", "window of the connection opened").says("ok", "3 of 3 PINGs answered")
        document = netdiag.json("http2", server.address, "--pings=2")
    assert (document["code"], document["ok"], document["tls"]) == ("OK", True, None)
    assert names(document)["INITIAL_WINDOW_SIZE"] == 4_194_304 and names(document)["0xfe03"] == 1
    assert document["windowIncrement"] > 0
    assert document["pingsSent"] == 2 and len(document["pingMilliseconds"]) == 2
    assert document["milliseconds"]["settings"] > 0 and document["milliseconds"]["acknowledged"] > 0


def test_more_pings_than_grpc_permits(netdiag):
    with health.HealthServer({"": health.SERVING}) as server:
        result = netdiag("http2", server.address, "--pings=20").ends(PROBLEM)
        result.says("note", "GOAWAY ENHANCE_YOUR_CALM", "too_many_pings").says("FAIL", "too many PINGs")
        assert netdiag.json("http2", server.address, "--pings=20")["code"] == "TOO_MANY_PINGS"


def test_nghttpd(netdiag, tmp_path):
    with programs.nghttpd(tmp_path) as server:
        document = netdiag("http2", server.address, "--json").ends(FINE).json
    assert names(document)["MAX_CONCURRENT_STREAMS"] == 100


def test_tls(netdiag, tmp_path, certificates):
    with programs.nghttpd(tmp_path, f"{certificates}/server.pem", f"{certificates}/server.key") as server:
        trust = ["--tls", f"--cacert={certificates}/ca.pem"]
        document = netdiag("http2", server.address, *trust, "--json").ends(FINE).json
        assert (document["tls"], document["alpn"]) == ("TLS 1.3", "h2") and document["milliseconds"]["tls"] > 0
        netdiag("http2", server.address, "--tls", "--insecure").ends(FINE).says("ok", "HTTP/2 over TLS 1.3")
        assert netdiag.json("http2", server.address, "--tls")["code"] == "CERT_UNTRUSTED"
        wrong = netdiag.json("http2", server.address, *trust, "--servername=example.com")
        assert wrong["code"] == "CERT_HOSTNAME"


NGINX_TLS = "listen 127.0.0.1:{port} ssl http2; ssl_certificate CERTS/server.pem; ssl_certificate_key CERTS/server.key;"


def test_nginx_over_tls(netdiag, tmp_path, certificates):
    with programs.nginx(tmp_path, NGINX_TLS.replace("CERTS", str(certificates))) as server:
        document = netdiag("http2", server.address, "--tls", "--insecure", "--json").ends(FINE).json
        assert names(document)["MAX_CONCURRENT_STREAMS"] == 128
        # It answers the preface with a bare 400 of HTTP/1.1.
        document = netdiag("http2", server.address, "--json").ends(PROBLEM).json
        assert document["code"] == "PLAINTEXT_TO_TLS"


def test_tls_without_h2(netdiag, tmp_path, certificates):
    block = NGINX_TLS.replace(" http2", "").replace("CERTS", str(certificates))
    with programs.nginx(tmp_path, block) as server:
        document = netdiag("http2", server.address, "--tls", "--insecure", "--json").ends(PROBLEM).json
    assert document["code"] == "ALPN_MISSING"


def test_http1_alone(netdiag, tmp_path):
    with programs.nginx(tmp_path, "listen 127.0.0.1:{port};") as server:
        document = netdiag("http2", server.address, "--json").ends(PROBLEM).json
        assert document["code"] == "NOT_HTTP2" and "HTTP/1.1" in document["error"]
        assert netdiag.json("http2", server.address, "--tls")["code"] == "TLS_TO_PLAINTEXT"


@pytest.mark.parametrize("options", [["-alpn", "h2"], [], ["-Verify", "1"]])
def test_a_server_that_closes_silently_speaks_tls(netdiag, openssl, options):
    document = netdiag("http2", openssl("server", *options), "--json").ends(PROBLEM).json
    assert document["code"] == "PLAINTEXT_TO_TLS" and "connect with TLS" in document["error"]


def test_grpcio_over_tls_in_the_clear(netdiag, certificates):
    pair = health.credentials(f"{certificates}/server.pem", f"{certificates}/server.key")
    with health.HealthServer({"": health.SERVING}, credentials=pair) as server:
        assert netdiag.json("http2", server.address)["code"] == "PLAINTEXT_TO_TLS"


@pytest.mark.parametrize(
    "said, code, words",
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "NOT_HTTP2", "SSH-2.0"),
        (b"220 mail ESMTP\r\n", "NOT_HTTP2", "220 mail ESMTP"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "NOT_HTTP2", "HTTP/1.1 400"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "PLAINTEXT_TO_TLS", "speaks TLS"),
        (b"\x1b[31mred\r\n", "NOT_HTTP2", ""),
    ],
)
def test_a_server_that_speaks_something_else(netdiag, said, code, words):
    with tcp.says(said) as peer:
        result = netdiag("http2", peer.address, "--json").ends(PROBLEM)
    assert result.json["code"] == code and words in result.json["error"]
    assert "\x1b" not in result.stdout


def test_a_server_that_says_nothing(netdiag):
    with tcp.silence() as peer:
        assert netdiag.json("http2", peer.address, "--timeout=700ms")["code"] == "NO_SETTINGS"


def test_a_server_that_closes_without_a_word(netdiag):
    """As PostgreSQL does, on whatever is no beginning of its own protocol."""
    with tcp.closes_at_once() as peer:
        document = netdiag.json("http2", peer.address)
        assert document["code"] == "ACCEPTED_THEN_CLOSED"
        peer.wait_until_idle()
        assert peer.accepted == 2 and peer.received[1].startswith(b"\x16\x03")


def test_a_published_port_without_a_server(netdiag):
    with tcp.resets_at_once() as peer:
        assert netdiag.json("http2", peer.address)["code"] == "ACCEPTED_THEN_CLOSED"


def test_nobody_listens(netdiag):
    document = netdiag("http2", tcp.refused_address(), "--json").ends(PROBLEM).json
    assert document["code"] == "TCP_REFUSED" and document["settings"] == []


# What a server does after its SETTINGS.


def test_settings_that_are_never_acknowledged(netdiag):
    script = [expect_preface(), http2.raw(frame(http2.SETTINGS, 0, 0)), *ANSWERED_PING]
    with ScriptedPeer(script) as peer:
        result = netdiag("http2", peer.address, "--pings=1", "--timeout=700ms", "--json").ends(PROBLEM)
    assert result.json["code"] == "H2_UNANSWERED" and "not acknowledged" in result.json["problems"][0]["text"]
    assert result.json["milliseconds"]["acknowledged"] is None and len(result.json["pingMilliseconds"]) == 1


def test_a_ping_that_is_never_answered(netdiag):
    with ScriptedPeer(START) as peer:
        document = netdiag("http2", peer.address, "--timeout=700ms", "--json").ends(PROBLEM).json
    assert document["code"] == "H2_UNANSWERED"
    assert (document["pingsSent"], document["pingMilliseconds"]) == (1, [])


def test_no_pings(netdiag):
    with ScriptedPeer(START) as peer:
        document = netdiag("http2", peer.address, "--pings=0", "--json").ends(FINE).json
        assert peer.conversation.frames_of(http2.PING) == [] and document["pingsSent"] == 0


@pytest.mark.parametrize(
    "number, debug, code, words",
    [
        (http2.NO_ERROR, b"max_age", "H2_GOAWAY", "NO_ERROR"),
        (http2.ENHANCE_YOUR_CALM, b"too_many_pings", "TOO_MANY_PINGS", "too_many_pings"),
        (http2.ENHANCE_YOUR_CALM, b"slow down", "H2_GOAWAY", "slow down"),
        (http2.COMPRESSION_ERROR, b"", "H2_COMPRESSION_ERROR", "COMPRESSION_ERROR"),
        (0x1234, b"\x1b[2J\x00\xff\n" + b"x" * 3000, "H2_GOAWAY", "4660"),
    ],
)
def test_goaway(netdiag, number, debug, code, words):
    with ScriptedPeer([*START, expect(http2.PING, 0), goaway(number, 0, debug)]) as peer:
        result = netdiag("http2", peer.address, "--json").ends(PROBLEM)
        text = netdiag("http2", peer.address).ends(PROBLEM).says("note", "GOAWAY", words.split()[0])
    assert result.json["code"] == code and words in result.stdout
    assert result.json["goAway"]["lastStream"] == 0
    for output in (result.stdout, text.stdout):
        assert "\x1b" not in output and "\x00" not in output
    assert len(text.lines) < 12


@pytest.mark.parametrize(
    "end, word", [([goaway(0, 0, b"idle_timeout")], "GOAWAY"), ([close()], "FIN"), ([cut()], "RST")]
)
def test_an_idle_connection_that_the_server_ends(netdiag, end, word):
    with ScriptedPeer([*START, *ANSWERED_PING, *end]) as peer:
        document = netdiag("http2", peer.address, "--pings=1", "--idle=20s", "--json").ends(FINE).json
    assert document["idleEnd"] == word and document["idleMilliseconds"] < 20_000
    assert document["ok"] is True
    assert (document["goAway"] or {}).get("debug") == ("idle_timeout" if word == "GOAWAY" else None)


def test_an_idle_connection_that_is_ended_for_its_pings(netdiag):
    end = goaway(http2.ENHANCE_YOUR_CALM, 0, b"too_many_pings")
    with ScriptedPeer([*START, *ANSWERED_PING, end]) as peer:
        document = netdiag("http2", peer.address, "--pings=1", "--idle=20s", "--json").ends(PROBLEM).json
    assert (document["code"], document["idleEnd"]) == ("TOO_MANY_PINGS", "GOAWAY")


def test_an_idle_connection_that_is_kept(netdiag):
    with ScriptedPeer([*START, *ANSWERED_PING, http2.ping(b"from you"), expect(http2.PING, http2.ACK)]) as peer:
        document = netdiag("http2", peer.address, "--pings=1", "--idle=300ms", "--json").ends(FINE).json
        assert peer.conversation.finished, "the server's own PING had no answer"
    assert document["idleEnd"] is None and document["idleMilliseconds"] >= 300


@pytest.mark.parametrize(
    "payload",
    [
        frame(http2.PING, 0, 0, b"12345678"),
        frame(http2.SETTINGS, 0, 0, struct.pack(">HI", 0x7777, 1)),
        frame(http2.SETTINGS, 0, 0, b"".join(struct.pack(">HI", 0x1000 + n, n) for n in range(30))),
        frame(http2.WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)),
    ],
)
def test_a_flood_ends_with_the_time(netdiag, payload):
    with ScriptedPeer([*START, flood(payload)]) as peer:
        result = netdiag("http2", peer.address, "--timeout=1s", "--json").ends(PROBLEM)
    assert result.json["code"] in ("H2_UNANSWERED", "H2_PROTOCOL_ERROR")
    assert len(result.json["settings"]) <= 32


def test_a_broken_rule(netdiag):
    with ScriptedPeer([*START, http2.raw(frame(http2.PING, 0, 0, b"short"))]) as peer:
        assert netdiag.json("http2", peer.address)["code"] == "H2_PROTOCOL_ERROR"


def test_the_last_word_on_a_setting_counts(netdiag):
    more = http2.raw(frame(http2.SETTINGS, 0, 0, struct.pack(">HIHI", 3, 7, 0xABC, 9)))
    with ScriptedPeer([*START, more, *ANSWERED_PING]) as peer:
        document = netdiag.json("http2", peer.address, "--pings=1")
    assert names(document) == {"MAX_CONCURRENT_STREAMS": 7, "0xabc": 9}


@pytest.mark.parametrize("command, flags", [("http2", []), ("health", []), ("tls", [])])
def test_a_signal_leaves_it_open(netdiag, command, flags):
    with tcp.silence() as peer:
        run = netdiag.command(command, peer.address, *flags, "--json")
        with subprocess.Popen(run, stdout=subprocess.PIPE, text=True, env=netdiag.environment()) as process:
            peer.wait_until(lambda: any(peer.received))
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=20)
    document = json.loads(output)
    assert process.returncode == UNDETERMINED
    assert (document["ok"], document["code"]) == (False, "CANCELLED")
    assert document["error"] == f"stopped by a signal on the way to {peer.address} (interrupt)"


# Health, whose calls can be cut off.


def test_a_call_that_is_cut_off(netdiag):
    with ScriptedPeer([*http2.START, http2.rst(http2.INTERNAL_ERROR)]) as peer:
        document = netdiag("health", peer.address, "--json").ends(PROBLEM).json
    assert document["services"][0]["code"] == "H2_RST_STREAM"
    with ScriptedPeer([*http2.START, goaway(http2.COMPRESSION_ERROR, 1), close()]) as peer:
        assert netdiag.json("health", peer.address)["code"] == "H2_COMPRESSION_ERROR"


def test_documents_have_the_same_keys(netdiag):
    with ScriptedPeer([*START, *ANSWERED_PING]) as peer:
        well = netdiag.json("http2", peer.address, "--pings=1")
    ill = netdiag.json("http2", tcp.refused_address())
    assert well.keys() == ill.keys() and well["milliseconds"].keys() == ill["milliseconds"].keys()


@pytest.mark.parametrize(
    "arguments, line",
    [
        ([], "name one target, as HOST:PORT"),
        (["a:1", "--cacert=x"], "--cacert needs --tls"),
        (["a:1", "--tls", "--insecure", "--cacert=x"], "--insecure verifies nothing, and --cacert says by what"),
        (["a:1", "--timeout=0s"], "--timeout must be greater than zero"),
        (["a:1", "--idle=-1s"], "--idle must not be negative"),
    ],
)
def test_command_lines_that_cannot_be_used(netdiag, arguments, line):
    netdiag("http2", *arguments).complains(f"netdiag http2: {line}; see netdiag http2 --help")
