# SPDX-License-Identifier: Apache-2.0
"""`netdiag wait`: servers that come up later, ones that never do, and the command that follows."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import threading

import pytest

from EndToEnd.peers import health, programs, tcp
from netdiag import FINE, PROBLEM, USAGE


@contextlib.contextmanager
def waiting(netdiag, *arguments: str, **options):
    """A run that goes on beside the test; `lines()` reads what it says of changes."""
    command = netdiag.command("wait", *arguments)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=netdiag.environment(), text=True, **options) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def children(process: subprocess.Popen) -> list[int]:
    tasks = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(number) for number in tasks.split()]


def test_all_is_ready(netdiag, tmp_path, certificates):
    pair = (f"{certificates}/server.pem", f"{certificates}/server.key")
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(health.HealthServer({"": health.SERVING, "a": health.SERVING}))
        secure = stack.enter_context(health.HealthServer(credentials=health.credentials(*pair)))
        web = stack.enter_context(programs.nginx(tmp_path, "listen 127.0.0.1:{port}; return 204;"))
        listener = tcp.listen_unix(str(tmp_path / "socket"))
        stack.callback(listener.close)
        targets = [
            f"tcp://{plain.address}", plain.address, f"grpc://{plain.address}", f"grpc://{plain.address}/a",
            f"grpcs://{secure.address}", f"tls://{secure.address}", f"http://{web.address}/x",
            f"unix:{tmp_path}/socket", f"unix://{tmp_path}/socket",
        ]
        result = netdiag("wait", *targets, f"--cacert={certificates}/ca.pem", "--timeout=20s").ends(FINE)
        assert [line.split()[1] for line in result.lines] == targets
        for target in targets:
            result.says("ok", target, "ready after")


def test_a_server_that_comes_up_later(netdiag):
    port = tcp.free_port()
    with waiting(netdiag, f"127.0.0.1:{port}", "--json", "--interval=20ms") as process:
        first = json.loads(process.stdout.readline())
        assert (first["ready"], first["code"], first["target"]) == (False, "TCP_REFUSED", f"127.0.0.1:{port}")
        with contextlib.closing(tcp.listen_tcp(port=port)):
            lines = [json.loads(line) for line in process.stdout]
            assert process.wait(20) == FINE
    assert lines[-2]["ready"] is True and lines[-2]["code"] == "OK"
    assert lines[-1]["ok"] is True and [target["ready"] for target in lines[-1]["targets"]] == [True]
    assert lines[-2].keys() == first.keys() and first["schema"] == 1


def test_the_time_is_over(netdiag):
    refused = tcp.refused_address()
    with tcp.silence() as silent, health.HealthServer({"": health.NOT_SERVING}) as ill, tcp.black_hole() as dark:
        targets = [refused, f"http://{silent.address}/", f"grpc://{ill.address}", dark, f"tcp://{ill.address}"]
        result = netdiag("wait", *targets, "--timeout=1500ms").ends(PROBLEM)
        result.says("FAIL", refused, "TCP_REFUSED").says("FAIL", silent.address, "DEADLINE_EXPIRED")
        result.says("FAIL", ill.address, "NOT_SERVING").says("FAIL", dark, "TCP_TIMEOUT").says("ok", ill.address)
        document = netdiag("wait", *targets, "--timeout=1s", "--json").ends(PROBLEM)
    last = json.loads(document.lines[-1])
    assert [target["ready"] for target in last["targets"]] == [False, False, False, False, True]
    assert last["code"] == "TCP_REFUSED"


def test_one_that_is_silent_holds_up_none_of_many(netdiag):
    with contextlib.ExitStack() as stack:
        dark = stack.enter_context(tcp.black_hole())
        ports = [tcp.free_port() for _ in range(19)]
        process = stack.enter_context(waiting(netdiag, dark, *(f"127.0.0.1:{port}" for port in ports), "--json"))
        for _ in ports:
            assert json.loads(process.stdout.readline())["code"] == "TCP_REFUSED"
        for port in ports:
            stack.callback(tcp.listen_tcp(port=port).close)
        ready = {json.loads(process.stdout.readline())["target"] for _ in ports}
        assert ready == {f"127.0.0.1:{port}" for port in ports}
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143


def test_a_connection_that_is_closed_at_once_is_not_ready(netdiag):
    with tcp.closes_at_once() as closing, tcp.resets_at_once() as resetting:
        result = netdiag("wait", closing.address, resetting.address, "--timeout=1s").ends(PROBLEM)
    result.says("FAIL", closing.address, "ACCEPTED_THEN_CLOSED").says("FAIL", resetting.address, "ACCEPTED_THEN_CLOSED")


def test_the_end_of_the_time_cuts_no_look_short_that_counts(netdiag, tmp_path):
    """A connection that the server ends after 80 ms never stands for 100 ms, whenever the time is over."""

    def behaviour(sock, server):
        server.stopping.wait(0.08)

    with tcp.Talker(behaviour) as peer:
        for timeout in ("50ms", "400ms"):
            result = netdiag("wait", peer.address, f"--timeout={timeout}", "--", "touch", str(tmp_path / "started"))
            assert result.ends(PROBLEM) and not (tmp_path / "started").exists()
    # The time is over before anything is known.
    with tcp.silence() as peer:
        result = netdiag("wait", peer.address, "--timeout=50ms").ends(PROBLEM)
        result.says("FAIL", peer.address, "DEADLINE_EXPIRED: ", "accepted, and the time was over within 100ms")


def test_a_server_that_speaks_is_ready(netdiag):
    with tcp.says(b"220 mail ESMTP\r\n") as peer:
        netdiag("wait", peer.address).ends(FINE).says("ok", peer.address, "ready after")


def test_schemes_in_capitals(netdiag, tmp_path):
    with health.HealthServer() as server, programs.nginx(tmp_path, "listen 127.0.0.1:{port}; return 204;") as web:
        targets = [f"TCP://{server.address}", f"gRPC://{server.address}"]
        result = netdiag("wait", *targets, f"HTTP://{web.address}/", "--timeout=20s").ends(FINE)
        assert [line.split()[1] for line in result.lines] == [*targets, f"http://{web.address}/"]


def test_no_proxy_is_asked(netdiag):
    # This host by an address that is none of loopback: that never goes through a proxy.
    with health.HealthServer() as server:
        proxy = {"HTTPS_PROXY": f"http://{tcp.refused_address()}"}
        target = f"grpc://{server.address.replace('127.0.0.1', '0.0.0.0')}"
        netdiag("wait", target, "--timeout=5s", env=proxy).ends(FINE)


def test_a_status_that_is_an_error(netdiag, tmp_path):
    with programs.nginx(tmp_path, "listen 127.0.0.1:{port}; location /ok { return 302 /x; } return 503;") as web:
        result = netdiag("wait", f"http://{web.address}/", "--timeout=700ms").ends(PROBLEM)
        result.says("FAIL", "HTTP_STATUS", "503")


def test_grpc_without_a_health_service(netdiag):
    with health.HealthServer(register=False) as server:
        document = netdiag("wait", f"grpc://{server.address}", "--timeout=700ms")
    assert document.code == PROBLEM and "GRPC_UNIMPLEMENTED" in document.stdout
    assert "waiting all the same" in document.stderr and document.stderr.count("\n") == 1


def test_a_reason_that_cannot_pass_ends_it(netdiag, openssl, certificates):
    address = openssl("expired", "-alpn", "h2")
    refused = tcp.refused_address()
    result = netdiag("wait", f"tls://{address}", refused, f"--cacert={certificates}/ca.pem", "--fail-fast")
    assert result.code == PROBLEM and "CERT_EXPIRED" in result.stdout and "CERT_EXPIRED" in result.stderr
    with tcp.says(b"SSH-2.0-x\r\n") as peer:
        result = netdiag("wait", f"http://{peer.address}/", "--fail-fast", "--json")
        assert result.code == PROBLEM and json.loads(result.lines[-1])["code"] == "NOT_HTTP1"


def test_secrets_are_never_printed(netdiag):
    result = netdiag("wait", f"http://me:secret@{tcp.refused_address()}/", "--timeout=300ms").ends(PROBLEM)
    result.lacks("secret")


@pytest.mark.parametrize(
    "target, shown",
    [
        ("postgres://user:s3cret@db:5432", "postgres://…@db:5432"),
        ("POSTGRES://user:s3cret/x@db:5432", "POSTGRES://…@db:5432"),
        ("tcp://user:s3cret@a", "…@a"),
        ("tcp://user:s3cret@db:5432", "…@db:5432"),
        ("tls://user:s3cret@db:5432", "…@db:5432"),
        ("grpc://user:s3cret@db:1/a", "…@db:1/a"),
        ("grpcs://user:s3cret/x@db:1", "…@db:1"),
        ("user:s3cret@db:5432", "…@db:5432"),
        ("s3cret@db:5432", "…@db:5432"),
    ],
)
def test_a_password_has_no_place_and_is_not_printed(netdiag, target, shown):
    why = (
        "has none of the schemes tcp, tls, http, https, grpc and grpcs"
        if target.upper().startswith("POSTGRES:")
        else "has a user or a password, which have no place here: write HOST:PORT"
    )
    netdiag("wait", target).complains(f'netdiag wait: "{shown}" {why}; see netdiag wait --help')


@pytest.mark.parametrize("command", ["tcp", "tls", "http2", "health", "doctor", "balance"])
def test_no_command_prints_a_password(netdiag, command):
    for operands in (["user:s3cret@db:5432"], ["user:s3cret@db"], ["s3cret@db", "5432"]):
        result = netdiag(command, *operands).ends(USAGE).lacks("s3cret")
        assert "…@" in result.stderr


# A name that appears.


def test_a_name_that_appears(netdiag, tmp_path, root_user):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    (tmp_path / "resolv").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    mounts = f"mount --bind {hosts} /etc/hosts && mount --bind {tmp_path}/resolv /etc/resolv.conf"
    script = f'ip link set lo up && {mounts} && exec "$@"'
    prefix = ["unshare", "--mount", "--net", "--propagation", "private", "sh", "-c", script, "sh"]
    command = [*prefix, *netdiag.command("wait", "later:7", "--json", "--interval=20ms")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=netdiag.environment(), text=True) as process:
        first = json.loads(process.stdout.readline())
        assert first["code"].startswith("DNS_"), first
        # In place: a bind mount shows the file and not the name.
        hosts.write_text("127.0.0.1 localhost later\n")
        assert json.loads(process.stdout.readline())["code"] == "TCP_REFUSED"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


# The command.


def test_the_command_takes_its_place(netdiag):
    with tcp.silence() as peer:
        script = "import os, sys; print(sys.argv[1:], os.environ['X'], os.getpid()); sys.exit(7)"
        arguments = [peer.address, "--", "python3", "-S", "-c", script, "--json", "a b", ""]
        run = netdiag.command("wait", *arguments)
        with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=netdiag.environment({"X": "y"})) as process:
            output, errors = process.communicate(timeout=20)
    assert (output, errors) == (f"['--json', 'a b', ''] y {process.pid}\n", "") and process.returncode == 7


def test_the_command_finds_signals_and_descriptors_as_they_were(netdiag):
    script = "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd | wc -l; cat /proc/self/task/*/children"
    before = subprocess.run(["sh", "-c", script], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                            restore_signals=True).stdout
    with tcp.silence() as peer:
        after = netdiag("wait", peer.address, "--", "sh", "-c", script).stdout
    assert after == before


@pytest.mark.parametrize("code, how", [(127, ["/no/such/program"]), (127, ["no-such-program"]), (126, ["/etc"])])
def test_a_command_that_cannot_be_started(netdiag, code, how):
    with tcp.silence() as peer:
        result = netdiag("wait", peer.address, "--", *how)
    assert result.code == code and result.stdout == ""
    assert result.stderr.startswith(f'netdiag wait: cannot start "{how[0]}": ') and result.stderr.count("\n") == 1


def test_the_command_is_not_started_where_the_time_is_over(netdiag, tmp_path):
    result = netdiag("wait", tcp.refused_address(), "--timeout=300ms", "--", "touch", str(tmp_path / "started"))
    result.ends(PROBLEM).says("FAIL", "TCP_REFUSED")
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("how, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it(netdiag, tmp_path, how, code):
    with tcp.black_hole() as dark:
        refused = tcp.refused_address()
        with waiting(netdiag, dark, refused, "--json", "--", "touch", str(tmp_path / "started")) as process:
            assert process.stdout.readline()
            helpers = children(process)
            assert len(helpers) == 2
            process.send_signal(how)
            assert process.wait(10) == code
    assert not (tmp_path / "started").exists()
    assert not any(os.path.exists(f"/proc/{helper}") for helper in helpers)


def test_helpers_end_with_it(netdiag):
    with tcp.black_hole() as dark, waiting(netdiag, dark, tcp.refused_address(), "--json") as process:
        assert process.stdout.readline()
        helpers = children(process)
        process.kill()
        process.wait()
        done = threading.Event()
        for _ in range(500):
            if not any(os.path.exists(f"/proc/{helper}/exe") for helper in helpers):
                break
            done.wait(0.01)
        else:
            pytest.fail("the helpers outlive their parent")


def test_no_process_is_left_for_a_helper(reachable, as_user):
    prefix = ["prlimit", "--nproc=1:1", *as_user(65_533)]
    result = reachable("wait", tcp.refused_address(), "--timeout=5s", prefix=prefix).ends(PROBLEM)
    result.says("FAIL", "fork: resource temporarily unavailable")


@pytest.mark.parametrize(
    "arguments, line",
    [
        ([], "name what to wait for, as tcp://HOST:PORT"),
        (["--", "true"], "name what to wait for, as tcp://HOST:PORT"),
        (["a:1", "--"], "there is no command behind --"),
        (["a"], '"a" names no port: write HOST:PORT'),
        (["ftp://a:1"], '"ftp://a:1" has none of the schemes tcp, tls, http, https, grpc and grpcs'),
        (["tcp://a"], '"a" names no port: write HOST:PORT'),
        (["http://a b/"], "the URL's host is neither a name nor an address; an IPv6 address stands in brackets"),
        (["unix:"], '"unix:": the Unix socket has no path'),
        (["a:1", "--timeout=0s"], "--timeout must be greater than zero"),
        (["a:1"] * 101, "no more than 100 targets can be waited for"),
        (["tls://a:1", "--cacert=/nosuch"], 'cannot read "/nosuch": no such file or directory'),
    ],
)
def test_command_lines_that_cannot_be_used(netdiag, arguments, line):
    netdiag("wait", *arguments).complains(f"netdiag wait: {line}; see netdiag wait --help")
