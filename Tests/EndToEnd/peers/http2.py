# SPDX-License-Identifier: Apache-2.0
"""A scripted HTTP/2 peer: it sends frames written by hand and keeps every byte and frame that the probe sends.

A script is a list of steps, for example

    [expect_preface(), settings(), expect_request(), headers(GRPC), data(answer(SERVING)), trailers(status(0))]

One connection runs one script; the last script serves all further connections. When a script has ended without closing,
the peer reads on until the probe closes, so that the very end (GOAWAY, FIN or RST) is kept as well.
"""

from __future__ import annotations

import contextlib
import gzip
import select
import socket
import ssl
import struct
import time
from dataclasses import dataclass, field
from typing import Callable, NamedTuple

import hpack

from . import tcp

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 0x1, 0x1, 0x4, 0x8, 0x20

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS = 1, 2, 3
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = 4, 5, 6

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED = range(6)
FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM = range(6, 12)
INADEQUATE_SECURITY, HTTP_1_1_REQUIRED = 12, 13

UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN = range(4)

Header = tuple[str, str]
Step = Callable[["Conversation"], None]


class Frame(NamedTuple):
    type: int
    flags: int
    stream: int
    payload: bytes

    @property
    def goaway_code(self) -> int:
        return struct.unpack(">I", self.payload[4:8])[0]


@dataclass
class Request:
    """What the probe asked on one stream."""

    stream: int
    headers: list[tuple[bytes, bytes]]
    message: bytearray = field(default_factory=bytearray)
    ended: bool = False

    def values(self, name: str) -> list[str]:
        return [value.decode("latin-1") for key, value in self.headers if key == name.encode()]

    def value(self, name: str) -> str | None:
        values = self.values(name)
        assert len(values) <= 1, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    @property
    def names(self) -> list[str]:
        return [name.decode("latin-1") for name, _ in self.headers]

    @property
    def payload(self) -> bytes:
        """The one gRPC message of the request, its frame taken off and decompressed where the flag says so."""
        flag, length = struct.unpack(">BI", self.message[:5])
        body = bytes(self.message[5:])
        assert len(body) == length, "the length of the gRPC frame does not fit its message"
        return gzip.decompress(body) if flag else body


class Ended(Exception):
    """The probe closed, reset or went silent while the script was waiting for it."""


class Conversation:
    """One connection of the probe's and all that was said on it."""

    def __init__(self, sock: socket.socket, server: "ScriptedPeer"):
        self.sock = sock
        self.server = server
        self.received = bytearray()
        self.frames: list[Frame] = []
        self.requests: list[Request] = []
        self.finished = False
        self.ending: str | None = None
        self.preface_seen = False
        self._buffer = bytearray()
        self._block = bytearray()
        self._decoder = hpack.Decoder()
        self._decoder.max_allowed_table_size = 4096

    # What the steps use.

    @property
    def stream(self) -> int:
        return self.requests[-1].stream if self.requests else 1

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read(self, count: int, seconds: float = 10) -> bytes:
        deadline = time.monotonic() + seconds
        while len(self._buffer) < count:
            self._receive(deadline)
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def next_frame(self, seconds: float = 10) -> Frame:
        length_high, length_low, type_, flags, stream = struct.unpack(">BHBBI", self.read(9, seconds))
        frame = Frame(type_, flags, stream & 0x7FFFFFFF, self.read(length_high << 16 | length_low, seconds))
        self._note(frame)
        return frame

    def read_preface(self) -> None:
        preface = self.read(len(PREFACE))
        assert preface == PREFACE, f"not an HTTP/2 preface: {preface!r}"
        self.preface_seen = True

    def drain(self, seconds: float = 10) -> None:
        """Reads frames until the probe ends the connection, and notes how it did."""
        with contextlib.suppress(Ended):
            if not self.preface_seen:
                self.read_preface()
            while True:
                self.next_frame(seconds)

    # Which frames came.

    def frames_of(self, type_: int) -> list[Frame]:
        return [frame for frame in self.frames if frame.type == type_]

    @property
    def order(self) -> list[int]:
        return [frame.type for frame in self.frames]

    def _note(self, frame: Frame) -> None:
        self.frames.append(frame)
        if frame.type in (HEADERS, CONTINUATION):
            payload = frame.payload
            if frame.type == HEADERS:
                padding = payload[0] if frame.flags & PADDED else 0
                payload = payload[1:] if frame.flags & PADDED else payload
                payload = payload[: len(payload) - padding]
                payload = payload[5:] if frame.flags & PRIORITIZED else payload
                self._ended_by_headers = bool(frame.flags & END_STREAM)
            self._block += payload
            if frame.flags & END_HEADERS:
                decoded = [(bytes(h[0]), bytes(h[1])) for h in self._decoder.decode(bytes(self._block), raw=True)]
                self._block.clear()
                self.requests.append(Request(frame.stream, decoded, ended=self._ended_by_headers))
        elif frame.type == DATA:
            for request in self.requests:
                if request.stream == frame.stream:
                    request.message += frame.payload
                    request.ended = request.ended or bool(frame.flags & END_STREAM)

    def _receive(self, deadline: float) -> None:
        pending = isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
        readable = pending or select.select([self.sock], [], [], max(0.0, deadline - time.monotonic()))[0]
        if not readable:
            self.ending = "silence"
            raise Ended
        try:
            chunk = self.sock.recv(65536)
        except ConnectionResetError:
            self.ending = "RST"
            raise Ended from None
        except ssl.SSLEOFError:
            self.ending = "FIN without close_notify"
            raise Ended from None
        except (OSError, ValueError):
            self.ending = "broken"
            raise Ended from None
        if not chunk:
            # A reset may follow a FIN: the kernel sends one when the probe closed with bytes unread.
            time.sleep(0.02)
            error = 0
            with contextlib.suppress(OSError):
                error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.ending = "RST" if error else "FIN"
            raise Ended
        self.received += chunk
        self._buffer += chunk


