# SPDX-License-Identifier: Apache-2.0
"""`netdiag dns`: servers that answer, fail, stay silent or lie, and the files that steer a resolver."""

from __future__ import annotations

import json
import pathlib
import socket
import subprocess
import sys
import threading

import pytest

from EndToEnd.probe import may_unshare
from netdiag import FINE, PROBLEM, shape, shapes_of_members
from peers.name_servers import (
    A, AAAA, FORMAT_ERROR, NO_SUCH_NAME, PTR, REFUSED, SERVER_FAILURE, TRUNCATED, NameServer, a, aaaa, cname, ptr, srv,
    txt, wire, zone,
)

# A point at the end keeps the search list of this machine out.
NAME = "api.example."


def closed_port() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{unused.getsockname()[1]}"


def ask(netdiag, *servers: NameServer | str, name: str = NAME, more: tuple[str, ...] = ()):
    flags = [f"--server={getattr(server, 'address', server)}" for server in servers]
    return netdiag("dns", name, *flags, "--timeout=1s", "--tries=2", *more)


def records(document: dict, server: int = 0) -> dict[str, list[str]]:
    """What a server gave in the end, by type."""
    replies = document["servers"][server]["asked"][-1]["replies"]
    return {reply["type"]: [item["data"] for item in reply["records"]] for reply in replies}


def test_addresses_with_their_times_and_names(netdiag):
    names = {
        "api.example": [
            a("api.example", "10.1.0.1", ttl=17), a("api.example", "10.1.0.2"), aaaa("api.example", "fd00::1"),
        ],
        "1.0.1.10.in-addr.arpa": [ptr("10.1.0.1", "one.example")],
    }
    with NameServer(zone(names)) as server:
        result = ask(netdiag, server).ends(FINE).says("ok", f"{server.address}  api.example: 3 records; in ")
        assert [line.split() for line in result.lines[1:]] == [
            ["A", "10.1.0.1", "TTL", "17", "one.example"], ["A", "10.1.0.2", "TTL", "60"],
            ["AAAA", "fd00::1", "TTL", "60"],
        ], result
        document = ask(netdiag, server, more=("--json",)).json
    assert (document["code"], document["error"], document["name"]) == ("OK", None, NAME)
    assert records(document) == {"A": ["10.1.0.1", "10.1.0.2"], "AAAA": ["fd00::1"]}
    (pointer,) = document["servers"][0]["pointers"]
    assert (pointer["address"], pointer["name"], pointer["container"]) == ("10.1.0.1", "one.example", None)
    # The numbers of questions are drawn, and so are the ports: each question has its own, but for a rare accident.
    assert len(server.ports) == len(server.ids) == 10
    assert len(set(server.ports)) >= 8 and len(set(server.ids)) >= 8


@pytest.mark.parametrize(
    "code, diagnosis, words",
    [
        (NO_SUCH_NAME, "DNS_NXDOMAIN", "there is no such name (NXDOMAIN)"),
        (SERVER_FAILURE, "DNS_SERVFAIL", "could not find out (SERVFAIL)"),
        (REFUSED, "DNS_REFUSED", "refuses to answer this client (REFUSED)"),
        (FORMAT_ERROR, "DNS_SERVFAIL", "cannot answer (FORMERR)"),
    ],
)
def test_each_refusal(netdiag, code, diagnosis, words):
    with NameServer(zone({}, otherwise=code)) as server:
        ask(netdiag, server).ends(PROBLEM).says("FAIL", f"{server.address}  api.example: ", words)
        document = ask(netdiag, server, more=("--json",)).json
    assert (document["code"], document["ok"]) == (diagnosis, False) and words in document["error"]


def test_a_name_without_an_address(netdiag):
    with NameServer(zone({"api.example": [txt("api.example", b"here")]})) as server:
        ask(netdiag, server).ends(PROBLEM).says("FAIL", "the name exists, and has no record of type A")
        assert ask(netdiag, server, more=("--json",)).json["code"] == "DNS_NO_ADDRESS"


