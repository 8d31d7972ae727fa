# SPDX-License-Identifier: Apache-2.0
"""A client of HTTP that is curl: requests as people write them, without TLS."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import time


@dataclasses.dataclass
class Answer:
    """A response: its status, its fields by names in small letters, its body, and how curl ended."""

    status: int
    fields: dict[str, str]
    body: bytes
    code: int

    @property
    def json(self):
        return json.loads(self.body)

    def detail(self, kind: str) -> dict:
        """The detail of a failure of a type of google.rpc."""
        found = [detail for detail in self.json["details"] if detail["@type"].endswith("/google.rpc." + kind)]
        assert len(found) == 1, self.json
        return found[0]


class Web:
    """Asks one server."""

    def __init__(self, port: int, version: str = "2"):
        self.flags = ["--http2-prior-knowledge" if version == "2" else f"--http{version}"]
        self.base = f"http://127.0.0.1:{port}"

    def command(self, method: str, path: str, headers: dict[str, str], *flags: str) -> list[str]:
        fields = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
        what = ["--head"] if method == "HEAD" else ["-X", method]
        return ["curl", "-sS", "-N", "-i", "--max-time", "30", *self.flags, *what, *fields, *flags, self.base + path]

    def ask(self, method: str, path: str, body=None, **headers: str) -> Answer:
        """A request and its whole response; a body that is no bytes is sent as JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        flags = []
        if body is not None:
            named.setdefault("content-type", "application/json")
            flags = ["--data-binary", "@-"]
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        done = subprocess.run(self.command(method, path, named, *flags), input=sent, capture_output=True, check=False)
        return parse(done.stdout, done.returncode)

    def follow(self, path: str, **headers: str) -> "Stream":
        """A response that is read while it comes."""
        return Stream(self.command("GET", path, headers))


def parse(output: bytes, code: int) -> Answer:
    head, _, body = output.partition(b"\r\n\r\n")
    while head.split(b" ")[1:2] == [b"100"]:
        head, _, body = body.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    return Answer(int(first.split(" ")[1]) if first else 0, fields, body, code)


class Stream:
    """A running curl, whose lines are read one by one."""

    def __init__(self, command: list[str]):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def line(self) -> str:
        return self.process.stdout.readline().decode().rstrip("\r\n")

    def until(self, start: str) -> str:
        """The next line that begins so."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            line = self.line()
            if line.startswith(start):
                return line
        raise AssertionError(f"no line begins with {start!r}")

    def rest(self) -> tuple[str, int]:
        """What is left, and how curl ended."""
        left = self.process.stdout.read().decode()
        return left, self.process.wait(30)

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