class ScriptedPeer(tcp.Server):
    """Runs one script per connection; the last one serves all further connections."""

    def __init__(
        self, *scripts: list, listener: socket.socket | None = None, tls: ssl.SSLContext | None = None
    ):
        self.scripts = [list(_flat(script)) for script in scripts]
        self.tls = tls
        self.server_names: list[str | None] = []
        self.handshake_errors: list[str] = []
        self.conversations: list[Conversation] = []
        if tls:
            tls.sni_callback = lambda _sock, name, _context: self.server_names.append(name)
        super().__init__(listener)

    def serve(self, sock: socket.socket, number: int) -> None:
        sock.settimeout(30)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            try:
                sock = self.tls.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
            except (ssl.SSLError, OSError) as error:
                self.handshake_errors.append(str(error))
                return
        conversation = Conversation(sock, self)
        self.conversations.append(conversation)
        try:
            for step in self.scripts[min(number, len(self.scripts) - 1)]:
                step(conversation)
            conversation.finished = True
            if conversation.ending is None:
                conversation.drain()
        except Ended:
            pass
        finally:
            with contextlib.suppress(OSError):
                sock.close()

    @property
    def conversation(self) -> Conversation:
        """The one conversation that was had, complete."""
        self.wait_until_idle()
        assert len(self.conversations) == 1, f"{len(self.conversations)} connections were made"
        return self.conversations[0]

    @property
    def request(self) -> Request:
        """The one request that was made, complete."""
        requests = self.requests
        assert len(requests) == 1, f"{len(requests)} requests were made"
        return requests[0]

    @property
    def requests(self) -> list[Request]:
        self.wait_until_idle()
        return [request for conversation in self.conversations for request in conversation.requests]

    def wait_for_request(self) -> None:
        self.wait_until(lambda: any(request.ended for c in self.conversations for request in c.requests))


def _flat(steps):
    for step in steps:
        if isinstance(step, (list, tuple)):
            yield from _flat(step)
        else:
            yield step


# Bytes.


def frame(type_: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">BHBBI", len(payload) >> 16, len(payload) & 0xFFFF, type_, flags, stream) + payload


def _integer(value: int, prefix: int) -> bytes:
    """RFC 7541, section 5.1, with the bits above the prefix zero."""
    limit = (1 << prefix) - 1
    if value < limit:
        return bytes([value])
    out, value = [limit], value - limit
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def header_block(fields: list[tuple[str | bytes, str | bytes]]) -> bytes:
    """The fields as literals without indexing and without Huffman coding: any byte can be sent."""
    block = b""
    for name, value in fields:
        for position, text in enumerate((name, value)):
            raw = text.encode() if isinstance(text, str) else text
            block += (b"\x00" if position == 0 else b"") + _integer(len(raw), 7) + raw
    return block


def message(payload: bytes, flag: int = 0, length: int | None = None) -> bytes:
    """A gRPC frame, with a length of our own where it shall lie."""
    return struct.pack(">BI", flag, len(payload) if length is None else length) + payload


def answer(status: int) -> bytes:
    """A framed HealthCheckResponse. Zero is the default, so it has no bytes, as proto3 wants."""
    return message(enum_field(1, status) if status else b"")


def varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def enum_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def bytes_field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


GRPC: list[Header] = [(":status", "200"), ("content-type", "application/grpc")]


