# SPDX-License-Identifier: Apache-2.0
"""The wall clock steps by an hour while user-service runs: stamps follow it, and nothing else does."""

from __future__ import annotations

import datetime
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import time

import grpc
import pytest

from peers.collector import Collector
from peers.raw import CALL, DATA, END_STREAM, RawClient, frame
from peers.users import cancelling, failing, name, until

HOUR = 3_600
SOURCE = pathlib.Path(__file__).parent / "peers" / "stepped_clock.c"


class Clock:
    """The wall clock of programs that run with its environment."""

    def __init__(self, library: str, path: str):
        self._path = path
        self.step = 0
        self.set(0)
        self.env = {**os.environ, "LD_PRELOAD": library, "CLOCK_STEP": path}

    def set(self, seconds: int) -> None:
        """Steps to so many seconds from the time that it is."""
        self.step = seconds
        # In place: the programs have mapped the file.
        with open(self._path, "r+b" if os.path.exists(self._path) else "wb") as file:
            file.write(struct.pack("q", seconds))

    def shows(self, seconds: float) -> bool:
        """Whether a time in seconds since 1970 is what the clock shows, give or take a few minutes."""
        return abs(seconds - time.time() - self.step) < HOUR / 4


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> str:
    compiler = shutil.which("cc") or shutil.which("clang")
    if not compiler:
        pytest.skip("needs a C compiler (cc or clang) for the library that steps the clock")
    path = str(tmp_path_factory.mktemp("clock") / "stepped_clock.so")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", path, SOURCE], check=True)
    return path


@pytest.fixture
def clock(library, tmp_path) -> Clock:
    return Clock(library, str(tmp_path / "step"))


def logged_time(line: str) -> float:
    return datetime.datetime.fromisoformat(line.split(" ", 1)[0].replace("Z", "+00:00")).timestamp()


def watch_fields(*extra: tuple[str, str]) -> list[tuple[str, str]]:
    fields = [(":path", "/user.v1.UserService/WatchUsers") if field[0] == ":path" else field for field in CALL]
    return [*fields, *extra]


def test_the_clock_steps_under_load(user_service, clock, tmp_path):
    """Watches, deadlines, keepalives, ages, the tail of a replica and pages go on through three steps."""
    flags = [f"--database={tmp_path / 'users.db'}", "--keepalive-time=300ms", "--keepalive-timeout=3s"]
    flags += ["--max-connection-age=30m", "--max-connection-idle=30m", "--lame-duck=200ms"]
    with (
        user_service(*flags, env=clock.env) as one,
        user_service(*flags, env=clock.env) as two,
        one.client() as writer,
        two.client() as reader,
    ):
        made = [writer.create() for _ in range(3)]
        pages = writer.pages(size=2)
        paged = [next(pages).id]
        with cancelling(reader.watch(timeout=300)) as watch, cancelling(writer.watch(timeout=300)) as own_watch:
            sequence = 0
            for step in (HOUR, -HOUR, 0):
                clock.set(step)
                made.append(writer.create())
                # What one replica writes the other hears of, on calls and connections of before the step.
                for each in (watch, own_watch):
                    event = next(each)
                    assert event.user.id == made[-1].id
                    assert clock.shows(event.time.seconds)
                assert event.sequence > sequence
                sequence = event.sequence
                assert clock.shows(made[-1].created_at.seconds)
                assert reader.greet(timeout=20) == "Hello, you!"
                # A deadline that only the server keeps.
                own = name()
                with RawClient(two.port) as raw:
                    raw.send(raw.headers(1, watch_fields(("grpc-timeout", "400m"), ("x-request-id", own))))
                    raw.send(frame(DATA, END_STREAM, 1, bytes(5)))
                    line = two.line(rf".*WatchUsers code=DeadlineExceeded .*request_id={own}")[0]
                assert clock.shows(logged_time(line)), line
                # A client that never answers the keepalive's PING, while the others do.
                own = name()
                with RawClient(two.port) as raw:
                    raw.send(raw.headers(1, watch_fields(("x-request-id", own))))
                    raw.send(frame(DATA, END_STREAM, 1, bytes(5)))
                    two.line(rf"WatchUsers code=Canceled .*request_id={own}")
                assert one.active("WatchUsers") == two.active("WatchUsers") == 1
                assert one.admin("/readyz")[0] == 200
        # Whatever the clock said, who came later stands behind, and a page's token is good after a step.
        ids = [user.id for user in made]
        assert ids == sorted(ids)
        assert paged + [user.id for user in pages] == ids
        clock.set(-HOUR)
        assert one.stop() == two.stop() == 0


def test_waits_between_attempts_survive_a_step(user_service, clock):
    """The export of spans finds its collector, which was away, after a step in the middle of its waits."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with user_service(f"--otlp-endpoint=127.0.0.1:{port}", env=clock.env) as server, server.client() as client:
        lost = 'grpc_client_attempt_duration_seconds_count{%s,grpc_status="UNAVAILABLE",%s}' % (
            'grpc_method="opentelemetry.proto.collector.trace.v1.TraceService/Export"',
            f'grpc_target="dns:///127.0.0.1:{port}"',
        )
        client.greet()
        until(lambda: lost in server.admin("/metrics")[1] and server.metric(lost) > 0, timeout=40)
        for step in (HOUR, -HOUR):
            clock.set(step)
            with Collector(port) as collector:
                assert collector.port == port
                until(lambda: client.greet() and not collector.requests.empty(), timeout=60)


def test_tokens_are_read_again_after_a_step(user_service, clock, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("first\n")
    with user_service(f"--auth-token-file={tokens}", env=clock.env) as server, server.client() as client:

        def is_known(token: str) -> bool:
            try:
                return bool(client.greet(metadata=[("authorization", f"Bearer {token}")]))
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.UNAUTHENTICATED
                return False

        assert is_known("first")
        for step, token in ((-HOUR, "second"), (HOUR, "third")):
            clock.set(step)
            tokens.write_text(token + "\n")
            until(lambda: is_known(token))
            with failing(grpc.StatusCode.UNAUTHENTICATED):
                client.greet(metadata=[("authorization", "Bearer first")])
