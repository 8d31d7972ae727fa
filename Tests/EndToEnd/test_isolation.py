# SPDX-License-Identifier: Apache-2.0
"""The released file: one static file that runs in an otherwise empty container."""

import os
import shutil
import subprocess
import tempfile

import pytest

from peers import http2, tcp, tls
from peers.http2 import ScriptedPeer, answering
from probe import PT_DYNAMIC, PT_INTERP, Probe, confined, may_unshare, program_headers

LIMIT_OF_SIZE = 5_200_000
LIMIT_OF_MEMORY = 16 << 20


@pytest.fixture
def root(static):
    """An empty file system with that one file."""
    if not may_unshare():
        pytest.skip("needs the right to unshare(1) mounts, to change the root directory")
    with tempfile.TemporaryDirectory(prefix="e2e-root-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        shutil.copy(static, os.path.join(path, "grpc_health_probe"))
        os.chmod(os.path.join(path, "grpc_health_probe"), 0o555)
        yield path


@pytest.fixture
def alone(root):
    """The probe alone in that file system, as nobody, without capabilities, /proc, /dev and a writable place."""

    def check(address, *arguments, memory=None, **options):
        limits = ["--read-only"] + ([f"--memory={memory}"] if memory else [])
        return Probe("/grpc_health_probe").check(address, *arguments, prefix=confined(root, *limits), **options)

    return check


def test_there_is_no_dynamic_section_and_no_interpreter(static):
    types = program_headers(static)
    assert PT_DYNAMIC not in types and PT_INTERP not in types


def test_readelf_and_ldd_agree(static):
    if not shutil.which("readelf"):
        pytest.skip("readelf is not installed")
    output = subprocess.run(["readelf", "-d", static], capture_output=True, text=True).stdout
    assert "no dynamic section" in output.lower()
    ldd = subprocess.run(["ldd", static], capture_output=True, text=True)
    assert "not a dynamic executable" in ldd.stdout + ldd.stderr or "statically linked" in ldd.stdout + ldd.stderr


def test_the_file_is_small(static):
    assert os.path.getsize(static) <= LIMIT_OF_SIZE


def test_the_file_holds_no_symbols_and_no_build_paths(static):
    with open(static, "rb") as file:
        content = file.read()
    for trace in (b".symtab", b".debug_info", b"/Sources/", b".build-embedded"):
        assert trace not in content, trace


def test_a_check_in_an_empty_container(alone, healthy):
    alone(healthy.address).serving()
    alone(healthy.address, "-service=down").unhealthy("NOT_SERVING")


def test_localhost_in_an_empty_container(alone, healthy):
    alone(f":{healthy.port}").serving()
    alone(f"localhost:{healthy.port}").serving()


def test_tls_in_an_empty_container(alone, certificates, root):
    """The authority is the one file beside the probe."""
    shutil.copy(certificates("ca.pem"), os.path.join(root, "ca.pem"))
    os.chmod(os.path.join(root, "ca.pem"), 0o444)
    context = tls.server_context(certificates("server.pem"), certificates("server.key"))
    with ScriptedPeer(answering(), tls=context) as peer:
        alone(peer.address, "-tls", "-tls-ca-cert=/ca.pem").serving()
        alone(peer.address, "-tls", "-tls-no-verify").serving()
        result = alone(peer.address, "-tls").connect_failed(peer.address)
        result.because("authorit|root|issuer|certificate")


def test_a_unix_socket_in_an_empty_container(alone, root):
    path = os.path.join(root, "s")
    with ScriptedPeer(answering(), listener=tcp.listen_unix(path)) as peer:
        os.chmod(path, 0o777)
        alone("unix:/s").serving()
        assert peer.request.value(":authority") == "localhost"


def test_failures_are_told_in_an_empty_container(alone):
    address = tcp.refused_address()
    alone(address, "-fail-fast").connect_failed(address).because("refused", address)
    alone("server.invalid:1", "-connect-timeout=500ms").could_not_connect("server.invalid:1").because("server.invalid")


@pytest.mark.parametrize("flags", [[], ["-tls", "-tls-ca-cert=/ca.pem"]], ids=["plaintext", "TLS"])
def test_sixteen_mebibytes_of_address_space_are_enough(alone, certificates, root, flags):
    """Stricter than a memory limit of a container: mapped is counted, not only touched."""
    shutil.copy(certificates("ca.pem"), os.path.join(root, "ca.pem"))
    os.chmod(os.path.join(root, "ca.pem"), 0o444)
    context = tls.server_context(certificates("server.pem"), certificates("server.key")) if flags else None
    with ScriptedPeer(answering(), tls=context) as peer:
        alone(peer.address, *flags, memory=LIMIT_OF_MEMORY).serving()


def test_a_flood_does_not_break_the_memory_limit(alone):
    """Neither headers nor messages may be collected without bound."""
    block = http2.header_block([("x-filler", "v" * 16_000)])
    start = http2.frame(http2.HEADERS, 0, 1, http2.header_block(http2.GRPC))
    script = [*http2.START, http2.raw(start), http2.flood(http2.frame(http2.CONTINUATION, 0, 1, block))]
    with ScriptedPeer(script) as peer:
        alone(peer.address, "-rpc-timeout=1s", memory=LIMIT_OF_MEMORY).ends(3)


def test_version_and_errors_in_an_empty_container(root):
    lonely = Probe("/grpc_health_probe")
    assert lonely("-version", prefix=confined(root, "--read-only")).ends(0).stdout.count("\n") > 1
    lonely(prefix=confined(root, "--read-only")).bad_arguments("error: -addr not specified")


def test_closed_streams_in_an_empty_container(root):
    """Without /dev/null the probe must still keep its sockets away from descriptors 0 to 2."""
    with ScriptedPeer(answering(http2.NOT_SERVING)) as peer:
        prefix = ["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", *confined(root, "--read-only")]
        running = Probe("/grpc_health_probe").start(f"-addr={peer.address}", "-connect-timeout=20s", prefix=prefix)
        assert running.result().code == 4
        conversation = peer.conversation
    assert conversation.frames[-1].type == http2.GOAWAY
    assert b"unhealthy" not in conversation.received
