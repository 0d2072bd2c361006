"""A real Prometheus scrapes real processes, loads the rules and finds every series they count on."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import promql_parser
import pytest

from console.stack.child import Child
from console.stack.ports import accepts, free_ports
from scripts.discover import metrics_modules
from tests.architecture.imports import ROOT
from tests.architecture.test_operations import rules, selectors
from tests.integration.prometheus.server import Prometheus, program
from tests.integration.stack import missing_server
from tests.support import eventually

# Start of Python and its imports, four times on a busy machine.
_START_WITHIN_S = 60
_STOP_WITHIN_S = 10


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, int]]:
    """One process for each service's metrics; its port by its job."""
    names = list(metrics_modules())
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    folder = tmp_path_factory.mktemp("exposers")
    with ExitStack() as running:
        children = {name: exposer(name, port, folder) for name, port in ports.items()}
        for child in children.values():
            running.callback(child.stop, within_s=_STOP_WITHIN_S)
        for name, child in children.items():
            child.await_ready(lambda port=ports[name]: accepts(port), within_s=_START_WITHIN_S)  # type: ignore[misc]
        yield {f"signpost-{name}": port for name, port in ports.items()}


def exposer(name: str, port: int, folder: Path) -> Child:
    environ = {
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "REDIS_VOLATILE_URL": "redis://127.0.0.1:1",
        "REDIS_DURABLE_URL": "redis://127.0.0.1:2",
        "KEYS_DIR": str(folder / "keys"),
        "SERVICE_KEY_FILE": str(folder / "service.pem"),
        "DEPLOYMENT": "one",
        "AUTHORITY_ROOT": "A" * 43,
        "HTTP_PORT": str(port),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proto/gen'}",
    }
    argv = [sys.executable, "-m", "tests.integration.prometheus.exposer", name]
    return Child(f"the metrics of {name}", argv, cwd=ROOT, log=folder / f"{name}.log", env=environ)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, processes: Mapping[str, int]) -> Iterator[Prometheus]:
    binary = program("prometheus")
    if binary is None:
        missing_server("prometheus is not installed: apt-get install prometheus")
    with Prometheus(binary, tmp_path_factory.mktemp("prometheus"), processes) as server:
        eventually(lambda: len(server.query("up == 1")) == len(processes), "every job scraped", within_s=30)
        yield server


def test_every_process_is_up(prometheus: Prometheus, processes: Mapping[str, int]) -> None:
    assert {labels["job"]: value for labels, value in prometheus.query("up")} == dict.fromkeys(processes, 1.0)


def test_every_rule_is_loaded_and_healthy(prometheus: Prometheus) -> None:
    eventually(lambda: all(each["health"] == "ok" for each in prometheus.rules()), "all healthy", within_s=30)
    assert {each["name"] for each in prometheus.rules()} == {rule["alert"] for rule in rules()}


def test_every_series_that_a_rule_names_is_there_before_anything_happens(prometheus: Prometheus) -> None:
    """A counter that first appears at 1 has never increased: its alert would sleep through the first loss."""
    for rule in rules():
        for selector in selectors(promql_parser.parse(rule["expr"])):
            matchers = ",".join(f'{each.name}="{each.value}"' for each in selector.matchers.matchers)
            assert prometheus.query(f"{selector.name}{{{matchers}}}"), (rule["alert"], selector.name)


def test_a_camera_without_a_frame_is_pending_at_once(prometheus: Prometheus) -> None:
    def silent() -> str:
        return str(next(each["state"] for each in prometheus.rules() if each["name"] == "SignpostCameraSilent"))

    eventually(lambda: silent() in {"pending", "firing"}, "the silent camera noticed", within_s=30)
