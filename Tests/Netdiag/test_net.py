# SPDX-License-Identifier: Apache-2.0
"""`netdiag net`: networks that a test made, and what surrounds a process."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

import pytest

from EndToEnd.probe import may_unshare
from netdiag import FINE, PROBLEM, UNDETERMINED, USAGE, Netdiag, shape, shapes_of_members
from peers.namespaces import Namespace
from peers.shop import Shop

pytestmark = pytest.mark.usefixtures("root_user")

# What a healthy place has, wherever the tests run.
SURE = {"SSL_CERT_FILE": __file__}


def warnings(document: dict) -> set[str]:
    return {warning["code"] for warning in document["warnings"]}


@pytest.fixture
def pair(namespace):
    """A namespace with the address 10.7.0.2/24 on `uplink`, and the one at the other end, 10.7.0.1, its gateway."""
    with Namespace() as router:
        namespace.join(router, "uplink", "port")
        namespace.ip("address", "add", "10.7.0.2/24", "dev", "uplink")
        namespace.ip("address", "add", "fd07::2/64", "dev", "uplink", "nodad")
        router.ip("address", "add", "10.7.0.1/24", "dev", "port")
        router.ip("address", "add", "fd07::1/64", "dev", "port", "nodad")
        namespace.ip("route", "add", "default", "via", "10.7.0.1")
        yield namespace, router


def test_interfaces_routes_and_neighbours(netdiag, pair):
    here, router = pair
    here.ip("link", "set", "uplink", "mtu", "1450")
    here.ip("route", "add", "10.8.0.0/16", "via", "10.7.0.1", "metric", "50", "src", "10.7.0.2")
    here.ip("route", "add", "unreachable", "10.9.0.0/16")
    here.ip("route", "add", "default", "via", "10.7.0.9", "table", "300")
    here.ip("neighbour", "replace", "10.7.0.1", "lladdr", "02:00:00:00:00:01", "dev", "uplink", "nud", "permanent")
    result = netdiag("net", "--json", env=SURE, prefix=here.inside).ends(FINE)
    document = result.json
    (uplink,) = [each for each in document["interfaces"] if each["name"] == "uplink"]
    assert (uplink["mtu"], uplink["kind"], uplink["up"], uplink["state"]) == (1450, "veth", True, "up")
    assert {"address": "10.7.0.2", "prefixLength": 24, "scope": "global", "label": "uplink"} in uplink["addresses"]
    assert {"address": "fd07::2", "prefixLength": 64, "scope": "global", "label": None} in uplink["addresses"]
    first, *others = document["routes"]
    assert (first["destination"], first["table"]) == ("default", 254)
    assert first["nextHops"] == [{"interface": "uplink", "gateway": "10.7.0.1"}]
    routes = {(route["destination"], route["table"]): route for route in others}
    assert (routes["10.8.0.0/16", 254]["metric"], routes["10.8.0.0/16", 254]["source"]) == (50, "10.7.0.2")
    assert (routes["10.9.0.0/16", 254]["kind"], routes["10.9.0.0/16", 254]["nextHops"]) == ("unreachable", [])
    assert routes["default", 300]["nextHops"][0]["gateway"] == "10.7.0.9"
    neighbours = [each for each in document["neighbours"] if each["address"] == "10.7.0.1"]
    assert [(each["hardwareAddress"], each["state"]) for each in neighbours] == [("02:00:00:00:00:01", "PERMANENT")]
    text = netdiag("net", env=SURE, prefix=here.inside).ends(FINE)
    text.says("ok", "interface    uplink  up, mtu 1450, veth").says("ok", "route        default via 10.7.0.1 on uplink")
    text.says("ok", "neighbour    10.7.0.1 on uplink is 02:00:00:00:00:01 PERMANENT")


def test_missing_networks_are_warnings(netdiag, pair):
    here, _ = pair
    assert warnings(netdiag.json("net", env=SURE, prefix=here.inside)) <= {"NO_NAMESERVER"}
    here.ip("route", "del", "default")
    netdiag("net", env=SURE, prefix=here.inside).ends(FINE).says("warn", "no default route")
    netdiag("net", "--strict", env=SURE, prefix=here.inside).ends(PROBLEM)
    assert "NO_DEFAULT_ROUTE" in warnings(netdiag.json("net", env=SURE, prefix=here.inside))
    here.ip("link", "set", "uplink", "down")
    netdiag("net", env=SURE, prefix=here.inside).ends(FINE).says("warn", "no interface but loopback has an address")


def test_a_lower_mtu_is_a_warning(netdiag, pair):
    here, router = pair
    here.join(router, "second", "port2")
    here.ip("address", "add", "10.6.0.2/24", "dev", "second")
    here.ip("link", "set", "second", "mtu", "1400")
    result = netdiag("net", env=SURE, prefix=here.inside).ends(FINE)
    result.says("warn", "the MTU of second is 1400, that of others 1500")


def test_no_certificates_are_a_warning(netdiag):
    document = netdiag.json("net", env={"SSL_CERT_FILE": "/no/such/file", "SSL_CERT_DIR": "/no/such/folder"})
    assert "NO_CA_STORE" in warnings(document) and document["trustStore"] is None
    document = netdiag.json("net", env=SURE)
    assert "NO_CA_STORE" not in warnings(document) and document["trustStore"] == __file__


def test_secrets_of_proxies_are_never_printed(netdiag):
    environment = {
        "HTTPS_PROXY": "http://user:s3cret@proxy:3128", "http_proxy": "user:s3cret@proxy", "NO_PROXY": "10.0.0.0/8",
        "grpc_proxy": "http://s3cret@proxy",
    }
    for arguments in (["net"], ["net", "--json"]):
        netdiag(*arguments, env=environment).lacks("s3cret", "user:")
    document = netdiag.json("net", env=environment)
    assert {proxy["name"]: proxy["value"] for proxy in document["proxies"]} == {
        "HTTPS_PROXY": "http://…@proxy:3128", "http_proxy": "…@proxy", "NO_PROXY": "10.0.0.0/8",
        "grpc_proxy": "http://…@proxy",
    }


def test_rights_are_those_of_the_process(reachable, netdiag, as_user):
    document = reachable.json("net", prefix=as_user(61234))
    assert (document["uid"], document["gid"]) == (61234, 61234)
    assert document["capabilities"] == [] and document["boundingCapabilities"] == []
    assert document["noNewPrivileges"] is True
    document = netdiag.json("net")
    assert document["uid"] == 0 and "CAP_NET_ADMIN" in document["capabilities"]
    assert document["hostName"] == os.uname().nodename


def test_the_filter_of_system_calls_and_the_limits_are_told(netdiag, without_netlink):
    document = netdiag.json("net", prefix=["sh", "-c", 'ulimit -Sn 77 && exec "$@"', "sh", *without_netlink])
    assert document["seccomp"] == "filter" and document["descriptors"]["soft"] == 77
    assert document["ports"]["ephemeralFirst"] < document["ports"]["ephemeralLast"]


# A process that is the first of a PID namespace, holds nearly all the descriptors that it may, and runs a command.
HOARDER = """
import os, resource, subprocess, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
held = [os.open("/dev/null", os.O_RDONLY) for _ in range(90)]
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""


