# SPDX-License-Identifier: Apache-2.0
"""What the server says of its services, as exit code and line."""

import pytest

from peers import health, http2
from peers.http2 import GRPC, START, answer, data, headers, status, trailers


def test_a_serving_server_is_healthy_and_stdout_stays_empty(probe, healthy):
    result = probe.check(healthy.address).serving()
    assert result.stderr == "status: SERVING\n", result


def test_a_serving_service_is_healthy(probe, healthy):
    probe.check(healthy.address, "-service=up").serving()


@pytest.mark.parametrize(
    "service, word", [("down", "NOT_SERVING"), ("unknown", "UNKNOWN"), ("lost", "SERVICE_UNKNOWN")]
)
def test_any_other_status_is_unhealthy(probe, healthy, service, word):
    probe.check(healthy.address, f"-service={service}").unhealthy(word)


def test_a_service_that_the_server_does_not_know_is_not_found(probe, healthy):
    probe.check(healthy.address, "-service=never-heard-of").rpc_failed("NotFound", "")


def test_the_state_is_asked_anew_each_time(probe):
    with health.HealthServer() as server:
        probe.check(server.address).serving()
        server.set("", health.NOT_SERVING)
        probe.check(server.address).unhealthy("NOT_SERVING")
        server.set("", health.SERVING)
        probe.check(server.address).serving()


def test_a_server_without_the_health_service_does_not_implement_it(probe):
    with health.HealthServer(register=False) as server:
        result = probe.check(server.address).ends(3)
        assert result.line.startswith(
            "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "
        ), result
        assert result.reason, result


@pytest.mark.parametrize("number, word", [(4, "4"), (17, "17"), (-1, "-1"), (2147483647, "2147483647")])
def test_a_status_without_a_name_is_told_by_its_number(probe, number, word):
    payload = http2.message(http2.enum_field(1, number))
    with http2.ScriptedPeer([*START, headers(GRPC), data(payload), trailers(status(0))]) as peer:
        probe.check(peer.address).unhealthy(word)


def test_an_enum_longer_than_32_bits_keeps_its_low_bits(probe):
    """The wire format says so: 2^32 + 1 reads as 1."""
    payload = http2.message(http2.enum_field(1, (1 << 32) + 1))
    with http2.ScriptedPeer([*START, headers(GRPC), data(payload), trailers(status(0))]) as peer:
        probe.check(peer.address).serving()


def test_an_empty_answer_means_unknown(probe):
    with http2.ScriptedPeer([*START, headers(GRPC), data(answer(0)), trailers(status(0))]) as peer:
        probe.check(peer.address).unhealthy("UNKNOWN")


def test_each_run_makes_one_call_of_check(probe):
    with health.HealthServer() as server:
        probe.check(server.address).serving()
        assert server.recorder.methods == ["Check"]
