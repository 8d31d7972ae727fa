# SPDX-License-Identifier: Apache-2.0
"""Runs what scripts/bench-netdiag has prepared, and prints its tables: netdiag beside what people use instead.

The network namespace is one of its own. Each question is put to each of the tools that answers it, in turn, with as
many sockets as the table says: half of them are clients of port 50051, half are what was accepted there.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1] / "Tests"
sys.path += [str(TESTS / "EndToEnd"), str(TESTS / "Netdiag" / "peers")]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from launched import Launcher, machine, runs_wanted
from many_sockets import ManySockets
from peers import health

DEFAULT_RUNS = 30
# Of commands that take half a second and more.
FEW_RUNS = 7
COUNTS = [10, 10_000, 50_000]
PORT = "50051"


def questions(netdiag: str) -> dict[str, dict[str, list[str]]]:
    port = ["sport", "=", f":{PORT}"]
    return {
        f"is :{PORT} listened on, and by whom": {
            "netdiag listeners": [netdiag, "listeners", PORT],
            "netdiag sockets": [netdiag, "sockets", "-Htlnp", *port],
            "ss": ["ss", "-Htlnp", *port],
            "lsof": ["lsof", "-nP", f"-iTCP:{PORT}", "-sTCP:LISTEN"],
        },
        "the connections of one port": {
            "netdiag sockets": [netdiag, "sockets", "-Htn", *port],
            "ss": ["ss", "-Htn", *port],
        },
        "every TCP socket": {
            "netdiag sockets": [netdiag, "sockets", "-Htan"],
            "ss": ["ss", "-Htan"],
        },
        "every TCP socket with tcp_info; ss has text alone": {
            "netdiag sockets": [netdiag, "sockets", "-tani", "--json"],
            "ss": ["ss", "-Htani"],
        },
        "every TCP socket with its process": {
            "netdiag sockets": [netdiag, "sockets", "-Htanp"],
            "ss": ["ss", "-Htanp"],
        },
    }


def there(commands: dict[str, list[str]]) -> dict[str, list[str]]:
    """Those whose program is installed."""
    found = {}
    for name, command in commands.items():
        if shutil.which(command[0]):
            found[name] = command
        else:
            print(f"bench-netdiag: {command[0]} is not installed, and left out", file=sys.stderr)
    return found


def main(directory: str, path: str) -> None:
    work = pathlib.Path(directory)
    netdiag = str(shutil.copy(path, work / "netdiag"))
    launcher = Launcher(work, {"PATH": os.environ.get("PATH", os.defpath)}, runs_wanted("BENCH_RUNS", DEFAULT_RUNS))
    print(f"{machine()}; medians of {launcher.runs} runs in turn, at 50,000 sockets of {FEW_RUNS} at most")
    for count in COUNTS:
        with ManySockets(count // 2, int(PORT)):
            for question, commands in questions(netdiag).items():
                commands = there(commands)
                most = FEW_RUNS if count == COUNTS[-1] else None
                launcher.table(f"{count:,} sockets: {question}", commands, measure=next(iter(commands)), most=most)

    certificates = work / "certificates"
    pair = health.credentials(str(certificates / "server.pem"), str(certificates / "server.key"))
    with health.HealthServer() as plain, health.HealthServer(credentials=pair) as secure:
        ca = f"{certificates}/ca.pem"
        host, _, port = plain.address.rpartition(":")
        tls = {
            "netdiag tls": [netdiag, "tls", secure.address, "--cacert", ca],
            "openssl s_client": ["openssl", "s_client", "-connect", secure.address, "-CAfile", ca, "-alpn", "h2"],
        }
        launcher.table("A handshake over TLS, and what is wrong with it", there(tls), measure="netdiag tls")
        tcp = {
            "netdiag tcp": [netdiag, "tcp", plain.address],
            "nc": ["nc", "-z", host, port],
        }
        launcher.table("A connection over TCP", there(tcp), measure="netdiag tcp", most=FEW_RUNS)
        doctor = {"netdiag doctor": [netdiag, "doctor", plain.address]}
        launcher.table("All that lies between here and a healthy server", doctor, measure="netdiag doctor")


main(*sys.argv[1:])
