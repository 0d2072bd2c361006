"""The page's port under those who send half of something, or nothing, or read nothing."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from services.review.edges.web_server import WebServer
from services.runtime.doors.house import WITHIN_S, Waits
from services.runtime.grpc_listen import Tls
from services.runtime.loop_thread import LoopThread
from tests.integration.runtime.doors.crowd import ANSWERED_WITHIN_S, closed_of, crowd, is_closed
from tests.support import eventually
from tests.unit.review.web.page import a_page

HALF_HEAD = b"GET /sign-in HTTP/1.1\r\nHost: x\r\nX-A: "
HALF_BODY = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nuser="
SOON: Mapping[Waits, float] = dict.fromkeys(Waits, 0.5)


@contextmanager
def served(
    app: Any = None, *, tls: Tls | None = None, within_s: Mapping[Waits, float] = WITHIN_S
) -> Iterator[int]:
    ports: list[int] = []

    async def serve(stopping: asyncio.Event, started: Callable[[], None]) -> None:
        server = WebServer(app or a_page().app, host="127.0.0.1", port=0, tls=tls, within_s=within_s)
        await server.start()
        ports.append(server.port)
        started()
        await stopping.wait()
        await server.stop()

    thread = LoopThread(serve, name="signpost-test-page")
    thread.start()
    try:
        yield ports[0]
    finally:
        assert thread.stop(5)


def status(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWERED_WITHIN_S)
    try:
        connection.request("GET", "/sign-in")
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture
def few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the process might open 256 files."""
    monkeypatch.setattr("services.runtime.doors.files.resource.getrlimit", lambda what: (256, 256))


@pytest.mark.usefixtures("few_files")
@pytest.mark.parametrize("said", [b"", HALF_HEAD, HALF_BODY], ids=["silence", "half a head", "half a body"])
def test_a_browser_is_answered_among_connections_that_say_half(said: bytes) -> None:
    """253 half-sent requests held every file of the process: the page was dead for good, and Redis with it."""
    with served() as port, crowd(port, 300, said) as strangers:
        assert status(port) == 200
        assert eventually(lambda: closed_of(strangers) >= 240, "strangers made room", within_s=5)


@pytest.mark.parametrize("said", [b"", HALF_HEAD, HALF_BODY], ids=["silence", "half a head", "half a body"])
def test_what_does_not_come_is_not_waited_for(said: bytes) -> None:
    with served(within_s=SOON) as port, crowd(port, 1, said) as (slow,):
        assert is_closed(slow, within_s=5)


def test_a_head_that_trickles_in_has_no_more_time_than_another() -> None:
    """A byte a second kept a connection alive: each began the wait anew."""
    with served(within_s=dict(WITHIN_S) | {Waits.HEAD: 1.0}) as port, crowd(port, 1, HALF_HEAD) as (slow,):
        stop = threading.Event()

        def trickle() -> None:
            while not stop.wait(0.1):
                try:
                    slow.sendall(b"a")
                except OSError:
                    return

        writer = threading.Thread(target=trickle)
        writer.start()
        try:
            assert is_closed(slow, within_s=5)
        finally:
            stop.set()
            writer.join()


def test_a_body_longer_than_was_asked_for_is_not_taken_for_ever() -> None:
    """An answered request whose body goes on was read, and thrown away, as long as it came."""
    with served(within_s=SOON) as port, crowd(port, 1) as (endless,):
        endless.sendall(b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n" + b"a" * 100_000)
        assert is_closed(endless, within_s=5)


def test_who_does_not_read_the_answer_is_let_go() -> None:
    gone = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(4000):
            await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})
        await receive()
        gone.set()

    with served(app, within_s=SOON) as port, crowd(port, 1, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        assert gone.wait(10)


def test_requests_in_a_row_on_one_connection_are_answered_one_by_one() -> None:
    with served() as port, crowd(port, 1, b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n" * 50) as (eager,):
        assert status(port) == 200
        eager.settimeout(5)
        seen = b""
        while seen.count(b"HTTP/1.1 200") < 50:
            more = eager.recv(65536)
            assert more, f"closed after {seen.count(b'HTTP/1.1 200')} answers"
            seen += more


def test_half_a_handshake_is_a_connection_like_another(tmp_path: Path) -> None:
    """Under TLS a connection counted only once it had shaken hands."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.private_key_pem.write_to_path(str(key))
    issued.cert_chain_pems[0].write_to_path(str(cert))
    with served(tls=Tls(cert=cert, key=key), within_s=SOON) as port, crowd(port, 3, b"\x16\x03\x01") as silent:
        assert all(is_closed(one, within_s=5) for one in silent)


def test_a_page_that_stops_ends_its_connections() -> None:
    with served() as port:
        idle = socket.create_connection(("127.0.0.1", port), timeout=5)
    with idle:
        assert is_closed(idle, within_s=5)
