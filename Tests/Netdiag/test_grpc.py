# SPDX-License-Identifier: Apache-2.0
"""`netdiag grpc`: schemas by reflection and from files, calls of every kind, what breaks between two schemas, loads."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import subprocess

import grpc
import pytest
from google.rpc import error_details_pb2

from EndToEnd.peers import http2, tcp
from EndToEnd.peers.health import HealthServer
from EndToEnd.peers.http2 import ScriptedPeer, expect_preface, settings, until_closed
from conftest import ROOT
from netdiag import FINE, HANG, PROBLEM, UNDETERMINED, USAGE
from peers import cpp_library, library
from peers.library import V1, V1ALPHA, LibraryServer

GET_BOOK = "library.v1.Library/GetBook"


@pytest.fixture(scope="session")
def protoset(tmp_path_factory):
    return library.compile_schema(tmp_path_factory.mktemp("schema"))


@pytest.fixture(scope="session")
def schema(protoset):
    return library.Schema(protoset)


@pytest.fixture
def server(schema):
    with LibraryServer(schema) as running:
        yield running


@pytest.fixture(scope="session")
def cpp_server():
    """The same library on gRPC's C++ library."""
    if not cpp_library.is_possible():
        pytest.skip("needs gRPC's C++ library: scripts/setup test")
    with cpp_library.CppLibraryServer() as running:
        yield running


@pytest.fixture(params=["grpcio", "C++"])
def any_server(request):
    """The library on either server."""
    return request.getfixturevalue("server" if request.param == "grpcio" else "cpp_server")


@pytest.fixture
def grpc_command(netdiag):
    """Runs `netdiag grpc …`; the exit code is the test's to judge."""

    def run(*arguments: str, stdin: str = ""):
        return netdiag("grpc", *map(str, arguments), input=stdin.encode())

    return run


def notes(result, *words: str):
    """A line on stderr has each of the words."""
    assert any(all(word in line for word in words) for line in result.stderr.splitlines()), f"wanted {words}:{result}"
    return result


def values(text: str) -> list:
    """The JSON values that follow each other in a text."""
    found, decoder, rest = [], json.JSONDecoder(), text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    return found


def called(result, code: int = 0):
    assert result.code == code, f"wanted exit code {code}:{result}"
    return result


# What there is.


@pytest.mark.parametrize("versions", [(V1,), (V1ALPHA,), (V1, V1ALPHA)])
def test_services_are_listed_by_either_version_of_reflection(grpc_command, schema, versions):
    with LibraryServer(schema, versions) as server:
        result = called(grpc_command("list", "-plaintext", server.address))
        assert result.lines == sorted(["library.v1.Library", *versions])
        assert result.stderr == ""
        assert server.reflection.calls == ([V1] if V1 in versions else [V1, V1ALPHA])


def test_methods_of_a_service_are_listed(grpc_command, any_server):
    result = called(grpc_command("list", any_server.address, "library.v1.Library", "--plaintext"))
    names = ["GetBook", "ListBooks", "AddBooks", "Exchange", "Fail", "Wait"]
    assert result.lines == [f"library.v1.Library.{name}" for name in names]


def test_schemas_come_from_files_without_a_server(grpc_command, protoset):
    assert called(grpc_command("list", "-protoset", protoset)).lines == ["library.v1.Library"]
    result = called(grpc_command("list", "--protoset", protoset, "library.v1.Library", "--json"))
    assert result.json["names"][0] == "library.v1.Library.GetBook"
    assert result.json["target"] is None


def test_a_description_is_source_that_protoc_takes(grpc_command, protoset, server, tmp_path):
    """What describe prints of all declarations, put together, compiles to the same descriptors."""
    names = ["library.v1.Library", "library.v1.GetBookRequest", "library.v1.ListBooksRequest", "library.v1.FailRequest",
             "library.v1.Book", "library.v1.Summary"]
    described = called(grpc_command("describe", "-plaintext", server.address, *names)).stdout
    assert called(grpc_command("describe", "-protoset", protoset, *names)).stdout.replace("// What", "").count("//") > 5
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "shelf.proto").write_text((library.HERE / "shelf.proto").read_text())
    imports = "".join(f'import "{name}";\n' for name in (
        "google/protobuf/any.proto", "google/protobuf/timestamp.proto", "library/shelf.proto"))
    (folder / "library.proto").write_text(f'syntax = "proto3";\npackage library.v1;\n{imports}{described}')
    made = library.Schema(library.compile_set(tmp_path, "again", "library/library.proto"))
    original = library.Schema(protoset)
    for name in ("library/library.proto",):
        one, other = (next(file for file in each.files.file if file.name == name) for each in (original, made))
        one.ClearField("source_code_info")
        other.ClearField("source_code_info")
        assert one == other


def test_a_description_has_the_comments_that_a_file_has(grpc_command, protoset):
    described = called(grpc_command("describe", "-protoset", protoset, "library.v1.Library")).stdout
    assert "// Lends books.\nservice Library {\n  // Gives one book.\n  rpc GetBook(GetBookRequest)" in described
    described = called(grpc_command("describe", "-protoset", protoset, "library.v1.Library/ListBooks")).stdout
    assert "// library.v1.Library.ListBooks, a method of library/library.proto\n" in described
    assert "rpc ListBooks(ListBooksRequest) returns (stream Book);" in described


@pytest.mark.parametrize("name, kind", [
    ("library.v1.Book.State", "enum"), ("library.v1.Book.title", "field"), ("library.v1.Book.place", "oneof"),
    ("shelf.Shelf", "message"), (".shelf.Shelf", "message"), ("library.v1.Book.STATE_LENT", "value of an enum"),
])
def test_anything_that_has_a_name_is_described(grpc_command, any_server, name, kind):
    document = called(grpc_command("describe", "-plaintext", any_server.address, name, "--json")).json
    assert [symbol["kind"] for symbol in document["symbols"]] == [kind]


def test_without_a_name_all_services_are_described_whose_schemas_the_server_has(grpc_command, any_server):
    described = called(grpc_command("describe", "-plaintext", any_server.address)).stdout
    # grpcio does not have the schema of reflection itself; the C++ library does.
    names = re.findall(r"^service (\w+) \{", described, re.MULTILINE)
    assert names in (["Library"], ["ServerReflection", "Library"])


