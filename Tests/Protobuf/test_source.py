# SPDX-License-Identifier: Apache-2.0
"""Compares what the project's compiler makes of .proto files with what protoc makes of them."""

import struct
from pathlib import Path

import grpc_tools
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, unknown_fields
from grpc_tools import protoc

from schemas import Schema
from test_oracle import SCHEMAS, SEED, Oracle, canonical

INCLUDE = Path(grpc_tools.__file__).with_name("_proto")
GOOGLE = {str(path.relative_to(INCLUDE)): path.read_text() for path in INCLUDE.rglob("*.proto")}
BASE = 'syntax = "proto3"; package base; message Base { string a = 1; }'


def theirs(folder: Path, files: dict[str, str], name: str = "a.proto"):
    """What protoc makes of a file and of what it imports; None where it refuses it."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    words = ["protoc", f"-I{folder}", f"-I{INCLUDE}", "--include_imports", f"--descriptor_set_out={folder / 'set'}"]
    if protoc.main([*words, name]) != 0:
        return None
    return descriptor_pb2.FileDescriptorSet.FromString((folder / "set").read_bytes())


def ours(files: dict[str, str], name: str = "a.proto") -> tuple[bool, bytes]:
    """Whether the project's compiler takes a file, and the set or the error."""
    parts = [part.encode() for pair in (GOOGLE | files).items() for part in pair]
    oracle = Oracle()
    oracle.ask(b"C", name.encode(), b"".join(struct.pack("<I", len(part)) + part for part in parts))
    return oracle.answers()[0]


def known(content: bytes, files) -> dict:
    """The files of a set by their names, read by a pool that knows what options these files declare."""
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        for message in file.message_type:
            # Google's pool in Python minds names in JSON that protoc lets pass.
            message.options.deprecated_legacy_json_field_conflicts = True
        pool.Add(file)
    if "google/protobuf/descriptor.proto" not in (file.name for file in files):
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(descriptor_pb2.DESCRIPTOR.serialized_pb))
    message_factory.GetMessageClassesForFiles([file.name for file in files], pool)
    type = pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet")
    return {file.name: file for file in message_factory.GetMessageClass(type).FromString(content).file}


def unify_defaults(fields) -> None:
    """Writes default values that are no whole numbers in one way: protoc has a way of its own."""
    for field in fields:
        if field.type == field.TYPE_FLOAT and field.default_value:
            field.default_value = repr(struct.unpack("f", struct.pack("f", float(field.default_value))))
        elif field.type == field.TYPE_DOUBLE and field.default_value:
            field.default_value = repr(float(field.default_value))


def unify_defaults_within(messages) -> None:
    for message in messages:
        unify_defaults([*message.field, *message.extension])
        unify_defaults_within(message.nested_type)


def assert_same(folder: Path, files: dict[str, str], name: str = "a.proto") -> None:
    expected = theirs(folder, files, name)
    assert expected is not None
    is_right, answer = ours(files, name)
    assert is_right, answer
    contents = (answer, expected.SerializeToString())
    found, wanted = (known(content, expected.file) for content in contents)
    for file in found.values():
        # protoc leaves comments out unless it is told otherwise.
        file.ClearField("source_code_info")
        assert not list(unknown_fields.UnknownFieldSet(file.options))
    for file in (*found.values(), *wanted.values()):
        unify_defaults(file.extension)
        unify_defaults_within(file.message_type)
    assert found.keys() == wanted.keys()
    for name, file in found.items():
        assert canonical(file) == canonical(wanted[name]), f"wanted {wanted[name]}, and not {file}"


@pytest.mark.parametrize("name", sorted(GOOGLE))
def test_googles_own_files(tmp_path: Path, name: str) -> None:
    assert_same(tmp_path, {}, name)