def test_the_first_process_has_nearly_no_descriptor_left(netdiag):
    if not may_unshare():
        pytest.skip("needs the right to unshare(1) mounts and processes")
    prefix = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", HOARDER]
    document = netdiag.json("net", env=SURE, prefix=prefix)
    assert "FD_LIMIT" in warnings(document), document["firstProcess"]
    assert document["firstProcess"]["descriptors"]["soft"] == 100


@pytest.mark.parametrize(
    "files, environment, runtime",
    [
        ({"/.dockerenv": ""}, {}, "docker"),
        ({"/run/.containerenv": ""}, {}, "podman"),
        ({}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
    ],
)
def test_signs_of_a_container(static, tmp_path, files, environment, runtime):
    for path, text in files.items():
        file = tmp_path / path.lstrip("/")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    (tmp_path / "netdiag").write_bytes(pathlib.Path(static).read_bytes())
    (tmp_path / "netdiag").chmod(0o555)
    result = Netdiag("/netdiag")("net", "--json", env=environment, prefix=["chroot", str(tmp_path)]).ends(FINE)
    document = result.json
    assert document["container"]["runtime"] == runtime and len(document["container"]["signs"]) == 1
    # There is neither /proc nor /etc: what is not known is null.
    assert document["capabilities"] is None and document["resolver"]["nameServers"] is None


# Whether a host is on the same network.


def test_the_same_network(netdiag, pair):
    here, router = pair

    def ask(host: str, code: int) -> str:
        result = netdiag("net", "--same-network", host, prefix=here.inside).ends(code)
        document = netdiag("net", "--same-network", host, "--json", prefix=here.inside).ends(code).json
        answer = {FINE: "yes", PROBLEM: "no", UNDETERMINED: "undetermined"}[code]
        assert document["sameNetwork"]["answer"] == answer
        assert document["code"] == {"yes": "SAME_NETWORK", "no": "NOT_SAME_NETWORK"}.get(answer, "UNDETERMINED")
        assert document["sameNetwork"]["reason"] in result.stdout
        return result.stdout

    assert "is on the network 10.7.0.0/24 of uplink" in ask("10.7.0.1", FINE)
    assert "is on the network fd07::/64 of uplink" in ask("fd07::1", FINE)
    assert "is on the network fd07::/64 of uplink" in ask("[fd07::1]", FINE)
    assert "is this machine's own" in ask("10.7.0.2", FINE)
    assert "is this machine's own" in ask("localhost", FINE)
    assert "is behind the gateway 10.7.0.1 on uplink" in ask("10.20.0.1", PROBLEM)
    assert "has no route that leads to it" in ask("2001:db8::1", PROBLEM)
    here.ip("route", "add", "unreachable", "10.21.0.0/16")
    here.ip("route", "add", "prohibit", "10.22.0.0/16")
    here.ip("route", "add", "blackhole", "10.23.0.0/16")
    here.ip("route", "add", "blackhole", "fd23::/16")
    assert "is unreachable: a route says so" in ask("10.21.0.1", PROBLEM)
    assert "is forbidden: a route says so" in ask("10.22.0.1", PROBLEM)
    assert "is dropped: a route is a black hole" in ask("10.23.0.1", PROBLEM)
    assert "is dropped: a route is a black hole" in ask("fd23::1", PROBLEM)
    assert "is valid on one link alone" in ask("fe80::1", UNDETERMINED)
    assert "is on the network fe80::/64 of uplink" in ask_link_local(ask, here)
    # No name server is reached from here. Whether the resolver or our own time gives up first is a matter of chance.
    lost = netdiag("net", "--same-network", "no-such-host.invalid", "--json", prefix=here.inside).ends(UNDETERMINED)
    assert "no-such-host.invalid" in lost.json["sameNetwork"]["reason"]


def ask_link_local(ask, here) -> str:
    """A link-local address with its interface, once the interface has one itself."""
    deadline = time.monotonic() + 10
    while "fe80" not in subprocess.run(
        [*here.inside, "ip", "-6", "address", "show", "dev", "uplink", "scope", "link"], capture_output=True, text=True
    ).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return ask("fe80::1%uplink", FINE)


def test_a_tunnel_without_a_gateway_is_undetermined(netdiag, namespace):
    namespace.join(namespace, "tunnel", "other")
    namespace.ip("address", "add", "10.5.0.1/32", "dev", "tunnel")
    namespace.ip("route", "add", "default", "dev", "tunnel")
    result = netdiag("net", "--same-network", "10.9.9.9", prefix=namespace.inside).ends(UNDETERMINED)
    result.says("?", "goes out by tunnel, whose route to everywhere names neither network nor gateway")


def test_a_neighbour_that_does_not_answer(netdiag, pair):
    here, _ = pair
    # Somebody of the link was looked for and is not there.
    here.ip("neighbour", "replace", "10.7.0.77", "dev", "uplink", "nud", "failed")
    result = netdiag("net", "--same-network", "10.7.0.77", prefix=here.inside).ends(FINE)
    result.says("ok", "is on the network 10.7.0.0/24 of uplink, but does not answer there")
    netdiag("net", prefix=here.inside).says("note", "10.7.0.77 on uplink FAILED")


def test_netlink_is_forbidden(netdiag, without_netlink):
    result = netdiag("net", prefix=without_netlink).ends(UNDETERMINED)
    result.says("?", "the kernel does not tell networks: operation not permitted").says("ok", "rights")
    result = netdiag("net", "--same-network", "127.0.0.1", prefix=without_netlink).ends(UNDETERMINED)
    result.says("?", "not known whether it is the same network: the kernel does not tell networks")


def test_a_document_has_the_same_keys_whatever_came_of_it(netdiag, pair, without_netlink, without_proc):
    here, _ = pair
    documents = [
        netdiag.json("net", prefix=here.inside),
        netdiag.json("net", env={"HTTPS_PROXY": "http://p:1", "SSL_CERT_FILE": "/no/such", "SSL_CERT_DIR": "/no/such"}),
        netdiag.json("net", prefix=without_netlink),
        netdiag.json("net", prefix=without_proc),
    ]
    lists = ("interfaces", "routes", "neighbours", "proxies", "warnings")
    assert len({str(shape({**document, **dict.fromkeys(lists)})) for document in documents}) == 1
    for name in lists:
        members = [member for document in documents for member in document[name]]
        assert len(shapes_of_members(members)) == 1, name
    hops = [hop for document in documents for route in document["routes"] for hop in route["nextHops"]]
    addresses = [each for document in documents for link in document["interfaces"] for each in link["addresses"]]
    assert len(shapes_of_members(hops)) == len(shapes_of_members(addresses)) == 1


def test_an_interface_with_a_hostile_name(netdiag, namespace):
    namespace.join(namespace, 'e"\x1b[31m\\', "other")
    result = netdiag("net", prefix=namespace.inside).ends(FINE).says("ok", 'e"\\x1b[31m\\  up')
    result.lacks("\x1b")
    document = netdiag.json("net", prefix=namespace.inside)
    assert 'e"\\x1b[31m\\' in [each["name"] for each in document["interfaces"]]


def test_many_routes_are_counted_and_the_default_is_shown(netdiag, pair):
    here, _ = pair
    count = 6000
    lines = "".join(f"route add 100.{n >> 8 & 255}.{n & 255}.0/24 via 10.7.0.1\n" for n in range(count))
    subprocess.run(["ip", "-n", here.name, "-batch", "-"], input=lines, text=True, check=True)
    document = netdiag.json("net", prefix=here.inside)
    assert document["routes"][0]["destination"] == "default"
    assert len(document["routes"]) + document["routesLeftOut"] >= count
    assert document["routesLeftOut"] > 0


@pytest.mark.parametrize("host", ["", "a:1", "a b", "a/b", "::1:x", "a\x1b"])
def test_what_is_no_host(netdiag, host):
    result = netdiag("net", f"--same-network={host}")
    assert result.code == USAGE and "is no host: write a name or an address, without a port" in result.stderr
    assert "\x1b" not in result.stderr


def test_words_too_many(netdiag):
    netdiag("net", "eth0").complains('netdiag net: "eth0" is one word too many; see netdiag net --help')


@pytest.mark.usefixtures("root_user")
def test_networks_have_the_names_that_dockers_resolver_knows(netdiag):
    with Shop() as shop:
        netdiag("net", prefix=shop.at_client).ends(FINE).says(
            "ok", "network      shop: 172.20.0.3 is the container gateway there"
        )
        document = netdiag.json("net", prefix=shop.at_client)
    assert document["networks"] == [{"name": "shop", "address": "172.20.0.3", "container": "gateway"}]
