# SPDX-License-Identifier: Apache-2.0
"""SPIFFE: an identity from the Workload API, used for mutual TLS with any server of the trust bundle."""


import grpc
import pytest

from peers import spiffe, tcp, tls
from peers.http2 import ScriptedPeer, answering

FAILED = "failed to initialize tls credentials with spiffe. error="


@pytest.fixture
def identity(certificates):
    """The Workload API's answer: the probe's SVID and the bundle of its trust domain."""
    return spiffe.response(
        spiffe.svid(
            "spiffe://example.org/probe", certificates("spiffe-client.pem"), certificates("spiffe-client.key"),
            certificates("spiffe-ca.pem"),
        )
    )


@pytest.fixture
def server(certificates):
    """A server of the same trust domain that wants a client certificate of it."""
    context = tls.server_context(
        certificates("spiffe-server.pem"), certificates("spiffe-server.key"), client_ca=certificates("spiffe-ca.pem")
    )
    with ScriptedPeer(answering(), tls=context) as peer:
        yield peer


def env(api):
    return {"SPIFFE_ENDPOINT_SOCKET": api.endpoint}


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_the_identity_is_fetched_and_used(probe, identity, server, folder, kind):
    address = f"unix:{folder}/api" if kind == "unix" else "127.0.0.1:0"
    with spiffe.WorkloadAPI(identity, address=address) as api:
        probe.check(server.address, "-spiffe", "-rpc-timeout=10s", env=env(api)).serving()
        methods = [method for method, _ in api.recorder.calls]
        assert methods == ["/SpiffeWorkloadAPI/FetchX509SVID"]
    assert server.request.value(":scheme") == "https"


def test_the_workload_api_is_asked_with_its_security_header_and_without_the_users(probe, identity, server, folder):
    with spiffe.WorkloadAPI(identity, address=f"unix:{folder}/api") as api:
        header = "-rpc-header=authorization: s3cret"
        probe.check(server.address, "-spiffe", "-rpc-timeout=10s", header, env=env(api)).serving()
        metadata = dict(api.recorder.calls[0][1])
    assert metadata["workload.spiffe.io"] == "true"
    assert "authorization" not in metadata
    assert server.request.value("authorization") == "s3cret"


def test_verbose_names_the_identity(probe, identity, server, folder):
    with spiffe.WorkloadAPI(identity, address=f"unix:{folder}/api") as api:
        result = probe.check(server.address, "-spiffe", "-v", "-rpc-timeout=10s", env=env(api)).ends(0)
    line = 'SPIFFE Verifiable Identity Document (SVID): "spiffe://example.org/probe"'
    at = result.lines.index
    assert at("> spiffe=true") < at(line) < at("establishing connection"), result


def test_the_first_of_several_identities_is_used(probe, certificates, server, folder):
    first = spiffe.svid(
        "spiffe://example.org/probe", certificates("spiffe-client.pem"), certificates("spiffe-client.key"),
        certificates("spiffe-ca.pem"),
    )
    second = spiffe.svid(
        "spiffe://example.org/server", certificates("spiffe-server.pem"), certificates("spiffe-server.key"),
        certificates("spiffe-ca.pem"),
    )
    with spiffe.WorkloadAPI(spiffe.response(first, second), address=f"unix:{folder}/api") as api:
        result = probe.check(server.address, "-spiffe", "-v", "-rpc-timeout=10s", env=env(api)).ends(0)
    assert '(SVID): "spiffe://example.org/probe"' in result.stderr


def test_an_identity_that_is_not_ready_is_asked_for_again(probe, identity, server, folder):
    late = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.PERMISSION_DENIED, identity]
    with spiffe.WorkloadAPI(*late, address=f"unix:{folder}/api") as api:
        probe.check(server.address, "-spiffe", "-rpc-timeout=20s", env=env(api)).serving()
        assert api.count == 3


# No identity: exit code 20.


def test_without_the_variable_it_ends_at_once(probe):
    probe.check("127.0.0.1:1", "-spiffe", "-rpc-timeout=20s").says(
        20, FAILED + "workload endpoint socket address is not configured"
    ).at_once().because("SPIFFE_ENDPOINT_SOCKET")


BAD_ENDPOINTS = {
    "another scheme": ("http://127.0.0.1:1", 'workload endpoint socket URI must have a "tcp" or "unix" scheme'),
    "a name": ("tcp://localhost:1", "workload endpoint tcp socket URI host component must be an IP:port"),
    "no port": ("tcp://127.0.0.1", "workload endpoint tcp socket URI host component must be an IP:port"),
}