def test_one_family_is_enough_and_silence_about_the_other_is_not(netdiag):
    with NameServer(zone({"api.example": [a("api.example", "10.1.0.1")]})) as server:
        result = ask(netdiag, server).ends(FINE).says("ok", "1 record")
        assert "      AAAA  the name exists, and has no record of type AAAA" in result.lines
    with NameServer(lambda query: query.answer(a(query.name, "10.1.0.1")) if query.kind == A else None) as server:
        result = ask(netdiag, server).ends(FINE).says("warn", "1 record")
        assert any(line.startswith("      AAAA  no answer to 2 tries in ") for line in result.lines), result
        ask(netdiag, server, more=("--strict",)).ends(PROBLEM)


def test_silence_and_a_closed_port_are_told_apart(netdiag):
    with NameServer(lambda query: None) as server:
        ask(netdiag, server).ends(PROBLEM).says("FAIL", "no answer to 2 tries in ")
        assert server.asked.count(("api.example", A, False)) == 2
        document = ask(netdiag, server, more=("--json",)).json
        assert document["code"] == "DNS_TIMEOUT"
        assert [reply["tries"] for reply in document["servers"][0]["asked"][0]["replies"]] == [2, 2]
    address = closed_port()
    ask(netdiag, address).ends(PROBLEM).says("FAIL", f"{address}  api.example: nothing listens there (ICMP")
    assert ask(netdiag, address, more=("--json",)).json["code"] == "DNS_UNREACHABLE"


@pytest.mark.usefixtures("root_user")
def test_no_way_to_the_server(netdiag, namespace):
    flags = ["--server=10.9.9.9", "--timeout=1s"]
    result = netdiag("dns", NAME, *flags, prefix=namespace.inside).ends(PROBLEM)
    result.says("FAIL", "10.9.9.9  api.example: no route leads there")
    assert netdiag.json("dns", NAME, *flags, prefix=namespace.inside)["code"] == "DNS_UNREACHABLE"


def test_an_answer_that_comes_late_counts(netdiag):
    """The second try's answer is the first one's, too."""
    held: list[bytes] = []

    def second(query):
        held.append(query.id)
        return query.answer(a(query.name, "10.1.0.1")) if held.count(query.id) == 2 else None

    with NameServer(second) as server:
        document = ask(netdiag, server, more=("--type=A", "--json")).ends(FINE).json
    (reply,) = document["servers"][0]["asked"][0]["replies"]
    assert (reply["code"], reply["tries"]) == ("OK", 2)


def test_what_is_too_long_for_udp_comes_over_tcp(netdiag):
    many = [a("api.example", f"10.1.{number}.1") for number in range(100)]

    def answer(query):
        if query.kind != A:
            return query.answer(code=NO_SUCH_NAME if query.kind == PTR else 0)
        return query.answer(*many) if query.over_tcp else query.answer(flags=TRUNCATED)

    with NameServer(answer) as server:
        document = ask(netdiag, server, more=("--type=A", "--json")).ends(FINE).json
        result = ask(netdiag, server).ends(FINE).says("ok", "100 records")
        assert "            over TCP, as the answer is too long for UDP" in result.lines
    (reply,) = document["servers"][0]["asked"][0]["replies"]
    assert (reply["transport"], len(reply["records"])) == ("tcp", 100)
    # A bound on how many addresses are asked back.
    assert sum(kind == PTR for _, kind, _ in server.asked) == 2 * 16


@pytest.mark.parametrize("over_tcp, words", [([], "ended the connection without an answer"), (None, "no answer in ")])
def test_what_is_too_long_for_udp_and_does_not_come(netdiag, over_tcp, words):
    hold = threading.Event()

    def answer(query):
        if not query.over_tcp:
            return query.answer(flags=TRUNCATED)
        if over_tcp is None:
            hold.wait(10)
        return []

    with NameServer(answer) as server:
        result = ask(netdiag, server, more=("--type=A",)).ends(PROBLEM)
        hold.set()
        result.says("FAIL", "the answer is too long for UDP, and over TCP: ", words)


