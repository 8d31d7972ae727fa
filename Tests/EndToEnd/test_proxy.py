# SPDX-License-Identifier: Apache-2.0
"""HTTP CONNECT proxies. The target is a name that cannot be found, so that only the proxy can lead to the server."""

import base64
import re

import pytest

from peers import http2, tcp, tls
from peers.http2 import ScriptedPeer, answering
from peers.proxy import Proxy

FAR = "server.invalid:50051"
VERSION = r"\d+\.\d+\.\d+\S*"


@pytest.fixture
def peer():
    with ScriptedPeer(answering()) as server:
        yield server


@pytest.fixture
def proxy(peer):
    with Proxy(peer.port) as relay:
        yield relay


# Going through.


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_the_proxy_of_the_environment_is_asked_for_the_name(probe, peer, proxy, variable):
    probe.check(FAR, env={variable: proxy.url()}).serving()
    request = proxy.requests[0]
    assert request.line == f"CONNECT {FAR} HTTP/1.1"
    assert request.value("Host") == FAR
    assert re.fullmatch(rf"grpc_health_probe sonde/{VERSION}", request.value("User-Agent"))
    assert request.value("Proxy-Authorization") is None
    assert peer.request.value(":authority") == FAR


def test_the_user_agent_of_the_flag_goes_to_the_proxy_as_well(probe, proxy):
    probe.check(FAR, "-user-agent=mine", env={"HTTPS_PROXY": proxy.url()}).serving()
    assert re.fullmatch(rf"mine sonde/{VERSION}", proxy.requests[0].value("User-Agent"))


def test_secrets_for_the_server_do_not_go_to_the_proxy(probe, proxy):
    probe.check(FAR, "-rpc-header=authorization: Bearer s3cret", env={"HTTPS_PROXY": proxy.url()}).serving()
    assert all("s3cret" not in value for _, value in proxy.requests[0].headers)


def test_a_proxy_without_a_scheme_is_an_http_proxy(probe, proxy):
    probe.check(FAR, env={"HTTPS_PROXY": proxy.address}).serving()
    assert len(proxy.requests) == 1


def test_upper_case_wins_over_lower_case(probe, proxy):
    with Proxy(mood="refuse", reply="HTTP/1.1 403 Forbidden\r\n") as wrong:
        probe.check(FAR, env={"HTTPS_PROXY": proxy.url(), "https_proxy": wrong.url()}).serving()
        assert wrong.requests == []


def test_a_password_is_sent_as_basic_authorization(probe, peer):
    with Proxy(peer.port, user="me", password="s:cr@t") as relay:
        probe.check(FAR, env={"HTTPS_PROXY": relay.url("me:s:cr%40t@")}).serving()
        expected = "Basic " + base64.b64encode(b"me:s:cr@t").decode()
        assert relay.requests[-1].value("Proxy-Authorization") == expected


def test_an_answer_of_http_1_0_will_do(probe, peer):
    with Proxy(peer.port, reply="HTTP/1.0 200 OK\r\nVia: x\r\nX-More: 1\r\n\r\n") as relay:
        probe.check(FAR, env={"HTTPS_PROXY": relay.url()}).serving()


def test_an_answer_without_a_phrase_will_do(probe, peer):
    with Proxy(peer.port, reply="HTTP/1.1 200\r\n\r\n") as relay:
        probe.check(FAR, env={"HTTPS_PROXY": relay.url()}).serving()


def test_the_servers_first_bytes_may_come_with_the_proxys_answer(probe):
    """A server that speaks first: its SETTINGS stand right behind the proxy's empty line."""
    early = [http2.settings(), http2.expect_preface(), *answering()[2:]]
    with ScriptedPeer(early) as peer, Proxy(peer.port, "coalesce") as relay:
        probe.check(FAR, env={"HTTPS_PROXY": relay.url()}).serving()


def test_tls_goes_through_the_tunnel_and_verifies_the_server(probe, certificates):
    context = tls.server_context(certificates("wrong-host.pem"), certificates("wrong-host.key"))
    with ScriptedPeer(answering(), tls=context) as peer, Proxy(peer.port) as relay:
        flags = ["-tls", f"-tls-ca-cert={certificates('ca.pem')}"]
        env = {"HTTPS_PROXY": relay.url()}
        probe.check("other.example.org:443", *flags, env=env).serving()
        probe.check(FAR, *flags, env=env).connect_failed(FAR).because("server.invalid", "other.example.org")


# Going past.


@pytest.mark.parametrize("form", ["127.0.0.1:{port}", "localhost:{port}", ":{port}", "dns:///localhost:{port}"])
def test_loopback_never_goes_through_a_proxy(probe, peer, form):
    with Proxy(mood="refuse", reply="HTTP/1.1 403 Forbidden\r\n") as relay:
        probe.check(form.format(port=peer.port), env={"HTTPS_PROXY": relay.url()}).serving()
        assert relay.accepted == 0


def test_ipv6_loopback_never_goes_through_a_proxy(probe, ipv6):
    listener = tcp.listen_tcp("::1")
    with ScriptedPeer(answering(), listener=listener) as peer, Proxy(mood="hang") as relay:
        probe.check(peer.address, env={"HTTPS_PROXY": relay.url()}).serving()
        assert relay.accepted == 0


