# SPDX-License-Identifier: Apache-2.0
"""interop-client runs every public interoperability test case against a grpcio server and against interop-server."""

from __future__ import annotations

import concurrent.futures

import grpc
import pytest

import interop
from grpc.testing import test_pb2_grpc

CASES = """
empty_unary large_unary client_compressed_unary server_compressed_unary custom_metadata
client_streaming client_compressed_streaming server_streaming server_compressed_streaming ping_pong empty_stream
status_code_and_message special_status_message unimplemented_method unimplemented_service
cancel_after_begin cancel_after_first_response timeout_on_sleeping_server
""".split()

# A grpcio service never learns whether a request came compressed.
NOT_FOR_GRPCIO = {"client_compressed_unary", "client_compressed_streaming"}


def tls_arguments(certificates) -> list[str]:
    return ["--use_tls=true", "--use_test_ca=true", f"--ca_file={certificates('ca.pem')}"]


@pytest.fixture(scope="module", params=["plaintext", "tls"])
def grpcio_server(request, certificates):
    """The arguments by which interop-client finds a grpcio server."""
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(16))
    test_pb2_grpc.add_TestServiceServicer_to_server(interop.TestService(), server)
    arguments = ["--server_host=127.0.0.1"]
    if request.param == "tls":
        with open(certificates("server.key"), "rb") as key, open(certificates("server.pem"), "rb") as chain:
            credentials = grpc.ssl_server_credentials([(key.read(), chain.read())])
        port = server.add_secure_port("127.0.0.1:0", credentials)
        arguments += tls_arguments(certificates)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield [*arguments, f"--server_port={port}"]
    server.stop(None)


@pytest.fixture(scope="module", params=["plaintext", "tls"])
def own_server(request, programs, certificates):
    """The arguments by which interop-client finds interop-server."""
    if request.param == "plaintext":
        with programs("interop-server", "--port=0") as server:
            yield [f"--server_port={server.port}"]
        return
    files = [f"--tls_cert_file={certificates('server.pem')}", f"--tls_key_file={certificates('server.key')}"]
    with programs("interop-server", "--port=0", "--use_tls=true", *files) as server:
        yield [f"--server_port={server.port}", *tls_arguments(certificates)]


def run(programs, case: str, arguments: list[str]) -> None:
    with programs("interop-client", f"--test_case={case}", *arguments) as client:
        client.line(rf"^{case}: ok$")
        assert client.process.wait(20) == 0


@pytest.mark.parametrize("case", [case for case in CASES if case not in NOT_FOR_GRPCIO])
def test_against_grpcio(programs, grpcio_server, case):
    run(programs, case, grpcio_server)


@pytest.mark.parametrize("case", CASES)
def test_against_ours(programs, own_server, case):
    run(programs, case, own_server)


def test_all_runs_every_case(programs, own_server):
    with programs("interop-client", "--test_case=all", *own_server) as client:
        assert client.process.wait(60) == 0
        client.line(r"^timeout_on_sleeping_server: ok$")
        assert {line.removesuffix(": ok") for line in client.lines if line.endswith(": ok")} == set(CASES)


def test_server_host_override(programs, certificates):
    """The certificate is for localhost, and the server is reached by another name."""
    files = [f"--tls_cert_file={certificates('server.pem')}", f"--tls_key_file={certificates('server.key')}"]
    with programs("interop-server", "--port=0", "--use_tls=true", *files) as server:
        arguments = [f"--server_port={server.port}", "--server_host=127.0.0.2", *tls_arguments(certificates)]
        with programs("interop-client", "--test_case=empty_unary", *arguments) as client:
            client.line("^empty_unary: failed: .*certificate is for another name: .*, wanted 127.0.0.2")
            assert client.process.wait(20) == 1
        run(programs, "empty_unary", [*arguments, "--server_host_override=localhost"])


def test_unknown_case_is_refused(programs):
    with programs("interop-client", "--test_case=nonsense") as client:
        client.line("unknown test case nonsense")
        assert client.process.wait(20) != 0
