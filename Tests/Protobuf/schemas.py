# SPDX-License-Identifier: Apache-2.0
"""Random schemas, as text for protoc, and random messages of them, as bytes."""

import random
import struct
import tempfile
from dataclasses import dataclass, field as member
from pathlib import Path

import grpc_tools
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FieldDescriptor
from grpc_tools import protoc

SCALARS = {
    "double": FieldDescriptor.TYPE_DOUBLE, "float": FieldDescriptor.TYPE_FLOAT, "int64": FieldDescriptor.TYPE_INT64,
    "uint64": FieldDescriptor.TYPE_UINT64, "int32": FieldDescriptor.TYPE_INT32,
    "fixed64": FieldDescriptor.TYPE_FIXED64, "fixed32": FieldDescriptor.TYPE_FIXED32, "bool": FieldDescriptor.TYPE_BOOL,
    "string": FieldDescriptor.TYPE_STRING, "bytes": FieldDescriptor.TYPE_BYTES, "uint32": FieldDescriptor.TYPE_UINT32,
    "sfixed32": FieldDescriptor.TYPE_SFIXED32, "sfixed64": FieldDescriptor.TYPE_SFIXED64,
    "sint32": FieldDescriptor.TYPE_SINT32, "sint64": FieldDescriptor.TYPE_SINT64,
}
KEYS = [name for name in SCALARS if name not in ("double", "float", "bytes")]
DEFAULTS = {
    "double": ["1.5", "-inf", "nan", "1e300", "-0.0"], "float": ["0.1", "inf", "3.4028235e+38", "1.5e-30"],
    "int32": ["-2147483648", "7"], "int64": ["-9223372036854775808"], "uint32": ["4294967295"],
    "uint64": ["18446744073709551615"], "bool": ["true", "false"], "string": ['"ä\\n"', '""'],
    "bytes": ['"\\000\\377\\"x"'], "sint32": ["-1"], "fixed64": ["5"],
}
FAR = [15, 16, 63, 64, 127, 128, 300, 2047, 2048, 18999, 20000, 300000, 536870911]


@dataclass
class Message:
    """A message's text, line by line; a line of a field may be left out."""

    name: str
    lines: list[tuple[str, bool]] = member(default_factory=list)


