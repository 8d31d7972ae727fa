# SPDX-License-Identifier: Apache-2.0
"""A SPIFFE Workload API that hands out the X.509-SVID it was given. Its messages are written byte by byte."""

from __future__ import annotations

import base64
import re
import subprocess
import time
from concurrent import futures

import grpc

from .health import Recorder
from .http2 import bytes_field

METHOD = "FetchX509SVID"


def ders(path: str) -> bytes:
    """All certificates of a PEM file as DER, one after the other, as the Workload API wants them."""
    with open(path, encoding="ascii") as file:
        blocks = re.findall(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", file.read(), re.S)
    return b"".join(base64.b64decode(block) for block in blocks)


def pkcs8(path: str) -> bytes:
    """A private key as PKCS#8 DER."""
    command = ["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", path, "-outform", "DER"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def svid(spiffe_id: str, certificate: str, key: str, bundle: str) -> bytes:
    """One X509SVID message."""
    return (
        bytes_field(1, spiffe_id.encode())
        + bytes_field(2, ders(certificate))
        + bytes_field(3, pkcs8(key))
        + bytes_field(4, ders(bundle))
    )


def response(*svids: bytes) -> bytes:
    """An X509SVIDResponse message."""
    return b"".join(bytes_field(1, one) for one in svids)


class WorkloadAPI:
    """Serves on grpcio's `address`. Each call takes the next of `answers`: bytes to send, or a code to end with."""

    def __init__(self, *answers: bytes | grpc.StatusCode, address: str):
        self.answers = answers
        self.recorder = Recorder()
        self.server = grpc.server(
            futures.ThreadPoolExecutor(4), interceptors=[self.recorder], options=[("grpc.so_reuseport", 0)]
        )
        handler = grpc.unary_stream_rpc_method_handler(
            self._fetch, request_deserializer=bytes, response_serializer=bytes
        )
        self.server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("SpiffeWorkloadAPI", {METHOD: handler}),)
        )
        self.count = 0
        self.stopped = False
        port = self.server.add_insecure_port(address)
        assert port, f"grpcio could not listen on {address}"
        self.endpoint = "unix://" + address.removeprefix("unix:") if address.startswith("unix:") else None
        self.endpoint = self.endpoint or f"tcp://{address.rpartition(':')[0]}:{port}"
        self.server.start()

    def _fetch(self, request: bytes, context: grpc.ServicerContext):
        one = self.answers[min(self.count, len(self.answers) - 1)]
        self.count += 1
        if dict(context.invocation_metadata()).get("workload.spiffe.io") != "true":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "security header missing from request")
        if isinstance(one, grpc.StatusCode):
            context.abort(one, "as the test wants it")
        yield one
        # The stream stays open, as the real one does: renewals would follow.
        while context.is_active() and not self.stopped:
            time.sleep(0.02)

    def __enter__(self) -> "WorkloadAPI":
        return self

    def __exit__(self, *_) -> None:
        self.stopped = True
        self.server.stop(0).wait(5)

