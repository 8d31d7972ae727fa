# SPDX-License-Identifier: Apache-2.0
"""What all commands share: usage, streams, colour, and the one static file."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import tempfile

import pytest

from EndToEnd.peers.health import HealthServer
from EndToEnd.probe import PT_DYNAMIC, PT_INTERP, confined, may_unshare, program_headers
from netdiag import FINE, HANG, PROBLEM, UNDETERMINED, USAGE, Netdiag

LIMIT_OF_SIZE = 6_500_000


def test_without_a_command(netdiag):
    result = netdiag()
    result.ends(USAGE)
    assert result.stdout == "" and result.stderr.startswith("usage: netdiag COMMAND")


@pytest.mark.parametrize("word", ["help", "-h", "--help"])
def test_help(netdiag, word):
    result = netdiag(word).ends(FINE)
    assert result.stdout.startswith("usage: netdiag COMMAND") and "  listeners " in result.stdout


def test_help_of_a_command(netdiag):
    result = netdiag("listeners", "--help").ends(FINE)
    assert result.stdout.startswith("usage: netdiag listeners [flags] [PORT…]") and "--json" in result.stdout


def test_version_names_the_libraries(netdiag):
    lines = netdiag("version").ends(FINE).lines
    assert lines[0].startswith("netdiag ")
    assert [line.split()[0] for line in lines[1:]] == ["nghttp2", "OpenSSL", "zlib", "libmnl", "glibc"]


def test_usage_errors(netdiag):
    netdiag("listen\x1b").complains('netdiag: there is no command "listen\\x1b"; see netdiag help')
    netdiag("listeners", "--no-such").complains(
        "netdiag listeners: flag provided but not defined: --no-such; see netdiag listeners --help"
    )


@pytest.mark.parametrize("arguments", [["listeners"], ["listeners", "--json"], ["help"], ["version"]])
def test_nobody_reads_the_output(netdiag, arguments):
    """A reader that has gone is no reason to die of a signal."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            netdiag.command(*arguments), stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE,
            env=netdiag.environment(), timeout=HANG,
        )
    finally:
        os.close(writing)
    assert done.returncode in (FINE, PROBLEM) and done.stderr == b""


def test_closed_streams(netdiag):
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", *netdiag.command("listeners")],
        env=netdiag.environment(), timeout=HANG,
    )
    assert done.returncode in (FINE, PROBLEM)


def on_a_terminal(netdiag: Netdiag, *arguments: str, **environment: str) -> str:
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        netdiag.command(*arguments), stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal,
        env=netdiag.environment(environment),
    )
    os.close(terminal)
    output = b""
    try:
        while chunk := os.read(main, 65536):
            output += chunk
    except OSError:
        pass  # Linux says EIO where the other side has gone
    process.wait(HANG)
    os.close(main)
    return output.decode()


def test_colour_is_for_terminals_alone(netdiag, serve):
    port = str(serve("0.0.0.0:0").port)
    assert "\x1b[32mok" in on_a_terminal(netdiag, "listeners", port, TERM="xterm")
    # Without a TERM, a terminal is still one.
    assert "\x1b[32mok" in on_a_terminal(netdiag, "listeners", port)
    assert "\x1b" not in on_a_terminal(netdiag, "listeners", port, TERM="xterm", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(netdiag, "listeners", port, TERM="dumb")
    assert "\x1b" not in on_a_terminal(netdiag, "listeners", port, "--json", TERM="xterm")
    netdiag("listeners", port, env={"TERM": "xterm"}).lacks("\x1b")


# The released file.


def test_the_file_is_static_and_small(static):
    types = program_headers(static)
    assert PT_DYNAMIC not in types and PT_INTERP not in types
    assert os.path.getsize(static) <= LIMIT_OF_SIZE


def test_the_file_holds_no_symbols_and_no_build_paths(static):
    with open(static, "rb") as file:
        content = file.read()
    for trace in (b".symtab", b".debug_info", b"/Sources/", b".build-embedded"):
        assert trace not in content, trace


@pytest.fixture
def alone(static):
    """The file alone in a read-only file system, as nobody, without capabilities, /proc and /dev."""
    if not may_unshare():
        pytest.skip("needs the right to unshare(1) mounts, to change the root directory")
    with tempfile.TemporaryDirectory(prefix="netdiag-root-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        shutil.copy(static, os.path.join(path, "netdiag"))
        os.chmod(os.path.join(path, "netdiag"), 0o555)
        lonely = Netdiag("/netdiag")
        yield lambda *arguments: lonely(*arguments, prefix=confined(path, "--read-only"))


def test_in_an_empty_container(alone, serve):
    port = str(serve("0.0.0.0:0").port)
    alone("version").ends(FINE)
    alone("listeners", port).ends(FINE).says("ok", f"0.0.0.0:{port}", "process unknown: there is no /proc")
    assert alone("listeners", port, "--json").json["ports"][0]["code"] == "OK"


def test_every_command_in_an_empty_container(alone, netdiag):
    """Each comes to a verdict of its own, with nothing but the file itself."""
    usage = netdiag("help").stdout
    # Two spaces end a name, which may have two words.
    names = [line.strip().split("  ")[0] for line in usage.splitlines() if line.startswith("  ")]
    with HealthServer() as server:
        arguments = {
            "listeners": [str(server.port)], "tls": [server.address],
            "dns": ["x.invalid", "--timeout=200ms", "--tries=1"],
            "http": [f"http://{server.address}/", "--timeout=2s"], "net": [], "explain": ["TCP_REFUSED"], "sockets": [],
            "wait": [f"tcp://{server.address}"],
            "grpc call": [server.address, "grpc.health.v1.Health/Check"], "grpc diff": [server.address, server.address],
            "grpc bench": [server.address, "grpc.health.v1.Health/Check"],
        }
        assert "grpc call" in names
        for name in names:
            done = alone(*name.split(), *arguments.get(name, [server.address]), "--json")
            assert done.code in (FINE, PROBLEM, UNDETERMINED) and done.stdout.startswith("{"), done
        alone("doctor", server.address).ends(FINE).says("ok", "health", "SERVING")
