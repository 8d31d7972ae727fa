# SPDX-License-Identifier: Apache-2.0
"""TLS: what is verified, which fault is named, and which files and variables count."""

import shutil
import ssl
import subprocess

import pytest

from peers import health, http2, programs, tcp, tls
from peers.http2 import ScriptedPeer, answering

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def trusting(certificates):
    """The flags of a probe that trusts the tests' own authority."""
    return ["-tls", f"-tls-ca-cert={certificates('ca.pem')}"]


@pytest.fixture
def serve(certificates):
    """Makes a TLS server of HTTP/2 with the certificate of a name."""

    def make(name="server", **options):
        context = tls.server_context(certificates(f"{name}.pem"), certificates(f"{name}.key"), weak=True, **options)
        return ScriptedPeer(answering(), tls=context)

    return make


@pytest.fixture(scope="module")
def secure(certificates):
    """A real server over TLS."""
    pair = health.credentials(certificates("server.pem"), certificates("server.key"))
    with health.HealthServer({"": health.SERVING, "down": health.NOT_SERVING}, credentials=pair) as server:
        yield server


# Good connections.


def test_a_real_server_over_tls(probe, secure, trusting):
    probe.check(secure.address, *trusting).serving()
    probe.check(secure.address, *trusting, "-service=down").unhealthy("NOT_SERVING")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["server", "rsa-server", "full-chain"])
def test_a_good_certificate_on_each_version(probe, serve, trusting, version, name):
    with serve(name, minimum=version, maximum=version) as peer:
        probe.check(peer.address, *trusting).serving()


def test_the_request_says_https_and_the_authority_is_the_target(probe, serve, trusting):
    with serve() as peer:
        probe.check(f"localhost:{peer.port}", *trusting).serving()
        assert peer.request.value(":scheme") == "https"
        assert peer.request.value(":authority") == f"localhost:{peer.port}"
        assert peer.server_names == ["localhost"]


def test_an_address_is_verified_as_one_and_not_sent_as_a_name(probe, serve, trusting):
    """RFC 6066, section 3: the server name is no literal address."""
    with serve() as peer:
        probe.check(f"127.0.0.1:{peer.port}", *trusting).serving()
        assert peer.server_names == [None]


def test_a_port_alone_is_verified_as_localhost(probe, serve, trusting):
    with serve() as peer:
        probe.check(f":{peer.port}", *trusting).serving()
        assert peer.server_names == ["localhost"]


@pytest.mark.parametrize("name", ["other.example.org", "any.example.net"])
def test_the_server_name_is_verified_and_sent_as_name_and_as_authority(probe, serve, trusting, name):
    with serve("wrong-host") as peer:
        probe.check(peer.address, *trusting, f"-tls-server-name={name}").serving()
        assert peer.server_names == [name]
        assert peer.request.value(":authority") == name


def test_a_wildcard_covers_one_label_only(probe, serve, trusting):
    with serve("wrong-host") as peer:
        result = probe.check(peer.address, *trusting, "-tls-server-name=a.b.example.net")
        result.connect_failed(peer.address).because("a.b.example.net", "example.net")


def test_no_verify_takes_any_certificate(probe, serve):
    for name in ("server", "unknown", "expired", "wrong-host", "self-signed", "many-faults"):
        with serve(name) as peer:
            probe.check(peer.address, "-tls", "-tls-no-verify").serving()


def test_tls_over_a_unix_socket_verifies_localhost(probe, certificates, trusting, folder):
    context = tls.server_context(certificates("server.pem"), certificates("server.key"))
    with ScriptedPeer(answering(), listener=tcp.listen_unix(str(folder / "s")), tls=context) as peer:
        probe.check(f"unix:{folder}/s", *trusting).serving()
        assert peer.server_names == ["localhost"]
        assert peer.request.value(":authority") == "localhost"


def test_a_bundle_of_several_authorities_is_read_whole(probe, serve, certificates, folder):
    bundle = folder / "bundle.pem"
    with open(certificates("unknown-ca.pem")) as one, open(certificates("ca.pem")) as two:
        bundle.write_text("# a comment\n" + one.read() + "\nmore words\n" + two.read())
    with serve() as peer:
        probe.check(peer.address, "-tls", f"-tls-ca-cert={bundle}").serving()


def test_nginx_passes_the_call_on(probe, folder, healthy, certificates, trusting):
    """A reverse proxy as it stands before many services."""
    block = (
        f"listen 127.0.0.1:{{port}} ssl http2; ssl_certificate {certificates('full-chain.pem')};"
        f" ssl_certificate_key {certificates('full-chain.key')};"
        f" location / {{ grpc_pass grpc://{healthy.address}; }}"
    )
    with programs.nginx(folder, block) as server:
        probe.check(server.address, *trusting).serving()
        probe.check(server.address, *trusting, "-service=down", "-gzip").unhealthy("NOT_SERVING")


