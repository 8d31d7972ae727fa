# SPDX-License-Identifier: Apache-2.0
"""interop-server, asked by grpcio all that the public interoperability tests ask."""

from __future__ import annotations

import grpc
import pytest

import interop
from grpc.testing import test_pb2_grpc


@pytest.fixture(scope="module", params=["plaintext", "tls"])
def channel(request, programs):
    options = [("grpc.max_receive_message_length", -1)]
    if request.param == "plaintext":
        with programs("interop-server", "--port=0") as server:
            with grpc.insecure_channel(f"127.0.0.1:{server.port}", options=options) as channel:
                yield channel
        return
    certificates = request.getfixturevalue("certificates")
    arguments = [
        f"--tls_cert_file={certificates('server.pem')}",
        f"--tls_key_file={certificates('server.key')}",
    ]
    with open(certificates("ca.pem"), "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    with programs("interop-server", "--port=0", "--use_tls=true", *arguments) as server:
        with grpc.secure_channel(f"localhost:{server.port}", credentials, options=options) as channel:
            yield channel


@pytest.mark.parametrize("case", interop.CASES, ids=lambda case: case.__name__)
def test_case(channel, case):
    case(test_pb2_grpc.TestServiceStub(channel))


def test_unimplemented_service(channel):
    interop.unimplemented_service(channel)
