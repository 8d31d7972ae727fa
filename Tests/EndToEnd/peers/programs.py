# SPDX-License-Identifier: Apache-2.0
"""Real servers that are programs: nghttpd, nginx and openssl s_server."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import signal
import subprocess
import time

from . import tcp


class MissingProgram(Exception):
    """A program that a peer is made of is not installed."""


def _start(arguments: list[str], log: pathlib.Path) -> subprocess.Popen:
    path = shutil.which(arguments[0], path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/bin:/sbin")
    if not path:
        raise MissingProgram(arguments[0])
    with open(log, "wb") as output:
        return subprocess.Popen(
            [path, *arguments[1:]], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent
        )


def _wait(process: subprocess.Popen, port: int, log: pathlib.Path, seconds: float = 10) -> None:
    try:
        tcp.wait_for_port(port, seconds=seconds)
    except OSError:
        process.kill()
        raise AssertionError(f"{process.args[0]} does not listen: {log.read_text(errors='replace')}") from None


class Program:
    """A running program with its port, its address and what it has logged."""

    def __init__(self, process: subprocess.Popen, port: int, log: pathlib.Path):
        self.process = process
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_for_log(self, text: str, seconds: float = 10) -> None:
        """Waits until the program has logged the text; its own time to do so is not the probe's."""
        deadline = time.monotonic() + seconds
        while text not in self.log:
            assert time.monotonic() < deadline, f"{text!r} was never logged:\n{self.log}"
            time.sleep(0.01)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> str:
        """Ends the program and returns all that it has logged."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return self.log


@contextlib.contextmanager
def nghttpd(directory: pathlib.Path, certificate: str | None = None, key: str | None = None):
    """An HTTP/2 server that knows no gRPC and logs each frame. Without a certificate it speaks plaintext."""
    port = tcp.free_port()
    (directory / "www").mkdir(exist_ok=True)
    log = directory / "nghttpd.log"
    arguments = ["nghttpd", "-v", "-a", "127.0.0.1", "-d", str(directory / "www")]
    arguments += [str(port), key, certificate] if certificate else ["--no-tls", str(port)]
    program = Program(_start(arguments, log), port, log)
    _wait(program.process, port, log)
    try:
        yield program
    finally:
        program.stop()


@contextlib.contextmanager
def nginx(directory: pathlib.Path, server: str):
    """nginx with one server block's content; `{port}` in it is where the tests connect."""
    port = tcp.free_port()
    log = directory / "nginx.log"
    body = server.replace("{port}", str(port))
    paths = "".join(
        f"{name}_temp_path {directory}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = directory / "nginx.conf"
    configuration.write_text(
        f"daemon off; master_process off; worker_processes 1; pid {directory}/nginx.pid;\n"
        f"error_log {log} info;\n"
        "events {}\n"
        f"http {{ access_log off; {paths} server {{ {body} }} }}\n"
    )
    process = _start(["nginx", "-e", str(log), "-c", str(configuration)], directory / "nginx.out")
    program = Program(process, port, log)
    _wait(process, port, directory / "nginx.out")
    try:
        yield program
    finally:
        program.stop()


@contextlib.contextmanager
def s_server(directory: pathlib.Path, *options: str):
    """openssl s_server with the options given. It accepts, shakes hands and says nothing of its own."""
    port = tcp.free_port()
    log = directory / "s_server.log"
    process = _start(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", *options], log)
    program = Program(process, port, log)
    _wait(process, port, log)
    try:
        yield program
    finally:
        program.stop()
