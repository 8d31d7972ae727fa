# SPDX-License-Identifier: Apache-2.0
"""Runs netdiag and judges what it says."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass

# A run that takes longer than this hangs.
HANG = 45.0

FINE, PROBLEM, USAGE, UNDETERMINED = 0, 1, 2, 3


@dataclass
class Result:
    """What a run ended with."""

    arguments: list[str]
    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        return self.stdout.splitlines()

    @property
    def json(self) -> dict:
        """The one document on the one line of stdout."""
        assert self.stdout.endswith("\n") and self.stdout.count("\n") == 1, f"not one line on stdout:{self}"
        document = json.loads(self.stdout)
        assert document["schema"] == 1
        return document

    def __str__(self) -> str:
        return (
            f"\n  {' '.join(map(repr, self.arguments))}\n  exit code {self.code}"
            f"\n  stdout: {self.stdout!r}\n  stderr: {self.stderr!r}"
        )

    # Judgements. Each returns the result, so that they chain.

    def ends(self, code: int) -> "Result":
        assert self.code == code, f"wanted exit code {code}:{self}"
        if code != USAGE:
            assert self.stderr == "", f"something was written on stderr:{self}"
        return self

    def says(self, mark: str, *words: str) -> "Result":
        """A line with this mark has each of the words."""
        lines = [line for line in self.lines if line.startswith(mark.ljust(6))]
        assert any(all(word in line for word in words) for line in lines), f"wanted {mark} {words}:{self}"
        return self

    def lacks(self, *words: str) -> "Result":
        for word in words:
            assert word not in self.stdout + self.stderr, f"{word!r} is there:{self}"
        return self

    def complains(self, line: str) -> "Result":
        """The command line cannot be used: one line says why."""
        self.ends(USAGE)
        assert self.stdout == "" and self.stderr == line + "\n", f"wanted {line!r} alone on stderr:{self}"
        return self


class Netdiag:
    """The file under test. Its environment holds nothing but what a test puts there."""

    def __init__(self, path: str):
        self.path = path

    def command(self, *arguments: str, prefix: list[str] | tuple = ()) -> list[str]:
        return [*prefix, self.path, *arguments]

    @staticmethod
    def environment(more: dict[str, str] | None = None) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        return kept | (more or {})

    def __call__(
        self, *arguments: str, env: dict[str, str] | None = None, prefix: list[str] | tuple = (), **options
    ) -> Result:
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        command = self.command(*arguments, prefix=prefix)
        done = subprocess.run(command, env=self.environment(env), timeout=HANG, **options)
        text = lambda data: (data or b"").decode("utf-8", "surrogateescape")
        return Result(list(arguments), done.returncode, text(done.stdout), text(done.stderr))

    def json(self, *arguments: str, **options) -> dict:
        return self(*arguments, "--json", **options).json


def shape(value: object) -> object:
    """What a document looks like, its values left out: two of one shape have the same keys everywhere.

    Lists differ in how many members they have; null stands for any value."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    return None


def shapes_of_members(values: list) -> set[str]:
    """The keys of each member of a list, as texts that can be compared."""
    return {json.dumps(shape(value)) for value in values}
