# SPDX-License-Identifier: Apache-2.0
"""Bytes that the probe sends, and what it makes of each answer."""

import base64
import gzip
import re
import struct
import threading

import pytest

from peers import http2
from peers.http2 import (
    GRPC, SERVING, START, ScriptedPeer, answer, answering, close, cut, data, ending_with, expect,
    expect_headers, expect_preface, expect_request, goaway, headers, message, ping, quiet, raw, rst, settings, sleep,
    status, trailers, until_closed,
)

VERSION = r"\d+\.\d+\.\d+\S*"


def request_of(probe, *arguments):
    """The request that the probe makes with these flags."""
    with ScriptedPeer(answering()) as peer:
        probe.check(peer.address, *arguments).serving()
        return peer.request, peer.address


# What the probe sends.


def test_the_connection_starts_with_the_preface_and_empty_settings(probe):
    with ScriptedPeer(answering()) as peer:
        probe.check(peer.address).serving()
        start = http2.PREFACE + http2.frame(http2.SETTINGS, 0, 0)
        assert bytes(peer.conversation.received[: len(start)]) == start


def test_nothing_more_is_sent_before_the_servers_settings(probe):
    script = [expect_preface(), quiet(0.15), settings(), expect_request(), headers(GRPC)]
    with ScriptedPeer([*script, data(answer(SERVING)), trailers(status(0))]) as peer:
        probe.check(peer.address).serving()


def test_settings_are_acknowledged_and_the_request_is_headers_and_data(probe):
    with ScriptedPeer(answering()) as peer:
        probe.check(peer.address).serving()
        conversation = peer.conversation
    requests = [f for f in conversation.frames if f.type in (http2.HEADERS, http2.DATA, http2.CONTINUATION)]
    assert [f.type for f in requests] == [http2.HEADERS, http2.DATA]
    assert requests[0].flags & http2.END_HEADERS and not requests[0].flags & http2.END_STREAM
    assert requests[1].flags & http2.END_STREAM
    assert [f.stream for f in requests] == [1, 1]
    acknowledgements = [f for f in conversation.frames_of(http2.SETTINGS) if f.flags & http2.ACK]
    assert len(acknowledgements) == 1 and acknowledgements[0].payload == b""


def test_an_empty_service_is_an_empty_message(probe):
    request, _ = request_of(probe)
    assert bytes(request.message) == bytes(5)


def test_a_service_is_field_one(probe):
    request, _ = request_of(probe, "-service=abc")
    assert bytes(request.message) == b"\x00\x00\x00\x00\x05\x0a\x03abc"


def test_a_long_service_has_a_length_of_two_bytes(probe):
    name = "a.b/" * 75
    request, _ = request_of(probe, f"-service={name}")
    assert request.payload == b"\x0a\xac\x02" + name.encode()


def test_the_header_list_and_its_order(probe):
    request, address = request_of(probe)
    assert [(name.decode(), value.decode()) for name, value in request.headers[:5]] == [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/grpc.health.v1.Health/Check"),
        (":authority", address),
        ("content-type", "application/grpc"),
    ]
    assert request.names[5:] == ["user-agent", "te", "grpc-timeout"]
    assert request.value("te") == "trailers"


def test_the_timeout_is_the_remaining_time_in_microseconds(probe):
    request, _ = request_of(probe, "-rpc-timeout=5s")
    microseconds = re.fullmatch(r"(\d{1,8})u", request.value("grpc-timeout"))
    assert microseconds and 1_000_000 < int(microseconds[1]) <= 5_000_000, request.value("grpc-timeout")


@pytest.mark.parametrize("text, seconds", [("20m", 1200), ("10h", 36_000), ("999999999s", 999_999_999)])
def test_a_long_timeout_takes_a_coarser_unit_and_at_most_eight_digits(probe, text, seconds):
    request, _ = request_of(probe, f"-rpc-timeout={text}")
    digits, unit = re.fullmatch(r"(\d{1,8})([numSMH])", request.value("grpc-timeout")).groups()
    sent = int(digits) * {"n": 1e-9, "u": 1e-6, "m": 1e-3, "S": 1, "M": 60, "H": 3600}[unit]
    assert seconds - 60 <= sent <= seconds + 3600


