# SPDX-License-Identifier: Apache-2.0
"""Fixtures: the probe, the certificates, and the servers that many tests share."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

os.environ.setdefault("GRPC_VERBOSITY", "NONE")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import pytest

from peers import health
from probe import PT_INTERP, Probe, may_unshare, program_headers

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_configure(config: pytest.Config) -> None:
    """Makes the certificates once, before the workers start, unless somebody has made them already."""
    if os.environ.get("SONDE_CERTIFICATES") or hasattr(config, "workerinput"):
        return
    script = ROOT / "scripts" / "make-certificates"
    if script.exists():
        directory = tempfile.mkdtemp(prefix="certificates-")
        subprocess.run([script, directory], check=True, stdout=subprocess.DEVNULL)
        os.environ["SONDE_CERTIFICATES"] = directory
        config.add_cleanup(lambda: shutil.rmtree(directory, ignore_errors=True))


@pytest.fixture(scope="session")
def probe() -> Probe:
    path = os.environ.get("SONDE_PROBE", "")
    assert os.access(path, os.X_OK), f"SONDE_PROBE names no executable: {path!r}"
    return Probe(str(pathlib.Path(path).resolve()))


@pytest.fixture(scope="session")
def static(probe):
    """The path of the released file; the ordinary build is not one, and these tests are not for it."""
    if PT_INTERP in program_headers(probe.path):
        pytest.skip("this is the ordinary build, which needs the shared libraries of its toolchain")
    return probe.path


@pytest.fixture(autouse=True)
def no_probe_is_left():
    yield
    Probe.end_all()


class Certificates:
    """Paths of the files that scripts/make-certificates has made."""

    def __init__(self, directory: str):
        self.directory = directory

    def __call__(self, name: str) -> str:
        path = os.path.join(self.directory, name)
        assert os.path.exists(path), f"scripts/make-certificates makes no {name}"
        return path


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    directory = os.environ.get("SONDE_CERTIFICATES")
    assert directory, "there is neither scripts/make-certificates nor SONDE_CERTIFICATES"
    return Certificates(directory)


@pytest.fixture
def folder():
    """A folder with a short name, so that paths of Unix sockets in it fit their limit of 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="e2e-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


@pytest.fixture(scope="session")
def healthy():
    """A real server whose state no test changes."""
    statuses = {
        "": health.SERVING,
        "up": health.SERVING,
        "down": health.NOT_SERVING,
        "unknown": health.UNKNOWN,
        "lost": health.SERVICE_UNKNOWN,
    }
    with health.HealthServer(statuses) as server:
        yield server


@pytest.fixture(scope="session")
def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.fixture
def ipv6(has_ipv6: bool) -> None:
    if not has_ipv6:
        pytest.skip("this machine has no IPv6 on its loopback interface")


def in_private_mounts(files: dict[str, str], folder: pathlib.Path) -> list[str]:
    """A command's beginning that runs it where the files, named by their paths, have other contents."""
    if not may_unshare():
        pytest.skip("needs the right to unshare(1) mounts, to replace files of /etc for one process")
    commands = []
    for number, (path, text) in enumerate(files.items()):
        twin = folder / f"mount-{number}"
        twin.write_text(text)
        twin.chmod(0o644)
        commands.append(f"mount --bind {twin} {path}")
    script = " && ".join([*commands, 'exec "$@"'])
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]


@pytest.fixture
def named_hosts(folder: pathlib.Path):
    """Runs the probe where /etc/hosts says what the test wants: `prefix=named_hosts("127.0.0.1 server.test")`."""
    return lambda *lines: in_private_mounts({"/etc/hosts": "\n".join(lines) + "\n"}, folder)
