# SPDX-License-Identifier: Apache-2.0
"""Spans of user-service, received by a collector that grpcio plays, and what goes along without one."""

from __future__ import annotations

import queue

import grpc
import pytest

from greeter import greeter_pb2, greeter_pb2_grpc
from peers.collector import EXPORT, Collector
from peers.users import until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def say_hello(port: int, *metadata) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = greeter_pb2_grpc.GreeterStub(channel)
        assert stub.SayHello(greeter_pb2.HelloRequest(name="you"), timeout=10, metadata=metadata).message


def test_spans_reach_the_collector(programs):
    """A call's span is exported within the caller's trace, at the latest when the service ends."""
    with Collector() as collector:
        flags = ["--database=:memory:", "--listen=127.0.0.1:0", "--admin=off", "--instance=traced"]
        with programs("user-service", *flags, f"--otlp-endpoint=127.0.0.1:{collector.port}") as server:
            say_hello(server.port, ("traceparent", PARENT))
            assert server.stop() == 0
        request = collector.requests.get(timeout=20)
    assert bytes.fromhex(TRACE) in request
    assert bytes.fromhex("b7ad6b7169203331") in request
    for text in (b"pb.Greeter/SayHello", b"service.name", b"user-service", b"traced", b"rpc.method"):
        assert text in request, text


def test_the_export_is_counted_as_any_other_call_of_a_client(user_service):
    with Collector() as collector:
        with user_service(f"--otlp-endpoint=127.0.0.1:{collector.port}") as server:
            say_hello(server.port, ("traceparent", PARENT))
            collector.requests.get(timeout=20)
            method = f'grpc_method="{EXPORT[1:]}"'
            target = f'grpc_target="dns:///127.0.0.1:{collector.port}"'
            assert server.metric(f"grpc_client_attempt_started_total{{{method},{target}}}") >= 1
            ended = f'grpc_client_call_duration_seconds_count{{{method},grpc_status="OK",{target}}}'
            until(lambda: server.metric(ended) >= 1)


def test_a_caller_that_is_not_sampled_is_not_recorded(programs):
    with Collector() as collector:
        flags = ["--database=:memory:", "--listen=127.0.0.1:0", "--admin=off"]
        with programs("user-service", *flags, f"--otlp-endpoint=127.0.0.1:{collector.port}") as server:
            say_hello(server.port, ("traceparent", PARENT[:-1] + "0"))
            assert server.stop() == 0
        with pytest.raises(queue.Empty):
            collector.requests.get(timeout=0.5)


def test_a_collector_that_is_away_harms_nobody(programs):
    """Calls go on, and the service ends in its time."""
    flags = ["--database=:memory:", "--listen=127.0.0.1:0", "--admin=off"]
    with programs("user-service", *flags, "--otlp-endpoint=127.0.0.1:1") as server:
        say_hello(server.port)
        assert server.stop() == 0
