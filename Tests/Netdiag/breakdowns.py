# SPDX-License-Identifier: Apache-2.0
"""Breakdowns: ways in which a service cannot be reached, each made for real, and what each place can see of it.

As a program it makes one and shows it: `scripts/breakdown localhost-only`.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Callable

from EndToEnd.peers import health
from peers.shop import PORT, Shop

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Breakdown:
    """One way to break, and the codes under which each place tells of it.

    target       what the client asks for
    flags        what it says of the target: how clients come to it
    check        the flags of the HEALTHCHECK beside the service
    client       the diagnosis of `netdiag doctor` at the client
    listeners    the code of `netdiag listeners` beside the service; None where nobody is there to ask
    healthcheck  the probe's reason in short beside the service, `ok` where it is content; None likewise
    """

    name: str
    title: str
    make: Callable[[Shop], None]
    client: str
    listeners: str | None = "OK"
    healthcheck: str | None = "ok"
    target: str = f"user-service:{PORT}"
    flags: tuple[str, ...] = ()
    check: tuple[str, ...] = ()

    def doctor(self, shop: Shop) -> list[str]:
        return ["doctor", self.target, *(flag.replace("CERTIFICATES", str(shop.certificates)) for flag in self.flags)]


def _tls(name: str, **options: str) -> Callable[[Shop], None]:
    def make(shop: Shop) -> None:
        folder = shop.certificates
        subprocess.run([ROOT / "scripts" / "make-certificates", folder], check=True, capture_output=True)
        paths = {key: str(folder / value) for key, value in options.items()}
        shop.serve(cert=str(folder / f"{name}.pem"), key=str(folder / f"{name}.key"), **paths)

    return make


def _other_network(shop: Shop) -> None:
    shop.host = shop.legacy
    shop.serve()
    shop.firewall(shop.router, "inet", "filter hook forward priority 0; policy drop")


def _firewall(shop: Shop) -> None:
    shop.serve()
    rule = f'iifname "eth0" tcp dport {PORT} reject with icmp type admin-prohibited'
    shop.firewall(shop.service, "inet", "filter hook input priority 0", rule)


# Takes connections without serving them: they are never accepted (nothing), kept, closed at once, or closed once they
# have said something (hear).
ACCEPTOR = """
import socket, struct, sys
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])), backlog=int(sys.argv[3]))
print("ready", flush=True)
kept = []
while sys.argv[2] != "nothing":
    connection, _ = listener.accept()
    if sys.argv[2] == "keep":
        kept.append(connection)
    else:
        if sys.argv[2] == "hear":
            connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
sys.stdin.read()
"""


def _acceptor(what: str, backlog: int = 16) -> Callable[[Shop], None]:
    return lambda shop: shop.program(shop.service, "-c", ACCEPTOR, str(PORT), what, str(backlog)) and None


# Holds as many connections as a queue takes, so that it is full.
HOLDER = """
import socket, sys
held = []
for _ in range(2):
    one = socket.socket()
    # The kernel answers the first one alone.
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", int(sys.argv[1])))
    held.append(one)
print("ready", flush=True)
sys.stdin.read()
"""


def _queue(shop: Shop) -> None:
    _acceptor("nothing", backlog=0)(shop)
    shop.program(shop.service, "-c", HOLDER, str(PORT))


HTTP1 = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler)
server.daemon_threads = True
print("ready", flush=True)
import threading
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
"""


def _sidecar(shop: Shop) -> None:
    shop.serve()
    shop.program(shop.client, "-c", ACCEPTOR, "15001", "hear", "16")
    rule = f"ip daddr 172.20.0.2 tcp dport {PORT} redirect to :15001"
    shop.firewall(shop.client, "ip", "nat hook output priority -100", rule)


def _tunnel(shop: Shop) -> None:
    """The link to the legacy network takes less than either end knows, and nobody may say so."""
    shop.host = shop.legacy
    shop.serve()
    shop.router.ip("link", "set", "wan0", "mtu", "1300")
    rule = "icmp type destination-unreachable drop"
    shop.firewall(shop.router, "inet", "filter hook output priority 0", rule)


