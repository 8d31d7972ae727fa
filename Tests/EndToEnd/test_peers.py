# SPDX-License-Identifier: Apache-2.0
"""The peers themselves, tried with clients other than the probe: grpcio, nghttp, curl, openssl and plain sockets."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from peers import dns, health, http2, programs, proxy, spiffe, tcp, tls
from peers.http2 import (
    START, ScriptedPeer, answering, ending_with, expect_preface, goaway, headers, rst, settings, until_closed,
)
from probe import confined, may_unshare


def ask(address, service="", credentials=None, options=()):
    """One Check with grpcio: the status, or the error."""
    make = grpc.secure_channel if credentials else grpc.insecure_channel
    arguments = [address, credentials] if credentials else [address]
    with make(*arguments, options=[("grpc.enable_http_proxy", 0), *options]) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status


def error_of(address, **options):
    with pytest.raises(grpc.RpcError) as caught:
        ask(address, **options)
    return caught.value.code(), caught.value.details()


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=20, **options)


# grpcio's server.


def test_the_real_server_answers_grpcio(healthy):
    assert ask(healthy.address) == health.SERVING
    assert ask(healthy.address, "down") == health.NOT_SERVING
    assert error_of(healthy.address, service="never-heard-of")[0] == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("kind", ["unix", "abstract"])
def test_the_real_server_listens_on_unix_sockets(folder, kind):
    address = f"unix:{folder}/s" if kind == "unix" else f"unix-abstract:e2e-{folder.name}"
    with health.HealthServer(address=address) as server:
        assert ask(server.address) == health.SERVING


def test_the_real_server_listens_on_ipv6(ipv6):
    with health.HealthServer(address="[::1]:0") as server:
        assert ask(server.address) == health.SERVING


def test_the_real_server_lists_only_when_told_to():
    def list_services(server):
        with grpc.insecure_channel(server.address) as channel:
            return dict(health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest(), timeout=10).statuses)

    with health.HealthServer({"": health.SERVING, "a": health.NOT_SERVING}) as server:
        assert {name: value.status for name, value in list_services(server).items()} == {"": 1, "a": 2}
    with health.HealthServer(lists=False) as server, pytest.raises(grpc.RpcError) as caught:
        list_services(server)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_the_real_server_demands_client_certificates(certificates):
    def read(name):
        with open(certificates(name), "rb") as file:
            return file.read()

    wanted = health.credentials(certificates("server.pem"), certificates("server.key"), certificates("ca.pem"))
    with health.HealthServer(credentials=wanted) as server:
        mine = grpc.ssl_channel_credentials(read("ca.pem"), read("client.key"), read("client.pem"))
        assert ask(server.address, credentials=mine) == health.SERVING
        bare = grpc.ssl_channel_credentials(read("ca.pem"))
        assert error_of(server.address, credentials=bare)[0] == grpc.StatusCode.UNAVAILABLE


# The scripted peer.


def test_the_scripted_peer_answers_grpcio_and_keeps_what_it_was_asked():
    with ScriptedPeer(answering(http2.NOT_SERVING)) as peer:
        assert ask(peer.address, "abc") == health.NOT_SERVING
        request = peer.request
    assert request.value(":path") == "/grpc.health.v1.Health/Check"
    assert request.value("te") == "trailers"
    assert request.payload == b"\x0a\x03abc"


@pytest.mark.parametrize(
    "script, code",
    [
        (ending_with(8, "too%20many"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        ([*START, rst(http2.INADEQUATE_SECURITY)], grpc.StatusCode.PERMISSION_DENIED),
        ([*START, headers([(":status", "503")], end_stream=True)], grpc.StatusCode.UNAVAILABLE),
    ],
)
def test_the_scripted_peer_fails_as_its_script_says(script, code):
    with ScriptedPeer(script) as peer:
        got, details = error_of(peer.address, options=[("grpc.enable_retries", 0)])
        assert got == code
        assert code != grpc.StatusCode.RESOURCE_EXHAUSTED or details == "too many"


def test_the_scripted_peer_speaks_to_nghttp():
    nghttp = shutil.which("nghttp") or pytest.fail("nghttp is not installed")
    with ScriptedPeer([*START, headers([(":status", "200")]), http2.data(b"hello", end_stream=True)]) as peer:
        result = run(nghttp, "-v", f"http://{peer.address}/x")
        assert "hello" in result.stdout and ":status: 200" in result.stdout
        assert peer.request.value(":path") == "/x"
        # nghttp says goodbye properly; that is what the probe's tests look for.
        assert peer.conversation.frames_of(http2.GOAWAY)[-1].goaway_code == http2.NO_ERROR
        assert peer.conversation.ending == "FIN"


def test_the_scripted_peer_speaks_tls(certificates):
    context = tls.server_context(certificates("server.pem"), certificates("server.key"))
    with open(certificates("ca.pem"), "rb") as file:
        trusted = grpc.ssl_channel_credentials(file.read())
    with ScriptedPeer(answering(), tls=context) as peer:
        assert ask(f"localhost:{peer.port}", credentials=trusted) == health.SERVING
        assert peer.server_names == ["localhost"]
        assert peer.request.value(":scheme") == "https"


def test_large_header_lists_and_integers_are_encoded_as_hpack_wants():
    fields = [("x-large", "v" * 5000), ("x" * 200, "y")]
    decoded = http2.hpack.Decoder().decode(http2.header_block(fields))
    assert [tuple(field) for field in decoded] == fields
    assert http2.varint(-1) == b"\xff" * 9 + b"\x01"
    assert http2.varint(300) == b"\xac\x02"


@pytest.mark.parametrize("manner", ["FIN", "RST", "unread", "goaway"])
def test_the_end_of_a_connection_is_told_apart(manner):
    """A close with bytes unread makes the kernel send a reset, which is what a hasty client does."""
    with ScriptedPeer([expect_preface(), settings(), goaway()]) as peer:
        client = socket.create_connection(("127.0.0.1", peer.port))
        client.sendall(http2.PREFACE + http2.frame(http2.SETTINGS, 0, 0))
        expected = 9 + 9 + 17
        if manner in ("FIN", "goaway"):
            got = b""
            while len(got) < expected:
                got += client.recv(expected)
        else:
            while len(client.recv(expected, socket.MSG_PEEK)) < expected:
                time.sleep(0.005)
        if manner == "goaway":
            client.sendall(http2.frame(http2.GOAWAY, 0, 0, bytes(8)))
        if manner == "RST":
            tcp.reset(client)
        else:
            client.close()
        conversation = peer.conversation
    assert conversation.ending == ("FIN" if manner in ("FIN", "goaway") else "RST")
    assert len(conversation.frames_of(http2.GOAWAY)) == (manner == "goaway")


def test_a_mistake_in_a_script_fails_the_test():
    def mistake(_):
        raise KeyError("a typing error")

    with pytest.raises(AssertionError, match="a typing error"):
        with ScriptedPeer([expect_preface(), mistake]) as peer:
            client = socket.create_connection(("127.0.0.1", peer.port))
            client.sendall(http2.PREFACE + http2.frame(http2.SETTINGS, 0, 0))
            peer.wait_until_idle()
            client.close()


# Sockets.


def test_a_black_hole_lets_nobody_in():
    with tcp.black_hole() as address:
        host, _, port = address.rpartition(":")
        with pytest.raises(TimeoutError):
            socket.create_connection((host, int(port)), timeout=0.5)


def test_a_refused_address_refuses():
    host, _, port = tcp.refused_address().rpartition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_the_peers_that_are_only_sockets_do_what_they_say():
    with tcp.closes_at_once() as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        assert client.recv(10) == b""
    with tcp.resets_at_once() as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        with pytest.raises(ConnectionResetError):
            client.recv(10)
    with tcp.says(b"SSH-2.0-x\r\n") as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        assert client.recv(100) == b"SSH-2.0-x\r\n"
        client.sendall(b"heard")
        client.shutdown(socket.SHUT_WR)
        server.wait_until_idle()
        assert server.received == [b"heard"]
    with tcp.floods(b"flood") as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        total = 0
        while total < 1 << 20:
            total += len(client.recv(65536))


# Programs.


def test_nghttpd_answers_and_logs_frames(folder):
    with programs.nghttpd(folder) as server:
        assert ":status: 404" in run("nghttp", "-v", f"http://{server.address}/").stdout
        server.wait_for_log("recv GOAWAY frame")
        assert "error_code=NO_ERROR" in server.stop()


def test_nginx_speaks_http_1_and_http_2(folder):
    with programs.nginx(folder, "listen 127.0.0.1:{port}; return 200 one;") as server:
        assert run("curl", "-s", f"http://{server.address}/").stdout == "one"
    with programs.nginx(folder, "listen 127.0.0.1:{port} http2; return 503;") as server:
        got = run("curl", "-s", "--http2-prior-knowledge", "-o", "/dev/null", "-w", "%{http_version} %{http_code}",
                  f"http://{server.address}/")
        assert got.stdout == "2 503"


def test_s_server_shakes_hands_in_its_moods(folder, certificates):
    pair = ["-cert", certificates("server.pem"), "-key", certificates("server.key")]
    with programs.s_server(folder, *pair, "-alpn", "http/1.1") as server:
        got = run("openssl", "s_client", "-connect", server.address, "-alpn", "h2,http/1.1", "-CAfile",
                  certificates("ca.pem"), stdin=subprocess.DEVNULL)
        assert "ALPN protocol: http/1.1" in got.stdout and "Verify return code: 0 (ok)" in got.stdout
    with programs.s_server(folder, *pair, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0") as server:
        got = run("openssl", "s_client", "-connect", server.address, "-min_protocol", "TLSv1.2",
                  stdin=subprocess.DEVNULL)
        assert got.returncode != 0 and "protocol" in got.stderr
        got = run("openssl", "s_client", "-connect", server.address, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0",
                  stdin=subprocess.DEVNULL)
        assert "TLSv1.1" in got.stdout


BAD_CERTIFICATES = {
    "server": "ok", "full-chain": "ok", "rsa-server": "ok", "expired": "expired", "not-yet-valid": "not yet valid",
    "wrong-host": "mismatch", "unknown": "unable to get local issuer",
    "missing-intermediate": "unable to get local issuer", "self-signed": "self-signed",
    "client-only": "purpose|unsuitable", "no-san": "mismatch|ok",
}


@pytest.mark.parametrize("name, verdict", BAD_CERTIFICATES.items())
def test_each_certificate_is_as_bad_as_its_name(certificates, name, verdict):
    context = tls.server_context(certificates(f"{name}.pem"), certificates(f"{name}.key"), weak=True)
    with ScriptedPeer([until_closed()], tls=context) as peer:
        got = run("openssl", "s_client", "-connect", peer.address, "-CAfile", certificates("ca.pem"),
                  "-verify_hostname", "localhost", "-purpose", "sslserver", stdin=subprocess.DEVNULL)
        verdicts = re.findall("verify (?:error|return code).*", got.stdout + got.stderr, re.I)
        assert any(word in line for line in verdicts for word in verdict.split("|")), verdicts


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_scripted_peer_demands_client_certificates(certificates, version):
    context = tls.server_context(
        certificates("server.pem"), certificates("server.key"), client_ca=certificates("ca.pem"),
        minimum=version, maximum=version,
    )
    with ScriptedPeer([until_closed()], tls=context) as peer:
        run("openssl", "s_client", "-connect", peer.address, stdin=subprocess.DEVNULL)
        peer.wait_until_idle()
        assert "certificate" in peer.handshake_errors[0].lower()
        run("openssl", "s_client", "-connect", peer.address, "-cert", certificates("client.pem"), "-key",
            certificates("client.key"), stdin=subprocess.DEVNULL)
        peer.wait_until_idle()
        assert len(peer.handshake_errors) == 1 and len(peer.conversations) == 1


# The name server.


def lookup(server, name):
    query = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.3)
        client.sendto(query + b"\x00\x00\x01\x00\x01", (server.address, 53))
        reply = client.recv(512)
    assert reply[:2] == b"\x12\x34"
    return reply[3] & 15, socket.inet_ntoa(reply[-4:]) if reply[7] else None


def test_the_name_server_has_its_moods():
    try:
        server = dns.NameServer({"known.test": "127.0.0.9"})
    except PermissionError as error:
        pytest.skip(f"cannot be a name server: {error}")
    with server:
        assert lookup(server, "known.test") == (dns.NO_ERROR, "127.0.0.9")
        assert lookup(server, "other.test") == (dns.NO_SUCH_NAME, None)
        assert server.asked == ["known.test", "other.test"]
    with dns.NameServer(otherwise=None) as silent, pytest.raises(TimeoutError):
        lookup(silent, "known.test")


# Confinement.


def test_confine_takes_everything_away(tmp_path):
    """A static program sees what is left. Compiled here, since no other static program is sure to be there."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler or not may_unshare():
        pytest.skip("needs a C compiler, and the right to unshare(1) mounts")
    root = tempfile.mkdtemp(prefix="e2e-root-", dir="/tmp")
    try:
        os.chmod(root, 0o755)
        source = tmp_path / "look.c"
        source.write_text(LOOK)
        subprocess.run([compiler, "-static", "-o", f"{root}/look", source], check=True, capture_output=True)
        command = confined(root, "--read-only", "--memory=16777216")
        assert run(*command, "/look").stdout == "65534 65534 16777216 0 0 0 0 1\n"
    finally:
        shutil.rmtree(root)


