# SPDX-License-Identifier: Apache-2.0
"""Run as a program: watches the users of the server at a target by grpcio, and says when the watch stands and ends.

watching.py STUBS TARGET REQUEST_ID
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import grpc

from peers.stubs import use

use(sys.argv[1])

from user.v1 import user_pb2, user_pb2_grpc

options = [("grpc.enable_http_proxy", 0)]
with grpc.insecure_channel(sys.argv[2], options=options) as channel:
    call = user_pb2_grpc.UserServiceStub(channel).WatchUsers(
        user_pb2.WatchUsersRequest(), metadata=[("x-request-id", sys.argv[3])], wait_for_ready=True, timeout=120
    )
    call.initial_metadata()
    print("watching", flush=True)
    try:
        for event in call:
            print(f"heard of {event.user.name}", flush=True)
    except grpc.RpcError as error:
        print(f"ended: {error.code().name}", flush=True)