@pytest.mark.parametrize("endpoint, text", BAD_ENDPOINTS.values(), ids=BAD_ENDPOINTS)
def test_a_bad_endpoint_ends_at_once(probe, endpoint, text):
    result = probe.check("127.0.0.1:1", "-spiffe", "-rpc-timeout=20s", env={"SPIFFE_ENDPOINT_SOCKET": endpoint})
    result.at_once()
    assert result.line.startswith(FAILED + text), result
    result.ends(20)


def test_a_socket_that_does_not_exist_is_waited_for(probe, folder):
    result = probe.check(
        "127.0.0.1:1", "-spiffe", "-rpc-timeout=300ms", env={"SPIFFE_ENDPOINT_SOCKET": f"unix://{folder}/missing"}
    )
    result.says(20, FAILED + "context deadline exceeded").at_once().because(f"{folder}/missing")


def test_a_refused_workload_api(probe):
    address = tcp.refused_address()
    result = probe.check(
        "127.0.0.1:1", "-spiffe", "-rpc-timeout=300ms", env={"SPIFFE_ENDPOINT_SOCKET": f"tcp://{address}"}
    )
    result.says(20, FAILED + "context deadline exceeded").at_once().because("refused", address)


def test_a_server_that_is_no_workload_api(probe, healthy):
    result = probe.check(
        "127.0.0.1:1", "-spiffe", "-rpc-timeout=300ms", env={"SPIFFE_ENDPOINT_SOCKET": f"tcp://{healthy.address}"}
    )
    result.says(20, FAILED + "context deadline exceeded").at_once().because("unimplemented|workload api")


def test_a_workload_that_is_not_registered(probe, folder):
    with spiffe.WorkloadAPI(grpc.StatusCode.PERMISSION_DENIED, address=f"unix:{folder}/api") as api:
        result = probe.check("127.0.0.1:1", "-spiffe", "-rpc-timeout=300ms", env=env(api)).at_once()
        result.says(20, FAILED + "context deadline exceeded").because("permissiondenied|permission denied|registered")


def test_a_workload_api_that_is_silent(probe):
    with tcp.silence() as server:
        result = probe.check(
            "127.0.0.1:1", "-spiffe", "-rpc-timeout=300ms", env={"SPIFFE_ENDPOINT_SOCKET": f"tcp://{server.address}"}
        )
        result.says(20, FAILED + "context deadline exceeded").at_once()


GARBAGE = {
    "an empty answer": b"",
    "no protobuf": b"\xff" * 40,
    "an SVID without a key": b"\x0a\x1e\x0a\x1aspiffe://example.org/probe\x12\x00",
    "a certificate that is none": b"\x0a\x28\x0a\x1aspiffe://example.org/probe\x12\x03abc\x1a\x03abc\x22\x00",
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
def test_an_answer_that_is_no_identity(probe, folder, answer):
    with spiffe.WorkloadAPI(answer, address=f"unix:{folder}/api") as api:
        result = probe.check("127.0.0.1:1", "-spiffe", "-rpc-timeout=500ms", env=env(api)).ends(20).at_once()
        assert result.line.startswith(FAILED), result
        assert result.reason, result


# The server.


@pytest.mark.parametrize("name", ["server", "unknown", "spiffe-two-ids"])
def test_a_server_outside_the_trust_bundle_is_not_trusted(probe, identity, certificates, folder, name):
    """A name that fits is no help, and neither is the right authority where the identity breaks the rules."""
    context = tls.server_context(certificates(f"{name}.pem"), certificates(f"{name}.key"))
    api = spiffe.WorkloadAPI(identity, address=f"unix:{folder}/api")
    with api, ScriptedPeer(answering(), tls=context) as peer:
        result = probe.check(peer.address, "-spiffe", "-rpc-timeout=10s", env=env(api)).connect_failed(peer.address)
        result.because("spiffe|bundle|trust|issuer|authority|identity")
        assert peer.requests == []


def test_the_servers_name_does_not_matter(probe, identity, server, folder):
    """The certificate of the server names neither localhost nor an address."""
    with spiffe.WorkloadAPI(identity, address=f"unix:{folder}/api") as api:
        probe.check(f"localhost:{server.port}", "-spiffe", "-rpc-timeout=10s", env=env(api)).serving()


def test_tls_flags_do_not_mix_with_spiffe(probe, identity, server, folder):
    with spiffe.WorkloadAPI(identity, address=f"unix:{folder}/api") as api:
        result = probe.check(server.address, "-spiffe", "-tls-ca-cert=x", env=env(api))
        result.bad_arguments("error: specified -tls-ca-cert without specifying -tls")
        assert api.count == 0
