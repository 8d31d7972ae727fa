# SPDX-License-Identifier: Apache-2.0
"""Compares the project's mapping between Protobuf and JSON with Google's, both ways, on random and hostile input.

Where the two differ, a table tells why, by the public specification of the mapping.
"""

import json
import re
from decimal import Decimal

import pytest
from google.protobuf import json_format, message as protobuf, message_factory

from schemas import Schema, Writer, compiled
from test_oracle import SCHEMAS, SEED, Oracle, canonical, parsed

MESSAGES = 40


def roughly(text):
    """A number to six digits: Google's implementation in Python has more than the shortest ones for a float."""
    number = float(text)
    return 0.0 if abs(number) < 1e-37 else float(f"{number:.6g}")


def as_json(text, number=float):
    """A document whose members have an order and whose numbers are doubles."""

    def members(pairs):
        # Google's implementation knows lists of extensions that were emptied, and writes them.
        return {name: value for name, value in pairs if not (name.startswith("[") and value == [])}

    return json.dumps(json.loads(text, parse_int=number, parse_float=number, object_pairs_hook=members), sort_keys=True)


def content(message, pool):
    """A message as text that is the same where the content is; a NaN has no bits here."""
    return as_json(json_format.MessageToJson(message, descriptor_pool=pool))


def ours(cls, answer, pool):
    is_right, encoded = answer
    return content(parsed(cls, encoded), pool) if is_right else None


def theirs(cls, text: str, pool, ignores_unknown: bool = False):
    message = cls()
    try:
        json_format.Parse(text, message, ignore_unknown_fields=ignores_unknown, descriptor_pool=pool)
    except json_format.ParseError:
        return None
    return content(message, pool)


def printed(message, pool, flags: int):
    """What Google's implementation writes; None for what it cannot write: an Any of an unknown type among it."""
    try:
        return json_format.MessageToJson(
            message, always_print_fields_with_no_presence=bool(flags & 1), preserving_proto_field_name=bool(flags & 2),
            use_integers_for_enums=bool(flags & 4), descriptor_pool=pool)
    except (json_format.SerializeToJsonError, UnicodeDecodeError, TypeError, protobuf.DecodeError, ValueError):
        return None


@pytest.mark.parametrize("seed", range(SEED, SEED + SCHEMAS))
def test_random_messages(seed: int) -> None:
    schema = Schema(seed)
    writer = Writer(seed)
    oracle = Oracle()
    oracle.ask(b"S", schema.set)
    cases = []
    for _ in range(MESSAGES):
        name = writer.random.choice(schema.names)
        type = schema.pool.FindMessageTypeByName("t." + name)
        cls = message_factory.GetMessageClass(type)
        message = parsed(cls, writer.message(type))
        if message is None or not message.IsInitialized():
            continue
        message.DiscardUnknownFields()
        for flags in range(16) if len(cases) < 50 else (0, 7):
            oracle.ask(b"W", type.full_name.encode(), canonical(message), bytes([flags]))
            text = printed(message, schema.pool, flags)
            if text is not None:
                oracle.ask(b"J", type.full_name.encode(), text.encode(), bytes([0]))
            cases.append((flags, cls, message, text))
    answers = iter(oracle.answers())
    assert next(answers)[0]
    for flags, cls, message, text in cases:
        is_right, written = next(answers)
        what = (seed, flags, written, text, schema.text)
        if text is None:
            assert not is_right, what
            continue
        if not is_right:
            # Python writes its own notation of bytes for them.
            assert b"not UTF-8" in written, what
            next(answers)
            continue
        assert is_right, what
        assert as_json(written, roughly) == as_json(text, roughly), what
        expected = content(message, schema.pool)
        assert theirs(cls, written.decode(), schema.pool) == expected, what
        assert ours(cls, next(answers), schema.pool) == expected, what


# Types with forms of their own, and every type of field.

SCALARS = ["double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "bytes", "uint32",
           "sfixed32", "sfixed64", "sint32", "sint64"]
KEYS = [name for name in SCALARS if name not in ("double", "float", "bytes")]
KNOWN = ["Any", "Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue", "Empty", "DoubleValue",
         "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue", "StringValue",
         "BytesValue", "NullValue"]
