# SPDX-License-Identifier: Apache-2.0
"""Message sets: messages of extensions alone whose wire format is one of their own, as Google's Protobuf has it."""

import random

import pytest
from google.protobuf import json_format, message_factory

from schemas import compiled, varint
from test_oracle import SEED, STRICTER, Oracle, canonical, parsed

SCHEMA = """
syntax = "proto2";
package t;
message Set { option message_set_wire_format = true; extensions 4 to max; }
message A { extend Set { optional A a = 100; } optional int32 i = 1; optional string s = 2; optional Set set = 3; }
message B { extend Set { optional B b = 2147483646; } repeated int64 n = 1; required bool is = 2; }
message Holder { optional Set set = 1; repeated Set sets = 2; optional int32 last = 3; }
"""


def bytes_field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def item(number: int, content: bytes) -> bytes:
    return b"\x0b\x10" + varint(number) + b"\x1a" + varint(len(content)) + content + b"\x0c"


A = b"\x08\x05\x12\x03abc"
B = b"\x08\x01\x08\x02\x10\x01"
CONTENTS = {
    "nothing": b"",
    "an item": item(100, A),
    "two of them": item(100, A) + item(2147483646, B),
    "the other way round": item(2147483646, B) + item(100, A),
    "a set within": item(100, b"\x1a" + varint(len(item(100, A))) + item(100, A)),
    "content before the number": b"\x0b\x1a" + varint(len(A)) + A + b"\x10\x64\x0c",
    "an unknown number": item(99, A),
    "a number that no extension can have": item(1, A),
    "one item twice": item(100, A) + item(100, b"\x08\x07"),
    "a field as elsewhere": bytes_field(100, A),
    "both forms": item(100, A) + bytes_field(100, b"\x08\x07"),
    "another field": b"\x28\x05",
    "a required field is missing": item(2147483646, b"\x08\x01"),
    "an empty group": b"\x0b\x0c",
    "no content": b"\x0b\x10\x64\x0c",
    "no number": b"\x0b\x1a\x02\x08\x05\x0c",
    "a field in the group that is none of its own": b"\x0b\x10\x64\x28\x07\x1a\x02\x08\x05\x0c",
    "content of another wire type": b"\x0b\x10\x64\x18\x07\x0c",
    "no end": b"\x0b\x10\x64\x1a\x02\x08\x05",
    "another end": b"\x0b\x10\x64\x1a\x02\x08\x05\x14",
    "content that is no message": item(100, b"\x08"),
    "content beyond the end": b"\x0b\x10\x64\x1a\x7f\x08\x05\x0c",
}


def is_given_twice(content: bytes) -> bool:
    """Whether an extension comes more than once: Google's implementation for Python then has the last alone. Ours
    merges them, as C++ and Java do, and as messages of other fields are."""
    forms = [[b"\x10" + varint(number), varint(number << 3 | 2)] for number in (100, 2147483646)]
    return any(sum(content.count(form) for form in both) > 1 for both in forms)


def compare(contents: dict[str, bytes]) -> int:
    """Both must take the same bytes for the same content; gives how many were taken."""
    schema, pool = compiled(SCHEMA)
    types = [pool.FindMessageTypeByName(f"t.{name}") for name in ("Set", "Holder")]
    classes = [message_factory.GetMessageClass(type) for type in types]
    oracle = Oracle()
    oracle.ask(b"S", schema)
    cases = []
    for what, content in contents.items():
        for type, cls, bytes in zip(types, classes, [content, bytes_field(1, content) + b"\x18\x05"]):
            cases.append((what, cls, bytes))
            oracle.ask(b"M", type.full_name.encode(), bytes)
    answers = iter(oracle.answers())
    assert next(answers)[0]
    taken = 0
    for what, cls, bytes in cases:
        is_right, answer = next(answers)
        message = parsed(cls, bytes)
        if message is None or not is_right:
            assert message is None or any(line in answer for line in STRICTER), (what, bytes.hex(), answer)
            assert not is_right, (what, bytes.hex())
            continue
        taken += 1
        again = parsed(cls, answer[1:])
        assert again is not None, (what, bytes.hex(), answer.hex())
        if not is_given_twice(bytes):
            assert answer[0] == message.IsInitialized(), (what, bytes.hex())
            assert canonical(again) == canonical(message), (what, bytes.hex(), answer.hex())
    return taken


@pytest.mark.parametrize("what", CONTENTS)
def test_wire_format(what: str) -> None:
    compare({what: CONTENTS[what]})


def test_mutations() -> None:
    chance = random.Random(SEED)
    contents = {}
    for number in range(600):
        content = bytearray(b"".join(chance.choices(list(CONTENTS.values()), k=3)))
        for _ in range(chance.randrange(3)):
            if content:
                content[chance.randrange(len(content))] = chance.choice([0, 0x0B, 0x0C, 0x10, 0x1A, 0x64, 0xFF])
        contents[f"mutation {number}"] = bytes(content)
    assert compare(contents) > 100


def test_json() -> None:
    schema, pool = compiled(SCHEMA)
    holder = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Holder"))
    content = bytes_field(1, CONTENTS["two of them"]) + bytes_field(2, CONTENTS["a set within"])
    text = json_format.MessageToJson(holder.FromString(content), descriptor_pool=pool)
    assert "[t.A.a]" in text and "[t.B.b]" in text
    oracle = Oracle()
    oracle.ask(b"S", schema)
    oracle.ask(b"W", b"t.Holder", content, b"\0")
    oracle.ask(b"J", b"t.Holder", text.encode(), b"\0")
    _, written, read = oracle.answers()
    assert written[0] and read[0]
    for message in (json_format.Parse(written[1], holder(), descriptor_pool=pool), holder.FromString(read[1])):
        assert canonical(message) == canonical(holder.FromString(content))
