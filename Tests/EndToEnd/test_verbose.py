# SPDX-License-Identifier: Apache-2.0
"""-v: its shape line by line, without secrets; and the transport log of the variables that users know."""

import re

import pytest

from peers import tcp, tls
from peers.http2 import ScriptedPeer, answering
from probe import DURATION


def matches(result, patterns):
    """Each line of stderr matches its pattern, and there are no more lines than patterns."""
    assert len(result.lines) >= len(patterns), result
    for line, pattern in zip(result.lines, patterns):
        assert re.fullmatch(pattern, line), f"{line!r} is not {pattern!r}:{result}"
    return result.lines[len(patterns) :]


CONNECTED = [
    r"establishing connection",
    rf"connection established \(took {DURATION}\)",
    rf"time elapsed: connect={DURATION} rpc={DURATION}",
]


def options(address, tls_lines=(r"> tls=false",), connect="1s", rpc="1s", headers=()):
    return [
        r"parsed options:",
        re.escape(f"> addr={address} conn_timeout={connect} rpc_timeout={rpc}"),
        *headers,
        *tls_lines,
        r"> alts=false",
        r"> spiffe=false",
    ]


def test_the_shape_of_a_good_check(probe, healthy):
    result = probe(f"-addr={healthy.address}", "-v").ends(0)
    assert matches(result, [*options(healthy.address), *CONNECTED, "status: SERVING"]) == []
    assert result.stdout == "", result


def test_the_two_times_are_the_same_in_both_lines(probe, healthy):
    text = probe.check(healthy.address, "-v").ends(0).stderr
    assert re.search(r"\(took (\S+)\)", text)[1] == re.search(r"connect=(\S+)", text)[1]


def test_an_unhealthy_service_follows_the_times(probe, healthy):
    result = probe(f"-addr={healthy.address}", "-v", "-service=down").ends(4)
    rest = matches(
        result, [*options(healthy.address), *CONNECTED, re.escape('service unhealthy (responded with "NOT_SERVING")')]
    )
    assert rest and rest[0].startswith("reason:"), result


def test_a_failed_connection_follows_the_options(probe):
    address = tcp.refused_address()
    result = probe(f"-addr={address}", "-v", "-connect-timeout=200ms").ends(2)
    failure = re.escape(f'timeout: failed to connect service "{address}" within 200ms')
    rest = matches(result, [*options(address, connect="200ms"), "establishing connection", failure])
    assert rest and rest[0].startswith("reason:"), result


def test_a_failed_call_follows_the_connection(probe, healthy):
    result = probe.check(healthy.address, "-v", "-service=never-heard-of").ends(3)
    position = [i for i, line in enumerate(result.lines) if line.startswith("connection established (took ")]
    failure = "error: health rpc failed: rpc error: code = NotFound desc = "
    assert position and failure in result.lines[position[0] :], result


def test_header_values_are_redacted_and_names_are_sorted(probe, healthy):
    result = probe.check(
        healthy.address, "-v", "-rpc-header=foo: s3cret-1", "-rpc-header=a: s3cret-2", "-rpc-header=foo: s3cret-3"
    ).ends(0)
    assert "s3cret" not in result.stderr, result
    line = result.lines[2]
    assert re.fullmatch(r"> headers: \{map\[a:\[+redacted\]+ foo:\[+redacted\]? \[?redacted\]+\}", line), result


def test_without_headers_there_is_no_line_of_headers(probe, healthy):
    result = probe.check(healthy.address, "-v").ends(0)
    assert result.line == "parsed options:" and "headers" not in result.stderr, result


def test_the_shape_with_tls(probe, certificates):
    """One space stands at the end of the first of the four lines, and the key's path is not told."""
    context = tls.server_context(
        certificates("server.pem"), certificates("server.key"), client_ca=certificates("ca.pem")
    )
    ca, mine, key = certificates("ca.pem"), certificates("client.pem"), certificates("client.key")
    with ScriptedPeer(answering(), tls=context) as peer:
        address = f"localhost:{peer.port}"
        result = probe(
            f"-addr={address}", "-v", "-tls", f"-tls-ca-cert={ca}", f"-tls-client-cert={mine}",
            f"-tls-client-key={key}", "-tls-server-name=localhost", "-connect-timeout=20s",
        ).ends(0)
    lines = [
        r"> tls=true",
        r"  > no-verify=false ",
        re.escape(f"  > ca-cert={ca}"),
        re.escape(f"  > client-cert={mine}"),
        re.escape("  > client-key=(set)"),
        r"  > server-name=localhost",
    ]
    assert matches(result, [*options(address, lines, connect="20s"), *CONNECTED, "status: SERVING"]) == []
    assert key not in result.stderr, result


def test_tls_values_that_are_not_set_are_empty(probe, certificates):
    context = tls.server_context(certificates("server.pem"), certificates("server.key"))
    with ScriptedPeer(answering(), tls=context) as peer:
        result = probe(f"-addr={peer.address}", "-v", "-tls", "-tls-no-verify", "-connect-timeout=20s").ends(0)
        empty = [r"  > ca-cert=", r"  > client-cert=", r"  > client-key=", r"  > server-name="]
        lines = [r"> tls=true", r"  > no-verify=true ", *empty]
        matches(result, [*options(peer.address, lines, connect="20s"), *CONNECTED, "status: SERVING"])


# The transport log.

QUIET = {}
WARNING = {"GRPC_GO_LOG_SEVERITY_LEVEL": "warning"}
INFO = {"GRPC_GO_LOG_SEVERITY_LEVEL": "info"}
FRAMES = {"GRPC_GO_LOG_SEVERITY_LEVEL": "info", "GRPC_GO_LOG_VERBOSITY_LEVEL": "99"}


def test_the_log_names_frames_and_keeps_the_verdict(probe, healthy):
    result = probe.check(healthy.address, env=FRAMES).ends(0)
    assert "status: SERVING" in result.lines, result
    for frame in ("SETTINGS", "HEADERS", "DATA", "GOAWAY"):
        assert frame in result.stderr.upper(), f"{frame} is not logged:{result}"
    assert result.stdout == "", result


def test_more_is_logged_at_each_level(probe, healthy):
    counts = [len(probe.check(healthy.address, env=env).ends(0).lines) for env in (QUIET, INFO, FRAMES)]
    assert counts[0] == 1 and counts[0] < counts[1] < counts[2], counts


def test_warnings_tell_of_each_failed_attempt(probe):
    address = tcp.refused_address()
    result = probe(f"-addr={address}", "-connect-timeout=300ms", env=WARNING).ends(2)
    before = result.stderr.partition("timeout: failed to connect")[0]
    assert "refused" in before.lower(), result


@pytest.mark.parametrize("value", ["", "nonsense", "99999999999999999999"])
def test_a_level_that_is_none_changes_nothing(probe, healthy, value):
    env = {"GRPC_GO_LOG_SEVERITY_LEVEL": value, "GRPC_GO_LOG_VERBOSITY_LEVEL": value}
    probe.check(healthy.address, env=env).serving()


def test_the_log_holds_no_secret(probe, healthy):
    result = probe.check(healthy.address, "-rpc-header=authorization: Bearer s3cret", env=FRAMES).ends(0)
    assert "HEADERS" in result.stderr.upper() and "s3cret" not in result.stderr, result
