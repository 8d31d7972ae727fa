# SPDX-License-Identifier: Apache-2.0
"""Compares the project's Protobuf with Google's: random schemas, random messages, mutated bytes.

`protobuf-oracle` links what protoc makes of each schema, and decodes and encodes each message. Google's implementation
must understand the schema in the same way, accept the same bytes, and find the same content in what was encoded.

PROTOBUF_SCHEMAS says how many schemas are tried (40), PROTOBUF_SEED with which one to begin (1).
"""

import os
import struct
import subprocess
from pathlib import Path

import pytest
from google.protobuf import message as protobuf, message_factory, unknown_fields
from google.protobuf.descriptor import FieldDescriptor

from schemas import Schema, Writer

SEED = int(os.environ.get("PROTOBUF_SEED", "1"))
SCHEMAS = int(os.environ.get("PROTOBUF_SCHEMAS", "40"))
MESSAGES = 60


class Oracle:
    """Requests to `protobuf-oracle`, all asked at once."""

    def __init__(self):
        self.input = bytearray()

    def ask(self, kind: bytes, *parts: bytes) -> None:
        self.input += kind + b"".join(struct.pack("<I", len(part)) + part for part in parts)

    def answers(self) -> list[tuple[bool, bytes]]:
        program = Path(os.environ["SONDE_PROGRAMS"], "protobuf-oracle")
        output = subprocess.run([program], input=self.input, stdout=subprocess.PIPE, timeout=300, check=True).stdout
        answers = []
        place = 0
        while place < len(output):
            (length,) = struct.unpack_from("<I", output, place + 1)
            answers.append((output[place] == 1, output[place + 5 : place + 5 + length]))
            place += 5 + length
        return answers


def default(field: FieldDescriptor) -> str:
    if field.is_repeated or field.message_type:
        return ""
    value = field.default_value
    if field.type == FieldDescriptor.TYPE_FLOAT:
        return "nan" if value != value else f"{struct.unpack('<I', struct.pack('<f', value))[0]:x}"
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return "nan" if value != value else f"{struct.unpack('<Q', struct.pack('<d', value))[0]:x}"
    if field.type == FieldDescriptor.TYPE_STRING:
        value = value.encode()
    return ",".join(f"{byte:x}" for byte in value) if isinstance(value, bytes) else str(int(value))


def described(file) -> str:
    """What Google's implementation knows of each field and enum of a file, as `protobuf-oracle` tells it."""
    lines = []

    def describe_field(field):
        named = field.message_type or field.enum_type
        lines.append("|".join([
            field.full_name, str(field.number), str(field.type), "repeated" if field.is_repeated else "",
            "required" if field.is_required else "", field.json_name, "presence" if field.has_presence else "",
            "packed" if field.is_packed else "", named.full_name if named else "", field.containing_type.full_name,
            field.containing_oneof.name if field.containing_oneof else "",
            "deprecated" if field.GetOptions().deprecated else "", default(field),
        ]))

    def describe_enum(enum):
        values = ",".join(f"{value.name}={value.number}" for value in enum.values)
        lines.append(f"{enum.full_name}|{'closed' if enum.is_closed else 'open'}|{values}")

    def describe_message(message):
        for field in list(message.fields) + list(message.extensions):
            describe_field(field)
        for enum in message.enum_types:
            describe_enum(enum)
        for nested in message.nested_types:
            describe_message(nested)

    for message in file.message_types_by_name.values():
        describe_message(message)
    for enum in file.enum_types_by_name.values():
        describe_enum(enum)
    for field in file.extensions_by_name.values():
        describe_field(field)
    return "\n".join(sorted(lines, key=str.encode))


def parsed(cls, content: bytes):
    try:
        message = cls.FromString(content)
    except protobuf.DecodeError:
        return None
    return message


def canonical(message) -> bytes:
    """A message as bytes that are the same where the content is, NaN included."""
    return message.SerializePartialToString(deterministic=True)


# What Google's implementation for Python takes and ours refuses. Nobody writes such bytes, and others refuse them too:
# Go the first, C++ the second.
STRICTER = (
    # A varint of more than 64 bits: its upper bits are dropped there.
    b"a varint is malformed",
    # A field number 0 in an unknown group: nobody looks there.
    b"a tag is illegal",
)


def has_unknown_entry(message) -> bool:
    """Whether a map's entry is among the unknown fields.

    There an entry that has an unknown field of its own is unknown as a whole. Ours, as C++, Java and Go, keeps the
    entry and drops the field.
    """
    maps = {field.number for field in message.DESCRIPTOR.fields if field.message_type and is_map(field)}
    if any(field.field_number in maps for field in unknown_fields.UnknownFieldSet(message)):
        return True
    return any(has_unknown_entry(inner) for inner in submessages(message))


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type.GetOptions().map_entry


def submessages(message):
    for field, value in message.ListFields():
        if not field.message_type:
            continue
        if is_map(field):
            if field.message_type.fields_by_number[2].message_type:
                yield from value.values()
        elif field.is_repeated:
            yield from value
        else:
            yield value


@pytest.mark.parametrize("seed", range(SEED, SEED + SCHEMAS))
def test_same_as_google(seed: int) -> None:
    schema = Schema(seed)
    writer = Writer(seed)
    large = [schema.pool.FindMessageTypeByName("t." + name) for name in schema.names]
    classes = {}
    for pool, key in ((schema.pool, "large"), (schema.small_pool, "small")):
        for name in schema.names:
            type = pool.FindMessageTypeByName("t." + name)
            classes[key, name] = message_factory.GetMessageClass(type)

    contents = []
    for _ in range(MESSAGES):
        type = writer.random.choice(large)
        content = writer.message(type)
        contents.append((type.name, content))
        contents.append((type.name, writer.mutated(content)))

    oracle = Oracle()
    cases = []
    for key, content in (("large", schema.set), ("small", schema.small_set)):
        oracle.ask(b"S", content)
        for name, bytes in contents:
            message = parsed(classes[key, name], bytes)
            oracle.ask(b"M", b"t." + name.encode(), bytes)
            # What Google's implementation writes must be the same to ours as what it read.
            written = canonical(message) if message is not None else bytes
            oracle.ask(b"M", b"t." + name.encode(), written)
            cases.append((key, name, bytes, message))

    answers = iter(oracle.answers())
    accepted = 0
    for number, (key, name, content, message) in enumerate(cases):
        if number % len(contents) == 0:
            is_right, text = next(answers)
            pool = schema.pool if key == "large" else schema.small_pool
            assert is_right, (text, schema.text)
            assert text.decode() == described(pool.FindFileByName("t.proto"))
        is_right, answer = next(answers)
        again = next(answers)
        what = (seed, key, name, content.hex(), answer, schema.text if key == "large" else schema.small_text)
        if message is None or not is_right:
            assert message is None or any(line in answer for line in STRICTER), ("theirs takes it", *what)
            assert not is_right, ("ours takes it", *what)
            continue
        accepted += 1
        assert answer[0] == message.IsInitialized(), what
        assert again[0], ("ours refuses what theirs wrote", again[1], *what)
        for encoded in (answer, again[1]):
            found = parsed(classes[key, name], encoded[1:])
            assert found is not None, ("theirs refuses what ours wrote", *what)
            is_same = canonical(found) == canonical(message)
            assert is_same or has_unknown_entry(message), ("contents differ", *what)
    assert accepted > MESSAGES
