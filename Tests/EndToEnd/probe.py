# SPDX-License-Identifier: Apache-2.0
"""Runs the probe under test and judges what it says."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from dataclasses import dataclass

# A run that takes longer than this hangs, whatever its windows were.
HANG = 45.0

# What ends "at once" ends before this, even on a busy machine. Windows of such tests are far longer.
AT_ONCE = 8.0
LONG_WINDOW = "20s"

# A Go duration as the probe prints it.
DURATION = r"(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:ns|µs|ms|s)"

# Types of ELF program headers: a file that has neither needs nothing but the kernel.
PT_DYNAMIC, PT_INTERP = 2, 3


@dataclass
class Result:
    """What a run of the probe ended with."""

    arguments: list[str]
    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def lines(self) -> list[str]:
        return self.stderr.split("\n")[:-1] if self.stderr.endswith("\n") else self.stderr.split("\n")

    @property
    def line(self) -> str:
        """The contract's line, which comes first."""
        return self.lines[0]

    @property
    def reason(self) -> str:
        """The text of the reason, in lower case; empty where there is none."""
        return "\n".join(line[len("reason:") :].strip().lower() for line in self.lines if line.startswith("reason:"))

    @property
    def json(self) -> dict:
        """The one JSON object on the one line of stdout."""
        assert self.stdout.endswith("\n") and self.stdout.count("\n") == 1, f"not one line on stdout: {self}"
        return json.loads(self.stdout)

    def __str__(self) -> str:
        return (
            f"\n  {' '.join(map(repr, self.arguments))}\n  exit code {self.code} after {self.seconds:.2f} s"
            f"\n  stdout: {self.stdout!r}\n  stderr: {self.stderr!r}"
        )

    # Judgements. Each returns the result, so that they chain.

    def ends(self, code: int) -> "Result":
        assert self.code == code, f"wanted exit code {code}:{self}"
        return self

    def says(self, code: int, line: str) -> "Result":
        """Ends with this code, this line first on stderr and nothing on stdout; a reason follows each failure.

        A signal is its own reason."""
        self.ends(code)
        assert self.stdout == "", f"something was written on stdout:{self}"
        assert self.line == line, f"wanted {line!r} as the first line:{self}"
        assert self.stderr.endswith("\n"), f"the last line has no end:{self}"
        if code in (2, 3, 4, 20) and not line.startswith("cancellation received"):
            assert self.reason, f"no reason is given:{self}"
        return self

    def says_like(self, code: int, pattern: str) -> "Result":
        """As `says`, with a regular expression that the whole first line matches."""
        assert re.fullmatch(pattern, self.line), f"wanted {pattern!r} as the first line:{self}"
        return self.says(code, self.line)

    def because(self, *words: str) -> "Result":
        """The reason has each of the words, in any case. Alternatives are separated by `|`."""
        for alternatives in words:
            assert any(word.lower() in self.reason for word in alternatives.split("|")), (
                f"wanted {alternatives!r} in the reason:{self}"
            )
        return self

    def at_once(self) -> "Result":
        """The end did not wait for a window of LONG_WINDOW."""
        assert self.seconds < AT_ONCE, f"it took too long:{self}"
        return self

    # The outcomes that most tests end in.

    def serving(self) -> "Result":
        return self.says(0, "status: SERVING")

    def unhealthy(self, status: str) -> "Result":
        return self.says(4, f'service unhealthy (responded with "{status}")')

    def rpc_failed(self, code: str, message: str) -> "Result":
        return self.says(3, f"error: health rpc failed: rpc error: code = {code} desc = {message}")

    def not_implemented(self, message: str) -> "Result":
        prefix = "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "
        return self.says(3, prefix + message)

    def rpc_timed_out(self, window: str) -> "Result":
        return self.says(3, f"timeout: health rpc did not complete within {window}")

    def connect_timed_out(self, address: str, window: str) -> "Result":
        return self.says(2, f"timeout: failed to connect service {go_quoted(address)} within {window}")

    def connect_failed(self, address: str) -> "Result":
        """A permanent fault: told at once, with a cause, and not called a timeout."""
        prefix = re.escape(f"error: failed to connect service at {go_quoted(address)}: ")
        return self.says_like(2, prefix + ".+").at_once()

    def could_not_connect(self, address: str) -> "Result":
        """Permanent or not: the contract leaves it open."""
        quoted = re.escape(go_quoted(address))
        return self.says_like(
            2,
            rf"error: failed to connect service at {quoted}: .+|"
            rf"timeout: failed to connect service {quoted} within .+",
        )

    def bad_arguments(self, line: str) -> "Result":
        return self.says(1, line)


