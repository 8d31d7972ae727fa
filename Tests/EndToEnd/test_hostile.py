# SPDX-License-Identifier: Apache-2.0
"""Servers that mean harm: whatever they send, the probe ends in time, stays small and speaks in plain characters."""

import gzip
import random
import struct
import subprocess
import threading
import time

import grpc
import pytest
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from peers import health, http2, tcp, tls
from peers.http2 import (
    GRPC, SERVING, START, ScriptedPeer, answer, answering, data, ending_with, expect_preface, flood, frame, goaway,
    header_block, headers, raw, settings, status, trailers, until_closed,
)

SHORT = ["-connect-timeout=700ms", "-rpc-timeout=700ms"]
MEMORY_LIMIT = 96 << 20  # the ordinary build starts at about a quarter of this


def is_plain(text):
    """No control character but the line end, no bidirectional control, nothing invisible."""
    bad = [c for c in text if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or 0x202A <= ord(c) <= 0x202E
           or 0x2066 <= ord(c) <= 0x2069 or c in "\u200b\u200e\u200f\u2028\u2029\ufeff"]
    return not bad


# Texts of the peer's.


def test_escape_sequences_in_a_status_message_come_out_escaped(probe):
    with ScriptedPeer(ending_with(13, "%1B[2J%1B]0;owned%07 a%0Astatus: SERVING%0D%09b%7F%C2%9B")) as peer:
        result = probe.check(peer.address).ends(3)
        assert is_plain(result.stderr), result
        assert r"\x1b[2J\x1b]0;owned\x07 a\nstatus: SERVING\r\tb\x7f" in result.line, result
        assert "status: SERVING" not in result.lines, result


def test_a_change_of_reading_direction_comes_out_escaped(probe):
    with ScriptedPeer(ending_with(13, "%E2%80%AEabc%E2%81%A6 %E2%80%8B%EF%BB%BF")) as peer:
        result = probe.check(peer.address).ends(3)
        assert is_plain(result.stderr), result
        assert r"\u202eabc\u2066" in result.line, result


ESCAPES = b"\x1b[31mred\x1b[0m\r\nstatus: SERVING\n"

SPOKEN = {
    "a page": [*START, headers([(":status", "503"), ("content-type", "text/html")]), data(ESCAPES, end_stream=True)],
    "debug data": [*START, goaway(http2.ENHANCE_YOUR_CALM, 1, ESCAPES), until_closed()],
    "debug data before the call": [expect_preface(), settings(), goaway(http2.PROTOCOL_ERROR, 0, ESCAPES),
                                   http2.close()],
    "a content type": [*START, headers([(":status", "200"), ("content-type", b"text/\x1b[31m\x9b")], end_stream=True)],
    "a status": [*START, headers([*GRPC, ("grpc-status", b"1\x1b[31m")], end_stream=True)],
    "an encoding": [*START, headers([*GRPC, ("grpc-encoding", "\u202ex")]), data(http2.message(b"x", 1)),
                    trailers(status(0))],
    "a message that is no UTF-8": ending_with(13, b"\xff\x9b\x80".decode("latin-1")),
}


@pytest.mark.parametrize("script", SPOKEN.values(), ids=SPOKEN)
@pytest.mark.parametrize("flags", [[], ["-v", "-output=json"]], ids=["plain", "-v and JSON"])
def test_nothing_that_the_peer_says_reaches_a_terminal_raw(probe, script, flags):
    with ScriptedPeer(script) as peer:
        result = probe(f"-addr={peer.address}", *SHORT, *flags)
        assert result.code in (2, 3), result
        assert is_plain(result.stderr) and is_plain(result.stdout), result
        assert "status: SERVING" not in result.lines, result


@pytest.mark.parametrize("banner", [b"SSH-2.0-\x1b[31m\x07\r\n", b"HTTP/1.1 400 \x1b]0;x\x07\r\n\r\n", b"\x1b[2J" * 30])
def test_banners_come_out_escaped(probe, banner):
    with tcp.says(banner) as server:
        result = probe(f"-addr={server.address}", *SHORT).ends(2)
        assert is_plain(result.stderr) and result.reason, result


def test_the_transport_log_is_plain_as_well(probe):
    env = {"GRPC_GO_LOG_SEVERITY_LEVEL": "info", "GRPC_GO_LOG_VERBOSITY_LEVEL": "99"}
    with ScriptedPeer([*START, goaway(http2.ENHANCE_YOUR_CALM, 1, ESCAPES), *answering()[3:]]) as peer:
        result = probe.check(peer.address, env=env).ends(0)
        assert "GOAWAY" in result.stderr.upper() and is_plain(result.stderr), result


