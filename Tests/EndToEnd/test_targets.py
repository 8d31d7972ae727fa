# SPDX-License-Identifier: Apache-2.0
"""What may stand in -addr, what is dialled for it, and which authority is sent."""

import contextlib
import os
import socket
import time

import pytest

from conftest import in_private_mounts
from peers import dns, health, tcp
from peers.dns import NameServer
from peers.http2 import ScriptedPeer, answering


def authority_for(probe, peer, target, *arguments, **options):
    probe.check(target, *arguments, **options).serving()
    return peer.request.value(":authority")


# Internet addresses.


def test_an_ipv4_address(probe):
    with ScriptedPeer(answering()) as peer:
        target = f"127.0.0.1:{peer.port}"
        assert authority_for(probe, peer, target) == target


def test_an_ipv6_address_in_brackets(probe, ipv6):
    with ScriptedPeer(answering(), listener=tcp.listen_tcp("::1")) as peer:
        target = f"[::1]:{peer.port}"
        assert authority_for(probe, peer, target) == target


def test_an_ipv6_address_with_a_zone(probe, ipv6):
    with ScriptedPeer(answering(), listener=tcp.listen_tcp("::1")) as peer:
        probe.check(f"[::1%lo]:{peer.port}").serving()


def test_an_ipv6_address_with_a_zone_that_does_not_exist(probe, ipv6):
    target = "[fe80::1%nowhere0]:7001"
    probe(f"-addr={target}", "-connect-timeout=300ms").could_not_connect(target).because("nowhere0|zone|interface")


def test_another_loopback_address(probe):
    with ScriptedPeer(answering(), listener=tcp.listen_tcp("127.9.8.7")) as peer:
        probe.check(f"127.9.8.7:{peer.port}").serving()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_localhost_finds_a_server_on_either_family(probe, has_ipv6, host):
    if host == "::1" and not has_ipv6:
        pytest.skip("this machine has no IPv6 on its loopback interface")
    with ScriptedPeer(answering(), listener=tcp.listen_tcp(host)) as peer:
        target = f"localhost:{peer.port}"
        assert authority_for(probe, peer, target) == target


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_alone_means_localhost(probe, has_ipv6, host):
    if host == "::1" and not has_ipv6:
        pytest.skip("this machine has no IPv6 on its loopback interface")
    with ScriptedPeer(answering(), listener=tcp.listen_tcp(host)) as peer:
        assert authority_for(probe, peer, f":{peer.port}") == f"localhost:{peer.port}"


def test_localhost_needs_no_hosts_file(probe, named_hosts):
    """An image made from scratch has none."""
    with ScriptedPeer(answering()) as peer:
        probe.check(f"localhost:{peer.port}", prefix=named_hosts("# empty")).serving()


def test_a_name_is_looked_up(probe, named_hosts):
    with ScriptedPeer(answering()) as peer:
        target = f"server.test:{peer.port}"
        assert authority_for(probe, peer, target, prefix=named_hosts("127.0.0.1 server.test")) == target


def test_the_addresses_of_a_name_are_tried_in_turn(probe, named_hosts):
    with ScriptedPeer(answering(), listener=tcp.listen_tcp("127.0.0.9")) as peer:
        hosts = named_hosts("127.0.0.7 server.test", "127.0.0.8 server.test", "127.0.0.9 server.test")
        probe.check(f"server.test:{peer.port}", prefix=hosts).serving()


def test_a_silent_address_does_not_hold_up_the_next(probe, named_hosts):
    """RFC 8305: the second address is tried beside the first, long before the window ends."""
    with tcp.black_hole() as silent:
        port = int(silent.rpartition(":")[2])
        with ScriptedPeer(answering(), listener=tcp.listen_tcp("127.0.0.9", port)):
            hosts = named_hosts("127.0.0.1 server.test", "127.0.0.9 server.test")
            probe.check(f"server.test:{port}", "-connect-timeout=30s", prefix=hosts).serving().at_once()


# Schemes.


@pytest.mark.parametrize("form", ["dns:///127.0.0.1:{port}", "dns:127.0.0.1:{port}", "dns:///localhost:{port}",
                                  "passthrough:///127.0.0.1:{port}", "passthrough:127.0.0.1:{port}"])
