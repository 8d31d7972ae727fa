# SPDX-License-Identifier: Apache-2.0
"""Sockets: how peers listen, and peers that are only sockets (silent, closing, garbled)."""

from __future__ import annotations

import contextlib
import os
import random
import select
import socket
import struct
import threading
import time
import traceback
from typing import Callable


def listen_tcp(host: str = "127.0.0.1", port: int = 0, backlog: int = 128) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind((host, port))
    listener.listen(backlog)
    return listener


def listen_unix(path: str) -> socket.socket:
    """Listens on a path, or in the abstract namespace when the name starts with `@`."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind("\0" + path[1:] if path.startswith("@") else path)
    listener.listen(128)
    return listener


def address_of(listener: socket.socket) -> str:
    """The listener's address as the probe's -addr takes it."""
    name = listener.getsockname()
    if listener.family == socket.AF_INET6:
        return f"[{name[0]}]:{name[1]}"
    if listener.family == socket.AF_INET:
        return f"{name[0]}:{name[1]}"
    if isinstance(name, bytes):
        return "unix-abstract:" + name[1:].decode()
    return "unix:" + name


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nothing listens on now.

    It is a random one below those that the kernel gives to connections and to listeners without a port: of these, many
    come and go beside each test, and one of them would sooner or later have the port before its user does.
    """
    while True:
        with contextlib.suppress(OSError), contextlib.closing(listen_tcp(host, random.randrange(10_000, 32_768))) as it:
            return it.getsockname()[1]


def wait_for_port(port: int, host: str = "127.0.0.1", seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def reset(sock: socket.socket) -> None:
    """Closes with a RST instead of a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Server:
    """Accepts connections on a thread and serves each on one of its own. Subclasses say how in `serve`."""

    def __init__(self, listener: socket.socket | None = None):
        self.listener = listener or listen_tcp()
        self.address = address_of(self.listener)
        self.port = self.listener.getsockname()[1] if self.listener.family != socket.AF_UNIX else None
        self.accepted = 0
        self.failures: list[str] = []
        self.stopping = threading.Event()
        self._changed = threading.Condition()
        self._active = 0
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def serve(self, sock: socket.socket, number: int) -> None:
        raise NotImplementedError

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                select.select([self.listener], [], [])
                # Taken under the lock, so that no connection is ever neither in the queue nor counted.
                with self._changed:
                    sock, _ = self.listener.accept()
                    number, self.accepted = self.accepted, self.accepted + 1
                    self._active += 1
                    self._sockets.append(sock)
                    self._changed.notify_all()
            except (OSError, ValueError):
                return
            thread = threading.Thread(target=self._serve, args=(sock, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            self.serve(sock, number)
        except OSError:
            pass  # the probe went away, which is its right
        except Exception:
            self.failures.append(traceback.format_exc())
        finally:
            with contextlib.suppress(OSError):
                sock.close()
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def wait_until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        """Waits until the condition holds. It is asked whenever a connection starts or ends, and often in between."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not condition():
                assert time.monotonic() < deadline, "the peer waited in vain"
                self._changed.wait(0.01)

    def wait_for_connections(self, count: int = 1) -> None:
        self.wait_until(lambda: self.accepted >= count)

    def wait_until_idle(self) -> None:
        """Waits until every connection so far, those in the queue included, has been served to its end."""
        self.wait_until(lambda: self._active == 0 and not select.select([self.listener], [], [], 0)[0])

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        assert not self.failures, "the peer's own script failed:\n" + "\n".join(self.failures)


class Talker(Server):
    """A peer that is one function on a socket."""

    def __init__(self, behaviour: Callable[[socket.socket, "Talker"], None], listener: socket.socket | None = None):
        self.behaviour = behaviour
        self.heard: dict[int, bytearray] = {}
        self.numbers: dict[socket.socket, int] = {}
        super().__init__(listener)

    def serve(self, sock: socket.socket, number: int) -> None:
        self.numbers[sock] = number
        self.heard[number] = bytearray()
        self.behaviour(sock, self)

    def keep(self, sock: socket.socket, data: bytes) -> None:
        """Keeps what a connection has said: several are served at once."""
        self.heard[self.numbers[sock]] += data

    @property
    def received(self) -> list[bytearray]:
        """What each connection has said, in the order in which they were accepted."""
        return [self.heard[number] for number in sorted(self.heard)]


def read_until_closed(sock: socket.socket, server: Talker) -> None:
    """Keeps what the probe sends, says nothing, and ends when the probe does."""
    with contextlib.suppress(OSError):
        while chunk := sock.recv(65536):
            server.keep(sock, chunk)


def silence() -> Talker:
    """Accepts and never says a word."""
    return Talker(read_until_closed)


def closes_at_once() -> Talker:
    """Accepts and sends a FIN. What the probe says is still read, since a close with bytes unread is a reset."""

    def behaviour(sock: socket.socket, server: Talker) -> None:
        sock.shutdown(socket.SHUT_WR)
        read_until_closed(sock, server)

    return Talker(behaviour)


def resets_at_once() -> Talker:
    return Talker(lambda sock, _: reset(sock))


def says(data: bytes, then_close: bool = False, after_hearing: bool = False) -> Talker:
    """Sends bytes, at once or when the probe has spoken, then waits for the probe's end or closes."""

    def behaviour(sock: socket.socket, server: Talker) -> None:
        if after_hearing:
            server.keep(sock, sock.recv(65536))
        sock.sendall(data)
        if then_close:
            # A FIN while bytes are unread would become a reset, which is another mood.
            sock.shutdown(socket.SHUT_WR)
        read_until_closed(sock, server)

    return Talker(behaviour)


def drips(data: bytes, interval: float) -> Talker:
    """Sends bytes one at a time, round and round, until the probe goes."""

    def behaviour(sock: socket.socket, server: Talker) -> None:
        while not server.stopping.is_set():
            for byte in data:
                sock.sendall(bytes([byte]))
                readable, _, _ = select.select([sock], [], [], interval)
                if readable and not sock.recv(65536):
                    return

    return Talker(behaviour)


def floods(data: bytes, start: bytes = b"") -> Talker:
    """Sends the same bytes as fast as they are taken, until the probe goes."""

    def behaviour(sock: socket.socket, server: Talker) -> None:
        sock.sendall(start)
        flood(sock, data, server.stopping)

    return Talker(behaviour)


def flood(sock: socket.socket, data: bytes, stopping: threading.Event, seconds: float = 30) -> None:
    chunk = data * max(1, 65536 // len(data))
    deadline = time.monotonic() + seconds
    sock.settimeout(0.2)
    rest = memoryview(chunk)
    while not stopping.is_set() and time.monotonic() < deadline:
        readable, writable, _ = select.select([sock], [sock], [], 0.2)
        if readable and not sock.recv(65536):
            return
        if writable:
            rest = rest[sock.send(rest) :] or memoryview(chunk)


@contextlib.contextmanager
def black_hole():
    """An address where connecting never ends: the queue of the listener is full, and nobody accepts."""
    listener = listen_tcp(backlog=0)
    fillers = []
    try:
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
            fillers.append(filler)
        time.sleep(0.01)
        yield address_of(listener)
    finally:
        for sock in [*fillers, listener]:
            sock.close()


def refused_address(host: str = "127.0.0.1") -> str:
    port = free_port(host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


@contextlib.contextmanager
def held(port: int, count: int):
    """So many connections to a port of this machine that say nothing; those that are not accepted fill its queue."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sock.connect(("127.0.0.1", port))
        time.sleep(0.2)
        yield
