# SPDX-License-Identifier: Apache-2.0
"""What the probe can do beyond its predecessor. The shapes agreed on stand together, right below."""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from peers import health, http2, tcp, tls
from peers.http2 import START, ScriptedPeer, answering, ending_with, expect_preface, until_closed
from probe import LONG_WINDOW

# The working agreement.

CONNECTED = "status: CONNECTED"
STEPS = {"resolve", "connect", "proxy", "tls", "settings", "rpc", "total"}
KEYS = {
    "status", "ok", "exitCode", "address", "service", "services", "error", "reason", "fault", "timings", "truncated",
}
OUTPUT_LIMIT = 4096


def service_line(name, status):
    return f'service "{name}": {status}'


# -timeout


def test_the_whole_timeout_ends_a_call(probe):
    with ScriptedPeer([*START, until_closed()]) as peer:
        result = probe.check(peer.address, "-rpc-timeout=20s", "-timeout=400ms").ends(3).at_once()
        assert result.line.startswith("timeout: health rpc did not complete within "), result


def test_the_whole_timeout_ends_a_connection(probe):
    with tcp.silence() as server:
        result = probe.check(server.address, "-timeout=400ms").ends(2).at_once()
        assert result.line.startswith(f'timeout: failed to connect service "{server.address}" within '), result


def test_the_whole_timeout_ends_a_wait(probe):
    with health.HealthServer({"": health.NOT_SERVING}) as server:
        result = probe.check(server.address, "-wait=40s", "-timeout=500ms").at_once()
        assert result.code in (2, 3, 4), result


def test_the_whole_timeout_leaves_a_quick_check_alone(probe, healthy):
    probe.check(healthy.address, "-timeout=20s").serving()


# -wait


def after_calls(server, count, action, *arguments):
    """Does something to the server once it has had that many calls."""

    def wait():
        while len(server.recorder.calls) < count and not server.stopped:
            time.sleep(0.01)
        action(*arguments)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_waiting_ends_when_the_service_serves(probe):
    with health.HealthServer({"": health.NOT_SERVING}) as server:
        changed = after_calls(server, 3, server.set, "", health.SERVING)
        probe.check(server.address, "-wait=30s").ends(0).at_once()
        changed.join()
        assert len(server.recorder.calls) >= 3


def test_waiting_survives_a_server_that_is_not_there_yet(probe):
    port = tcp.free_port()
    peers = []
    timer = threading.Timer(0.3, lambda: peers.append(ScriptedPeer(answering(), listener=tcp.listen_tcp(port=port))))
    timer.start()
    try:
        result = probe(f"-addr=127.0.0.1:{port}", "-connect-timeout=100ms", "-wait=30s").ends(0).at_once()
        assert result.lines[-1] == "status: SERVING", result
    finally:
        timer.join()
        with peers[0]:
            pass


def test_waiting_survives_a_service_that_is_not_known_yet(probe):
    with health.HealthServer() as server:
        changed = after_calls(server, 3, server.set, "late", health.SERVING)
        probe.check(server.address, "-service=late", "-wait=30s").ends(0).at_once()
        changed.join()


def test_waiting_in_vain_ends_with_the_last_verdict(probe, healthy):
    result = probe.check(healthy.address, "-service=down", "-wait=500ms").ends(4).at_once()
    assert 'service unhealthy (responded with "NOT_SERVING")' in result.lines, result
    assert result.reason, result


def test_waiting_in_vain_for_a_server_is_a_failed_connection(probe):
    address = tcp.refused_address()
    result = probe(f"-addr={address}", "-connect-timeout=100ms", "-wait=500ms").ends(2).at_once()
    assert result.seconds > 0.4, result
    result.because("refused")


def test_a_last_round_that_is_cut_short_does_not_hide_what_was_known(probe):
    """The server answers once and then never again: what counts is the answer, not where in a round the end came."""
    with ScriptedPeer([*answering(http2.NOT_SERVING), until_closed()]) as peer:
        result = probe.check(peer.address, "-rpc-timeout=20s", "-wait=600ms").ends(4).at_once()
        assert 'service unhealthy (responded with "NOT_SERVING")' in result.lines, result


