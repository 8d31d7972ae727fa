# SPDX-License-Identifier: Apache-2.0
"""What user-service does when the world around it fails: what was acknowledged stays, and the rest is told."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from peers.raw import CALL, DATA, END_STREAM, MESSAGE, RawClient, frame
from peers.users import cancelling, creation, details, failing, reason, until
from user.v1 import user_pb2

StatusCode = grpc.StatusCode


def test_killed_in_the_middle_of_bulk_creations(user_service, tmp_path):
    """What a call has acknowledged is there afterwards; of a batch there is all or nothing; the count is right."""
    database = tmp_path / "users.db"
    acknowledged: list[str] = []
    with user_service(f"--database={database}") as server, server.client() as client:

        def create():
            with contextlib.suppress(grpc.RpcError):
                while True:
                    answer = client.users.CreateUsers((creation() for _ in range(100)), timeout=30)
                    acknowledged.extend(user.id for user in answer.users)

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: len(acknowledged) >= 500)
        server.process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        count = connection.execute("SELECT count(*) FROM users").fetchone()[0]
        events = connection.execute("SELECT count(*) FROM outbox").fetchone()[0]
    assert count == events, "nothing happened untold"
    with user_service(f"--database={database}") as server, server.client() as client:
        kept = {user.id for user in client.export()}
        assert set(acknowledged) <= kept and len(kept) == count
        page = client.users.ListUsers(user_pb2.ListUsersRequest(page_size=1), timeout=10)
        assert page.total_size == count


@pytest.fixture
def small_disk(tmp_path):
    """A disk of three megabytes."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", tmp_path], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs the right to mount a small disk: {done.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "--lazy", tmp_path], check=True)