IMPORTS = ["any", "timestamp", "duration", "field_mask", "struct", "wrappers", "empty"]


def everything() -> str:
    """A file whose message `t.All` has each type alone, in a list, in a map and in a oneof, and each key."""
    lines = ['syntax = "proto3";', "package t;"]
    lines += [f'import "google/protobuf/{name}.proto";' for name in IMPORTS]
    lines += ["enum E { A = 0; B = 1; C = -5; }", "message All {"]
    types = SCALARS + ["E", "All"] + ["google.protobuf." + name for name in KNOWN]
    for number, type in enumerate(types):
        name = type.split(".")[-1].lower()
        lines.append(f"{type} one_{name} = {10 * number + 1}; repeated {type} list_{name} = {10 * number + 2};")
        lines.append(f"map<string, {type}> map_{name} = {10 * number + 3};")
        other = f"bool other{number} = {10 * number + 5};"
        lines.append(f"oneof o{number} {{ {type} first_{name} = {10 * number + 4}; {other} }}")
    for number, key in enumerate(KEYS):
        lines.append(f"map<{key}, int32> key_{key} = {1000 + number};")
    return "\n".join(lines + ["}"])


NUMBERS = """
    0 -0 -0.0 1 -1 1.0 1e2 1E+2 150e-1 1.5 5e-1 2147483647 2147483648 -2147483648 -2147483649 4294967295 4294967296
    9007199254740993 9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809
    18446744073709551615 18446744073709551616 1e400 -1e400 1e-400 3.4028234e38 3.4028236e38 -3.5e38 1e39
    1.7976931348623157e308 1.8e308 01 1. .5 +1 0x10 NaN Infinity -Infinity 1e --1 1_000
""".split()
TEXTS = """
    nan inf true false null A B a X NULL_VALUE QUI QUI= QUI== QQ QQ= QQ== QR== -_-_ +/+/ -/+_ Q Q=== ==== = Q*Q= QUJD
    QUI=QUI= a,b aB.cD,e a_b a,,b , a, aBc1 a1B a.b.c fooBar, \\u0031 \\ud800 \\ud83d\\ude00 \\ude00\\ud83d \\x ä
    0s 1s -1s 1.5s -0.5s 1.000000001s 1.0000000001s 1.s .5s s +1s 01s -0s 1e2s 315576000000s 315576000001s
    -315576000000.999999999s 0.1s 1S --1s -.5s 1..5s
    1970-01-01T00:00:00Z 1970-01-01T00:00:00.5Z 1970-01-01T00:00:00.123456789Z 1970-01-01T00:00:00.1234567891Z
    0001-01-01T00:00:00Z 0000-12-31T23:59:59Z 9999-12-31T23:59:59.999999999Z 10000-01-01T00:00:00Z
    2024-02-29T12:00:00+05:30 2023-02-29T12:00:00Z 2100-02-29T00:00:00Z 2000-02-29T00:00:00Z 1970-01-01t00:00:00Z
    1970-01-01T00:00:00z 1970-01-01T00:00:00 1970-01-01T00:00Z 1970-01-01T24:00:00Z 1970-01-01T23:60:00Z
    1970-01-01T23:59:60Z 1970-13-01T00:00:00Z 1970-00-01T00:00:00Z 1970-01-00T00:00:00Z 1970-04-31T00:00:00Z
    1970-1-1T0:0:0Z 0001-01-01T00:00:00+00:01 0001-01-01T00:00:00-00:01 9999-12-31T23:59:59-00:01
    1970-01-01T00:00:00+0000 1970-01-01T00:00:00.Z 1970-01-01T00:00:00+23:59 1970-01-01T00:00:00-24:00
    1970-01-01T00:00:00+05:60 1970-01-01T00:00:00Zx +970-01-01T00:00:00Z 1970-01-01T00:00:00,5Z
""".split() + ["", " 1", "1 ", "\\n1", "\t", "1 s", "a b", "Q Q=", "1970-01-01 00:00:00Z", "1970-01-01T00:00:00Z "]
URL = "type.googleapis.com/"
KNOWN_URL = URL + "google.protobuf."
ANYS = [
    '{"@type": "%st.All", "oneInt32": 5}' % URL, '{"oneInt32": 5, "@type": "%st.All"}' % URL, '{"@type": "t.All"}',
    '{"@type": "%st.All", "x": 1}' % URL, '{"@type": "%st.All", "@type": "%st.All"}' % (URL, URL), '{"@type": 1}',
    '{"@type": "%sDuration", "value": "1s"}' % KNOWN_URL, '{"value": "1s", "@type": "%sDuration"}' % KNOWN_URL,
    '{"@type": "%sDuration"}' % KNOWN_URL, '{"@type": "%sDuration", "value": "1s", "x": 1}' % KNOWN_URL,
    '{"@type": "%sEmpty"}' % KNOWN_URL, '{"@type": "%sEmpty", "value": {}}' % KNOWN_URL,
    '{"@type": "%sAny", "value": {"@type": "%st.All"}}' % (KNOWN_URL, URL),
    '{"@type": "%sAny", "value": {}}' % KNOWN_URL,
    '{"value": {"x": [{"oneInt32": 1, "@type": "%st.All"}], "@type": "%sStruct"}}' % (URL, KNOWN_URL),
    '{"oneAny": {"oneAny": {"@type": "%sEmpty"}, "@type": "%st.All"}, "@type": "%st.All"}' % (KNOWN_URL, URL, URL),
    '{"@type": "%sValue", "value": null}' % KNOWN_URL, '{"@type": "%sInt32Value", "value": 7}' % KNOWN_URL,
]
OBJECTS = [
    "null", "true", "false", "[]", "{}", "[null]", "[[]]", "[1]", '["A", "zzz"]', '{"a": null}', '{"a": 1}', '{"": {}}',
    '{"a": 1, "a": 2}', '{"a": [1, {"b": null}]}', "[1,]", "nul", "", '{"a": "zzz"}', "{a: 1}", "'a'", "[1] []",
    '{"one_int32": 5}', '{"oneInt32": 5, "one_int32": 5}', '{"oneInt32": null, "one_int32": 5}',
    '{"firstInt32": 1, "other4": true}', '{"firstInt32": null, "other4": true}', '{"OneInt32": 1}', '{"oneInt32": 1} x',
    '{"firstNullvalue": null, "other34": true}',
]
VALUES = OBJECTS + ANYS + NUMBERS + [f'"{text}"' for text in NUMBERS + TEXTS]

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
BASE64 = re.compile(r"([\w+/-]{4})*([\w+/-]{2}(==)?|[\w+/-]{3}=?)?", re.ASCII)
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII)
DURATION = re.compile(r"-?\d+(\.\d{1,9})?s", re.ASCII)

