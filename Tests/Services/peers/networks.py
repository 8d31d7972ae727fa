# SPDX-License-Identifier: Apache-2.0
"""Networks of their own for programs under test, behind a router that can drop packets: nobody is told of it."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess

import pytest

_numbers = itertools.count()


class Networks:
    """Networks that reach each other through a router. Network N has the address 10.0.N.2."""

    def __init__(self, count: int):
        self._prefix = f"svc{os.getpid()}-{next(_numbers)}"
        self._made: list[str] = []
        self._count = count

    def name(self, number: int) -> str:
        return f"{self._prefix}-{number}"

    @staticmethod
    def address(number: int) -> str:
        return f"10.0.{number}.2"

    def inside(self, number: int) -> list[str]:
        """What goes before a command that is to run in a network."""
        return ["ip", "netns", "exec", self.name(number)]

    def cut(self, number: int) -> None:
        """From now on everything from and to a network vanishes."""
        self._ip(self._router, "route", "add", "blackhole", f"{self.address(number)}/32")
        self._ip(self._router, "rule", "add", "from", self.address(number), "blackhole")

    @property
    def _router(self) -> str:
        return f"{self._prefix}-router"

    def _add(self, name: str) -> None:
        subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True)
        self._made.append(name)
        self._ip(name, "link", "set", "lo", "up")

    @staticmethod
    def _ip(network: str, *command: str) -> None:
        subprocess.run(["ip", "-n", network, *command], check=True, capture_output=True)

    def _build(self) -> None:
        router = self._router
        self._add(router)
        forward = "echo 1 > /proc/sys/net/ipv4/ip_forward"
        subprocess.run(["ip", "netns", "exec", router, "sh", "-c", forward], check=True, capture_output=True)
        for number in range(self._count):
            name, port = self.name(number), f"port{number}"
            self._add(name)
            self._ip(router, "link", "add", port, "type", "veth", "peer", "name", "uplink", "netns", name)
            for network, device, host in ((router, port, 1), (name, "uplink", 2)):
                self._ip(network, "address", "add", f"10.0.{number}.{host}/24", "dev", device)
                self._ip(network, "link", "set", device, "up")
            self._ip(name, "route", "add", "default", "via", f"10.0.{number}.1")

    def __enter__(self) -> "Networks":
        if not shutil.which("ip"):
            pytest.skip("needs ip(8), to make network namespaces")
        allowed = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True)
        if allowed.returncode != 0:
            pytest.skip(f"needs the right to make network namespaces: {allowed.stderr.strip()}")
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for name in self._made:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)