def test_a_scheme_before_host_and_port(probe, form):
    with ScriptedPeer(answering()) as peer:
        target = form.format(port=peer.port)
        expected = target.removeprefix("dns:").removeprefix("passthrough:").lstrip("/")
        assert authority_for(probe, peer, target) == expected


def test_dns_without_a_port_means_443(probe):
    try:
        listener = tcp.listen_tcp("127.4.4.3", 443)
    except OSError as error:
        pytest.skip(f"cannot listen on port 443: {error}")
    with ScriptedPeer(answering(), listener=listener) as peer:
        probe.check("dns:///127.4.4.3").serving()
        assert len(peer.requests) == 1


# Unix sockets.


@pytest.mark.parametrize("form", ["unix:{path}", "unix://{path}"])
def test_a_unix_socket_by_its_absolute_path(probe, folder, form):
    path = str(folder / "s")
    with ScriptedPeer(answering(), listener=tcp.listen_unix(path)) as peer:
        assert authority_for(probe, peer, form.format(path=path)) == "localhost"


@pytest.mark.parametrize("name", ["s", "./s", "sub/s"])
def test_a_unix_socket_by_a_relative_path(probe, folder, name):
    (folder / "sub").mkdir()
    with ScriptedPeer(answering(), listener=tcp.listen_unix(str(folder / name))) as peer:
        assert authority_for(probe, peer, f"unix:{name}", cwd=folder) == "localhost"


@pytest.mark.parametrize("form", ["unix-abstract:{name}", "unix:@{name}"])
def test_an_abstract_unix_socket(probe, form):
    name = f"e2e-abstract-{os.getpid()}"
    with ScriptedPeer(answering(), listener=tcp.listen_unix("@" + name)) as peer:
        assert authority_for(probe, peer, form.format(name=name)) == "localhost"


@pytest.mark.parametrize("kind", ["unix", "unix-abstract"])
def test_a_real_server_on_a_unix_socket(probe, folder, kind):
    address = f"unix:{folder}/s" if kind == "unix" else f"unix-abstract:e2e-{folder.name}"
    with health.HealthServer({"": health.NOT_SERVING}, address=address) as server:
        probe.check(server.address).unhealthy("NOT_SERVING")


def test_a_unix_socket_that_does_not_exist(probe, folder):
    target = f"unix:{folder}/missing"
    probe(f"-addr={target}", "-connect-timeout=200ms").could_not_connect(target).because(f"{folder}/missing")


def test_a_unix_socket_that_nobody_listens_on(probe, folder):
    path = str(folder / "s")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.bind(path)
    target = f"unix:{path}"
    probe(f"-addr={target}", "-connect-timeout=200ms").connect_timed_out(target, "200ms").because("refused", path)


def test_a_unix_socket_with_a_name_that_no_socket_can_have(probe, folder):
    target = f"unix:{folder}/" + "x" * 200
    probe(f"-addr={target}", "-connect-timeout=200ms").could_not_connect(target).because("long|path|name")


# Targets that can never work are refused at once, with a hint.

REFUSED = {
    "a host without a port": ("localhost", "port"),
    "an address without a port": ("127.0.0.1", "port"),
    "http": ("http://127.0.0.1:7001", "http"),
    "https": ("https://0.0.0.0:5000", "http"),
    "too many colons": ("1:2:3", "colon|port|address|bracket"),
    "IPv6 without brackets": ("::1:7001", "bracket|colon"),
    "xds": ("xds:///foo", "xds"),
    "a port that is too large": ("127.0.0.1:99999", "port"),
    "a port that is no number": ("127.0.0.1:no-such-port", "port"),
    "a negative port": ("127.0.0.1:-1", "port"),
    "an open bracket": ("[::1:7001", "bracket|address"),
}


@pytest.mark.parametrize("target, words", REFUSED.values(), ids=REFUSED)
def test_a_bad_target_is_refused_with_a_hint(probe, target, words):
    probe.check(target).connect_failed(target).because(words)


