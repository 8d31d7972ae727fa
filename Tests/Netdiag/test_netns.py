# SPDX-License-Identifier: Apache-2.0
"""`--netns`: every command from inside of another network namespace, and what is left where that is forbidden."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest

from EndToEnd.probe import may_unshare
from netdiag import FINE, PROBLEM, UNDETERMINED
from peers.namespaces import Namespace

NOBODY, SOMEBODY = 65534, 61234
WITH_OWN_MOUNTS = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]

pytestmark = pytest.mark.usefixtures("root_user")


@pytest.fixture
def server(namespace, serve):
    return serve("0.0.0.0:50051", prefix=namespace.inside)


def names(namespace, server) -> list[str]:
    return [namespace.name, str(server.pid), f"/run/netns/{namespace.name}", f"/proc/{server.pid}/ns/net"]


def test_each_kind_of_name(netdiag, namespace, server):
    netdiag("listeners", "50051").ends(PROBLEM)
    for name in names(namespace, server):
        netdiag("listeners", "50051", "--netns", name).ends(FINE).says("ok", "0.0.0.0:50051", f"pid {server.pid}")
        (row,) = netdiag("sockets", "-Htl", "--netns", name).ends(FINE).lines
        assert "0.0.0.0:50051" in row
        netdiag("tcp", "127.0.0.1:50051", "--netns", name).ends(FINE)
    netdiag("tcp", "127.0.0.1:50051").ends(PROBLEM)


@pytest.mark.parametrize("name, why", [
    ("no-such", 'there is no network namespace "no-such" in /run/netns'),
    ("2147483647", "there is no process 2147483647"),
    ("/dev/null", '"/dev/null" is no network namespace'),
    ("/proc/self/ns/mnt", '"/proc/self/ns/mnt" is no network namespace'),
    ("/no/such\n", 'the network namespace "/no/such\\n" cannot be entered: open: no such file or directory'),
])
@pytest.mark.parametrize("command", [["sockets"], ["tcp", "127.0.0.1:1"], ["net"]])
def test_what_is_no_namespace(netdiag, command, name, why):
    netdiag(*command, "--netns", name).ends(UNDETERMINED).says("?", why)
    document = netdiag(*command, "--netns", name, "--json").ends(UNDETERMINED).json
    assert document == {"schema": 1, "command": command[0], "ok": False, "code": "UNDETERMINED", "error": why}


@pytest.mark.parametrize("name", ["", "..", "0", "99999999999", "x" * 256])
def test_what_is_no_name(netdiag, name):
    netdiag("listeners", "--netns", name).complains(
        f'netdiag listeners: "{name}" names no network namespace: write a name, a process\'s number or a path; '
        "see netdiag listeners --help"
    )


# What it takes.


def test_tables_of_a_process_are_for_everybody(reachable, server, as_user):
    """Nobody may enter, and yet the sockets of a process's network can be read."""
    pid = str(server.pid)
    result = reachable("listeners", "50051", "--netns", pid, prefix=as_user(NOBODY)).ends(FINE)
    result.says("note", f"process {pid} may not be entered", "CAP_SYS_PTRACE", f"read from /proc/{pid}/net")
    result.says("ok", "0.0.0.0:50051").lacks("queue 0 of")
    document = reachable.json("sockets", "-tl", "--netns", pid, prefix=as_user(NOBODY))
    assert (document["ok"], document["source"]) == (True, "proc") and "CAP_SYS_ADMIN" in document["remarks"][0]
    assert [each["localPort"] for each in document["sockets"]] == [50051]
    refused = reachable("tcp", "127.0.0.1:50051", "--netns", pid, prefix=as_user(NOBODY)).ends(UNDETERMINED)
    refused.says("?", f"the network namespace of process {pid} may not be entered", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN")


def test_the_own_process_without_capabilities(reachable, namespace, serve, as_user):
    """One's own process may be looked into, and its namespace not be entered: the right that is missing is named."""
    server = serve("0.0.0.0:50051", prefix=[*namespace.inside, *as_user(SOMEBODY)])
    pid = str(server.pid)
    refused = reachable("tcp", "127.0.0.1:50051", "--netns", pid, prefix=as_user(SOMEBODY)).ends(UNDETERMINED)
    refused.says("?", f'"/proc/{pid}/ns/net" may not be entered: it takes CAP_SYS_ADMIN').lacks("PTRACE")
    result = reachable("listeners", "50051", "--netns", pid, prefix=as_user(SOMEBODY)).ends(FINE)
    result.says("ok", "0.0.0.0:50051", f"pid {pid}")


def test_a_named_one_without_capabilities(reachable, namespace, server, as_user):
    for command in (["listeners"], ["tcp", "127.0.0.1:50051"]):
        refused = reachable(*command, "--netns", namespace.name, prefix=as_user(NOBODY)).ends(UNDETERMINED)
        refused.says("?", f"/run/netns/{namespace.name}", "it takes CAP_SYS_ADMIN")


# Names.


@pytest.fixture
def place(namespace, tmp_path):
    """A process that sees name servers and hosts of its own, as one in a container does."""
    if not may_unshare():
        pytest.skip("needs the right to unshare(1) mounts")
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    script = (
        'mount --bind "$0/etc/resolv.conf" /etc/resolv.conf && mount --bind "$0/etc/hosts" /etc/hosts && '
        "echo ready && exec sleep 600"
    )
    (root / "etc" / "resolv.conf").write_text("nameserver 192.0.2.53\n")
    (root / "etc" / "hosts").write_text("127.0.0.77 only-there\n")
    process = subprocess.Popen(
        [*namespace.inside, *WITH_OWN_MOUNTS, script, str(root)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    yield process.pid, root
    process.kill()
    process.wait()
    process.stdout.close()


def test_names_are_those_of_the_process(netdiag, namespace, serve, place):
    pid, _ = place
    serve("127.0.0.77:50051", prefix=namespace.inside)
    netdiag("tcp", "only-there:50051").ends(PROBLEM)
    netdiag("tcp", "only-there:50051", "--netns", str(pid)).ends(FINE).says("ok", "127.0.0.77:50051")
    # A namespace by its name or file has no names of its own.
    netdiag("tcp", "only-there:50051", "--netns", f"/proc/{pid}/ns/net").ends(PROBLEM)
    assert "192.0.2.53" in netdiag("net", "--netns", str(pid)).stdout


def test_nobody_else_sees_other_names(netdiag, place):
    pid, _ = place
    before = pathlib.Path("/etc/hosts").read_bytes(), pathlib.Path("/proc/self/mountinfo").read_bytes()
    netdiag("net", "--netns", str(pid))
    assert (pathlib.Path("/etc/hosts").read_bytes(), pathlib.Path("/proc/self/mountinfo").read_bytes()) == before


def test_names_of_a_named_one(netdiag, namespace, serve):
    """As ip-netns(8) has it, in /etc/netns."""
    serve("127.0.0.78:50051", prefix=namespace.inside)
    folder = pathlib.Path("/etc/netns") / namespace.name
    had_parent = folder.parent.exists()
    folder.mkdir(parents=True)
    try:
        (folder / "hosts").write_text("127.0.0.78 named-only\n")
        netdiag("tcp", "named-only:50051", "--netns", namespace.name).ends(FINE).says("ok", "127.0.0.78:50051")
        # What is no plain file might never end: it is not used, and that is said.
        os.mkfifo(folder / "resolv.conf")
        result = netdiag("tcp", "named-only:50051", "--netns", namespace.name)
        assert result.code == FINE
        assert result.stderr == (
            f"netdiag tcp: names are looked up without /etc/netns/{namespace.name}/resolv.conf: "
            "open: invalid argument\n"
        )
    finally:
        shutil.rmtree(folder)
        if not had_parent:
            folder.parent.rmdir()


def test_another_namespace_has_other_networks(netdiag, namespace):
    with Namespace() as other:
        namespace.join(other, "uplink", "peer")
        namespace.ip("address", "add", "10.77.0.2/24", "dev", "uplink")
        assert "10.77.0.2" in netdiag("net", "--netns", namespace.name).stdout
        assert "10.77.0.2" not in netdiag("net").stdout