LOOK = """
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
  struct rlimit memory;
  struct stat found;
  getrlimit(RLIMIT_AS, &memory);
  printf("%d %d %ld %d %d %d %d %d\\n", getuid(), getgid(), (long)memory.rlim_cur, stat("/proc", &found) == 0,
         stat("/dev", &found) == 0, open("/new", O_CREAT | O_WRONLY, 0600) >= 0, prctl(PR_CAPBSET_READ, 0, 0, 0, 0),
         prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}
"""


# The proxy.


def through(server, target, *options):
    command = ["curl", "-sv", "--proxytunnel", "-x", server, *options, f"http://{target}/"]
    return run(*command, env={"PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize("mood", ["tunnel", "coalesce"])
def test_the_proxy_leads_to_its_one_server(mood):
    """A server that speaks first, so that its words may arrive together with the proxy's answer."""
    page = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    with tcp.says(page, then_close=True) as server, proxy.Proxy(server.port, mood) as relay:
        if mood == "tunnel":
            result = through(relay.url(), "far.invalid:80")
            assert result.stdout == "hi", result.stderr
        else:
            with socket.create_connection(("127.0.0.1", relay.port)) as client:
                client.sendall(b"CONNECT far.invalid:80 HTTP/1.1\r\nHost: far.invalid:80\r\n\r\n")
                got = client.recv(65536)
                assert got == relay.reply.encode() + page
        assert relay.requests[0].line == "CONNECT far.invalid:80 HTTP/1.1"
        assert relay.requests[0].value("host") == "far.invalid:80"


def test_the_proxy_demands_a_password(healthy):
    with proxy.Proxy(healthy.port, user="me", password="s:cret") as relay:
        assert "407" in through(relay.url(), "far.invalid:80").stderr
        assert "200 Connection established" in through(
            relay.url(), "far.invalid:80", "--proxy-user", "me:s:cret", "-m", "2"
        ).stderr


def test_the_proxy_refuses_in_its_own_words():
    with proxy.Proxy(mood="refuse", reply="HTTP/1.1 403 Not for you\r\n") as relay:
        assert "403 Not for you" in through(relay.url(), "far.invalid:80").stderr


def test_grpcio_reaches_the_real_server_through_the_proxy(healthy):
    with proxy.Proxy(healthy.port) as relay:
        options = [("grpc.http_proxy", relay.url()), ("grpc.enable_http_proxy", 1)]
        with grpc.insecure_channel("far.invalid:80", options=options) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            assert stub.Check(health_pb2.HealthCheckRequest(), timeout=10).status == health.SERVING
        assert relay.requests[0].line == "CONNECT far.invalid:80 HTTP/1.1"


# The Workload API.


def test_the_workload_api_hands_out_its_identity(certificates, folder):
    mine = spiffe.svid(
        "spiffe://example.org/probe", certificates("spiffe-client.pem"), certificates("spiffe-client.key"),
        certificates("spiffe-ca.pem"),
    )
    with spiffe.WorkloadAPI(spiffe.response(mine), address=f"unix:{folder}/api") as api:
        assert api.endpoint == f"unix://{folder}/api"
        with grpc.insecure_channel(f"unix:{folder}/api") as channel:
            call = channel.unary_stream("/SpiffeWorkloadAPI/FetchX509SVID")
            got = next(iter(call(b"", metadata=[("workload.spiffe.io", "true")], timeout=10)))
            assert got == spiffe.response(mine)
            with pytest.raises(grpc.RpcError) as caught:
                next(iter(call(b"", timeout=10)))
            assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    names = [number for number in (b"\x0a", b"\x12", b"\x1a", b"\x22") if number in mine]
    assert len(names) == 4