@pytest.mark.parametrize(
    "lie",
    [
        lambda query: query.answer(a(query.name, "6.6.6.6"), id=bytes(byte ^ 0xFF for byte in query.id)),
        lambda query: query.answer(a("evil.example", "6.6.6.6"), question=wire("evil.example") + b"\0\1\0\1"),
        lambda query: query.answer(a(query.name, "6.6.6.6"))[:-3],
        lambda query: query.id + b"\1\0" + query.answer(a(query.name, "6.6.6.6"))[4:],
        lambda query: b"",
        lambda query: query.id,
        lambda query: b"\xff" * 600,
        lambda query: query.id + b"\x81\x80" + b"\xff" * 8 + b"\xc0\x0c" * 200,
    ],
    ids=["number", "question", "cut", "query", "empty", "short", "noise", "pointers"],
)
def test_what_does_not_belong_to_the_question_is_dropped(netdiag, lie):
    with NameServer(lambda query: [lie(query), query.answer(a(query.name, "10.1.0.1"))]) as server:
        document = ask(netdiag, server, more=("--type=A", "--json")).ends(FINE).json
        (reply,) = document["servers"][0]["asked"][0]["replies"]
        assert (records(document), reply["dropped"]) == ({"A": ["10.1.0.1"]}, 1)
    with NameServer(lie) as server:
        result = ask(netdiag, server, more=("--type=A",)).ends(PROBLEM).lacks("6.6.6.6")
        result.says("FAIL", "no answer to 2 tries", "2 messages dropped that are no answer to it")


