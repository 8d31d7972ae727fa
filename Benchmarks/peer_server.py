# SPDX-License-Identifier: Apache-2.0
"""The same methods on grpcio, in its asynchronous form.

    peer_server.py STUBS PORT
"""

import asyncio
import os
import sys

import grpc

sys.path.insert(0, sys.argv[1])
grpc.__path__.append(os.path.join(sys.argv[1], "grpc"))

from greeter import greeter_pb2, greeter_pb2_grpc
from grpc.testing import messages_pb2, test_pb2_grpc  # ours, beside the library's modules


class Greeter(greeter_pb2_grpc.GreeterServicer):
    async def SayHello(self, request, context):
        return greeter_pb2.HelloReply(message=f"Hello, {request.name}!")


class Test(test_pb2_grpc.TestServiceServicer):
    async def StreamingOutputCall(self, request, context):
        for parameters in request.response_parameters:
            yield messages_pb2.StreamingOutputCallResponse(payload=messages_pb2.Payload(body=bytes(parameters.size)))

    async def FullDuplexCall(self, requests, context):
        async for request in requests:
            for parameters in request.response_parameters:
                payload = messages_pb2.Payload(body=bytes(parameters.size))
                yield messages_pb2.StreamingOutputCallResponse(payload=payload)


async def main() -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    greeter_pb2_grpc.add_GreeterServicer_to_server(Greeter(), server)
    test_pb2_grpc.add_TestServiceServicer_to_server(Test(), server)
    server.add_insecure_port(f"127.0.0.1:{sys.argv[2]}")
    await server.start()
    print(f"listening on 127.0.0.1:{sys.argv[2]}", flush=True)
    await server.wait_for_termination()


asyncio.run(main())
