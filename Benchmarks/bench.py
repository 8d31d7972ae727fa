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
import platform
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Tests" / "EndToEnd"))
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from peers import health

DEFAULT_RUNS = 300
SYSTEM_STORE = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")


def runs_wanted() -> int:
    text = os.environ.get("BENCH_RUNS") or str(DEFAULT_RUNS)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        sys.exit(f"bench: BENCH_RUNS is not a number of runs: {text}")
    return int(text)


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
    """The programs, the environment they run in and how often they do."""

    def __init__(self, work: pathlib.Path, programs: dict[str, str], environment: dict[str, str], runs: int):
        self.work = work
        self.programs = programs
        self.environment = environment
        self.runs = runs

    def table(self, title: str, flags: list[str], floors: dict[str, list[str]] | None = None) -> None:
        commands = (floors or {}) | {name: [path, *flags] for name, path in self.programs.items()}
        words = [self.work / "launch", str(self.runs)]
        for number, (name, command) in enumerate(commands.items()):
            words += (["--"] if number else []) + [name, *command]
        print(f"bench: {title}", file=sys.stderr)
        launched = subprocess.run(words, env=self.environment, stdout=subprocess.PIPE, text=True)
        if launched.returncode:
            sys.exit(f"bench: {title}: a command failed")
        lines = (line.split("\t") for line in launched.stdout.splitlines())
        rows = {name: [int(field) for field in fields] for name, *fields in lines}
        print(f"\n**{title}**\n")
        print("| program | wall ms (least) | CPU ms (least) | peak memory KiB | system calls | wall, times ours |")
        print("|---|---:|---:|---:|---:|---:|")
        for name, (wall, wall_least, _, cpu, cpu_least, _, memory, _) in rows.items():
            times = f"{wall / rows['ours'][0]:.2f}"
            columns = [milliseconds(wall, wall_least), milliseconds(cpu, cpu_least), f"{memory:,}"]
            print("|", " | ".join([name, *columns, self.system_calls(commands[name]), times]), "|", flush=True)

    def system_calls(self, command: list[str]) -> str:
        """How many system calls a command makes, all of its threads together; unknown without strace."""
        if not shutil.which("strace"):
            return "–"
        counts = self.work / "counts"
        words = ["strace", "-f", "-c", "-U", "calls,name", "-o", counts, *command]
        subprocess.run(words, env=self.environment, check=True, capture_output=True)
        total = counts.read_text().splitlines()[-1].split()
        return total[0] if total[-1] == "total" else "–"


def milliseconds(median: int, least: int) -> str:
    return f"{median / 1000:.2f} ({least / 1000:.2f})"


def sizes(programs: dict[str, str]) -> None:
    print("\n**Size of the file in bytes**\n\n| program | plain | gzip -9 | xz -9 |\n|---|---:|---:|---:|")
    for name, path in programs.items():
        content = pathlib.Path(path).read_bytes()
        packed = len(gzip.compress(content, 9)), len(lzma.compress(content, preset=9))
        print(f"| {name} | {len(content):,} | {packed[0]:,} | {packed[1]:,} |")


def machine() -> str:
    """What the figures were measured on, in one line."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} processors, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}"


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
    bench = Bench(work, programs, environment, runs_wanted())
    pair = health.credentials(str(certificates / "server.pem"), str(certificates / "server.key"))
    print(f"{machine()}; medians of {bench.runs} runs in turn")
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
