# SPDX-License-Identifier: Apache-2.0
"""compose.yaml on a real container engine: up by one command, healthy by our probe, and gone in an orderly way."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import time

import grpc
import pytest

from EndToEnd.peers.containers import docker, why_there_is_none
from EndToEnd.peers.tcp import free_port
from greeter import greeter_pb2, greeter_pb2_grpc
from user.v1 import user_pb2, user_pb2_grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]

#: The first build compiles the services; later ones find their layers.
BUILD = 1_500
HANG = 120

pytestmark = pytest.mark.timeout(BUILD + 300)


def compose_command() -> list[str] | None:
    """The command that composes, where there is one."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


class Stack:
    """The composed services, under a project of their own."""

    def __init__(self, port: int, gateway_port: int):
        self.port = port
        self.gateway_port = gateway_port
        self.command = [*compose_command(), "-p", f"sonde-test-{os.getpid()}", "-f", str(ROOT / "compose.yaml")]
        # The commit that `make images` names as well, so that one build serves both.
        commit = subprocess.run([ROOT / "scripts" / "commit"], check=True, stdout=subprocess.PIPE, text=True).stdout
        ports = {"USER_SERVICE_PORT_ON_HOST": str(port), "GATEWAY_PORT_ON_HOST": str(gateway_port)}
        self.environment = os.environ | ports | {"SONDE_COMMIT": commit.strip()}

    def __call__(self, *arguments: str, timeout: float = HANG, check: bool = True) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [*self.command, *arguments], capture_output=True, text=True, env=self.environment, timeout=timeout
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done

    def container(self, service: str = "user-service") -> str:
        return self("ps", "-q", service).stdout.strip()

    def state(self, service: str = "user-service") -> dict:
        return json.loads(docker("inspect", "--format", "{{json .State}}", self.container(service)))

    def wait_until_healthy(self, service: str = "user-service") -> None:
        deadline = time.monotonic() + HANG
        while (state := self.state(service))["Health"]["Status"] != "healthy":
            assert state["Running"] and time.monotonic() < deadline, f"{state}\n{self('logs').stdout[-3000:]}"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def stack():
    if reason := why_there_is_none():
        pytest.skip(reason)
    if not compose_command():
        pytest.skip("there is neither docker compose nor docker-compose")
    stack = Stack(free_port(), free_port())
    try:
        stack("up", "--build", "-d", timeout=BUILD)
        yield stack
    finally:
        stack("down", "--volumes", check=False)


def test_story(stack):
    """One story, for each part stands on the one before: healthy, used, restarted with its data, stopped in time."""
    stack.wait_until_healthy()
    checked = stack("exec", "-T", "user-service", "grpc_health_probe", "-service=user.v1.UserService")
    assert "status: SERVING" in checked.stdout + checked.stderr
    assert stack.container() in docker("network", "inspect", "grpc-network")

    with grpc.insecure_channel(f"127.0.0.1:{stack.port}") as channel:
        greeter = greeter_pb2_grpc.GreeterStub(channel)
        assert greeter.SayHello(greeter_pb2.HelloRequest(name="Docker"), timeout=10).message == "Hello, Docker!"
        users = user_pb2_grpc.UserServiceStub(channel)
        ada = user_pb2.User(email="ada@example.com", name="Ada")
        made = users.CreateUser(user_pb2.CreateUserRequest(user=ada), timeout=10)

    stack.wait_until_healthy("gateway")
    with grpc.insecure_channel(f"127.0.0.1:{stack.gateway_port}") as channel:
        users = user_pb2_grpc.UserServiceStub(channel)
        assert users.GetUser(user_pb2.GetUserRequest(user_id=made.id), timeout=10) == made

    stack("restart", "user-service")
    stack.wait_until_healthy()
    stack.wait_until_healthy("gateway")
    with grpc.insecure_channel(f"127.0.0.1:{stack.gateway_port}") as channel:
        users = user_pb2_grpc.UserServiceStub(channel)
        assert users.GetUser(user_pb2.GetUserRequest(user_id=made.id), timeout=10, wait_for_ready=True) == made
    with grpc.insecure_channel(f"127.0.0.1:{stack.port}") as channel:
        users = user_pb2_grpc.UserServiceStub(channel)
        assert users.GetUser(user_pb2.GetUserRequest(user_id=made.id), timeout=10, wait_for_ready=True) == made

        # A watcher keeps the connection busy; the drain ends it, and does not wait out its grace.
        watch = users.WatchUsers(user_pb2.WatchUsersRequest(), timeout=60)
        watch.initial_metadata()
        start = time.monotonic()
        stack("stop", "user-service")
        assert time.monotonic() - start < 25
        with pytest.raises(grpc.RpcError) as error:
            list(watch)
        assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    state = stack.state()
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
    assert "draining" in stack("logs", "--no-color").stdout