@pytest.mark.parametrize("scheme, hint", [("http", "-tls"), ("https", "-tls")])
def test_the_hint_for_a_url_names_what_to_write_instead(probe, scheme, hint):
    target = f"{scheme}://server.test:7001"
    result = probe.check(target).connect_failed(target)
    advice = result.stderr.replace(target, "")
    assert "server.test:7001" in advice, result
    assert (hint in advice) == (scheme == "https"), result


def test_a_unix_target_with_a_host(probe):
    target = "unix://host/tmp/x"
    result = probe.check(target).connect_failed(target)
    assert "invalid (non-empty) authority: host" in result.line, result


def test_a_target_is_quoted_in_the_line(probe):
    """Quotes and backslashes are escaped, and nothing in it can start a new line."""
    result = probe.check('a"b\\c\nd').ends(2).at_once()
    assert result.line.startswith('error: failed to connect service at "a\\"b\\\\c\\nd": '), result


# Names and name servers. Each test has a name server and a resolv.conf of its own.


@pytest.fixture
def asking(folder):
    """Starts a name server and gives the beginning of a command that asks it: `asking(names=...)`."""
    with contextlib.ExitStack() as stack:

        def ask(**mood):
            try:
                server = stack.enter_context(NameServer(**mood))
            except PermissionError as error:
                pytest.skip(f"cannot be a name server: {error}")
            lines = f"nameserver {server.address}\noptions timeout:5 attempts:2\n"
            return in_private_mounts({"/etc/resolv.conf": lines, "/etc/hosts": "127.0.0.1 localhost\n"}, folder)

        yield ask


def test_a_name_server_is_asked_for_a_name(probe, asking):
    with ScriptedPeer(answering()) as peer:
        probe.check(f"server.test:{peer.port}", prefix=asking(names={"server.test": "127.0.0.1"})).serving()


def test_a_name_that_does_not_exist_is_looked_for_until_the_window_ends(probe, asking):
    """It may appear: containers and their names come up together."""
    target = "nowhere.test:7001"
    result = probe(f"-addr={target}", "-connect-timeout=500ms", prefix=asking()).at_once()
    result.connect_timed_out(target, "500ms").because("nowhere.test", "not found|no such|unknown|does not exist")


def test_a_name_server_that_fails_is_told_apart(probe, asking):
    target = "server.test:7001"
    result = probe(f"-addr={target}", "-connect-timeout=500ms", prefix=asking(otherwise=dns.SERVER_FAILURE)).at_once()
    result.connect_timed_out(target, "500ms").because("server.test")


def test_a_name_server_that_is_silent_does_not_stretch_the_window(probe, asking):
    """The C library alone would wait for ten seconds and more."""
    target = "server.test:7001"
    result = probe(f"-addr={target}", "-connect-timeout=300ms", prefix=asking(otherwise=None))
    result.connect_timed_out(target, "300ms").because("server.test")
    assert result.seconds < 4, result


def test_a_name_that_appears_late_is_found(probe, folder):
    """A transient fault ends within the window."""
    names = {}
    try:
        server = NameServer(names)
    except PermissionError as error:
        pytest.skip(f"cannot be a name server: {error}")
    with server, ScriptedPeer(answering()) as peer:
        prefix = in_private_mounts({"/etc/resolv.conf": f"nameserver {server.address}\n"}, folder)
        running = probe.start(f"-addr=late.test:{peer.port}", "-connect-timeout=30s", prefix=prefix)
        while not server.asked and running.process.poll() is None:
            time.sleep(0.01)
        names["late.test"] = "127.0.0.1"
        running.result().serving()


def test_no_name_server_is_asked_for_addresses_and_localhost(probe, healthy, folder):
    try:
        server = NameServer()
    except PermissionError as error:
        pytest.skip(f"cannot be a name server: {error}")
    with server:
        files = {"/etc/resolv.conf": f"nameserver {server.address}\n", "/etc/hosts": "# empty\n"}
        prefix = in_private_mounts(files, folder)
        for target in (f"127.0.0.1:{healthy.port}", f"localhost:{healthy.port}", f":{healthy.port}"):
            probe.check(target, prefix=prefix).serving()
        assert server.asked == []
