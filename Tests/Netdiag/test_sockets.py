# SPDX-License-Identifier: Apache-2.0
"""`netdiag sockets`: what the kernel says of sockets, asked for as ss(8) is asked."""

from __future__ import annotations

import collections
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess

import pytest

from EndToEnd.probe import PT_INTERP, program_headers
from netdiag import FINE, HANG, UNDETERMINED, shape
from peers.many_sockets import ManySockets

NOBODY = 65534
MANY = 25_000


def listed(netdiag, *arguments, **options) -> list[dict]:
    return netdiag.json("sockets", *arguments, **options)["sockets"]


def one(sockets: list[dict]) -> dict:
    (only,) = sockets
    return only


@pytest.fixture
def connection():
    """The two ends of a connection over loopback: what listens, what has connected, what was accepted."""
    with socket.create_server(("127.0.0.1", 0), backlog=5) as listener:
        with socket.create_connection(listener.getsockname()) as client:
            accepted, _ = listener.accept()
            with accepted:
                yield listener, client, accepted


def ports(connection) -> tuple[int, int]:
    return connection[0].getsockname()[1], connection[1].getsockname()[1]


# What is told.


def test_both_ends_of_a_connection(netdiag, connection):
    _, client, accepted = connection
    port, client_port = ports(connection)
    client.sendall(b"12345")
    own = one(listed(netdiag, "-t", f"sport = :{port}"))
    assert (own["transport"], own["state"]) == ("tcp", "ESTAB")
    assert (own["localAddress"], own["localPort"]) == ("127.0.0.1", port)
    assert (own["peerAddress"], own["peerPort"]) == ("127.0.0.1", client_port)
    assert (own["receiveQueue"], own["sendQueue"]) == (5, 0)
    assert own["inode"] == os.fstat(accepted.fileno()).st_ino
    assert own["uid"] == os.geteuid() and own["cookie"] > 0
    # What was not asked for is null.
    assert [own[key] for key in ("processes", "memory", "info", "congestionControl", "name")] == [None] * 5
    line = one(netdiag("sockets", "-tH", f"dport = :{port}").ends(FINE).lines).split()
    assert line == ["tcp", "ESTAB", "0", "0", f"127.0.0.1:{client_port}", f"127.0.0.1:{port}"]


def test_a_listener(netdiag, connection):
    port, _ = ports(connection)
    listener = one(listed(netdiag, "-tln", f"sport = :{port}"))
    assert (listener["state"], listener["receiveQueue"], listener["sendQueue"]) == ("LISTEN", 0, 5)
    # What is connected is listed where nothing else is asked for, and everything with --all.
    assert {each["state"] for each in listed(netdiag, "-t", f"sport = :{port}")} == {"ESTAB"}
    everything, listening = {"ESTAB", "LISTEN"}, {"LISTEN"}
    # As with ss, the last one of --all and --listening holds.
    for flags, states in [
        (["-ta"], everything), (["-tal"], listening), (["-tla"], everything), (["-ta", "-l"], listening),
        (["-t", "--listening", "--all"], everything), (["-tl", "--all=false"], listening),
        (["-ta", "--listening=false"], everything),
    ]:
        assert {each["state"] for each in listed(netdiag, *flags, f"sport = :{port}")} == states, flags


def test_letters_are_flags_as_those_of_ss(netdiag, connection):
    port, _ = ports(connection)
    letters = netdiag("sockets", "-Htlnpe", f"sport = :{port}").ends(FINE)
    words = netdiag(
        "sockets", "--no-header", "--tcp", "--listening", "--processes", "--extended", f"sport = :{port}"
    ).ends(FINE)
    assert letters.stdout == words.stdout and f"(pid {os.getpid()})" in letters.stdout
    netdiag("sockets", "-tlz").complains(
        "netdiag sockets: flag provided but not defined: --tlz; see netdiag sockets --help"
    )


