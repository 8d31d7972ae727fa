# SPDX-License-Identifier: Apache-2.0
"""Peers whose packets vanish: no FIN, no RST, no ICMP. Keepalive is all that finds out."""

from __future__ import annotations

import os
import pathlib
import sys
import time

import pytest

from peers.networks import Networks
from peers.programs import Program
from peers.users import name, until

KEEPALIVE = ["--keepalive-time=300ms", "--keepalive-timeout=2s"]
WATCHING = pathlib.Path(__file__).parent / "peers" / "watching.py"


@pytest.fixture
def networks():
    """Makes so many networks: networks(2)."""
    made: list[Networks] = []

    def make(count: int) -> Networks:
        made.append(Networks(count).__enter__())
        return made[-1]

    yield make
    for each in made:
        each.__exit__()


def test_a_server_ends_the_calls_of_a_client_that_vanished(networks, user_service):
    """Two clients watch. One is cut off: its call ends at the server, and the other one's goes on."""
    net = networks(3)
    flags = ["--listen=0.0.0.0:50051", "--plaintext", "--admin=127.0.0.1:9090", *KEEPALIVE]
    with user_service(*flags, wrapper=net.inside(0)) as server:
        server.line("listening on")
        ids = {number: name() for number in (1, 2)}

        def watching(number: int) -> Program:
            target = f"{net.address(0)}:50051"
            program = [sys.executable, str(WATCHING), os.environ["SONDE_STUBS"], target, ids[number]]
            return Program([*net.inside(number), *program])

        with watching(1) as gone, watching(2) as here:
            gone.line("^watching$")
            here.line("^watching$")
            net.cut(1)
            server.line(rf"WatchUsers code=Canceled .*request_id={ids[1]}")
            # A call is counted out right after its line was written, which a busy machine may put off.
            time.sleep(1)
            # The one that answers is still there, and the stopping server ends it in its own way.
            assert not any(f"request_id={ids[2]}" in line for line in server.lines)
            assert server.stop() == 0
            here.line("^ended: UNAVAILABLE$")
            # What vanished leaves nothing for the drain to wait for.
            assert server.line(r"draining calls=(\d+)")[1] == "1"
            assert not any(line.startswith("ended") for line in gone.lines)


def test_a_client_moves_from_a_server_that_vanished(networks, programs):
    """The calls of a client go on at the next server of its target, and the one that was lost says why."""
    net = networks(3)
    backends = [programs("interop-server", "--port=50051", wrapper=net.inside(number)) for number in (1, 2)]
    with backends[0], backends[1]:
        for backend in backends:
            backend.line("listening on")
        arguments = [
            f"--target=ipv4:{net.address(1)}:50051,{net.address(2)}:50051",
            "--test_case=rpc_soak", "--soak_iterations=1000000", "--soak_min_time_ms_between_rpcs=20",
            "--keepalive_time_ms=300", "--keepalive_timeout_ms=2000",
        ]  # fmt: skip
        with programs("interop-client", *arguments, wrapper=net.inside(0)) as client:
            client.line(rf"peer: .*{net.address(1)}.* succeeded")
            net.cut(1)
            client.line(rf"failed: the connection to {net.address(1)}:50051 was lost: no answer to a keepalive PING")
            client.line(rf"peer: .*{net.address(2)}.* succeeded")
            seen = len(client.lines)
            until(lambda: len(client.lines) > seen + 10)
            assert all(net.address(2) in line and "succeeded" in line for line in client.lines[seen:])
            client.process.kill()
