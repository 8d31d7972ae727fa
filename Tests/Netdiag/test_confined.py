# SPDX-License-Identifier: Apache-2.0
"""Every command where it is forbidden what it would like: no netlink, no /proc, no rights, no descriptors, no memory.

What a command says there is for its own tests; here it must end properly, with the document that it has elsewhere.
"""

from __future__ import annotations

import json
import shlex
import subprocess

import pytest

from EndToEnd.peers import health
from netdiag import FINE, HANG, PROBLEM, UNDETERMINED

COMMANDS = [
    "listeners", "listeners 1", "tcp SERVER", "tls SERVER --timeout=2s",
    "dns localhost --server=127.0.0.1:9 --timeout=200ms",
    "http2 SERVER", "health SERVER", "net", "net --same-network=127.0.0.1", "doctor SERVER", "doctor 127.0.0.1:9",
    "explain TCP_REFUSED", "balance SERVER", "balance SERVER --calls=3", "http http://SERVER/ --timeout=2s",
    "wait tcp://SERVER --timeout=2s", "sockets", "sockets -tlnp", "sockets -s",
]


@pytest.fixture(scope="module")
def server():
    with health.HealthServer() as running:
        yield running


@pytest.fixture(params=COMMANDS)
def command(request, server) -> list[str]:
    return shlex.split(request.param.replace("SERVER", server.address))


@pytest.fixture(scope="session")
def shapes() -> dict[str, set[str]]:
    """The keys of the documents that were seen, by command."""
    return {}


def judge(result, shapes) -> dict:
    assert result.code in (FINE, PROBLEM, UNDETERMINED) and result.stderr == "", result
    # wait tells each change in a document of its own.
    *changes, document = [json.loads(line) for line in result.lines]
    assert (changes == [] or result.arguments[0] == "wait") and document["schema"] == 1, result
    assert document["command"] == result.arguments[0] and (document["code"] == "OK") <= document["ok"]
    assert shapes.setdefault(document["command"], document.keys()) == document.keys(), result
    return document


def test_without_netlink(netdiag, without_netlink, command, shapes):
    judge(netdiag(*command, "--json", prefix=without_netlink), shapes)


def test_without_proc(netdiag, without_proc, command, shapes):
    judge(netdiag(*command, "--json", prefix=without_proc), shapes)


def test_as_nobody_without_rights(reachable, as_user, command, shapes):
    judge(reachable(*command, "--json", prefix=as_user(65534)), shapes)


def test_without_netlink_and_proc(netdiag, without_netlink, without_proc, command, shapes):
    judge(netdiag(*command, "--json", prefix=[*without_proc, *without_netlink]), shapes)


def test_with_no_descriptor_to_spare(netdiag, command, shapes):
    """Three streams, and room for one file or two at a time."""
    limited = ["sh", "-c", 'ulimit -n 5 && exec "$@"', "sh"]
    judge(netdiag(*command, "--json", prefix=limited), shapes)


def test_with_little_memory(static, netdiag, command, shapes):
    """The address space of a small container's limit; the ordinary build's libraries alone take more."""
    limited = ["sh", "-c", 'ulimit -v 65536 && exec "$@"', "sh"]
    judge(netdiag(*command, "--json", prefix=limited), shapes)


def test_the_text_ends_properly_too(netdiag, without_netlink, without_proc, command):
    result = netdiag(*command, prefix=[*without_proc, *without_netlink])
    # The output of http is what the server sent, and its report goes beside it.
    said, beside = (result.stderr, "") if command[0] == "http" else (result.stdout, result.stderr)
    assert result.code in (FINE, PROBLEM, UNDETERMINED) and beside == "" and said, result


@pytest.mark.parametrize("kind", ["text", "json"])
def test_a_reader_that_goes_early(netdiag, command, kind):
    """`netdiag … | head -1` ends properly, whatever is still to be written."""
    more = ["--json"] if kind == "json" else []
    # The report of http goes to standard error.
    both = "2>&1" if command[0] == "http" else ""
    line = f"{shlex.join(netdiag.command(*command, *more))} {both} | head -c 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, env=netdiag.environment(),
                          stdin=subprocess.DEVNULL, timeout=HANG)
    assert done.returncode in (FINE, PROBLEM, UNDETERMINED) and done.stderr == b"" and len(done.stdout) == 1


def test_strange_names_of_commands_and_targets_are_refused_in_one_line(netdiag):
    for arguments in (["tcp", "a\nb:1"], ["doctor", "\x1b[2J:1"], ["dns", "a" * 300], ["http2", "[::1:1"]):
        result = netdiag(*arguments, "--json")
        assert result.code == 2 and result.stdout == "" and result.stderr.count("\n") == 1, result
        assert all(character.isprintable() for character in result.stderr.rstrip("\n")), result
        assert json.dumps(result.stderr)
