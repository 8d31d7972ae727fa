# SPDX-License-Identifier: Apache-2.0
"""Tables of what commands cost that run in turn, so that whatever else goes on here hits each of them alike."""

from __future__ import annotations

import os
import pathlib
import platform
import shutil
import subprocess
import sys


class Launcher:
    """Where commands run, in what environment and how often. `work` holds the launcher that scripts have compiled."""

    def __init__(self, work: pathlib.Path, environment: dict[str, str], runs: int):
        self.work = work
        self.environment = environment
        self.runs = runs

    def table(
        self, title: str, commands: dict[str, list[str]], *, measure: str = "ours", most: int | None = None
    ) -> None:
        """Prints a table with a row for each command, by name; they run `most` times at most. The last column has the
        row named `measure` as its unit."""
        words = [self.work / "launch", str(min(self.runs, most or self.runs))]
        for number, (name, command) in enumerate(commands.items()):
            words += (["--"] if number else []) + [name, *command]
        print(f"bench: {title}", file=sys.stderr)
        launched = subprocess.run(words, env=self.environment, stdout=subprocess.PIPE, text=True)
        if launched.returncode:
            sys.exit(f"bench: {title}: a command failed")
        lines = (line.split("\t") for line in launched.stdout.splitlines())
        rows = {name: [int(field) for field in fields] for name, *fields in lines}
        print(f"\n**{title}**\n")
        heading = ["program", "wall ms (least)", "CPU ms (least)", "peak memory KiB", "system calls"]
        print("|", " | ".join([*heading, f"wall, times {measure}"]), "|")
        print("|---|---:|---:|---:|---:|---:|")
        for name, (wall, wall_least, _, cpu, cpu_least, _, memory, _) in rows.items():
            times = f"{wall / rows[measure][0]:.2f}"
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
        return f"{int(total[0]):,}" if total[-1] == "total" else "–"


def runs_wanted(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        sys.exit(f"bench: {variable} is not a number of runs: {text}")
    return int(text)


def milliseconds(median: int, least: int) -> str:
    return f"{median / 1000:.2f} ({least / 1000:.2f})"


def machine() -> str:
    """What the figures were measured on, in one line."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} processors, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}"