def test_an_answer_from_elsewhere_is_dropped(netdiag):
    """The right words from a wrong port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:

        def answer(query):
            other.sendto(query.answer(a(query.name, "6.6.6.6")), server.ports[-1])
            return None

        with NameServer(answer) as server:
            ask(netdiag, server, more=("--type=A",)).ends(PROBLEM).lacks("6.6.6.6").says("FAIL", "no answer to 2 tries")


def test_records_of_other_names_are_not_believed(netdiag):
    with NameServer(lambda query: query.answer(a("evil.example", "6.6.6.6"), a(query.name, "10.1.0.1"))) as server:
        document = ask(netdiag, server, more=("--type=A", "--json")).ends(FINE).json
    assert records(document) == {"A": ["10.1.0.1"]}


def test_aliases_are_followed(netdiag):
    chain = [cname("api.example", "lb.example"), cname("lb.example", "node.example"), a("node.example", "10.1.0.1")]
    with NameServer(lambda query: query.answer(*chain) if query.kind == A else query.answer(*chain[:2])) as server:
        result = ask(netdiag, server).ends(FINE).says("ok", "1 record;")
        document = ask(netdiag, server, more=("--json",)).json
    assert "      CNAME api.example is lb.example  TTL 60" in result.lines
    assert records(document)["A"] == ["lb.example", "node.example", "10.1.0.1"]
    circle = [cname("api.example", "lb.example"), cname("lb.example", "api.example")]
    with NameServer(lambda query: query.answer(*circle)) as server:
        assert ask(netdiag, server, more=("--json",)).ends(PROBLEM).json["code"] == "DNS_NO_ADDRESS"


def test_hostile_bytes(netdiag):
    texts = [b'\x1b[2J\n"\xff\xe2\x80\xae', b"two"]
    names = {"api.example": [txt("api.example", *texts), srv("api.example", 50051, "a\x1b\n.b")]}
    with NameServer(zone(names)) as server:
        result = ask(netdiag, server, more=("--type=TXT,SRV",)).ends(FINE)
        document = ask(netdiag, server, more=("--type=TXT,SRV", "--json")).json
    assert '      TXT   "\\x1b[2J\\n\\"\\xff\\u202e" "two"  TTL 60' in result.lines, result
    assert "      SRV   0 5 50051 a\\027\\010.b  TTL 60" in result.lines, result
    assert all(character.isprintable() for character in "".join(result.lines))
    assert records(document)["SRV"] == ["0 5 50051 a\\027\\010.b"]


def test_an_address_is_asked_back(netdiag):
    with NameServer(zone({"9.0.1.10.in-addr.arpa": [ptr("10.1.0.9", "nine.example")]})) as server:
        ask(netdiag, server, name="10.1.0.9").ends(FINE).says("ok", "9.0.1.10.in-addr.arpa: 1 record")
        document = ask(netdiag, server, name="10.1.0.9", more=("--json",)).json
    assert records(document) == {"PTR": ["nine.example"]}


def test_servers_that_differ(netdiag):
    def server(address: str) -> NameServer:
        return NameServer(zone({"api.example": [a("api.example", address)]}))

    with server("10.1.0.1") as one, server("10.1.0.2") as two, NameServer(zone({})) as none:
        result = ask(netdiag, one, two, more=("--json",)).ends(FINE)
        assert result.json["code"] == "DNS_DISAGREE" and "do not say the same" in result.json["warnings"][0]
        ask(netdiag, one, two).ends(FINE).says("warn", one.address, two.address, "do not say the same")
        ask(netdiag, one, none).ends(FINE).says("ok", one.address).says("warn", none.address).says("warn", "same")
        # The first server's word is what programs get.
        assert ask(netdiag, none, one, more=("--json",)).ends(PROBLEM).json["code"] == "DNS_NXDOMAIN"
        # Those that are silent say nothing else.
        result = ask(netdiag, closed_port(), one).ends(FINE).says("warn", "nothing listens").says("ok", one.address)
        assert ask(netdiag, closed_port(), one, more=("--json",)).json["code"] == "OK", result


def test_what_is_there_twice(netdiag):
    with NameServer(lambda query: query.answer(a(query.name, "10.1.0.1"), a(query.name, "10.1.0.1"))) as server:
        result = ask(netdiag, server, server, more=("--type=A",)).ends(FINE)
        result.says("warn", "gives the same record more than once: A 10.1.0.1").says("warn", "same name server")
        assert len([line for line in result.lines if line.startswith("ok")]) == 1


@pytest.fixture
def place(root_user, tmp_path):
    """A command's beginning that runs it with files of the test's own: place(resolv="…", hosts="…")."""
    if not may_unshare():
        pytest.skip("needs the right to unshare(1) mounts, to change /etc")

    def make(resolv: str | bytes = "", hosts: str | bytes = "") -> list[str]:
        for name, content in [("resolv.conf", resolv), ("hosts", hosts)]:
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        mounts = " && ".join(f'mount --bind "{tmp_path}/{name}" /etc/{name}' for name in ("resolv.conf", "hosts"))
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{mounts} && exec "$@"', "sh"]

    return make


def on_port_53(script, last: int = 2) -> NameServer:
    """Tests that run at once need an address each."""
    for number in range(last, 250):
        try:
            return NameServer(script, f"127.54.54.{number}", 53)
        except OSError as error:
            failure = error
    raise failure


def test_the_search_list(netdiag, place):
    with on_port_53(zone({"web.prod.example": [a("web.prod.example", "10.1.0.1")]})) as server:
        prefix = place(f"nameserver {server.host}\nsearch dev.example prod.example never.example\n")
        result = netdiag("dns", "web", prefix=prefix).ends(FINE)
        result.says("ok", f"{server.host}  web.prod.example: 1 record")
        assert any("searched, too: web.dev.example: there is no such name" in line for line in result.lines), result
        document = netdiag.json("dns", "web", prefix=prefix)
        (asked,) = document["servers"]
        assert asked["name"] == "web.prod.example"
        assert [(step["name"], step["code"]) for step in asked["asked"]] == [
            ("web.dev.example", "DNS_NXDOMAIN"), ("web.prod.example", "OK"),
        ]
        # With a point, the name is asked as it stands first; with one at its end, nothing else is.
        document = netdiag.json("dns", "a.b", prefix=prefix)
        assert [step["name"] for step in document["servers"][0]["asked"]] == [
            "a.b", "a.b.dev.example", "a.b.prod.example", "a.b.never.example",
        ]
        document = netdiag.json("dns", "web.", prefix=prefix)
        assert [step["name"] for step in document["servers"][0]["asked"]] == ["web"]


def test_the_hosts_file_comes_first(netdiag, place):
    with on_port_53(zone({"both": [a("both", "10.1.0.1")]})) as server:
        resolv = f"nameserver {server.host}\n"
        result = netdiag("dns", "only", prefix=place(resolv, "# mine\n10.2.0.1 only alias\n")).ends(FINE)
        result.says("ok", "hosts file, line 2  10.2.0.1  only alias").says("note", "there is no such name")
        prefix = place(resolv, "10.2.0.1 both\n")
        netdiag("dns", "both", prefix=prefix).ends(FINE).says("warn", "the hosts file says 10.2.0.1")
        assert netdiag.json("dns", "both", prefix=prefix)["code"] == "DNS_DISAGREE"
        assert netdiag.json("dns", "both", prefix=place(resolv, "10.1.0.1 both\n"))["code"] == "OK"
        prefix = place(resolv, "10.1.0.1 both\n10.1.0.1 both\n")
        netdiag("dns", "both", prefix=prefix).says("warn", "the hosts file gives the same address more than once")
        # A server that is named is asked for what it says itself.
        prefix = place(resolv, "10.2.0.1 only\n")
        document = netdiag.json("dns", "only", f"--server={server.host}", prefix=prefix)
        assert (document["code"], document["hosts"][0]["address"]) == ("DNS_NXDOMAIN", "10.2.0.1")


def test_files_with_hostile_bytes(netdiag, place):
    with on_port_53(zone({})) as server:
        resolv = f"nameserver {server.host}\nfoo\x1b[2J bar\n".encode() + b"nameserver \xff\xfe\n"
        prefix = place(resolv, b"10.2.0.1 name \x1b]0;x\x07 \xff\n")
        result = netdiag("dns", "name", prefix=prefix).ends(FINE)
    assert all(character.isprintable() for character in "".join(result.lines)), result
    result.says("warn", "/etc/resolv.conf line 2: ").says("warn", "/etc/resolv.conf line 3: ")


@pytest.mark.usefixtures("root_user")
def test_dockers_resolver_names_container_and_network(netdiag, namespace, place):
    """In a namespace of its own 127.0.0.11 is anybody's, as it is in a container."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from peers.name_servers import *; import time\n"
        "names = {'web': [a('web', '172.20.0.2'), a('web', '172.20.0.3')],"
        " '2.0.20.172.in-addr.arpa': [ptr('172.20.0.2', 'web-1.shop_net')],"
        " '3.0.20.172.in-addr.arpa': [ptr('172.20.0.3', 'web.shop.example')]}\n"
        "with NameServer(zone(names), '127.0.0.11', 53): print('ready', flush=True); sys.stdin.read()"
    )
    folder = pathlib.Path(__file__).parent
    server = subprocess.Popen(
        [*namespace.inside, sys.executable, "-c", script, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout.readline() == "ready\n"
        prefix = [*namespace.inside, *place("nameserver 127.0.0.11\noptions ndots:0\n")]
        web = netdiag("dns", "web", prefix=prefix).ends(FINE).says("ok", "127.0.0.11 (Docker's resolver)  web: 2")
        document = netdiag.json("dns", "web", prefix=prefix)
        gone = netdiag("dns", "gone", prefix=prefix).ends(PROBLEM)
    finally:
        server.stdin.close()
        server.wait(10)
    assert any(line.endswith("  web-1.shop_net: container web-1, network shop_net") for line in web.lines), web
    assert any(line.endswith("  web.shop.example") for line in web.lines), web
    found = [(item["container"], item["network"]) for item in document["servers"][0]["pointers"]]
    assert found == [("web-1", "shop_net"), (None, None)] and document["servers"][0]["docker"]
    gone.says("FAIL", "no container of this name is on a network of this one")


def test_documents_have_the_same_keys(netdiag):
    with NameServer(zone({"api.example": [a("api.example", "10.1.0.1")]})) as server:
        well, ill = ask(netdiag, server, more=("--json",)).json, ask(netdiag, closed_port(), more=("--json",)).json
    assert shape(well).keys() == shape(ill).keys()
    assert len(shapes_of_members([well["servers"][0], ill["servers"][0]])) == 1
    replies = [item["servers"][0]["asked"][0]["replies"][0] for item in (well, ill)]
    assert len({json.dumps(sorted(reply)) for reply in replies}) == 1


@pytest.mark.parametrize(
    "arguments, line",
    [
        ([], "name one name"),
        (["a", "b"], "name one name"),
        (["a..b"], '"a..b" is no name: a label is empty'),
        (["a", "--type=A,NOPE"], '"NOPE" is no type of records: write one such as A, SRV or TYPE65'),
        (["a", "--server=name.example"], '"name.example" is no address of a server: write ADDR or ADDR:PORT'),
        (["a", "--timeout=0"], "--timeout must be greater than zero"),
        (["a", "--tries=0"], 'invalid value "0" for flag --tries: must be from 1 to 10'),
    ],
)
def test_command_lines_that_cannot_be_used(netdiag, arguments, line):
    netdiag("dns", *arguments).complains(f"netdiag dns: {line}; see netdiag dns --help")
