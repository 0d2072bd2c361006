"""The supervisor keeps the wanted number of workers, whoever started them and however they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from prometheus_client import CollectorRegistry

from services.contracts.errors import Transient
from services.embed.core.fleet import Bounds
from services.embed.metrics import FleetMetrics
from services.embed.ports import WorkerStatus
from services.embed.supervisor import Supervisor
from tests.conftest import ExpectedErrors
from tests.fakes.clock import ManualClock

WELL = WorkerStatus(alive=True, ready=True, ended=False, lag=0, pid=7, settings_digest="as-told")


@dataclass
class FakeFleet:
    """Workers that are what a test says; `silent` ones do not answer, those not in `workers` are dead."""

    workers: dict[int, WorkerStatus] = field(default_factory=dict)
    silent: set[int] = field(default_factory=set)
    started: list[int] = field(default_factory=list)
    killed: list[int] = field(default_factory=list)
    drained: list[int] = field(default_factory=list)
    away: bool = False

    def connect(self) -> None:
        """There is always something to run on."""

    def disconnect(self) -> None:
        """Nothing is held."""

    def slots(self) -> list[int]:
        return sorted(self.workers)

    def start(self, slot: int) -> None:
        self.started.append(slot)
        self.workers.setdefault(slot, WELL)

    def status(self, slots: Sequence[int], *, timeout_s: float) -> Mapping[int, WorkerStatus | None]:
        if self.away:
            raise Transient("Ray did not answer")
        return {s: None if s in self.silent else self.workers[s] for s in slots if s in self.workers}

    def metrics(self, slots: Sequence[int], *, timeout_s: float) -> Mapping[int, str]:
        return {slot: f"of {slot}" for slot in slots}

    def drain(self, slots: Sequence[int]) -> None:
        self.drained += slots
        for slot in slots:
            self.workers[slot] = replace(self.workers[slot], alive=False, ready=False, ended=True)

    def kill(self, slot: int) -> None:
        self.killed.append(slot)
        self.workers.pop(slot, None)


class Desk:
    """A supervisor, its fleet and its clock."""

    def __init__(self, fleet: FakeFleet | None = None, *, least: int = 1, most: int = 3) -> None:
        self.fleet = fleet or FakeFleet()
        self.clock = ManualClock()
        self.registry = CollectorRegistry()
        self.shown: Mapping[int, str] = {}
        self.supervisor = Supervisor(
            self.fleet,
            bounds=Bounds(
                min_workers=least, max_workers=most, high_lag=20, low_lag=4, up_after_s=5, down_after_s=60
            ),
            digest="as-told",
            metrics=FleetMetrics(self.registry),
            show=self._show,
            beat=lambda: None,
            clock=self.clock,
        )
        self.supervisor.start()

    def _show(self, texts: Mapping[int, str]) -> None:
        self.shown = texts

    def looks(self, seconds: int) -> None:
        for _ in range(seconds):
            self.supervisor.step()
            self.clock.advance(1)

    def lag(self, each: int) -> None:
        for slot, status in self.fleet.workers.items():
            self.fleet.workers[slot] = replace(status, lag=each)


def test_an_empty_fleet_is_filled_to_the_least() -> None:
    desk = Desk(least=2)
    desk.looks(2)
    assert desk.fleet.started == [0, 1]
    assert desk.supervisor.ready() == {"workers": True}


def test_workers_that_are_there_are_adopted_and_not_started_anew() -> None:
    desk = Desk(FakeFleet({0: WELL, 1: WELL}))
    desk.looks(3)
    assert desk.fleet.killed == []
    assert set(desk.fleet.workers) == {0, 1}


def test_a_worker_that_died_is_replaced() -> None:
    desk = Desk()
    desk.looks(3)
    del desk.fleet.workers[0]
    desk.looks(1)
    assert desk.fleet.started == [0, 0]
    assert desk.registry.get_sample_value("signpost_embed_worker_restarts_total") == 1


@pytest.mark.parametrize(
    "status",
    [replace(WELL, alive=False), replace(WELL, ended=True, alive=False, failure="Fatal")],
    ids=["hung", "ended"],
)
def test_a_worker_that_hangs_or_has_ended_is_replaced(status: WorkerStatus) -> None:
    desk = Desk()
    desk.looks(3)
    desk.fleet.workers[0] = status
    desk.looks(1)
    assert desk.fleet.killed == [0]
    assert desk.fleet.workers[0] == WELL


def test_a_worker_that_is_silent_for_long_is_replaced_one_that_never_spoke_is_waited_for() -> None:
    """Ray may have no room yet for one that never spoke: an autoscaler needs minutes."""
    desk = Desk(least=2)
    desk.fleet.silent = {1}
    desk.looks(2)
    desk.fleet.silent = {0, 1}
    desk.looks(19)
    assert desk.fleet.killed == []
    desk.looks(4)
    assert desk.fleet.killed == [0]


def test_a_worker_that_cannot_start_is_tried_less_and_less_often() -> None:
    desk = Desk()
    for _ in range(60):
        desk.supervisor.step()
        desk.fleet.workers[0] = replace(WELL, alive=False, ready=False, ended=True, failure="Misconfigured")
        desk.clock.advance(1)
    assert 4 <= len(desk.fleet.started) <= 8


def test_a_lag_brings_another_worker_and_calm_sends_it_home_after_it_has_finished() -> None:
    desk = Desk()
    desk.looks(2)
    desk.lag(100)
    desk.looks(8)
    assert set(desk.fleet.workers) == {0, 1}
    desk.lag(0)
    desk.looks(65)
    assert desk.fleet.drained == [1]
    assert desk.fleet.killed == [1]
    assert set(desk.fleet.workers) == {0}


def test_a_drain_lets_all_finish_and_then_ends_them() -> None:
    desk = Desk(least=2)
    desk.looks(2)
    assert desk.supervisor.drain(5)
    assert desk.fleet.drained == [0, 1]
    assert desk.fleet.killed == [0, 1]


def test_while_the_fleet_cannot_be_reached_a_drain_is_not_claimed() -> None:
    desk = Desk()
    desk.looks(2)
    desk.fleet.away = True
    assert desk.supervisor.drain(5) is False


def test_the_workers_metrics_are_shown() -> None:
    desk = Desk(least=2)
    desk.looks(6)
    assert desk.shown == {0: "of 0", 1: "of 1"}


def test_workers_that_were_told_other_settings_are_reported_once(expected_errors: ExpectedErrors) -> None:
    expected_errors.add("workers were told other settings than their supervisor; restart Ray's head with these")
    desk = Desk(FakeFleet({0: replace(WELL, settings_digest="other")}))
    desk.looks(3)
    assert desk.fleet.killed == []
