# SPDX-License-Identifier: Apache-2.0
"""What protoc refuses the project's compiler refuses too, with a line that names the place; what is odd both take."""

from pathlib import Path

import pytest

from test_source import BASE, ours, theirs

P2, P3, E23 = ('syntax = "proto2"; package a;\n', 'syntax = "proto3"; package a;\n', 'edition = "2023"; package a;\n')
DESCRIPTOR = 'import "google/protobuf/descriptor.proto";'
OPTIONS = P2 + DESCRIPTOR + """
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
    "(none) = 1": "there is no option (none)",
    "(.none) = 1": "there is no option (.none)",
    "(field) = 1": "there is no option (field)",
    "none = 1": "there is no option none here",
    "java_package = 'x'": "there is no option java_package here",
    "(for_fields) = 1": "(for_fields) cannot stand here: it extends google.protobuf.FieldOptions, and this is of "
                        "google.protobuf.MessageOptions",
    "(told) = 1": "told cannot be set here",
    "(my).mim = 1": 'a.Rule has no field "mim"',
    "(my).(for_fields) = 1": "(for_fields) cannot stand here: it extends google.protobuf.FieldOptions, and this is of "
                             "a.Rule",
    "(my).min.less = 1": "min in (my).min.less is no message, and has no fields",
    "(my).many.min = 1": "many in (my).many.min is repeated: write each value in braces",
    "(my).named.key = 'x'": "named in (my).named.key is no message, and has no fields",
    "(my) = 1": "(my) is a message: write its fields in braces",
    "(number) = { min: 1 }": "(number) is no message",
    "(number) = 2147483648": "(number) has no such value",
    "(number) = -2147483649": "(number) has no such value",
    "(number) = 1.5": "(number) has no such value",
    "(number) = 'x'": "(number) has no such value",
    "(number) = GOOD": "(number) has no such value",
    "(positive) = -1": "(positive) has no such value",
    "(mood) = 1": "(mood) has no such value",
    "(mood) = BAD": "(mood) has no such value",
    "(mood) = -GOOD": "(mood) has no such value",
    "(flag) = 1": "(flag) has no such value",
    "(flag) = True": "(flag) has no such value",
    "(flag) = 'true'": "(flag) has no such value",
    "(ratio) = infinity": "(ratio) has no such value",
    "(ratio) = '1.5'": "(ratio) has no such value",
    "(text) = x": "(text) has no such value",
    "(text) = -'x'": "a text has no sign",
    "(raw) = 1": "(raw) has no such value",
    "(list) = ['a', 'b']": "an option's value is missing before \"[\"",
    "(number) = ": "an option's value is missing before \";\"",
    "(number) 1": '"=" is missing before "1"',
    "() = 1": "an option's name is missing before \")\"",
    "(number) = 1; option (number) = 1": "(number) is set twice",
    "(my).min = 1; option (my).min = 2": "(my).min is set twice",
    "(my).min = 1; option (my) = { must: true }": "(my) is set twice",
    "(my) = { must: true one { must: true min: 1 } }; option (my).one.min = 2": "(my).one.min is set twice",
    "(my) = { must: true }; option (my) = { must: true }": "(my) is set twice",
    "(my) = { min: 1 }": "(my): must: a required field is not set",
    "(my) = { must: true mim: 1 }": 'a.Rule has no field "mim"',
    "(my) = { must: true min: 'x' }": '"min" takes no text',
    "(my) = { must: true min: 1 min: 2 }": '"min" stands twice',
    "(my) = { must: true x: 1 y: 2 }": '"y" and "x" are of one oneof',
    "(my) = { must: true [a.none]: 1 }": 'a.Rule has no extension "a.none"',
    "(my) = { must: true ": '";" is missing before the file\'s end',
    "(my) = { must: true ) }": "a field's name is missing",
    "features.field_presence = IMPLICIT": "field_presence cannot be set here",
    "deprecated = IDEMPOTENT": "deprecated has no such value",
    "deprecated = true; option deprecated = false": "deprecated is set twice",
}


def assert_refused(folder: Path, files: dict[str, str], line: str) -> None:
    assert theirs(folder, files) is None
    is_right, answer = ours(files)
    assert not is_right and line in answer.decode(), answer
    # The line and the column are told.
    assert answer.decode().split(":")[1].isdigit(), answer


@pytest.mark.parametrize("statement, line", INVALID_OPTIONS.items(), ids=INVALID_OPTIONS)
def test_options_that_are_none(tmp_path: Path, statement: str, line: str) -> None:
    assert_refused(tmp_path, {"a.proto": option(statement)}, line)


def test_an_option_s_place_is_told(tmp_path: Path) -> None:
    files = {"a.proto": option("(my) = {\n  must: true\n  many { mim: 1 } }")}
    assert theirs(tmp_path, files) is None
    assert ours(files) == (False, b'a.proto:16:10: a.Rule has no field "mim"')
