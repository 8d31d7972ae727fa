# SPDX-License-Identifier: Apache-2.0
"""gateway in front of user-service, interop-server and grpcio's servers, asked by grpcio."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import os
import signal
import threading
import time

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

import interop
from EndToEnd.peers.tcp import free_port
from grpc.testing import test_pb2_grpc
from peers.users import Client, cancelling, creation, details, failing, until
from user.v1 import user_pb2

StatusCode = grpc.StatusCode

# Messages are compressed hop by hop: what one side does says nothing about the other one.
END_TO_END = [case for case in interop.CASES if "compressed" not in case.__name__]


@contextlib.contextmanager
def server_of(method, kind: str = "unary_unary", port: int = 0, name: str = "test.Any/Call", workers: int = 8):
    """A grpcio server with one method, whose messages are bytes; it does without reflection."""
    service, _, name = name.partition("/")
    handler = getattr(grpc, f"{kind}_rpc_method_handler")(method)
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(workers), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: handler}),))
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def call(channel: grpc.Channel, kind: str = "unary_unary", path: str = "/test.Any/Call"):
    return getattr(channel, kind)(path)


# --- What passes through


@pytest.fixture(scope="module", params=["plaintext", "tls"])
def interop_channel(request, programs, gateway, certificates):
    """The public interoperability tests' server behind a gateway; TLS on both hops, or on none."""
    options = [("grpc.max_receive_message_length", -1)]
    backend_flags, flags = [], []
    if request.param == "tls":
        files = [certificates("server.pem"), certificates("server.key")]
        backend_flags = ["--use_tls=true", f"--tls_cert_file={files[0]}", f"--tls_key_file={files[1]}"]
        flags = [f"--tls-cert={files[0]}", f"--tls-key={files[1]}", f"--backend-ca={certificates('ca.pem')}"]
    with programs("interop-server", "--port=0", *backend_flags) as server:
        with gateway(f"localhost:{server.port}", *flags) as front:
            if request.param == "tls":
                with open(certificates("ca.pem"), "rb") as file:
                    credentials = grpc.ssl_channel_credentials(file.read())
                channel = grpc.secure_channel(f"localhost:{front.port}", credentials, options=options)
            else:
                channel = grpc.insecure_channel(f"127.0.0.1:{front.port}", options=options)
            with channel:
                yield channel


@pytest.mark.parametrize("case", END_TO_END, ids=lambda case: case.__name__)
def test_interoperability(interop_channel, case):
    case(test_pb2_grpc.TestServiceStub(interop_channel))


def test_metadata_goes_both_ways(gateway):
    seen = {}

    def answer(request, context):
        seen.update({key: value for key, value in context.invocation_metadata()})
        seen["time"] = context.time_remaining()
        context.send_initial_metadata([("x-first", "1"), ("x-raw-bin", b"\x00\xff")])
        context.set_trailing_metadata([("x-last", "2"), ("x-served-by", "the backend")])
        return request

    with server_of(answer) as backend, gateway(backend) as front, front.client() as client:
        metadata = [("authorization", "Bearer t"), ("x-own-bin", b"\x01\xfe"), ("x-request-id", "r-1")]
        answered, done = call(client.channel).with_call(b"hello", timeout=7, metadata=metadata)
    assert answered == b"hello"
    assert seen["authorization"] == "Bearer t" and seen["x-own-bin"] == b"\x01\xfe" and seen["x-request-id"] == "r-1"
    assert 1 < seen["time"] <= 7
    assert seen["user-agent"].startswith("sonde-gateway/")
    leading, trailing = dict(done.initial_metadata()), done.trailing_metadata()
    assert leading["x-first"] == "1" and leading["x-raw-bin"] == b"\x00\xff" and leading["x-request-id"] == "r-1"
    assert [value for key, value in trailing if key == "x-last"] == ["2"]
    assert [value for key, value in trailing if key == "x-served-by"] == ["the backend"]


def test_failures_pass_unchanged(service, gateway):
    with gateway(service.target) as front, front.client() as through, service.client() as direct:
        front.ready()
        for request in [creation(email="nonsense"), user_pb2.CreateUserRequest()]:
            errors = []
            for client in (direct, through):
                with failing(StatusCode.INVALID_ARGUMENT) as box:
                    client.users.CreateUser(request, timeout=10)
                errors.append(box[0])
            assert errors[0].details() == errors[1].details()
            assert details(errors[0]) == details(errors[1]) != {}
            names = [key for key, _ in errors[1].trailing_metadata()]
            assert len(names) == len(set(names)), names