# The system's authorities.


def test_without_a_file_the_systems_authorities_do_not_know_ours(probe, serve):
    with serve() as peer:
        result = probe.check(peer.address, "-tls").connect_failed(peer.address)
        result.because("issuer|authority|unknown|self-signed", "Test Root")


def test_ssl_cert_file_replaces_the_systems_authorities(probe, serve, certificates):
    with serve() as peer:
        probe.check(peer.address, "-tls", env={"SSL_CERT_FILE": certificates("ca.pem")}).serving()


@pytest.mark.parametrize("layout", ["plain", "hashed"])
def test_ssl_cert_dir_is_searched(probe, serve, certificates, folder, layout):
    """Go reads every file of the folder; OpenSSL wants names made of hashes. Both must do."""
    shutil.copy(certificates("ca.pem"), folder / "ours.pem")
    if layout == "hashed":
        subprocess.run(["openssl", "rehash", folder], check=True, capture_output=True)
    with serve() as peer:
        probe.check(peer.address, "-tls", env={"SSL_CERT_DIR": str(folder)}).serving()


def test_the_flag_replaces_what_the_environment_says(probe, serve, certificates):
    with serve() as peer:
        env = {"SSL_CERT_FILE": certificates("ca.pem")}
        result = probe.check(peer.address, "-tls", f"-tls-ca-cert={certificates('unknown-ca.pem')}", env=env)
        result.connect_failed(peer.address)


# Certificates that are bad, each in its own way.

BAD = {
    "expired": ["expired", "2021"],
    "not-yet-valid": ["not yet valid", "2090"],
    "wrong-host": ["other.example.org", "127.0.0.1"],
    "no-san": ["san|subject alternative|names no host|no host"],
    "unknown": ["issuer|authority|unknown", "Other Root"],
    "self-signed": ["self-signed|self signed"],
    "missing-intermediate": ["issuer|intermediate|authority|chain", "Test Intermediate"],
    "client-only": ["usage|purpose|client"],
    "weak-key": ["weak|small|short|1024"],
    "sha1": ["sha-1|sha1|weak|digest|signature"],
}


@pytest.mark.parametrize("name, words", BAD.items(), ids=BAD)
@pytest.mark.parametrize("version", VERSIONS, ids=["TLS 1.2", "TLS 1.3"])
def test_a_bad_certificate_is_told_at_once_with_its_fault(probe, serve, trusting, name, words, version):
    with serve(name, minimum=version, maximum=version) as peer:
        probe.check(peer.address, *trusting).connect_failed(peer.address).because(*words)
        assert peer.requests == [], "a request went to a server that was not verified"


def test_all_faults_of_a_certificate_are_named(probe, serve, trusting):
    with serve("many-faults") as peer:
        result = probe.check(peer.address, *trusting).connect_failed(peer.address)
        told = "\n".join(result.lines[1:]).lower()
        for words in (["expired"], ["other.example.org"], ["usage", "purpose", "client"]):
            assert any(word in told for word in words), f"{words[0]} is not told:{result}"


def test_a_wrong_host_by_name_lists_the_certificates_names(probe, serve, trusting):
    with serve("wrong-host") as peer:
        result = probe.check(f"localhost:{peer.port}", *trusting).connect_failed(f"localhost:{peer.port}")
        result.because("localhost", "other.example.org", "*.example.net")


def test_a_client_certificate_never_goes_to_an_impostor(probe, serve, trusting, certificates):
    mine = [f"-tls-client-cert={certificates('client.pem')}", f"-tls-client-key={certificates('client.key')}"]
    for version in VERSIONS:
        with serve("unknown", client_ca=certificates("ca.pem"), minimum=version, maximum=version) as peer:
            probe.check(peer.address, *trusting, *mine).connect_failed(peer.address)
            peer.wait_until_idle()
            assert peer.handshake_errors and not peer.conversations


# Servers that do not speak HTTP/2 over TLS.


def test_a_server_without_alpn_is_told_at_once(probe, serve, trusting):
    with serve(alpn=None) as peer:
        probe.check(peer.address, *trusting).connect_failed(peer.address).because("ALPN")


def test_a_server_that_chooses_http_1_is_told_at_once(probe, folder, certificates, trusting):
    pair = ["-cert", certificates("server.pem"), "-key", certificates("server.key")]
    with programs.s_server(folder, *pair, "-alpn", "http/1.1") as server:
        probe.check(server.address, *trusting).connect_failed(server.address).because("ALPN|application protocol")