PROTO2 = """
syntax = "proto2";
package old.pack;
import public "base.proto";
message Outer {
  required int32 must = 1;
  optional string text = 2 [default = "a\\"b\\\\c\\001\\n"];
  optional bytes raw = 3 [default = "\\377\\000x"];
  optional double big = 4 [default = 1e300];
  optional float none = 5 [default = nan];
  optional double low = 6 [default = -inf];
  optional bool yes = 7 [default = true];
  optional Kind kind = 8 [default = SECOND, deprecated = true];
  repeated int32 numbers = 9 [packed = true];
  repeated group Item = 10 { optional uint64 id = 1 [default = 18446744073709551615]; optional Outer outer = 2; }
  enum Kind {
    option allow_alias = true; FIRST = 1; SECOND = -2; ZWEITE = -2; reserved 5 to 9, 100 to max; reserved "OLD";
  }
  extensions 100 to 199, 1000 to max;
  message pack { optional pack pack = 1; optional .old.pack.Outer far = 2; }
  optional pack hidden = 11;
  map<sfixed64, pack> all = 12;
  oneof choice { string this = 13; base.Base that = 14; sint32 other = 15; }
  reserved 16, 20 to 25; reserved "was";
}
extend Outer { optional int32 more = 100; repeated base.Base many = 1000; }
message Scope { extend Outer { optional string inner = 101 [default = "x"]; } }
"""
PROTO3 = """
syntax = "proto3";
package new;
import "base.proto";
message Plain {
  optional int32 maybe = 1;
  repeated int32 loose = 2 [packed = false];
  repeated int32 tight = 3;
  string odd_name = 4 [json_name = "somethingElse"];
  .base.Base base = 5;
  Kind kind = 6;
  enum Kind { ZERO = 0; }
  option deprecated = true;
}
message base { string hides = 1; .base.Base real = 2; }
service Talk {
  rpc Say(stream Plain) returns (stream .base.Base) { option deprecated = true; }
  rpc Hear(base) returns (Plain);
}
"""
EDITION = """
edition = "2023";
package modern;
option features.field_presence = IMPLICIT;
option features.enum_type = CLOSED;
enum Closed { ONE = 1; }
enum Open { option features.enum_type = OPEN; NONE = 0; }
message Inner {
  Inner group = 1 [features.message_encoding = DELIMITED];
  string there = 2 [features.field_presence = EXPLICIT];
  oneof o { int32 a = 3; string b = 4 [features.utf8_validation = NONE]; } map<string, Inner> all = 5; }
message Mixed {
  string plain = 1;
  string must = 2 [features.field_presence = LEGACY_REQUIRED];
  int32 implicit = 3;
  int32 explicit = 7 [features.field_presence = EXPLICIT];
  repeated int32 loose = 4 [features.repeated_field_encoding = EXPANDED];
  Mixed group = 5 [features.message_encoding = DELIMITED];
  string named = 6 [default = "d", features.field_presence = EXPLICIT];
}
"""


PECULIAR2 = r"""
syntax = "proto2"; package p;
message M {
  optional double point = 1 [default = .5]; optional float end = 2 [default = 5.];
  optional double big = 3 [default = 100000000000000000000000]; optional string pair = 4 [default = "\ud83d\ude00"];
  extensions 100 to 200;
  extend M { optional group Inside = 101 { optional int32 a = 1; } }
}
extend M { optional group Outside = 100 { optional int32 a = 1; } }
"""
PECULIAR3 = """
syntax = "proto3"; package p;
message M { optional int32 a = 1; int32 _a = 2; optional int32 X_a = 3; }
"""
FEATURES = """
edition = "2023"; package p;
option features = { field_presence: IMPLICIT, enum_type: CLOSED; };
message M {
  reserved foo, bar;
  int32 a = 1; repeated int32 r = 2 [features = { repeated_field_encoding: EXPANDED }];
  oneof o { string s = 3 [features.utf8_validation = NONE]; }
}
"""
EDITION_2024 = """
edition = "2024"; package p;
export message Shown { string a = 1; local message Hidden { int32 b = 1; } Hidden hidden = 2; }
local enum Mood { MOOD_NONE = 0; }
"""
SCHEMAS = {"proto2": PROTO2, "proto3": PROTO3, "edition": EDITION, "peculiar2": PECULIAR2, "peculiar3": PECULIAR3,
           "features": FEATURES}


@pytest.mark.parametrize("text", SCHEMAS.values(), ids=SCHEMAS)
def test_a_whole_file_is_printed_as_protoc_takes_it(grpc_command, tmp_path, text):
    """What is printed of a file compiles to the same descriptor."""
    sources, again = tmp_path / "sources", tmp_path / "again"
    for folder in (sources, again):
        folder.mkdir()
        (folder / "base.proto").write_text('syntax = "proto3"; package base; message Base { string a = 1; }')
    (sources / "file.proto").write_text(text)
    first = library.compile_set(sources, "set", "file.proto")
    (again / "file.proto").write_text(called(grpc_command("describe", "-protoset", first, "file.proto")).stdout)
    one, other = (next(file for file in library.Schema(path).files.file if file.name == "file.proto")
                  for path in (first, library.compile_set(again, "set", "file.proto")))
    for file in (one, other):
        file.ClearField("source_code_info")
        for message in file.message_type:
            # Groups stand where their fields do.
            message.nested_type.sort(key=lambda nested: nested.name)
    assert one == other


OPTIONS = """
syntax = "proto3";
package opts;
import "google/protobuf/descriptor.proto";
import "google/api/annotations.proto";
message Rule { string name = 1; repeated int32 numbers = 2; Rule inner = 3; }
extend google.protobuf.FieldOptions { Rule rule = 50001; string note = 50002; }
extend google.protobuf.MessageOptions { repeated Rule rules = 50001; bool flag = 50002; }
extend google.protobuf.EnumValueOptions { double weight = 50001; }
extend google.protobuf.FileOptions { bytes mark = 50001; }
option (mark) = "\\000\\377\\"";
message M {
  option (rules) = { name: "a" numbers: [1, 2] };
  option (rules) = { name: "b" inner { name: "c" } };
  option (flag) = true;
  string x = 1 [deprecated = true, (rule) = { name: "r" }, (note) = "n"];
}
enum E { ZERO = 0 [(weight) = 1.5]; }
service S {
  rpc Get(M) returns (M) {
    option (google.api.http) = { get: "/v1/{x=*}" additional_bindings { post: "/v1" body: "*" } };
  }
}
"""


def test_options_of_a_schema_s_own_are_printed(grpc_command, tmp_path):
    """What is printed compiles to the same descriptor, options and all."""
    protos = ROOT / "Protos"
    sources, again = tmp_path / "sources", tmp_path / "again"
    for folder in (sources, again):
        (folder / "google/api").mkdir(parents=True)
        for name in ("annotations.proto", "http.proto"):
            (folder / "google/api" / name).write_text((protos / "google/api" / name).read_text())
    (sources / "file.proto").write_text(OPTIONS)
    first = library.compile_set(sources, "set", "file.proto")
    printed = called(grpc_command("describe", "-protoset", first, "file.proto")).stdout
    (again / "file.proto").write_text(printed)
    one, other = (next(file for file in library.Schema(path).files.file if file.name == "file.proto")
                  for path in (first, library.compile_set(again, "set", "file.proto")))
    for file in (one, other):
        file.ClearField("source_code_info")
    assert one == other
    assert '      get: "/v1/{x=*}"\n' in printed
    # A source has the same options, also where the files that declare them are those inside of netdiag.
    (again / "google/api/annotations.proto").unlink()
    (again / "file.proto").write_text(OPTIONS)
    for folder in (sources, again):
        assert called(grpc_command("describe", "-proto", "file.proto", "-I", folder, "file.proto")).stdout == printed


def test_a_file_of_a_server_is_printed(grpc_command, any_server):
    printed = called(grpc_command("describe", "-plaintext", any_server.address, "library/shelf.proto")).stdout
    assert printed.startswith('// library/shelf.proto\nsyntax = "proto3";\n\npackage shelf;\n\nmessage Shelf {\n')
    notes(called(grpc_command("describe", "-plaintext", any_server.address, "no.proto"), PROBLEM), "FAIL", '"no.proto"')


