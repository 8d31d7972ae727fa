# SPDX-License-Identifier: Apache-2.0
"""user-service behind TLS, mutual TLS and tokens, and with files that change while it runs."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import threading

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from user.v1 import user_pb2

from peers.users import Client, failing, until

StatusCode = grpc.StatusCode


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


@pytest.fixture(scope="module")
def trusting(certificates):
    """Credentials of a client that trusts our authority, with or without a certificate of its own."""

    def make(own: str | None = None):
        chain = read(certificates(f"{own}.pem")) if own else None
        key = read(certificates(f"{own}.key")) if own else None
        return grpc.ssl_channel_credentials(read(certificates("ca.pem")), key, chain)

    return make


def tls_flags(certificates, name: str = "server") -> list[str]:
    return [f"--tls-cert={certificates(name + '.pem')}", f"--tls-key={certificates(name + '.key')}"]


def test_tls(user_service, certificates, trusting):
    with user_service(*tls_flags(certificates)) as server:
        with Client(f"localhost:{server.port}", trusting()) as client:
            assert client.greet() == "Hello, you!"
        with server.client() as plain, failing(StatusCode.UNAVAILABLE):
            plain.greet()
        for version in ("TLSv1_2", "TLSv1_3"):
            context = ssl.create_default_context(cafile=certificates("ca.pem"))
            context.maximum_version = context.minimum_version = ssl.TLSVersion[version]
            context.set_alpn_protocols(["h2"])
            with socket.create_connection(("127.0.0.1", server.port)) as tcp:
                with context.wrap_socket(tcp, server_hostname="localhost") as connection:
                    assert connection.selected_alpn_protocol() == "h2"


def test_mutual_tls(user_service, certificates, trusting):
    flags = [*tls_flags(certificates), f"--tls-client-ca={certificates('ca.pem')}"]
    with user_service(*flags) as server:
        target = f"localhost:{server.port}"
        with Client(target, trusting("client")) as client:
            assert client.greet() == "Hello, you!"
        for stranger in (None, "unknown-client"):
            with Client(target, trusting(stranger)) as client, failing(StatusCode.UNAVAILABLE):
                client.greet()
        # A server that the client does not know.
        wrong = grpc.ssl_channel_credentials(read(certificates("unknown-ca.pem")))
        with Client(target, wrong) as client, failing(StatusCode.UNAVAILABLE):
            client.greet()


def test_tokens(user_service, tmp_path):
    file = tmp_path / "tokens"
    file.write_text("# two of them\nfirst\n\nsecond\n")
    with user_service(f"--auth-token-file={file}") as server, server.client() as client:

        def outcome(*metadata):
            try:
                return client.greet(metadata=metadata)
            except grpc.RpcError as error:
                return error.code()

        for token in ("first", "second"):
            assert outcome(("authorization", f"Bearer {token}")) == "Hello, you!"
        for metadata in (
            [], [("authorization", "Bearer third")], [("authorization", "Basic first")], [("authorization", "first")],
            [("authorization", "Bearer # two of them")], [("authorization", "Bearer")],
        ):  # fmt: skip
            assert outcome(*metadata) == StatusCode.UNAUTHENTICATED
        # Streams too; health not, by rule; reflection, by rule, too.
        with failing(StatusCode.UNAUTHENTICATED):
            next(client.users.WatchUsers(user_pb2.WatchUsersRequest(), timeout=10))
        health = health_pb2_grpc.HealthStub(client.channel)
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=10)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with failing(StatusCode.UNAUTHENTICATED):
            ProtoReflectionDescriptorDatabase(client.channel).get_services()

        file.write_text("third\n")
        until(lambda: outcome(("authorization", "Bearer third")) == "Hello, you!")
        assert outcome(("authorization", "Bearer first")) == StatusCode.UNAUTHENTICATED
        # A file that cannot be used leaves things as they were.
        file.write_text("")
        server.line("the tokens stay as they were")
        assert outcome(("authorization", "Bearer third")) == "Hello, you!"


def test_certificates_change_under_load(user_service, certificates, tmp_path):
    """Calls go on while the certificate is exchanged, and new connections get the new one."""
    for kind in ("pem", "key"):
        shutil.copy(certificates(f"server.{kind}"), tmp_path / f"server.{kind}")
    flags = [f"--tls-cert={tmp_path}/server.pem", f"--tls-key={tmp_path}/server.key"]
    credentials = grpc.ssl_channel_credentials(read(certificates("ca.pem")))
    with user_service(*flags) as server:
        stop, failures, calls = threading.Event(), [], [0]

        def load():
            while not stop.is_set():
                try:
                    # A connection of its own for each few calls.
                    with Client(f"localhost:{server.port}", credentials) as client:
                        for _ in range(5):
                            client.greet()
                            calls[0] += 1
                except grpc.RpcError as error:
                    failures.append(error)

        def served() -> str:
            return ssl.get_server_certificate(("127.0.0.1", server.port))

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            before = served()
            # As tools do it: a new file is renamed over the old one, the key after the certificate.
            for kind in ("pem", "key"):
                shutil.copy(certificates(f"rsa-server.{kind}"), tmp_path / f"new.{kind}")
                os.rename(tmp_path / f"new.{kind}", tmp_path / f"server.{kind}")
            until(lambda: served() != before)
            (tmp_path / "server.pem").write_text("no certificate")
            server.line("the certificate stays as it was")
            assert served() != before
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert not failures and calls[0] > 20