def test_waiting_draws_its_progress_on_a_terminal_and_takes_it_away(probe):
    address = tcp.refused_address()
    terminal, end = os.openpty()
    try:
        command = [probe.path, f"-addr={address}", "-connect-timeout=50ms", "-wait=400ms"]
        code = subprocess.run(command, stderr=end, timeout=30).returncode
        os.close(end)
        text = b""
        with contextlib.suppress(OSError):  # a terminal without its other end reads as an error
            while chunk := os.read(terminal, 65536):
                text += chunk
    finally:
        os.close(terminal)
    assert code == 2
    progress, _, rest = text.decode().rpartition("\r\x1b[K")
    assert progress.startswith("\r\x1b[Kwaiting: connection refused by "), text
    assert rest.startswith("timeout: failed to connect service "), text


def test_waiting_draws_no_progress_where_there_is_no_terminal(probe):
    with health.HealthServer({"": health.NOT_SERVING}) as server:
        changed = after_calls(server, 2, server.set, "", health.SERVING)
        result = probe.check(server.address, "-wait=30s").ends(0)
        changed.join()
        assert "\r" not in result.stderr and "\x1b" not in result.stderr, result
        assert result.lines[-1] == "status: SERVING", result


# -watch


def test_watching_prints_a_line_for_each_change_until_a_signal(probe):
    with health.HealthServer() as server:
        running = probe.start(f"-addr={server.address}", "-watch")
        stdout = running.process.stdout
        seen = [stdout.readline().decode()]
        for value in (health.NOT_SERVING, health.SERVING):
            server.set("", value)
            seen.append(stdout.readline().decode())
        running.send(signal.SIGTERM)
        result = running.result()
        assert result.seconds < 20, result
    assert ["NOT_SERVING" in line for line in seen] == [False, True, False], seen
    assert all(line.endswith("\n") and "SERVING" in line for line in seen), seen
    assert server.recorder.methods == ["Watch"]


def test_watching_with_metadata_that_cannot_be_sent_fails(probe):
    with health.HealthServer({"": health.SERVING}) as server:
        result = probe.check(server.address, "-watch", "-rpc-header=foo bar: x").ends(3)
        assert any("illegal characters" in line for line in result.lines), result
        assert server.recorder.methods == []


def test_watching_an_unknown_service_waits_for_it(probe):
    with health.HealthServer() as server:
        running = probe.start(f"-addr={server.address}", "-watch", "-service=late")
        stdout = running.process.stdout
        first = stdout.readline().decode()
        server.set("late", health.SERVING)
        second = stdout.readline().decode()
        running.send(signal.SIGTERM)
        running.result()
    assert "SERVICE_UNKNOWN" in first and "SERVING" in second, (first, second)


def test_watching_survives_a_server_that_starts_again(probe):
    """The stream breaks; the probe watches anew, and says what it found."""
    port = tcp.free_port()
    with health.HealthServer(address=f"127.0.0.1:{port}") as server:
        running = probe.start(f"-addr={server.address}", "-watch")
        running.process.stdout.readline()
    with health.HealthServer({"": health.NOT_SERVING}, address=f"127.0.0.1:{port}"):
        lines = []
        while not any("NOT_SERVING" in line for line in lines):
            line = running.process.stdout.readline().decode()
            assert line, f"the watch ended: {running.result()}"
            lines.append(line)
        running.send(signal.SIGTERM)
        running.result()


# -services and -all


def test_several_services_have_a_line_each(probe, healthy):
    result = probe.check(healthy.address, "-services=up,,").ends(0)
    assert service_line("up", "SERVING") in result.lines, result
    assert result.lines[-1] == "status: SERVING" and result.stdout == "", result