# Sizes.


@pytest.mark.parametrize("size", [16_384, 65_535, 65_536, 1 << 20, (4 << 20) - 200])
def test_a_large_message_below_the_limit_is_read(probe, size):
    """An unknown field of that size stands before the status; flow control lets it through."""
    payload = http2.bytes_field(15, bytes(size)) + http2.enum_field(1, SERVING)
    handler = grpc.unary_unary_rpc_method_handler(lambda _request, _context: payload, bytes, bytes)
    handlers = grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler})
    with health.HealthServer(register=False) as server:
        server.server.add_generic_rpc_handlers((handlers,))
        probe.check(server.address, "-rpc-timeout=20s").serving()


BOMB = b"\x00" * (64 << 20)


def test_a_gzip_bomb_is_not_inflated(probe):
    payload = http2.message(gzip.compress(BOMB, 9)[:60_000], 1)
    compressed = headers([*GRPC, ("grpc-encoding", "gzip")])
    with ScriptedPeer([*START, compressed, data(payload), trailers(status(0))]) as peer:
        result = probe.check(peer.address, "-rpc-timeout=20s").ends(3).at_once()
        assert "ResourceExhausted" in result.line or "Internal" in result.line, result


def test_a_huge_header_list_ends_the_call(probe):
    block = header_block([(f"x-{number}", "v" * 8000) for number in range(40)])
    parts = [block[i : i + 16_000] for i in range(0, len(block), 16_000)]
    frames = frame(http2.HEADERS, 0, 1, parts[0]) + b"".join(frame(http2.CONTINUATION, 0, 1, p) for p in parts[1:-1])
    frames += frame(http2.CONTINUATION, http2.END_HEADERS, 1, parts[-1])
    with ScriptedPeer([*START, raw(frames), until_closed()]) as peer:
        result = probe.check(peer.address, "-rpc-timeout=1s").at_once()
        assert result.code == 3 and result.reason, result


def test_a_frame_larger_than_allowed_ends_the_connection(probe):
    with ScriptedPeer([*START, headers(GRPC), raw(frame(http2.DATA, 0, 1, bytes(16_385))), until_closed()]) as peer:
        probe.check(peer.address, "-rpc-timeout=20s").ends(3).at_once()


def test_a_peer_that_ignores_the_window_is_stopped(probe):
    chunk = frame(http2.DATA, 0, 1, bytes(16_384))
    first = frame(http2.DATA, 0, 1, http2.message(b"", length=4_000_000))
    with ScriptedPeer([*START, headers(GRPC), raw(first), flood(chunk)]) as peer:
        result = probe.check(peer.address, "-rpc-timeout=2s")
        assert result.code == 3, result


# Floods. Each ends when its window does, or sooner.

FLOODS = {
    "PING": frame(http2.PING, 0, 0, bytes(8)),
    "acknowledged PING": frame(http2.PING, http2.ACK, 0, bytes(8)),
    "SETTINGS": frame(http2.SETTINGS, 0, 0),
    "SETTINGS that change": frame(http2.SETTINGS, 0, 0, struct.pack(">HI", 1, 0) + struct.pack(">HI", 1, 4096)),
    "acknowledged SETTINGS": frame(http2.SETTINGS, http2.ACK, 0),
    "empty DATA": frame(http2.DATA, 0, 1),
    "padding": frame(http2.DATA, http2.PADDED, 1, b"\xff" + bytes(255)),
    "empty CONTINUATION": frame(http2.CONTINUATION, 0, 1),
    "interim answers": frame(http2.HEADERS, http2.END_HEADERS, 1,
                             header_block([(":status", "103"), ("link", "x" * 99)])),
    "WINDOW_UPDATE": frame(http2.WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)),
    "PRIORITY": frame(http2.PRIORITY, 0, 3, bytes(5)),
    "RST_STREAM of an idle stream": frame(http2.RST_STREAM, 0, 3, bytes(4)),
    "PUSH_PROMISE": frame(http2.PUSH_PROMISE, http2.END_HEADERS, 1,
                          struct.pack(">I", 2) + header_block([(":path", "/")])),
    "GOAWAY": frame(http2.GOAWAY, 0, 0, struct.pack(">II", 0x7FFFFFFF, 0) + b"again"),
    "frames of an unknown type": frame(0xEE, 0, 0, bytes(100)),
    "zeros": bytes(9),
    "ones": b"\xff" * 9,
}


