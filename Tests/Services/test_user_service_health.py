# SPDX-License-Identifier: Apache-2.0
"""What user-service says of itself: health, reflection, the admin port, logs, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sqlite3

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from peers.users import Client, failing, name, until

StatusCode = grpc.StatusCode
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
SERVICES = ["", "user.v1.UserService", "pb.Greeter"]


class Health:
    def __init__(self, client):
        self.stub = health_pb2_grpc.HealthStub(client.channel)

    def check(self, service: str = "") -> int:
        return self.stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status

    def watch(self, service: str = ""):
        return self.stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=40)

    def list(self) -> dict[str, int]:
        answer = self.stub.List(health_pb2.HealthListRequest(), timeout=10)
        return {service: status.status for service, status in answer.statuses.items()}


def test_health_from_start_to_end(user_service, tmp_path):
    """serving → the database is locked → serving → draining → gone."""
    database = tmp_path / "users.db"
    arguments = [f"--database={database}", "--database-lock-timeout=50ms", "--lame-duck=2s"]
    with user_service(*arguments) as server, server.client() as client:
        health = Health(client)
        watch = health.watch("user.v1.UserService")
        assert next(watch).status == SERVING
        assert health.list() == {service: SERVING for service in [*SERVICES, "liveness"]}
        assert server.admin("/readyz")[0] == 200

        with contextlib.closing(sqlite3.connect(database)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert next(watch).status == NOT_SERVING
            assert [health.check(service) for service in SERVICES] == [NOT_SERVING] * 3
            assert health.check("liveness") == SERVING
            code, text = server.admin("/readyz")
            assert code == 503 and "locked" in text
            assert server.admin("/healthz")[0] == 200
            other.rollback()
        assert next(watch).status == SERVING
        until(lambda: server.admin("/readyz")[0] == 200)

        server.process.send_signal(signal.SIGTERM)
        assert next(watch).status == NOT_SERVING
        assert [health.check(service) for service in SERVICES] == [NOT_SERVING] * 3
        assert health.list() == {**{service: NOT_SERVING for service in SERVICES}, "liveness": SERVING}
        assert server.admin("/readyz")[0] == 503
        assert client.greet() == "Hello, you!", "a lame duck still answers"
        with failing(StatusCode.UNAVAILABLE):
            next(watch)
        assert server.process.wait(20) == 0


def test_health_of_an_unknown_service(client):
    health = Health(client)
    with failing(StatusCode.NOT_FOUND):
        health.check("nothing")
    watch = health.watch("nothing")
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    watch.cancel()


def test_reflection(client):
    database = ProtoReflectionDescriptorDatabase(client.channel)
    assert {"user.v1.UserService", "pb.Greeter", "grpc.health.v1.Health"} <= set(database.get_services())
    pool = descriptor_pool.DescriptorPool(database)
    methods = pool.FindServiceByName("user.v1.UserService").methods
    assert [method.name for method in methods] == [
        "GetUser", "ListUsers", "CreateUser", "UpdateUser", "DeleteUser", "StreamUsers", "WatchUsers", "CreateUsers",
        "Chat",
    ]  # fmt: skip
    assert pool.FindMessageTypeByName("google.rpc.Status").fields_by_name["details"]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_a_reflection_stream_is_sent_each_import_once(client, version):
    """One stream, as tools keep it: what was sent is not sent again, but for the file that is asked for."""
    method = client.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    questions = queue.Queue()
    answers = method(iter(questions.get, None), timeout=20)

    def files(**question) -> list[str]:
        questions.put(reflection_pb2.ServerReflectionRequest(**question))
        files = next(answers).file_descriptor_response.file_descriptor_proto
        return [descriptor_pb2.FileDescriptorProto.FromString(file).name for file in files]

    symbol = {"file_containing_symbol": "user.v1.UserService"}
    first = files(**symbol)
    assert first[0] == "user/v1/user.proto" and "google/protobuf/timestamp.proto" in first[1:]
    assert len(set(first)) == len(first)
    assert files(**symbol) == first[:1]
    assert files(file_by_filename="google/protobuf/timestamp.proto") == ["google/protobuf/timestamp.proto"]
    other = files(file_containing_symbol="google.rpc.BadRequest")
    assert other[0] == "google/rpc/error_details.proto" and not set(other[1:]) & set(first)
    questions.put(None)


def test_a_database_of_reflection_v1(client):
    """grpcio's own client speaks v1alpha alone: the same client by the other name."""

    class Stub(reflection_pb2_grpc.ServerReflectionStub):
        def __init__(self, channel):
            self.ServerReflectionInfo = channel.stream_stream(
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
                response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
            )

    database = ProtoReflectionDescriptorDatabase(client.channel)
    database._stub = Stub(client.channel)
    assert "user.v1.UserService" in database.get_services()
    pool = descriptor_pool.DescriptorPool(database)
    assert len(pool.FindServiceByName("user.v1.UserService").methods) == 9
    assert pool.FindMessageTypeByName("google.rpc.BadRequest").fields


