# SPDX-License-Identifier: Apache-2.0
"""An HTTP CONNECT proxy: it keeps each request and leads every tunnel to one server, whatever was asked for."""

from __future__ import annotations

import base64
import select
import socket
from dataclasses import dataclass

from . import tcp


@dataclass
class ConnectRequest:
    line: str
    headers: list[tuple[str, str]]

    def value(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Proxy(tcp.Server):
    """`mood` is "tunnel", "refuse" (with `reply`), "hang", "close", "garbage" or "coalesce".

    The last waits for the server's first bytes and sends them together with its own answer.
    """

    def __init__(
        self,
        upstream: int | None = None,
        mood: str = "tunnel",
        reply: str = "HTTP/1.1 200 Connection established\r\n\r\n",
        user: str | None = None,
        password: str = "",
    ):
        self.upstream = upstream
        self.mood = mood
        self.reply = reply
        self.wanted = None
        if user is not None:
            self.wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.requests: list[ConnectRequest] = []
        super().__init__()

    def url(self, login: str = "") -> str:
        return f"http://{login}{self.address}"

    def serve(self, sock: socket.socket, number: int) -> None:
        sock.settimeout(30)
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = sock.recv(65536)
            if not chunk:
                return
            head += chunk
        text, _, rest = head.partition(b"\r\n\r\n")
        line, *fields = text.decode("latin-1").split("\r\n")
        request = ConnectRequest(line, [tuple(f.split(": ", 1)) if ": " in f else (f, "") for f in fields])
        self.requests.append(request)
        if self.wanted and request.value("Proxy-Authorization") != self.wanted:
            self._answer(sock, 'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n')
        elif self.mood == "refuse":
            self._answer(sock, self.reply)
        elif self.mood == "hang":
            tcp.read_until_closed(sock, _Ignored())
        elif self.mood == "close":
            return
        elif self.mood == "garbage":
            sock.sendall(b"\x00\x01\x02 not HTTP \x1b[31m\r\n\r\n")
            tcp.read_until_closed(sock, _Ignored())
        else:
            self._tunnel(sock, rest)

    def _answer(self, sock: socket.socket, head: str) -> None:
        if not head.endswith("\r\n\r\n"):
            head += "Content-Length: 0\r\n\r\n"
        sock.sendall(head.encode("latin-1"))
        sock.shutdown(socket.SHUT_WR)
        tcp.read_until_closed(sock, _Ignored())

    def _tunnel(self, sock: socket.socket, early: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.upstream), timeout=10) as server:
            first = b""
            if self.mood == "coalesce":
                first = server.recv(65536)
            sock.sendall(self.reply.encode("latin-1") + first)
            if early:
                server.sendall(early)
            ways = {sock: server, server: sock}
            while ways and not self.stopping.is_set():
                for source in select.select(list(ways), [], [], 0.2)[0]:
                    chunk = source.recv(65536)
                    if chunk:
                        ways[source].sendall(chunk)
                    else:
                        ways.pop(source).shutdown(socket.SHUT_WR)


class _Ignored:
    """Takes what is read and forgets it."""

    def __init__(self):
        self.received = [bytearray()]
