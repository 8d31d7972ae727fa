# SPDX-License-Identifier: Apache-2.0
"""A small shop of containers without containers: a client, a service and a router, each in a network namespace.

    client 172.20.0.3 ──┐
                        ├── bridge, router 172.20.0.1 ── 172.21.0.1 ── legacy 172.21.0.2
    service 172.20.0.2 ─┘

The client's resolver is one like Docker's: at 127.0.0.11, with the names of the containers and of their networks.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import pytest

from EndToEnd.probe import may_unshare
from peers.namespaces import Namespace

PORT = 50051
PEERS = pathlib.Path(__file__).resolve().parent

RESOLVER = """
import sys
sys.path.insert(0, sys.argv[1])
from peers.name_servers import *
names = {
    "user-service": [a("user-service", "172.20.0.2")],
    "stopped-service": [a("stopped-service", "172.20.0.9")],
    "legacy-service": [a("legacy-service", "172.21.0.2")],
    "2.0.20.172.in-addr.arpa": [ptr("172.20.0.2", "user-service.shop")],
    "3.0.20.172.in-addr.arpa": [ptr("172.20.0.3", "gateway.shop")],
}
known = zone(names)
# Docker's resolver says so of every name that it does not know where it has nobody to ask in turn.
fails = lambda query: query.answer(code=SERVER_FAILURE) if query.name.startswith("broken-") else known(query)
with NameServer(fails, "127.0.0.11", 53):
    print("ready", flush=True)
    sys.stdin.read()
"""


class Shop(contextlib.ExitStack):
    """The places. `host` is where the service under examination is: `service` unless a breakdown says otherwise."""

    def __enter__(self) -> "Shop":
        super().__enter__()
        if not may_unshare():
            pytest.skip("needs the right to unshare(1) mounts, to have name servers of its own")
        self.client, self.service, self.legacy, self.router = (self.enter_context(Namespace()) for _ in range(4))
        self.host = self.service
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))
        self.certificates = self.folder / "certificates"
        self.router.ip("link", "add", "br0", "type", "bridge")
        self.router.ip("addr", "add", "172.20.0.1/24", "dev", "br0")
        for number, (place, address) in enumerate([(self.client, "172.20.0.3"), (self.service, "172.20.0.2")]):
            place.join(self.router, "eth0", f"port{number}")
            self.router.ip("link", "set", f"port{number}", "master", "br0")
            place.ip("addr", "add", f"{address}/24", "dev", "eth0")
            place.ip("route", "add", "default", "via", "172.20.0.1")
        self.router.ip("link", "set", "br0", "up")
        self.router.join(self.legacy, "wan0", "eth0")
        self.router.ip("addr", "add", "172.21.0.1/24", "dev", "wan0")
        self.legacy.ip("addr", "add", "172.21.0.2/24", "dev", "eth0")
        self.legacy.ip("route", "add", "default", "via", "172.21.0.1")
        subprocess.run([*self.router.inside, "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
        self.program(self.client, "-c", RESOLVER, str(PEERS.parent))
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.11\noptions ndots:0\n")
        (self.folder / "hosts").write_text("127.0.0.1 localhost\n")
        return self

    def program(self, place: Namespace, *arguments: str) -> subprocess.Popen:
        """Starts a Python program in a place; it runs until the shop closes."""
        process = subprocess.Popen(
            [*place.inside, sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"GRPC_VERBOSITY": "NONE"},
        )
        self.callback(self._end, process)
        assert process.stdout.readline(), f"{arguments[0]} did not start"
        return process

    @staticmethod
    def _end(process: subprocess.Popen) -> None:
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()
        process.stdout.close()

    def serve(self, listen: str = f"0.0.0.0:{PORT}", **options: object) -> None:
        """Starts a gRPC server beside the service; see `grpc_server.py`."""
        self.program(self.host, str(PEERS / "grpc_server.py"), json.dumps({"listen": listen} | options))

    def firewall(self, place: Namespace, family: str, chain: str, *rules: str) -> None:
        """Sets rules of nft(8) in a place: the chain's type first, then rules of it."""
        table = f"table {family} broken {{\nchain broken {{\n" + "\n".join([f"type {chain}", *rules]) + "\n}\n}\n"
        done = subprocess.run([*place.inside, "nft", "-f", "-"], input=table, text=True, capture_output=True)
        if "not permitted" in done.stderr:
            pytest.skip(f"needs the right to set firewall rules: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr

    @property
    def at_client(self) -> list[str]:
        """What goes before a command of the client's: its network, and its own resolver."""
        mounts = " && ".join(f'mount --bind "{self.folder}/{name}" /etc/{name}' for name in ("resolv.conf", "hosts"))
        script = f'{mounts} && exec "$@"'
        return [*self.client.inside, "unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