def test_reflection_can_be_left_out(user_service):
    with user_service("--no-reflection") as server, server.client() as client:
        with failing(StatusCode.UNIMPLEMENTED):
            ProtoReflectionDescriptorDatabase(client.channel).get_services()


def test_metrics(service, client):
    series = 'grpc_requests_total{method="/user.v1.UserService/GetUser",code="%s"}'
    made = client.create()
    client.get(made.id)
    with failing(StatusCode.NOT_FOUND):
        client.get("nobody")
    assert service.metric(series % "OK") >= 1
    assert service.metric(series % "NotFound") >= 1
    text = service.admin("/metrics")[1]
    assert service.metric('database_threads{kind="write"}') == 1
    assert service.metric('database_busy_threads{kind="write"}') in (0, 1)
    for family in ("database_waiting_jobs", "database_waiting_jobs_limit", "database_refused_jobs_total"):
        assert service.metric(family + '{kind="write"}') == (10_000 if family.endswith("limit") else 0)
    for family in ("grpc_server_handled_total", "grpc_server_handling_seconds", "grpc_active_requests", "process_"):
        assert f"\n{family}" in text, family
    assert service.admin("/nothing")[0] == 404


@pytest.mark.parametrize("form", ["text", "json"])
def test_logs(user_service, form):
    with user_service(f"--log-format={form}") as server, server.client() as client:
        own = name()
        with failing(StatusCode.NOT_FOUND):
            client.get("nobody", metadata=[("x-request-id", own)])
        line = server.line(own).string
        if form == "json":
            fields = json.loads(line)
            assert fields["method"] == "user.v1.UserService/GetUser" and fields["code"] == "NotFound"
            assert fields["request_id"] == own and fields["peer"].startswith("ipv4:127.0.0.1:")
            for other in server.lines:
                json.loads(other)
        else:
            for part in ("method=user.v1.UserService/GetUser", "code=NotFound", "duration=", "peer=ipv4:127.0.0.1:"):
                assert part in line, part
        assert server.stop() == 0


@pytest.mark.parametrize(
    "flags, variables, shown",
    [
        (["--log-level=debug"], {}, True),
        ([], {"SONDE_LOG_LEVEL": "debug"}, True),
        ([], {"GRPC_GO_LOG_VERBOSITY_LEVEL": "99", "GRPC_GO_LOG_SEVERITY_LEVEL": "info"}, True),
        ([], {}, False),
        (["--log-level=error"], {"SONDE_LOG_LEVEL": "debug"}, False),
    ],
)
def test_log_levels(user_service, flags, variables, shown):
    # The admin port says where it is as a notice, which an error's level hides: it is not asked for.
    path = f"/tmp/{name()}.sock"
    with user_service(f"--listen=unix:{path}", "--admin=off", *flags, env=variables) as server:
        with Client(f"unix:{path}") as client:
            until(lambda: os.path.exists(path))
            assert client.greet() == "Hello, you!"
        if shown:
            server.line("debug connection ended")
        assert server.stop() == 0
        assert any("debug" in line for line in server.lines) == shown
    assert not os.path.exists(path), "the socket's file goes with the server"


def test_a_second_signal_ends_it_at_once(user_service):
    with user_service("--shutdown-grace=60s") as server, server.client() as client:
        # A bulk creation whose client says nothing more is a call that runs.
        creation = client.users.CreateUsers.future(iter(lambda: signal.pause(), None), timeout=50)
        until(lambda: server.active("CreateUsers") == 1)
        server.process.send_signal(signal.SIGTERM)
        server.line("SIGTERM: draining")
        assert server.process.poll() is None
        assert server.stop(signal.SIGINT) == 1
        creation.cancel()