def test_a_failure_without_details_gets_none(gateway):
    def fail(request, context):
        context.abort(StatusCode.ABORTED, "try again, said the backend")

    for kind in ("unary_unary", "unary_stream"):
        with server_of(fail, kind) as backend, gateway(backend) as front, front.client() as client:
            with failing(StatusCode.ABORTED) as box:
                answer = call(client.channel, kind)(b"", timeout=10)
                list(answer) if kind == "unary_stream" else answer
            assert box[0].details() == "try again, said the backend"
            assert "grpc-status-details-bin" not in dict(box[0].trailing_metadata())


def test_a_client_that_gives_up_is_heard_by_the_backend(gateway):
    gone = threading.Event()

    def wait(requests, context):
        context.add_callback(gone.set)
        yield b"begun"
        gone.wait(20)

    with server_of(wait, "stream_stream") as backend, gateway(backend) as front, front.client() as client:
        answers = call(client.channel, "stream_stream")(iter([b"1"]), timeout=30)
        assert next(answers) == b"begun"
        answers.cancel()
        assert gone.wait(15)
        until(lambda: "code=Canceled" in "".join(front.lines))


def test_messages_come_one_by_one(gateway):
    """Neither side has to end before what the other one said is passed on."""

    def echo(requests, context):
        for request in requests:
            yield request + b"!"

    with server_of(echo, "stream_stream") as backend, gateway(backend) as front, front.client() as client:
        said = iter([])
        turn = threading.Semaphore(1)

        def speak():
            for number in range(20):
                turn.acquire()
                yield b"%d" % number

        said = call(client.channel, "stream_stream")(speak(), timeout=20)
        for number, answer in enumerate(said):
            assert answer == b"%d!" % number
            turn.release()
        assert number == 19


def test_a_client_that_does_not_read_holds_the_backend_back(gateway):
    sent = [0]
    block = b"x" * 100_000

    def pour(request, context):
        while sent[0] < 2_000 and context.is_active():
            sent[0] += 1
            yield block

    with server_of(pour, "unary_stream") as backend, gateway(backend) as front, front.client() as client:
        before = front.memory()
        answers = call(client.channel, "unary_stream")(b"", timeout=60)
        next(answers)
        last = -1
        while sent[0] != last:
            last = sent[0]
            time.sleep(1)
        assert sent[0] < 500, "the backend was not held back"
        assert front.memory() - before < 30 << 20
        assert 1 + sum(1 for _ in answers) == sent[0] == 2_000


# --- Which backend


def test_calls_of_one_connection_go_to_each_server_in_turn(user_service, gateway):
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(user_service(f"--instance=u{number}")) for number in range(3)]
        addresses = ",".join(server.target for server in servers)
        front = stack.enter_context(gateway(f"users=static:{addresses}", "--threads=1")).ready()
        client = stack.enter_context(front.client())
        # Connections come to be one after another.
        until(lambda: len({served_by(client) for _ in range(6)}) == 3)
        counts = collections.Counter(served_by(client) for _ in range(300))
        assert sorted(counts.values()) == [100, 100, 100]


def served_by(client: Client) -> str:
    from greeter import greeter_pb2

    _, done = client.greeter.SayHello.with_call(greeter_pb2.HelloRequest(name="x"), timeout=10)
    names = [value for key, value in done.initial_metadata() if key == "x-served-by"]
    assert len(names) == 1
    return names[0]


def test_services_go_to_the_backends_that_have_them(user_service, gateway):
    with user_service() as users, described("shop.v1", ["Sell"]) as shop:
        with gateway(f"users={users.target}", f"shop={shop.target}") as front, front.client() as client:
            front.line("backend users told its schema")
            front.line("backend shop told its schema")
            assert client.greet("Ada") == "Hello, Ada!"
            assert call(client.channel, path="/shop.v1.Shop/Sell")(b"", timeout=10) == b""
            with failing(StatusCode.UNIMPLEMENTED) as box:
                call(client.channel, path="/shop.v2.Shop/Sell")(b"", timeout=10)
            assert "shop.v2.Shop" in box[0].details()
            with failing(StatusCode.UNIMPLEMENTED):
                call(client.channel, path="/shop.v1.Shop/Buy")(b"", timeout=10)


def test_reflection_is_of_all_backends(user_service, gateway):
    with user_service() as users, described("shop.v1", ["Sell"]) as shop:
        with gateway(users.target, shop.target) as front, front.client() as client:
            until(lambda: sum("told its schema" in line for line in front.lines) == 2)
            database = ProtoReflectionDescriptorDatabase(client.channel)
            assert list(database.get_services()) == [
                "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection", "pb.Greeter", "shop.v1.Shop", "user.v1.UserService",
            ]  # fmt: skip
            pool = descriptor_pool.DescriptorPool(database)
            assert pool.FindMethodByName("shop.v1.Shop.Sell").input_type.full_name == "shop.v1.Item"
            user = message_factory.GetMessageClass(pool.FindMessageTypeByName("user.v1.User"))
            assert user.FromString(user_pb2.User(name="Ada").SerializeToString()).name == "Ada"