@pytest.mark.parametrize("command", ["list", "describe", "call"])
def test_a_name_that_nobody_knows(grpc_command, any_server, command):
    result = called(grpc_command(command, "-plaintext", any_server.address, "library.v2.Library/GetBook"), PROBLEM)
    notes(result, "FAIL", "library.v2.Library")
    assert result.stdout == ""


def test_a_server_without_reflection(grpc_command):
    with HealthServer() as server:
        notes(called(grpc_command("list", "-plaintext", server.address), PROBLEM), "FAIL", "reflection", "--protoset")
        document = called(grpc_command("list", "-plaintext", server.address, "--json"), PROBLEM).json
        assert (document["code"], document["names"]) == ("REFLECTION_MISSING", [])


def test_a_file_that_the_server_lacks_is_named(grpc_command, schema):
    with LibraryServer(schema, hides=("library/shelf.proto",)) as server:
        result = called(grpc_command("list", "-plaintext", server.address, "library.v1.Library"), PROBLEM)
        notes(result, "library/shelf.proto")


def test_metadata_goes_where_it_is_meant_to(grpc_command, server):
    grpc_words = ["-plaintext", server.address, "-H", "both: 1", "-rpc-header", "call: 2", "-reflect-header", "ask: 3"]
    called(grpc_command("call", *grpc_words, "-H", "some-bin: AP8", GET_BOOK))
    sent, asked = dict(server.library.metadata), dict(server.reflection.metadata)
    assert (sent["both"], sent["call"], sent["some-bin"], "ask" in sent) == ("1", "2", b"\x00\xff", False)
    assert (asked["both"], asked["ask"], "call" in asked) == ("1", "3", False)


def test_what_a_server_in_cpp_tells(grpc_command, cpp_server):
    """It speaks the older version of reflection alone, and has the file of any type that is linked into it."""
    address = cpp_server.address
    listed = called(grpc_command("list", "-plaintext", address)).lines
    assert listed == ["grpc.reflection.v1alpha.ServerReflection", "library.v1.Library"]
    described = called(grpc_command("describe", "-plaintext", address, "loan.Loan")).stdout
    assert "repeated google.protobuf.Any more = 3;" in described
    details = error_details_pb2.ErrorInfo(reason="LATE")
    book = {"more": {"@type": "a/loan.Loan", "value": base64.b64encode(b"\n\1A").decode()}}
    words = ["call", "-plaintext", address, "library.v1.Library/Exchange", "-d"]
    answer = json.loads(called(grpc_command(*words, json.dumps(book))).stdout)
    assert answer == {"more": {"@type": "a/loan.Loan", "reader": "A"}}
    book = {"more": packed("google.rpc.ErrorInfo", details.SerializeToString())}
    answer = json.loads(called(grpc_command(*words, json.dumps(book))).stdout)
    assert answer["more"]["reason"] == "LATE"


