# SPDX-License-Identifier: Apache-2.0
"""Every method of user-service, of every kind, with what goes wrong in each."""

from __future__ import annotations

import struct
import time

import grpc
from google.protobuf import field_mask_pb2
from google.rpc import error_details_pb2
from greeter import greeter_pb2
from user.v1 import user_pb2

from peers.raw import CALL, DATA, END_STREAM, HEADERS, RST_STREAM, RawClient, frame
from peers.users import creation, details, failing, name, person, reason, until

StatusCode = grpc.StatusCode
LIMIT = 4 << 20


def test_greeting(client):
    assert client.greet("Docker") == "Hello, Docker!"


def test_a_user_from_creation_to_deletion(client):
    made = client.create(role=user_pb2.USER_ROLE_ADMIN, roles=["editor"], phone_number="+44 20 7946 0000")
    assert client.get(made.id) == made
    change = user_pb2.UpdateUserRequest(
        user=user_pb2.User(id=made.id, name="Ada"), update_mask=field_mask_pb2.FieldMask(paths=["name", "roles"])
    )
    changed = client.users.UpdateUser(change, timeout=10)
    assert (changed.name, list(changed.roles), changed.email) == ("Ada", [], made.email)
    client.users.DeleteUser(user_pb2.DeleteUserRequest(user_id=made.id), timeout=10)
    with failing(StatusCode.NOT_FOUND):
        client.get(made.id)


def test_pages_hold_every_user_once(client):
    made = [client.create(name="Paged").id for _ in range(25)]
    assert [user.id for user in client.pages(7, 'name = "Paged"')] == made
    answer = client.users.ListUsers(user_pb2.ListUsersRequest(page_size=1), timeout=10)
    assert len(answer.users) == 1 and answer.total_size >= 25
    other = user_pb2.ListUsersRequest(page_token=answer.next_page_token, filter="role = ADMIN", page_size=-1)
    with failing(StatusCode.INVALID_ARGUMENT) as errors:
        client.users.ListUsers(other, timeout=10)
    violations = details(errors[0])[error_details_pb2.BadRequest].field_violations
    assert [violation.field for violation in violations] == ["page_size", "page_token"]


def test_an_export_holds_every_user_once(client):
    users = [creation(name="Exported") for _ in range(600)]
    answer = client.users.CreateUsers(iter(users), timeout=30)
    exported = [user.id for user in client.export('name = "Exported"')]
    assert exported == [user.id for user in answer.users]
    with failing(StatusCode.INVALID_ARGUMENT) as errors:
        list(client.export("name ="))
    assert "filter" in errors[0].details()


def test_bulk_creation_tells_of_each_failure(client):
    taken = client.create()
    rows = [creation(), creation(email=taken.email.upper()), user_pb2.CreateUserRequest(), creation()]
    answer = client.users.CreateUsers(iter(rows), timeout=10)
    assert (answer.success_count, answer.failure_count) == (2, 2)
    assert [user.email for user in answer.users] == [rows[0].user.email, rows[3].user.email]
    codes = [(error.index, error.status.code) for error in answer.errors]
    assert codes == [(1, StatusCode.ALREADY_EXISTS.value[0]), (2, StatusCode.INVALID_ARGUMENT.value[0])]
    assert [detail.type_url for detail in answer.errors[0].status.details]
    assert client.users.CreateUsers(iter([]), timeout=10) == user_pb2.CreateUsersResponse()


def test_errors_carry_what_helps(client):
    with failing(StatusCode.INVALID_ARGUMENT) as errors:
        client.users.CreateUser(user_pb2.CreateUserRequest(user=user_pb2.User(email="x")), timeout=10)
    violations = details(errors[0])[error_details_pb2.BadRequest].field_violations
    assert [violation.field for violation in violations] == ["user.email", "user.name"]
    assert reason(errors[0]) == "INVALID_REQUEST"
    with failing(StatusCode.INVALID_ARGUMENT) as errors:
        client.get("")
    assert errors[0].details() == "user_id is required"
    with failing(StatusCode.NOT_FOUND) as errors:
        client.get("nobody")
    resource = details(errors[0])[error_details_pb2.ResourceInfo]
    assert (resource.resource_type, resource.resource_name) == ("user.v1.User", "nobody")
    assert reason(errors[0]) == "USER_NOT_FOUND"
    taken = client.create()
    with failing(StatusCode.ALREADY_EXISTS) as errors:
        client.users.CreateUser(user_pb2.CreateUserRequest(user=person(email=taken.email)), timeout=10)
    assert details(errors[0])[error_details_pb2.ResourceInfo].resource_name == taken.email
    assert reason(errors[0]) == "EMAIL_TAKEN"
    paths = field_mask_pb2.FieldMask(paths=[f"nothing_{number}" for number in range(60)])
    with failing(StatusCode.INVALID_ARGUMENT) as errors:
        change = user_pb2.UpdateUserRequest(user=user_pb2.User(id=taken.id), update_mask=paths)
        client.users.UpdateUser(change, timeout=10)
    assert reason(errors[0]) == "INVALID_REQUEST"


def test_unknown_methods(client):
    for path in ("/user.v1.UserService/Nothing", "/no.Service/Nothing"):
        with failing(StatusCode.UNIMPLEMENTED):
            client.channel.unary_unary(path)(b"", timeout=10)


