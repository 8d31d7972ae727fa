# SPDX-License-Identifier: Apache-2.0
"""The released file in real containers that hold nothing else: in one, beside one, and between two.

The containers run as nobody, read-only, with 16 MiB of memory and without capabilities.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess

import pytest

from EndToEnd.peers import containers
from netdiag import FINE, PROBLEM, Netdiag

pytestmark = pytest.mark.timeout(180)

PORT = "50051"
SOURCE = pathlib.Path(containers.__file__).with_name("container_server.c")


@pytest.fixture(scope="module")
def engine(static):
    with containers.running_engine() as engine:
        yield engine


@pytest.fixture(autouse=True)
def no_container_is_left(engine):
    yield
    engine.remove_containers()


@pytest.fixture(scope="module")
def netdiag_image(engine, static, tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("netdiag")
    shutil.copy(static, folder / "netdiag")
    (folder / "Dockerfile").write_text('FROM scratch\nCOPY netdiag /netdiag\nENTRYPOINT ["/netdiag"]\n')
    return engine.build("netdiag", folder)


@pytest.fixture(scope="module")
def server_image(engine, netdiag_image, tmp_path_factory) -> str:
    """A gRPC health server, with netdiag beside it for those who are inside."""
    folder = tmp_path_factory.mktemp("server")
    command = ["cc", "-std=gnu11", "-O1", "-static", "-o", folder / "server", SOURCE]
    compiled = subprocess.run([*command, "-lnghttp2", "-lssl", "-lcrypto"], capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stderr
    (folder / "Dockerfile").write_text(
        f'FROM scratch\nCOPY --from={netdiag_image} /netdiag /netdiag\nCOPY server /\nENTRYPOINT ["/server"]\n'
    )
    return engine.build("server", folder)


@pytest.fixture(scope="module")
def network(engine) -> str:
    return engine.network()


@pytest.fixture
def user_service(engine, server_image, network):
    return engine.start(server_image, "serving", PORT, options=[f"--network={network}", "--network-alias=user-service"])


@pytest.fixture
def ask(engine, netdiag_image):
    """Runs a command of netdiag in a container of its own; gives its exit code and document."""

    def ask(*arguments: str, options: list[str] = ()) -> tuple[int, dict]:
        done = engine.run(netdiag_image, *arguments, "--json", options=options)
        assert done.stdout.count("\n") == 1, (done.stdout, done.stderr)
        return done.returncode, json.loads(done.stdout)

    return ask


def texts(document: dict, layer: str) -> str:
    return "\n".join(check["text"] for check in document["checks"] if check["layer"] == layer)


def test_between_two_containers_of_a_network(ask, user_service, network):
    code, document = ask("doctor", f"user-service:{PORT}", options=[f"--network={network}"])
    assert (code, document["code"]) == (FINE, "OK"), document
    assert "a container" in texts(document, "environment") and "by 127.0.0.11" in texts(document, "name")
    assert f"on the network {network}" in texts(document, "name")
    assert [each["name"] for each in ask("net", options=[f"--network={network}"])[1]["networks"]] == [network]
    assert ask("net", "--same-network=user-service", options=[f"--network={network}"])[1]["code"] == "SAME_NETWORK"


def test_several_containers_of_one_name(ask, engine, server_image, user_service, network):
    other = engine.start(server_image, "not-serving", PORT, options=[
        f"--network={network}", "--network-alias=user-service"
    ])
    addresses = {container.address(network) for container in (user_service, other)}
    code, document = ask("doctor", f"user-service:{PORT}", options=[f"--network={network}"])
    assert (code, document["code"], document["ok"]) == (FINE, "NOT_SERVING", True), document
    found = {check["address"].rpartition(":")[0] for check in document["checks"] if check["layer"] == "health"}
    assert found == addresses


def test_beside_a_container_in_its_namespaces(ask, user_service):
    beside = [f"--network=container:{user_service.identifier}", f"--pid=container:{user_service.identifier}"]
    code, document = ask("listeners", PORT, options=beside)
    (port,) = document["ports"]
    assert (code, port["code"]) == (FINE, "OK")
    assert [process["command"] for process in port["listeners"][0]["processes"]] == ["server"]
    code, document = ask("doctor", f"localhost:{PORT}", options=beside)
    assert (code, document["code"]) == (FINE, "OK") and "listened on by server" in texts(document, "port")


def test_beside_a_container_in_its_network_alone(ask, user_service):
    """What is listened on is seen, and why the process is not."""
    code, document = ask("listeners", PORT, options=[f"--network=container:{user_service.identifier}"])
    (listener,) = document["ports"][0]["listeners"]
    assert code == FINE and listener["processes"] == []
    assert "in another PID namespace" in listener["processUnknown"]


@pytest.mark.usefixtures("root_user")
def test_from_the_host_in_the_containers_network(static, user_service, network):
    """Nothing is started beside the patient: the host enters its network namespace, and sees its processes anyway."""
    netdiag = Netdiag(static)
    process = containers.docker("inspect", "--format", "{{.State.Pid}}", user_service.identifier)
    document = netdiag("listeners", PORT, f"--netns={process}", "--json").ends(FINE).json
    (listener,) = document["ports"][0]["listeners"]
    assert listener["processes"] == [{"pid": int(process), "command": "server", "inferred": False}]
    target = f"{user_service.address(network)}:{PORT}"
    document = netdiag("doctor", target, f"--netns={process}", "--json").ends(FINE).json
    assert document["code"] == "OK" and "is this place's own" in texts(document, "route")


@pytest.mark.parametrize("user, is_seen", [("65534:65534", True), ("65534:0", False), ("0:0", False)])
def test_in_a_container_as_the_service_and_as_root(user_service, user, is_seen):
    """Root without CAP_SYS_PTRACE sees less than the service's own user, who needs its group too."""
    done = user_service.execute("/netdiag", "listeners", PORT, "--json", options=[f"--user={user}"])
    (listener,) = json.loads(done.stdout)["ports"][0]["listeners"]
    assert done.returncode == FINE
    assert [process["inferred"] for process in listener["processes"]] == [not is_seen], listener
    assert [process["command"] for process in listener["processes"]] == ["server"]


