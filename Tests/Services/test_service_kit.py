# SPDX-License-Identifier: Apache-2.0
"""What every service brings along: errors that a program can tell apart, and a log that can show frames."""

from __future__ import annotations

import os
import urllib.request

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from greeter import greeter_pb2, greeter_pb2_grpc

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