def ends_small(probe, address, *arguments):
    """Runs the probe and watches its memory until it ends."""
    running = probe.start(f"-addr={address}", *SHORT, *arguments)
    peak = 0
    results = []
    thread = threading.Thread(target=lambda: results.append(running.result()))
    thread.start()
    while thread.is_alive():
        peak = max(peak, running.peak_memory)
        thread.join(0.01)
    assert results, "the probe hangs"
    assert peak < MEMORY_LIMIT, f"{peak} bytes:{results[0]}"
    return results[0].at_once()


@pytest.mark.parametrize("flooded", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("when", ["instead of settings", "instead of an answer"])
def test_a_flood_ends_with_the_window(probe, flooded, when):
    start = [expect_preface()] if when == "instead of settings" else START
    opened = [raw(frame(http2.HEADERS, 0, 1, header_block(GRPC)))] if flooded == FLOODS["empty CONTINUATION"] else []
    opened = [headers(GRPC)] if flooded in (FLOODS["empty DATA"], FLOODS["padding"]) else opened
    with ScriptedPeer([*start, *opened, flood(flooded)]) as peer:
        result = ends_small(probe, peer.address)
        assert result.code in ((2, 3) if when == "instead of settings" else (3,)), result
        assert result.reason, result


@pytest.mark.parametrize("line", [b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: y\r\n", b"x"])
def test_a_flood_of_http_1_ends(probe, line):
    with tcp.floods(line) as server:
        assert ends_small(probe, server.address).ends(2).reason


def test_a_flood_in_the_tls_handshake_ends(probe):
    """Records of a handshake message that never completes."""
    record = b"\x16\x03\x03\x40\x00" + bytes(0x4000)
    with tcp.floods(record, start=b"\x16\x03\x03\x00\x04\x02\xff\xff\xff") as server:
        assert ends_small(probe, server.address, "-tls", "-tls-no-verify").ends(2).reason


def test_a_flood_of_connections_that_close_ends_with_the_window(probe):
    with tcp.closes_at_once() as server:
        result = ends_small(probe, server.address)
        result.connect_timed_out(server.address, "700ms")


# Drips: each byte keeps the connection alive, none of them the window.


def test_settings_that_drip_for_ever_end_with_the_window(probe):
    with tcp.drips(frame(http2.SETTINGS, 0, 0, bytes(6) * 100), 0.05) as server:
        probe(f"-addr={server.address}", *SHORT).ends(2).at_once()


def test_an_answer_that_drips_ends_with_the_window(probe):
    slow = [step for byte in header_block(GRPC) * 20 for step in (raw(bytes([byte])), http2.sleep(0.05))]
    start = raw(struct.pack(">BHBBI", 0, 8000, http2.HEADERS, http2.END_HEADERS, 1))
    with ScriptedPeer([*START, start, *slow[:60]]) as peer:
        probe(f"-addr={peer.address}", *SHORT).rpc_timed_out("700ms").at_once()


def test_pings_for_ever_do_not_stretch_the_window(probe):
    beat = [step for _ in range(60) for step in (http2.ping(), http2.sleep(0.05))]
    with ScriptedPeer([*START, *beat]) as peer:
        probe(f"-addr={peer.address}", *SHORT).rpc_timed_out("700ms").at_once()


def test_a_tls_handshake_that_drips_ends_with_the_window(probe):
    with tcp.drips(b"\x16\x03\x03\x40\x00" + bytes(100), 0.05) as server:
        probe(f"-addr={server.address}", "-tls", "-tls-no-verify", *SHORT).ends(2).at_once()


# Garbage, the same on each run.


@pytest.mark.parametrize("seed", range(12))
def test_random_bytes_end_in_an_orderly_failure(probe, seed):
    noise = random.Random(seed).randbytes(3000)
    with tcp.says(noise, then_close=seed % 2 == 0) as server:
        result = probe(f"-addr={server.address}", *SHORT).at_once()
        assert result.code == 2 and result.reason and is_plain(result.stderr), result


@pytest.mark.parametrize("seed", range(12))
def test_random_frames_end_in_an_orderly_failure(probe, seed):
    chance = random.Random(1000 + seed)
    noise = b"".join(
        frame(chance.randrange(12), chance.randrange(256), chance.randrange(4), chance.randbytes(chance.randrange(60)))
        for _ in range(50)
    )
    with ScriptedPeer([*START, raw(noise), until_closed()]) as peer:
        result = probe(f"-addr={peer.address}", *SHORT).at_once()
        assert result.code in (2, 3) and result.reason and is_plain(result.stderr), result


@pytest.mark.parametrize("seed", range(12))
def test_a_good_answer_with_one_byte_wrong_never_breaks_the_probe(probe, seed):
    chance = random.Random(2000 + seed)
    good = bytearray(
        frame(http2.HEADERS, http2.END_HEADERS, 1, header_block(GRPC))
        + frame(http2.DATA, 0, 1, answer(SERVING))
        + frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, 1, header_block(status(0)))
    )
    good[chance.randrange(len(good))] ^= 1 << chance.randrange(8)
    with ScriptedPeer([*START, raw(bytes(good)), until_closed()]) as peer:
        result = probe(f"-addr={peer.address}", *SHORT).at_once()
        assert is_plain(result.stderr) and len(peer.conversations[0].requests) == 1, result
        result.serving() if result.code == 0 else result.ends(result.code if result.code in (3, 4) else 3)
        assert result.code == 0 or result.reason, result


@pytest.mark.parametrize("seed", range(6))
def test_random_bytes_in_the_tls_handshake_end_in_an_orderly_failure(probe, seed):
    noise = random.Random(3000 + seed).randbytes(2000)
    noise = b"\x16\x03\x03" + noise if seed % 2 else noise
    with tcp.says(noise, after_hearing=True) as server:
        result = probe(f"-addr={server.address}", "-tls", "-tls-no-verify", *SHORT).at_once()
        assert result.code == 2 and result.reason and is_plain(result.stderr), result


def random_fields(chance):
    """Fields of all kinds, among them statuses, mostly well formed."""
    fields = [
        lambda: http2.enum_field(1, chance.choice([0, 1, 1, 2, 3, 17])),
        lambda: http2.enum_field(chance.randrange(2, 5000), chance.getrandbits(64)),
        lambda: http2.bytes_field(chance.randrange(1, 20), chance.randbytes(chance.randrange(9))),
        lambda: http2.varint(chance.randrange(1, 20) << 3 | 5) + chance.randbytes(4),
        lambda: http2.varint(chance.randrange(1, 20) << 3 | 1) + chance.randbytes(8),
        lambda: b"\x53" + http2.enum_field(1, 2) + b"\x54",  # a group, closed
    ]
    payload = b"".join(chance.choice(fields)() for _ in range(chance.randrange(1, 8)))
    return payload if chance.random() < 0.7 else payload[: chance.randrange(len(payload))]


@pytest.mark.parametrize("seed", range(24))
def test_a_message_is_read_as_the_reference_does(probe, seed):
    """Google's own library says what each message means; every fourth is mere noise."""
    chance = random.Random(4000 + seed)
    payload = chance.randbytes(chance.randrange(1, 40)) if seed % 4 == 0 else random_fields(chance)
    try:
        number = health_pb2.HealthCheckResponse.FromString(payload).status
    except DecodeError:
        number = None
    with ScriptedPeer([*START, headers(GRPC), data(http2.message(payload)), trailers(status(0))]) as peer:
        result = probe.check(peer.address).at_once()
        if number is None:
            result.ends(3)
            assert "grpc: failed to unmarshal the received message" in result.line, result
        elif number == SERVING:
            result.serving()
        else:
            names = {0: "UNKNOWN", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
            result.unhealthy(names.get(number, str(number)))


CUTS = http2.frame(http2.SETTINGS, 0, 0) + http2.frame(http2.PING, 0, 0, bytes(8))


@pytest.mark.parametrize("length", range(1, len(CUTS), 3))
def test_a_connection_that_ends_inside_a_frame(probe, length):
    with tcp.says(CUTS[:length], then_close=True) as server:
        result = probe(f"-addr={server.address}", "-connect-timeout=300ms", "-rpc-timeout=300ms").at_once()
        assert result.code in (2, 3) and result.reason, result


def test_a_certificate_with_an_escape_sequence_in_its_name(probe, certificates, folder):
    """The names of a certificate are the peer's words as well."""
    subject = "/CN=\x1b[31mred\x07"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-days", "9", "-subj", subject, "-keyout", folder / "k", "-out", folder / "c"]
    subprocess.run(command, check=True, capture_output=True)
    context = tls.server_context(str(folder / "c"), str(folder / "k"))
    with ScriptedPeer(answering(), tls=context) as peer:
        result = probe.check(peer.address, "-tls", f"-tls-ca-cert={certificates('ca.pem')}").ends(2).at_once()
        assert is_plain(result.stderr) and result.reason, result


def test_twenty_probes_at_once_all_succeed(probe, healthy):
    """A burst of health checks, as a node makes when it starts."""
    started = time.monotonic()
    running = [probe.start(f"-addr={healthy.address}", "-connect-timeout=20s", "-rpc-timeout=20s") for _ in range(20)]
    for one in running:
        one.result().serving()
    assert time.monotonic() - started < 20
