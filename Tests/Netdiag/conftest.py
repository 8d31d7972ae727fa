# SPDX-License-Identifier: Apache-2.0
"""Fixtures: the file under test, and the places that tests run it in."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from EndToEnd.peers import tcp
from EndToEnd.probe import PT_INTERP, may_unshare, program_headers
from netdiag import Netdiag
from peers.namespaces import Namespace
from peers.sockets import Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = pathlib.Path(__file__).resolve().parent / "peers"


@pytest.fixture(scope="session")
def netdiag() -> Netdiag:
    path = os.environ.get("SONDE_NETDIAG", "")
    assert os.access(path, os.X_OK), f"SONDE_NETDIAG names no executable: {path!r}"
    return Netdiag(str(pathlib.Path(path).resolve()))


@pytest.fixture(scope="session")
def static(netdiag: Netdiag) -> str:
    """The path of the released file; the ordinary build is not one, and these tests are not for it."""
    if PT_INTERP in program_headers(netdiag.path):
        pytest.skip("this is the ordinary build, which needs the shared libraries of its toolchain")
    return netdiag.path


@pytest.fixture(scope="session")
def root_user() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to run as other users and in other namespaces")


@pytest.fixture
def serve():
    """Starts processes that listen: serve("127.0.0.1:0", backlog=1); see `peers/sockets.py`."""
    servers: list[Server] = []

    def start(*addresses: str, **options) -> Server:
        servers.append(Server(*addresses, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


@pytest.fixture
def namespace():
    """A network namespace of the test's own, with nothing but a loopback interface that is up."""
    with Namespace() as made:
        yield made


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run([ROOT / "scripts" / "make-certificates", folder], check=True, capture_output=True)
    return folder


@pytest.fixture
def openssl(certificates):
    """Starts `openssl s_server` with a certificate and more options; gives its address."""
    running: list[subprocess.Popen] = []

    def start(name: str = "server", *options: str) -> str:
        port = tcp.free_port()
        pair = ["-cert", certificates / f"{name}.pem", "-key", certificates / f"{name}.key"]
        # The chain that lies behind the certificate is sent along.
        pair += ["-cert_chain", certificates / f"{name}.pem"]
        command = ["openssl", "s_server", "-accept", str(port), "-quiet", *pair, *options]
        running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL))
        tcp.wait_for_port(port)
        return f"localhost:{port}"

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdin.close()


@pytest.fixture(scope="session")
def without_netlink(tmp_path_factory) -> list[str]:
    """A command's beginning that runs it where the kernel forbids every netlink socket."""
    program = tmp_path_factory.mktemp("peers") / "deny_netlink"
    subprocess.run(["cc", "-O1", "-Wall", "-Werror", "-o", program, PEERS / "deny_netlink.c"], check=True)
    # Users that a test becomes must reach it too.
    for folder in (program.parent, program.parent.parent):
        folder.chmod(0o755)
    return [str(program)]


@pytest.fixture(scope="session")
def without_proc(root_user) -> list[str]:
    """A command's beginning that runs it where /proc is an empty folder."""
    if not may_unshare():
        pytest.skip("needs the right to unshare(1) mounts, to hide /proc")
    script = 'mount -t tmpfs none /proc && exec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]


@pytest.fixture(scope="session")
def as_user(root_user):
    """A command's beginning that runs it as another user, without groups and capabilities."""
    return lambda number: [
        "setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "--bounding-set=-all",
        "--inh-caps=-all", "--no-new-privs",
    ]


@pytest.fixture(scope="session")
def reachable(netdiag: Netdiag, tmp_path_factory) -> Netdiag:
    """The file under test, where every user may run it."""
    folder = tmp_path_factory.mktemp("netdiag")
    copy = folder / "netdiag"
    copy.write_bytes(pathlib.Path(netdiag.path).read_bytes())
    copy.chmod(0o755)
    for parent in (folder, folder.parent):
        parent.chmod(0o755)
    # pytest keeps its folders to itself.
    folder.parent.parent.chmod(folder.parent.parent.stat().st_mode | 0o011)
    if subprocess.run([*_nobody(), copy, "version"], capture_output=True).returncode != 0:
        pytest.skip("the ordinary build's shared libraries are in a folder that other users may not see")
    return Netdiag(str(copy))


def _nobody() -> list[str]:
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []


def pytest_report_header() -> str:
    return f"netdiag: {os.environ.get('SONDE_NETDIAG', '')}, Python {sys.version.split()[0]}"
