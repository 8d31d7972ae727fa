# SPDX-License-Identifier: Apache-2.0
"""`netdiag http`: requests to real servers in both versions, and answers of every form."""

from __future__ import annotations

import http.server
import json
import signal
import subprocess
import threading

import pytest

from EndToEnd.peers import health, http2, programs, tcp
from EndToEnd.peers.http2 import ScriptedPeer, data, expect_preface, expect_request, headers, settings, trailers
from netdiag import FINE, PROBLEM, UNDETERMINED

START = [expect_preface(), settings(), expect_request()]


class Handler(http.server.BaseHTTPRequestHandler):
    """Says what it was asked; some paths have an answer of their own."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status = int(self.path[1:]) if self.path[1:].isdigit() else 200
        text = [self.requestline] + [f"{name}: {value}" for name, value in self.headers.items()]
        length = int(self.headers.get("Content-Length") or 0)
        body = "\n".join(text).encode() + b"\n\n" + self.rfile.read(length)
        self.send_response(status)
        if status in (301, 302):
            self.send_header("Location", "/elsewhere")
        self.send_header("Set-Cookie", "session=secret-of-the-server")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_POST = do_PUT = do_HEAD = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def echo():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def ask(netdiag, url: str, *arguments: str, **options):
    """The result with the body on stdout and the report, for judgements, in its place."""
    result = netdiag("http", url, *arguments, **options)
    body = result.stdout
    result.stdout, result.stderr = result.stderr, ""
    return result, body


def test_a_request(netdiag, echo):
    result, body = ask(netdiag, f"http://{echo}/a/b?c=%20d#left-out")
    result.ends(FINE).says("ok", f"HTTP/1.1 200 OK from {echo}").says("note", "first byte", "whole")
    assert body.startswith("GET /a/b?c=%20d HTTP/1.1\n") and f"Host: {echo}" in body and "User-Agent: sonde/" in body


def test_the_document(netdiag, echo):
    document = netdiag("http", f"http://{echo}/", "--json").ends(FINE).json
    assert (document["status"], document["reason"], document["version"]) == (200, "OK", "HTTP/1.1")
    assert document["body"] is None and document["bodyBytes"] > 0 and document["tls"] is None
    assert document["milliseconds"]["firstByte"] > 0
    assert document["url"] == f"http://{echo}/"
    assert netdiag.json("http", f"http://{echo}/", "--body")["body"].startswith("GET / HTTP/1.1\n")


@pytest.mark.parametrize("status, code", [(204, FINE), (301, FINE), (404, PROBLEM), (500, PROBLEM), (503, PROBLEM)])
def test_the_status_decides(netdiag, echo, status, code):
    document = netdiag("http", f"http://{echo}/{status}", "--json").ends(code).json
    assert document["status"] == status
    assert document["code"] == ("OK" if code == FINE else "HTTP_STATUS")
    assert document["location"] == ("/elsewhere" if status == 301 else None)


def test_a_redirect_is_told_and_not_followed(netdiag, echo):
    result, _ = ask(netdiag, f"http://{echo}/302")
    result.ends(FINE).says("note", "redirects to /elsewhere", "not followed")


def test_methods_fields_and_bodies(netdiag, echo, tmp_path):
    _, body = ask(netdiag, f"http://{echo}/", "--data=a=1", "--header=X-A: b ", "--header=User-Agent: mine")
    assert body.startswith("POST / HTTP/1.1\n") and "X-A: b\n" in body and "User-Agent: mine\n" in body
    assert "Content-Length: 3\n" in body and body.endswith("\n\na=1")
    (tmp_path / "body").write_bytes(b"x" * 300_000)
    _, body = ask(netdiag, f"http://{echo}/", f"--data=@{tmp_path}/body", "--method=PUT")
    assert body.startswith("PUT / ") and body.endswith("x" * 300_000)
    with open(tmp_path / "body", "rb") as stdin:
        _, body = ask(netdiag, f"http://{echo}/", "--data=@-", stdin=stdin)
    assert body.endswith("x" * 300_000)
    result, body = ask(netdiag, f"http://{echo}/", "--method=HEAD")
    assert result.ends(FINE) and body == ""
    _, body = ask(netdiag, f"http://{echo}/", "--header=hOST: other:1")
    assert body.count("Host: ") == 0 and body.count("hOST: other:1\n") == 1 and body.count("Connection: ") == 1


def test_standard_input_is_taken_whole_or_not_at_all(netdiag, echo, tmp_path):
    limit = 8 << 20
    (tmp_path / "body").write_bytes(b"x" * (limit + 1))
    with open(tmp_path / "body", "rb") as stdin:
        result = netdiag("http", f"http://{echo}/", "--data=@-", stdin=stdin)
    result.complains(
        f"netdiag http: standard input holds more than {limit} bytes, which is all that --data takes from it; "
        "see netdiag http --help"
    )
    (tmp_path / "body").write_bytes(b"x" * limit)
    with open(tmp_path / "body", "rb") as stdin:
        _, body = ask(netdiag, f"http://{echo}/", "--data=@-", stdin=stdin)
    assert f"Content-Length: {limit}\n" in body and body.endswith("\n\n" + "x" * limit)


def test_the_time_begins_once_standard_input_was_read(netdiag, echo):
    command = netdiag.command("http", f"http://{echo}/", "--data=@-", "--timeout=500ms", "--json")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env=netdiag.environment()) as process:
        try:
            process.stdin.write("a")
            process.stdin.flush()
            # Longer than the time that the request may take.
            threading.Event().wait(0.8)
            output, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert json.loads(output)["code"] == "OK" and process.returncode == FINE


@pytest.mark.parametrize("how, word", [(signal.SIGINT, "interrupt"), (signal.SIGTERM, "terminated")])
def test_a_signal_leaves_it_open(netdiag, how, word):
    with tcp.silence() as peer:
        url = f"http://{peer.address}/"
        command = netdiag.command("http", url, "--json")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=netdiag.environment()) as process:
            peer.wait_until(lambda: any(peer.received))
            process.send_signal(how)
            output, _ = process.communicate(timeout=20)
    document = json.loads(output)
    assert process.returncode == UNDETERMINED
    assert (document["ok"], document["code"]) == (False, "CANCELLED")
    assert document["error"] == f"stopped by a signal on the way to {url} ({word})"


def test_secrets_are_sent_and_never_printed(netdiag, echo):
    url = f"http://me:p%40ss@{echo}/"
    more = ["--verbose", "--header=Cookie: a=secret-of-the-client"]
    result, body = ask(netdiag, url, *more)
    assert "Authorization: Basic bWU6cEBzcw==" in body and "secret-of-the-client" in body
    document = netdiag("http", url, *more, "--json")
    for output in (result.stdout, document.stdout):
        assert "hidden" in output
        for secret in ("bWU6cEBzcw", "p%40ss", "p@ss", "secret-of"):
            assert secret not in output
    assert document.json["url"] == f"http://{echo}/"


def test_where_a_server_sends_the_client_with_a_password(netdiag):
    there = "HTTP://me:secret@there:1/a@b?next=//you:secret@c/"
    fields = f"Location: {there}\r\nLink: <{there}>; rel=next\r\nContent-Length: 0"
    with tcp.says(f"HTTP/1.1 302 Found\r\n{fields}\r\n\r\n".encode(), after_hearing=True) as peer:
        result, _ = ask(netdiag, f"http://{peer.address}/", "--verbose")
        document = netdiag("http", f"http://{peer.address}/", "--json").ends(FINE).lacks("secret", "me:").json
    shown = "HTTP://…@there:1/a@b?next=//…@c/"
    result.ends(FINE).says("note", f"redirects to {shown}").lacks("secret", "me:")
    assert document["location"] == shown
    assert [field["value"] for field in document["headers"][:2]] == [shown, f"<{shown}>; rel=next"]


def test_a_proxy_is_told_and_not_used(netdiag, echo):
    # This host by an address that is none of loopback: that never goes through a proxy.
    url = f"http://{echo.replace('127.0.0.1', '0.0.0.0')}/"
    proxy = {"http_proxy": "http://user:secret@127.0.0.1:1"}
    result, _ = ask(netdiag, url, env=proxy)
    result.ends(FINE).says("note", "http_proxy names a proxy").lacks("secret")
    assert netdiag.json("http", url, env={"HTTP_PROXY": "socks5://a:1"})["proxyIgnored"] == "HTTP_PROXY"
    for more in ({"NO_PROXY": "*"}, {"no_proxy": "a,0.0.0.0/8"}, {"NO_PROXY": "0.0.0.0"}):
        result, _ = ask(netdiag, url, env=proxy | more)
        result.ends(FINE).lacks("proxy")
        assert netdiag.json("http", url, env=proxy | more)["proxyIgnored"] is None
    assert netdiag.json("http", f"http://{echo}/", env=proxy)["proxyIgnored"] is None


def test_the_body_is_bounded(netdiag, echo):
    result, body = ask(netdiag, f"http://{echo}/", "--max-body=5")
    result.ends(FINE).says("warn", "cut at 5 bytes")
    assert body == "GET /"
    with tcp.floods(b"x" * 1000, start=b"HTTP/1.1 200 OK\r\n\r\n") as peer:
        assert netdiag.json("http", f"http://{peer.address}/", "--max-body=100000")["bodyCut"] is True


# Versions.


def test_nginx_in_both_versions(netdiag, tmp_path, certificates):
    block = (
        "listen 127.0.0.1:{port} ssl http2; ssl_certificate CERTS/server.pem; ssl_certificate_key CERTS/server.key;"
        'location / { return 200 "$server_protocol $request_method $http_host $http_x\n"; }'
    ).replace("CERTS", str(certificates))
    with programs.nginx(tmp_path, block) as server:
        url, trust = f"https://localhost:{server.port}/", f"--cacert={certificates}/ca.pem"
        result, body = ask(netdiag, url, trust, "--header=X: y")
        result.ends(FINE).says("ok", "HTTP/2 200").says("ok", "TLS 1.", "ALPN h2").says("note", "SETTINGS")
        assert body.startswith("HTTP/2.0 GET ") and body.endswith(" y\n")
        _, body = ask(netdiag, url, trust, "--http1.1")
        assert body.startswith("HTTP/1.1 GET localhost:")
        document = netdiag.json("http", url, trust, "--http2", "--method=HEAD")
        assert (document["status"], document["version"], document["alpn"]) == (200, "HTTP/2", "h2")
        assert netdiag.json("http", url)["code"] == "CERT_UNTRUSTED"
        assert netdiag("http", url, "--insecure", "--json").ends(FINE).json["status"] == 200
        assert netdiag.json("http", url, trust, "--servername=example.com")["code"] == "CERT_HOSTNAME"
        # Plain HTTP to the port of TLS: nginx says so on a page.
        assert netdiag.json("http", f"http://localhost:{server.port}/")["code"] == "PLAINTEXT_TO_TLS"


def test_h2_is_required_and_not_there(netdiag, openssl, certificates):
    url = f"https://{openssl('server', '-alpn', 'http/1.1')}/"
    trust = f"--cacert={certificates}/ca.pem"
    assert netdiag.json("http", url, trust, "--http2")["code"] == "ALPN_MISSING"


def test_http2_in_the_clear(netdiag, tmp_path):
    with programs.nghttpd(tmp_path) as server:
        (tmp_path / "www" / "page").write_text("well\n")
        result, body = ask(netdiag, f"http://{server.address}/page", "--http2", "--verbose")
        assert result.ends(FINE).says("ok", "HTTP/2 200") and body == "well\n"
        assert netdiag("http", f"http://{server.address}/no", "--http2", "--json").ends(PROBLEM).json["status"] == 404
        document = netdiag("http", f"http://{server.address}/page", "--json").ends(PROBLEM).json
        assert document["code"] == "NOT_HTTP1" and "--http2" in document["error"]


def test_a_grpc_server(netdiag):
    with health.HealthServer() as server:
        document = netdiag.json("http", f"http://{server.address}/")
    assert document["code"] == "NOT_HTTP1" and "gRPC" in document["error"]


def test_http1_where_http2_is_asked_for(netdiag, echo):
    assert netdiag.json("http", f"http://{echo}/", "--http2")["code"] == "NOT_HTTP2"


def test_http2_bodies_and_trailers(netdiag):
    fields = [(":status", "200"), ("set-cookie", "secret")]
    script = [*START, headers([(":status", "103")]), headers(fields), data(b"a" * 60_000), trailers([("sum", "1")])]
    with ScriptedPeer(script) as peer:
        result = netdiag("http", f"http://{peer.address}/x", "--http2", "--data=" + "b" * 9000, "--json").ends(FINE)
        assert peer.request.ended and len(peer.request.message) == 9000
        assert peer.request.value(":method") == "POST" and peer.request.value("content-length") == "9000"
    document = result.json
    assert (document["interim"], document["bodyBytes"]) == ([103], 60_000)
    assert document["trailers"] == [{"name": "sum", "value": "1"}]
    assert "secret" not in result.stdout and "hidden" in result.stdout


def test_http2_interim_answers_without_end(netdiag):
    again = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, http2.header_block([(":status", "100")]))
    with ScriptedPeer([*START, http2.flood(again)]) as peer:
        result = netdiag("http", f"http://{peer.address}/", "--http2", "--json").ends(PROBLEM)
    assert result.json["code"] == "H2_PROTOCOL_ERROR" and result.json["interim"] == [100] * 16
    assert "too many interim responses" in result.json["error"]


@pytest.mark.parametrize(
    "end, code",
    [
        ([http2.rst(http2.INTERNAL_ERROR)], "H2_RST_STREAM"),
        ([http2.goaway(http2.COMPRESSION_ERROR), http2.close()], "H2_COMPRESSION_ERROR"),
        ([http2.close()], "CONNECTION_LOST"),
        ([headers([(":status", "200"), ("content-length", "5")]), data(b"abc", end_stream=True)], "H2_PROTOCOL_ERROR"),
        ([], "DEADLINE_EXPIRED"),
    ],
)
def test_http2_answers_that_are_none(netdiag, end, code):
    with ScriptedPeer([*START, *end]) as peer:
        document = netdiag("http", f"http://{peer.address}/", "--http2", "--timeout=1s", "--json").ends(PROBLEM).json
    assert document["code"] == code


# HTTP/1.1 in every form.

OK = b"HTTP/1.1 200 OK\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    "said, close, body",
    [
        (OK + b"Content-Length: 3\r\n\r\nabc", False, "abc"),
        (OK + b"Content-Length: 3\r\n\r\nabc and more", False, "abc"),
        (OK + b"\r\nuntil the end", True, "until the end"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nSum: 5\r\n\r\n", False, "abcde"),
        (CONTINUE + b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n", False, ""),
        (b"HTTP/1.0 200 OK\n\nold", True, "old"),
    ],
)
def test_forms_of_an_answer(netdiag, said, close, body):
    with tcp.says(said, then_close=close, after_hearing=True) as peer:
        document = netdiag("http", f"http://{peer.address}/", "--body", "--json").ends(FINE).json
    assert document["body"] == body
    assert document["interim"] == ([100, 103] if b"103" in said else [])
    assert document["trailers"] == ([{"name": "Sum", "value": "5"}] if b"Sum" in said else [])


def test_every_byte_of_a_body_comes_through_the_document(netdiag):
    body = bytes(range(128)) + "é€".encode()
    with tcp.says(OK + b"\r\n" + body, then_close=True, after_hearing=True) as peer:
        assert netdiag.json("http", f"http://{peer.address}/", "--body")["body"].encode() == body


@pytest.mark.parametrize(
    "said, close, code",
    [
        (b"", True, "ACCEPTED_THEN_CLOSED"),
        (b"", False, "DEADLINE_EXPIRED"),
        (OK + b"Content-Length: 9\r\n\r\nabc", False, "DEADLINE_EXPIRED"),
        (OK + b"Content-Length: 9\r\n\r\nabc", True, "CONNECTION_LOST"),
        (OK + b"Content-Le", True, "CONNECTION_LOST"),
        (OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", False, "HTTP1_PROTOCOL_ERROR"),
        (OK + b"A: " + b"x" * 70_000, False, "HTTP1_PROTOCOL_ERROR"),
        (OK + b"A: b\r\n" * 300, False, "HTTP1_PROTOCOL_ERROR"),
        (CONTINUE * 30, False, "HTTP1_PROTOCOL_ERROR"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", False, "NOT_HTTP1"),
        (b"220 mail ESMTP\r\n", False, "NOT_HTTP1"),
        (b"\x15\x03\x01\x00\x02\x02\x46", True, "PLAINTEXT_TO_TLS"),
        (b"\x00\x1b\r\n" * 40, True, "NOT_HTTP1"),
    ],
)
def test_answers_that_are_none(netdiag, said, close, code):
    with tcp.says(said, then_close=close) as peer:
        result = netdiag("http", f"http://{peer.address}/", "--timeout=1s", "--json").ends(PROBLEM)
    assert result.json["code"] == code, result
    assert "\x1b" not in result.stdout


def test_a_server_of_tls_that_only_closes(netdiag, openssl):
    assert netdiag.json("http", f"http://{openssl('server', '-alpn', 'h2')}/")["code"] == "PLAINTEXT_TO_TLS"


def test_tls_to_a_server_without_it(netdiag, echo):
    assert netdiag.json("http", f"https://{echo}/")["code"] == "TLS_TO_PLAINTEXT"


def test_an_early_refusal_of_a_large_body(netdiag, tmp_path):
    (tmp_path / "large").write_bytes(b"x" * 8_000_000)

    def refuse(sock, _):
        sock.recv(1000)
        sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        sock.recv(100_000)

    with tcp.Talker(refuse) as peer:
        document = netdiag.json("http", f"http://{peer.address}/", f"--data=@{tmp_path}/large")
    assert document["status"] == 413 or document["code"] == "CONNECTION_LOST"


def test_nobody_listens(netdiag):
    assert netdiag.json("http", f"http://{tcp.refused_address()}/")["code"] == "TCP_REFUSED"
    assert netdiag.json("http", f"http://{tcp.refused_address('::1')}/")["code"] == "TCP_REFUSED"


def test_documents_have_the_same_keys(netdiag, echo):
    well, ill = netdiag.json("http", f"http://{echo}/"), netdiag.json("http", f"http://{tcp.refused_address()}/")
    assert well.keys() == ill.keys() and well["milliseconds"].keys() == ill["milliseconds"].keys()


@pytest.mark.parametrize(
    "arguments, line",
    [
        ([], "name one URL, as http://HOST:PORT/PATH"),
        (["ftp://a/"], "a URL begins with http:// or https://"),
        (["http://a:0/"], "the URL's port is no number from 1 to 65535"),
        (["http://secret@b@c/"], "the URL's host is neither a name nor an address; an IPv6 address stands in brackets"),
        (["http://[1:2]/"], "the URL's host is neither a name nor an address; an IPv6 address stands in brackets"),
        (["http://a/b c"], "the URL's path or query holds what has to be percent-encoded"),
        (["http://a/", "--header=secret"], "a --header is no field: write 'NAME: VALUE'"),
        (["http://a/", "--header=a b: c"], '"a b" is no field\'s name'),
        (["http://a/", "--header=a: b\r\nc: d"], 'the value of "a" holds a control character'),
        (["http://a/", "--header=Content-Length: 3"], '"Content-Length" follows from the request itself: leave it out'),
        *[
            (["http://a/", f"--header={name}: x"], f'"{name}" follows from the request itself: leave it out')
            for name in ("Transfer-Encoding", "connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "TE")
        ],
        (["http://a/", "--header=Host: a", "--header=host: b"], '"host" is given twice: a request has one'),
        (["http://a/", "--method=G T"], '"G T" is no method'),
        (["http://a/", "--insecure"], "--insecure needs a URL of https"),
        (["http://a/", "--http2", "--http1.1"], "--http1.1 and --http2 exclude each other"),
        (["http://a/", "--data=@/nosuch"], 'cannot read "/nosuch": no such file or directory'),
    ],
)
def test_command_lines_that_cannot_be_used(netdiag, arguments, line):
    netdiag("http", *arguments).complains(f"netdiag http: {line}; see netdiag http --help")
