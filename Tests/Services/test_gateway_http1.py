# SPDX-License-Identifier: Apache-2.0
"""What is HTTP/1.1's alone in gateway, byte by byte."""

from __future__ import annotations

import json
import socket
import subprocess

import pytest

from peers.users import name, until
from peers.web import Stream

LIST = b"GET /v1/users?page_size=1 HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture(scope="module")
def front(service, gateway):
    with gateway(service.target) as front:
        yield front.ready()


class Connection:
    """A connection, whose responses are read one by one."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def head(self) -> tuple[str, dict[str, str]]:
        first = self.file.readline().decode().rstrip()
        fields = {}
        while line := self.file.readline().strip():
            key, _, value = line.decode().partition(":")
            fields[key.lower()] = value.strip()
        return first, fields

    def chunk(self) -> bytes:
        size = int(self.file.readline(), 16)
        data = self.file.read(size)
        assert self.file.readline() == b"\r\n"
        return data

    def answer(self, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        first, fields = self.head()
        body = self.file.read(int(fields["content-length"])) if has_body else b""
        return int(first.split(" ")[1]), fields, body

    def is_over(self) -> bool:
        try:
            return self.file.read() == b""
        except ConnectionError:
            return True

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture
def connection(front):
    with Connection(front.port) as connection:
        yield connection


def creation(text: str = "") -> bytes:
    own = text or name()
    return json.dumps({"name": own, "email": f"{own}@example.com"}).encode()


def test_a_connection_is_kept(connection):
    for _ in range(3):
        connection.send(LIST + b"\r\n")
        assert connection.answer()[0] == 200
        connection.send(b"GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.answer()[0] == 404
        body = b'{"name":3}'
        connection.send(b"POST /v1/users HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert connection.answer()[0] == 400


def test_a_connection_is_closed_where_the_client_says_so(connection):
    connection.send(LIST + b"Connection: close\r\n\r\n")
    status, fields, _ = connection.answer()
    assert status == 200 and fields["connection"] == "close" and connection.is_over()


def test_requests_that_come_together_are_answered_in_their_order(connection):
    missing = b"GET /v1/users/none-%d HTTP/1.1\r\nHost: a\r\nX-Request-Id: r%d\r\n\r\n"
    connection.send(b"".join(missing % (number, number) for number in range(50)))
    for number in range(50):
        status, fields, _ = connection.answer()
        assert status == 404 and fields["x-request-id"] == f"r{number}"


def test_nothing_is_answered_behind_the_last_request(connection):
    connection.send(LIST + b"Connection: close\r\n\r\n" + LIST + b"\r\n")
    assert connection.answer()[0] == 200
    assert connection.is_over()


def test_a_target_may_be_a_whole_url(connection):
    connection.send(LIST.replace(b"/v1", b"http://a/v1") + b"\r\n")
    assert connection.answer()[0] == 200


def test_a_body_in_chunks(connection):
    body = creation()
    connection.send(b"POST /v1/users HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for byte in body:
        connection.send(b"1\r\n%c\r\n" % byte)
    connection.send(b"0\r\n\r\n")
    assert connection.answer()[0] == 200


def test_a_client_that_waits_is_told_to_continue_where_its_body_is_wanted(connection):
    body = creation()
    length = b"Host: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
    connection.send(b"POST /v1/users HTTP/1.1\r\n" + length)
    assert connection.head()[0] == "HTTP/1.1 100 Continue"
    connection.send(body)
    assert connection.answer()[0] == 200
    connection.send(b"POST /v1/nothing HTTP/1.1\r\n" + length)
    status, fields, _ = connection.answer()
    assert status == 404 and fields["connection"] == "close" and connection.is_over()


def test_head_leaves_the_connection_in_order(connection):
    for target in (b"/v1/users", b"/v1/users:stream"):
        connection.send(b"HEAD " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        status, fields, _ = connection.answer(has_body=False)
        assert status == 200 and "transfer-encoding" not in fields
    connection.send(LIST + b"\r\n")
    assert connection.answer()[0] == 200


def test_http_1_0(front, client):
    client.create()
    with Connection(front.port) as connection:
        connection.send(b"GET /v1/users HTTP/1.0\r\n\r\n")
        status, fields, _ = connection.answer()
        assert status == 200 and connection.is_over()
    with Connection(front.port) as connection:
        connection.send(b"GET /v1/users:stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        _, fields = connection.head()
        assert fields["connection"] == "close" and "transfer-encoding" not in fields
        assert b'{"result":' in connection.file.read()


def test_a_stream_is_chunks_and_one_that_fails_has_no_end(connection, service, client):
    connection.send(b"GET /v1/users:watch HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\nGrpc-Timeout: 3S\r\n\r\n")
    _, fields = connection.head()
    assert fields["transfer-encoding"] == "chunked"
    made = client.create()
    assert made.id.encode() in connection.chunk()
    assert connection.is_over()


def test_a_client_that_leaves_ends_its_call(front, service):
    with Connection(front.port) as connection:
        connection.send(b"GET /v1/users:watch HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.head()
        until(lambda: service.active("WatchUsers") == 1)
    until(lambda: service.active("WatchUsers") == 0)


@pytest.mark.parametrize(
    "request_bytes, status",
    [
        (b"GET /v1/users HTTP/1.1\r\n\r\n", 400),
        (b"GET /v1/users HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /v1/users HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"POST /v1/users HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /v1/users HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", 400),
        (b"POST /v1/users HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET /v1/users HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
        (b"GET /v1/users HTTP/1.1\r\nHost: a\r\n" + b"X: x\r\n" * 200 + b"\r\n", 431),
    ],
)
def test_what_is_no_request_is_told_in_json_and_ends_the_connection(connection, request_bytes, status):
    connection.send(request_bytes)
    answered, fields, body = connection.answer()
    assert answered == status and fields["connection"] == "close"
    assert set(json.loads(body)) == {"code", "message", "details"}
    assert connection.is_over()


def test_a_body_that_nobody_wants_is_not_read_for_ever(connection):
    connection.send(b"POST /v1/nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
    assert connection.answer()[0] == 404
    block = b"x" * 100_000
    with pytest.raises(OSError):
        for _ in range(1_000):
            connection.send(block)


def test_a_reader_that_does_not_read_holds_its_client_back(front, service):
    """A stream of requests goes on no faster than the backend takes them."""
    before = front.memory()
    line = b'{"user":{"name":"%s"}}\n' % (b"x" * 10_000)
    with Connection(front.port) as connection:
        connection.send(b"POST /v1/users:batchCreate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(500):
            connection.send(b"%x\r\n%s\r\n" % (len(line), line))
        connection.send(b"0\r\n\r\n")
        status, _, body = connection.answer()
        assert status == 200 and json.loads(body)["failureCount"] == 500
    assert front.memory() - before < 60 << 20


def test_grpc_shares_the_port(front):
    with front.client() as client:
        assert client.greet("Ada") == "Hello, Ada!"


# --- TLS


@pytest.fixture(scope="module")
def secure(service, gateway, certificates):
    files = [f"--tls-cert={certificates('server.pem')}", f"--tls-key={certificates('server.key')}"]
    with gateway(service.target, *files, f"--tls-client-ca={certificates('ca.pem')}") as front:
        yield front.ready()


def ask_securely(front, certificates, *flags: str) -> subprocess.CompletedProcess:
    known = ["--cacert", certificates("ca.pem"), "--cert", certificates("client.pem")]
    known += ["--key", certificates("client.key"), "--max-time", "20", "-sS", *flags]
    command = ["curl", *known, f"https://localhost:{front.port}/v1/users"]
    return subprocess.run(command, capture_output=True, check=False)


@pytest.mark.parametrize("version, flag", [("1.1", "--http1.1"), ("2", "--http2"), ("1.1", "--no-alpn")])
def test_tls_agrees_on_the_version(secure, client, certificates, version, flag):
    client.create()
    done = ask_securely(secure, certificates, flag, "-w", "%{stderr}%{http_version}")
    assert done.returncode == 0 and done.stderr.decode() == version
    assert "totalSize" in json.loads(done.stdout)


def test_a_client_without_a_certificate_is_turned_away(secure, certificates):
    command = ["curl", "-sS", "--cacert", certificates("ca.pem"), "--max-time", "20", "--http1.1"]
    done = subprocess.run([*command, f"https://localhost:{secure.port}/v1/users"], capture_output=True, check=False)
    assert done.returncode != 0 and done.stdout == b""


def test_a_stream_over_tls(secure, service, client, certificates):
    command = ["curl", "-sS", "-N", "--http1.1", "--cacert", certificates("ca.pem")]
    command += ["--cert", certificates("client.pem"), "--key", certificates("client.key")]
    with Stream([*command, f"https://localhost:{secure.port}/v1/users:watch"]) as stream:
        until(lambda: service.active("WatchUsers") == 1)
        made = client.create()
        assert made.id in stream.until('{"result"')
    until(lambda: service.active("WatchUsers") == 0)
