# SPDX-License-Identifier: Apache-2.0
"""The released file as the health check of real containers, and the image that hands it out.

The containers hold the probe and a small static server of our own, and nothing else. They run as nobody, read-only,
with 16 MiB of memory and without capabilities.
"""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import ROOT
from peers import containers

pytestmark = pytest.mark.timeout(180)

PORT = "50051"
OUTPUT_KEPT_BY_THE_ENGINE = 4096

SERVER = """
FROM scratch
COPY --from={probe} /grpc_health_probe /usr/local/bin/grpc_health_probe
COPY server *.pem *.key /
ENV GRPC_HEALTH_PROBE_ADDR=:{port}
HEALTHCHECK --interval=200ms --timeout=20s --retries=1 CMD ["/usr/local/bin/grpc_health_probe"]
ENTRYPOINT ["/server"]
"""


@pytest.fixture(scope="module")
def engine(static):
    with containers.running_engine() as engine:
        yield engine


@pytest.fixture(autouse=True)
def no_container_is_left(engine):
    yield
    engine.remove_containers()


@pytest.fixture(scope="module")
def image(engine, static, tmp_path_factory):
    """The probe's stage of the Dockerfile, around the file under test instead of one that is built first."""
    folder = tmp_path_factory.mktemp("probe")
    shutil.copy(static, folder / "grpc_health_probe")
    dockerfile = (ROOT / "Dockerfile").read_text()
    stage = dockerfile[dockerfile.index("FROM scratch AS probe") :].partition("\nFROM ")[0]
    stage, copies = re.subn(r"COPY --from=\S+ \S+/grpc_health_probe ", "COPY grpc_health_probe ", stage)
    assert copies == 1, "the stage does not copy one file"
    (folder / "Dockerfile").write_text(stage)
    return engine.build("probe", folder)


