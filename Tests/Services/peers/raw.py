# SPDX-License-Identifier: Apache-2.0
"""A client that sends HTTP/2 frame by frame, well-behaved or not."""

from __future__ import annotations

import socket
import struct
import time

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1

CALL = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/pb.Greeter/SayHello"),
    (":authority", "localhost"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
]

#: HelloRequest{name: "raw"} in its frame of five bytes and the message.
MESSAGE = b"\x00\x00\x00\x00\x05\x0a\x03raw"


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


class RawClient:
    """A connection whose frames are made by hand. What comes is read only when somebody asks."""

    def __init__(self, port: int, hello: bool = True, settings: bytes = b"", receive_buffer: int | None = None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        self.buffer = b""
        if hello:
            self.send(PREFACE + frame(SETTINGS, payload=settings))

    def send(self, data: bytes) -> bool:
        """Sends bytes; false where the server has closed the connection."""
        try:
            self.socket.sendall(data)
            return True
        except (ConnectionError, TimeoutError):
            return False

    def headers(self, stream: int, fields=CALL, flags: int = END_HEADERS) -> bytes:
        return frame(HEADERS, flags, stream, self.encoder.encode(fields))

    def call(self, stream: int) -> bytes:
        return self.headers(stream) + frame(DATA, END_STREAM, stream, MESSAGE)

    def frames(self, timeout: float = 5):
        """Yields (kind, flags, stream, payload) until the server closes or says nothing for so long."""
        self.socket.settimeout(timeout)
        while True:
            while len(self.buffer) >= 9:
                length = int.from_bytes(self.buffer[:3], "big")
                if len(self.buffer) < 9 + length:
                    break
                kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
                payload = self.buffer[9 : 9 + length]
                self.buffer = self.buffer[9 + length :]
                yield kind, flags, stream & 0x7FFFFFFF, payload
            try:
                data = self.socket.recv(65_536)
            except (TimeoutError, ConnectionError):
                return
            if not data:
                return
            self.buffer += data

    def goaway(self, timeout: float = 5) -> tuple[int, bytes] | None:
        """The code and text of the server's GOAWAY; None where it closes or stays silent without one."""
        for kind, _, _, payload in self.frames(timeout):
            if kind == GOAWAY:
                return struct.unpack(">I", payload[4:8])[0], payload[8:]
        return None

    def is_closed(self, timeout: float = 5) -> bool:
        """Whether the server closes the connection within the time; what it says until then is read."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.05, deadline - time.monotonic()))
            try:
                if not self.socket.recv(1 << 16):
                    return True
            except TimeoutError:
                return False
            except ConnectionError:
                return True
        return False

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_) -> None:
        self.close()
