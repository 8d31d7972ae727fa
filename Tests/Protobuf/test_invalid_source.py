# SPDX-License-Identifier: Apache-2.0
"""What protoc refuses the project's compiler refuses too, with a line that names the place; what is odd both take."""

from pathlib import Path

import pytest

from test_source import BASE, assert_same, ours, theirs

HEADS = {
    "P2": 'syntax = "proto2"; package a;\n', "P3": 'syntax = "proto3"; package a;\n',
    "E23": 'edition = "2023"; package a;\n', "E24": 'edition = "2024"; package a;\n',
}
DESCRIPTOR = 'import "google/protobuf/descriptor.proto";'
OPTIONS = HEADS["P2"] + DESCRIPTOR + 'import "b.proto";' + """
message Rule { optional int32 min = 1; repeated Rule many = 2; optional Rule one = 3; optional string text = 4;
  required bool must = 5; oneof o { int32 x = 6; int32 y = 7; } map<string, Rule> named = 8; extensions 100 to 200; }
enum Mood { NONE = 0; GOOD = 1; }
extend google.protobuf.MessageOptions {
  optional Rule my = 50001; optional int32 number = 50002; repeated string list = 50003; optional Mood mood = 50004;
  optional bool flag = 50005; optional float ratio = 50006; optional uint32 positive = 50007;
  optional bytes raw = 50008; optional string text = 50009; optional int32 told = 50010 [targets = TARGET_TYPE_FIELD];
}
extend google.protobuf.FieldOptions { optional int32 for_fields = 50001; }
message M {
  optional int32 field = 1;
"""


def option(statement: str) -> str:
    return OPTIONS + f"option {statement};\n}}"


# Statements about a message, and the line about each.
INVALID_OPTIONS = {
    "(none) = 1": "(none): there is no such option here",
    "(.none) = 1": "(.none): there is no such option here",
    "(field) = 1": "(field): there is no such option here",
    "(elsewhere) = 1": "(elsewhere): there is no such option here: other.proto, which declares it, is not imported",
    "none = 1": "none: there is no such option here",
    "java_package = 'x'": "java_package: there is no such option here",
    "(for_fields) = 1": "(for_fields): it extends google.protobuf.FieldOptions",
    "(told) = 1": "(told): told cannot be set here",
    "(my).mim = 1": "(my).mim: there is no such option here",
    "(my).(for_fields) = 1": "(my).(for_fields): it extends google.protobuf.FieldOptions",
    "(my).min.less = 1": "(my).min.less: min is no single message",
    "(my).many.min = 1": "(my).many.min: many is no single message",
    "(my).named.key = 'x'": "(my).named.key: named is no single message",
    "(my) = 1": "(my): it is a message: write its fields in braces",
    "(number) = { min: 1 }": "(number): it is no message",
    "(number) = 2147483648": "(number): it has no such value",
    "(number) = -2147483649": "(number): it has no such value",
    "(number) = 1.5": "(number): it has no such value",
    "(number) = 'x'": "(number): it has no such value",
    "(number) = GOOD": "(number): it has no such value",
    "(positive) = -1": "(positive): it has no such value",
    "(mood) = 1": "(mood): it has no such value",
    "(mood) = BAD": "(mood): it has no such value",
    "(mood) = -GOOD": "(mood): it has no such value",
    "(flag) = 1": "(flag): it has no such value",
    "(flag) = True": "(flag): it has no such value",
    "(flag) = 'true'": "(flag): it has no such value",
    "(ratio) = infinity": "(ratio): it has no such value",
    "(ratio) = '1.5'": "(ratio): it has no such value",
    "(text) = x": "(text): it has no such value",
    "(text) = -'x'": "a text has no sign",
    "(raw) = 1": "(raw): it has no such value",
    "(list) = ['a', 'b']": "an option's value is missing before \"[\"",
    "(number) = ": "an option's value is missing before \";\"",
    "(number) 1": '"=" is missing before "1"',
    "() = 1": "an option's name is missing before \")\"",
    "(number) = 1; option (number) = 1": "(number): it is set twice",
    "(my).min = 1; option (my).min = 2": "(my).min: it is set twice",
    "(my).min = 1; option (my) = { must: true }": "(my): it is set twice",
    "(my) = { must: true one { must: true min: 1 } }; option (my).one.min = 2": "(my).one.min: it is set twice",
    "(my) = { must: true }; option (my) = { must: true }": "(my): it is set twice",
    "(my) = { min: 1 }": "(my): must: a required field is not set",
    "(my) = { must: true mim: 1 }": 'a.Rule has no field "mim"',
    "(my) = { must: true min: 'x' }": '"min" takes no text',
    "(my) = { must: true min: 1 min: 2 }": '"min" stands twice',
    "(my) = { must: true x: 1 y: 2 }": '"y" and "x" are of one oneof',
    "(my) = { must: true [a.none]: 1 }": 'a.Rule has no extension "a.none"',
    "(my) = { must: true ": '";" is missing before the file\'s end',
    "(my) = { must: true ) }": "a field's name is missing",
    "features.field_presence = IMPLICIT": "features.field_presence: field_presence cannot be set here",
    "deprecated = IDEMPOTENT": "deprecated: it has no such value",
    "deprecated = true; option deprecated = false": "deprecated: it is set twice",
    "map_entry = true": "map_entry: write map<KEY, VALUE>",
}