def test_the_user_agent_names_us_after_the_default(probe):
    request, _ = request_of(probe)
    assert re.fullmatch(rf"grpc_health_probe sonde/{VERSION}", request.value("user-agent"))


def test_the_user_agent_starts_with_what_the_flag_says(probe):
    request, _ = request_of(probe, "-user-agent=my probe/1")
    assert re.fullmatch(rf"my probe/1 sonde/{VERSION}", request.value("user-agent"))


def test_an_empty_user_agent_leaves_no_space(probe):
    request, _ = request_of(probe, "-user-agent=")
    assert re.fullmatch(rf"sonde/{VERSION}", request.value("user-agent"))


def test_gzip_adds_two_headers_and_compresses_the_message(probe):
    request, _ = request_of(probe, "-gzip", "-service=abc")
    assert request.names[4:] == [
        "content-type", "user-agent", "te", "grpc-encoding", "grpc-accept-encoding", "grpc-timeout",
    ]
    assert request.value("grpc-encoding") == request.value("grpc-accept-encoding") == "gzip"
    assert request.message[0] == 1
    assert request.payload == b"\x0a\x03abc"


def test_a_real_server_understands_the_compressed_request(probe, healthy):
    probe.check(healthy.address, "-gzip", "-service=down").unhealthy("NOT_SERVING")


def test_a_ping_is_answered_with_its_own_bytes(probe):
    script = [*START, ping(b"\x00\xff sonde"), expect(http2.PING, http2.ACK), headers(GRPC), data(answer(SERVING))]
    with ScriptedPeer([*script, trailers(status(0))]) as peer:
        probe.check(peer.address).serving()
        answers = [f.payload for f in peer.conversation.frames_of(http2.PING) if f.flags & http2.ACK]
        assert answers == [b"\x00\xff sonde"]


# Headers of the user's.


def test_user_headers_come_last_and_values_of_one_name_keep_their_order(probe):
    request, _ = request_of(
        probe, "-rpc-header=foo: bar", "-rpc-header=a: b", "-rpc-header=foo: baz", "-rpc-header=foo:second"
    )
    assert request.names[:8] == [
        ":method", ":scheme", ":path", ":authority", "content-type", "user-agent", "te", "grpc-timeout",
    ]
    assert sorted(request.names[8:]) == ["a", "foo", "foo", "foo"]
    assert request.values("foo") == ["bar", "baz", "second"]
    assert request.values("a") == ["b"]


HEADERS = {
    "a name in capitals is sent in small letters": ("X-Trace: 1", "x-trace", "1"),
    "the value is trimmed on the left": ("foo:  \t bar", "foo", "bar"),
    "the value is not trimmed on the right": ("foo: bar  ", "foo", "bar  "),
    "the first colon divides": ("foo: a: b", "foo", "a: b"),
    "a value may be empty": ("foo:", "foo", ""),
    "a name may have digits, dots, dashes and underscores": ("a-b.c_9: x", "a-b.c_9", "x"),
    "host is an ordinary name": ("host: zzz", "host", "zzz"),
    "authority without a colon is an ordinary name": ("authority: a", "authority", "a"),
    "a grpc- name that is not reserved is sent": ("grpc-foo: x", "grpc-foo", "x"),
    "connection is sent, whatever the server makes of it": ("connection: close", "connection", "close"),
}


@pytest.mark.parametrize("header, name, value", HEADERS.values(), ids=HEADERS)
def test_a_user_header_on_the_wire(probe, header, name, value):
    request, _ = request_of(probe, f"-rpc-header={header}")
    assert request.values(name) == [value]


def test_a_binary_header_is_base64_without_padding(probe):
    request, _ = request_of(probe, b"-rpc-header=trace-bin: \x01\xff\xfe z")
    assert request.values("trace-bin") == [base64.b64encode(b"\x01\xff\xfe z").decode().rstrip("=")]


@pytest.mark.parametrize("name", ["user-agent", "content-type", "te", "grpc-timeout"])
def test_a_reserved_name_is_dropped_silently(probe, name):
    request, _ = request_of(probe, f"-rpc-header={name}: mine", "-rpc-header=other: sent")
    assert len(request.values(name)) == 1 and request.values(name) != ["mine"]
    assert request.values("other") == ["sent"]