def test_one_service_that_is_down_makes_the_whole_unhealthy(probe, healthy):
    result = probe.check(healthy.address, "-services=up,down").ends(4)
    for line in (service_line("up", "SERVING"), service_line("down", "NOT_SERVING")):
        assert line in result.lines, result
    assert 'service unhealthy (responded with "NOT_SERVING")' in result.lines, result


@pytest.mark.parametrize("order", ["down,missing", "missing,down", "up,missing,down"])
def test_a_call_that_failed_outweighs_an_unhealthy_service(probe, healthy, order):
    result = probe.check(healthy.address, f"-services={order}").ends(3)
    assert service_line("down", "NOT_SERVING") in result.lines, result
    assert any("NotFound" in line for line in result.lines), result


def test_several_services_share_one_connection(probe):
    script = [*answering(), *answering()[2:], *answering()[2:]]
    with ScriptedPeer(script) as peer:
        probe.check(peer.address, "-services=a,b,c").ends(0)
        assert [request.payload for request in peer.requests] == [b"\x0a\x01a", b"\x0a\x01b", b"\x0a\x01c"]
        assert len(peer.conversations) == 1


def test_all_asks_the_server_for_its_list(probe):
    with health.HealthServer({"": health.SERVING, "a": health.SERVING, "b": health.SERVING}) as server:
        result = probe.check(server.address, "-all").ends(0)
        assert [line for line in result.lines if line.startswith('service "')] == [
            service_line("", "SERVING"),
            service_line("a", "SERVING"),
            service_line("b", "SERVING"),
        ], result
        assert "List" in server.recorder.methods


def test_all_is_unhealthy_when_one_is(probe):
    with health.HealthServer({"": health.SERVING, "a": health.NOT_SERVING}) as server:
        result = probe.check(server.address, "-all").ends(4)
        assert service_line("a", "NOT_SERVING") in result.lines, result


def test_all_falls_back_to_the_whole_server_where_there_is_no_list(probe):
    with health.HealthServer({"": health.SERVING, "a": health.NOT_SERVING}, lists=False) as server:
        probe.check(server.address, "-all").ends(0)
        assert server.recorder.methods == ["List", "Check"]


def test_all_fails_where_the_list_fails(probe):
    with ScriptedPeer(ending_with(8, "too many services")) as peer:
        result = probe.check(peer.address, "-all").ends(3)
        assert any("ResourceExhausted" in line and "too many services" in line for line in result.lines), result


# -connect-only


def test_connecting_alone_is_enough(probe):
    with ScriptedPeer([expect_preface(), http2.settings(), until_closed()]) as peer:
        result = probe.check(peer.address, "-connect-only").ends(0)
        assert result.lines == [CONNECTED] and result.stdout == "", result
        conversation = peer.conversation
    assert conversation.requests == []
    assert conversation.frames[-1].type == http2.GOAWAY and conversation.ending == "FIN"


def test_connecting_alone_does_not_ask_for_health(probe):
    with health.HealthServer({"": health.NOT_SERVING}) as server:
        probe.check(server.address, "-connect-only").says(0, CONNECTED)
        assert server.recorder.calls == []


def test_connecting_alone_still_fails(probe):
    address = tcp.refused_address()
    probe.check(address, "-connect-only", "-fail-fast").connect_failed(address).because("refused")


def test_connecting_alone_over_tls_verifies(probe, certificates):
    context = tls.server_context(certificates("expired.pem"), certificates("expired.key"))
    with ScriptedPeer(answering(), tls=context) as peer:
        flags = ["-connect-only", "-tls", f"-tls-ca-cert={certificates('ca.pem')}"]
        probe.check(peer.address, *flags).connect_failed(peer.address).because("expired")


# -output=json