class Schema:
    """One file of messages that use each other; `small` is the same with some fields left out."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.syntax = self.random.choice(["proto2", "proto3", "editions"])
        self.has_extensions = self.syntax != "proto3"
        self.names = [f"M{number}" for number in range(self.random.randint(1, 4))]
        messages = [self.message(name) for name in self.names]
        extensions = self.extensions() if self.has_extensions else []
        head = ['edition = "2023";' if self.syntax == "editions" else f'syntax = "{self.syntax}";', "package t;"]
        if self.syntax == "editions":
            head += self.file_features()
        head += self.enums()
        self.text = self.render(head, messages, extensions, False)
        self.small_text = self.render(head, messages, extensions, True)
        self.set, self.pool = compiled(self.text)
        self.small_set, self.small_pool = compiled(self.small_text)

    def render(self, head, messages, extensions, is_small: bool) -> str:
        kept = random.Random(str(self.names) + self.syntax)
        lines = list(head)
        for message in messages:
            lines.append(f"message {message.name} {{")
            for text, is_field in message.lines:
                if not (is_small and is_field and kept.random() < 0.4):
                    lines.append("  " + text)
            lines.append("}")
        for extension in extensions:
            if not (is_small and kept.random() < 0.4):
                lines.append(extension)
        return "\n".join(lines) + "\n"

    def file_features(self) -> list[str]:
        choices = {
            "field_presence": ["EXPLICIT", "IMPLICIT"], "repeated_field_encoding": ["PACKED", "EXPANDED"],
            "utf8_validation": ["VERIFY", "NONE"], "message_encoding": ["LENGTH_PREFIXED", "DELIMITED"],
        }
        return [
            f"option features.{name} = {self.random.choice(values)};"
            for name, values in choices.items() if self.random.random() < 0.4
        ]

    def enums(self) -> list[str]:
        is_closed = self.syntax == "proto2"
        first = self.random.choice([0, 1, -3]) if is_closed else 0
        lines = [f"enum Near {{ N_A = {first}; N_B = 2; N_C = 3; N_D = 4; }}"]
        alias = "option allow_alias = true; F_E = 100000;"
        lines.append(f"enum Far {{ F_A = 0; F_B = -2147483648; F_C = 2147483647; F_D = 100000; {alias} }}")
        if self.syntax == "editions":
            lines.append("enum Shut { option features.enum_type = CLOSED; S_A = 4; S_B = 5; }")
        return lines

    def number(self, used: set[int]) -> int:
        while True:
            near = self.random.randint(1, 40)
            number = near if self.random.random() < 0.8 else self.random.choice(FAR)
            # What lies from 1000 to 1999 is for extensions.
            if number not in used:
                used.add(number)
                return number

    def type(self) -> str:
        chance = self.random.random()
        if chance < 0.65:
            return self.random.choice(list(SCALARS))
        if chance < 0.8:
            return self.random.choice(["Near", "Far"] + (["Shut"] if self.syntax == "editions" else []))
        return self.random.choice(self.names)

    def options(self, kind: str, type: str, in_oneof: bool = False) -> str:
        options = []
        is_packable = type not in ("string", "bytes") and type not in self.names
        if self.syntax == "editions":
            if kind == "repeated" and is_packable and self.random.random() < 0.4:
                value = self.random.choice(["PACKED", "EXPANDED"])
                options.append(f"features.repeated_field_encoding = {value}")
            if kind == "" and not in_oneof and type not in self.names and self.random.random() < 0.5:
                values = ["EXPLICIT", "LEGACY_REQUIRED"] if self.random.random() < 0.5 else ["EXPLICIT"]
                if type != "Shut" and values == ["EXPLICIT"]:
                    values.append("IMPLICIT")
                options.append(f"features.field_presence = {self.random.choice(values)}")
            elif type == "Shut" and kind == "" and not in_oneof:
                options.append("features.field_presence = EXPLICIT")
            if type in self.names and self.random.random() < 0.5:
                value = self.random.choice(["DELIMITED", "LENGTH_PREFIXED"])
                options.append(f"features.message_encoding = {value}")
            if type == "string" and self.random.random() < 0.4:
                options.append(f"features.utf8_validation = {self.random.choice(['VERIFY', 'NONE'])}")
        elif kind == "repeated" and is_packable and self.random.random() < 0.4:
            options.append(f"packed = {self.random.choice(['true', 'false'])}")
        if self.syntax == "proto2" and kind == "optional" and type in DEFAULTS and self.random.random() < 0.4:
            options.append(f"default = {self.random.choice(DEFAULTS[type])}")
        if self.random.random() < 0.05:
            options.append("deprecated = true")
        return f" [{', '.join(options)}]" if options else ""

    def message(self, name: str) -> Message:
        message = Message(name)
        used: set[int] = set()
        for place in range(self.random.randint(1, 14)):
            number = self.number(used)
            field = f"f_{place}_x"
            chance = self.random.random()
            type = self.type()
            if chance < 0.12:
                value = self.type()
                # The first value of an enum in a map is 0.
                value = "Far" if value in ("Near", "Shut") else value
                message.lines.append((f"map<{self.random.choice(KEYS)}, {value}> {field} = {number};", True))
            elif chance < 0.2 and self.syntax == "proto2":
                label = self.random.choice(["optional", "repeated"])
                inner = f"optional {self.type()} a = 1; repeated {self.type()} b = 2;"
                message.lines.append((f"{label} group G{place} = {number} {{ {inner} }}", True))
            elif chance < 0.3:
                more = self.number(used)
                other = self.type()
                text = f"oneof o_{place} {{ {type} {field} = {number}{self.options('', type, True)}; "
                text += f"{other} {field}y = {more}{self.options('', other, True)}; }}"
                message.lines.append((text, True))
            else:
                labels = {
                    "proto2": ["optional", "optional", "repeated", "repeated", "required"],
                    "proto3": ["", "", "optional", "repeated", "repeated"], "editions": ["", "repeated"],
                }
                label = self.random.choice(labels[self.syntax])
                if label == "required" and (type in self.names or self.random.random() < 0.5):
                    label = "optional"
                text = f"{label} {type} {field} = {number}{self.options(label, type)};"
                message.lines.append((text.strip(), True))
        if self.has_extensions:
            message.lines.append(("extensions 1000 to 1999;", False))
        return message

    def extensions(self) -> list[str]:
        lines = []
        for place in range(self.random.randint(0, 4)):
            label = self.random.choice(["repeated", "" if self.syntax == "editions" else "optional"])
            type = self.type()
            options = self.options(label or "extension", type)
            field = f"{label} {type} x_{place} = {1000 + place * 50}{options};"
            lines.append(f"extend {self.random.choice(self.names)} {{ {field} }}")
        return lines


def compiled(text: str) -> tuple[bytes, descriptor_pool.DescriptorPool]:
    """The set that protoc makes of a file, and a pool of it."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "t.proto")
        source.write_text(text)
        out = Path(folder, "set")
        include = Path(grpc_tools.__file__).parent / "_proto"
        arguments = ["protoc", f"-I{folder}", f"-I{include}", f"--descriptor_set_out={out}", "--include_imports"]
        assert protoc.main(arguments + [str(source)]) == 0, text
        content = out.read_bytes()
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(content).file:
        pool.AddSerializedFile(file.SerializeToString())
    return content, pool


# Messages


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


