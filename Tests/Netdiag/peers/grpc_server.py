# SPDX-License-Identifier: Apache-2.0
"""A gRPC health server as a program, for places that a test makes: `grpc_server.py OPTIONS`, a JSON object.

listen     the address, in grpcio's spelling
status     the server's status as a number of the health protocol; 0 for a server that never answers
cert, key  PEM files of TLS; without them the server speaks in the clear
client_ca  PEM file of the authorities whose client certificates it wants; without it, it wants none

It prints a line once it serves, and ends with its standard input.
"""

from __future__ import annotations

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

import grpc  # noqa: E402

from EndToEnd.peers import health  # noqa: E402


class Silent(health.ListingServicer):
    """Takes calls and lets them wait until their clients give up."""

    def Check(self, request, context):
        import threading

        given_up = threading.Event()
        context.add_callback(given_up.set)
        given_up.wait()


def main() -> None:
    options = json.loads(sys.argv[1])
    read = lambda name: pathlib.Path(options[name]).read_bytes() if options.get(name) else None
    credentials = None
    if options.get("cert"):
        credentials = grpc.ssl_server_credentials(
            [(read("key"), read("cert"))], read("client_ca"), require_client_auth=bool(options.get("client_ca"))
        )
    status = options.get("status", health.SERVING)
    servicer = None if status else Silent()
    with health.HealthServer({"": status or health.SERVING}, options["listen"], credentials, servicer=servicer):
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