def test_health_is_the_gateways_own(service, gateway):
    with gateway(service.target) as front, front.client() as client:
        front.ready()
        health = health_pb2_grpc.HealthStub(client.channel)
        own = health.Check(health_pb2.HealthCheckRequest(), timeout=10)
        assert own.status == health_pb2.HealthCheckResponse.SERVING
        with failing(StatusCode.NOT_FOUND):
            health.Check(health_pb2.HealthCheckRequest(service="user.v1.UserService"), timeout=10)


# --- Schemas that change, backends that come and go


class Described:
    """A grpcio server of a service whose methods give back what they get; its schema is told by reflection."""

    def __init__(self, package: str, methods: list[str], port: int = 0):
        file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
        file.message_type.add(name="Item").field.add(name="name", number=1, type=9, label=1)
        service = file.service.add(name="Shop")
        for method in methods:
            service.method.add(name=method, input_type=f".{package}.Item", output_type=f".{package}.Item")
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        handlers = {name: grpc.unary_unary_rpc_method_handler(lambda request, context: request) for name in methods}
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(f"{package}.Shop", handlers),))
        reflection.enable_server_reflection([f"{package}.Shop", reflection.SERVICE_NAME], self.server, pool=pool)
        self.port = self.server.add_insecure_port(f"127.0.0.1:{port}")
        self.target = f"127.0.0.1:{self.port}"
        self.server.start()

    def __enter__(self) -> "Described":
        return self

    def __exit__(self, *_) -> None:
        self.server.stop(None).wait()


described = Described


def listed(client: Client) -> list[str]:
    return list(ProtoReflectionDescriptorDatabase(client.channel).get_services())


def test_it_starts_without_a_backend_and_says_what_it_lacks(gateway, programs):
    port = free_port()
    with gateway(f"users=127.0.0.1:{port}") as front, front.client() as client:
        code, reason = front.admin("/readyz")
        assert code == 503 and "backend users" in reason
        health = health_pb2_grpc.HealthStub(client.channel)
        assert health.Check(health_pb2.HealthCheckRequest(), timeout=10).status == 2
        with failing(StatusCode.UNAVAILABLE) as box:
            client.greet(timeout=10)
        assert f"127.0.0.1:{port}" in box[0].details()
        with programs("user-service", "--database=:memory:", f"--listen=127.0.0.1:{port}", "--admin=off"):
            front.line("backend users told its schema", timeout=30)
            until(lambda: front.admin("/readyz")[0] == 200)
            assert client.greet("Ada") == "Hello, Ada!"


def test_a_backend_without_reflection_is_served_all_the_same(gateway):
    with server_of(lambda request, context: request[::-1]) as backend, gateway(backend) as front:
        front.line("does not offer reflection; switch it on at the backend")
        with front.client() as client:
            assert call(client.channel)(b"abc", timeout=10) == b"cba"


def test_a_changed_schema_is_noticed(gateway):
    port = free_port()
    with gateway(f"127.0.0.1:{port}", "--schema-interval=1s") as front, front.client() as client:
        with Described("shop.v1", ["Sell"], port):
            until(lambda: "shop.v1.Shop" in listed(client))
            sell = call(client.channel, path="/shop.v1.Shop/Sell")
            assert sell(b"", timeout=10) == b""
        with Described("shop.v2", ["Sell", "Buy"], port):
            until(lambda: "shop.v2.Shop" in listed(client), timeout=30)
            assert "shop.v1.Shop" not in listed(client)
            assert call(client.channel, path="/shop.v2.Shop/Buy")(b"", timeout=10, wait_for_ready=True) == b""


def test_a_rolling_restart_costs_no_call(user_service, gateway, folder):
    """Each of three servers ends and comes back at its place, under load."""
    database = f"--database={folder}/users.db"
    ports = [free_port() for _ in range(3)]

    def start(port: int):
        return user_service(database, f"--listen=127.0.0.1:{port}", f"--instance=u{port}", "--shutdown-grace=10s")

    servers = [start(port) for port in ports]
    try:
        for server in servers:
            server.line("listening on")
        target = "static:" + ",".join(f"127.0.0.1:{port}" for port in ports)
        with gateway(f"users={target}") as front, front.client() as client:
            front.ready()
            over = threading.Event()
            failures, done = [], [0] * 4

            def load(place: int) -> None:
                while not over.is_set():
                    try:
                        client.greet()
                        done[place] += 1
                    except grpc.RpcError as error:
                        failures.append(f"{error.code()}: {error.details()}")

            threads = [threading.Thread(target=load, args=[place]) for place in range(4)]
            for thread in threads:
                thread.start()
            for place, port in enumerate(ports):
                assert servers[place].stop() == 0
                servers[place].__exit__()
                servers[place] = start(port)
                # As an orchestrator does it: the next one follows once this one is back in service.
                until(lambda: served_by(client) == f"u{port}")
                reached = sum(done)
                until(lambda: sum(done) > reached + 200)
            over.set()
            for thread in threads:
                thread.join()
            assert failures == []
    finally:
        for server in servers:
            server.__exit__()


