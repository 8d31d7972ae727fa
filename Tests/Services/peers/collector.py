# SPDX-License-Identifier: Apache-2.0
"""A collector of spans, played by grpcio."""

from __future__ import annotations

import concurrent.futures
import queue

import grpc

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class Collector:
    """Takes OTLP exports as bytes."""

    def __init__(self, port: int = 0):
        self.requests: queue.Queue[bytes] = queue.Queue()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))

        def export(request, context):
            self.requests.put(request)
            return b""

        handlers = {"Export": grpc.unary_unary_rpc_method_handler(export)}
        service = EXPORT.split("/")[1]
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
        self.port = self.server.add_insecure_port(f"127.0.0.1:{port}")

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(0)