@pytest.fixture(scope="session")
def user_service():
    """The address of the project's own service, where it is built."""
    folder = os.environ.get("SONDE_PROGRAMS", str(ROOT / ".build/debug"))
    program = os.path.join(folder, "user-service")
    if not os.access(program, os.X_OK):
        pytest.skip("user-service is not built")
    port = tcp.free_port()
    command = [program, "--database", ":memory:", f"--listen=127.0.0.1:{port}", "--admin=off"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            tcp.wait_for_port(port)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


def test_the_project_s_own_service(grpc_command, user_service):
    listed = called(grpc_command("list", "-plaintext", user_service)).lines
    assert listed == ["grpc.health.v1.Health", V1, V1ALPHA, "pb.Greeter", "user.v1.UserService"]
    described = called(grpc_command("describe", "-plaintext", user_service, "user.v1.UserService/GetUser")).stdout
    assert "rpc GetUser(GetUserRequest) returns (User)" in described
    user = {"name": "Ada", "email": "ada@example.com"}
    created = json.loads(called(grpc_command(
        "call", "-plaintext", user_service, "user.v1.UserService/CreateUser", "-d", json.dumps({"user": user}))).stdout)
    assert created["name"] == "Ada"
    result = grpc_command("call", "-plaintext", user_service, "user.v1.UserService/StreamUsers")
    assert [user["email"] for user in values(called(result).stdout)] == ["ada@example.com"]


# Calls.


def test_a_unary_call(grpc_command, any_server):
    result = called(grpc_command("call", "-plaintext", any_server.address, GET_BOOK, "-d", '{"title": "Emma"}'))
    assert json.loads(result.stdout) == {
        "title": "Emma", "pages": "9007199254740993", "state": "STATE_LENT", "chapters": {"one": 1, "two": 2}}
    assert result.stdout.startswith('{\n  "title": "Emma",\n')
    assert result.stderr == ""


@pytest.mark.parametrize("name", [GET_BOOK, "library.v1.Library.GetBook", "/" + GET_BOOK])
def test_a_method_has_a_slash_or_a_dot(grpc_command, server, name):
    called(grpc_command("call", "-plaintext", server.address, name))


def test_flags_stand_anywhere_with_one_dash_or_two(grpc_command, server):
    for words in (["--plaintext", server.address, GET_BOOK, "-d", "{}"],
                  [server.address, "-d={}", GET_BOOK, "-plaintext"],
                  ["-data", "{}", server.address, GET_BOOK, "-plaintext=true"]):
        called(grpc_command("call", *words))


def test_a_schema_from_a_file_needs_no_reflection(grpc_command, schema, protoset):
    with LibraryServer(schema, ()) as server:
        called(grpc_command("call", "-plaintext", "-protoset", protoset, server.address, GET_BOOK))
        assert server.reflection.calls == []


def test_a_server_that_streams(grpc_command, any_server):
    data = '{"shelf": {"room": "A", "number": 7}, "limit": 3}'
    result = called(grpc_command("call", "-plaintext", any_server.address, "library.v1.Library/ListBooks", "-d", data))
    assert [book["title"] for book in values(result.stdout)] == ["book 0", "book 1", "book 2"]


def test_a_client_that_streams(grpc_command, any_server):
    words = ["call", "-plaintext", any_server.address, "library.v1.Library/AddBooks"]
    result = called(grpc_command(*words, "-d", '{"pages": 1}{"pages": "2"} {"pages": 3}'))
    assert json.loads(result.stdout) == {"count": 3, "pages": "6"}
    assert json.loads(called(grpc_command(*words)).stdout) == {}


def test_requests_from_a_file_and_from_standard_input(grpc_command, server, tmp_path):
    path = tmp_path / "books.json"
    path.write_text('{"pages": 4}\n{"pages": 5}\n')
    words = ["call", "-plaintext", server.address, "library.v1.Library/AddBooks", "-d"]
    assert json.loads(called(grpc_command(*words, f"@{path}")).stdout)["pages"] == "9"
    assert json.loads(called(grpc_command(*words, "@", stdin=path.read_text())).stdout)["pages"] == "9"
    grpc_command(*words, f"@{tmp_path}/none").complains(
        f'netdiag grpc call: cannot read "{tmp_path}/none": no such file or directory; see netdiag grpc call --help')


def test_answers_come_while_requests_go(netdiag, any_server):
    """A dialogue: each answer is printed before the next request is written."""
    words = ["-plaintext", any_server.address, "library.v1.Library/Exchange", "-d", "@", "--json"]
    command = netdiag.command("grpc", "call", *words)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for title in ("one", "two", "three"):
            process.stdin.write(json.dumps({"title": title}) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["message"] == {"title": title}
        process.stdin.close()
        document = json.loads(process.stdout.readline())
        assert (document["ok"], document["requests"], document["responses"]) == (True, 3, 3)
        assert process.wait(HANG) == 0


def test_a_status_is_the_exit_code_and_its_details_are_told(grpc_command, any_server):
    violations = error_details_pb2.BadRequest(
        field_violations=[error_details_pb2.BadRequest.FieldViolation(field="title", description="is empty")])
    details = [
        {"@type": "type.googleapis.com/google.rpc.BadRequest",
         "fieldViolations": [{"field": "title", "description": "is empty"}]},
        {"@type": "type.googleapis.com/shelf.Label", "text": "label"},
    ]
    # The schema of the call has no BadRequest: what is sent is an Any of bytes.
    raw = base64.b64encode(violations.SerializeToString()).decode()
    details[0] = {"@type": details[0]["@type"], "value": raw}
    data = json.dumps({"code": 3, "message": "no book", "details": details})
    words = ["call", "-plaintext", any_server.address, "library.v1.Library/Fail", "-d", data]
    result = called(grpc_command(*words), 64 + 3)
    notes(result, "FAIL", "INVALID_ARGUMENT: no book")
    notes(result, "google.rpc.BadRequest", '{"fieldViolations":[{"field":"title","description":"is empty"}]}')
    notes(result, "shelf.Label", '{"text":"label"}')
    document = called(grpc_command(*words, "--json"), 67).json
    assert document["status"] == {
        "code": 3, "name": "INVALID_ARGUMENT", "message": "no book", "details": [
            {"type": "google.rpc.BadRequest",
             "value": {"fieldViolations": [{"field": "title", "description": "is empty"}]}},
            {"type": "shelf.Label", "value": {"text": "label"}},
        ]}
    assert (document["ok"], document["code"]) == (False, "GRPC_FAILED")


def test_an_any_in_a_request_whose_type_the_method_s_schema_does_not_have(grpc_command, tmp_path):
    schema = library.Schema(library.compile_schema(tmp_path, "library/loan.proto"))
    details = [{"@type": "type.googleapis.com/loan.Loan", "reader": "A"},
               {"reason": "LENT", "domain": "library", "@type": "type.googleapis.com/google.rpc.ErrorInfo"}]
    with LibraryServer(schema) as server:
        words = ["call", "-plaintext", server.address, "library.v1.Library/Fail", "-d"]
        result = called(grpc_command(*words, json.dumps({"code": 5, "details": details})), 64 + 5)
        notes(result, "loan.Loan", '{"reader":"A"}')
        notes(result, "google.rpc.ErrorInfo", '{"reason":"LENT","domain":"library"}')
        assert server.reflection.questions.count("loan.Loan") == 1
        unknown = [{"@type": "type.googleapis.com/no.Such", "reader": "A"}]
        result = called(grpc_command(*words, json.dumps({"details": unknown})), 2)
        notes(result, "FAIL", "$.details[0].reader: the type type.googleapis.com/no.Such is not known")
        assert server.reflection.questions.count("no.Such") == 1


def packed(type: str, content: bytes) -> dict:
    """An Any whose type the schema of the call does not have."""
    return {"@type": f"type.googleapis.com/{type}", "value": base64.b64encode(content).decode()}


def test_an_any_in_an_answer_whose_type_the_server_has_beside_the_method_s(grpc_command, tmp_path):
    schema = library.Schema(library.compile_schema(tmp_path, "library/loan.proto"))
    details = error_details_pb2.ErrorInfo(reason="LATE")
    inner = schema["loan.Loan"](reader="B")
    inner.more.add().Pack(details)
    loan = schema["loan.Loan"](reader="A")
    loan.more.add().Pack(inner)
    # Of a type that nobody has the server is asked once.
    loan.more.add(type_url="a/unknown.Type", value=b"\x01")
    loan.more.add(type_url="a/unknown.Type", value=b"\x02")
    book = {"title": "t", "more": packed("loan.Loan", loan.SerializeToString())}
    with LibraryServer(schema) as server:
        words = ["call", "-plaintext", server.address, "library.v1.Library/Exchange", "-d", json.dumps(book) * 3]
        answers = values(called(grpc_command(*words)).stdout)
        asked = len(server.reflection.questions)
        text = called(grpc_command(*words, "-format", "text", "-d", 'title: "t"')).stdout
    assert answers == 3 * [{"title": "t", "more": {
        "@type": "type.googleapis.com/loan.Loan", "reader": "A", "more": [
            {"@type": "type.googleapis.com/loan.Loan", "reader": "B", "more": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "LATE"}]},
            {"@type": "a/unknown.Type", "value": "AQ=="}, {"@type": "a/unknown.Type", "value": "Ag=="}]}}]
    assert server.reflection.questions.count("unknown.Type") == 1
    assert asked < 20 and text == 'title: "t"\n'


def test_an_answer_with_any_of_more_types_than_sense(grpc_command, tmp_path):
    schema = library.Schema(library.compile_schema(tmp_path, "library/loan.proto"))
    loan = schema["loan.Loan"]()
    for number in range(500):
        loan.more.add(type_url=f"a/unknown.Type{number}")
    book = {"more": packed("loan.Loan", loan.SerializeToString())}
    with LibraryServer(schema) as server:
        words = ["call", "-plaintext", server.address, "library.v1.Library/Exchange", "-d", json.dumps(book)]
        answer = values(called(grpc_command(*words)).stdout)[0]
        assert len(answer["more"]["more"]) == 500
        assert len([name for name in server.reflection.questions if name.startswith("unknown")]) == 63


def test_every_status_has_its_exit_code(grpc_command, any_server):
    for status in list(grpc.StatusCode)[1:]:
        data = json.dumps({"code": status.value[0], "message": "said"})
        result = called(grpc_command("call", "-plaintext", any_server.address, "library.v1.Library/Fail", "-d", data),
                        64 + status.value[0])
        notes(result, "FAIL", f"{status.name}: said")


def test_a_method_that_the_server_does_not_have(grpc_command, protoset):
    with HealthServer() as server:
        words = ["-plaintext", "-protoset", protoset, server.address, GET_BOOK, "--json"]
        result = called(grpc_command("call", *words), 76)
        assert result.json["code"] in ("GRPC_UNIMPLEMENTED", "METHOD_UNIMPLEMENTED")


def test_a_call_that_takes_too_long(grpc_command, server):
    words = ["call", "-plaintext", server.address, "library.v1.Library/Wait", "-max-time", "0.3"]
    notes(called(grpc_command(*words), 64 + 4), "FAIL", "DEADLINE_EXCEEDED")
    assert called(grpc_command(*words, "--json"), 68).json["code"] == "DEADLINE_EXPIRED"


def test_the_deadline_goes_along(grpc_command, server):
    called(grpc_command("call", "-plaintext", server.address, GET_BOOK, "-max-time", "1m"))
    assert 50 < server.library.deadlines[-1] <= 60
    called(grpc_command("call", "-plaintext", server.address, GET_BOOK))
    assert server.library.deadlines[-1] > 1e9


