"""What the platform asks a process: is its loop alive, may it have work, how is it doing."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from services.contracts.errors import Misconfigured
from services.runtime.clock import Clock
from services.runtime.doors.files import affordable
from services.runtime.doors.house import House, Limits, Waiting, Waits
from services.runtime.doors.peers import peer_of

log = logging.getLogger(__name__)

# A loop turns at least once a second even when idle; ten missed turns are no hiccup. Must stay
# below the platform's failureThreshold x periodSeconds, else this never gets to decide.
STALE_AFTER_S = 10.0
# A client that opens a connection and says nothing, or little by little, must not keep a thread.
_REQUEST_TIMEOUT_S = 5.0
# A platform's probes and a scraper or two, each for milliseconds; each holds a thread.
_CONNECTIONS = 32
_SHARE = 0.1
# How often the server looks whether it shall stop: the longest `stop` waits.
_POLL_S = 0.05


class Heartbeat:
    """Beaten by the loop itself at every turn, never by a side thread that stays happy while it hangs.

    Written by the loop's thread, read by the health server's. Before the first beat (a model loads,
    a list is read) the process counts as alive: readiness says that it may not have work yet.
    """

    def __init__(self, clock: Clock, *, stale_after_s: float = STALE_AFTER_S) -> None:
        self._clock = clock
        self._stale_after_s = stale_after_s
        self._last: float | None = None

    def beat(self) -> None:
        """The loop has come round. Never blocks."""
        self._last = self._clock.monotonic()

    def begin_again(self) -> None:
        """As before the first beat: what comes next (a model loads) takes as long as it takes."""
        self._last = None

    def age_s(self) -> float:
        """Seconds since the last beat; 0 before the first."""
        last = self._last
        return 0.0 if last is None else self._clock.monotonic() - last

    def is_fresh(self) -> bool:
        return self.age_s() < self._stale_after_s


class HealthServer:
    """/livez, /readyz and /metrics on one port, on a thread of its own from `start` to `stop`.

    Raises Misconfigured if the address cannot be had. `ready` is asked at every /readyz, on that
    thread: it must not block. If it raises, the answer is 500, which reads as not ready.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        heartbeat: Heartbeat,
        ready: Callable[[], Mapping[str, bool]],
        registry: CollectorRegistry,
    ) -> None:
        answers: dict[str, Callable[[], tuple[HTTPStatus, str, bytes]]] = {
            "/livez": lambda: _live(heartbeat),
            "/readyz": lambda: _readiness(ready()),
            "/metrics": lambda: (HTTPStatus.OK, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(registry)),
        }
        self._server = _bound_server(host, port, _handler(answers))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), name="signpost-health", daemon=True
        )

    @property
    def port(self) -> int:
        """The port in use, also where 0 was asked for."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Answers no more; the port is free on return. Call once, after `start`."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _bound_server(host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    try:
        return _Server((host, port), handler)
    except OSError as error:
        raise Misconfigured(f"HTTP_HOST, HTTP_PORT: cannot listen on {host}:{port}: {error.strerror}") from error


def _live(heartbeat: Heartbeat) -> tuple[HTTPStatus, str, bytes]:
    status = HTTPStatus.OK if heartbeat.is_fresh() else HTTPStatus.SERVICE_UNAVAILABLE
    return status, "application/json", _json({"heartbeat_age_s": round(heartbeat.age_s(), 3)})


def _readiness(checks: Mapping[str, bool]) -> tuple[HTTPStatus, str, bytes]:
    missing = [name for name, holds in checks.items() if not holds]
    status = HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK
    return status, "application/json", _json({"ready": not missing, "not_ready": missing})


def _json(body: Mapping[str, object]) -> bytes:
    return json.dumps(body).encode() + b"\n"


def _handler(
    answers: Mapping[str, Callable[[], tuple[HTTPStatus, str, bytes]]],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_TIMEOUT_S

        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            if answer is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            status, kind, body = _answer(answer)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """A probe every few seconds is no event."""

    return Handler


def _answer(answer: Callable[[], tuple[HTTPStatus, str, bytes]]) -> tuple[HTTPStatus, str, bytes]:
    try:
        return answer()
    except Exception:  # the loop top of a request: the platform gets an answer, we get the traceback
        log.exception("health check raised")
        return HTTPStatus.INTERNAL_SERVER_ERROR, "application/json", _json({"ready": False})


class _Guest:
    """One connection: from its first packet to the end of its answer it has one deadline. The server's thread."""

    def __init__(self, connection: socket.socket, address: str) -> None:
        self._connection = connection
        self._since_s = time.monotonic()
        self.peer = peer_of(address)

    def waiting(self) -> Waiting | None:
        return Waiting(Waits.HEAD, self._since_s)

    def leave(self) -> None:
        # Its thread reads the end of the connection, and closes it.
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        connections = affordable(_CONNECTIONS, files_each=1, share=_SHARE)
        self._house = House(
            Limits(connections=connections, per_peer=connections, within_s={Waits.HEAD: _REQUEST_TIMEOUT_S}),
            now=time.monotonic,
        )
        # By its socket; written by the server's thread, taken from by those that answer.
        self._here: dict[socket.socket, _Guest] = {}
        self._ended: deque[_Guest] = deque()
        super().__init__(address, handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ANN401 - as socketserver has it
        guest = _Guest(request, str(client_address[0]))
        self._here[request] = guest
        return self._house.enter(guest)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as socketserver has it
        guest = self._here.pop(request, None)
        if guest is not None:
            self._ended.append(guest)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        while self._ended:
            self._house.gone(self._ended.popleft())
        self._house.sweep()

    def handle_error(self, request: object, client_address: object) -> None:
        # Half a request, or a client gone before its answer: no fault of ours.
        log.debug("health client went away")
