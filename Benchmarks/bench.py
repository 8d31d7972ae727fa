# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks that scripts/bench has prepared, and prints their tables.

All programs of a table run in turn against one real server on this machine, so that whatever else goes on here hits
each of them alike. The server is grpcio: its time is none of a check's processor time, but it is part of the wall time.
"""

from __future__ import annotations

import gzip
import lzma
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Tests" / "EndToEnd"))
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from launched import Launcher, machine, runs_wanted
from peers import health

DEFAULT_RUNS = 300
SYSTEM_STORE = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")


def adopted(work: pathlib.Path, paths: list[str]) -> dict[str, str]:
    """Fresh copies of the programs by name: how a file came into the page cache shows in the memory of who maps it."""
    named = {"ours" if number == 1 else f"ours ({path})": path for number, path in enumerate(paths, 1)}
    if peer := os.environ.get("PEER_PROBE"):
        named["peer"] = peer
    programs = {}
    for number, (name, path) in enumerate(named.items()):
        if not os.access(path, os.X_OK):
            sys.exit(f"bench: {path} is not an executable")
        programs[name] = str(shutil.copy(path, work / f"program-{number}"))
    return programs


class Bench:
    """The programs, and the launcher that runs them."""

    def __init__(self, programs: dict[str, str], launcher: Launcher):
        self.programs = programs
        self.launcher = launcher

    def table(self, title: str, flags: list[str], floors: dict[str, list[str]] | None = None) -> None:
        commands = {name: [path, *flags] for name, path in self.programs.items()}
        self.launcher.table(title, (floors or {}) | commands)


def sizes(programs: dict[str, str]) -> None:
    print("\n**Size of the file in bytes**\n\n| program | plain | gzip -9 | xz -9 |\n|---|---:|---:|---:|")
    for name, path in programs.items():
        content = pathlib.Path(path).read_bytes()
        packed = len(gzip.compress(content, 9)), len(lzma.compress(content, preset=9))
        print(f"| {name} | {len(content):,} | {packed[0]:,} | {packed[1]:,} |")


def main(directory: str, *paths: str) -> None:
    work = pathlib.Path(directory)
    certificates = work / "certificates"
    programs = adopted(work, list(paths))
    # The environment is empty but for this: neither proxies nor other certificates have a say.
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    if SYSTEM_STORE.exists():
        # The machine's own roots, with the tests' authority behind them.
        bundle = work / "bundle.pem"
        bundle.write_bytes(SYSTEM_STORE.read_bytes() + (certificates / "ca.pem").read_bytes())
        environment["SSL_CERT_FILE"] = str(bundle)
    launcher = Launcher(work, environment, runs_wanted("BENCH_RUNS", DEFAULT_RUNS))
    bench = Bench(programs, launcher)
    pair = health.credentials(str(certificates / "server.pem"), str(certificates / "server.key"))
    print(f"{machine()}; medians of {launcher.runs} runs in turn")
    sizes(programs)
    with (
        health.HealthServer() as plain,
        health.HealthServer(address=f"unix:{work}/socket") as local,
        health.HealthServer(credentials=pair) as secure,
    ):
        floors = {"/bin/true": ["/bin/true"], "TCP connect in C": [str(work / "connect"), str(plain.port)]}
        bench.table("Plaintext", [f"-addr={plain.address}"], floors)
        bench.table("Unix socket", [f"-addr={local.address}"])
        bench.table("TLS with a CA file", [f"-addr={secure.address}", "-tls", f"-tls-ca-cert={certificates}/ca.pem"])
        if SYSTEM_STORE.exists():
            bench.table("TLS with the system's roots", [f"-addr={secure.address}", "-tls"])
        bench.table("-version, which starts and ends", ["-version"])


main(*sys.argv[1:])
