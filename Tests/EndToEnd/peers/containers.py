# SPDX-License-Identifier: Apache-2.0
"""A container engine, through the docker command. What a test makes carries its label and goes with it."""

from __future__ import annotations

import contextlib
import io
import json
import pathlib
import shutil
import subprocess
import tarfile
import time
import uuid

import pytest

# The engine may be busy with the images of other tests; what takes longer than this hangs.
HANG = 60.0

# Stricter than most orchestrators are: nobody, with nothing to write to, no rights and little memory.
CONFINED = [
    *("--user", "65534:65534", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--memory", "16m", "--pids-limit", "16"),
]


class EngineError(Exception):
    """The docker command failed."""


def why_there_is_none() -> str | None:
    """The reason why no container can be run here, if there is one."""
    if not shutil.which("docker"):
        return "there is no docker command"
    answer = subprocess.run(["docker", "info"], capture_output=True, text=True, timeout=HANG)
    if answer.returncode != 0:
        return "no container engine answers: " + (answer.stderr.strip() or answer.stdout.strip()).splitlines()[-1]
    return None


def docker(*arguments: str) -> str:
    """Runs a command that must succeed, and returns what it printed."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=HANG)
    if done.returncode != 0:
        raise EngineError(f"docker {' '.join(arguments)}: {done.stderr or done.stdout}")
    return done.stdout.strip()


class Container:
    """A container that runs."""

    def __init__(self, identifier: str):
        self.identifier = identifier

    def signal(self, name: str) -> None:
        docker("kill", "--signal", name, self.identifier)

    def execute(self, *command: str, options: list[str] = ()) -> subprocess.CompletedProcess:
        """Runs a command in the container, as a kubelet's exec probe does."""
        return subprocess.run(
            ["docker", "exec", *options, self.identifier, *command], capture_output=True, text=True, timeout=HANG
        )

    def address(self, network: str) -> str:
        """Its IPv4 address on a network."""
        template = '{{(index .NetworkSettings.Networks "' + network + '").IPAddress}}'
        return docker("inspect", "--format", template, self.identifier)

    def wait_until(self, status: str) -> dict:
        """The last result of the health check, once the engine calls the container `healthy` or `unhealthy`."""
        deadline = time.monotonic() + HANG
        while time.monotonic() < deadline:
            state = json.loads(docker("inspect", "--format", "{{json .State}}", self.identifier))
            if not state["Running"]:
                raise AssertionError(f"the container has ended: {docker('logs', self.identifier)}")
            # The check and the status that follows from it are not stored in one step.
            if state["Health"]["Status"] == status and state["Health"]["Log"]:
                return state["Health"]["Log"][-1]
            time.sleep(0.05)
        raise AssertionError(f"the container does not become {status}: {state['Health']}")


class Engine:
    """Makes images, networks and containers, and removes them."""

    def __init__(self):
        self.name = f"sonde-test-{uuid.uuid4().hex[:12]}"
        self.label = f"sonde.test={self.name}"
        self.images: list[str] = []

    def build(self, name: str, folder: pathlib.Path) -> str:
        """The image of the Dockerfile in the folder. Without the cache, so that no other test can take a layer away."""
        tag = f"{self.name}-{name}"
        docker("build", "--quiet", "--no-cache", "--force-rm", "--label", self.label, "--tag", tag, str(folder))
        self.images.append(tag)
        return tag

    def network(self, suffix: str = "", internal: bool = True) -> str:
        """A network of its own; an internal one leads nowhere else."""
        name = self.name + suffix
        docker("network", "create", *(["--internal"] if internal else []), "--label", self.label, name)
        return name

    def start(self, image: str, *arguments: str, options: list[str] = ()) -> Container:
        confined = [*CONFINED, *options]
        return Container(docker("run", "--detach", "--label", self.label, *confined, image, *arguments))

    def run(self, image: str, *arguments: str, options: list[str] = ()) -> subprocess.CompletedProcess:
        """Runs the image's program to its end."""
        command = ["docker", "run", "--rm", "--label", self.label, *CONFINED, *options, image, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=HANG)

    def files(self, image: str) -> list[tarfile.TarInfo]:
        """All that the layers of an image hold."""
        saved = subprocess.run(["docker", "save", image], capture_output=True, timeout=HANG, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
            layers = json.load(archive.extractfile("manifest.json"))[0]["Layers"]
            return [
                member
                for layer in layers
                for member in tarfile.open(fileobj=io.BytesIO(archive.extractfile(layer).read()))
            ]

    def remove_containers(self) -> None:
        if containers := docker("ps", "--all", "--quiet", "--filter", f"label={self.label}").split():
            docker("rm", "--force", "--volumes", *containers)

    def remove_all(self) -> None:
        self.remove_containers()
        if networks := docker("network", "ls", "--quiet", "--filter", f"label={self.label}").split():
            docker("network", "rm", *networks)
        if self.images:
            docker("rmi", "--force", *self.images)


@contextlib.contextmanager
def running_engine():
    """The engine that answers here, for tests that skip where none does; what they leave goes with them."""
    if reason := why_there_is_none():
        pytest.skip(reason)
    engine = Engine()
    try:
        yield engine
    finally:
        engine.remove_all()
