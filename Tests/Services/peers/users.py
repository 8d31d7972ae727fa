# SPDX-License-Identifier: Apache-2.0
"""user-service as tests use it: started with its flags, asked by grpcio, looked into through its admin port."""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import time
import urllib.error
import urllib.request

import grpc
from grpc_status import rpc_status
from google.rpc import error_details_pb2
from greeter import greeter_pb2, greeter_pb2_grpc
from user.v1 import user_pb2, user_pb2_grpc

from .programs import Program

_numbers = itertools.count()


def name() -> str:
    """A name that no other user has, in whatever process the test runs."""
    return f"user-{os.getpid()}-{next(_numbers)}"


def person(**fields) -> user_pb2.User:
    """A good user, unless the fields say otherwise."""
    own = name()
    return user_pb2.User(**{"name": own, "email": f"{own}@example.com", **fields})


def creation(**fields) -> user_pb2.CreateUserRequest:
    return user_pb2.CreateUserRequest(user=person(**fields))


def until(condition, timeout: float = 15, what: str = "it never came true"):
    """Asks until the answer is true, and gives it."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return result


def details(error: grpc.RpcError) -> dict:
    """The messages of an error's details, by their types."""
    status = rpc_status.from_call(error)
    found = {}
    for detail in status.details if status else []:
        kind = getattr(error_details_pb2, detail.type_url.rsplit(".", 1)[1])
        found[kind] = kind()
        detail.Unpack(found[kind])
    return found


def reason(error: grpc.RpcError) -> str:
    """The reason in the error's ErrorInfo, whose domain is the service's."""
    info = details(error)[error_details_pb2.ErrorInfo]
    assert info.domain == "user-service"
    return info.reason


class Client:
    """A channel of its own: no connection is shared with another one."""

    def __init__(self, target: str, credentials=None, **options):
        settings = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
        settings += [(f"grpc.{key}", value) for key, value in options.items()]
        if credentials is None:
            self.channel = grpc.insecure_channel(target, options=settings)
        else:
            self.channel = grpc.secure_channel(target, credentials, options=settings)
        self.users = user_pb2_grpc.UserServiceStub(self.channel)
        self.greeter = greeter_pb2_grpc.GreeterStub(self.channel)

    def greet(self, name: str = "you", **options) -> str:
        return self.greeter.SayHello(greeter_pb2.HelloRequest(name=name), **{"timeout": 10, **options}).message

    def create(self, **fields) -> user_pb2.User:
        return self.users.CreateUser(creation(**fields), timeout=20)

    def get(self, user_id: str, **options) -> user_pb2.User:
        return self.users.GetUser(user_pb2.GetUserRequest(user_id=user_id), **{"timeout": 20, **options})

    def watch(self, after: int = 0, **options):
        """A watch that stands: what happens from now on is heard."""
        call = self.users.WatchUsers(user_pb2.WatchUsersRequest(after_sequence=after), **{"timeout": 40, **options})
        call.initial_metadata()
        return call

    def chat(self, room: str, sender: str, text: str = "", **options) -> "Chat":
        return Chat(self, room, sender, text, **options)

    def export(self, filter: str = "", **options):
        return self.users.StreamUsers(user_pb2.StreamUsersRequest(filter=filter), **{"timeout": 40, **options})

    def pages(self, size: int = 0, filter: str = ""):
        """All users, page by page."""
        request = user_pb2.ListUsersRequest(page_size=size, filter=filter)
        while True:
            answer = self.users.ListUsers(request, timeout=20)
            yield from answer.users
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.channel.close()


class Chat:
    """A participant that has joined a room."""

    def __init__(self, client: Client, room: str, sender: str, text: str, **options):
        self._said: queue.Queue = queue.Queue()
        self._said.put(user_pb2.ChatMessage(room=room, sender=sender, text=text))
        self.call = client.users.Chat(iter(self._said.get, None), **{"timeout": 40, **options})
        self.call.initial_metadata()

    def say(self, text: str, **fields) -> None:
        self._said.put(user_pb2.ChatMessage(text=text, **fields))

    def hear(self) -> tuple[str, str]:
        message = next(self.call)
        return message.sender, message.text

    def leave(self) -> None:
        self._said.put(None)


class Service(Program):
    """A service of ours on ports that the system chose, with flags that hold unless others are given."""

    usual = {"--listen": "127.0.0.1:0", "--admin": "127.0.0.1:0"}

    def __init__(self, path: str, *arguments: str, wrapper: list[str] | None = None, **options):
        given = {argument.split("=", 1)[0] for argument in arguments}
        flags = [f"{key}={value}" for key, value in self.usual.items() if key not in given]
        super().__init__([*(wrapper or []), path, *flags, *arguments], **options)

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def client(self, **options) -> Client:
        return Client(self.target, **options)

    def admin(self, path: str) -> tuple[int, str]:
        """Asks the admin port: the code and the text."""
        port = self.line(r"admin on port (\d+)")[1]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, series: str) -> float:
        """The value of a series, by its name and labels as the text form has them."""
        for line in self.admin("/metrics")[1].splitlines():
            if line.startswith(series + " "):
                return float(line.rsplit(" ", 1)[1])
        raise AssertionError(f"no series {series}")

    def active(self, method: str) -> float:
        """Calls of a method of user.v1.UserService that are being handled."""
        return self.metric('grpc_active_requests{method="/user.v1.UserService/%s"}' % method)

    def memory(self) -> int:
        """Resident memory in bytes."""
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class UserService(Service):
    """A user-service; in memory unless a database is named."""

    usual = Service.usual | {"--database": ":memory:"}


@contextlib.contextmanager
def cancelling(call):
    """Gives the call up at the block's end."""
    try:
        yield call
    finally:
        call.cancel()


@contextlib.contextmanager
def failing(code: grpc.StatusCode):
    """The block's call fails with the code; the error is given."""
    box: list[grpc.RpcError] = []
    try:
        yield box
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()}: {error.details()}"
        box.append(error)
    else:
        raise AssertionError(f"the call did not fail with {code}")
