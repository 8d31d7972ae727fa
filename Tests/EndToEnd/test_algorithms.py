# SPDX-License-Identifier: Apache-2.0
"""TLS with every algorithm that a server may insist on: the released file links a selection of OpenSSL's."""

import shutil
import ssl
import subprocess

import pytest

from peers import programs, tls
from peers.http2 import ScriptedPeer, answering

CONNECTED = "status: CONNECTED"

SUITES_OF_TLS_1_3 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]

# OpenSSL's default list, by the kind of key that the server's certificate has.
SUITES_OF_TLS_1_2 = {
    "server": [
        *("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"),
        *("ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA"),
    ],
    "rsa-server": [
        *("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"),
        *("ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA"),
        *("DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305"),
        *("DHE-RSA-AES128-SHA256", "DHE-RSA-AES256-SHA256", "DHE-RSA-AES128-SHA", "DHE-RSA-AES256-SHA"),
        *("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256", "AES256-SHA256", "AES128-SHA", "AES256-SHA"),
    ],
}

PAIRS_OF_TLS_1_2 = [(name, suite) for name, suites in SUITES_OF_TLS_1_2.items() for suite in suites]

GROUPS = ["X25519", "X448", "P-256", "P-384", "P-521", "ffdhe2048", "ffdhe3072"]

KEYS = {
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "rsa-pss": ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
    "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "p521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "ed25519": ["-algorithm", "ED25519"],
    "ed448": ["-algorithm", "ED448"],
}


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make_pair(folder, kind, *options):
    """A key of a kind with a certificate that signs itself; gives the paths of both."""
    key, certificate = folder / f"{kind}.key", folder / f"{kind}.pem"
    openssl("genpkey", *KEYS[kind], "-out", key)
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    openssl("req", "-x509", "-key", key, "-subj", "/CN=localhost", "-addext", names, "-out", certificate, *options)
    return str(certificate), str(key)


@pytest.fixture
def trusting(certificates):
    return ["-connect-only", "-tls", f"-tls-ca-cert={certificates('ca.pem')}"]


@pytest.fixture
def insisting(folder, certificates):
    """Starts an nginx of HTTP/2 over TLS that insists on what the lines of its configuration say."""

    def start(*lines, pair=None, name="server"):
        certificate, key = pair or (certificates(f"{name}.pem"), certificates(f"{name}.key"))
        block = f"listen 127.0.0.1:{{port}} ssl http2; ssl_certificate {certificate}; ssl_certificate_key {key}; "
        return programs.nginx(folder, block + " ".join(lines))

    return start


@pytest.mark.parametrize("suite", SUITES_OF_TLS_1_3)
def test_each_suite_of_tls_1_3(probe, insisting, trusting, suite):
    with insisting("ssl_protocols TLSv1.3;", f"ssl_conf_command Ciphersuites {suite};") as server:
        probe.check(server.address, *trusting).says(0, CONNECTED)


@pytest.mark.parametrize("name, suite", PAIRS_OF_TLS_1_2)
def test_each_suite_of_tls_1_2(probe, certificates, trusting, name, suite):
    latest = ssl.TLSVersion.TLSv1_2
    context = tls.server_context(certificates(f"{name}.pem"), certificates(f"{name}.key"), maximum=latest)
    context.set_ciphers(suite)
    if suite.startswith("DHE"):
        context.load_dh_params(dh_parameters(certificates))
    with ScriptedPeer(answering(), tls=context) as peer:
        probe.check(peer.address, *trusting).says(0, CONNECTED)


def dh_parameters(certificates):
    """The group ffdhe2048 as a file of parameters, beside the certificates."""
    path = f"{certificates.directory}/dh-parameters"
    openssl("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", path)
    return path


@pytest.mark.parametrize("group", GROUPS)
def test_each_group(probe, insisting, trusting, group):
    with insisting("ssl_protocols TLSv1.3;", f"ssl_conf_command Groups {group};") as server:
        probe.check(server.address, *trusting).says(0, CONNECTED)


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("kind", KEYS)
def test_each_kind_of_key(probe, folder, insisting, kind, version):
    pair = make_pair(folder, kind)
    with insisting(f"ssl_protocols {version};", pair=pair) as server:
        probe.check(server.address, "-connect-only", "-tls", f"-tls-ca-cert={pair[0]}").says(0, CONNECTED)


@pytest.fixture
def signed(folder):
    """Makes an authority and a certificate that it signs by a digest; gives the authority and the pair."""

    def make(digest):
        authority, authority_key = make_pair(folder, "rsa")
        key, request, certificate, extensions = (folder / name for name in ("key", "request", "leaf", "extensions"))
        openssl("genpkey", *KEYS["p256"], "-out", key)
        extensions.write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("req", "-new", "-key", key, "-subj", "/CN=localhost", "-out", request)
        issuer = ["-CA", authority, "-CAkey", authority_key, "-extfile", extensions]
        openssl("x509", "-req", "-in", request, *issuer, f"-{digest}", "-out", certificate)
        return authority, (str(certificate), str(key))

    return make


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_each_digest_of_a_signature(probe, insisting, signed, digest):
    authority, pair = signed(digest)
    with insisting(pair=pair) as server:
        probe.check(server.address, "-connect-only", "-tls", f"-tls-ca-cert={authority}").says(0, CONNECTED)


@pytest.mark.parametrize("digest", ["md5", "sha1"])
def test_a_signature_by_a_weak_digest_is_named(probe, signed, digest):
    authority, pair = signed(digest)
    with ScriptedPeer(answering(), tls=tls.server_context(*pair, weak=True)) as peer:
        result = probe.check(peer.address, "-connect-only", "-tls", f"-tls-ca-cert={authority}")
        result.connect_failed(peer.address).because("weak")


@pytest.mark.parametrize("form", ["PKCS#8", "PKCS#1", "SEC 1"])
def test_a_client_key_in_each_form(probe, certificates, folder, insisting, form):
    pair = make_pair(folder, "p256" if form == "SEC 1" else "rsa", "-addext", "extendedKeyUsage=clientAuth")
    key = folder / "client.key"
    match form:
        case "PKCS#8":
            shutil.copy(pair[1], key)
        case "PKCS#1":
            openssl("rsa", "-traditional", "-in", pair[1], "-out", key)
        case "SEC 1":
            openssl("ec", "-in", pair[1], "-out", key)
    wanted = {"PKCS#8": "BEGIN PRIVATE KEY", "PKCS#1": "BEGIN RSA PRIVATE KEY", "SEC 1": "BEGIN EC PRIVATE KEY"}[form]
    assert wanted in key.read_text()
    flags = ["-tls", f"-tls-ca-cert={certificates('ca.pem')}", f"-tls-client-cert={pair[0]}", f"-tls-client-key={key}"]
    with insisting("ssl_verify_client on;", f"ssl_client_certificate {pair[0]};") as server:
        probe.check(server.address, "-connect-only", *flags).says(0, CONNECTED)