BAD_HEADERS = {
    "a space in the name": (
        "foo bar: x",
        'header key "foo bar" contains illegal characters not in [0-9a-z-_.]',
    ),
    "a space after the name": ("foo : x", 'header key "foo " contains illegal characters not in [0-9a-z-_.]'),
    "a slash in the name": ("a/b: x", 'header key "a/b" contains illegal characters not in [0-9a-z-_.]'),
    "no name": (": x", "there is an empty key in the header"),
    "a pseudo-header": (":authority: x", "there is an empty key in the header"),
    "a value that is not ASCII": ("foo: é", 'header key "foo" contains value with non-printable ASCII characters'),
    "a control character": ("foo: a\x07", 'header key "foo" contains value with non-printable ASCII characters'),
    "a line end": ("foo: a\r\nb: c", 'header key "foo" contains value with non-printable ASCII characters'),
}


@pytest.mark.parametrize("header, message", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_bad_user_header_fails_the_rpc_and_sends_none(probe, header, message):
    with ScriptedPeer(answering()) as peer:
        probe.check(peer.address, f"-rpc-header={header}").rpc_failed("Internal", message)
        assert peer.requests == []


# What the probe makes of an answer: a good one in every shape.

SERVING_SHAPES = {
    "content type with a suffix": [headers([(":status", "200"), ("content-type", "application/grpc+proto")]),
                                   data(answer(SERVING)), trailers(status(0))],
    "content type with a parameter": [headers([(":status", "200"), ("content-type", "application/grpc;charset=utf-8")]),
                                      data(answer(SERVING)), trailers(status(0))],
    "unknown fields around the status": [headers(GRPC), data(message(
        b"\x12\x03abc" + b"\x08\x01" + b"\x1d\x01\x02\x03\x04" + b"\x21" + bytes(8) + b"\x50\x07")),
        trailers(status(0))],
    "the last of several statuses": [headers(GRPC), data(message(b"\x08\x02\x08\x00\x08\x01")), trailers(status(0))],
    "one byte in each DATA frame": [headers(GRPC), [data(bytes([b])) for b in answer(SERVING)], trailers(status(0))],
    "empty DATA frames in between": [headers(GRPC), data(), data(answer(SERVING)), data(), data(), trailers(status(0))],
    "padded DATA": [headers(GRPC), raw(http2.frame(http2.DATA, http2.PADDED, 1, b"\x09" + answer(SERVING) + bytes(9))),
                    trailers(status(0))],
    "interim answers first": [headers([(":status", "103"), ("link", "x")]), headers([(":status", "100")]),
                              headers(GRPC), data(answer(SERVING)), trailers(status(0))],
    "header block in CONTINUATION frames": [
        raw(http2.frame(http2.HEADERS, 0, 1, http2.header_block(GRPC)[:7])
            + http2.frame(http2.CONTINUATION, 0, 1, http2.header_block(GRPC)[7:8])
            + http2.frame(http2.CONTINUATION, http2.END_HEADERS, 1, http2.header_block(GRPC)[8:])),
        data(answer(SERVING)), trailers(status(0))],
    "metadata beside the status": [headers([*GRPC, ("server", "x"), ("trace-bin", "AAE")]), data(answer(SERVING)),
                                   trailers([*status(0), ("more", "1"), ("more", "2")])],
    "a message in the good status": [headers(GRPC), data(answer(SERVING)), trailers(status(0, "fine"))],
    "frames of unknown types": [raw(http2.frame(0xFA, 0xFF, 0, b"x") + http2.frame(0xFB, 0, 1, b"y")), headers(GRPC),
                                data(answer(SERVING)), trailers(status(0))],
    "GOAWAY that covers the call": [goaway(http2.NO_ERROR, 1), headers(GRPC), data(answer(SERVING)),
                                    trailers(status(0))],
    "gzip without being asked for": [headers([*GRPC, ("grpc-encoding", "gzip")]),
                                     data(message(gzip.compress(b"\x08\x01"), 1)), trailers(status(0))],
    "gzip announced and not used": [headers([*GRPC, ("grpc-encoding", "gzip")]), data(answer(SERVING)),
                                    trailers(status(0))],
    "identity announced": [headers([*GRPC, ("grpc-encoding", "identity")]), data(answer(SERVING)), trailers(status(0))],
    "RST_STREAM(NO_ERROR) after the end": [headers(GRPC), data(answer(SERVING)), trailers(status(0)), rst(0)],
}


@pytest.mark.parametrize("script", SERVING_SHAPES.values(), ids=SERVING_SHAPES)
def test_a_good_answer_in_an_uncommon_shape(probe, script):
    with ScriptedPeer([*START, *script]) as peer:
        probe.check(peer.address).serving()


def test_a_gzip_answer_to_gzip(probe):
    payload = message(gzip.compress(b"\x08\x02"), 1)
    compressed = headers([*GRPC, ("grpc-encoding", "gzip")])
    with ScriptedPeer([*START, compressed, data(payload), trailers(status(0))]) as peer:
        probe.check(peer.address, "-gzip").unhealthy("NOT_SERVING")


def test_an_answer_may_come_before_the_request_has_ended(probe):
    """A window of zero holds the request's DATA back; the answer does not wait for it."""
    script = [expect_preface(), settings(initial_window_size=0), expect_headers(), headers(GRPC)]
    with ScriptedPeer([*script, data(answer(SERVING)), trailers(status(0))]) as peer:
        probe.check(peer.address).serving()


def test_a_window_that_opens_late_lets_the_request_through(probe):
    open_window = raw(http2.frame(http2.WINDOW_UPDATE, 0, 1, struct.pack(">I", 100)))
    script = [expect_preface(), settings(initial_window_size=3), expect_headers(), sleep(0.05), open_window]
    until_ended = expect(http2.DATA, http2.END_STREAM)
    with ScriptedPeer([*script, until_ended, headers(GRPC), data(answer(SERVING)), trailers(status(0))]) as peer:
        probe.check(peer.address, "-service=abc").serving()
        assert peer.request.payload == b"\x0a\x03abc"


def test_settings_that_come_late_but_within_the_window_are_waited_for(probe):
    with ScriptedPeer([expect_preface(), sleep(0.3), settings(), *answering()[2:]]) as peer:
        probe.check(peer.address).serving()


# What the probe makes of an answer: failures, word by word.

HTTP = "unexpected HTTP status code received from server: "
LINE_END = r"(?:\n|\\n)"


def html(code, body=b"<html>busy</html>", kind="text/html"):
    return [headers([(":status", str(code)), ("content-type", kind)]), data(body, end_stream=True)]


# name: (script after the request, CODE, MESSAGE)
FAILURES = {
    "302 without a content type": (
        [headers([(":status", "302"), ("location", "/x")], end_stream=True)],
        "Unknown", HTTP + "302 (Found); malformed header: missing HTTP content-type"),
    "200 without a content type": (
        [headers([(":status", "200")], end_stream=True)],
        "Unknown", HTTP + "200 (OK); malformed header: missing HTTP content-type"),
    "401 of gRPC without a status": (
        [headers([(":status", "401"), ("content-type", "application/grpc")], end_stream=True)], "Unknown", ""),
    "503 of gRPC with a status": (
        [headers([(":status", "503"), ("content-type", "application/grpc"), *status(8, "too many")], end_stream=True)],
        "ResourceExhausted", "too many"),
    "DATA ends the stream": (
        [headers(GRPC), data(answer(SERVING), end_stream=True)],
        "Internal", "server closed the stream without sending trailers"),
    "trailers without a status": (
        [headers(GRPC), data(answer(SERVING)), trailers([("foo", "bar")])], "Unknown", ""),
    "a status that is no number": (
        [headers(GRPC), data(answer(SERVING)), trailers(status("abc"))],
        "Unknown", 'transport: malformed grpc-status: strconv.ParseInt: parsing "abc": invalid syntax'),
    "good trailers alone": (
        [headers(GRPC + status(0), end_stream=True)],
        "Internal", "cardinality violation: received no response message from non-server-streaming RPC"),
    "good trailers after headers without a message": (
        [headers(GRPC), trailers(status(0))],
        "Internal", "cardinality violation: received no response message from non-server-streaming RPC"),
    "two messages": (
        [headers(GRPC), data(answer(SERVING) + answer(SERVING)), trailers(status(0))],
        "Internal",
        "cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message"),
    "a message that ends too early": (
        [headers(GRPC), data(message(b"\x08\x01", length=10)), trailers(status(0))], "Internal", "unexpected EOF"),
    "5 MiB announced": (
        [headers(GRPC), data(message(b"\x08\x01", length=5 << 20)), until_closed()],
        "ResourceExhausted", "grpc: received message larger than max (5242880 vs. 4194304)"),
    "4 GiB announced": (
        [headers(GRPC), data(message(b"\x08\x01", length=0xFFFFFFFF)), until_closed()],
        "ResourceExhausted", "grpc: received message larger than max (4294967295 vs. 4194304)"),
    "a compressed flag without an encoding": (
        [headers(GRPC), data(message(b"\x08\x01", 1)), trailers(status(0))],
        "Internal", "grpc: compressed flag set with identity or empty encoding"),
    "a compressed flag with identity": (
        [headers([*GRPC, ("grpc-encoding", "identity")]), data(message(b"\x08\x01", 1)), trailers(status(0))],
        "Internal", "grpc: compressed flag set with identity or empty encoding"),
    "a message and then a bad status": (
        [headers(GRPC), data(answer(SERVING)), trailers(status(14, "going down"))], "Unavailable", "going down"),
    "an unknown service of grpc-go": (
        [headers(GRPC + status(5, "unknown service"), end_stream=True)], "NotFound", "unknown service"),
    "the server's own deadline": (
        [headers(GRPC + status(4, "too slow"), end_stream=True)], "DeadlineExceeded", "too slow"),
    "a message in percent-coding": (
        [headers(GRPC + status(9, "a%20b%zz%C3%A9%FF%"), end_stream=True)],
        "FailedPrecondition", "a b%zzé\ufffd%"),
    "details in binary are ignored": (
        [headers([*GRPC, *status(10, "x"), ("grpc-status-details-bin", "CAoSAXk")], end_stream=True)], "Aborted", "x"),
    "the connection closes during the call": (
        [close()], "Unavailable", "error reading from server: EOF"),
}


@pytest.mark.parametrize("script, code, text", FAILURES.values(), ids=FAILURES)
def test_a_failed_call_word_by_word(probe, script, code, text):
    with ScriptedPeer([*START, *script]) as peer:
        probe.check(peer.address, "-rpc-timeout=20s").rpc_failed(code, text).at_once()


# As above, with a regular expression for the message.
FAILURES_LIKE = {
    "503 with a page": (
        html(503), "Unavailable",
        re.escape(HTTP + '503 (Service Unavailable); transport: received unexpected content-type "text/html"')
        + LINE_END + re.escape('data: "<html>busy</html>"')),
    "200 with a page": (
        html(200), "Unknown",
        re.escape(HTTP + '200 (OK); transport: received unexpected content-type "text/html"')
        + LINE_END + re.escape('data: "<html>busy</html>"')),
    "garbage instead of a message": (
        [headers(GRPC), data(message(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")), trailers(status(0))],
        "Internal",
        "grpc: failed to unmarshal the received message: proto:[\u00a0 ]cannot parse invalid wire-format data"),
    "a message cut inside a field": (
        [headers(GRPC), data(message(b"\x08")), trailers(status(0))],
        "Internal",
        "grpc: failed to unmarshal the received message: (proto:[\u00a0 ]cannot parse .+|.*unexpected EOF)"),
    "an encoding that nobody knows": (
        [headers([*GRPC, ("grpc-encoding", "snappy")]), data(message(b"\x08\x01", 1)), trailers(status(0))],
        "(Internal|Unimplemented)", '.*"?snappy"?.*'),
    "gzip that is none": (
        [headers([*GRPC, ("grpc-encoding", "gzip")]), data(message(b"not gzip", 1)), trailers(status(0))],
        "Internal", ".*decompress.*"),
}


@pytest.mark.parametrize("script, code, pattern", FAILURES_LIKE.values(), ids=FAILURES_LIKE)
def test_a_failed_call_by_its_pattern(probe, script, code, pattern):
    with ScriptedPeer([*START, *script]) as peer:
        result = probe.check(peer.address, "-rpc-timeout=20s").ends(3).at_once()
        # The newline may be printed as one or escaped, so the pattern is held against all lines.
        whole = rf"error: health rpc failed: rpc error: code = {code} desc = {pattern}\n"
        assert re.match(whole, result.stderr), result
        assert result.stdout == "" and result.reason, result


def test_http_404_means_that_the_protocol_is_not_implemented(probe):
    with ScriptedPeer([*START, *html(404, b"no such page", "text/plain")]) as peer:
        result = probe.check(peer.address).ends(3)
        start = (
            "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "
            + HTTP
            + '404 (Not Found); transport: received unexpected content-type "text/plain"'
        )
        assert result.stderr.startswith(start), result
        assert 'data: "no such page"' in result.stderr and result.reason, result


HTTP_CODES = [
    (400, "Bad Request", "Internal"), (401, "Unauthorized", "Unauthenticated"), (403, "Forbidden", "PermissionDenied"),
    (429, "Too Many Requests", "Unavailable"), (502, "Bad Gateway", "Unavailable"),
    (503, "Service Unavailable", "Unavailable"), (504, "Gateway Timeout", "Unavailable"),
    (500, "Internal Server Error", "Unknown"), (418, "I'm a teapot", "Unknown"),
]


@pytest.mark.parametrize("number, phrase, code", HTTP_CODES, ids=lambda value: str(value))
def test_an_http_status_maps_to_a_grpc_code(probe, number, phrase, code):
    with ScriptedPeer([*START, headers([(":status", str(number))], end_stream=True)]) as peer:
        text = f"{HTTP}{number} ({phrase}); malformed header: missing HTTP content-type"
        probe.check(peer.address).rpc_failed(code, text)


CODES = {
    1: "Canceled", 2: "Unknown", 3: "InvalidArgument", 4: "DeadlineExceeded", 5: "NotFound", 6: "AlreadyExists",
    7: "PermissionDenied", 8: "ResourceExhausted", 9: "FailedPrecondition", 10: "Aborted", 11: "OutOfRange",
    13: "Internal", 14: "Unavailable", 15: "DataLoss", 16: "Unauthenticated", 17: "Code(17)",
}


@pytest.mark.parametrize("number, name", CODES.items())
def test_each_status_code_has_its_name(probe, number, name):
    with ScriptedPeer(ending_with(number, "why not")) as peer:
        probe.check(peer.address, "-rpc-timeout=20s").rpc_failed(name, "why not").at_once()


def test_unimplemented_has_a_line_of_its_own(probe):
    with ScriptedPeer(ending_with(12, "unknown method Check")) as peer:
        probe.check(peer.address).not_implemented("unknown method Check")


RESETS = {
    "NO_ERROR": "Internal", "PROTOCOL_ERROR": "Internal", "INTERNAL_ERROR": "Internal",
    "FLOW_CONTROL_ERROR": "ResourceExhausted", "SETTINGS_TIMEOUT": "Internal", "STREAM_CLOSED": "Internal",
    "FRAME_SIZE_ERROR": "Internal", "REFUSED_STREAM": "Unavailable", "CANCEL": "Canceled",
    "COMPRESSION_ERROR": "Internal", "CONNECT_ERROR": "Internal", "ENHANCE_YOUR_CALM": "ResourceExhausted",
    "INADEQUATE_SECURITY": "PermissionDenied", "HTTP_1_1_REQUIRED": "Internal",
}


@pytest.mark.parametrize("name, code", RESETS.items())
def test_a_reset_stream_tells_the_error_and_maps_to_a_code(probe, name, code):
    number = list(RESETS).index(name)
    again = [expect_request(), rst(number)] if name == "REFUSED_STREAM" else []
    with ScriptedPeer([*START, rst(number), *again]) as peer:
        result = probe.check(peer.address, "-rpc-timeout=20s").at_once()
        result.rpc_failed(code, f"stream terminated by RST_STREAM with error code: {name}")


def test_a_refused_stream_is_tried_once_more(probe):
    refuse = rst(http2.REFUSED_STREAM)
    with ScriptedPeer([*START, refuse, expect_request(), refuse]) as peer:
        probe.check(peer.address).ends(3)
        assert len(peer.requests) == 2


def test_a_stream_refused_once_may_still_succeed(probe):
    with ScriptedPeer([*START, rst(http2.REFUSED_STREAM), *answering()[2:]], answering()) as peer:
        probe.check(peer.address).serving()


def test_goaway_that_leaves_the_call_out_is_tried_once_more_on_a_new_connection(probe):
    with ScriptedPeer([*START, goaway(http2.NO_ERROR, 0)]) as peer:
        probe.check(peer.address).rpc_failed("Unavailable", "the connection is draining")
        assert len(peer.requests) == 2
        assert len(peer.conversations) == 2


def test_goaway_once_may_still_succeed(probe):
    with ScriptedPeer([*START, goaway(http2.NO_ERROR, 0)], answering()) as peer:
        probe.check(peer.address).serving()


def test_goaway_with_its_debug_text_is_told_when_the_call_then_times_out(probe):
    with ScriptedPeer([*START, goaway(http2.ENHANCE_YOUR_CALM, 1, b"too_many_pings"), until_closed()]) as peer:
        result = probe.check(peer.address, "-rpc-timeout=300ms").ends(3)
        assert "timeout: health rpc did not complete within 300ms" in result.lines, result
        result.because("ENHANCE_YOUR_CALM", "too_many_pings")
        log = [line for line in result.lines if "ERROR: [transport]" in line]
        assert len(log) == 1 and log[0].endswith(
            "Client received GoAway with error code ENHANCE_YOUR_CALM and debug data equal to ASCII \"too_many_pings\"."
        ), result


def test_a_connection_reset_during_the_call_is_unavailable(probe):
    with ScriptedPeer([*START, cut()]) as peer:
        result = probe.check(peer.address, "-rpc-timeout=20s").ends(3).at_once()
        assert result.line.startswith("error: health rpc failed: rpc error: code = Unavailable desc = "), result
        result.because("reset")


NEVER = {
    "no answer": [expect_preface(), settings(), expect_request(), until_closed()],
    "headers and no more": [*START, headers(GRPC), until_closed()],
    "a message and no trailers": [*START, headers(GRPC), data(answer(SERVING)), until_closed()],
    "no stream allowed": [expect_preface(), settings(max_concurrent_streams=0), until_closed()],
    "no window": [expect_preface(), settings(initial_window_size=0), until_closed()],
    "interim answers only": [*START, headers([(":status", "103")]), until_closed()],
}


@pytest.mark.parametrize("script", NEVER.values(), ids=NEVER)
def test_an_answer_that_never_comes_times_out(probe, script):
    with ScriptedPeer(script) as peer:
        probe.check(peer.address, "-rpc-timeout=300ms").rpc_timed_out("300ms").at_once()


def test_settings_that_never_come_are_a_connect_timeout(probe):
    with ScriptedPeer([expect_preface(), until_closed()]) as peer:
        result = probe(f"-addr={peer.address}", "-connect-timeout=300ms", "-rpc-timeout=20s")
        result.connect_timed_out(peer.address, "300ms").at_once().because("settings|preface|http/2")


def test_the_rpc_window_starts_when_the_connection_stands(probe):
    """A slow connection leaves the whole window to the call."""
    slow = [expect_preface(), sleep(0.8), settings(), expect_request(), sleep(0.3)]
    with ScriptedPeer([*slow, *answering()[3:]]) as peer:
        probe.check(peer.address, "-rpc-timeout=1s").serving()


def test_an_answer_on_a_stream_that_was_never_opened_fails_the_connection(probe):
    with ScriptedPeer([*START, headers(GRPC, stream=7), until_closed()]) as peer:
        probe.check(peer.address, "-rpc-timeout=20s").ends(3).at_once()


def test_two_probes_at_once_do_not_disturb_each_other(probe, healthy):
    results = []
    threads = [
        threading.Thread(target=lambda name=name: results.append(probe.check(healthy.address, f"-service={name}")))
        for name in ("up", "down", "up", "down")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.code for result in results) == [0, 0, 4, 4]