def test_verbose_tells_metadata_and_hides_what_is_secret(grpc_command, server):
    result = called(grpc_command(
        "call", "-plaintext", server.address, GET_BOOK, "-v", "-H", "authorization: Bearer abc", "-H", "x-a: b"))
    for words in (["library.v1.Library.GetBook at 127.0.0.1:"], ["authorization: <hidden>"], ["x-a: b"],
                  ["x-served-by: library-1"], ["set-cookie: <hidden>"], ["x-cost: 3"], ["x-raw-bin: AP8"],
                  ["OK: 1 request, 1 answer"], ["connect ", "SETTINGS ", "first answer ", "call "]):
        notes(result, *words)
    result.lacks("abc", "secret")
    assert json.loads(result.stdout)["pages"]


def test_vv_tells_frames(grpc_command, server):
    notes(called(grpc_command("call", "-plaintext", server.address, GET_BOOK, "-vv")), "HEADERS")


def test_defaults_are_printed_where_wanted(grpc_command, server):
    book = json.loads(called(grpc_command(
        "call", "-plaintext", server.address, "library.v1.Library/GetBook", "-emit-defaults")).stdout)
    assert (book["title"], book["authors"], book["picture"]) == ("", [], "")
    assert "isRare" not in book


@pytest.mark.parametrize("data, words", [
    ('{"title": 3}', ["title"]), ('{"titel": "x"}', ["titel"]), ("{", ["request 1"]), ("{} {}", ["takes one request"]),
    ('{"title": "a", "title": "b"}', ["title"]), ("nonsense", []),
])
def test_a_request_that_is_none_is_refused_before_the_call(grpc_command, server, data, words):
    result = called(grpc_command("call", "-plaintext", server.address, GET_BOOK, "-d", data), USAGE)
    notes(result, "FAIL", *words)
    assert server.library.calls == [] and result.stdout == ""


BOOK_TEXT = r"""
# A book, with every way of writing that the format has.
title: "a" 'b' "\x63\144"; pages: -0x10, state: STATE_HERE
authors: ["x", "y"] authors: "z"
chapters { key: "one" value: 1 } chapters < key: "two" value: 2 > chapters: {key: "one", value: 3}
printed { seconds: 5 } is_rare: true
shelf: { room: "\"\n\u00fc" number: 7 }
more { [type.googleapis.com/library.v1.Summary] { count: 2 } }
cover: "\377\000"
"""


def test_the_text_format_both_ways(grpc_command, server, schema):
    from google.protobuf import text_format

    words = ["call", "-plaintext", server.address, "library.v1.Library/Exchange", "-format", "text", "-d", "@"]
    result = called(grpc_command(*words, stdin=BOOK_TEXT + "\x1e\x1etitle: 'last'"))
    books = [text_format.Parse(text, schema["library.v1.Book"](), descriptor_pool=schema.pool)
             for text in result.stdout.split("\x1e\n")]
    wanted = text_format.Parse(BOOK_TEXT, schema["library.v1.Book"](), descriptor_pool=schema.pool)
    assert books == [wanted, schema["library.v1.Book"](), schema["library.v1.Book"](title="last")]
    assert "[type.googleapis.com/library.v1.Summary] {" in result.stdout


@pytest.mark.parametrize("text, words", [
    ("titel: 'x'", ["1:1", 'no field "titel"']), ("pages: 'x'", ["1:8", "takes no text"]), ("title", ["missing"]),
    ("title: 'a' title: 'b'", ["1:12", "stands twice"]), ("pages: 99999999999999999999", ["1:8", "is no value"]),
    ("state: NONE", ["1:8"]), ("shelf {", ["1:8"]), ("authors: ['a'", ["1:14"]),
    ("[nobody.knows]: 1", ["no extension"]),
    ("cover: '", ["does not end"]), ("more { [x/y.Z] {} }", ["no schema has y.Z"]), ("}", ["1:1"]),
])
def test_a_text_that_is_no_message_says_where(grpc_command, server, text, words):
    result = called(grpc_command("call", "-plaintext", server.address, "library.v1.Library/Exchange", "-format", "text",
                                 "-d", text), USAGE)
    notes(result, "FAIL", "request 1", *words)


def test_unknown_fields_pass_where_allowed(grpc_command, server):
    words = ["call", "-plaintext", server.address, GET_BOOK, "-d", '{"titel": "x"}', "-allow-unknown-fields"]
    called(grpc_command(*words))


def test_answers_on_a_terminal_cannot_steer_it(netdiag, server):
    """What JSON leaves as it is, a terminal may take for a command: it is escaped there, and stays JSON."""
    title = "red\x9b31m \u202e \x7f ü 😀"
    main, side = pty.openpty()
    data = json.dumps({"title": title})
    command = netdiag.command("grpc", "call", "-plaintext", server.address, GET_BOOK, "-d", data)
    with subprocess.Popen(command, stdout=side) as process:
        os.close(side)
        shown = b""
        try:
            while chunk := os.read(main, 4096):
                shown += chunk
        except OSError:
            pass
        assert process.wait(HANG) == 0
    os.close(main)
    text = shown.decode().replace("\r\n", "\n")
    assert json.loads(text)["title"] == title and "ü 😀" in text
    assert not set("\x9b\u202e\x7f") & set(text)


def test_a_large_message_passes_where_it_is_allowed(grpc_command, server):
    title = "x" * 5_000_000
    words = ["call", "-plaintext", server.address, GET_BOOK, "-d", "@"]
    data = json.dumps({"title": title})
    called(grpc_command(*words, stdin=data), 64 + 8)
    result = called(grpc_command(*words, "-max-msg-sz", "6000000", stdin=data))
    assert json.loads(result.stdout)["title"] == title


def test_a_status_with_more_details_than_sense(grpc_command, server):
    detail = {"@type": "type.googleapis.com/nobody.Knows", "value": ""}
    data = json.dumps({"code": 9, "message": "m", "details": [detail] * 200})
    words = ["call", "-plaintext", server.address, "library.v1.Library/Fail", "-d", data, "--json"]
    document = called(grpc_command(*words), 73).json
    assert len(document["status"]["details"]) == 32


def test_a_message_that_is_too_large(grpc_command, server):
    words = ["call", "-plaintext", server.address, GET_BOOK, "-max-msg-sz", "8"]
    result = called(grpc_command(*words, "--json"), 64 + 8)
    assert result.json["code"] == "MESSAGE_TOO_LARGE"


def test_a_reader_that_goes_ends_the_call(netdiag, server):
    command = netdiag.command("grpc", "call", "-plaintext", server.address, "library.v1.Library/ListBooks", "-d",
                              '{"limit": 1000000}')
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(100)
        process.stdout.close()
        assert process.wait(HANG) == 0, process.stderr.read()


# How the server is reached.


def test_a_port_is_asked_what_it_speaks(grpc_command, server, schema, certificates):
    result = called(grpc_command("call", server.address, GET_BOOK))
    notes(result, "note", "speaks HTTP/2 in the clear", "--plaintext")
    key, certificate = ((certificates / f"server.{end}").read_bytes() for end in ("key", "pem"))
    credentials = grpc.ssl_server_credentials([(key, certificate)])
    with LibraryServer(schema, credentials=credentials) as secure:
        address = secure.address.replace("127.0.0.1", "localhost")
        words = [address, GET_BOOK, "-cacert", str(certificates / "ca.pem")]
        assert called(grpc_command("call", *words)).stderr == ""
        notes(called(grpc_command("list", address), PROBLEM), "FAIL", "certificate")
        assert "library.v1.Library" in called(grpc_command("list", address, "-insecure")).lines
        notes(called(grpc_command("call", "-plaintext", address, GET_BOOK), PROBLEM), "FAIL")


