# SPDX-License-Identifier: Apache-2.0
"""Processes that listen and never accept, in the place and under the name that a test wants.

As a program: `sockets.py OPTIONS`, a JSON object of the options of `Server`. It prints its ports and ends with its
standard input.
"""

from __future__ import annotations

import ctypes
import json
import socket
import subprocess
import sys

PR_SET_NAME = 15


class Server:
    """A process with a listening socket for each address: `127.0.0.1:0`, `[::1]:0`, `[::]:0`.

    name     what the kernel calls the process, as bytes
    dual     whether IPv6 sockets take IPv4 too
    reuse    whether others may listen on the same port (SO_REUSEPORT)
    backlog  how many connections may wait
    prefix   a command's beginning that says where it runs
    """

    def __init__(
        self, *addresses: str, name: bytes = b"", dual: bool = False, reuse: bool = False, backlog: int = 128,
        prefix: list[str] | tuple = (),
    ):
        options = {
            "addresses": addresses, "name": name.decode("latin-1"), "dual": dual, "reuse": reuse, "backlog": backlog,
        }
        self.process = subprocess.Popen(
            # Isolated, so that a user who may not see the tests' folders can run it as well.
            [*prefix, sys.executable, "-I", "-c", open(__file__, encoding="utf-8").read(), json.dumps(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        line = self.process.stdout.readline()
        assert line, "the server did not start"
        answer = json.loads(line)
        self.ports: list[int] = answer["ports"]
        self.pid: int = answer["pid"]

    @property
    def port(self) -> int:
        return self.ports[0]

    def end(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def _listen(address: str, dual: bool, reuse: bool, backlog: int) -> socket.socket:
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
    if reuse:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host.strip("[]"), int(port)))
    listener.listen(backlog)
    return listener


def _main() -> None:
    import os

    options = json.loads(sys.argv[1])
    if name := options["name"].encode("latin-1"):
        ctypes.CDLL(None).prctl(PR_SET_NAME, name, 0, 0, 0)
    listeners = [
        _listen(address, options["dual"], options["reuse"], options["backlog"]) for address in options["addresses"]
    ]
    print(json.dumps({"ports": [each.getsockname()[1] for each in listeners], "pid": os.getpid()}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _main()
