# SPDX-License-Identifier: Apache-2.0
"""user-service behind the proxies that people put in front of it, and under clients that are no gRPC library."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess

import grpc
import pytest

from EndToEnd.peers.tcp import free_port
from peers.programs import Program
from peers.users import Client, cancelling, creation, failing, until

StatusCode = grpc.StatusCode


def need(program: str) -> str:
    """The path of a program of the system's."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return path or pytest.skip(f"{program} is not installed: scripts/setup test")


def envoy() -> str:
    """The path of Envoy's program, which comes as a Python package."""
    spec = importlib.util.find_spec("envoy")
    for folder in spec.submodule_search_locations or [] if spec else []:
        path = os.path.join(folder, "_bin", "envoy")
        if os.access(path, os.X_OK):
            return path
    return need("envoy")


def start_nginx(folder, front: int, back: int) -> Program:
    (folder / "nginx.conf").write_text(f"""
        daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
        events {{ }}
        http {{
          access_log off; client_max_body_size 0;
          client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
          uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
          server {{
            listen 127.0.0.1:{front} http2;
            location / {{ grpc_pass grpc://127.0.0.1:{back}; grpc_read_timeout 60s; client_body_timeout 60s; }}
          }}
        }}""")
    return Program([need("nginx"), "-e", "stderr", "-c", str(folder / "nginx.conf")])


def start_haproxy(folder, front: int, back: int) -> Program:
    (folder / "haproxy.cfg").write_text(f"""
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen grpc
  bind 127.0.0.1:{front} proto h2
  server user-service 127.0.0.1:{back} proto h2
""")
    return Program([need("haproxy"), "-db", "-f", str(folder / "haproxy.cfg")])


def start_envoy(folder, front: int, back: int) -> Program:
    (folder / "envoy.yaml").write_text(f"""
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {front}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          codec_type: AUTO
          stat_prefix: grpc
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{match: {{prefix: "/", grpc: {{}}}}, route: {{cluster: user-service, timeout: 60s}}}}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: user-service
    type: STATIC
    connect_timeout: 5s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{http2_protocol_options: {{}}}}
    health_checks:
    - timeout: 1s
      interval: 1s
      unhealthy_threshold: 2
      healthy_threshold: 2
      grpc_health_check: {{}}
    load_assignment:
      cluster_name: user-service
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {back}}}}}}}
""")
    command = [envoy(), "-c", str(folder / "envoy.yaml"), "--concurrency", "1", "--disable-hot-restart"]
    return Program([*command, "--log-level", "error"])


@pytest.fixture(scope="module", params=[start_nginx, start_haproxy, start_envoy], ids=lambda start: start.__name__[6:])
def proxied(request, service, tmp_path_factory):
    """A client whose calls pass through a proxy."""
    port = free_port()
    with request.param(tmp_path_factory.mktemp("proxy"), port, service.port) as proxy:

        def answers() -> bool:
            assert proxy.process.poll() is None, "\n".join(proxy.lines)
            with Client(f"127.0.0.1:{port}") as client:
                try:
                    return bool(client.greet(timeout=2))
                except grpc.RpcError:
                    return False

        try:
            until(answers)
            with Client(f"127.0.0.1:{port}") as client:
                yield client
        finally:
            # A process that is asked takes its workers along.
            proxy.stop()


def test_every_kind_of_call(proxied):
    assert proxied.greet("proxy") == "Hello, proxy!"
    with cancelling(proxied.watch(timeout=20)) as watch:
        answer = proxied.users.CreateUsers((creation() for _ in range(300)), timeout=30)
        assert answer.success_count == 300
        made = [user.id for user in answer.users]
        assert [next(watch).user.id for _ in made] == made
    assert set(made) <= {user.id for user in proxied.export()}
    chat = proxied.chat("hall", "Ada", timeout=20)
    for text in ("One.", "Two."):
        chat.say(text)
        assert chat.hear() == ("Ada", text)
    chat.leave()
    assert list(chat.call) == []


def test_failures_arrive_as_they_are(service, proxied):
    with failing(StatusCode.NOT_FOUND) as errors:
        proxied.get("nobody")
    assert errors[0].details() == "there is no user of this id"
    assert "grpc-status-details-bin" in dict(errors[0].trailing_metadata())
    with failing(StatusCode.DEADLINE_EXCEEDED):
        list(proxied.watch(timeout=0.5))
    watch = proxied.watch(timeout=20)
    watch.cancel()
    until(lambda: service.active("WatchUsers") == 0)


def test_nghttp(service, tmp_path):
    """HTTP/2 by hand, with the trailers shown."""
    (tmp_path / "message").write_bytes(b"\x00\x00\x00\x00\x08\x0a\x06nghttp")
    done = subprocess.run(
        [need("nghttp"), "-v", "-H", ":method: POST", "-H", "content-type: application/grpc", "-H", "te: trailers",
         "-d", str(tmp_path / "message"), f"http://127.0.0.1:{service.port}/pb.Greeter/SayHello"],
        capture_output=True, timeout=20,
    )  # fmt: skip
    text = re.sub(rb"\x1b\[[0-9;]*m", b"", done.stdout)
    assert b"Hello, nghttp!" in text and b"grpc-status: 0" in text and b":status: 200" in text


def test_h2load(service, tmp_path):
    """Thousands of calls at once, and not one that fails."""
    (tmp_path / "message").write_bytes(b"\x00\x00\x00\x00\x08\x0a\x06h2load")
    done = subprocess.run(
        [need("h2load"), "-n", "5000", "-c", "20", "-m", "50", "-H", "content-type: application/grpc",
         "-H", "te: trailers", "-d", str(tmp_path / "message"), f"http://127.0.0.1:{service.port}/pb.Greeter/SayHello"],
        capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    assert "5000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout
    assert service.metric('grpc_requests_total{method="/pb.Greeter/SayHello",code="OK"}') >= 5_000
