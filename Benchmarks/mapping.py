# SPDX-License-Identifier: Apache-2.0
"""Runs what scripts/bench-protobuf has prepared, and prints its tables: messages to JSON and back, in three programs.

As a peer of its own programs it measures itself: `mapping.py --peer FILE TYPE SECONDS`, like the others.
"""

from __future__ import annotations

import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

WORK = pathlib.Path(os.environ["SONDE_BENCH_WORK"])
sys.path.insert(0, str(WORK))

import catalog_pb2
from google.protobuf import json_format
from google.protobuf.internal import api_implementation
from launched import machine

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = float(os.environ.get("BENCH_SCALE", "1"))
OURS = "ours, schema loaded at run time"
REFERENCE = "C++, generated code"
HEADINGS = {"to-json": "decoded, and written as JSON", "from-json": "read from JSON, and encoded"}
NAMES = ["Ada Lovelace", "Grace Hopper", "Jürgen Müller", "山田 太郎", 'Ann "Annie" Lee']


def framed(messages: list) -> bytes:
    encoded = [message.SerializeToString() for message in messages]
    return b"".join(len(one).to_bytes(4, "little") + one for one in encoded)


def account(chance: random.Random) -> catalog_pb2.Account:
    number = chance.randrange(1 << 40)
    made = catalog_pb2.Account(
        id=number,
        email=f"user{number}@example.com",
        display_name=chance.choice(NAMES),
        state=chance.choice([catalog_pb2.ACTIVE, catalog_pb2.SUSPENDED]),
        verified=chance.random() < 0.5,
        avatar_digest=chance.randbytes(32),
        phone=f"+49 30 {chance.randrange(10**7)}",
        labels={"team": chance.choice(["payments", "search"]), "tier": "gold", "region": "eu-central-1"},
    )
    made.created_at.FromNanoseconds(1_700_000_000_000_000_000 + chance.randrange(10**9) * 1_000_000)
    for _ in range(2):
        made.addresses.add(
            street=f"{chance.randrange(200)} Harbour Road",
            city="Lübeck",
            country_code="DE",
            latitude=round(chance.uniform(-90, 90), 6),
            longitude=round(chance.uniform(-180, 180), 6),
        )
    return made


def workloads() -> dict[str, tuple[str, list]]:
    chance = random.Random(2026)
    numbers = catalog_pb2.Numbers(
        counts=[chance.randrange(-(1 << 50), 1 << 50) for _ in range(1_000)],
        samples=[chance.uniform(-1e6, 1e6) for _ in range(1_000)],
        identifiers=[chance.randrange(1 << 32) for _ in range(1_000)],
        flags=[chance.random() < 0.5 for _ in range(1_000)],
    )
    page = catalog_pb2.Page(accounts=[account(chance) for _ in range(100)], next_page_token="MTAwfDIwMjY")
    return {
        "One record": ("sonde.benchmark.Account", [account(chance) for _ in range(100)]),
        "A page of 100 records": ("sonde.benchmark.Page", [page]),
        "4,000 numbers": ("sonde.benchmark.Numbers", [numbers]),
    }


def measured(name: str, seconds: float, count: int, work) -> None:
    work()
    rounds = size = 0
    start = time.perf_counter()
    while (taken := time.perf_counter() - start) < seconds:
        size += work()
        rounds += 1
    print(name, rounds * count, size, f"{taken:.6f}")


def peer(path: str, name: str, seconds: str) -> None:
    """What the compiled programs do, by Python's Protobuf."""
    kind = getattr(catalog_pb2, name.rpartition(".")[2])
    content = memoryview(pathlib.Path(path).read_bytes())
    encoded = []
    while content:
        end = 4 + int.from_bytes(content[:4], "little")
        encoded.append(bytes(content[4:end]))
        content = content[end:]
    documents: list[str] = []

    def write() -> int:
        documents[:] = [json_format.MessageToJson(kind.FromString(one), indent=None) for one in encoded]
        return sum(sizes) if (sizes := [len(one.encode()) for one in documents]) else 0

    def read() -> int:
        for document in documents:
            json_format.Parse(document, kind()).SerializeToString()
        return sum(len(one) for one in documents)

    measured("to-json", float(seconds), len(encoded), write)
    measured("from-json", float(seconds), len(encoded), read)


def main(ours: str) -> None:
    programs = {
        OURS: [ours, str(WORK / "catalog.set")],
        REFERENCE: [str(WORK / "mapping")],
        f"Python, {api_implementation.Type()}": [sys.executable, __file__, "--peer"],
    }
    print(f"{machine()}; medians of {ROUNDS} rounds of {SECONDS:g} s, programs in turn, one at a time")
    for title, (kind, messages) in workloads().items():
        file = WORK / "messages"
        file.write_bytes(framed(messages))
        figures: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for turn in range(ROUNDS):
            for name, command in programs.items():
                print(f"bench-protobuf: {title}, round {turn + 1} of {ROUNDS}, {name}", file=sys.stderr)
                told = subprocess.run(
                    [*command, str(file), kind, str(SECONDS)], check=True, stdout=subprocess.PIPE, text=True
                )
                for line in told.stdout.splitlines():
                    what, count, size, seconds = line.split()
                    figures.setdefault((what, name), []).append(
                        (int(count) / float(seconds), int(size) / float(seconds) / 1e6)
                    )
        for what, heading in HEADINGS.items():
            print(f"\n**{title} ({len(framed(messages)) // len(messages) - 4:,} bytes), {heading}**\n")
            print("| program | messages/s | MB of JSON/s | times C++ |")
            print("|---|---:|---:|---:|")
            rates = {name: [statistics.median(column) for column in zip(*figures[what, name])] for name in programs}
            for name, (rate, size) in rates.items():
                print(f"| {name} | {rate:,.0f} | {size:,.1f} | {rate / rates[REFERENCE][0]:.2f} |")


if sys.argv[1] == "--peer":
    peer(*sys.argv[2:])
else:
    main(sys.argv[1])
