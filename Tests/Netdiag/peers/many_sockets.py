# SPDX-License-Identifier: Apache-2.0
"""Many connections within one network namespace, and one socket in each state that they can be kept in.

As a program it opens them, says so in a line of JSON, and keeps them until its standard input ends:

    many_sockets.py CONNECTIONS [PORT]
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys

# A connection has two sockets here; from one address to one port there may be at most as many as there are ports.
PER_ADDRESS = 25_000


class ManySockets:
    """A process with so many connections to a listener of its own. `prefix` goes before its command."""

    def __init__(self, connections: int, port: int = 50051, *, prefix: list[str] | tuple = ()):
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-I", __file__, str(connections), str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        line = self.process.stdout.readline()
        assert line, "the connections were not opened"
        self.pid: int = json.loads(line)["pid"]

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def __enter__(self) -> "ManySockets":
        return self

    def __exit__(self, *_) -> None:
        self.end()


def _connect(listener: socket.socket, address: str, count: int) -> list[int]:
    kept = []
    for _ in range(count):
        client = socket.socket()
        # Reset at the end, so that nothing is left of them in TIME-WAIT.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        client.bind((address, 0))
        client.connect(("127.0.0.1", listener.getsockname()[1]))
        kept += [client.detach(), listener.accept()[0].detach()]
    return kept


def _main() -> None:
    count, port = int(sys.argv[1]), int(sys.argv[2])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # Where one process may not hold all of them, several do; each has the listener, and its children nothing more.
    share = min(PER_ADDRESS, (hard - 64) // 2)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))
    listener.listen(1024)
    shares = [min(share, count - start) for start in range(0, count, share)] or [0]
    for number, own in enumerate(shares[1:], 2):
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.close(reading)
            _connect(listener, f"127.0.0.{number}", own)
            os.write(writing, b".")
            sys.stdin.read()
            # What is open is closed by the kernel.
            os._exit(0)
        os.close(writing)
        assert os.read(reading, 1) == b".", "a process could not open its connections"
        os.close(reading)
    _connect(listener, "127.0.0.1", shares[0])
    print(json.dumps({"pid": os.getpid()}), flush=True)
    sys.stdin.read()
    for _ in shares[1:]:
        os.wait()
    os._exit(0)


if __name__ == "__main__":
    _main()