def test_metadata_never_goes_to_another_machine_in_the_clear_unless_it_is_said(grpc_command, schema):
    """The server's address is this machine's own, and not its loopback's: packets to it could go anywhere."""
    address = next((ip for ip in subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
                    if "." in ip), None)
    if address is None:
        pytest.skip("this machine has no address but its loopback's")
    with LibraryServer(schema, address=f"{address}:0") as server:
        words = ["call", server.address, GET_BOOK]
        called(grpc_command(*words))
        count = len(server.library.calls)
        result = called(grpc_command(*words, "-H", "authorization: Bearer abc"), PROBLEM)
        notes(result, "FAIL", "--plaintext").lacks("abc")
        assert (len(server.library.calls), "authorization" in dict(server.reflection.metadata)) == (count, False)
        called(grpc_command(*words, "-H", "authorization: Bearer abc", "-plaintext"))
        assert dict(server.library.metadata)["authorization"] == "Bearer abc"


def test_a_unix_socket(grpc_command, schema, tmp_path):
    with LibraryServer(schema, address=f"unix:{tmp_path}/socket"):
        called(grpc_command("call", "-plaintext", "-unix", tmp_path / "socket", GET_BOOK))
        called(grpc_command("call", "-plaintext", f"unix:{tmp_path}/socket", GET_BOOK, "-H", "a: b"))


def test_authority_and_user_agent(grpc_command, server):
    called(grpc_command("call", "-plaintext", server.address, GET_BOOK, "-user-agent", "tests/1"))
    assert re.fullmatch(r"tests/1 sonde/\S+", dict(server.library.metadata)["user-agent"])


def test_nobody_there(grpc_command):
    address = tcp.refused_address()
    document = called(grpc_command("call", "-plaintext", address, GET_BOOK, "--json"), PROBLEM).json
    assert (document["code"], document["status"]) == ("TCP_REFUSED", None)
    with tcp.black_hole() as dark:
        document = called(grpc_command("list", dark, "--connect-timeout", "0.3", "--json"), PROBLEM).json
        assert document["code"] == "TCP_TIMEOUT"


@pytest.mark.parametrize("words, line", [
    (["list"], "name a target, as HOST:PORT"),
    (["call", "localhost:1"], "name a target and one method, as HOST:PORT SERVICE/METHOD"),
    (["call", "localhost:1", "GetBook"], '"GetBook" is no method: write SERVICE/METHOD'),
    (["list", "localhost:1", "--plaintext", "--tls"], "--plaintext and --tls exclude each other"),
    (["list", "localhost:1", "-plaintext", "-insecure"], "--insecure is of no use with --plaintext"),
    (["list", "localhost:1", "-H", "secret"], "a --header of 6 bytes has no colon: write 'NAME: VALUE'"),
    (["list", "localhost:1", "-H", "a-bin: *"],
     'the value of "a-bin" is not base64, as that of a -bin entry must be'),
    (["list", "localhost:1", "-max-time", "0"], "--max-time must be greater than zero"),
    (["list", "a", "-protoset", "/nowhere"], 'cannot read "/nowhere": no such file or directory'),
    (["list", "a", "-protoset", "/bin/sh"], '"/bin/sh" is no descriptor set of protoc\'s'),
    (["diff", "one"], "name two schemas: descriptor sets, or servers as HOST:PORT"),
    (["bench", "localhost:1", GET_BOOK, "-d", "@"],
     "standard input cannot be the data of many calls: write it into a file, and give @FILE"),
    (["bench", "localhost:1", GET_BOOK, "-n", "5", "-z", "1"], "--calls and --duration exclude each other"),
])
def test_command_lines_that_cannot_be_used(grpc_command, words, line):
    grpc_command(*words).complains(f"netdiag grpc {words[0]}: {line}; see netdiag grpc {words[0]} --help")


def test_the_group_tells_its_commands(grpc_command, netdiag):
    assert "netdiag grpc list" not in netdiag("grpc").ends(USAGE).stdout
    for word in ("help", "--help"):
        assert "  grpc list" in grpc_command(word).stdout
    grpc_command("lists").complains('netdiag grpc: there is no command "lists"; see netdiag grpc help')


# What breaks.


OLD = """syntax = "proto3"; package s;
service S { rpc A(M) returns (M); rpc B(M) returns (stream M); rpc C(M) returns (M); }
message M { string a = 1; int32 b = 2; E c = 3; repeated int32 d = 4; string e = 5; string f = 6;
  oneof o { int32 g = 7; }
  map<string, int32> h = 8; N i = 9; reserved 20 to 30; reserved "gone"; int64 j = 10; string k = 11; }
message N { string a = 1; }
enum E { ZERO = 0; ONE = 1; TWO = 2; THREE = 3; }
"""
NEW = """syntax = "proto3"; package s;
service S { rpc A(N) returns (M); rpc B(M) returns (M); }
message M { string a = 12; string b = 2; E c = 3; int32 d = 4; int32 g = 7; reserved 5, 6, 20 to 29; reserved "f";
  map<string, string> h = 8; M i = 9; uint64 j = 10; string kay = 11; }
message N { string a = 1; int32 more = 2; }
enum E { ZERO = 0; EINS = 1; reserved 3; reserved "THREE"; }
"""


def compiled(folder, name, text):
    (folder / f"{name}.proto").write_text(text)
    return library.compile_set(folder, name, f"{name}.proto")


def test_what_breaks_between_two_schemas(grpc_command, tmp_path):
    old, new = compiled(tmp_path, "old", OLD), compiled(tmp_path, "new", NEW)
    called(grpc_command("diff", old, old)).says("ok")
    document = called(grpc_command("diff", old, new, "--json"), PROBLEM).json
    found = {(change["code"], change["element"], "+".join(change["breaks"])) for change in document["changes"]}
    assert found == {
        ("METHOD_TYPE_CHANGED", "s.S.A", "wire+json"), ("METHOD_STREAMING_CHANGED", "s.S.B", "wire+json"),
        ("METHOD_REMOVED", "s.S.C", "wire+json"), ("FIELD_NUMBER_CHANGED", "s.M.a", "wire"),
        ("FIELD_TYPE_CHANGED", "s.M.b", "wire+json"), ("FIELD_CARDINALITY_CHANGED", "s.M.d", "wire+json"),
        ("FIELD_REMOVED", "s.M.e", "json"), ("FIELD_ONEOF_CHANGED", "s.M.g", "wire+json"),
        ("FIELD_TYPE_CHANGED", "s.M.h", "wire+json"), ("FIELD_TYPE_CHANGED", "s.M.i", "wire+json"),
        ("RESERVATION_REMOVED", "s.M", "wire"), ("RESERVATION_REMOVED", "s.M", "json"),
        ("FIELD_JSON_NAME_CHANGED", "s.M.k", "json"), ("ENUM_VALUE_RENAMED", "s.ONE", "json"),
        ("ENUM_VALUE_REMOVED", "s.TWO", "wire+json"),
    }
    assert document["code"] == "SCHEMA_INCOMPATIBLE"
    called(grpc_command("diff", old, new), PROBLEM).says("FAIL", "s.M.a:", "its number was 1, and is 12", "(wire)")