@pytest.fixture(scope="module")
def server(engine, image, certificates, tmp_path_factory):
    """An image with the server and the probe; its arguments are the server's."""
    folder = tmp_path_factory.mktemp("server")
    source = pathlib.Path(__file__).with_name("peers") / "container_server.c"
    compiler = shutil.which("cc") or pytest.fail("there is no C compiler")
    command = [compiler, "-std=gnu11", "-O1", "-Wall", "-Wextra", "-static", "-o", folder / "server", source]
    compiled = subprocess.run([*command, "-lnghttp2", "-lssl", "-lcrypto"], capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stderr
    for name in ("ca.pem", "unknown-ca.pem", "server.pem", "server.key"):
        shutil.copy(certificates(name), folder / name)
        (folder / name).chmod(0o444)
    (folder / "Dockerfile").write_text(SERVER.format(probe=image, port=PORT))
    return engine.build("server", folder)


@pytest.fixture
def start(engine, server):
    """Starts the server alone in its container. The health check is the image's, its flags are variables."""

    def start(mood, *arguments, **variables):
        options = [f"--env=GRPC_HEALTH_PROBE_{name.upper()}={value}" for name, value in variables.items()]
        return engine.start(server, mood, PORT, *arguments, options=["--network=none", *options])

    return start


def judge(check, code, *words):
    """Judges one stored result of a health check: its exit code, and what its output must have."""
    assert check["ExitCode"] == code, check
    assert len(check["Output"].encode()) < OUTPUT_KEPT_BY_THE_ENGINE, check
    for word in words:
        assert word in check["Output"], check


# The health check.


def test_a_healthy_server(start):
    judge(start("serving").wait_until("healthy"), 0, "status: SERVING\n")


def test_an_unhealthy_server(start):
    check = start("not-serving").wait_until("unhealthy")
    judge(check, 4, 'service unhealthy (responded with "NOT_SERVING")\n', "\nreason: ")


def test_a_server_that_falls_ill_and_recovers(start):
    container = start("serving")
    container.wait_until("healthy")
    container.signal("SIGUSR2")
    judge(container.wait_until("unhealthy"), 4, "NOT_SERVING")
    container.signal("SIGUSR1")
    judge(container.wait_until("healthy"), 0, "status: SERVING\n")


def test_a_server_that_hangs_is_told_as_one(start):
    """The probe's own window ends before the engine kills it, so that the output says why and not only that."""
    check = start("hanging", timeout="300ms").wait_until("unhealthy")
    judge(check, 3, "timeout: ", "\nreason: ")
    assert "Health check exceeded timeout" not in check["Output"], check


def test_a_server_that_is_not_there(start):
    check = start("serving", addr=":1", fail_fast="true").wait_until("unhealthy")
    judge(check, 2, "error: failed to connect service at ", "\nreason: ", "refused")


def test_a_server_behind_tls(start):
    container = start("serving", "/server.pem", "/server.key", tls="true", tls_ca_cert="/ca.pem")
    judge(container.wait_until("healthy"), 0, "status: SERVING\n")


def test_a_certificate_of_an_authority_that_is_not_trusted(start):
    container = start("serving", "/server.pem", "/server.key", tls="true", tls_ca_cert="/unknown-ca.pem")
    judge(container.wait_until("unhealthy"), 2, "error: failed to connect service at ", "\nreason: ", "certificate")


def test_exit_codes_for_engines_that_know_two(start):
    judge(start("not-serving", exit_codes="docker").wait_until("unhealthy"), 1, "NOT_SERVING")


def test_json_in_the_stored_output(start):
    check = start("not-serving", output="json").wait_until("unhealthy")
    judge(check, 4, "\nreason: ")
    objects = [json.loads(line) for line in check["Output"].splitlines() if line.startswith("{")]
    assert len(objects) == 1, check


# The probe as a command in a running container, and as the only program of one.


def test_an_exec_probe(start):
    container = start("serving")
    assert container.execute("grpc_health_probe").returncode == 0, "PATH is the engine's default"
    answer = container.execute("grpc_health_probe", "-connect-timeout=20s", "-addr=127.0.0.1:" + PORT, "-v")
    assert answer.returncode == 0 and answer.stderr.endswith("status: SERVING\n"), answer
    container.signal("SIGUSR2")
    assert container.execute("grpc_health_probe").returncode == 4


def test_another_container_is_found_by_its_name(engine, image, server):
    """The engine's own name server answers; there is nothing in the image that could help."""
    network = engine.network()
    engine.start(server, "serving", PORT, options=["--network", network, "--network-alias", "backend"])
    answer = engine.run(image, f"-addr=backend:{PORT}", "-connect-timeout=20s", options=["--network", network])
    assert (answer.returncode, answer.stderr) == (0, "status: SERVING\n"), answer
    answer = engine.run(image, f"-addr=nobody:{PORT}", "-connect-timeout=500ms", options=["--network", network])
    assert answer.returncode == 2 and "nobody" in answer.stderr and "reason: " in answer.stderr, answer


@pytest.mark.parametrize("tls", [[], ["/server.pem", "/server.key"]], ids=["plaintext", "TLS"])
def test_a_unix_socket_that_two_containers_share(engine, image, server, certificates, folder, tls):
    shared = folder / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    shutil.copy(certificates("ca.pem"), shared / "ca.pem")
    (shared / "ca.pem").chmod(0o444)
    options = ["--network=none", f"--volume={shared}:/run/health"]
    engine.start(server, "serving", "unix:/run/health/s", *tls, options=options)
    flags = ["-addr=unix:/run/health/s", "-connect-timeout=20s"]
    flags += ["-tls", "-tls-ca-cert=/run/health/ca.pem"] if tls else []
    answer = engine.run(image, *flags, options=options)
    assert (answer.returncode, answer.stderr) == (0, "status: SERVING\n"), answer


# The image.


def test_the_image_holds_one_file(engine, image, static):
    files = engine.files(image)
    assert [member.name for member in files] == ["grpc_health_probe"]
    assert files[0].isfile() and files[0].mode & 0o111 == 0o111
    assert files[0].size == pathlib.Path(static).stat().st_size


def test_the_image_says_what_it_is_and_runs_as_nobody(image):
    configuration = json.loads(containers.docker("image", "inspect", "--format", "{{json .Config}}", image))
    assert configuration["User"] == "65534:65534"
    assert configuration["Entrypoint"] == ["/grpc_health_probe"]
    assert configuration["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert configuration["Labels"]["org.opencontainers.image.title"] == "grpc_health_probe"


def test_the_image_prints_its_version(engine, image):
    answer = engine.run(image, "-version", options=["--network=none"])
    assert answer.returncode == 0 and "OpenSSL" in answer.stdout, answer
