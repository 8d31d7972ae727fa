# SPDX-License-Identifier: Apache-2.0
"""A gRPC server with a method of each kind, as library.proto has them; with reflection in either version or none."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent import futures

import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.rpc import status_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_status import rpc_status

HERE = pathlib.Path(__file__).resolve().parent
V1 = "grpc.reflection.v1.ServerReflection"
V1ALPHA = "grpc.reflection.v1alpha.ServerReflection"


def compile_schema(folder: pathlib.Path, *more: str) -> pathlib.Path:
    """Compiles library.proto with protoc, into a descriptor set."""
    (folder / "library").mkdir(exist_ok=True)
    for name in ("library.proto", "shelf.proto", "loan.proto"):
        shutil.copy(HERE / name, folder / "library")
    return compile_set(folder, "library.protoset", "library/library.proto", *more)


def compile_set(folder: pathlib.Path, name: str, *files: str) -> pathlib.Path:
    """Compiles files of a folder with protoc, into a descriptor set with everything that they import."""
    made = folder / name
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", "--include_imports", "--include_source_info"]
    subprocess.run([*command, f"--descriptor_set_out={made}", *files], check=True)
    return made


class Schema:
    """The messages of a descriptor set."""

    def __init__(self, path: pathlib.Path):
        self.files = descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
        self.pool = descriptor_pool.DescriptorPool()
        for file in self.files.file:
            self.pool.Add(file)

    def __getitem__(self, name: str):
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))


class Library(grpc.GenericRpcHandler):
    """What the methods do."""

    def __init__(self, schema: Schema):
        self.schema = schema
        self.calls: list[str] = []
        self.metadata: list[tuple[str, str | bytes]] = []
        self.deadlines: list[float | None] = []

    def service(self, details: grpc.HandlerCallDetails):
        service, _, name = details.method[1:].partition("/")
        if service != "library.v1.Library":
            return None
        self.calls.append(name)
        self.metadata = [(entry.key, entry.value) for entry in details.invocation_metadata]
        method = self.schema.pool.FindServiceByName(service).methods_by_name.get(name)
        if method is None:
            return None
        kind = ("stream" if method.client_streaming else "unary") + ("_stream" if method.server_streaming else "_unary")
        request = self.schema[method.input_type.full_name]
        return getattr(grpc, f"{kind}_rpc_method_handler")(
            getattr(self, name), request.FromString, lambda message: message.SerializeToString()
        )

    def book(self, title: str, **fields):
        return self.schema["library.v1.Book"](title=title, **fields)

    def GetBook(self, request, context):
        self.deadlines.append(context.time_remaining())
        context.send_initial_metadata([("x-served-by", "library-1"), ("set-cookie", "secret")])
        context.set_trailing_metadata([("x-cost", "3"), ("x-raw-bin", b"\x00\xff")])
        return self.book(request.title, pages=9007199254740993, state=1, chapters={"one": 1, "two": 2})

    def ListBooks(self, request, context):
        for number in range(request.limit):
            yield self.book(f"book {number}", shelf=request.shelf)

    def AddBooks(self, requests, context):
        books = list(requests)
        return self.schema["library.v1.Summary"](count=len(books), pages=sum(book.pages for book in books))

    def Exchange(self, requests, context):
        yield from requests

    def Fail(self, request, context):
        status = status_pb2.Status(code=request.code, message=request.message)
        for detail in request.details:
            status.details.append(any_pb2.Any(type_url=detail.type_url, value=detail.value))
        context.abort_with_status(rpc_status.to_status(status))

    def Wait(self, request, context):
        given_up = threading.Event()
        context.add_callback(given_up.set)
        given_up.wait()


class Reflection(grpc.GenericRpcHandler):
    """Reflection under the names of one version or both. `hides` are files that it does not have, `more` are services
    of which it has nothing but the names."""

    def __init__(self, schema: Schema, versions: tuple[str, ...], hides: tuple[str, ...] = (),
                 more: tuple[str, ...] = ()):
        self.versions = versions
        self.hides = hides
        self.servicer = reflection.ReflectionServicer(["library.v1.Library", *versions, *more], schema.pool)
        self.calls: list[str] = []
        self.metadata: list[tuple[str, str | bytes]] = []
        # The symbols that were asked for.
        self.questions: list[str] = []

    def service(self, details: grpc.HandlerCallDetails):
        service = details.method[1:].partition("/")[0]
        if service not in (V1, V1ALPHA):
            return None
        self.calls.append(service)
        self.metadata = [(entry.key, entry.value) for entry in details.invocation_metadata]
        if service not in self.versions:
            return None
        return grpc.stream_stream_rpc_method_handler(
            self.answer, reflection_pb2.ServerReflectionRequest.FromString,
            reflection_pb2.ServerReflectionResponse.SerializeToString,
        )

    def answer(self, requests, context):
        def noted():
            for request in requests:
                if request.file_containing_symbol:
                    self.questions.append(request.file_containing_symbol)
                yield request

        for answer in self.servicer.ServerReflectionInfo(noted(), context):
            files = [descriptor_pb2.FileDescriptorProto.FromString(file)
                     for file in answer.file_descriptor_response.file_descriptor_proto]
            if kept := [file.SerializeToString() for file in files if file.name not in self.hides]:
                answer.file_descriptor_response.file_descriptor_proto[:] = kept
            elif files:
                answer.error_response.error_code = grpc.StatusCode.NOT_FOUND.value[0]
            yield answer


class LibraryServer:
    """The library, on a port of its own until the end of a `with`."""

    def __init__(self, schema: Schema, versions: tuple[str, ...] = (V1,), hides: tuple[str, ...] = (),
                 address: str = "127.0.0.1:0", credentials: grpc.ServerCredentials | None = None,
                 more: tuple[str, ...] = ()):
        self.library = Library(schema)
        self.reflection = Reflection(schema, versions, hides, more)
        self.server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=16), handlers=[self.library, self.reflection],
            options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)],
        )
        add = self.server.add_secure_port if credentials else self.server.add_insecure_port
        port = add(*([address, credentials] if credentials else [address]))
        self.address = address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"

    def __enter__(self) -> "LibraryServer":
        self.server.start()
        return self

    def __exit__(self, *_) -> None:
        self.server.stop(0).wait()
