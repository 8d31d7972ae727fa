# SPDX-License-Identifier: Apache-2.0
"""What every service brings along: errors that a program can tell apart, and a log that can show frames."""

from __future__ import annotations

import base64
import os
import urllib.request

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from user.v1 import user_pb2

from greeter import greeter_pb2, greeter_pb2_grpc
from peers.raw import CALL, DATA, END_STREAM, HEADERS, RawClient, frame
from peers.users import creation, failing, reason

FLAGS = ["--database=:memory:", "--listen=127.0.0.1:0", "--admin=off"]


def refusal(port: int, *metadata) -> tuple[grpc.StatusCode, str, str]:
    """The code, reason and domain of a call that fails."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.RpcError) as error:
            stub = greeter_pb2_grpc.GreeterStub(channel)
            stub.SayHello(greeter_pb2.HelloRequest(name="x"), timeout=10, metadata=metadata)
    details = rpc_status.from_call(error.value).details
    info = error_details_pb2.ErrorInfo()
    assert [detail.Unpack(info) for detail in details] == [True]
    return error.value.code(), info.reason, info.domain


def test_a_call_without_its_token_says_which_way_it_failed(programs, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("# ours\nright\n")
    with programs("user-service", *FLAGS, f"--auth-token-file={tokens}") as server:
        port = server.port
        unauthenticated = grpc.StatusCode.UNAUTHENTICATED
        assert refusal(port) == (unauthenticated, "MISSING_TOKEN", "user-service")
        wrong = ("authorization", "Bearer wrong")
        assert refusal(port, wrong) == (unauthenticated, "INVALID_TOKEN", "user-service")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            right = [("authorization", "bearer right")]
            stub = greeter_pb2_grpc.GreeterStub(channel)
            assert stub.SayHello(greeter_pb2.HelloRequest(name="x"), timeout=10, metadata=right).message == "Hello, x!"


@pytest.mark.parametrize("level, is_shown", [("trace", True), ("debug", False)])
def test_the_most_verbose_level_shows_frames(programs, level, is_shown):
    with programs("user-service", *FLAGS, f"--log-level={level}") as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            greeter_pb2_grpc.GreeterStub(channel).SayHello(greeter_pb2.HelloRequest(name="x"), timeout=10)
        server.line("method=pb.Greeter/SayHello")
        assert server.stop() == 0
        frames = [line for line in server.lines if " frame " in line]
    for name in ("SETTINGS", "HEADERS", "DATA"):
        for sent in ("true", "false"):
            found = any(name in line and f"sent={sent}" in line for line in frames)
            assert found == is_shown, (name, sent)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody; others run every test as they are")
def test_it_serves_without_rights(programs):
    """As nobody, as in its image: no socket option, file or port needs root."""
    with programs("user-service", *FLAGS, user=65534, group=65534, extra_groups=[]) as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = greeter_pb2_grpc.GreeterStub(channel)
            assert stub.SayHello(greeter_pb2.HelloRequest(name="nobody"), timeout=10).message == "Hello, nobody!"


def test_the_metrics_know_what_went_out(programs):
    """Messages and bytes of a unary answer are counted, though it is sent when the interceptors are through."""
    with programs("user-service", *FLAGS[:2], "--admin=127.0.0.1:0") as server:
        admin = server.line(r"admin .*?(\d+)$")[1]
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            greeter_pb2_grpc.GreeterStub(channel).SayHello(greeter_pb2.HelloRequest(name="x"), timeout=10)
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics") as answer:
            lines = [line for line in answer.read().decode().splitlines() if "SayHello" in line]

    def value(name: str) -> float:
        (line,) = [line for line in lines if line.startswith(name + "{")]
        return float(line.rsplit(" ", 1)[1])

    assert value("grpc_server_msg_received_total") == value("grpc_server_msg_sent_total") == 1
    assert value("grpc_server_call_rcvd_total_compressed_message_size_bytes_sum") == len(b"\x0a\x01x")
    assert value("grpc_server_call_sent_total_compressed_message_size_bytes_sum") == len(b"\x0a\x09Hello, x!")


def test_the_servers_own_failures_have_reasons(user_service):
    """What no handler and no interceptor sees can be told apart by programs like everything else."""
    big = user_pb2.CreateUserRequest(user=user_pb2.User(legacy_field="x" * 5_000))
    flags = ("--max-message-size=4KiB", "--max-send-message-size=2KiB", "--max-calls=2", "--max-call-time=1s")
    with user_service(*flags) as server, server.client() as client:

        def outcome(code: grpc.StatusCode, call) -> str:
            with failing(code) as errors:
                call()
            assert dict(errors[0].initial_metadata() or ()).get("x-served-by") or dict(
                errors[0].trailing_metadata()
            ).get("x-served-by")
            return reason(errors[0])

        codes = grpc.StatusCode
        unknown = client.channel.unary_unary
        call = unknown("/user.v1.UserService/Nothing")
        assert outcome(codes.UNIMPLEMENTED, lambda: call(b"", timeout=9)) == "UNKNOWN_METHOD"
        call = unknown("/no.Service/Nothing")
        assert outcome(codes.UNIMPLEMENTED, lambda: call(b"", timeout=9)) == "UNKNOWN_SERVICE"
        too_large = "MESSAGE_TOO_LARGE"
        full = codes.RESOURCE_EXHAUSTED
        assert outcome(full, lambda: client.users.CreateUser(big, timeout=9)) == too_large
        rows = [creation(), big]
        assert outcome(full, lambda: client.users.CreateUsers(iter(rows), timeout=9)) == too_large
        assert outcome(full, lambda: client.greet("x" * 3_000)) == too_large
        watches = [client.watch() for _ in range(2)]
        assert outcome(full, client.greet) == "TOO_MANY_CALLS"
        for watch in watches:
            assert outcome(codes.DEADLINE_EXCEEDED, lambda: next(watch)) == "DEADLINE_EXCEEDED"
        call = unknown("/grpc.health.v1.Health/Check")
        assert outcome(codes.NOT_FOUND, lambda: call(b"\x0a\x01x", timeout=9)) == "NOT_FOUND"
        assert outcome(codes.INTERNAL, lambda: call(b"\xff", timeout=9)) == "MALFORMED_MESSAGE"
        call = client.channel.stream_unary("/pb.Greeter/SayHello")
        assert outcome(codes.UNIMPLEMENTED, lambda: call(iter([]), timeout=9)) == "WRONG_MESSAGE_COUNT"
        watch = client.watch()
        server.process.terminate()
        assert outcome(codes.UNAVAILABLE, lambda: next(watch)) == "SHUTTING_DOWN"


@pytest.mark.parametrize(
    "field, code, reason",
    [
        (("grpc-encoding", "zstd"), 12, "UNKNOWN_ENCODING"),
        (("grpc-timeout", "soon"), 13, "MALFORMED_TIMEOUT"),
        ((":path", "/nonsense"), 12, "MALFORMED_METHOD_NAME"),
    ],
)
def test_calls_that_no_library_makes_are_refused_with_a_reason(service, field, code, reason):
    # In their order pseudo-headers come first, as they must.
    fields = dict([*CALL, field])
    with RawClient(service.port) as raw:
        raw.send(raw.headers(1, sorted(fields.items())))
        raw.send(frame(DATA, END_STREAM, 1, bytes(5)))
        answers = (raw.decoder.decode(payload) for kind, _, _, payload in raw.frames() if kind == HEADERS)
        answer = dict(next(answers))
    assert answer["grpc-status"] == str(code)
    assert answer["x-served-by"]
    status = status_pb2.Status.FromString(base64.b64decode(answer["grpc-status-details-bin"] + "=="))
    assert status.code == code and status.message
    info = error_details_pb2.ErrorInfo()
    assert [detail.Unpack(info) for detail in status.details] == [True]
    assert (info.reason, info.domain) == (reason, "user-service")