OPTIONS = """
import "google/protobuf/descriptor.proto";
import "google/protobuf/any.proto";
import "other/other.proto";
option java_package = "org.example";
option optimize_for = CODE_SIZE;
option (mark) = "\\000\\377" 'x';
option (a.rule).name = "of the file";

message Rule {
  optional string name = 1;
  optional int32 min = 2;
  repeated int32 numbers = 3;
  optional Rule inner = 4;
  repeated Rule rules = 5;
  oneof one { bool yes = 6; Mood mood = 7; }
  map<string, int32> named = 8;
  optional google.protobuf.Any any = 9;
  optional Hidden hidden = 10;
  extensions 100 to 200, 300 to 310 [(spread) = 7, verification = UNVERIFIED];
  extensions 400 to max [declaration = { number: 400 full_name: ".a.far" type: "string" }];
  extend Rule { optional Rule deeper = 101; repeated string words = 102; }
}
message Hidden {
  optional int32 kept = 1;
  optional int32 lost = 2 [retention = RETENTION_SOURCE];
}
enum Mood { MOOD_NONE = 0; MOOD_GOOD = 1; MOOD_BAD = -1; }
extend Rule { optional string far = 400; optional Mood mood = 100; }

extend google.protobuf.FileOptions { optional bytes mark = 50001; optional Rule rule = 50002; }
extend google.protobuf.MessageOptions {
  optional Rule my = 50001;
  repeated Rule many = 50002;
  optional bool flag = 50003;
  optional int32 secret = 50004 [retention = RETENTION_SOURCE];
  optional int32 told = 50005 [targets = TARGET_TYPE_MESSAGE, targets = TARGET_TYPE_ENUM];
}
extend google.protobuf.FieldOptions {
  optional Rule field_rule = 50001;
  optional float weight = 50002;
  optional double heavy = 50003;
  repeated string notes = 50004;
  optional uint64 big = 50005;
  optional sint32 low = 50006;
  optional fixed32 fixed = 50007;
  optional sfixed64 far_low = 50008;
  optional Mood field_mood = 50009;
  repeated Mood moods = 50010 [packed = true];
}
extend google.protobuf.OneofOptions { optional string of_oneof = 50001; }
extend google.protobuf.EnumOptions { optional string of_enum = 50001; }
extend google.protobuf.EnumValueOptions { optional string of_value = 50001; }
extend google.protobuf.ServiceOptions { optional string of_service = 50001; }
extend google.protobuf.MethodOptions { optional Rule of_method = 50001; }
extend google.protobuf.ExtensionRangeOptions { optional int32 spread = 50001; }

message M {
  option (my).name = "m";
  option (.a.my).min = -5;
  option (a.my).inner.inner.(Rule.deeper).(mood) = MOOD_BAD;
  option (my).(a.mood) = MOOD_GOOD;
  option (my).(Rule.words) = "one";
  option (my).(Rule.words) = "two";
  option (my).numbers = 1;
  option (my).numbers = 0x10;
  option (my).hidden.kept = 1;
  option (my).hidden.lost = 2;
  option (secret) = 5;
  option (told) = 6;
  option (many) = { name: "first" numbers: [1, 2, 3] numbers: 4 inner < name: 'x' "y" > };
  option (many) = {
    // A comment in a value.
    name: "second", min: -0x10; rules { yes: true } rules: [{ mood: MOOD_BAD }, { mood: 1 }] /* and another */
    named { key: "k" value: 1 } named: { key: "l" }
    any { [type.googleapis.com/a.Hidden] { kept: 3 lost: 4 } }
    [a.mood]: MOOD_GOOD
    [a.Rule.deeper] { name: "deep" }
    [Rule.words]: ["a", "b"]
    hidden { kept: 1 lost: 2 }
  };
  option (flag) = true;
  option (other.elsewhere) = 5;
  option deprecated = true;
  optional string a = 1 [
    deprecated = true, (weight) = 1.5, (heavy) = -inf, (notes) = "a", (notes) = "b", (big) = 18446744073709551615,
    (low) = -2147483648, (fixed) = 07, (far_low) = -9223372036854775808, (field_mood) = MOOD_BAD,
    (moods) = MOOD_GOOD, (moods) = MOOD_NONE, (field_rule) = {}, default = "d", json_name = "named"
  ];
  optional double b = 2 [(heavy) = nan, (weight) = 3];
  optional double c = 3 [(heavy) = 1e300, (weight) = inf];
  repeated fixed64 g = 7 [jstype = JS_STRING, packed = true];
  optional bytes h = 8 [ctype = CORD];
  oneof choice {
    option (of_oneof) = "o";
    int32 d = 4;
    string e = 5;
  }
  extend google.protobuf.FieldOptions { optional string within = 50011; }
  optional int32 f = 6 [(within) = "scope of the message"];
  enum E {
    option (of_enum) = "e";
    option allow_alias = true;
    ZERO = 0 [(of_value) = "v"];
    NONE = 0 [deprecated = true, (of_value) = ""];
  }
  message Inner { option (my).inner = { }; option (my).inner.min = 1; }
}
service S {
  option (of_service) = "s";
  rpc Call(M) returns (stream M) {
    option (of_method) = { name: "post" inner { name: "body" } };
    option idempotency_level = IDEMPOTENT;
  }
  rpc Plain(M) returns (M) { };
}
"""
OTHER = """
syntax = "proto2"; package other;
import public "other/deep.proto";
import "google/protobuf/descriptor.proto";
extend google.protobuf.MessageOptions { optional int32 elsewhere = 60001; }
"""
DEEP = 'syntax = "proto2"; package other; import "google/protobuf/descriptor.proto"; message Deep {}'


