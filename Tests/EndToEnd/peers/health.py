# SPDX-License-Identifier: Apache-2.0
"""A real gRPC health server: grpcio with the health service of its own project."""

from __future__ import annotations

from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN = range(4)


class ListingServicer(health.HealthServicer):
    """Knows List as well, which the packaged service does not."""

    def List(self, request, context):
        with self._lock:
            statuses = dict(self._server_status)
        return health_pb2.HealthListResponse(
            statuses={name: health_pb2.HealthCheckResponse(status=value) for name, value in statuses.items()}
        )


class Recorder(grpc.ServerInterceptor):
    """Keeps each call's method and metadata."""

    def __init__(self):
        self.calls: list[tuple[str, list[tuple[str, str | bytes]]]] = []

    def intercept_service(self, continuation, details):
        self.calls.append((details.method, [(key, value) for key, value in details.invocation_metadata]))
        return continuation(details)

    @property
    def methods(self) -> list[str]:
        return [method.rsplit("/", 1)[1] for method, _ in self.calls]


class HealthServer:
    """Serves on the address given, in grpcio's spelling; `address` is the same in the probe's."""

    def __init__(
        self,
        statuses: dict[str, int] | None = None,
        address: str = "127.0.0.1:0",
        credentials: grpc.ServerCredentials | None = None,
        lists: bool = True,
        register: bool = True,
        servicer: health.HealthServicer | None = None,
    ):
        self.recorder = Recorder()
        self.server = grpc.server(
            futures.ThreadPoolExecutor(4), interceptors=[self.recorder], options=[("grpc.so_reuseport", 0)]
        )
        self.servicer = servicer or (ListingServicer if lists else health.HealthServicer)()
        if register:
            health_pb2_grpc.add_HealthServicer_to_server(self.servicer, self.server)
        for service, value in ({"": SERVING} if statuses is None else statuses).items():
            self.set(service, value)
        if statuses is not None and "" not in statuses:
            with self.servicer._lock:
                del self.servicer._server_status[""]
        if credentials:
            port = self.server.add_secure_port(address, credentials)
        else:
            port = self.server.add_insecure_port(address)
        assert port, f"grpcio could not listen on {address}"
        self.port = port
        self.stopped = False
        self.address = address if address.startswith("unix") else f"{address.rpartition(':')[0]}:{port}"
        self.server.start()

    def set(self, service: str, value: int) -> None:
        self.servicer.set(service, value)

    def __enter__(self) -> "HealthServer":
        return self

    def __exit__(self, *_) -> None:
        self.stopped = True
        self.server.stop(0).wait(5)


def credentials(certificate: str, key: str, client_ca: str | None = None) -> grpc.ServerCredentials:
    def read(path: str) -> bytes:
        with open(path, "rb") as file:
            return file.read()

    return grpc.ssl_server_credentials(
        [(read(key), read(certificate))],
        root_certificates=read(client_ca) if client_ca else None,
        require_client_auth=client_ca is not None,
    )