# What Google's implementation in Python takes and ours refuses: the end of our line, and whether the specification of
# the mapping, or the RFC that it refers to, is on our side.
STRICTER = {
    # Numbers are JSON's, also in quotes. Python's own have signs, underscores, spaces and names for infinity.
    "a number must stand here": lambda text: text in ("true", "false"),
    "the string is not a number": lambda text: not NUMBER.fullmatch(text),
    # Python makes infinity of what is too large, and cuts an enum's number to 32 bits or drops its fraction.
    "the number is out of range or not whole": lambda text: abs(Decimal(text)) > 2**31 or Decimal(text) % 1 != 0,
    # An enum is a name or a number, and not digits in a string, nor a boolean.
    "has no such value": lambda text: re.sub(r"\\u0031|\\n", "1", text).strip(" +-").replace("_", "").isdigit(),
    "must stand here": lambda text: text in ("true", "false"),
    # Python goes through whatever it can go through: a list, a string.
    "an object must stand here": lambda text: not text.startswith("{"),
    # Python passes over what is not of the alphabet, and takes any padding.
    "the string is not base64": lambda text: not BASE64.fullmatch(text),
    "the string is not a timestamp": lambda text: not TIMESTAMP.fullmatch(text),
    "the string is not a duration": lambda text: not DURATION.fullmatch(text),
    # An empty path would be lost on the way back.
    "the string is not a field mask": lambda text: "" in text.split(","),
    # Both names of a field are the one field. A null value is a value.
    "the field stands twice in one object": lambda text: "one_int32" in text,
    "the oneof o34 stands in the same object": lambda text: "firstNullvalue" in text,
    # A type's URL has a slash. What has a form of its own stands alone under "value".
    "the type t.All is not known": lambda text: '"t.All"' in text,
    # JSON has no such numbers.
    "a character is out of place": lambda text: text in ("NaN", "Infinity"),
    "a number is malformed": lambda text: text == "-Infinity",
    "google.protobuf.Any has no such field": lambda text: '"x": 1' in text,
}
# What ours takes and Google's implementation in Python refuses, or understands in another way.
LOOSER = [
    # Python takes -0 for an integer. A zero may have a sign.
    lambda name, text: text.strip('"') == "-0",
    # null is the one value of NullValue, also in a list and a map.
    lambda name, text: name in ("listNullvalue", "mapNullvalue") and text == "null",
    # Digits in a string are a name that an enum does not have, and passed over where such names are.
    lambda name, text: name.endswith(("E", "Nullvalue")) and STRICTER["has no such value"](text.strip('"')),
    # What is passed over may stand twice.
    lambda name, text: name.endswith(("All", "Empty")) and text in ('{"a": 1, "a": 2}', ANYS[4]),
    # The bytes of an unknown type, as our own writer has them.
    lambda name, text: "t.None" in text,
]


