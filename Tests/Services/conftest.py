# SPDX-License-Identifier: Apache-2.0
"""Fixtures: the built programs, the certificates, and clients made from our own .proto files."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import tempfile

os.environ.setdefault("GRPC_VERBOSITY", "NONE")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import pytest

from peers.programs import Program
from peers.stubs import make, use

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_configure(config: pytest.Config) -> None:
    """Makes what all workers share once, before they start: certificates, and Python's classes of our messages."""
    if not hasattr(config, "workerinput"):
        directory = tempfile.mkdtemp(prefix="services-")
        config.add_cleanup(lambda: shutil.rmtree(directory, ignore_errors=True))
        if not os.environ.get("SONDE_CERTIFICATES"):
            os.environ["SONDE_CERTIFICATES"] = os.path.join(directory, "certificates")
            subprocess.run(
                [ROOT / "scripts" / "make-certificates", os.environ["SONDE_CERTIFICATES"]],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        stubs = os.path.join(directory, "stubs")
        os.mkdir(stubs)
        make(stubs)
        os.environ["SONDE_STUBS"] = stubs
    use(os.environ["SONDE_STUBS"])


@pytest.fixture(scope="session")
def programs():
    """Starts a built program by its name: programs("interop-server", "--port=0"). A wrapper is a command before it."""
    folder = os.environ.get("SONDE_PROGRAMS", "")
    assert os.path.isdir(folder), f"SONDE_PROGRAMS names no folder: {folder!r}"

    def start(name: str, *arguments: str, wrapper: list[str] | None = None, **options) -> Program:
        return Program([*(wrapper or []), os.path.join(folder, name), *arguments], **options)

    return start


@pytest.fixture(scope="session")
def certificates():
    """Paths of the files that scripts/make-certificates has made."""
    directory = os.environ["SONDE_CERTIFICATES"]

    def path(name: str) -> str:
        found = os.path.join(directory, name)
        assert os.path.exists(found), f"scripts/make-certificates makes no {name}"
        return found

    return path


@pytest.fixture(scope="session")
def user_service(programs):
    """Starts user-service with its flags: user_service("--lame-duck=1s")."""
    from peers.users import UserService

    path = os.path.join(os.environ["SONDE_PROGRAMS"], "user-service")
    return lambda *arguments, **options: UserService(path, *arguments, **options)


@pytest.fixture(scope="session")
def gateway(programs):
    """Starts gateway in front of backends, with its flags: gateway("127.0.0.1:50051", "--schema-interval=1s")."""
    from peers.gateways import Gateway

    path = os.path.join(os.environ["SONDE_PROGRAMS"], "gateway")
    return lambda *words, **options: Gateway(path, *words, **options)


@pytest.fixture(scope="module")
def service(user_service):
    """A server with its defaults that the tests of a file share."""
    with user_service() as server:
        yield server


@pytest.fixture(scope="module")
def client(service):
    """A client of the shared server."""
    with service.client() as client:
        yield client


@pytest.fixture
def folder():
    """A folder with a short name, so that paths of Unix sockets in it fit their limit of 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="svc-", dir="/tmp") as path:
        yield pathlib.Path(path)
