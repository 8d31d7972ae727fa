# SPDX-License-Identifier: Apache-2.0
"""Programs under test: started, waited for, and ended with the test."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time


class Program:
    """A running program whose lines are kept. `with` ends it."""

    def __init__(self, command: list[str], env: dict[str, str] | None = None, **options):
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, **options
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self.lines.append("")
            self._news.notify_all()

    def line(self, pattern: str, timeout: float = 20) -> re.Match:
        """The first line that matches, waited for."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                for line in self.lines:
                    if match := re.search(pattern, line):
                        return match
                left = deadline - time.monotonic()
                ended = self.process.poll() is not None and self.lines[-1:] == [""]
                assert left > 0 and not ended, f"no line matches {pattern!r}:\n" + "\n".join(self.lines)
                self._news.wait(min(left, 0.5))

    @property
    def port(self) -> int:
        """The port that a server says it listens on."""
        return int(self.line(r"listening on .*:(\d+)")[1])

    def stop(self, number: int = signal.SIGTERM, timeout: float = 20) -> int:
        """Sends a signal and gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout)

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(5)
        self.process.stdout.close()
