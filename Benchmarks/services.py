# SPDX-License-Identifier: Apache-2.0
"""Measures the services beside their peers, and prints the tables.

    services.py WORK CERTIFICATES USER-SERVICE BENCHMARK-SERVER NETDIAG

Servers take turns, each alone on processor 0, with h2load on processor 1: what a table compares was measured within one
run, a few seconds apart. Each figure is the median of several rounds.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import platform
import re
import signal
import socket
import statistics
import subprocess
import sys
import time

ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 3)
SCALE = float(os.environ.get("BENCH_SCALE") or 1)

HELLO = '{"name": "Docker"}'
GRPC = ["-H", "content-type: application/grpc", "-H", "te: trailers"]


def framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


#: Messages of a streaming call, and the size of each one's payload.
MESSAGES, SIZE = 1_000, 16
PARAMETERS = field(2, b"\x08" + varint(SIZE))

BODIES = {
    "hello": framed(field(1, b"Docker")),
    "output": framed(PARAMETERS * MESSAGES),
    "duplex": framed(PARAMETERS) * MESSAGES,
}


@dataclasses.dataclass
class Contender:
    """A server by name: its command, in which PORT stands for the port."""

    name: str
    command: list[str]
    path: str = "/pb.Greeter/SayHello"
    scheme: str = "http"


@dataclasses.dataclass
class Result:
    rate: float
    cpu: float
    p50: float
    p99: float


class Bench:
    def __init__(self, work: pathlib.Path):
        self.work = work
        for name, body in BODIES.items():
            (work / name).write_bytes(body)
        self.port = 21_000

    def start(self, contender: Contender) -> subprocess.Popen:
        self.port += 1
        command = [word.replace("PORT", str(self.port)) for word in contender.command]
        log = open(self.work / "server.log", "ab")
        process = subprocess.Popen(["taskset", "-c", "0", *command], stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return process
            except OSError:
                time.sleep(0.05)
        sys.exit(f"bench: {contender.name} does not start; see {self.work}/server.log")

    def load(self, contender: Contender, body: str | None, requests: int, connections: int, streams: int) -> Result:
        """One round: a server of its own, warmed up."""
        process = self.start(contender)
        try:
            self.run(contender, body, max(requests // 10, connections), connections, streams)
            before = cpu_seconds(process.pid)
            rate, times = self.run(contender, body, requests, connections, streams)
            cpu = (cpu_seconds(process.pid) - before) / requests
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        return Result(rate, cpu * 1e6, times[len(times) // 2], times[int(len(times) * 0.99)])

    def run(self, contender: Contender, body: str | None, requests: int, connections: int, streams: int):
        log = self.work / "requests"
        log.unlink(missing_ok=True)
        command = ["taskset", "-c", "1", "h2load", "-t", "1", "-n", str(requests), "-c", str(connections)]
        command += ["-m", str(streams), f"--log-file={log}"]
        if body:
            command += [*GRPC, "-d", str(self.work / body)]
        url = f"{contender.scheme}://127.0.0.1:{self.port}{contender.path}"
        done = subprocess.run([*command, url], capture_output=True, text=True)
        output = done.stdout + done.stderr
        succeeded = re.search(r"(\d+) succeeded", output)
        if not succeeded or int(succeeded[1]) != requests:
            sys.exit(f"bench: {contender.name}: not every request succeeded\n{output}")
        rate = float(re.search(r"([\d.]+) req/s", output)[1])
        return rate, sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines())

    def table(
        self, title: str, contenders: list[Contender], body: str | None, requests: int, connections: int, streams: int,
        per_request: int = 1, unit: str = "calls/s",
    ) -> None:  # fmt: skip
        print(f"bench: {title}", file=sys.stderr)
        requests = max(int(requests * SCALE), connections)
        results: dict[str, list[Result]] = {contender.name: [] for contender in contenders}
        for _ in range(ROUNDS):
            for contender in contenders:
                count = max(requests // 10, connections) if contender.name == "grpcio" else requests
                results[contender.name].append(self.load(contender, body, count, connections, streams))
        peer = median(results, "gRPC C++", "rate") if "gRPC C++" in results else None
        print(f"\n**{title}**\n")
        print(f"| server | {unit} | times gRPC C++ | CPU µs | p50 µs | p99 µs |")
        print("|---|---:|---:|---:|---:|---:|")
        for name in results:
            rate = median(results, name, "rate")
            times = f"{rate / peer:.2f}" if peer else "–"
            columns = [f"{rate * per_request:,.0f}", times, f"{median(results, name, 'cpu') / per_request:.2f}"]
            columns += [f"{median(results, name, value):,.0f}" for value in ("p50", "p99")]
            print("|", " | ".join([name, *columns]), "|", flush=True)

    def loaders(self, server: Contender, netdiag: str, calls: int) -> None:
        """The load itself: what makes it, and what that costs, on processor 1 with one server on processor 0."""
        print("bench: netdiag grpc bench, beside h2load", file=sys.stderr)
        calls = int(calls * SCALE)
        connections, streams = "20", "50"
        place = "127.0.0.1:PORT"
        wanted = ["-c", connections, "-m", streams, "-n", str(calls)]
        method = server.path.removeprefix("/")
        commands = {
            "netdiag grpc bench": [
                netdiag, "grpc", "bench", "-plaintext", place, method, "-d", HELLO, *wanted, "--json"
            ],
            "h2load": [
                "h2load", "-t", "1", *wanted, *GRPC, "-d", str(self.work / "hello"), f"http://{place}{server.path}"
            ],
        }  # fmt: skip
        results: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                process = self.start(server)
                try:
                    results[name].append(self.loaded(name, command, calls))
                finally:
                    process.kill()
                    process.wait()
        least = statistics.median(cpu for _, cpu in results["h2load"])
        print(f"\n**The load itself, on {server.name}**\n")
        print("| program | calls/s | its CPU µs a call | times h2load's CPU |")
        print("|---|---:|---:|---:|")
        for name, rounds in results.items():
            rate, cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
            print(f"| {name} | {rate:,.0f} | {cpu:.2f} | {cpu / least:.2f} |", flush=True)

    def loaded(self, name: str, command: list[str], calls: int) -> tuple[float, float]:
        """Calls a second, and the CPU time of each in µs."""
        command = [word.replace("PORT", str(self.port)) for word in command]
        loader = subprocess.Popen(["taskset", "-c", "1", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = loader.stdout.read().decode()
        _, status, usage = os.wait4(loader.pid, 0)
        loader.returncode = os.waitstatus_to_exitcode(status)
        if loader.returncode != 0:
            sys.exit(f"bench: {name} failed\n{output}")
        if output.startswith("{"):
            rate = float(json.loads(output)["callsPerSecond"])
        else:
            rate = float(re.search(r"([\d.]+) req/s", output)[1])
        return rate, (usage.ru_utime + usage.ru_stime) / calls * 1e6

    def memory(self, contenders: list[Contender], connections: int) -> None:
        print("bench: memory", file=sys.stderr)
        print(f"\n**Memory**\n\n| server | idle KiB | with {connections:,} connections KiB | a connection KiB |")
        print("|---|---:|---:|---:|")
        hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
        for contender in contenders:
            process = self.start(contender)
            time.sleep(0.5)
            idle = resident(process.pid)
            clients = []
            for _ in range(connections):
                client = socket.create_connection(("127.0.0.1", self.port))
                client.sendall(hello)
                clients.append(client)
            for client in clients:
                client.recv(1)
            time.sleep(0.5)
            busy = resident(process.pid)
            for client in clients:
                client.close()
            process.kill()
            process.wait()
            each = (busy - idle) / connections
            print(f"| {contender.name} | {idle:,} | {busy:,} | {each:.1f} |", flush=True)


def fill(bench: Bench, contender: Contender, users: int) -> bytes:
    """Creates users in a contender's database, and gives the id of one of them."""
    print(f"bench: creating {users:,} users", file=sys.stderr)
    sys.path.insert(0, str(bench.work / "stubs"))
    import grpc
    from user.v1 import user_pb2, user_pb2_grpc

    process = bench.start(contender)
    with grpc.insecure_channel(f"127.0.0.1:{bench.port}") as channel:
        stub = user_pb2_grpc.UserServiceStub(channel)
        for start in range(0, users, 5_000):
            requests = (
                user_pb2.CreateUserRequest(user=user_pb2.User(email=f"user{number}@example.com", name="A User"))
                for number in range(start, start + 5_000)
            )
            made = stub.CreateUsers(requests, timeout=120)
            assert made.success_count == 5_000, made.errors[:1]
    process.send_signal(signal.SIGTERM)
    process.wait()
    return made.users[0].id.encode()


