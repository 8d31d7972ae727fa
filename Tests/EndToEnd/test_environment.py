# SPDX-License-Identifier: Apache-2.0
"""Flags from the environment: GRPC_HEALTH_PROBE_<FLAG>, below the command line and above the default."""

import re

import pytest

from peers import tls
from peers.http2 import ScriptedPeer, answering


def variable(flag):
    return "GRPC_HEALTH_PROBE_" + flag.upper().replace("-", "_")


def env(**flags):
    return {variable(flag): value for flag, value in flags.items()}


def test_every_flag_may_come_from_the_environment(probe, healthy):
    probe(env=env(addr=healthy.address, service="down", connect_timeout="20s")).unhealthy("NOT_SERVING")


def test_a_flag_wins_over_the_environment(probe, healthy):
    probe.check(healthy.address, "-service=up", env=env(addr="127.0.0.1:1", service="down")).serving()


def test_a_boolean_flag_wins_over_the_environment(probe, healthy):
    result = probe.check(healthy.address, "-v=false", env=env(v="true"))
    assert result.serving().lines == ["status: SERVING"]


def test_the_environment_wins_over_the_default(probe):
    result = probe("-addr=unix://host/x", "-v", env=env(connect_timeout="7s", rpc_timeout="1m30s"))
    assert result.lines[1] == "> addr=unix://host/x conn_timeout=7s rpc_timeout=1m30s", result


EMPTY = [
    "addr", "service", "connect-timeout", "tls", "v", "rpc-header", "output", "exit-codes", "timeout", "tls-min-days",
    "services", "rpc-header-file",
]


@pytest.mark.parametrize("flag", EMPTY)
def test_an_empty_variable_is_no_variable(probe, healthy, flag):
    probe.check(healthy.address, env={variable(flag): ""}).serving()


def test_an_empty_flag_wins_over_a_variable(probe, healthy):
    """`-service=` asks for the whole server, whatever the environment says."""
    probe.check(healthy.address, "-service=", env=env(service="down")).serving()


@pytest.mark.parametrize("value", ["true", "1", "T"])
def test_booleans_are_spelt_as_on_the_command_line(probe, healthy, value):
    result = probe.check(healthy.address, env=env(v=value)).ends(0)
    assert result.line == "parsed options:", result


def test_a_repeatable_flag_is_one_value_a_line(probe):
    with ScriptedPeer(answering()) as peer:
        probe.check(peer.address, env=env(rpc_header="foo: bar\na: b\nfoo: baz\n")).serving()
        assert peer.request.values("foo") == ["bar", "baz"]
        assert peer.request.values("a") == ["b"]


def test_a_repeatable_flag_on_the_command_line_replaces_the_variable(probe):
    with ScriptedPeer(answering()) as peer:
        probe.check(peer.address, "-rpc-header=a: flag", env=env(rpc_header="a: variable\nb: variable")).serving()
        assert peer.request.values("a") == ["flag"]
        assert peer.request.values("b") == []


def test_tls_from_the_environment_alone(probe, certificates):
    context = tls.server_context(
        certificates("server.pem"), certificates("server.key"), client_ca=certificates("ca.pem")
    )
    with ScriptedPeer(answering(), tls=context) as peer:
        variables = env(
            addr=peer.address, tls="true", tls_ca_cert=certificates("ca.pem"), connect_timeout="20s",
            tls_client_cert=certificates("client.pem"), tls_client_key=certificates("client.key"),
        )
        probe(env=variables).serving()


ERRORS = {
    "connect-timeout": "abc",
    "rpc-timeout": "5",
    "tls": "maybe",
    "v": "yes",
    "rpc-header": "no colon",
    "tls-min-days": "soon",
    "output": "xml",
    "exit-codes": "podman",
}


@pytest.mark.parametrize("flag, value", ERRORS.items())
def test_an_error_names_the_variable(probe, flag, value):
    result = probe("-addr=unix://host/x", env={variable(flag): value}).ends(1)
    assert variable(flag) in result.stderr, result
    assert value in result.stderr, result


def test_a_timeout_that_is_not_positive_is_refused_from_the_environment_too(probe):
    result = probe("-addr=unix://host/x", env=env(connect_timeout="0s")).ends(1)
    assert "must be greater than zero" in result.line, result


def test_a_bad_variable_does_not_matter_where_the_flag_is_given(probe, healthy):
    probe.check(healthy.address, env=env(connect_timeout="abc")).serving()


def test_variables_that_kubernetes_makes_for_a_service_of_that_name_are_ignored(probe, healthy):
    """A Service called `grpc-health-probe` puts these into every container of its namespace."""
    variables = {
        "GRPC_HEALTH_PROBE_PORT": "tcp://10.0.0.1:80",
        "GRPC_HEALTH_PROBE_SERVICE_HOST": "10.0.0.1",
        "GRPC_HEALTH_PROBE_SERVICE_PORT": "80",
        "GRPC_HEALTH_PROBE_PORT_80_TCP": "tcp://10.0.0.1:80",
    }
    probe.check(healthy.address, env=variables).serving()


def test_the_version_of_a_dockerfile_does_not_disturb(probe, healthy):
    """Many images say `ENV GRPC_HEALTH_PROBE_VERSION=v0.4.13` where they fetch the probe."""
    probe.check(healthy.address, env={"GRPC_HEALTH_PROBE_VERSION": "v0.4.13"}).serving()


def test_help_tells_of_the_variables(probe):
    assert re.search(r"GRPC_HEALTH_PROBE_", probe("-h").ends(1).stderr)