def check_shape(value):
    """What holds for every object."""
    assert set(value) <= KEYS, set(value) - KEYS
    assert value["ok"] is (value["exitCode"] == 0) or "-exit-codes" in str(value)
    assert ("error" in value) == ("reason" in value) == ("fault" in value) == (not value["ok"])
    if not value["ok"]:
        assert set(value["fault"]) == {"code", "step", "permanent"}
        assert isinstance(value["fault"]["code"], str) and isinstance(value["fault"]["step"], str)
        assert isinstance(value["fault"]["permanent"], bool)
        assert not value["error"].endswith("\n") and value["reason"]
    timings = value["timings"]
    assert set(timings) <= STEPS and "total" in timings
    assert all(isinstance(number, (int, float)) and 0 <= number < 60_000 for number in timings.values())
    assert timings["total"] + 1 >= max(timings.values())
    return value


def test_json_of_a_good_check(probe, healthy):
    result = probe.check(healthy.address, "-output=json").ends(0)
    value = check_shape(result.json)
    assert value["status"] == "SERVING" and value["exitCode"] == 0
    assert value["address"] == healthy.address and value["service"] == ""
    assert "truncated" not in value and "services" not in value
    assert {"connect", "settings", "rpc", "total"} <= set(value["timings"]) and "tls" not in value["timings"]
    assert result.stderr == "status: SERVING\n", result


def test_json_of_an_unhealthy_service(probe, healthy):
    result = probe.check(healthy.address, "-output=json", "-service=down").ends(4)
    value = check_shape(result.json)
    assert value["status"] == "NOT_SERVING" and value["service"] == "down" and value["exitCode"] == 4
    assert value["error"] == 'service unhealthy (responded with "NOT_SERVING")' == result.line


def test_json_of_a_failed_call(probe, healthy):
    result = probe.check(healthy.address, "-output=json", "-service=never-heard-of").ends(3)
    value = check_shape(result.json)
    assert value["status"] is None and value["exitCode"] == 3
    assert value["error"] == "error: health rpc failed: rpc error: code = NotFound desc = " == result.line


def test_json_of_a_refusal(probe):
    address = tcp.refused_address()
    result = probe(f"-addr={address}", "-output=json", "-connect-timeout=300ms").ends(2)
    value = check_shape(result.json)
    assert value["status"] is None and value["fault"]["permanent"] is False
    assert value["error"] == result.line and value["reason"].lower() in result.reason
    assert "rpc" not in value["timings"] and value["timings"]["total"] >= 250


def test_json_of_a_permanent_fault(probe, certificates):
    context = tls.server_context(certificates("expired.pem"), certificates("expired.key"))
    with ScriptedPeer(answering(), tls=context) as peer:
        flags = ["-output=json", "-tls", f"-tls-ca-cert={certificates('ca.pem')}"]
        value = check_shape(probe.check(peer.address, *flags).ends(2).at_once().json)
        assert value["fault"]["permanent"] is True and value["fault"]["step"] == "tls"
        assert "expired" in value["reason"]


def test_json_over_tls_times_the_handshake(probe, certificates):
    context = tls.server_context(certificates("server.pem"), certificates("server.key"))
    with ScriptedPeer(answering(), tls=context) as peer:
        value = check_shape(probe.check(peer.address, "-output=json", "-tls", "-tls-no-verify").ends(0).json)
        assert value["timings"]["tls"] > 0


def test_json_of_several_services(probe, healthy):
    result = probe.check(healthy.address, "-output=json", "-services=up,down").ends(4)
    value = check_shape(result.json)
    assert value["services"] == [
        {"service": "up", "status": "SERVING"},
        {"service": "down", "status": "NOT_SERVING"},
    ]
    assert value["exitCode"] == 4 and value["ok"] is False


def test_json_of_all_services(probe):
    with health.HealthServer({"": health.SERVING, "b": health.SERVING, "a": health.SERVING}) as server:
        value = check_shape(probe.check(server.address, "-output=json", "-all").ends(0).json)
        assert sorted(one["service"] for one in value["services"]) == ["", "a", "b"]


def test_json_of_connecting_alone(probe, healthy):
    value = probe.check(healthy.address, "-output=json", "-connect-only").ends(0).json
    assert value["ok"] is True and value["exitCode"] == 0