def test_a_hung_backend_costs_no_more_than_the_deadline(user_service, gateway):
    with user_service() as server, gateway(server.target) as front, front.client() as client:
        front.ready()
        client.greet()
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            with failing(StatusCode.DEADLINE_EXCEEDED):
                client.greet(timeout=1)
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        assert client.greet("again") == "Hello, again!"


def test_a_killed_backend_fails_calls_with_its_reason(gateway, user_service):
    with user_service() as server, gateway(server.target) as front, front.client() as client:
        front.ready()
        watch = client.watch()
        server.process.kill()
        with failing(StatusCode.UNAVAILABLE) as box:
            next(watch)
        assert box[0].details()
        with failing(StatusCode.UNAVAILABLE) as box:
            client.greet(timeout=10)
        assert server.target in box[0].details()
        # The gateway itself lives, and says what is wrong.
        until(lambda: front.admin("/healthz")[0] == 200)


def test_it_drains(service, gateway):
    with gateway(service.target, "--lame-duck=1s") as front, front.client() as client:
        front.ready()
        with cancelling(client.watch()) as watch:
            front.process.send_signal(signal.SIGTERM)
            until(lambda: front.admin("/readyz")[0] == 503)
            client.greet()
            service_client = service.client()
            made = service_client.create()
            assert next(watch).user.id == made.id
        assert front.process.wait(20) == 0


# --- Flags


@pytest.mark.parametrize(
    "words, says",
    [
        ([], "no backend is named; give one by --backend host:port"),
        (["a=localhost:1", "a=localhost:2"], "twice"),
        (["dns:///"], "--backend"),
        (["localhost:1", "--backend-ca=/nothing"], "/nothing cannot be read"),
        (["localhost:1", "--backend-cert=x"], "--backend-cert and --backend-key go together"),
        (["localhost:1", "--service-config=/etc/hostname"], "/etc/hostname"),
        (["localhost:1", "--schema-interval=1ms"], "--schema-interval is at least 1s"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(gateway, words, says):
    with gateway(*words) as front:
        assert front.process.wait(20) in (1, 64)
        until(lambda: front.lines[-1:] == [""])
        assert says in front.lines[0] and front.lines[0].startswith("gateway: ")
        assert len(front.lines) == 2


def test_the_environment_names_backends(service, gateway):
    for variable in ("SONDE_BACKEND", "GRPC_SERVER_ADDRESS"):
        with gateway(env=os.environ | {variable: service.target}) as front, front.client() as client:
            front.ready()
            assert client.greet("Ada") == "Hello, Ada!"


def test_mutual_tls_to_the_backend(user_service, gateway, certificates):
    files = [f"--tls-cert={certificates('server.pem')}", f"--tls-key={certificates('server.key')}"]
    files.append(f"--tls-client-ca={certificates('ca.pem')}")
    own = [f"--backend-cert={certificates('client.pem')}", f"--backend-key={certificates('client.key')}"]
    with user_service(*files) as server:
        target = f"localhost:{server.port}"
        with gateway(target, f"--backend-ca={certificates('ca.pem')}", *own) as front, front.client() as client:
            assert client.greet("Ada") == "Hello, Ada!"
        with gateway(target, f"--backend-ca={certificates('ca.pem')}") as front, front.client() as client:
            with failing(StatusCode.UNAVAILABLE) as box:
                client.greet(timeout=10)
            assert "certificate" in box[0].details()


def test_retries_come_from_the_service_config(gateway, folder):
    calls = [0]

    def flaky(request, context):
        calls[0] += 1
        if calls[0] % 3:
            context.abort(StatusCode.UNAVAILABLE, "not this time")
        return request

    retry = '{"maxAttempts":3,"initialBackoff":"0.01s","maxBackoff":"0.1s","backoffMultiplier":1,'
    retry += '"retryableStatusCodes":["UNAVAILABLE"]}'
    config = folder / "config.json"
    config.write_text('{"methodConfig":[{"name":[{"service":"test.Any"}],"retryPolicy":%s}]}' % retry)
    with server_of(flaky) as backend, gateway(backend, f"--service-config={config}") as front, front.client() as client:
        for _ in range(5):
            assert call(client.channel)(b"x", timeout=10) == b"x"
    assert calls[0] == 15