def test_options_of_a_schema_s_own(tmp_path: Path) -> None:
    text = 'syntax = "proto2"; package a;' + OPTIONS
    assert_same(tmp_path, {"a.proto": text, "other/other.proto": OTHER, "other/deep.proto": DEEP})


PECULIAR = {
    "proto2": r"""
syntax = "proto2"; package a;
import weak "base.proto";
message M {
  optional double point = 1 [default = .5]; optional float end = 2 [default = 5.];
  optional double big = 3 [default = 100000000000000000000000]; optional string pair = 4 [default = "\ud83d\ude00"];
  extensions 100 to 200; reserved 5 to 9, 300 to max; reserved "x", 'y' "z";
  extend M { optional group Inside = 101 { optional int32 a = 1; } }
  repeated group Item = 10 [deprecated = true] { optional M m = 1; }
  map<sfixed64, M> all = 11;
}
extend M { optional group Outside = 100 { optional int32 a = 1; } }
enum E { option allow_alias = true; A = -1; B = -1; reserved 5, -9 to -5, 100 to max; reserved "OLD"; }
""",
    "proto3": """
syntax = "proto3"; package a.b.c;
import public "base.proto"; import "google/protobuf/descriptor.proto";
message M { optional int32 a = 1; int32 _a = 2; optional int32 X_a = 3; base.Base base = 4; repeated E e = 5; }
enum E { ZERO = 0; MINUS = -2147483648; }
extend google.protobuf.FieldOptions { optional string plain = 50001; string bare = 50002; }
service S { rpc Stream(stream M) returns (stream .base.Base) {} rpc stream(.a.b.c.stream) returns (M); }
message stream { string text = 1 [(plain) = "", (c.bare) = "x"]; }
""",
    "edition 2023": """
edition = "2023"; package a;
option features = { field_presence: IMPLICIT, enum_type: CLOSED; };
option features.utf8_validation = NONE;
message M {
  reserved foo, bar;
  int32 a = 1; repeated int32 r = 2 [features = { repeated_field_encoding: EXPANDED }];
  oneof o { string s = 3 [features.utf8_validation = VERIFY]; }
  M group = 4 [features.message_encoding = DELIMITED]; map<string, M> all = 5;
}
enum E { ONE = 1; }
enum F { option features.enum_type = OPEN; NONE = 0; }
""",
    "edition 2024": """
edition = "2024"; package a;
import "base.proto"; import option "google/protobuf/cpp_features.proto";
option features.(pb.cpp).string_type = VIEW;
option features.default_symbol_visibility = EXPORT_ALL;
option features.enforce_naming_style = STYLE_LEGACY;
export message Shown { string a = 1; local message Hidden { base.Base b = 1; } Hidden hidden = 2; }
local enum Mood { MOOD_NONE = 0; }
message M { option features = { enforce_naming_style: STYLE2024 }; string local = 1; }
""",
}


@pytest.mark.parametrize("text", PECULIAR.values(), ids=PECULIAR)
def test_what_is_peculiar_to_a_version(tmp_path: Path, text: str) -> None:
    assert_same(tmp_path, {"a.proto": text, "base.proto": BASE})


@pytest.mark.parametrize("seed", range(SEED, SEED + SCHEMAS))
def test_random_schemas(tmp_path: Path, seed: int) -> None:
    assert_same(tmp_path, {"a.proto": Schema(seed).text})
