# SPDX-License-Identifier: Apache-2.0
"""The flags of user-service, on the command line and in the environment, good and bad."""

from __future__ import annotations

import os
import re
import subprocess

import grpc
import pytest
from greeter import greeter_pb2

from peers.programs import Program
from peers.users import Client, failing, until

StatusCode = grpc.StatusCode

#: A value of each flag that cannot be.
BAD_VALUES = {
    "database": "/nowhere/users.db", "database-readers": "0", "database-lock-timeout": "5", "event-retention": "day",
    "listen": "nowhere", "admin": "nowhere", "instance": "\x01", "plaintext": "maybe", "tls-cert": "/nowhere",
    "tls-key": "/nowhere", "tls-client-ca": "/nowhere", "auth-token-file": "/nowhere", "reflection": "maybe",
    "max-message-size": "4MB", "max-send-message-size": "-1", "max-header-list-size": "x",
    "max-concurrent-streams": "-1", "max-connections": "0", "max-calls": "0", "max-resets-per-second": "-1",
    "max-call-time": "1", "handshake-timeout": "-1s", "stall-timeout": "x", "max-connection-age": "x",
    "max-connection-age-grace": "x", "max-connection-idle": "x", "keepalive-time": "x", "keepalive-timeout": "x",
    "keepalive-min-interval": "x", "threads": "0", "compression": "zstd", "lame-duck": "x", "shutdown-grace": "x",
    "log-level": "loud", "log-format": "xml", "otlp-endpoint": "host:99999", "trace-ratio": "2",
}  # fmt: skip


def run(arguments=(), variables={}) -> subprocess.CompletedProcess:
    program = os.path.join(os.environ["SONDE_PROGRAMS"], "user-service")
    return subprocess.run([program, *arguments], env=variables, capture_output=True, text=True, timeout=20)


def flags() -> list[str]:
    """The flags that the help tells of."""
    text = run(["--help"]).stdout
    return sorted(set(re.findall(r"^  --(?!version|no-)([a-z-]+)", text, re.MULTILINE)))


def variable(flag: str) -> str:
    return "SONDE_" + flag.upper().replace("-", "_")


def test_help():
    done = run(["--help"])
    assert done.returncode == 0 and done.stderr == ""
    for word in ("USAGE: user-service", "SONDE_MAX_CALLS", "user-service --database :memory:"):
        assert word in done.stdout
    done = run(["--version"])
    assert done.returncode == 0 and re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("flag", sorted(BAD_VALUES))
def test_a_bad_value_is_refused_in_one_line(flag):
    usual = {"SONDE_DATABASE": ":memory:", "SONDE_LISTEN": "127.0.0.1:0", "SONDE_ADMIN": "off"}
    done = run(variables={**usual, variable(flag): BAD_VALUES[flag]})
    assert done.returncode in (1, 64)
    assert done.stderr.startswith("user-service: ") and done.stderr.count("\n") == 1, done.stderr
    assert flag in done.stderr or variable(flag) in done.stderr or BAD_VALUES[flag] in done.stderr


def test_every_flag_is_known_to_these_tests():
    assert set(flags()) == set(BAD_VALUES)


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        ([], 64, "--database"),
        (["--database=:memory:", "--nothing"], 64, "--nothing"),
        (["--database=:memory:", "--listen=:0"], 64, "--plaintext"),
        (["--database=:memory:", "--tls-cert=x"], 64, "--tls-key"),
        (["--database=:memory:", "--plaintext", "--tls-cert=x", "--tls-key=x"], 64, "exclude"),
        (["--database=/proc/users.db"], 1, "/proc/users.db"),
        (["--database=:memory:", "--listen=192.0.2.1:1", "--plaintext"], 1, "--listen"),
        (["--database=:memory:", "--listen=unix:/nowhere/x"], 1, "--listen"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(arguments, code, words):
    done = run(["--admin=off", *arguments] if code == 1 else arguments)
    assert done.returncode == code
    assert done.stderr.count("\n") == 1 and words in done.stderr, done.stderr


def test_the_environment_works_like_the_command_line(user_service, folder):
    variables = {
        "SONDE_LISTEN": f"127.0.0.1:0, unix:{folder}/socket", "SONDE_INSTANCE": "blue", "SONDE_REFLECTION": "false",
        "SONDE_MAX_MESSAGE_SIZE": "1KiB", "SONDE_MAX_CALL_TIME": "100ms", "SONDE_LOG_FORMAT": "json",
    }  # fmt: skip
    path = os.path.join(os.environ["SONDE_PROGRAMS"], "user-service")
    command = [path, "--database=:memory:", "--admin=off", "--max-message-size=2KiB"]
    with Program(command, env=variables) as server:
        server.line("listening on unix:")
        with Client(f"127.0.0.1:{server.port}") as tcp, Client(f"unix:{folder}/socket") as unix:
            for client in (tcp, unix):
                _, call = client.greeter.SayHello.with_call(greeter_pb2.HelloRequest(name="you"), timeout=10)
                assert dict(call.initial_metadata())["x-served-by"] == "blue"
            assert tcp.greet("x" * 1_500), "the command line wins"
            with failing(StatusCode.RESOURCE_EXHAUSTED):
                tcp.greet("x" * 3_000)
            with failing(StatusCode.DEADLINE_EXCEEDED):
                next(tcp.watch())
        assert all(line.startswith("{") for line in server.lines)


def test_limits_of_calls_and_streams(user_service):
    with user_service("--max-calls=3") as server, server.client() as client:
        watches = [client.watch() for _ in range(3)]
        with failing(StatusCode.RESOURCE_EXHAUSTED):
            client.greet()
        watches[0].cancel()
        until(lambda: server.active("WatchUsers") == 2)
        assert client.greet() == "Hello, you!"
    with user_service("--max-concurrent-streams=2") as server, server.client() as client:
        watches = [client.watch() for _ in range(2)]
        with failing(StatusCode.DEADLINE_EXCEEDED):
            client.greet(timeout=0.3)
        watches[0].cancel()
        assert client.greet() == "Hello, you!"


def test_connections_that_are_old_or_idle_are_closed(user_service):
    with user_service("--max-connection-age=500ms", "--max-connection-age-grace=500ms") as server:
        with server.client() as client:
            watch = client.watch()
            with failing(StatusCode.UNAVAILABLE):
                next(watch)
            assert client.greet() == "Hello, you!", "the client comes back"
    with user_service("--max-connection-idle=300ms", "--log-level=debug") as server, server.client() as client:
        assert client.greet() == "Hello, you!"
        server.line("connection ended")
        assert client.greet() == "Hello, you!"