def asked(message, ignores_unknown: bool):
    """Documents with every value in every place: the field's name, the value, the document."""
    for field in message.fields:
        name = field.json_name
        if name.startswith("key"):
            for text in NUMBERS + TEXTS:
                yield name, text, '{"%s": {"%s": 1}}' % (name, text)
        elif not name.startswith("other"):
            form = '{"%s": [%s]}' if name.startswith("list") else '{"%s": %s}'
            for value in VALUES:
                yield name, value, form % (name, '{"k": %s}' % value if name.startswith("map") else value)


def decided(ours, theirs, name: str, value: str, line: str) -> bool:
    """Whether both implementations agree, or a table says why they do not."""
    if ours == theirs:
        return True
    if ours is not None:
        return any(rule(name, value) for rule in LOOSER)
    text = value[1:-1] if value.startswith('"') else value
    return any(line.endswith(end) and rule(text) for end, rule in STRICTER.items())


@pytest.mark.parametrize("ignores_unknown", [False, True])
def test_every_value_in_every_place(ignores_unknown: bool) -> None:
    set, pool = compiled(everything())
    cls = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.All"))
    oracle = Oracle()
    oracle.ask(b"S", set)
    cases = list(asked(cls.DESCRIPTOR, ignores_unknown))
    for _, _, document in cases:
        oracle.ask(b"J", b"t.All", document.encode(), bytes([ignores_unknown]))
    answers = iter(oracle.answers())
    assert next(answers)[0]
    taken = 0
    for name, value, document in cases:
        answer = next(answers)
        line = "" if answer[0] else answer[1].decode()
        try:
            theirs_content = theirs(cls, document, pool, ignores_unknown)
        except json_format.SerializeToJsonError:
            # A Value that is not finite: taken, and then not written.
            theirs_content = None
        found = ours(cls, answer, pool)
        taken += found is not None
        assert decided(found, theirs_content, name, value, line), (document, line, found, theirs_content)
    assert taken > 5000


def test_known_types_are_written_alike() -> None:
    set, pool = compiled(everything())
    cls = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.All"))
    oracle = Oracle()
    oracle.ask(b"S", set)
    messages = []
    for name, value, document in asked(cls.DESCRIPTOR, False):
        message = cls()
        try:
            json_format.Parse(document, message, descriptor_pool=pool)
            text = json_format.MessageToJson(message, descriptor_pool=pool)
        except (json_format.ParseError, json_format.SerializeToJsonError):
            continue
        oracle.ask(b"W", b"t.All", canonical(message), bytes([0]))
        messages.append((document, text, message))
    answers = iter(oracle.answers())
    assert next(answers)[0]
    written = 0
    for document, text, message in messages:
        is_right, answer = next(answers)
        if not is_right:
            # A path with a comma in it, or none, comes back as another; a URL without a slash names no type.
            assert b"field mask" in answer, (document, answer)
            continue
        written += 1
        if '"t.All"' not in document:
            assert as_json(answer, roughly) == as_json(text, roughly), document
    assert written > 5000