def test_everything_of_a_connection(netdiag, connection):
    _, client, accepted = connection
    port, _ = ports(connection)
    for _ in range(3):
        client.sendall(b"x" * 1000)
        accepted.recv(1000)
        accepted.sendall(b"y" * 500)
        client.recv(500)
    own = one(listed(netdiag, "-tim", f"dport = :{port}"))
    info = own["info"]
    # The kernel's own answer to the same socket.
    kernel = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)
    assert info["bytes_sent"] == int.from_bytes(kernel[200:208], "little") == 3000
    assert info["bytes_received"] == 1500 and info["snd_mss"] == int.from_bytes(kernel[16:20], "little")
    assert info["rtt"] > 0 and info["state"] == 1 and info["snd_wscale"] == kernel[6] & 15
    assert len(info) >= 50 and ("total_rto" in info) == (len(kernel) >= 248)
    assert own["congestionControl"] == client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).split(b"\0")[
        0
    ].decode()
    assert own["memory"]["receiveBuffer"] == client.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    line = one(netdiag("sockets", "-Htim", f"dport = :{port}").lines)
    assert " bytes_sent:3000 " in line and "skmem:(r0,rb" in line


def test_a_timer_is_told_in_milliseconds(netdiag, connection):
    _, client, _ = connection
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1000)
    port, _ = ports(connection)
    timer = one(listed(netdiag, "-to", f"dport = :{port}"))["timer"]
    assert timer["kind"] == "keepalive" and 900_000 < timer["milliseconds"] <= 1_000_000
    assert re.search(r"timer:\(keepalive,\d{6,7}ms,0\)", netdiag("sockets", "-to", f"dport = :{port}").stdout)


def test_udp(netdiag):
    with socket.socket(type=socket.SOCK_DGRAM) as bound, socket.socket(type=socket.SOCK_DGRAM) as connected:
        bound.bind(("127.0.0.1", 0))
        connected.connect(bound.getsockname())
        port = bound.getsockname()[1]
        assert one(listed(netdiag, "-u", f"dport = :{port}"))["state"] == "ESTAB"
        own = one(listed(netdiag, "-ul", f"sport = :{port}"))
        assert (own["transport"], own["state"], own["peerPort"]) == ("udp", "UNCONN", 0)


def test_unix_sockets_and_their_hostile_names(netdiag, tmp_path):
    path, abstract = os.fsencode(tmp_path) + b"/a b\n\x1b[31m\xff", b"\0nd\0" + str(os.getpid()).encode() + b"\x1b"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        listener.bind(path)
        listener.listen(3)
        datagrams.bind(abstract)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            accepted, _ = listener.accept()
            by_inode = {each["inode"]: each for each in listed(netdiag, "-xa")}
            own = {name: by_inode[os.fstat(each.fileno()).st_ino] for name, each in [
                ("listener", listener), ("datagrams", datagrams), ("client", client), ("accepted", accepted)]}
            accepted.close()
        shown = str(tmp_path) + "/a b\\n\\x1b[31m\\xff"
        assert (own["listener"]["name"], own["listener"]["state"]) == (shown, "LISTEN")
        assert (own["listener"]["transport"], own["listener"]["sendQueue"]) == ("u_str", 3)
        assert own["datagrams"]["name"] == f"@nd@{os.getpid()}\\x1b"
        assert (own["datagrams"]["transport"], own["datagrams"]["state"]) == ("u_dgr", "UNCONN")
        assert own["client"]["peerInode"] == own["accepted"]["inode"]
        assert own["accepted"]["peerInode"] == own["client"]["inode"]
        text = netdiag("sockets", "-xl").ends(FINE).stdout
        assert shown in text and "\x1b" not in text


def test_all_kinds_without_a_choice(netdiag, connection):
    kinds = {each["transport"][0] for each in listed(netdiag, "-a")}
    assert {"t", "u"} >= kinds - {"u"} and "t" in kinds
    netdiag("sockets", "-x", "sport = :1").complains(
        "netdiag sockets: Unix sockets have no ports and addresses: leave out --unix, or what asks for those; "
        "see netdiag sockets --help"
    )