def status(code: int | str, text: str | None = None) -> list[Header]:
    return [("grpc-status", str(code))] + ([("grpc-message", text)] if text is not None else [])


# Steps.


def expect_preface() -> Step:
    """The connection preface and the SETTINGS frame that must follow it."""

    def step(c: Conversation) -> None:
        c.read_preface()
        first = c.next_frame()
        assert first.type == SETTINGS and not first.flags & ACK, f"the first frame is no SETTINGS: {first}"

    return step


def settings(**values: int) -> Step:
    """Our SETTINGS, and the acknowledgement of the probe's. Names are those of RFC 9113 in lower case."""
    payload = b"".join(struct.pack(">HI", globals()[name.upper()], value) for name, value in values.items())
    return raw(frame(SETTINGS, 0, 0, payload) + frame(SETTINGS, ACK, 0))


def expect_headers() -> Step:
    """Reads until a new request's header list is complete."""

    def step(c: Conversation) -> None:
        before = len(c.requests)
        while len(c.requests) == before:
            c.next_frame()

    return step


def expect_request() -> Step:
    """Reads until a new request is complete."""

    def step(c: Conversation) -> None:
        before = len(c.requests)
        while len(c.requests) == before or not c.requests[-1].ended:
            c.next_frame()

    return step


def expect(type_: int, flags: int | None = None) -> Step:
    """Reads until a frame of the type, with these flags, has come."""

    def step(c: Conversation) -> None:
        while True:
            got = c.next_frame()
            if got.type == type_ and (flags is None or got.flags == flags):
                return

    return step


def headers(fields: list, end_stream: bool = False, end_headers: bool = True, stream: int | None = None) -> Step:
    flags = (END_STREAM if end_stream else 0) | (END_HEADERS if end_headers else 0)
    return lambda c: c.send(frame(HEADERS, flags, stream or c.stream, header_block(fields)))


def trailers(fields: list) -> Step:
    return headers(fields, end_stream=True)


def data(payload: bytes = b"", end_stream: bool = False) -> Step:
    """DATA in frames of at most 16,384 bytes. The windows are not obeyed: keep the sum below 65,535."""

    def step(c: Conversation) -> None:
        chunks = [payload[i : i + 16384] for i in range(0, len(payload), 16384)] or [b""]
        for chunk in chunks[:-1]:
            c.send(frame(DATA, 0, c.stream, chunk))
        c.send(frame(DATA, END_STREAM if end_stream else 0, c.stream, chunks[-1]))

    return step


def rst(code: int) -> Step:
    return lambda c: c.send(frame(RST_STREAM, 0, c.stream, struct.pack(">I", code)))


def ping(payload: bytes = b"12345678") -> Step:
    return raw(frame(PING, 0, 0, payload))


def goaway(code: int = NO_ERROR, last: int = 0, debug: bytes = b"") -> Step:
    return raw(frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + debug))


def raw(payload: bytes) -> Step:
    return lambda c: c.send(payload)


def sleep(seconds: float) -> Step:
    return lambda c: time.sleep(seconds)


def quiet(seconds: float) -> Step:
    """Asserts that the probe sends nothing for a while. What came too early is kept as the peer's failure."""

    def step(c: Conversation) -> None:
        early = bool(c._buffer) or bool(select.select([c.sock], [], [], seconds)[0])
        assert not early, "the probe did not wait"

    return step


def wait_for(event) -> Step:
    """Goes on when the test sets the event."""
    return lambda c: event.wait(10)


def flood(payload: bytes) -> Step:
    """The same bytes as fast as the probe takes them, until it goes."""

    def step(c: Conversation) -> None:
        tcp.flood(c.sock, payload, c.server.stopping)
        c.ending = "flooded"

    return step


def close() -> Step:
    """A FIN. What the probe still says is read, so that no reset follows it."""

    def step(c: Conversation) -> None:
        c.sock.shutdown(socket.SHUT_WR)
        c.drain()

    return step


def cut() -> Step:
    """A RST."""

    def step(c: Conversation) -> None:
        c.ending = "we reset"
        tcp.reset(c.sock)

    return step


def until_closed() -> Step:
    """Reads until the probe closes."""
    return lambda c: c.drain(30)


START: list[Step] = [expect_preface(), settings(), expect_request()]


def answering(status_number: int = SERVING) -> list[Step]:
    """The whole script of a server in good health."""
    return [*START, headers(GRPC), data(answer(status_number)), trailers(status(0))]


def ending_with(code: int | str, text: str | None = None) -> list[Step]:
    """The script of a server that ends the call with a status and no message."""
    return [*START, headers(GRPC + status(code, text), end_stream=True)]