def test_a_container_of_another_network(ask, engine, user_service, network):
    other = engine.network("-other")
    code, document = ask("doctor", f"{user_service.address(network)}:{PORT}", options=[f"--network={other}"])
    assert code == PROBLEM and document["code"] in ("TCP_TIMEOUT", "NO_ROUTE"), document
    code, document = ask("doctor", f"user-service:{PORT}", options=[f"--network={other}"])
    assert code == PROBLEM and document["code"] in ("DNS_SERVFAIL", "DNS_UNREACHABLE", "DNS_TIMEOUT"), document
    assert "not of a network of this container" in str(document["diagnosis"]["candidates"]), document


def test_an_address_that_no_container_has(ask, user_service, network):
    # Not its own address: the next container, which is the one that asks, would get it.
    address = ".".join([*user_service.address(network).split(".")[:3], "99"])
    code, document = ask("doctor", f"{address}:{PORT}", options=[f"--network={network}"])
    assert (code, document["code"]) == (PROBLEM, "HOST_DOWN"), document


def test_a_port_that_the_container_does_not_listen_on(ask, user_service, network):
    code, document = ask("doctor", "user-service:50052", options=[f"--network={network}"])
    assert (code, document["code"]) == (PROBLEM, "TCP_REFUSED")
    assert document["diagnosis"]["next"].startswith("docker exec ")
    assert document["diagnosis"]["next"].endswith(" netdiag listeners 50052")


def test_a_published_port_with_nobody_behind_it(static, engine, server_image):
    published = engine.network("-published", internal=False)
    container = engine.start(
        server_image, "serving", PORT, options=[f"--network={published}", "--publish=127.0.0.1::50052"]
    )
    address = containers.docker("port", container.identifier, "50052").splitlines()[0]
    document = Netdiag(static).json("doctor", address)
    assert document["code"] == "ACCEPTED_THEN_CLOSED", document
    assert "a published port" in document["diagnosis"]["candidates"][0]


def test_no_network_at_all(ask):
    code, document = ask("doctor", "10.0.0.1:80", options=["--network=none"])
    assert (code, document["code"]) == (PROBLEM, "NO_ROUTE")
    assert any(check["code"] == "NO_ADDRESS" for check in document["checks"])