def test_json_escapes_what_the_server_said(probe):
    with ScriptedPeer(ending_with(5, "quote%22 back%5C%5C slash%0Anewline%1Bescape %E2%80%AE %C3%A9")) as peer:
        result = probe.check(peer.address, "-output=json").ends(3)
        assert 'quote"' in result.json["error"] and "é" in result.json["error"]
        assert "\x1b" not in result.stdout and "\u202e" not in result.stdout, result


def test_json_and_verbose_keep_to_their_streams(probe, healthy):
    result = probe.check(healthy.address, "-output=json", "-v").ends(0)
    check_shape(result.json)
    assert result.line == "parsed options:", result


def test_the_default_output_leaves_stdout_empty(probe, healthy):
    probe.check(healthy.address, "-output=text").serving()


# -exit-codes=docker


def test_docker_knows_healthy_and_unhealthy_only(probe, healthy):
    docker = "-exit-codes=docker"
    probe.check(healthy.address, docker).ends(0)
    for result in (
        probe.check(healthy.address, docker, "-service=down"),
        probe.check(healthy.address, docker, "-service=never-heard-of"),
        probe.check(tcp.refused_address(), docker, "-fail-fast"),
        probe(docker),
        probe.check("127.0.0.1:1", docker, "-spiffe", "-rpc-timeout=200ms"),
    ):
        assert result.code == 1, result


def test_the_lines_stay_the_same_for_docker(probe, healthy):
    result = probe.check(healthy.address, "-exit-codes=docker", "-service=down").ends(1)
    assert result.line == 'service unhealthy (responded with "NOT_SERVING")' and result.reason, result


# -authority


def test_the_authority_may_be_given(probe):
    with ScriptedPeer(answering()) as peer:
        probe.check(peer.address, "-authority=api.example.org").serving()
        assert peer.request.values(":authority") == ["api.example.org"]


def test_the_authority_is_not_what_is_verified(probe, certificates):
    context = tls.server_context(certificates("server.pem"), certificates("server.key"))
    flags = ["-tls", f"-tls-ca-cert={certificates('ca.pem')}", "-authority=api.example.org"]
    with ScriptedPeer(answering(), tls=context) as peer:
        probe.check(f"localhost:{peer.port}", *flags).serving()
        assert peer.request.value(":authority") == "api.example.org"
        assert peer.server_names == ["localhost"]


def test_the_authority_wins_over_the_server_name(probe, certificates):
    context = tls.server_context(certificates("wrong-host.pem"), certificates("wrong-host.key"))
    flags = ["-tls", f"-tls-ca-cert={certificates('ca.pem')}", "-tls-server-name=other.example.org"]
    with ScriptedPeer(answering(), tls=context) as peer:
        probe.check(peer.address, *flags, "-authority=api.example.org").serving()
        assert peer.request.value(":authority") == "api.example.org"
        assert peer.server_names == ["other.example.org"]


# -rpc-header-file


def test_headers_may_come_from_a_file(probe, folder):
    path = folder / "headers"
    path.write_text("authorization: Bearer s3cret\nfoo: bar\nfoo: baz\n")
    with ScriptedPeer(answering()) as peer:
        result = probe.check(peer.address, f"-rpc-header-file={path}", "-v").ends(0)
        assert peer.request.values("authorization") == ["Bearer s3cret"]
        assert peer.request.values("foo") == ["bar", "baz"]
        assert "s3cret" not in result.stderr, result


def test_headers_of_the_file_and_of_the_flags_are_both_sent(probe, folder):
    (folder / "headers").write_text("a: file")
    with ScriptedPeer(answering()) as peer:
        probe.check(peer.address, f"-rpc-header-file={folder}/headers", "-rpc-header=b: flag").serving()
        assert peer.request.values("a") == ["file"] and peer.request.values("b") == ["flag"]


