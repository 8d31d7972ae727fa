# SPDX-License-Identifier: Apache-2.0
"""Name servers that answer by a script, over UDP and TCP on one port, rightly or not."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NO_SUCH_NAME, REFUSED = 0, 1, 2, 3, 5
A, CNAME, PTR, TXT, AAAA, SRV = 1, 5, 12, 16, 28, 33
TRUNCATED = 0x0200


def wire(name: str) -> bytes:
    labels = [label.encode("latin-1") for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(name: str, kind: int, data: bytes, ttl: int = 60) -> bytes:
    return wire(name) + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def a(name: str, address: str, ttl: int = 60) -> bytes:
    return record(name, A, socket.inet_aton(address), ttl)


def aaaa(name: str, address: str) -> bytes:
    return record(name, AAAA, socket.inet_pton(socket.AF_INET6, address))


def cname(name: str, target: str) -> bytes:
    return record(name, CNAME, wire(target))


def ptr(address: str, target: str) -> bytes:
    return record(reverse(address), PTR, wire(target))


def reverse(address: str) -> str:
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


def txt(name: str, *texts: bytes) -> bytes:
    return record(name, TXT, b"".join(bytes([len(text)]) + text for text in texts))


def srv(name: str, port: int, target: str) -> bytes:
    return record(name, SRV, struct.pack(">HHH", 0, 5, port) + wire(target))


class Query:
    """One question, read, with the answers that can be made to it."""

    def __init__(self, message: bytes, over_tcp: bool):
        self.id, self.over_tcp = message[:2], over_tcp
        position, labels = 12, []
        while message[position]:
            labels.append(message[position + 1 : position + 1 + message[position]].decode("latin-1"))
            position += 1 + message[position]
        self.name = ".".join(labels).lower()
        self.question = message[12 : position + 5]
        self.kind = struct.unpack(">H", self.question[-4:-2])[0]

    def answer(self, *records: bytes, code: int = NO_ERROR, flags: int = 0, **other) -> bytes:
        message_id, question = other.get("id", self.id), other.get("question", self.question)
        header = struct.pack(">HHHHH", 0x8180 | flags | code, 1, len(records), 0, 0)
        return message_id + header + question + b"".join(records)


def zone(names: dict[str, list[bytes]], otherwise: int = NO_SUCH_NAME):
    """A script that gives the records of a name and a type: NODATA where the name has none of it.

    An alias's records are all that the name has, and go into every answer."""

    def answer(query: Query) -> bytes:
        if query.name not in names:
            return query.answer(code=otherwise)
        kinds = lambda item: struct.unpack(">H", item[item.index(b"\0") + 1 : item.index(b"\0") + 3])[0]
        return query.answer(*[item for item in names[query.name] if kinds(item) in (query.kind, CNAME)])

    return answer


class NameServer:
    """Serves `script(query)`: a message, several of them, or None for silence. `asked` lists names and types."""

    def __init__(self, script, address: str = "127.0.0.1", port: int = 0):
        self.script = script
        self.asked: list[tuple[str, int, bool]] = []
        self.ports: list[tuple[str, int]] = []
        self.ids: list[bytes] = []
        self.listener = socket.create_server((address, port))
        self.host, self.port = self.listener.getsockname()
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind((self.host, self.port))
        self.address = f"{self.host}:{self.port}"
        self.closing = False
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self._udp, self._tcp)]
        for thread in self.threads:
            thread.start()

    def _answers(self, message: bytes, over_tcp: bool) -> list[bytes]:
        query = Query(message, over_tcp)
        self.asked.append((query.name, query.kind, over_tcp))
        self.ids.append(query.id)
        answer = self.script(query)
        return [] if answer is None else answer if isinstance(answer, list) else [answer]

    def _udp(self) -> None:
        while True:
            message, client = self.datagrams.recvfrom(4096)
            if self.closing:
                return
            self.ports.append(client)
            for answer in self._answers(message, False):
                self.datagrams.sendto(answer, client)

    def _tcp(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            with connection, contextlib.suppress(OSError):
                if self.closing:
                    return
                message = connection.recv(4096)
                for answer in self._answers(message[2:], True):
                    connection.sendall(struct.pack(">H", len(answer)) + answer)

    def __enter__(self) -> "NameServer":
        return self

    def __exit__(self, *_) -> None:
        self.closing = True
        with contextlib.suppress(OSError):
            socket.create_connection((self.host, self.port)).close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", (self.host, self.port))
        for thread in self.threads:
            thread.join(5)
        self.listener.close()
        self.datagrams.close()
