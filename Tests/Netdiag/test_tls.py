# SPDX-License-Identifier: Apache-2.0
"""`netdiag tls`: every fault of a server's TLS, on OpenSSL's own server and on ones that speak something else."""

from __future__ import annotations

import pytest

from EndToEnd.peers import tcp
from netdiag import FINE, PROBLEM

def codes(document: dict) -> list[str]:
    return [finding["code"] for finding in document["findings"] if finding["mark"] == "FAIL"]


def test_all_is_well(netdiag, openssl, certificates):
    address = openssl("server", "-alpn", "h2")
    result = netdiag("tls", address, f"--cacert={certificates}/ca.pem").ends(FINE)
    result.says("ok", "TLS 1.3").says("ok", "ALPN h2").says("note", "sessions can be resumed").lacks("FAIL", "warn")
    document = netdiag.json("tls", address, f"--cacert={certificates}/ca.pem")
    assert (document["code"], document["ok"], document["version"], document["alpn"]) == ("OK", True, "TLS 1.3", "h2")
    assert document["resumable"] is True and document["clientCertificateRequested"] is False
    assert "localhost" in document["certificates"][0]["names"]


@pytest.mark.parametrize(
    "name, expected",
    [
        ("expired", ["CERT_EXPIRED"]),
        ("not-yet-valid", ["CERT_NOT_YET_VALID"]),
        ("wrong-host", ["CERT_HOSTNAME"]),
        ("no-san", ["CERT_HOSTNAME"]),
        ("self-signed", ["CERT_UNTRUSTED"]),
        ("unknown", ["CERT_UNTRUSTED"]),
        ("missing-intermediate", ["CERT_UNTRUSTED"]),
        ("full-chain", []),
        ("client-only", ["CERT_INVALID"]),
    ],
)
def test_each_fault_of_a_certificate(netdiag, openssl, certificates, name, expected):
    address = openssl(name, "-alpn", "h2")
    result = netdiag("tls", address, f"--cacert={certificates}/ca.pem", "--json")
    assert codes(result.json) == expected, result
    result.ends(PROBLEM if expected else FINE)


@pytest.mark.parametrize("name", ["weak-key", "sha1"])
def test_weak_certificates(netdiag, openssl, certificates, name):
    address = openssl(name, "-alpn", "h2", "-cipher", "DEFAULT@SECLEVEL=0")
    assert "CERT_WEAK" in codes(netdiag.json("tls", address, f"--cacert={certificates}/ca.pem"))


@pytest.mark.parametrize("suite", ["ECDHE-RSA-AES128-SHA256", "AES128-GCM-SHA256"])
def test_suites_that_http2_forbids(netdiag, openssl, certificates, suite):
    """RFC 9113 appendix A: CBC, and keys that are not made anew for each connection."""
    address = openssl("rsa-server", "-alpn", "h2", "-tls1_2", "-cipher", f"{suite}@SECLEVEL=0")
    document = netdiag("tls", address, f"--cacert={certificates}/ca.pem", "--json").ends(FINE).json
    assert (document["code"], document["version"]) == ("INADEQUATE_SECURITY", "TLS 1.2"), document
    netdiag("tls", address, f"--cacert={certificates}/ca.pem", "--strict").ends(PROBLEM)


