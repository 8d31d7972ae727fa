# SPDX-License-Identifier: Apache-2.0
"""gateway as clients of REST and gRPC-Web meet it, in front of user-service, asked by curl."""

from __future__ import annotations

import base64
import json
import signal

import grpc
import pytest

from greeter import greeter_pb2
from peers.users import cancelling, name, until
from peers.web import Web
from test_gateway import call, server_of


@pytest.fixture(scope="module")
def front(service, gateway):
    """A gateway in front of the shared user-service, which opens the greeter to JSON, too."""
    with gateway(service.target, "--expose=pb.*") as front:
        yield front.ready()


@pytest.fixture(scope="module", params=["1.1", "2"])
def web(request, front):
    """A client of one of the versions of HTTP that share the port."""
    return Web(front.port, request.param)


def new_user(**fields) -> dict:
    own = name()
    return {"name": own, "email": f"{own}@example.com", **fields}


# --- One message each way


def test_a_user_is_made_read_changed_and_removed(web, client):
    user = new_user()
    made = web.ask("POST", "/v1/users", user)
    assert made.status == 200 and made.fields["content-type"] == "application/json"
    assert made.json["email"] == user["email"]
    path = "/v1/users/" + made.json["id"]
    assert web.ask("GET", path).json == made.json
    assert client.get(made.json["id"]).name == user["name"]
    changed = web.ask("PATCH", path, {"name": "Grace"})
    assert changed.status == 200 and changed.json["name"] == "Grace" and changed.json["email"] == user["email"]
    assert web.ask("DELETE", path).json == {}
    assert web.ask("GET", path).status == 404


def test_failures_are_a_status_with_details_and_the_request_s_id(web):
    gone = web.ask("GET", "/v1/users/nobody", x_request_id="r-7")
    assert gone.status == 404 and gone.json["code"] == 5 and gone.fields["x-request-id"] == "r-7"
    assert gone.detail("ErrorInfo")["reason"] == "USER_NOT_FOUND"
    assert gone.detail("RequestInfo")["requestId"] == "r-7"
    bad = web.ask("POST", "/v1/users", new_user(email="nonsense"))
    assert bad.status == 400
    assert bad.detail("BadRequest")["fieldViolations"][0]["field"] == "user.email"
    wrong = web.ask("POST", "/v1/users", {"name": 3})
    assert wrong.status == 400 and wrong.detail("ErrorInfo")["reason"] == "INVALID_BODY"