def test_counts(netdiag, namespace, root_user):
    with ManySockets(20, prefix=namespace.inside):
        document = netdiag.json("sockets", "--summary", prefix=namespace.inside)
        tcp = document["summary"][0]
        assert (tcp["transport"], tcp["total"]) == ("tcp", 41) and document["sockets"] == []
        assert {each["state"]: each["count"] for each in tcp["states"]} == {"ESTAB": 40, "LISTEN": 1}
        assert "tcp   41: 40 ESTAB, 1 LISTEN" in netdiag("sockets", "-s", prefix=namespace.inside).ends(FINE).lines


# Filters, beside those of ss.

STATES = [
    "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "unconnected", "close-wait",
    "last-ack", "listening", "closing", "all", "connected", "synchronized", "bucket", "big",
]


class Zoo:
    """Sockets of every kind and state that can be kept, in one namespace."""

    PROGRAM = r"""
import socket, sys
kept = []
def tcp(family, address, port, only=True):
    each = socket.socket(family)
    if family == socket.AF_INET6:
        each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
    each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    each.bind((address, port))
    each.listen(8)
    kept.append(each)
    return each
def connect(listener, family, source, target):
    client = socket.socket(family)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind(source)
    client.connect(target)
    pair = client, listener.accept()[0]
    kept.extend(pair)
    return pair
IPV4, IPV6 = socket.AF_INET, socket.AF_INET6
plain, dual, six = tcp(IPV4, "0.0.0.0", 8000), tcp(IPV6, "::", 8001, False), tcp(IPV6, "::1", 8002)
for number in range(3):
    connect(plain, IPV4, (f"127.0.0.{number + 2}", 9000 + number), ("127.0.0.1", 8000))
    connect(dual, IPV4, (f"127.0.1.{number + 2}", 9010 + number), ("127.0.0.1", 8001))
    connect(six, IPV6, ("::1", 9020 + number), ("::1", 8002))
connect(dual, IPV6, ("::1", 9030), ("::1", 8001))
client, accepted = connect(plain, IPV4, ("127.0.0.2", 9040), ("127.0.0.1", 8000))
client.shutdown(socket.SHUT_WR)                     # FIN-WAIT-2 and CLOSE-WAIT
client, accepted = connect(six, IPV6, ("::1", 9041), ("::1", 8002))
client.close(); accepted.recv(1); accepted.close()  # TIME-WAIT
# Under load, the last segments take a moment.
for table, address, state in [("tcp", "2350 ", "05"), ("tcp", "1F40 ", "08"), ("tcp6", "2351 ", "06")]:
    while not any(address in line[:150] and line.split()[3] == state for line in open("/proc/self/net/" + table)):
        pass
bound = socket.socket(IPV4)
bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
bound.bind(("127.0.0.1", 8003))
bound.listen(1)
for family, address, port in [(IPV4, "127.0.0.1", 8000), (IPV6, "::", 8001), (IPV4, "0.0.0.0", 9000)]:
    each = socket.socket(family, socket.SOCK_DGRAM)
    each.bind((address, port))
    kept.append(each)
each = socket.socket(IPV4, socket.SOCK_DGRAM)
each.bind(("127.0.0.3", 9001))
each.connect(("127.0.0.1", 8000))
print("ready", flush=True)
sys.stdin.read()
"""

    def __init__(self, prefix: list[str]):
        self.prefix = prefix
        self.process = subprocess.Popen(
            [*prefix, "python3", "-I", "-c", self.PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout.readline() == b"ready\n"

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def zoo(namespace, root_user):
    made = Zoo(namespace.inside)
    yield made
    made.end()


# What ss 6.1 compares bit by bit, whatever the family is, behind the kernel's back.
OF_ONE_FAMILY = ["0.0.0.0", "0.0.0.0/0", "[::]", "::/0", "[::]/0"]


def random_filter(chance: random.Random, more: list[str] | tuple = ()) -> list[str]:
    """A filter as ss reads it too, every `or` and `and` of several in parentheses: ss does not tell them apart."""

    def test() -> list[str]:
        kind = chance.randrange(4)
        if kind < 2:
            sign = chance.choice(["=", "==", "!=", "<", "<=", ">", ">=", "eq", "ne", "lt", "le", "gt", "ge"])
            port = chance.choice([0, 1, 8000, 8001, 8002, 9000, 9010, 9020, 65535])
            return [chance.choice(["sport", "dport"]), sign, f":{port}"]
        if kind == 2:
            return ["dev", chance.choice(["=", "!="]), "lo"]
        address = chance.choice([
            "127.0.0.1", "127.0.0.2", "127.0.0.0/24", "127.0.0.0/8", "[::1]", "*", "127.0.0.1:8000", "127.0.0.2:9000",
            "[::1]:8002", "*:8001", ":9000", "[::ffff:127.0.0.1]", *more,
        ])
        return [chance.choice(["src", "dst"]), address]

    def expression(depth: int) -> list[str]:
        kind = chance.randrange(4) if depth else 3
        if kind == 0:
            return [chance.choice(["not", "!"]), "(", *expression(depth - 1), ")"]
        if kind < 3:
            words = ["(", *expression(depth - 1), ")"]
            sign = chance.choice(["and", "&"]) if kind == 1 else chance.choice(["or", "|"])
            for _ in range(chance.randrange(1, 3)):
                words += [sign, "(", *expression(depth - 1), ")"]
            return words
        return test()

    # Never none at all, which ss takes for those that it lists where none is named.
    kept, left = chance.choice(STATES), chance.choice(STATES[:11])
    states = chance.choice([
        [], ["state", kept], ["state", kept, "state", chance.choice(STATES)], ["exclude", left],
        ["state", "all", "exclude", left], ["exclude", left, "exclude", chance.choice(STATES[:11])],
    ])
    return states + (expression(chance.randrange(4)) if chance.randrange(5) else [])


def rows(sockets: list[dict]) -> collections.Counter:
    # ss 6.1 does not know sockets that are bound and nothing more.
    return collections.Counter(
        (each["transport"], each["state"], each["localPort"], each["peerPort"]) for each in sockets
        if each["state"] != "BOUND"
    )


def rows_of_ss(text: str) -> tuple[collections.Counter, bool]:
    """The rows, and whether they tell the state: ss leaves it out where only one was asked for."""
    counter: collections.Counter = collections.Counter()
    has_states = True
    for line in text.splitlines():
        kind, *state, _, _, local, peer = line.split()
        has_states = bool(state)
        number = lambda word: int(word.rpartition(":")[2].replace("*", "0"))
        counter[kind, *state, number(local), number(peer)] += 1
    return counter, has_states


@pytest.mark.parametrize("seed", range(4))
def test_filters_find_what_those_of_ss_find(netdiag, zoo, seed):
    if not shutil.which("ss"):
        pytest.skip("needs ss(8), to compare with")
    chance = random.Random(seed)
    found = 0
    for _ in range(60):
        words = random_filter(chance)
        # Without a state both list the connected ones; some of the others are not there to be found, then.
        flags = ["-tun"] if words[:1] in (["state"], ["exclude"]) else ["-tuna"]
        peer = subprocess.run(
            [*zoo.prefix, "ss", "-H", *flags, *words], capture_output=True, text=True, timeout=HANG
        )
        assert peer.returncode == 0 and not peer.stderr, f"{words}: {peer.stderr}"
        ours = rows(listed(netdiag, *flags, *words, prefix=zoo.prefix))
        theirs, has_states = rows_of_ss(peer.stdout)
        if not has_states:
            ours = collections.Counter((row[0], *row[2:]) for row in ours.elements())
        assert ours == theirs, f"{' '.join(words)}"
        found += sum(ours.values())
    assert found > 100


@pytest.mark.parametrize("seed", range(4, 6))
def test_filters_find_the_same_without_the_kernel(netdiag, zoo, without_netlink, seed):
    """Read from /proc, the same expression is evaluated here. What is bound to an interface is not told there."""
    chance = random.Random(seed)
    found = 0
    for _ in range(40):
        words = random_filter(chance, OF_ONE_FAMILY)
        if "dev" in words:
            continue
        asked = rows(listed(netdiag, "-tua", *words, prefix=zoo.prefix))
        read = rows(listed(netdiag, "-tua", *words, prefix=[*zoo.prefix, *without_netlink]))
        assert read == asked, f"{' '.join(words)}"
        found += sum(asked.values())
    assert found > 100


def test_families(netdiag, zoo):
    sockets = listed(netdiag, "-ta4", prefix=zoo.prefix)
    assert sockets and all("." in each["localAddress"] and ":" not in each["localAddress"] for each in sockets)
    sockets = listed(netdiag, "-ta6", prefix=zoo.prefix)
    assert sockets and all(":" in each["localAddress"] for each in sockets)
    # A server that takes both families has its IPv4 clients among the IPv6 sockets, and a filter finds them.
    (mapped,) = listed(netdiag, "-t6", "dst 127.0.1.2", prefix=zoo.prefix)
    assert mapped["localAddress"] == "::ffff:127.0.0.1" and mapped["localPort"] == 8001
    assert one(listed(netdiag, "-tl", "dev lo", prefix=zoo.prefix))["interface"] == "lo"


@pytest.mark.parametrize("words, why", [
    (["sport", "=", ":ssh"], '":ssh" is no port: write its number, as :443'),
    (["(sport = :1"], "the filter has a ( without its )"),
    (["state", "open"], '"open" is no state: write established, listening, time-wait, all …'),
    (["dev", "nosuch\x1b"], 'there is no interface "nosuch\\x1b"'),
    (["!" * 20000], "the filter is longer than 16384 bytes"),
])
def test_what_is_no_filter(netdiag, words, why):
    netdiag("sockets", *words).complains(f"netdiag sockets: {why}; see netdiag sockets --help")


# Owners.


def test_owners_and_why_they_are_unknown(netdiag, reachable, serve, as_user):
    server = serve("0.0.0.0:0", name=b'a\n"\x1b[31m\xff')
    own = one(listed(netdiag, "-tlp", f"sport = :{server.port}"))
    assert own["processes"] == [{"pid": server.pid, "command": 'a\\n"\\x1b[31m\\xff', "inferred": False}]
    line = one(netdiag("sockets", "-Htlp", f"sport = :{server.port}").ends(FINE).lines)
    assert line.endswith(f'a\\n"\\x1b[31m\\xff (pid {server.pid})') and "\x1b" not in line
    other = one(listed(reachable, "-tlp", f"sport = :{server.port}", prefix=as_user(NOBODY)))
    assert other["processes"] == [] and "CAP_SYS_PTRACE" in other["processUnknown"]
    result = reachable("sockets", "-tlp", f"sport = :{server.port}", prefix=as_user(NOBODY)).ends(FINE)
    result.says("note", "process unknown", "run as uid 0, or with CAP_SYS_PTRACE")


def test_what_no_process_holds(netdiag, zoo):
    own = one(listed(netdiag, "-tap", "state", "time-wait", prefix=zoo.prefix))
    assert own["inode"] == 0 and own["processes"] is None and own["processUnknown"] is None


# What cannot be seen.


def test_netlink_is_forbidden(netdiag, connection, without_netlink):
    port, client_port = ports(connection)
    document = netdiag.json("sockets", "-tap", f"sport = :{port}", prefix=without_netlink)
    assert document["source"] == "proc" and "operation not permitted" in document["remarks"][0]
    assert rows(document["sockets"]) == {("tcp", "ESTAB", port, client_port): 1, ("tcp", "LISTEN", port, 0): 1}
    assert {each["processes"][0]["pid"] for each in document["sockets"]} == {os.getpid()}
    result = netdiag("sockets", "-ta", prefix=without_netlink).ends(FINE)
    result.says("note", "read from /proc/self/net")
    assert {each["inode"] for each in listed(netdiag, "-xa", prefix=without_netlink)} >= {
        each["inode"] for each in listed(netdiag, "-xa") if each["name"]
    } - {0}


def test_neither_netlink_nor_proc(netdiag, without_proc, without_netlink):
    both = [*without_proc, *without_netlink]
    document = netdiag("sockets", "--json", prefix=both).ends(UNDETERMINED).json
    assert (document["ok"], document["code"], document["sockets"]) == (False, "UNDETERMINED", [])
    for table in ("tcp", "udp", "unix"):
        assert f"/proc/self/net/{table}" in document["error"]
    netdiag("sockets", prefix=both).ends(UNDETERMINED).says("?", "operation not permitted", "cannot be read")


def test_proc_is_absent(netdiag, connection, without_proc):
    port, _ = ports(connection)
    own = one(listed(netdiag, "-tlp", f"sport = :{port}", prefix=without_proc))
    assert own["processes"] == [] and own["processUnknown"] == "there is no /proc"


def test_processes_of_others_are_hidden(reachable, serve, as_user, root_user):
    """/proc with hidepid shows a user the own processes alone."""
    server = serve("0.0.0.0:0")
    hidden = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
              'mount -t proc -o hidepid=2 none /proc && exec "$@"', "sh", *as_user(NOBODY)]
    if subprocess.run([*hidden, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a /proc")
    own = one(listed(reachable, "-tlp", f"sport = :{server.port}", prefix=hidden))
    assert own["processes"] == [] and own["processUnknown"]


def test_documents_have_the_same_keys(netdiag, zoo, without_netlink):
    documents = [
        netdiag.json("sockets", *arguments, prefix=[*zoo.prefix, *prefix])
        for arguments in (["-a"], ["-tap"], ["-ta", "sport = :1"], ["-s"]) for prefix in ([], without_netlink)
    ]
    assert len({json.dumps(list(document)) for document in documents}) == 1
    sockets = [{**each, "info": 0, "timer": 0} for document in documents for each in document["sockets"]]
    assert len({json.dumps(list(each)) for each in sockets}) == 1
    assert {json.dumps(shape(each["timer"])) for each in listed(netdiag, "-tao", prefix=zoo.prefix) if each["timer"]}


# Watching.


class Watch:
    """A run that goes on."""

    def __init__(self, netdiag, *arguments: str, prefix: list[str] | tuple = ()):
        self.process = subprocess.Popen(
            netdiag.command("sockets", "--watch", "--interval", "50ms", *arguments, prefix=prefix),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=netdiag.environment(),
        )

    def line(self) -> str:
        return self.process.stdout.readline().decode()

    def ends(self, by: int | None = None) -> None:
        if by:
            self.process.send_signal(by)
        self.process.stdout.close()
        assert self.process.wait(HANG) == FINE
        assert self.process.stderr.read() == b""
        self.process.stderr.close()


def test_watching_a_connection(netdiag, namespace, root_user):
    watch = Watch(netdiag, "-ta", "--json", prefix=namespace.inside)
    begin = json.loads(watch.line())
    assert (begin["event"], begin["socket"], begin["ok"]) == ("watching", None, True)
    zoo = Zoo(namespace.inside)
    opened = [json.loads(watch.line()) for _ in range(5)]
    assert {each["event"] for each in opened} <= {"opened", "changed"}
    assert all(list(each) == list(begin) for each in opened)
    zoo.end()
    closed = set()
    while 8000 not in closed:
        event = json.loads(watch.line())
        if event["event"] == "closed" and event["socket"]["state"] == "LISTEN":
            closed.add(event["socket"]["localPort"])
    watch.ends(by=signal.SIGTERM)


def test_watching_a_change_of_state(netdiag, connection):
    _, client, _ = connection
    port, client_port = ports(connection)
    watch = Watch(netdiag, "-t", "--json", f"sport = :{client_port}")
    json.loads(watch.line())
    client.shutdown(socket.SHUT_WR)
    event = json.loads(watch.line())
    assert (event["event"], event["from"], event["socket"]["state"]) == ("changed", "ESTAB", "FIN-WAIT-2")
    assert event["socket"]["peerPort"] == port
    watch.ends(by=signal.SIGINT)


def test_watching_for_people(netdiag):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        watch = Watch(netdiag, "-tlp", f"sport = :{port}")
        assert watch.line() == "note  watching 0 sockets\n"
        sock.listen(1)
        line = watch.line()
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ opened  tcp    LISTEN ", line), line
        assert f"127.0.0.1:{port}" in line and f"(pid {os.getpid()})" in line
        # Nobody reads any more, and nothing happens: it ends all the same.
        watch.ends()


def test_what_cannot_be_watched(netdiag):
    netdiag("sockets", "--watch", "-s").complains(
        "netdiag sockets: --watch tells changes, and --summary counts: name one; see netdiag sockets --help"
    )
    netdiag("sockets", "--watch", "--interval", "1ms").complains(
        "netdiag sockets: --interval is at least 10ms; see netdiag sockets --help"
    )


# Tens of thousands.


@pytest.fixture(scope="module")
def many(root_user):
    from peers.namespaces import Namespace

    with Namespace() as namespace:
        if MANY * 2 > 4 * (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 64):
            pytest.skip("a process may not open as many sockets")
        with ManySockets(MANY, prefix=namespace.inside) as server:
            yield namespace, server


def peak_memory(netdiag, *arguments, prefix) -> tuple[int, bytes]:
    """The peak resident memory of a run in KiB, and what it wrote: looked at while it writes."""
    reading, writing = os.pipe()
    command = netdiag.command(*arguments, prefix=prefix)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=writing, env=netdiag.environment())
    os.close(writing)
    output = bytearray()
    peak = 0
    while chunk := os.read(reading, 1 << 20):
        output += chunk
        try:
            with open(f"/proc/{process.pid}/status", encoding="ascii", errors="replace") as status:
                peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("VmHWM")])
        except OSError:
            pass
    os.close(reading)
    assert process.wait(HANG) == FINE
    return peak, bytes(output)