def test_what_is_new_breaks_nothing(grpc_command, tmp_path):
    more = OLD.replace("int64 j = 10;", "int64 j = 10; string new = 40;").replace("THREE = 3;", "THREE = 3; FOUR = 4;")
    called(grpc_command("diff", compiled(tmp_path, "old", OLD), compiled(tmp_path, "new", more))).says("ok")


def test_a_file_against_a_server(grpc_command, protoset, server, tmp_path):
    called(grpc_command("diff", protoset, server.address, "-plaintext"))
    text = (library.HERE / "library.proto").read_text().replace("int64 pages = 2;", "string pages = 2;", 1)
    (tmp_path / "library").mkdir()
    (tmp_path / "library/library.proto").write_text(text)
    (tmp_path / "library/shelf.proto").write_text((library.HERE / "shelf.proto").read_text())
    changed = library.compile_set(tmp_path, "changed", "library/library.proto")
    result = called(grpc_command("diff", changed, server.address, "-plaintext"), PROBLEM)
    result.says("FAIL", "library.v1.Book.pages", "its type was string, and is int64")


# Loads.


def test_a_load_counts_every_call(grpc_command, server):
    words = ["bench", "-plaintext", server.address, GET_BOOK, "-d", '{"title": "x"}', "-c", "3", "-m", "2", "-n", "50"]
    document = called(grpc_command(*words, "--json")).json
    assert (document["calls"], document["failures"], document["responses"]) == (50, 0, 50)
    assert document["statuses"] == [{"code": 0, "name": "OK", "count": 50, "message": None}]
    assert sum(bar["calls"] for bar in document["histogram"]) == 50
    times = document["milliseconds"]
    assert 0 < times["least"] <= times["p50"] <= times["p90"] <= times["p99"] <= times["p999"] <= times["most"]
    assert server.library.calls.count("GetBook") == 50
    result = called(grpc_command(*words))
    result.says("ok", "50 calls in").says("ok", "OK: 50 calls").says("note", "p99.9")


def test_a_load_of_failures(grpc_command, server):
    words = ["bench", "-plaintext", server.address, "library.v1.Library/Fail", "-d", '{"code": 5, "message": "gone"}',
             "-n", "20"]
    result = called(grpc_command(*words), PROBLEM)
    result.says("FAIL", "NOT_FOUND: 20 calls, such as: gone")
    assert called(grpc_command(*words, "--json"), PROBLEM).json["failures"] == 20


def test_a_load_of_streams(grpc_command, server):
    loads = (("ListBooks", '{"limit": 4}', 40), ("AddBooks", "{}{}", 10), ("Exchange", "{}{}{}", 30))
    for method, data, answers in loads:
        words = ["bench", "-plaintext", server.address, f"library.v1.Library/{method}", "-d", data, "-n", "10"]
        assert called(grpc_command(*words, "--json")).json["responses"] == answers


def test_a_load_at_a_rate_ends_with_its_time(grpc_command, server):
    words = ["bench", "-plaintext", server.address, GET_BOOK, "-z", "0.5", "--rate", "100", "--json"]
    document = called(grpc_command(*words)).json
    assert 45 <= document["calls"] <= 50
    assert document["wantedRate"] == 100


def test_calls_that_take_too_long_are_counted(grpc_command, server):
    words = ["bench", "-plaintext", server.address, "library.v1.Library/Wait", "-n", "4", "-m", "1", "--timeout", "0.3"]
    document = called(grpc_command(*words, "--json"), PROBLEM).json
    assert [(status["name"], status["count"]) for status in document["statuses"]] == [("DEADLINE_EXCEEDED", 4)]


def test_a_server_that_goes_ends_the_load(netdiag, schema):
    server = LibraryServer(schema)
    server.__enter__()
    command = netdiag.command("grpc", "bench", "-plaintext", server.address, GET_BOOK, "-z", "30", "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while not server.library.calls:
            pass
        server.__exit__()
        document = json.loads(process.stdout.read())
        assert process.wait(HANG) == PROBLEM
    assert document["code"] == "TCP_REFUSED" and document["calls"] > 0


def test_progress_is_shown_on_a_terminal(netdiag, server):
    main, side = pty.openpty()
    command = netdiag.command("grpc", "bench", "-plaintext", server.address, GET_BOOK, "-z", "0.5", "--rate", "50")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=side, text=True) as process:
        os.close(side)
        shown = b""
        try:
            while chunk := os.read(main, 4096):
                shown += chunk
        except OSError:
            pass
        assert process.wait(HANG) == FINE
        assert "calls" in process.stdout.read()
    os.close(main)
    assert re.search(rb"\d+ calls, \d+/s", shown)


# Schemas from sources.


@pytest.mark.parametrize("text", [*SCHEMAS.values(), EDITION_2024], ids=[*SCHEMAS, "edition 2024"])
def test_sources_compile_to_what_protoc_makes_of_them(grpc_command, tmp_path, text):
    """What is printed of a source is what is printed of protoc's set."""
    (tmp_path / "base.proto").write_text('syntax = "proto3"; package base; message Base { string a = 1; }')
    (tmp_path / "file.proto").write_text(text)
    compiled = library.compile_set(tmp_path, "set", "file.proto")
    ours = called(grpc_command("describe", "-proto", "file.proto", "-I", tmp_path, "file.proto")).stdout
    assert ours == called(grpc_command("describe", "-protoset", compiled, "file.proto")).stdout


def test_a_source_with_comments_and_imports_compiles(grpc_command, protoset, tmp_path):
    (tmp_path / "library").mkdir()
    for name in ("library.proto", "shelf.proto"):
        (tmp_path / "library" / name).write_text((library.HERE / name).read_text())
    words = ["-proto", "library/library.proto", "-I", "/nowhere", "-import-path", tmp_path]
    assert called(grpc_command("list", *words)).lines == ["library.v1.Library"]
    for name in ("library/library.proto", "library.v1.Book", "library.v1.Library"):
        ours = called(grpc_command("describe", *words, name)).stdout
        assert ours == called(grpc_command("describe", "-protoset", protoset, name)).stdout
    called(grpc_command("diff", protoset, protoset))