def test_s_server_without_alpn_is_told_at_once(probe, folder, certificates, trusting):
    pair = ["-cert", certificates("server.pem"), "-key", certificates("server.key")]
    with programs.s_server(folder, *pair) as server:
        probe.check(server.address, *trusting).connect_failed(server.address).because("ALPN")


def test_alpn_need_not_be_enforced(probe, serve, trusting):
    with serve(alpn=None) as peer:
        probe.check(peer.address, *trusting, env={"GRPC_ENFORCE_ALPN_ENABLED": "false"}).serving()


def test_alpn_is_enforced_by_any_other_value(probe, serve, trusting):
    with serve(alpn=None) as peer:
        result = probe.check(peer.address, *trusting, env={"GRPC_ENFORCE_ALPN_ENABLED": "true"})
        result.connect_failed(peer.address)


def test_tls_1_1_is_too_old(probe, folder, certificates, trusting):
    options = ["-cert", certificates("rsa-server.pem"), "-key", certificates("rsa-server.key"), "-tls1_1"]
    with programs.s_server(folder, *options, "-cipher", "ALL:@SECLEVEL=0") as server:
        result = probe.check(server.address, *trusting).connect_failed(server.address)
        result.because("version|TLS 1.1|too old|protocol")


PLAINTEXT = {
    "HTTP/1.1": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "plaintext|HTTP/1|not TLS|no TLS"),
    "HTTP/2 settings": (http2.frame(http2.SETTINGS, 0, 0), "plaintext|not TLS|no TLS"),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH|plaintext|not TLS|no TLS"),
}


@pytest.mark.parametrize("answer, words", PLAINTEXT.values(), ids=PLAINTEXT)
def test_tls_to_a_server_that_speaks_plaintext_is_told_at_once(probe, trusting, answer, words):
    with tcp.says(answer, after_hearing=True) as server:
        probe.check(server.address, *trusting).connect_failed(server.address).because(words)


def test_tls_to_a_real_plaintext_server(probe, healthy, trusting):
    result = probe.check(healthy.address, *trusting).connect_failed(healthy.address)
    result.because("plaintext|not TLS|no TLS|without TLS")


def test_a_server_that_closes_in_the_handshake_is_tried_again(probe, trusting):
    with tcp.says(b"", then_close=True, after_hearing=True) as server:
        result = probe(f"-addr={server.address}", "-connect-timeout=400ms", *trusting).at_once()
        result.connect_timed_out(server.address, "400ms").because("closed|eof")
        assert server.accepted > 1


def test_a_server_that_is_silent_in_the_handshake_ends_with_the_window(probe, trusting):
    with tcp.silence() as server:
        result = probe(f"-addr={server.address}", "-connect-timeout=300ms", *trusting).at_once()
        result.connect_timed_out(server.address, "300ms").because("tls|handshake")


# Client certificates.


@pytest.mark.parametrize("version", VERSIONS, ids=["TLS 1.2", "TLS 1.3"])
class TestMutual:
    def test_a_client_certificate_that_is_wanted_and_given(self, probe, serve, trusting, certificates, version):
        mine = [f"-tls-client-cert={certificates('client.pem')}", f"-tls-client-key={certificates('client.key')}"]
        with serve(client_ca=certificates("ca.pem"), minimum=version, maximum=version) as peer:
            probe.check(peer.address, *trusting, *mine).serving()

    def test_one_that_is_wanted_and_missing_is_told_at_once(self, probe, serve, trusting, certificates, version):
        with serve(client_ca=certificates("ca.pem"), minimum=version, maximum=version) as peer:
            result = probe.check(peer.address, *trusting).connect_failed(peer.address)
            result.because("client certificate|-tls-client-cert")

    def test_one_that_the_server_does_not_trust_is_told_at_once(self, probe, serve, trusting, certificates, version):
        stranger = [
            f"-tls-client-cert={certificates('unknown-client.pem')}",
            f"-tls-client-key={certificates('unknown-client.key')}",
        ]
        with serve(client_ca=certificates("ca.pem"), minimum=version, maximum=version) as peer:
            result = probe.check(peer.address, *trusting, *stranger).connect_failed(peer.address)
            result.because("client certificate|unknown ca|unknown_ca|alert")


def test_a_real_server_that_wants_a_client_certificate(probe, trusting, certificates):
    wanted = health.credentials(certificates("server.pem"), certificates("server.key"), certificates("ca.pem"))
    mine = [f"-tls-client-cert={certificates('client.pem')}", f"-tls-client-key={certificates('client.key')}"]
    with health.HealthServer(credentials=wanted) as server:
        probe.check(server.address, *trusting, *mine).serving()
        probe(f"-addr={server.address}", "-connect-timeout=1s", *trusting).could_not_connect(server.address).because(
            "certificate"
        )


