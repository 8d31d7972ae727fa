# SPDX-License-Identifier: Apache-2.0
"""The server of library.cpp: compiled once for what it is made of, and started by tests."""

from __future__ import annotations

import fcntl
import hashlib
import pathlib
import shutil
import subprocess

from .library import HERE

ROOT = HERE.parents[2]
PROTOS = [ROOT / "Protos/google/rpc/error_details.proto", ROOT / "Protos/google/rpc/status.proto"]
OWN = [HERE / name for name in ("library.proto", "shelf.proto", "loan.proto")]
# What it takes beside a compiler, by Debian's names.
TOOLS = ("g++", "protoc", "grpc_cpp_plugin", "pkg-config")


def is_possible() -> bool:
    """Whether what compiles it is here: scripts/setup test."""
    return all(shutil.which(tool) for tool in TOOLS) and subprocess.run(
        ["pkg-config", "--exists", "grpc++", "protobuf"], check=False).returncode == 0


def build() -> pathlib.Path:
    """The program, from .build where it was made of the same sources before."""
    digest = hashlib.sha256()
    for path in (HERE / "library.cpp", pathlib.Path(__file__), *OWN, *PROTOS):
        digest.update(path.read_bytes())
    digest.update(subprocess.check_output(["pkg-config", "--modversion", "grpc++", "protobuf"]))
    folder = ROOT / ".build" / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"library-{digest.hexdigest()[:16]}"
    # Tests that run side by side wait for the first one.
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            for old in folder.glob("library-*"):
                old.unlink()
            compile_at(folder / "work", made)
    return made


def compile_at(work: pathlib.Path, made: pathlib.Path) -> None:
    shutil.rmtree(work, ignore_errors=True)
    (work / "protos/library").mkdir(parents=True)
    (work / "code").mkdir()
    for path in OWN:
        shutil.copy(path, work / "protos/library")
    code = work / "code"
    names = ["library/library.proto", "library/shelf.proto", "library/loan.proto", "google/rpc/status.proto",
             "google/rpc/error_details.proto"]
    plugin = f"--plugin=protoc-gen-grpc={shutil.which('grpc_cpp_plugin')}"
    folders = [f"-I{work / 'protos'}", f"-I{ROOT / 'Protos'}"]
    subprocess.run(["protoc", *folders, f"--cpp_out={code}", *names], check=True)
    subprocess.run(["protoc", *folders, plugin, f"--grpc_out={code}", names[0]], check=True)
    flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", "grpc++", "protobuf"], text=True).split()
    # Nothing names the library of reflection: it announces itself when it is loaded.
    reflection = ["-Wl,--no-as-needed", "-lgrpc++_reflection", "-Wl,--as-needed"]
    sources = [HERE / "library.cpp", *sorted(code.rglob("*.cc"))]
    subprocess.run(["g++", "-O0", "-std=c++17", f"-I{code}", "-o", work / "library", *sources, *reflection, *flags],
                   check=True)
    (work / "library").rename(made)
    shutil.rmtree(work)


class CppLibraryServer:
    """The server, on a port of its own until the end of a `with`."""

    def __init__(self):
        self.process = subprocess.Popen([build()], stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().removeprefix("listening on ").strip()
        assert self.address, "the C++ server did not start"

    def __enter__(self) -> "CppLibraryServer":
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