def median(results: dict[str, list[Result]], name: str, value: str) -> float:
    return statistics.median(getattr(result, value) for result in results[name])


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def machine() -> str:
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} processors, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}"


def main(work_folder: str, certificates: str, user_service: str, benchmark_server: str, netdiag: str) -> None:
    work = pathlib.Path(work_folder)
    pair = [f"{certificates}/server.pem", f"{certificates}/server.key"]
    (work / "root").mkdir(exist_ok=True)
    (work / "root" / "index.html").write_bytes(BODIES["hello"])
    bare = Contender("ours, bare runtime", [benchmark_server, "PORT", "1"])
    flags = ["--listen=127.0.0.1:PORT", "--threads=1", "--admin=off"]
    full = Contender(
        "ours, user-service with its whole chain", [user_service, "--database=:memory:", *flags]
    )
    peer = Contender("gRPC C++", [str(work / "peer_server"), "PORT"])
    script = str(pathlib.Path(__file__).parent / "peer_server.py")
    python = Contender("grpcio", [sys.executable, script, f"{work}/stubs", "PORT"])
    ceiling = Contender(
        "nghttpd, a file", ["nghttpd", "--no-tls", "-n", "1", "-d", str(work / "root"), "PORT"], path="/index.html"
    )

    def calling(contender: Contender, path: str) -> Contender:
        return dataclasses.replace(contender, path=path)

    def secure(contender: Contender) -> Contender:
        return dataclasses.replace(contender, command=[*contender.command, *pair], scheme="https")

    print(f"{machine()}; medians of {ROUNDS} rounds")
    unary = [bare, full, peer, python]
    bench = Bench(work)
    bench.table("Unary calls, 20 connections with 50 streams each", unary, "hello", 300_000, 20, 50)
    bench.table("The ceiling: a file by GET, the same load", [ceiling], None, 300_000, 20, 50, unit="requests/s")
    bench.table("Unary calls, one after another", unary, "hello", 20_000, 1, 1)
    bench.table("Unary calls over TLS", [secure(bare), secure(peer)], "hello", 200_000, 20, 50)
    streaming = [bare, peer, python]
    for title, method, body in [
        ("Server streaming, 1,000 messages a call", "StreamingOutputCall", "output"),
        ("Bidirectional streaming, 1,000 messages each way", "FullDuplexCall", "duplex"),
    ]:
        contenders = [calling(contender, f"/grpc.testing.TestService/{method}") for contender in streaming]
        bench.table(title, contenders, body, 1_000, 5, 4, per_request=MESSAGES, unit="messages/s")
    stored = Contender(
        "ours, user-service on SQLite", [user_service, f"--database={work}/users.db", *flags],
        path="/user.v1.UserService/GetUser",
    )  # fmt: skip
    (work / "get").write_bytes(framed(field(1, fill(bench, stored, 100_000))))
    bench.table("GetUser out of 100,000 users", [stored], "get", 200_000, 20, 50)
    bench.loaders(full, netdiag, 500_000)
    bench.memory([bare, full, peer, python], 1_000)


main(*sys.argv[1:])
