# SPDX-License-Identifier: Apache-2.0
"""Python's classes of our own messages, made from the .proto files."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import grpc

PROTOS = pathlib.Path(__file__).resolve().parents[3] / "Protos"


def make(folder: str) -> None:
    """Makes the classes in a folder."""
    # Health and reflection have stubs of their own in grpcio; google's messages come with protobuf's.
    protos = [path for name in ("user", "greeter", "grpc/testing") for path in (PROTOS / name).rglob("*.proto")]
    outputs = [f"--python_out={folder}", f"--grpc_python_out={folder}"]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", *outputs, *map(str, protos)]
    subprocess.run(command, check=True)


def use(folder: str) -> None:
    """Lets `import` find them."""
    sys.path.insert(0, folder)
    # Our package grpc.testing lies beside the library's own modules.
    grpc.__path__.append(os.path.join(folder, "grpc"))
