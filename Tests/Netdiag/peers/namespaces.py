# SPDX-License-Identifier: Apache-2.0
"""Network namespaces of a test's own, joined by veth pairs: nothing of them reaches another network."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess

import pytest

_numbers = itertools.count()


class Namespace:
    """A network namespace with a loopback interface that is up."""

    def __init__(self):
        self.name = f"nd{os.getpid()}-{next(_numbers)}"

    @property
    def inside(self) -> list[str]:
        """What goes before a command that is to run in it."""
        # By its file, and not by `ip netns exec`, which would also give the command mounts of its own.
        return ["nsenter", f"--net=/run/netns/{self.name}", "--"]

    def ip(self, *command: str) -> None:
        """Runs ip(8) in it: ip("route", "add", "default", "via", "10.0.0.1")."""
        done = subprocess.run(["ip", "-n", self.name, *command], capture_output=True, text=True)
        assert done.returncode == 0, f"ip {' '.join(command)}: {done.stderr}"

    def join(self, other: "Namespace", device: str, peer: str) -> None:
        """Makes a pair of interfaces that are up, the second one in the other namespace."""
        self.ip("link", "add", device, "type", "veth", "peer", "name", peer, "netns", other.name)
        self.ip("link", "set", device, "up")
        other.ip("link", "set", peer, "up")

    def __enter__(self) -> "Namespace":
        if not shutil.which("ip"):
            pytest.skip("needs ip(8), to make network namespaces")
        made = subprocess.run(["ip", "netns", "add", self.name], capture_output=True, text=True)
        if made.returncode != 0:
            pytest.skip(f"needs the right to make network namespaces: {made.stderr.strip()}")
        self.ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_) -> None:
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)
