# SPDX-License-Identifier: Apache-2.0
"""Plays the runner of Protobuf's conformance tests with `protobuf-conformance`, on a schema and cases of its own."""

import os
import random
import struct
import subprocess
from pathlib import Path

import pytest
from google.protobuf import message_factory

from schemas import Writer, compiled
from test_json import as_json, everything, printed, roughly
from test_oracle import canonical, parsed

PROTOBUF, JSON, JSPB, TEXT = 1, 2, 3, 4
JSON_TEST, JSON_IGNORE_UNKNOWN_PARSING_TEST = 2, 3

# The runner's own messages: numbers and names of its public protocol.
PROTOCOL = """
syntax = "proto3";
package conformance;
enum WireFormat { UNSPECIFIED = 0; PROTOBUF = 1; JSON = 2; JSPB = 3; TEXT_FORMAT = 4; }
enum TestCategory {
  UNSPECIFIED_TEST = 0; BINARY_TEST = 1; JSON_TEST = 2; JSON_IGNORE_UNKNOWN_PARSING_TEST = 3; JSPB_TEST = 4;
  TEXT_FORMAT_TEST = 5;
}
message ConformanceRequest {
  oneof payload {
    bytes protobuf_payload = 1; string json_payload = 2; string jspb_payload = 7; string text_payload = 8;
  }
  WireFormat requested_output_format = 3;
  string message_type = 4;
  TestCategory test_category = 5;
  bool print_unknown_fields = 9;
}
message ConformanceResponse {
  oneof result {
    string parse_error = 1; string serialize_error = 6; string timeout_error = 9; string runtime_error = 2;
    bytes protobuf_payload = 3; string json_payload = 4; string skipped = 5; string jspb_payload = 7;
    string text_payload = 8;
  }
}
"""


class Program:
    """`protobuf-conformance` under a runner; one request is answered before the next is sent."""

    def __init__(self, folder: Path, content: bytes):
        _, pool = compiled(PROTOCOL)
        self.Request, self.Response = (
            message_factory.GetMessageClass(pool.FindMessageTypeByName("conformance." + name))
            for name in ("ConformanceRequest", "ConformanceResponse"))
        file = folder / "descriptors"
        file.write_bytes(content)
        program = Path(os.environ["SONDE_PROGRAMS"], "protobuf-conformance")
        self.process = subprocess.Popen([program, "--descriptors", file], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, **fields):
        content = self.Request(**fields).SerializeToString()
        # The length and the message may come apart.
        for part in (struct.pack("<I", len(content)), content):
            self.process.stdin.write(part)
            self.process.stdin.flush()
        (length,) = struct.unpack("<I", self.process.stdout.read(4))
        return self.Response.FromString(self.process.stdout.read(length))

    def end(self) -> int:
        self.process.stdin.close()
        return self.process.wait(timeout=30)


@pytest.fixture
def everything_else():
    return compiled(everything())


def test_as_a_runner_asks(tmp_path: Path, everything_else) -> None:
    content, pool = everything_else
    type = pool.FindMessageTypeByName("t.All")
    cls = message_factory.GetMessageClass(type)
    program = Program(tmp_path, content)
    writer = Writer(1)
    answers = {"protobuf_payload": 0, "json_payload": 0, "parse_error": 0, "serialize_error": 0}
    for _ in range(300):
        data = writer.message(type)
        is_mutated = writer.random.random() < 0.3
        if is_mutated:
            data = writer.mutated(data)
        message = parsed(cls, data)
        text = printed(message, pool, 0) if message is not None else None
        binary = program.ask(protobuf_payload=data, requested_output_format=PROTOBUF, message_type="t.All")
        written = program.ask(protobuf_payload=data, requested_output_format=JSON, message_type="t.All")
        for answer in (binary, written):
            answers[answer.WhichOneof("result")] += 1
        if message is None:
            assert binary.parse_error and written.parse_error
        elif not is_mutated:
            assert canonical(cls.FromString(binary.protobuf_payload)) == canonical(message)
        # A NullValue of whatever number is null, which reads as its one number.
        if is_mutated or not written.json_payload or "Nullvalue" in written.json_payload:
            continue
        if text is not None:
            assert as_json(written.json_payload, roughly) == as_json(text, roughly)
        read = program.ask(json_payload=written.json_payload, requested_output_format=PROTOBUF, message_type="t.All",
                           test_category=JSON_TEST)
        again = program.ask(json_payload=written.json_payload, requested_output_format=JSON, message_type="t.All",
                            test_category=JSON_TEST)
        assert again.json_payload == written.json_payload
        assert printed(cls.FromString(read.protobuf_payload), pool, 0) == text
    assert min(answers.values()) > 5, answers
    assert program.end() == 0


def test_what_is_not_known(tmp_path: Path, everything_else) -> None:
    program = Program(tmp_path, everything_else[0])
    json = '{"oneInt32": 5, "unknown": {"x": [1]}, "listE": ["B", "unknown"]}'
    ask = {"json_payload": json, "requested_output_format": JSON, "message_type": "t.All"}
    assert "unknown" in program.ask(test_category=JSON_TEST, **ask).parse_error
    answer = program.ask(test_category=JSON_IGNORE_UNKNOWN_PARSING_TEST, **ask)
    assert as_json(answer.json_payload) == as_json('{"oneInt32": 5, "listE": ["B"]}')
    assert program.end() == 0


def test_what_is_not_spoken(tmp_path: Path, everything_else) -> None:
    program = Program(tmp_path, everything_else[0])
    for form in (JSPB, TEXT, 0, 99):
        assert program.ask(protobuf_payload=b"", requested_output_format=form, message_type="t.All").skipped
    assert program.ask(text_payload="", requested_output_format=PROTOBUF, message_type="t.All").skipped
    assert program.ask(jspb_payload="[]", requested_output_format=JSON, message_type="t.All").skipped
    missing = program.ask(protobuf_payload=b"", requested_output_format=JSON, message_type="t.None")
    assert "t.None" in missing.runtime_error
    known = "conformance.FailureSet"
    failures = program.ask(protobuf_payload=b"", requested_output_format=PROTOBUF, message_type=known)
    assert failures.WhichOneof("result") == "protobuf_payload" and failures.protobuf_payload == b""
    assert program.end() == 0


def test_ends_that_are_not_the_runners(tmp_path: Path, everything_else) -> None:
    random_bytes = random.Random(1).randbytes(3)
    for content in (b"\5\0\0\0ab", b"\1\0", b"\xff\xff\xff\xff", random_bytes):
        program = Program(tmp_path, everything_else[0])
        program.process.stdin.write(content)
        assert program.end() == 2