def memory_limit(netdiag) -> int:
    """What a run may take in KiB: the ordinary build has its shared libraries in memory, too."""
    return 24 << 10 if PT_INTERP in program_headers(netdiag.path) else 8 << 10


def test_many_sockets(netdiag, many):
    namespace, server = many
    peak, output = peak_memory(netdiag, "sockets", "-tai", "--json", prefix=namespace.inside)
    document = json.loads(output)
    states = collections.Counter(each["state"] for each in document["sockets"])
    assert states == {"ESTAB": 2 * MANY, "LISTEN": 1}
    assert all(each["info"]["snd_cwnd"] > 0 for each in document["sockets"])
    # Nothing is kept of what was written: the document has tens of megabytes.
    assert 0 < peak <= memory_limit(netdiag) and len(output) > 40_000_000
    text = netdiag("sockets", "-tanH", prefix=namespace.inside).ends(FINE)
    assert len(text.lines) == 2 * MANY + 1


def test_one_of_many_sockets(netdiag, many):
    namespace, server = many
    found = listed(netdiag, "-tp", "dport", "=", ":50051", "and", "src", "127.0.0.1", prefix=namespace.inside)
    assert found and all(each["peerPort"] == 50051 and each["processes"] for each in found)
    own = one(listed(netdiag, "-tlp", "sport = :50051", prefix=namespace.inside))
    assert own["processes"]
    listeners = netdiag.json("listeners", "50051", prefix=namespace.inside)
    assert listeners["ports"][0]["code"] == "OK"


def test_many_sockets_without_netlink(netdiag, many, without_netlink):
    namespace, _ = many
    prefix = [*namespace.inside, *without_netlink]
    peak, output = peak_memory(netdiag, "sockets", "-ta", "--json", prefix=prefix)
    assert len(json.loads(output)["sockets"]) == 2 * MANY + 1
    assert 0 < peak <= memory_limit(netdiag)
    assert netdiag.json("listeners", "50051", prefix=prefix)["ports"][0]["listeners"][0]["limit"] is None


@pytest.mark.parametrize("flags", [["-ta"], ["-tai", "--json"], ["-tap"]])
def test_a_reader_that_has_enough(netdiag, many, flags):
    namespace, _ = many
    script = 'set -o pipefail; "$@" | head -c 100'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *netdiag.command("sockets", *flags, prefix=namespace.inside)],
        capture_output=True, env=netdiag.environment(), timeout=HANG,
    )
    assert done.returncode == FINE and len(done.stdout) == 100 and done.stderr == b""