def test_full_disk(user_service, small_disk):
    """Writes are refused, reads go on, health stays, and all is well again once there is room."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    with user_service(f"--database={small_disk}/users.db") as server, server.client() as client:
        made = [client.create()]
        with failing(StatusCode.RESOURCE_EXHAUSTED) as errors:
            while True:
                made.append(client.create(legacy_field="x" * 1_000))
        assert reason(errors[0]) == "STORAGE_FULL"
        assert client.get(made[0].id) == made[0]
        assert len(list(client.export())) == len(made)
        health = health_pb2_grpc.HealthStub(client.channel)
        status = health.Check(health_pb2.HealthCheckRequest(), timeout=10).status
        assert status == health_pb2.HealthCheckResponse.SERVING, "who can be read from is not taken away"
        # A bulk creation that creates nothing fails as a whole.
        with failing(StatusCode.RESOURCE_EXHAUSTED):
            client.users.CreateUsers((creation(legacy_field="x" * 1_000) for _ in range(400)), timeout=30)
        ballast.unlink()
        made.append(client.create())
        assert [user.id for user in client.export()] == [user.id for user in made]


def test_locked_by_another_process(user_service, tmp_path):
    database = tmp_path / "users.db"
    arguments = [f"--database={database}", "--database-lock-timeout=50ms"]
    with user_service(*arguments) as server, server.client() as client:
        made = client.create()
        with contextlib.closing(sqlite3.connect(database)) as other:
            other.execute("BEGIN IMMEDIATE")
            with failing(StatusCode.UNAVAILABLE) as errors:
                client.create()
            assert reason(errors[0]) == "DATABASE_UNAVAILABLE"
            assert details(errors[0])[error_details_pb2.RetryInfo].retry_delay.seconds == 1
            assert "lock" not in errors[0].details(), "the reason is for the log"
            assert client.get(made.id) == made
            other.rollback()
        assert client.create()


def test_a_drain_under_load_loses_no_call(user_service):
    """Every call that the server has begun is answered, and a client that follows GOAWAY notices nothing else."""
    with user_service("--shutdown-grace=20s") as server:
        lost: list[grpc.RpcError] = []
        answered = [0]

        def load():
            with server.client() as client:
                while True:
                    try:
                        client.greet()
                        answered[0] += 1
                    except grpc.RpcError as error:
                        # Nobody listens any more: the call never left. Anything else was lost on its way.
                        refused = "refused" in error.details() or "connect" in error.details()
                        if error.code() != StatusCode.UNAVAILABLE or not refused:
                            lost.append(error)
                        return

        threads = [threading.Thread(target=load) for _ in range(8)]
        for thread in threads:
            thread.start()
        until(lambda: answered[0] > 500)
        assert server.stop() == 0
        for thread in threads:
            thread.join()
        assert not lost, lost[0]
        assert sum("code=Canceled" in line for line in server.lines) == 0


def test_a_call_between_the_two_goaways_is_served(user_service):
    """A client that has not heard the first GOAWAY yet may still open a stream."""
    with user_service("--shutdown-grace=20s") as server, RawClient(server.port) as raw:
        raw.send(raw.call(1))
        frames = raw.frames()
        next(payload for kind, _, stream, payload in frames if kind == DATA and stream == 1)
        server.process.send_signal(signal.SIGTERM)
        server.line("SIGTERM: draining")
        raw.send(raw.headers(3) + frame(DATA, 0, 3, MESSAGE[:4]))
        raw.send(frame(DATA, END_STREAM, 3, MESSAGE[4:]))
        assert next(payload for kind, _, stream, payload in frames if kind == DATA and stream == 3)
        raw.close()
        assert server.process.wait(20) == 0


def test_descriptors_run_out(user_service):
    """New connections wait or fail, those that are open go on, and when there is room again all is well."""
    if not shutil.which("prlimit"):
        pytest.skip("prlimit is not installed: util-linux")
    with user_service("--admin=off") as server, server.client() as client:
        assert client.greet() == "Hello, you!"
        used = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        subprocess.run(["prlimit", f"--pid={server.process.pid}", f"--nofile={used + 10}"], check=True)
        crowd = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
        until(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) >= used + 9)
        assert client.greet() == "Hello, you!"
        assert server.process.poll() is None
        for each in crowd:
            each.close()
        with server.client() as late:
            assert late.greet(wait_for_ready=True) == "Hello, you!"


def silence(sock: socket.socket) -> None:
    """Closes a connection without a word to its peer, as a machine does that loses its power."""
    TCP_REPAIR = 19
    try:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except PermissionError:
        pytest.skip("needs the right to put a socket into repair mode")
    sock.close()


def test_clients_that_vanish(user_service):
    """No FIN, no RST: keepalive finds out, and their calls end."""
    flags = ["--keepalive-time=300ms", "--keepalive-timeout=300ms"]
    with user_service(*flags) as server, server.client() as client:
        fields = [(":path", "/user.v1.UserService/WatchUsers") if field[0] == ":path" else field for field in CALL]
        ghosts = [RawClient(server.port) for _ in range(3)]
        for ghost in ghosts:
            ghost.send(ghost.headers(1, fields) + frame(DATA, END_STREAM, 1, bytes(5)))
        until(lambda: server.active("WatchUsers") == 3)
        for ghost in ghosts:
            silence(ghost.socket)
        until(lambda: server.active("WatchUsers") == 0)
        assert client.greet() == "Hello, you!"


def test_clients_that_close_one_half(service, client):
    """Who closes its half of the connection while a call runs is gone for HTTP/2: the call ends, the server goes on."""
    fields = [(":path", "/user.v1.UserService/WatchUsers") if field[0] == ":path" else field for field in CALL]
    with RawClient(service.port) as raw:
        raw.send(raw.headers(1, fields) + frame(DATA, END_STREAM, 1, bytes(5)))
        until(lambda: service.active("WatchUsers") == 1)
        raw.socket.shutdown(socket.SHUT_WR)
        until(lambda: service.active("WatchUsers") == 0)
        assert raw.is_closed()
    assert client.greet() == "Hello, you!"


def test_a_port_that_is_taken(user_service):
    with user_service() as server:
        with user_service(f"--listen=127.0.0.1:{server.port}", "--admin=off") as other:
            assert other.process.wait(20) == 1
            other.line(rf"user-service: cannot listen on 127\.0\.0\.1:{server.port}.*--listen")


def test_connections_that_come_and_go_leave_nothing(service, client):
    before = len(os.listdir(f"/proc/{service.process.pid}/fd"))
    for _ in range(50):
        with service.client() as visitor, cancelling(visitor.watch()):
            pass
    until(lambda: service.active("WatchUsers") == 0)
    until(lambda: len(os.listdir(f"/proc/{service.process.pid}/fd")) <= before)