def test_deadline(service, client):
    with failing(StatusCode.DEADLINE_EXCEEDED):
        list(client.watch(timeout=0.2))
    fields = [(":path", "/user.v1.UserService/WatchUsers") if field[0] == ":path" else field for field in CALL]

    def outcome(timeout: str, patience: float | None) -> str:
        """How the server logs a call with a timeout, whose client gives up after a time, or never."""
        with RawClient(service.port) as raw:
            own = name()
            start = time.monotonic()
            raw.send(raw.headers(1, [*fields, ("grpc-timeout", timeout), ("x-request-id", own)]))
            raw.send(frame(DATA, END_STREAM, 1, bytes(5)))
            until(lambda: service.active("WatchUsers") > 0)
            if patience is not None:
                time.sleep(max(0, start + patience - time.monotonic()))
                raw.send(frame(RST_STREAM, 0, 1, struct.pack(">I", 8)))
            return service.line(rf"WatchUsers code=(\w+) .*request_id={own}")[1]

    # The server's own clock; a client that gives up at its deadline, a little before it is ours; and one before that.
    assert outcome("100m", None) == "DeadlineExceeded"
    assert outcome("2S", 1.93) == "DeadlineExceeded"
    assert outcome("100S", 0) == "Canceled"


def test_cancellation_reaches_the_handler(service, client):
    watches = [client.watch() for _ in range(5)]
    assert service.active("WatchUsers") == 5
    for watch in watches:
        watch.cancel()
    until(lambda: service.active("WatchUsers") == 0)
    # Half-way through an export and a bulk creation too.
    client.users.CreateUsers((creation() for _ in range(500)), timeout=30)
    export = client.export()
    next(export)
    export.cancel()
    rows = client.users.CreateUsers.future((creation() for _ in iter(int, 1)), timeout=30)
    until(lambda: service.active("CreateUsers") == 1)
    rows.cancel()
    until(lambda: service.active("CreateUsers") == 0 and service.active("StreamUsers") == 0)


def test_metadata(client):
    _, call = client.greeter.SayHello.with_call(
        greeter_pb2.HelloRequest(),
        metadata=[("x-request-id", "the-id-of-a-test"), ("some-bin", b"\x00\xff")],
        timeout=10,
    )
    leading = dict(call.initial_metadata())
    assert leading["x-request-id"] == "the-id-of-a-test" and leading["x-served-by"]


def test_request_messages_up_to_the_limit(client):
    def request(size: int) -> user_pb2.CreateUserRequest:
        request = user_pb2.CreateUserRequest(user=user_pb2.User(legacy_field="x" * (size - 100)))
        request.user.legacy_field += "x" * (size - request.ByteSize())
        assert request.ByteSize() == size
        return request

    for size in (LIMIT - 1, LIMIT):
        with failing(StatusCode.INVALID_ARGUMENT):
            client.users.CreateUser(request(size), timeout=20)
    with failing(StatusCode.RESOURCE_EXHAUSTED):
        client.users.CreateUser(request(LIMIT + 1), timeout=20)


def test_response_messages_up_to_the_limit(service):
    # "Hello, …!" with its field's number and a length of four bytes.
    room = LIMIT - 5 - len("Hello, !")
    with service.client(max_receive_message_length=-1) as client:
        for size in (room - 1, room):
            assert len(client.greet("x" * size, timeout=20)) == size + 8
        with failing(StatusCode.RESOURCE_EXHAUSTED):
            client.greet("x" * (room + 1), timeout=20)


def test_compressed_requests(client):
    user = client.users.CreateUser(creation(name="x" * 150), compression=grpc.Compression.Gzip, timeout=10)
    assert client.get(user.id).name == "x" * 150
    assert client.users.CreateUsers(
        (creation() for _ in range(50)), compression=grpc.Compression.Gzip, timeout=10
    ).success_count == 50


def raw_greeting(port: int, *extra) -> dict[str, str]:
    """The leading metadata of a long greeting."""
    text = b"x" * 5_000
    message = b"\x0a" + bytes([len(text) & 0x7F | 0x80, len(text) >> 7]) + text
    with RawClient(port) as raw:
        raw.send(raw.headers(1, [*CALL, *extra]))
        raw.send(frame(DATA, END_STREAM, 1, b"\x00" + len(message).to_bytes(4, "big") + message))
        for kind, _, stream, payload in raw.frames():
            if kind == HEADERS and stream == 1:
                return dict(raw.decoder.decode(payload))
    raise AssertionError("no answer")


def test_compressed_responses(user_service):
    with user_service("--compression=gzip") as server:
        assert raw_greeting(server.port, ("grpc-accept-encoding", "gzip"))["grpc-encoding"] == "gzip"
        assert raw_greeting(server.port).get("grpc-encoding", "identity") == "identity"
        unknown = raw_greeting(server.port, ("grpc-encoding", "zstd"))
        assert unknown["grpc-status"] == "12" and "gzip" in unknown["grpc-accept-encoding"]
        with server.client() as client:
            assert client.greet("x" * 5_000) == "Hello, " + "x" * 5_000 + "!"


def test_two_thousand_streams_at_once(service, client):
    with service.client() as one, service.client() as two:
        watches = [each.watch() for each in (one, two) for _ in range(1_000)]
        assert service.active("WatchUsers") == 2_000
        made = client.create()
        assert {next(watch).user.id for watch in watches} == {made.id}
    until(lambda: service.active("WatchUsers") == 0)