def assert_refused(folder: Path, files: dict[str, str], line: str) -> None:
    assert theirs(folder, files) is None
    is_right, answer = ours(files)
    assert not is_right and line in answer.decode(), answer
    # The line and the column are told.
    assert answer.decode().split(":")[1].isdigit(), answer


@pytest.mark.parametrize("statement, line", INVALID_OPTIONS.items(), ids=INVALID_OPTIONS)
def test_options_that_are_none(tmp_path: Path, statement: str, line: str) -> None:
    other = HEADS["P2"] + DESCRIPTOR + "extend google.protobuf.MessageOptions { optional int32 elsewhere = 60001; }"
    files = {"a.proto": option(statement), "b.proto": 'import "other.proto";', "other.proto": other}
    assert_refused(tmp_path, files, line)


def test_an_option_s_place_is_told(tmp_path: Path) -> None:
    files = {"a.proto": option("(my) = {\n  must: true\n  many { mim: 1 } }"), "b.proto": BASE}
    assert theirs(tmp_path, files) is None
    assert ours(files) == (False, b'a.proto:16:10: a.Rule has no field "mim"')


# What the files of the tables may import.
OTHERS = {
    "base.proto": BASE,
    "old.proto": 'syntax = "proto2"; package old; enum Closed { ONE = 1; } enum Zero { NIL = 0; } message Old {} '
                 "message Ext { extensions 1 to 100; }",
    "over.proto": 'syntax = "proto3"; import "old.proto";',
    "public.proto": 'syntax = "proto3"; import public "old.proto";',
    "lite.proto": 'syntax = "proto3"; option optimize_for = LITE_RUNTIME; message Lite {}',
}


def lines(name: str) -> list[str]:
    text = Path(__file__).with_name(name).read_text()
    return [line for line in text.splitlines() if not line.startswith("#")]


def source(line: str) -> dict[str, str]:
    version, text = line.split(" ", 1)
    return OTHERS | {"a.proto": HEADS[version] + text}


@pytest.mark.parametrize("line", lines("valid_sources.txt"))
def test_oddities_that_are_valid(tmp_path: Path, line: str) -> None:
    assert_same(tmp_path, source(line))


INVALID = lines("invalid_sources.txt")


@pytest.mark.parametrize("line, error", list(zip(INVALID[::2], INVALID[1::2])), ids=INVALID[::2])
def test_what_is_invalid(tmp_path: Path, line: str, error: str) -> None:
    assert theirs(tmp_path, source(line)) is None
    assert ours(source(line)) == (False, error.strip().encode())