def go_quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Running:
    """A probe that runs; to be signalled and waited for."""

    def __init__(self, process: subprocess.Popen, arguments: list[str]):
        self.process = process
        self.arguments = arguments
        self.started = time.monotonic()

    @property
    def peak_memory(self) -> int:
        """The peak of resident memory so far in bytes, 0 once the probe has ended."""
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
                return next((int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM")), 0)
        except OSError:
            return 0

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def result(self, seconds: float = HANG) -> Result:
        try:
            stdout, stderr = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            stdout, stderr = self.process.communicate()
            raise AssertionError(
                f"the probe hangs: {self.arguments}\n  stdout: {stdout!r}\n  stderr: {stderr!r}"
            ) from None
        elapsed = time.monotonic() - self.started
        decode = lambda data: (data or b"").decode("utf-8", "surrogateescape")
        return Result(self.arguments, self.process.returncode, decode(stdout), decode(stderr), elapsed)


class Probe:
    """The binary under test. Its environment holds nothing but what a test puts there."""

    def __init__(self, path: str):
        self.path = path

    # Every process of the test that is under way, so that none outlives a test that fails.
    started: list[subprocess.Popen] = []

    @classmethod
    def end_all(cls) -> None:
        for process in cls.started:
            if process.poll() is None:
                process.kill()
                process.wait()
        cls.started.clear()

    def start(
        self, *arguments: str | bytes, env: dict[str, str] | None = None, prefix: list[str] | tuple = (), **options
    ) -> Running:
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}
        if library_path := os.environ.get("LD_LIBRARY_PATH"):
            environment["LD_LIBRARY_PATH"] = library_path
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen([*prefix, self.path, *arguments], env=environment | (env or {}), **options)
        self.started.append(process)
        return Running(process, [os.fsdecode(argument) for argument in arguments])

    def __call__(self, *arguments: str | bytes, env: dict[str, str] | None = None, **options) -> Result:
        return self.start(*arguments, env=env, **options).result()

    def check(self, address: str, *arguments: str | bytes, **options) -> Result:
        """Runs the probe on the address. Flags given twice follow the last, so a test may replace this window."""
        return self(f"-addr={address}", "-connect-timeout=" + LONG_WINDOW, *arguments, **options)


@functools.cache
def may_unshare() -> bool:
    """Whether this process may have a view of the file system of its own: root may, but not in every container."""
    command = ["unshare", "--mount", "true"]
    return os.geteuid() == 0 and bool(shutil.which(command[0])) and subprocess.run(
        command, stderr=subprocess.DEVNULL
    ).returncode == 0


def confined(root: str, *options: str) -> list[str]:
    """A command's beginning that runs it in `root` as nobody, without capabilities; see `confine.py`."""
    return [sys.executable, os.path.join(os.path.dirname(__file__), "confine.py"), *options, root, "--"]


def program_headers(path):
    """The types of the ELF program headers."""
    with open(path, "rb") as file:
        header = file.read(64)
        assert header[:5] == b"\x7fELF\x02", f"{path} is no 64-bit ELF file"
        order = "<" if header[5] == 1 else ">"
        offset, size, count = *struct.unpack(order + "Q", header[32:40]), *struct.unpack(order + "HH", header[54:58])
        file.seek(offset)
        return [struct.unpack(order + "I", file.read(size)[:4])[0] for _ in range(count)]