BREAKDOWNS = [
    Breakdown(
        "localhost-only", "the service listens on 127.0.0.1, which in a container is the container itself",
        lambda shop: shop.serve(f"127.0.0.1:{PORT}"), client="TCP_REFUSED", listeners="LOCALHOST_ONLY",
    ),
    Breakdown(
        "wrong-port", "the service listens on another port than everybody thinks",
        lambda shop: shop.serve(f"0.0.0.0:{PORT + 1}"), client="TCP_REFUSED", listeners="NOT_LISTENING",
        healthcheck="connection-refused",
    ),
    Breakdown(
        "unknown-name", "the client asks for a name that no container has", lambda shop: shop.serve(),
        client="DNS_NXDOMAIN", target=f"users-service:{PORT}",
    ),
    Breakdown(
        "stopped", "the container is stopped, and its name is still known", lambda shop: None, client="HOST_DOWN",
        listeners=None, healthcheck=None, target=f"stopped-service:{PORT}",
    ),
    Breakdown(
        "other-network", "the service is on a network that the client's is kept apart from", _other_network,
        client="TCP_TIMEOUT", target=f"legacy-service:{PORT}",
    ),
    Breakdown("firewall", "a firewall rejects the connection, and says so", _firewall, client="TCP_FILTERED"),
    Breakdown(
        "queue-full", "the service hangs: it accepts no more connections, and its queue is full", _queue,
        client="TCP_TIMEOUT", listeners="ACCEPT_QUEUE_FULL", healthcheck="connect-timeout",
    ),
    Breakdown(
        "published-port", "a proxy accepts for a service that is not there, as Docker's does for a published port",
        _acceptor("close"), client="ACCEPTED_THEN_CLOSED", healthcheck="closed-before-settings",
    ),
    Breakdown(
        "silent", "the service accepts connections and says nothing on them", _acceptor("keep"), client="NO_SETTINGS",
        healthcheck="no-settings", flags=("--timeout=8s",),
    ),
    Breakdown(
        "tls-wanted", "the service speaks TLS, and clients come without it", _tls("server"), client="PLAINTEXT_TO_TLS",
        healthcheck="closed-before-settings", flags=("--plaintext",),
    ),
    Breakdown(
        "tls-unknown", "the service speaks no TLS, and clients come with it", lambda shop: shop.serve(),
        client="TLS_TO_PLAINTEXT", flags=("--tls",),
    ),
    Breakdown(
        "expired", "the service's certificate has expired", _tls("expired"), client="CERT_EXPIRED",
        flags=("--cacert=CERTIFICATES/ca.pem", "--servername=localhost"), check=("-tls", "-tls-no-verify"),
    ),
    Breakdown(
        "client-certificate", "the service wants a client certificate, and clients have none",
        _tls("server", client_ca="ca.pem"), client="CLIENT_CERT_REQUIRED",
        flags=("--cacert=CERTIFICATES/ca.pem", "--servername=localhost"), check=("-tls", "-tls-no-verify"),
        healthcheck="client-certificate-wanted",
    ),
    Breakdown(
        "http1", "a proxy in front of the service speaks HTTP/1.1",
        lambda shop: shop.program(shop.service, "-c", HTTP1, str(PORT)) and None, client="NOT_HTTP2",
        healthcheck="server-speaks-http1",
    ),
    Breakdown(
        "not-serving", "the service runs, and says itself that it is not well",
        lambda shop: shop.serve(status=health.NOT_SERVING), client="NOT_SERVING", healthcheck="not-serving",
    ),
    Breakdown(
        "hanging-call", "the service takes calls and answers none", lambda shop: shop.serve(status=health.UNKNOWN),
        client="DEADLINE_EXPIRED", healthcheck="call-timeout", flags=("--timeout=4s",),
    ),
    Breakdown(
        "sidecar", "a service mesh's proxy beside the client takes its connections over, and ends them", _sidecar,
        client="MESH_SIDECAR",
    ),
    Breakdown(
        "mtu", "large packets are lost on the way, and nobody says so", _tunnel, client="MTU_BLACKHOLE",
        target=f"legacy-service:{PORT}",
    ),
]


def main() -> None:
    """Makes the breakdown that the command line names, and shows what each place sees of it."""
    names = {breakdown.name: breakdown for breakdown in BREAKDOWNS}
    if len(sys.argv) != 2 or sys.argv[1] not in names:
        width = max(map(len, names))
        print("usage: scripts/breakdown NAME\n\n" + "\n".join(f"  {n:{width}}  {b.title}" for n, b in names.items()))
        sys.exit(2)
    broken = names[sys.argv[1]]
    netdiag, probe = os.environ["SONDE_NETDIAG"], os.environ["SONDE_PROBE"]

    def show(place: str, prefix: list[str], path: str, *arguments: str) -> None:
        print(f"\n{place}$ {pathlib.Path(path).name} {' '.join(arguments)}", flush=True)
        done = subprocess.run([*prefix, path, *arguments], stdin=subprocess.DEVNULL)
        print(f"(exit code {done.returncode})", flush=True)

    with Shop() as shop:
        broken.make(shop)
        print(f"{broken.name}: {broken.title}", flush=True)
        show("client", shop.at_client, netdiag, *broken.doctor(shop))
        if broken.listeners:
            show("service", shop.host.inside, netdiag, "listeners", str(PORT))
        if broken.healthcheck:
            show("service", shop.host.inside, probe, f"-addr=localhost:{PORT}", *broken.check)


if __name__ == "__main__":
    main()