def test_empty_lines_and_carriage_returns_of_the_file_do_not_matter(probe, folder):
    (folder / "headers").write_bytes(b"\na: 1\r\n\r\nb: 2\r\n")
    with ScriptedPeer(answering()) as peer:
        probe.check(peer.address, f"-rpc-header-file={folder}/headers").serving()
        assert peer.request.values("a") == ["1"] and peer.request.values("b") == ["2"]


def test_a_header_file_that_cannot_be_read_is_an_argument_error(probe):
    result = probe.check("127.0.0.1:1", "-rpc-header-file=/nope").ends(1)
    assert "/nope" in result.line and "no such file" in result.line.lower(), result


def test_a_bad_line_of_the_header_file_is_an_argument_error_without_its_secret(probe, folder):
    (folder / "headers").write_text("a: 1\ns3cret without a colon\n")
    result = probe.check("127.0.0.1:1", f"-rpc-header-file={folder}/headers").ends(1)
    assert f"{folder}/headers" in result.line and "s3cret" not in result.stderr, result


# Output below Docker's limit.

LONG_TEXTS = {
    "a status message": ending_with(13, "m" * 10_000),
    "a page": [*START, http2.headers([(":status", "503"), ("content-type", "text/html")]),
               http2.data(b"p" * 10_000, end_stream=True)],
    "a content type": [*START, http2.headers([(":status", "200"), ("content-type", "t" * 10_000)], end_stream=True)],
    "a malformed status": [*START, http2.headers([*http2.GRPC, ("grpc-status", "s" * 10_000)], end_stream=True)],
    "debug data of GOAWAY": [*START, http2.goaway(http2.ENHANCE_YOUR_CALM, 1, b"d" * 10_000), until_closed()],
    "characters of three bytes": ending_with(13, "%E2%82%AC" * 3000),
    "characters that must be escaped": ending_with(13, "%1B%22" * 3000),
}


@pytest.mark.parametrize("script", LONG_TEXTS.values(), ids=LONG_TEXTS)
@pytest.mark.parametrize("output", ["text", "json"])
def test_the_output_stays_below_dockers_limit(probe, script, output):
    with ScriptedPeer(script) as peer:
        result = probe.check(peer.address, f"-output={output}", "-rpc-timeout=500ms", "-service=" + "s" * 3000).ends(3)
        size = len((result.stdout + result.stderr).encode("utf-8", "surrogateescape"))
        assert size < OUTPUT_LIMIT, f"{size} bytes:{result}"
        assert result.line.startswith(("error: health rpc failed: ", "timeout: health rpc did not complete")), result
        assert result.reason, result
        if output == "json":
            assert result.json["truncated"] is True


def test_many_services_stay_below_dockers_limit(probe):
    statuses = {f"package.of.services.Number{number:04}": health.SERVING for number in range(300)}
    with health.HealthServer({"": health.SERVING, **statuses}) as server:
        for output in ("text", "json"):
            result = probe.check(server.address, "-all", f"-output={output}").ends(0)
            assert len(result.stdout) + len(result.stderr) < OUTPUT_LIMIT, result
            assert result.lines[-1] == "status: SERVING", result
            if output == "json":
                assert result.json["truncated"] is True


def test_what_is_known_is_written_before_a_hang(probe):
    """Docker kills without a warning, and keeps what was written until then."""
    with ScriptedPeer([*START, until_closed()]) as peer:
        running = probe.start(f"-addr={peer.address}", "-v", "-rpc-timeout=40s")
        peer.wait_for_request()
        time.sleep(0.05)
        running.send(signal.SIGKILL)
        result = running.result()
        assert re.search(r"^connection established ", result.stderr, re.M), result


def test_flags_given_together(probe, healthy):
    """A HEALTHCHECK as it may stand in a Dockerfile."""
    result = probe(
        f"-addr={healthy.address}", "-exit-codes=docker", "-output=json", "-timeout=20s",
        "-services=up,down", "-no-proxy", f"-connect-timeout={LONG_WINDOW}",
    ).ends(1)
    assert result.json["services"][1] == {"service": "down", "status": "NOT_SERVING"}
