# SPDX-License-Identifier: Apache-2.0
"""What a hostile client can do to a server: it is sent away, at a bounded cost, and others are served meanwhile."""

from __future__ import annotations

import os
import struct
import time

import grpc
import pytest

from peers.raw import (
    ACK, CALL, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, MESSAGE, PING, PREFACE, PRIORITY,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, RawClient, frame,
)  # fmt: skip
from greeter import greeter_pb2, greeter_pb2_grpc

INTERNAL_ERROR, ENHANCE_YOUR_CALM = 0x2, 0xB

#: How much the server may grow during any attack here, and how much of a processor's time it may spend on one.
GROWTH = 24 << 20
CPU_SECONDS = 3.0


@pytest.fixture(scope="module")
def server(programs):
    times = ["--handshake-timeout=1s", "--stall-timeout=1s"]
    with programs("user-service", "--database=:memory:", "--listen=127.0.0.1:0", "--admin=off", *times) as server:
        server.port
        yield server


def rss(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(autouse=True)
def bounded(server):
    """Around each attack: others are served before, during and after it, and its cost is bounded."""
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = greeter_pb2_grpc.GreeterStub(channel)

        def others_are_served():
            assert stub.SayHello(greeter_pb2.HelloRequest(name="you"), timeout=5).message == "Hello, you!"

        others_are_served()
        memory, time_spent = rss(server.process.pid), cpu(server.process.pid)
        yield others_are_served
        others_are_served()
        assert rss(server.process.pid) - memory < GROWTH
        assert cpu(server.process.pid) - time_spent < CPU_SECONDS


def flood(client: RawClient, data: bytes, times: int, each: int = 1) -> bool:
    """Sends the same bytes again and again; whether the server put an end to it."""
    return not all(client.send(data * each) for _ in range(times // each))


def test_rapid_reset(server, bounded):
    """CVE-2023-44487: open a stream, cancel it, again and again."""
    with RawClient(server.port) as client:
        cancel = struct.pack(">I", 8)
        for first in range(1, 40_001, 200):
            batch = b"".join(
                client.headers(stream) + frame(RST_STREAM, 0, stream, cancel) for stream in range(first, first + 200, 2)
            )
            if not client.send(batch):
                break
        bounded()
        code, _ = client.goaway() or (None, None)
        # The library underneath counts too, and calls it INTERNAL_ERROR.
        assert code in (ENHANCE_YOUR_CALM, INTERNAL_ERROR, None)
        assert client.is_closed()


def test_made_you_reset(server, bounded):
    """CVE-2025-8671: make the server reset streams, by a WINDOW_UPDATE of zero on each."""
    with RawClient(server.port) as client:
        closed = False
        for stream in range(1, 20_001, 2):
            closed = not client.send(client.headers(stream) + frame(WINDOW_UPDATE, 0, stream, bytes(4)))
            if closed:
                break
        bounded()
        assert closed or client.is_closed()


def test_continuation_flood(server, bounded):
    """CVE-2024-28182: a header section that never ends."""
    with RawClient(server.port) as client:
        client.send(client.headers(1, flags=0))
        assert flood(client, frame(CONTINUATION, 0, 1, b"\x00\x01a\x01b" * 1_000), 20_000)
        bounded()


def test_header_bomb(server, bounded):
    """A few bytes on the wire that unfold to a huge header section."""
    with RawClient(server.port) as client:
        client.send(frame(HEADERS, 0, 1, client.encoder.encode(CALL + [("x-bomb", "b" * 4_000)])))
        indexed = client.encoder.encode([("x-bomb", "b" * 4_000)]) * 16_000
        for start in range(0, len(indexed), 16_000):
            client.send(frame(CONTINUATION, 0, 1, indexed[start : start + 16_000]))
        client.send(frame(CONTINUATION, END_HEADERS, 1))
        bounded()
        kinds = [(kind, stream) for kind, _, stream, _ in client.frames(2)]
        assert (RST_STREAM, 1) in kinds or any(kind == GOAWAY for kind, _ in kinds)


def test_ping_flood(server, bounded):
    """CVE-2019-9512, and pings whose answers are read: both too many."""
    with RawClient(server.port) as client:
        client.send(frame(PING, 0, 0, bytes(8)) * 10)
        assert client.goaway() == (ENHANCE_YOUR_CALM, b"too_many_pings")
        assert client.is_closed()
    with RawClient(server.port) as client:
        assert flood(client, frame(PING, 0, 0, bytes(8)), 1_000_000, each=1_000)


def test_settings_flood(server, bounded):
    """CVE-2019-9515: each SETTINGS frame wants an acknowledgement."""
    with RawClient(server.port) as client:
        assert flood(client, frame(SETTINGS), 1_000_000, each=1_000)
        bounded()
    with RawClient(server.port) as client:
        client.send(frame(SETTINGS) * 200)
        assert client.goaway() == (ENHANCE_YOUR_CALM, b"too_many_settings")


def test_empty_data_flood(server, bounded):
    """CVE-2019-9518: DATA frames with nothing in them."""
    with RawClient(server.port) as client:
        client.send(client.headers(1))
        assert flood(client, frame(DATA, 0, 1), 1_000_000, each=1_000)
        bounded()


def test_priority_flood(server, bounded):
    """CVE-2019-9513: PRIORITY frames, which mean nothing any more: they cost no memory."""
    with RawClient(server.port) as client:
        flood(client, b"".join(frame(PRIORITY, 0, stream, bytes(5)) for stream in range(1, 2_001, 2)), 100)
        bounded()


def test_slow_preface(server, bounded):
    """Connections that say nothing, or spell the preface out, are closed when the handshake's time is over."""
    silent = [RawClient(server.port, hello=False) for _ in range(50)]
    slow = RawClient(server.port, hello=False)
    for byte in PREFACE[:10]:
        slow.send(bytes([byte]))
        time.sleep(0.02)
    bounded()
    for client in [*silent, slow]:
        assert client.is_closed(4)
        client.close()


def test_slow_headers(server, bounded):
    """A header section of which a byte comes now and then."""
    with RawClient(server.port) as client:
        client.send(client.headers(1, flags=0))
        bounded()
        assert client.is_closed(14)


def test_zero_window(server, bounded):
    """A client that asks for answers and gives no window for them."""
    settings = struct.pack(">HI", 4, 0)
    with RawClient(server.port, settings=settings) as client:
        for stream in range(1, 1_001, 2):
            client.send(client.call(stream))
        bounded()
        reset = {stream for kind, _, stream, _ in client.frames(3) if kind == RST_STREAM}
        assert len(reset) == 500


def test_unread_answers(server, bounded):
    """A client that never reads from its socket."""
    with RawClient(server.port, receive_buffer=4_096) as client:
        client.socket.settimeout(1)
        stream = 1
        deadline = time.monotonic() + 10
        while client.send(b"".join(client.call(stream + 2 * n) for n in range(100))) and time.monotonic() < deadline:
            stream += 200
        bounded()
        # What the kernel's buffers hold is still read, and then the end.
        assert client.is_closed(10)


def test_streams_beyond_the_limit(server, bounded):
    """More streams than the server allows are refused, and the others go on."""
    with RawClient(server.port) as client:
        for stream in range(1, 2 * 1_200, 2):
            client.send(client.headers(stream))
        bounded()
        refusal = struct.pack(">I", 7)
        refused = {stream for kind, _, stream, code in client.frames(1) if (kind, code) == (RST_STREAM, refusal)}
        assert len(refused) == 200


def test_garbage(server, bounded):
    """Random bytes, and an HTTP/1.1 client, which is told what it met."""
    with RawClient(server.port, hello=False) as client:
        client.send(os.urandom(100_000))
        assert client.is_closed()
    with RawClient(server.port, hello=False) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = client.socket.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 505 ") and b"gRPC" in answer
        assert client.is_closed()


@pytest.mark.parametrize(
    "change, status",
    [
        ({":method": "GET"}, b"405"),
        ({"content-type": "text/plain"}, b"415"),
        ({":method": "GET", ":path": "/favicon.ico", "content-type": None}, b"404"),
    ],
)
def test_foreign_requests(server, bounded, change, status):
    """Whoever does not speak gRPC is answered in HTTP's terms."""
    fields = [(name, change.get(name, value)) for name, value in CALL if change.get(name, value) is not None]
    with RawClient(server.port) as client:
        client.send(client.headers(1, fields, flags=END_HEADERS | END_STREAM))
        for kind, _, stream, payload in client.frames():
            if kind == HEADERS and stream == 1:
                answer = dict(client.decoder.decode(payload))
                assert answer[":status"] == status.decode()
                assert "grpc-status" in answer
                return
        pytest.fail("no answer")


def test_connections_beyond_the_limit(programs):
    """More connections than the server takes are closed, and those that it has go on."""
    arguments = ["--database=:memory:", "--listen=127.0.0.1:0", "--admin=off", "--max-connections=5"]
    with programs("user-service", *arguments) as server:
        port = server.port
        clients = [RawClient(port) for _ in range(5)]
        for client in clients:
            assert next(client.frames())[0] == SETTINGS
        with RawClient(port) as late:
            assert late.is_closed()
        for client in clients:
            client.send(client.call(1))
            assert any(kind == DATA and stream == 1 for kind, _, stream, _ in client.frames(2))
            client.close()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = greeter_pb2_grpc.GreeterStub(channel)
            assert stub.SayHello(greeter_pb2.HelloRequest(name="again"), wait_for_ready=True, timeout=10).message
