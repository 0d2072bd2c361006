"""A shell with a proxy in it: our own clients go straight to our own services."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from console.stack.ports import free_ports
from tests.integration.console.grpc_toy import toy_server
from tests.integration.console.test_oversight_client import Register, leader, serving
from tests.unit.console.watchlist.toy import ToyEnrolment

NAMES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
# Each is run by itself: gRPC reads its environment once a process.
ASK_ENROLMENT = """
from console.edges.grpc_enrolment import GrpcEnrolment
with GrpcEnrolment(address) as client:
    print(client.model().name)
"""
ASK_OVERSIGHT = """
from console.edges.grpc_oversight import OversightClient
with OversightClient(address, patience_s=1.0) as client:
    print(len(client.authorities()))
"""
ASK_READY = """
from pathlib import Path
from console.run.service import ServiceProcess
service = ServiceProcess("x", ["x"], home=Path("."), settings={})
service._http_port = int(address.rpartition(":")[2])
print(service.ready(), service.metrics())
"""


def asked(script: str, address: str) -> subprocess.CompletedProcess[str]:
    (dead,) = free_ports(1)
    proxies = {name: f"http://127.0.0.1:{dead}" for name in (*NAMES, *map(str.upper, NAMES))}
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}  # noqa: TID251
    path = os.pathsep.join(str(Path.cwd() / one) for one in (".", "proto/gen"))
    return subprocess.run(
        [sys.executable, "-c", f"address = {address!r}\n{script}"],
        env=kept | proxies | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"up 1")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test asks what came back."""


@pytest.fixture
def health() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Health)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_enrolment_answers_whatever_proxy_the_shell_names() -> None:
    """With `http_proxy` set `watchlist build` said UNAVAILABLE, is embed running? It was, on loopback."""
    with toy_server(ToyEnrolment()) as address:
        done = asked(ASK_ENROLMENT, address)
    assert (done.stdout, done.returncode) == ("sface\n", 0), done.stderr


def test_oversight_answers_whatever_proxy_the_shell_names() -> None:
    """Nobody in a company could submit, approve or stop anything."""
    with serving(Register(leader)) as address:
        done = asked(ASK_OVERSIGHT, address)
    assert (done.stdout, done.returncode) == ("1\n", 0), done.stderr


def test_a_service_is_ready_whatever_proxy_the_shell_names(health: str) -> None:
    """`run` and `demo` waited 180 seconds for services that were ready, and gave up."""
    done = asked(ASK_READY, health)
    assert (done.stdout, done.returncode) == ("True up 1\n", 0), done.stderr
