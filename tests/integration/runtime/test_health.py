"""The health server on a real port."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping

import pytest
from prometheus_client import CollectorRegistry

from services.contracts.errors import Misconfigured
from services.runtime.health import HealthServer, Heartbeat
from services.runtime.metrics import Counter
from tests.conftest import ExpectedErrors
from tests.fakes.clock import ManualClock
from tests.integration.runtime.doors.crowd import ANSWERED_WITHIN_S, crowd


class Checks:
    """The readiness of a service that a test switches."""

    def __init__(self) -> None:
        self.holds = {"store": True, "model": True}
        self.broken = False

    def __call__(self) -> Mapping[str, bool]:
        if self.broken:
            raise RuntimeError("check broken")
        return self.holds


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def heartbeat(clock: ManualClock) -> Heartbeat:
    return Heartbeat(clock, stale_after_s=10)


@pytest.fixture
def checks() -> Checks:
    return Checks()


@pytest.fixture
def server(heartbeat: Heartbeat, checks: Checks) -> Iterator[HealthServer]:
    registry = CollectorRegistry()
    Counter("signpost_sample_items_total", "Items.").on(registry).inc(3)
    server = HealthServer("127.0.0.1", 0, heartbeat=heartbeat, ready=checks, registry=registry)
    server.start()
    yield server
    server.stop()


def get(server: HealthServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_liveness_follows_the_heartbeat_of_the_loop(
    server: HealthServer, heartbeat: Heartbeat, clock: ManualClock
) -> None:
    heartbeat.beat()
    assert get(server, "/livez")[0] == 200
    clock.advance(11)
    assert get(server, "/livez")[0] == 503


def test_readiness_names_what_is_missing(server: HealthServer, checks: Checks) -> None:
    assert get(server, "/readyz")[0] == 200
    checks.holds = {"store": True, "model": False}
    status, body = get(server, "/readyz")
    assert (status, json.loads(body)) == (503, {"ready": False, "not_ready": ["model"]})


def test_a_check_that_raises_is_not_ready_and_the_server_lives_on(
    server: HealthServer, checks: Checks, expected_errors: ExpectedErrors
) -> None:
    expected_errors.add("health check raised")
    checks.broken = True
    assert get(server, "/readyz")[0] == 500
    assert get(server, "/livez")[0] == 200


def test_metrics_are_served_in_the_text_form(server: HealthServer) -> None:
    status, body = get(server, "/metrics")
    assert status == 200
    assert "signpost_sample_items_total 3.0" in body


def test_an_unknown_path_is_not_found(server: HealthServer) -> None:
    assert get(server, "/keys")[0] == 404


def test_a_port_that_is_taken_is_refused_with_its_number(server: HealthServer, heartbeat: Heartbeat) -> None:
    with pytest.raises(Misconfigured, match=str(server.port)):
        HealthServer("127.0.0.1", server.port, heartbeat=heartbeat, ready=dict, registry=CollectorRegistry())


@pytest.mark.parametrize("said", [b"", b"GET /livez HTTP/1.1\r\nX-A: "], ids=["silence", "half a request"])
def test_a_probe_is_answered_among_connections_that_say_nothing(server: HealthServer, said: bytes) -> None:
    """Each held a thread and a file; the platform's probe waited behind them, and the process was killed."""
    with crowd(server.port, 200, said):
        began = time.monotonic()
        assert get(server, "/livez")[0] == 200
        assert time.monotonic() - began < ANSWERED_WITHIN_S
        held = [one for one in threading.enumerate() if "process_request_thread" in one.name]
        assert len(held) < 64