class Writer:
    """Writes messages of a schema in all the forms that decoders accept."""

    FIXED64 = (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FIXED64, FieldDescriptor.TYPE_SFIXED64)
    FIXED32 = (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_FIXED32, FieldDescriptor.TYPE_SFIXED32)
    NUMBERS = [0, 1, -1, 2, 3, 4, 5, 127, 128, 100000, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63)]
    TEXTS = ["", "a", "text", "ä€😀", "a longer text with an ä at its end: ä", "\0", "x" * 200]

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def tag(self, number: int, wire: int) -> bytes:
        tag = varint(number << 3 | wire)
        # A tag may be longer than it needs to be, up to five bytes.
        if self.random.random() < 0.02 and len(tag) < 5:
            tag = tag[:-1] + bytes([tag[-1] | 0x80]) + b"\x80" * (4 - len(tag)) + b"\0"
        return tag

    def behind_length(self, content: bytes) -> bytes:
        return varint(len(content)) + content

    def number(self) -> int:
        if self.random.random() < 0.5:
            return self.random.choice(self.NUMBERS)
        return self.random.getrandbits(self.random.choice([7, 14, 32, 64]))

    def value(self, field: FieldDescriptor, depth: int) -> bytes:
        """One value behind its tag; a group has no tag of its own here."""
        if field.type in self.FIXED64:
            special = [0, 1, 1 << 63, 0x7FF8000000000001, 0x3FF0000000000000]
            return struct.pack("<Q", self.random.choice(special + [self.random.getrandbits(64)]))
        if field.type in self.FIXED32:
            special = [0, 1, 1 << 31, 0x7FC00001, 0x3F800000]
            return struct.pack("<I", self.random.choice(special + [self.random.getrandbits(32)]))
        if field.type == FieldDescriptor.TYPE_STRING:
            text = self.random.choice(self.TEXTS).encode()
            return self.behind_length(b"\xff" + text if self.random.random() < 0.01 else text)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self.behind_length(self.random.randbytes(self.random.choice([0, 1, 5, 200])))
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            if field.message_type.GetOptions().map_entry:
                return self.behind_length(self.entry(field.message_type, depth))
            return self.behind_length(self.message(field.message_type, depth + 1))
        return varint(self.number())

    def wire(self, field: FieldDescriptor) -> int:
        if field.type in self.FIXED64:
            return 1
        if field.type in self.FIXED32:
            return 5
        lengths = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_MESSAGE)
        return 2 if field.type in lengths else 3 if field.type == FieldDescriptor.TYPE_GROUP else 0

    def entry(self, type, depth: int) -> bytes:
        """The parts of a map's entry: in any order, missing, or twice."""
        fields = [type.fields_by_number[1], type.fields_by_number[2]]
        fields = [field for field in fields if self.random.random() < 0.9]
        if self.random.random() < 0.1 and fields:
            fields.append(self.random.choice(fields))
        if self.random.random() < 0.2:
            self.random.shuffle(fields)
        return b"".join(self.field(field, depth + 1) for field in fields)

    def field(self, field: FieldDescriptor, depth: int) -> bytes:
        wire = self.wire(field)
        if wire == 3:
            content = self.message(field.message_type, depth + 1)
            return self.tag(field.number, 3) + content + self.tag(field.number, 4)
        if field.is_repeated and wire != 2 and self.random.random() < 0.5:
            values = [self.value(field, depth) for _ in range(self.random.choice([0, 1, 3, 10]))]
            return self.tag(field.number, 2) + self.behind_length(b"".join(values))
        return self.tag(field.number, wire) + self.value(field, depth)

    def unknown(self, number: int) -> bytes:
        wire = self.random.choice([0, 1, 2, 3, 5])
        content = {0: varint(self.number()), 1: bytes(8), 2: self.behind_length(b"\x08\x80"), 5: bytes(4)}
        if wire != 3:
            return self.tag(number, wire) + content[wire]
        return self.tag(number, 3) + self.unknown(7) * self.random.randint(0, 1) + self.tag(number, 4)

    def message(self, type, depth: int = 0) -> bytes:
        if depth > 6:
            return b""
        extensions = type.file.pool.FindAllExtensions(type) if type.is_extendable else []
        fields = list(type.fields) + list(extensions)
        parts = []
        for _ in range(self.random.choice([0, 1, 2, 5, 12]) if depth < 3 else self.random.randint(0, 1)):
            chance = self.random.random()
            if chance < 0.9 and fields:
                parts.append(self.field(self.random.choice(fields), depth))
            elif chance < 0.95 and fields:
                # Its own number, and often not its own wire type.
                parts.append(self.unknown(self.random.choice(fields).number))
            else:
                parts.append(self.unknown(self.random.choice([50, 999, 3000, 536870910])))
        if self.random.random() < 0.5:
            parts.sort()
        return b"".join(parts)

    def mutated(self, content: bytes) -> bytes:
        out = bytearray(content)
        for _ in range(self.random.randint(1, 3)):
            place = self.random.randrange(len(out) + 1)
            chance = self.random.random()
            if chance < 0.5 and place < len(out):
                out[place] = self.random.choice([0, 0x7F, 0x80, 0xFF, self.random.randrange(256), out[place] ^ 1])
            elif chance < 0.7:
                del out[place : place + self.random.randint(1, 3)]
            elif chance < 0.9:
                out[place:place] = self.random.randbytes(self.random.randint(1, 2))
            else:
                del out[place:]
        return bytes(out)
