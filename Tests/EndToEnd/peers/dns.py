# SPDX-License-Identifier: Apache-2.0
"""A name server of one mood: it knows some names, knows none, fails, or is silent."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
A, AAAA = 1, 28


class NameServer:
    """Listens on UDP port 53 of a loopback address of its own. `address` goes into resolv.conf.

    Answers `names` with their IPv4 addresses, everything else with `otherwise`; a mood of None is silence.
    """

    def __init__(self, names: dict[str, str] | None = None, otherwise: int | None = NO_SUCH_NAME):
        self.names = {} if names is None else names
        self.otherwise = otherwise
        self.asked: list[str] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = self._bind()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _bind(self) -> str:
        """Tests that run at once need an address each."""
        for last in range(2, 250):
            address = f"127.53.53.{last}"
            with contextlib.suppress(OSError):
                self.socket.bind((address, 53))
                return address
        raise PermissionError("no address lets us listen on port 53")

    def _serve(self) -> None:
        while True:
            try:
                query, client = self.socket.recvfrom(4096)
            except OSError:
                return
            if len(query) < 12:
                return
            labels, position = [], 12
            while query[position]:
                labels.append(query[position + 1 : position + 1 + query[position]].decode("latin-1"))
                position += 1 + query[position]
            name = ".".join(labels).lower()
            question = query[12 : position + 5]
            kind = struct.unpack(">H", question[-4:-2])[0]
            self.asked.append(name)
            answers, code = b"", NO_ERROR
            if name in self.names:
                if kind == A:
                    answers = b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 60, 4) + socket.inet_aton(self.names[name])
            elif self.otherwise is None:
                continue
            else:
                code = self.otherwise
            header = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, 1 if answers else 0, 0, 0)
            with contextlib.suppress(OSError):
                self.socket.sendto(header + question + answers, client)

    def __enter__(self) -> "NameServer":
        return self

    def __exit__(self, *_) -> None:
        # A datagram wakes the thread, which a mere close would not.
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"stop", (self.address, 53))
        self.thread.join(5)
        self.socket.close()