def test_a_client_certificate_that_nobody_wants_is_harmless(probe, secure, trusting, certificates):
    mine = [f"-tls-client-cert={certificates('client.pem')}", f"-tls-client-key={certificates('client.key')}"]
    probe.check(secure.address, *trusting, *mine).serving()


def test_a_client_certificate_with_its_chain_is_sent_whole(probe, serve, trusting, certificates):
    chain = [f"-tls-client-cert={certificates('full-chain.pem')}", f"-tls-client-key={certificates('full-chain.key')}"]
    with serve(client_ca=certificates("ca.pem")) as peer:
        # The chain's leaf is for servers only, so the verdict may be either; what counts is the certificates sent.
        probe.check(peer.address, *trusting, *chain)
        peer.wait_until_idle()
        purpose_only = peer.handshake_errors and all("purpose" in error for error in peer.handshake_errors)
        assert peer.conversations or purpose_only, peer.handshake_errors


# Files that cannot be used: exit code 1, word by word.

FAILED = "failed to initialize tls credentials. error="


def test_a_missing_ca_file(probe):
    probe.check("127.0.0.1:1", "-tls", "-tls-ca-cert=/nope.pem").bad_arguments(
        FAILED + "failed to load root CA certificates from file (/nope.pem) "
        "error=open /nope.pem: no such file or directory"
    )


def test_a_ca_file_that_is_a_directory(probe):
    probe.check("127.0.0.1:1", "-tls", "-tls-ca-cert=/tmp").bad_arguments(
        FAILED + "failed to load root CA certificates from file (/tmp) error=read /tmp: is a directory"
    )


@pytest.mark.parametrize("content", ["", "words\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_ca_file_without_certificates(probe, folder, content):
    path = folder / "empty.pem"
    path.write_text(content)
    probe.check("127.0.0.1:1", "-tls", f"-tls-ca-cert={path}").bad_arguments(
        FAILED + f"no root CA certs parsed from file {path}"
    )


def pair(certificate, key):
    return ["-tls", f"-tls-client-cert={certificate}", f"-tls-client-key={key}"]


PAIR = FAILED + "failed to load tls client cert/key pair. error="


def test_a_missing_client_certificate(probe, certificates):
    probe.check("127.0.0.1:1", *pair("/nope.pem", certificates("client.key"))).bad_arguments(
        PAIR + "open /nope.pem: no such file or directory"
    )


def test_a_missing_client_key(probe, certificates):
    probe.check("127.0.0.1:1", *pair(certificates("client.pem"), "/nope.key")).bad_arguments(
        PAIR + "open /nope.key: no such file or directory"
    )


def test_a_client_certificate_that_is_no_pem(probe, certificates, folder):
    (folder / "x").write_text("words\n")
    probe.check("127.0.0.1:1", *pair(folder / "x", certificates("client.key"))).bad_arguments(
        PAIR + "tls: failed to find any PEM data in certificate input"
    )


def test_a_client_key_that_is_no_pem(probe, certificates, folder):
    (folder / "x").write_text("words\n")
    probe.check("127.0.0.1:1", *pair(certificates("client.pem"), folder / "x")).bad_arguments(
        PAIR + "tls: failed to find any PEM data in key input"
    )


def test_a_key_of_another_certificate(probe, certificates):
    probe.check("127.0.0.1:1", *pair(certificates("client.pem"), certificates("server.key"))).bad_arguments(
        PAIR + "tls: private key does not match public key"
    )


def test_a_key_behind_a_pass_phrase_asks_nobody(probe, certificates):
    """A prompt would hang a health check for ever."""
    flags = pair(certificates("client.pem"), certificates("encrypted.key"))
    result = probe.check("127.0.0.1:1", *flags).at_once().ends(1)
    assert result.line.startswith("failed to initialize tls credentials. error="), result
    assert "PEM pass phrase" not in result.stdout + result.stderr, result


# Days left.


def test_enough_days_left(probe, serve, trusting):
    with serve() as peer:
        probe.check(peer.address, *trusting, "-tls-min-days=30").serving()


def test_too_few_days_left(probe, serve, trusting):
    """The certificate ends in 2049."""
    with serve() as peer:
        result = probe.check(peer.address, *trusting, "-tls-min-days=20000").at_once()
        assert result.code not in (0, 1), result
        result.because("day|expire", "2049|days")


def test_days_left_are_counted_without_verification_too(probe, serve):
    with serve("expired") as peer:
        result = probe.check(peer.address, "-tls", "-tls-no-verify", "-tls-min-days=1").at_once()
        assert result.code not in (0, 1), result
        result.because("day|expire")