def test_a_unix_socket_never_goes_through_a_proxy(probe, folder):
    listener = tcp.listen_unix(str(folder / "s"))
    with ScriptedPeer(answering(), listener=listener) as peer, Proxy(mood="hang") as relay:
        probe.check(peer.address, env={"HTTPS_PROXY": relay.url()}).serving()
        assert relay.accepted == 0


@pytest.mark.parametrize("value", ["*", "server.test", ".test", "test", "other.example,server.test", " server.test ",
                                   "server.test:{port}", "SERVER.TEST"])
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy_names_what_is_dialled_directly(probe, peer, named_hosts, variable, value):
    with Proxy(mood="refuse", reply="HTTP/1.1 403 Forbidden\r\n") as relay:
        env = {"HTTPS_PROXY": relay.url(), variable: value.format(port=peer.port)}
        probe.check(f"server.test:{peer.port}", env=env, prefix=named_hosts("127.0.0.1 server.test")).serving()
        assert relay.accepted == 0


@pytest.mark.parametrize("value", ["", "other.test", "erver.test", "server.test:1", "server.test.more"])
def test_no_proxy_leaves_other_names_to_the_proxy(probe, proxy, named_hosts, value):
    env = {"HTTPS_PROXY": proxy.url(), "NO_PROXY": value}
    probe.check("server.test:9", env=env, prefix=named_hosts("127.0.0.1 server.test")).serving()
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_other_proxy_variables_do_not_count(probe, peer, named_hosts, variable):
    with Proxy(mood="hang") as relay:
        hosts = named_hosts("127.0.0.1 server.test")
        probe.check(f"server.test:{peer.port}", env={variable: relay.url()}, prefix=hosts).serving()
        assert relay.accepted == 0


def test_the_flag_no_proxy_dials_directly(probe, peer, named_hosts):
    with Proxy(mood="hang") as relay:
        hosts = named_hosts("127.0.0.1 server.test")
        target = f"server.test:{peer.port}"
        probe.check(target, "-no-proxy", env={"HTTPS_PROXY": relay.url()}, prefix=hosts).serving()
        assert relay.accepted == 0


# Failing.


REFUSALS = ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway", "302 Found"]


@pytest.mark.parametrize("reply", REFUSALS)
def test_a_proxy_that_refuses_is_named_with_its_answer(probe, reply):
    with Proxy(mood="refuse", reply=f"HTTP/1.1 {reply}\r\n") as relay:
        result = probe(f"-addr={FAR}", "-connect-timeout=500ms", env={"HTTPS_PROXY": relay.url()}).at_once()
        result.could_not_connect(FAR).because("proxy", reply.split()[0])


def test_a_wrong_password_is_named_and_not_printed(probe, peer):
    with Proxy(peer.port, user="me", password="right") as relay:
        env = {"HTTPS_PROXY": relay.url("me:wr0ng@")}
        result = probe(f"-addr={FAR}", "-connect-timeout=500ms", "-v", env=env).at_once().ends(2)
        result.because("proxy", "407")
        assert "wr0ng" not in result.stderr, result


def test_a_proxy_that_hangs_ends_with_the_window(probe):
    with Proxy(mood="hang") as relay:
        result = probe(f"-addr={FAR}", "-connect-timeout=300ms", env={"HTTPS_PROXY": relay.url()}).at_once()
        result.connect_timed_out(FAR, "300ms").because("proxy")


def test_a_proxy_that_closes_is_tried_again(probe):
    with Proxy(mood="close") as relay:
        result = probe(f"-addr={FAR}", "-connect-timeout=400ms", env={"HTTPS_PROXY": relay.url()}).at_once()
        result.connect_timed_out(FAR, "400ms").because("proxy")
        assert relay.accepted > 1


def test_a_proxy_that_refuses_the_connection_is_named(probe):
    address = tcp.refused_address()
    result = probe(f"-addr={FAR}", "-connect-timeout=300ms", env={"HTTPS_PROXY": f"http://{address}"}).at_once()
    result.connect_timed_out(FAR, "300ms").because("proxy", "refused", address)


def test_a_proxy_that_speaks_no_http_is_named(probe):
    with Proxy(mood="garbage") as relay:
        result = probe(f"-addr={FAR}", "-connect-timeout=500ms", env={"HTTPS_PROXY": relay.url()}).at_once()
        result.could_not_connect(FAR).because("proxy")
        assert "\x1b" not in result.stderr, result


def test_a_proxy_with_an_endless_answer_ends_with_the_window(probe):
    with tcp.floods(b"X-Header: more\r\n", start=b"HTTP/1.1 200 OK\r\n") as relay:
        result = probe(f"-addr={FAR}", "-connect-timeout=1s", env={"HTTPS_PROXY": f"http://{relay.address}"})
        result.could_not_connect(FAR).at_once().because("proxy")


@pytest.mark.parametrize("url", ["http://", "http://127.0.0.1:no-port", "socks5://127.0.0.1:1", "http://[::1"])
def test_a_proxy_that_cannot_be_understood_is_named(probe, url):
    result = probe(f"-addr={FAR}", "-connect-timeout=500ms", env={"HTTPS_PROXY": url}).at_once().ends(2)
    result.because("proxy")