def test_a_suite_that_http2_allows(netdiag, openssl, certificates):
    address = openssl("rsa-server", "-alpn", "h2", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    assert netdiag("tls", address, f"--cacert={certificates}/ca.pem", "--json").ends(FINE).json["code"] == "OK"


def test_tls_1_1_alone(netdiag, openssl, certificates):
    address = openssl("rsa-server", "-alpn", "h2", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    document = netdiag("tls", address, f"--cacert={certificates}/ca.pem", "--json").ends(PROBLEM).json
    assert document["code"] == "TLS_HANDSHAKE" and "the server must speak TLS 1.2 or 1.3" in document["error"]


def test_every_fault_is_told(netdiag, openssl, certificates):
    address = openssl("many-faults", "-alpn", "h2", "-cipher", "DEFAULT@SECLEVEL=0")
    found = codes(netdiag.json("tls", address, f"--cacert={certificates}/ca.pem"))
    assert len(set(found)) >= 2, found


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_client_certificate_is_wanted(netdiag, openssl, certificates, version):
    address = openssl("server", "-alpn", "h2", "-Verify", "1", "-CAfile", f"{certificates}/ca.pem", version)
    trust = f"--cacert={certificates}/ca.pem"
    document = netdiag("tls", address, trust, "--json").ends(PROBLEM).json
    assert document["code"] == "CLIENT_CERT_REQUIRED"
    pair = [f"--cert={certificates}/client.pem", f"--key={certificates}/client.key"]
    document = netdiag("tls", address, trust, *pair, "--json").ends(FINE).json
    assert document["clientCertificateRequested"] is True
    assert any("Test Root" in name for name in document["acceptableClientCAs"])


@pytest.mark.parametrize("options, alpn", [([], None), (["-alpn", "http/1.1"], "http/1.1")])
def test_no_h2(netdiag, openssl, certificates, options, alpn):
    address = openssl("server", *options)
    trust = f"--cacert={certificates}/ca.pem"
    document = netdiag("tls", address, trust, "--json").ends(PROBLEM).json
    assert (document["code"], document["alpn"]) == ("ALPN_MISSING", alpn)
    netdiag("tls", address, trust, "--no-http2").ends(FINE)


def test_days_that_are_left(netdiag, openssl, certificates):
    address = openssl("server", "-alpn", "h2")
    trust = f"--cacert={certificates}/ca.pem"
    assert netdiag.json("tls", address, trust, "--min-days=36500")["code"] == "CERT_EXPIRES_SOON"


def test_another_name(netdiag, openssl, certificates):
    address = openssl("server", "-alpn", "h2")
    trust = f"--cacert={certificates}/ca.pem"
    assert codes(netdiag.json("tls", address, trust, "--servername=example.com")) == ["CERT_HOSTNAME"]
    host, port = address.split(":")
    netdiag("tls", f"127.0.0.1:{port}", trust).ends(FINE)


@pytest.mark.parametrize(
    "said, words",
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0"),
        (bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]), "HTTP/2 in the clear"),
        (b"\x1b[31mred\n\x00", ""),
    ],
)
def test_a_server_that_speaks_no_tls(netdiag, said, words):
    with tcp.says(said) as peer:
        result = netdiag("tls", peer.address, "--json").ends(PROBLEM)
        assert result.json["code"] == "TLS_TO_PLAINTEXT" and words in result.json["error"]
        assert "\x1b" not in result.stdout


def test_a_server_that_says_nothing(netdiag):
    with tcp.silence() as peer:
        assert netdiag.json("tls", peer.address, "--timeout=700ms")["code"] == "TLS_TIMEOUT"


def test_nobody_listens(netdiag):
    assert netdiag.json("tls", tcp.refused_address())["code"] == "TCP_REFUSED"


def test_documents_have_the_same_keys(netdiag, openssl, certificates):
    well = netdiag.json("tls", openssl("server", "-alpn", "h2"), f"--cacert={certificates}/ca.pem")
    assert well.keys() == netdiag.json("tls", tcp.refused_address()).keys()


@pytest.mark.parametrize(
    "arguments, line",
    [
        (["a:1", "--cacert=/nosuch"], 'cannot read "/nosuch": no such file or directory'),
        (["a:1", "--cacert=/dev/null"], '"/dev/null" holds no certificate in PEM'),
        (["a:1", "--cert=x"], "--cert and --key go together"),
    ],
)
def test_command_lines_that_cannot_be_used(netdiag, arguments, line):
    netdiag("tls", *arguments).complains(f"netdiag tls: {line}; see netdiag tls --help")