def test_files_that_everybody_imports_need_not_be_there(grpc_command, tmp_path):
    names = ["any", "descriptor", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers"]
    imports = [f"google/protobuf/{name}.proto" for name in names] + [
        "google/api/annotations.proto", "google/rpc/status.proto", "google/rpc/error_details.proto"]
    lines = "".join(f'import "{name}";' for name in imports)
    (tmp_path / "a.proto").write_text('syntax = "proto3"; package a;' + lines + """
        service S { rpc M(google.protobuf.Empty) returns (google.rpc.Status) { option (google.api.http) = {
          get: "/v1/{name=a/*}" additional_bindings { post: '/x' body: "*" } }; } }""")
    printed = called(grpc_command("describe", "-proto", "a.proto", "-I", tmp_path, "a.S")).stdout
    assert "rpc M(google.protobuf.Empty) returns (google.rpc.Status) {" in printed
    assert 'additional_bindings {\n        post: "/x"\n        body: "*"\n' in printed


P3 = 'syntax = "proto3";\n'


@pytest.mark.parametrize("text, line", [
    (P3 + "message M { string a 1; }", 'file.proto:2:22: the field needs a number: "=" is missing before "1"'),
    (P3 + "message M { strin a = 1; }", 'file.proto:2:13: there is no type "strin"'),
    (P3 + "message M {", "file.proto:2:12: a field's type is missing before the file's end"),
    (P3 + 'import "none.proto";', 'file.proto:2:8: the file "none.proto" is not there'),
    (P3 + "message M { string a = 0; }", "file.proto:2:24: the field's number must be from 1 to 536870911"),
    (P3 + "message M { string a = 1; string b = 1; }", "file.proto:2:9: M: the number 1 is used twice"),
    (P3 + "service S { rpc A(M) returns (M); } enum M { Z = 0; }", 'file.proto:2:19: "M" is no message'),
    (P3 + "message A { message B { " * 40, "file.proto:2:"),
    ('syntax = "proto4";', 'file.proto:1:10: "proto4" is no version of the language that is known here'),
    ("message M { int32 a = 1; }", "file.proto:1:13: a field of proto2 is optional, required or repeated: write which"),
    ('edition = "2023"; message M { optional int32 a = 1; }', "file.proto:1:40: editions have features.field_presence"),
    ('"', "file.proto:1:1: a text does not end on its line"),
    ("/* ", "file.proto:1:1: a comment does not end"),
    ("\x01", "file.proto:1:1: a character has no place here"),
    ("package " + "a." * 1_000 + "a;", "file.proto:1:9: the package's name is too long"),
    ("message M { optional bool a = 1 [default = -true]; }", "file.proto:1:34: default: true has no sign"),
    ("message M { optional string a = 1 [default = -'x']; }", "file.proto:1:36: a text has no sign"),
    (P3 + "message M { repeated int32 a = 1 [pakced = true]; }", "file.proto:2:35: pakced: there is no such option"),
    (P3 + "message M { option deprecated = IDEMPOTENT; }", "file.proto:2:20: deprecated: it has no such value"),
])
def test_a_source_that_does_not_compile_says_where(grpc_command, tmp_path, text, line):
    (tmp_path / "file.proto").write_text(text)
    result = grpc_command("list", "-proto", "file.proto", "-I", tmp_path)
    assert result.code in (PROBLEM, USAGE) and line in result.stderr, result


# Servers and inputs that never end.


def test_the_time_is_over_although_the_server_keeps_talking(grpc_command, server):
    words = ["call", "-plaintext", server.address, "library.v1.Library/ListBooks", "-d", '{"limit": 1000000000}']
    notes(called(grpc_command(*words, "-max-time", "0.5"), 68), "DEADLINE_EXCEEDED")


def test_one_request_is_all_that_is_read_for_a_method_that_takes_one(netdiag, server):
    command = netdiag.command("grpc", "call", "-plaintext", server.address, GET_BOOK, "-d", "@")
    with subprocess.Popen(["yes", "{}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as endless:
        done = subprocess.run(command, stdin=endless.stdout, capture_output=True, timeout=HANG)
        endless.kill()
    assert done.returncode == USAGE and b"takes one request" in done.stderr


def test_a_server_that_ends_each_connection_at_once_ends_the_load(grpc_command, protoset):
    both = http2.frame(http2.SETTINGS, 0, 0) + http2.frame(http2.GOAWAY, 0, 0, bytes(8))
    goodbye = [expect_preface(), http2.raw(both), until_closed()]
    with ScriptedPeer(*[goodbye] * 40) as peer:
        words = ["bench", "-plaintext", "-protoset", protoset, peer.address, GET_BOOK, "-c", "1", "-n", "5", "--json"]
        document = called(grpc_command(*words), PROBLEM).json
    assert (document["code"], document["calls"]) == ("H2_GOAWAY", 0)


def test_a_server_that_permits_no_calls_ends_the_load(grpc_command, protoset):
    none = [expect_preface(), settings(max_concurrent_streams=0), until_closed()]
    with ScriptedPeer(none) as peer:
        words = ["bench", "-plaintext", "-protoset", protoset, peer.address, GET_BOOK, "-c", "1", "-n", "5", "--json"]
        document = called(grpc_command(*words), PROBLEM).json
    assert document["code"] == "H2_PROTOCOL_ERROR" and "permits no calls" in document["error"]


def test_calls_that_were_due_and_never_begun_are_counted(grpc_command, server):
    words = ["bench", "-plaintext", server.address, "library.v1.Library/Wait", "-c", "1", "-m", "2", "--rate", "100",
             "-z", "1", "--timeout", "0.4", "--json"]
    document = called(grpc_command(*words), PROBLEM).json
    assert document["calls"] + document["notBegun"] in range(98, 102) and document["calls"] < 20


# Completion.


def test_a_line_is_completed_from_the_server_that_it_names(netdiag, server, protoset):
    def completed(line: str) -> list[str]:
        return netdiag("complete", line).ends(FINE).lines

    names = ("GetBook", "ListBooks", "AddBooks", "Exchange", "Fail", "Wait")
    methods = [f"library.v1.Library/{name}" for name in names]
    assert completed(f"netdiag grpc call -plaintext {server.address} ") == methods
    assert completed(f"netdiag grpc call -plaintext -H 'a: b' {server.address} library.v1") == methods
    assert completed(f"netdiag grpc list {server.address} -plaintext l") == [V1, "library.v1.Library"]
    assert completed(f"netdiag grpc describe -protoset {protoset} l") == ["library.v1.Library", *methods]
    for line in ("", "netdiag", "netdiag grpc", "netdiag grpc call ", "netdiag grpc call -nonsense x ",
                 "netdiag tcp x ",
                 f"netdiag grpc call -plaintext {tcp.refused_address()} "):
        assert completed(line) == []


def test_what_a_server_calls_its_services_is_nothing_for_shells_to_run(netdiag, schema):
    with LibraryServer(schema, more=("$(touch /tmp/x)", "a`id`", "b;c", "d e", "\x1b[2J", "fine.Service_2")) as hostile:
        offered = netdiag("complete", f"netdiag grpc list -plaintext {hostile.address} ").ends(FINE).lines
        assert offered == ["fine.Service_2", V1, "library.v1.Library"]
        listed = netdiag("grpc", "list", "-plaintext", hostile.address).stdout
        assert "\x1b" not in listed and len(listed.splitlines()) == 8


def test_bash_offers_the_methods_of_the_server(netdiag, server, tmp_path):
    """The file that bash reads, with a line whose target has a colon, which bash takes for the end of a word."""
    program = """
      PATH=$2:$PATH; source "$1"; compopt() { :; }
      COMP_LINE="netdiag grpc call -plaintext $3 library.v1.Library/G"; COMP_POINT=${#COMP_LINE}
      COMP_WORDS=(netdiag grpc call -plaintext 127.0.0.1 : 1 library.v1.Library/G); COMP_CWORD=7
      _netdiag; printf '%s\\n' "${COMPREPLY[@]}"
    """
    completions = ROOT / "dist" / "completions" / "netdiag.bash"
    (tmp_path / "netdiag").symlink_to(netdiag.path)
    if not completions.exists():
        pytest.skip("the completions were not made: make release")
    done = subprocess.run(["bash", "-c", program, "bash", completions, tmp_path, server.address], capture_output=True,
                          text=True, check=True)
    assert done.stdout.split() == [GET_BOOK]