@pytest.mark.parametrize(
    "method, path, body, headers, status",
    [
        ("GET", "/v1/nothing", None, {}, 404),
        ("PUT", "/v1/users", None, {}, 405),
        ("GET", "/v1/users", None, {"accept": "text/html"}, 406),
        ("POST", "/v1/users", None, {"content_type": "text/xml"}, 415),
        ("GET", "/v1/users/x", None, {"grpc_timeout": "soon"}, 400),
        ("GET", "/v1/users?page_size=many", None, {}, 400),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_the_same_shape(web, method, path, body, headers, status):
    answer = web.ask(method, path, body, **headers)
    assert answer.status == status
    assert set(answer.json) == {"code", "message", "details"} and answer.json["message"]
    assert answer.fields["content-type"] == "application/json"
    if status == 405:
        assert answer.fields["allow"] == "GET, HEAD, OPTIONS, POST"


def test_a_body_that_is_too_large(service, gateway):
    with gateway(service.target, "--max-message-size=1KiB") as front:
        large = Web(front.ready().port).ask("POST", "/v1/users", new_user(name="x" * 2_000))
        assert large.status == 413 and large.detail("ErrorInfo")["reason"] == "BODY_TOO_LARGE"


def test_head_and_options(web):
    head = web.ask("HEAD", "/v1/users?page_size=1")
    assert head.status == 200 and head.body == b"" and int(head.fields["content-length"]) > 0
    options = web.ask("OPTIONS", "/v1/users")
    assert options.status == 204 and options.fields["allow"] == "GET, HEAD, OPTIONS, POST" and options.body == b""


def test_methods_without_annotations_are_open_where_the_flag_says_so(web):
    assert web.ask("POST", "/pb.Greeter/SayHello", {"name": "Ada"}).json == {"message": "Hello, Ada!"}
    assert web.ask("POST", "/user.v1.UserService/ListUsers").status == 404


def test_tokens_deadlines_and_the_log_are_those_of_every_call(service, gateway, folder):
    tokens = folder / "tokens"
    tokens.write_text("secret\n")
    with gateway(service.target, f"--auth-token-file={tokens}") as front:
        web = Web(front.ready().port)
        denied = web.ask("GET", "/v1/users")
        assert denied.status == 401 and denied.json["code"] == 16 and "www-authenticate" in denied.fields
        assert web.ask("GET", "/v1/users", authorization="Bearer secret", x_request_id="seen").status == 200
        front.line("method=user.v1.UserService/ListUsers code=OK .*request_id=seen")
        late = web.ask("GET", "/v1/users:watch", authorization="Bearer secret", x_server_timeout="0.5")
        assert late.json["error"]["code"] == 4


def test_no_backend_is_said_in_json(gateway):
    with server_of(lambda request, context: request) as backend:
        with gateway(backend) as front:
            assert Web(front.port).ask("GET", "/v1/users").status == 404


def test_a_backend_that_is_gone_is_said_in_json(user_service, gateway):
    with user_service() as server, gateway(server.target) as front:
        web = Web(front.ready().port)
        assert web.ask("GET", "/v1/users").status == 200
        server.process.kill()
        server.process.wait()
        gone = web.ask("GET", "/v1/users")
        assert gone.status == 503 and gone.json["code"] == 14 and gone.json["message"]


# --- Streams


@pytest.fixture(scope="module")
def users(web):
    """The names of users who are there."""
    made = [web.ask("POST", "/v1/users", new_user()) for _ in range(3)]
    return [answer.json["name"] for answer in made]


def test_a_stream_is_lines_events_or_an_array(web, users):
    lines = web.ask("GET", "/v1/users:stream")
    assert lines.fields["content-type"] == "application/x-ndjson"
    said = [json.loads(line)["result"]["name"] for line in lines.body.splitlines()]
    assert set(users) <= set(said)
    array = web.ask("GET", "/v1/users:stream", accept="application/json")
    assert [user["name"] for user in array.json] == said
    events = web.ask("GET", "/v1/users:stream", accept="text/event-stream")
    assert events.fields["content-type"] == "text/event-stream"
    blocks = events.body.decode().strip().split("\n\n")
    assert [json.loads(block.removeprefix("data: "))["name"] for block in blocks[:-1]] == said
    assert blocks[-1] == "event: end\ndata: {}"


def test_a_stream_that_fails_at_once_has_the_failure_s_status(web):
    assert web.ask("GET", "/v1/users:stream?filter=(").status == 400


def test_events_come_one_by_one_and_a_client_that_leaves_is_noticed(web, service, client):
    with web.follow("/v1/users:watch", accept="text/event-stream") as stream:
        until(lambda: service.active("WatchUsers") == 1)
        for _ in range(3):
            made = client.create()
            assert json.loads(stream.until("data: ").removeprefix("data: "))["user"]["id"] == made.id
    until(lambda: service.active("WatchUsers") == 0)


def test_an_array_that_fails_in_the_middle_is_cut_off(web):
    answer = web.ask("GET", "/v1/users:watch", accept="application/json", grpc_timeout="500m")
    assert answer.status == 200 and answer.code != 0


@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_stream_of_requests(web, form):
    users = [{"user": new_user()} for _ in range(20)] + [{"user": new_user(email="nonsense")}]
    texts = [json.dumps(user) for user in users]
    body = "\n".join(texts) if form == "lines" else "[" + ",".join(texts) + "]"
    kind = "application/x-ndjson" if form == "lines" else "application/json"
    made = web.ask("POST", "/v1/users:batchCreate", body.encode(), content_type=kind)
    assert made.status == 200
    assert made.json["successCount"] == 20 and made.json["failureCount"] == 1
    cut = web.ask("POST", "/v1/users:batchCreate", body.encode()[:-3], content_type=kind)
    assert cut.status == 400


def test_a_client_that_does_not_read_holds_the_backend_back(web, service, gateway, client):
    """The stream's answers are many times what all buffers on the way have room for."""
    # curl takes what its pipe takes, and nobody reads that.
    before = service.memory()
    with web.follow("/v1/users:watch") as stream:
        until(lambda: service.active("WatchUsers") == 1)
        for _ in range(200):
            client.create()
        assert stream.until('{"result"')
    assert service.memory() - before < 100 << 20


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_it_drains(service, gateway, client, version):
    with gateway(service.target, "--lame-duck=1s") as front:
        web = Web(front.ready().port, version)
        with web.follow("/v1/users:watch", accept="text/event-stream") as stream:
            until(lambda: service.active("WatchUsers") >= 1)
            front.process.send_signal(signal.SIGTERM)
            until(lambda: front.admin("/readyz")[0] == 503)
            made = client.create()
            assert json.loads(stream.until("data: ").removeprefix("data: "))["user"]["id"] == made.id
        assert front.process.wait(20) == 0


# --- gRPC-Web


def test_grpc_web(web):
    request = greeter_pb2.HelloRequest(name="Ada").SerializeToString()
    framed = b"\0" + len(request).to_bytes(4, "big") + request
    for kind, code in [
        ("application/grpc-web+proto", bytes),
        ("application/grpc-web-text", base64.b64encode),
    ]:
        answer = web.ask("POST", "/pb.Greeter/SayHello", code(framed), content_type=kind)
        assert answer.status == 200 and answer.fields["content-type"].startswith(kind)
        if code is bytes:
            body = answer.body
        else:
            # Each frame is coded by itself, and ends with its padding.
            parts = [part for part in answer.body.split(b"=") if part]
            body = b"".join(base64.b64decode(part + b"=" * (-len(part) % 4)) for part in parts)
        length = int.from_bytes(body[1:5], "big")
        assert greeter_pb2.HelloReply.FromString(body[5 : 5 + length]).message == "Hello, Ada!"
        trailers = body[5 + length :]
        assert trailers[0] == 0x80 and b"grpc-status: 0\r\n" in trailers
    unknown = web.ask("POST", "/no.Such/Method", b"\0\0\0\0\0", content_type="application/grpc-web+proto")
    assert b"grpc-status: 12" in unknown.body


def test_calls_of_grpc_are_as_before(front):
    with front.client() as client, cancelling(client.watch()):
        assert client.greet("Ada") == "Hello, Ada!"
        with grpc.insecure_channel(front.target) as channel, pytest.raises(grpc.RpcError) as failure:
            call(channel, path="/no.Such/Method")(b"", timeout=10)
        assert failure.value.code() in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL)
