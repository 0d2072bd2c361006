"""One camera's reading: how long it waits for what."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.ingest.cameras import CameraReading, Tools
from services.ingest.core.backoff import Backoff
from services.ingest.core.readings import Ended, Opening, Parted, Reading
from services.ingest.core.reasons import ClockFault
from services.ingest.metrics import CameraState, IngestMetrics
from services.ingest.outbox import Outbox
from services.runtime.metrics import new_registry
from tests.fakes.clock import ManualClock
from tests.fakes.ingest import FakeSources
from tests.support import eventually
from tests.unit.ingest.builders import DEPLOYMENT, a_camera, a_holding, a_picture


class Town:
    """One camera whose source plays a script; each wait for it takes `pace_s`."""

    def __init__(self, *script: Reading | None, pace_s: float = 1.0) -> None:
        self.clock = ManualClock()
        self.registry = new_registry()
        self.metrics = IngestMetrics(self.registry, ["gate-1"])
        sources = FakeSources(lambda _: self.clock.advance(pace_s))
        sources.scripts["gate-1"] = deque([script])
        self.outbox = Outbox(frames_a_camera=50, metrics=self.metrics)
        tools = Tools(
            deployment=DEPLOYMENT,
            sources=sources,
            outbox=self.outbox,
            metrics=self.metrics,
            clock=self.clock,
            stall_timeout_s=10.0,
            backoff=Backoff(60.0, 60.0),
        )
        self.reading = CameraReading(a_camera(), a_holding(), tools)

    def count(self, name: str, **labels: str) -> float:
        value = self.registry.get_sample_value(name, labels)
        assert value is not None
        return value

    @contextmanager
    def running(self) -> Iterator[CameraReading]:
        self.reading.start()
        try:
            yield self.reading
        finally:
            self.reading.stop()
            self.reading.join(5)


def state(town: Town, wanted: CameraState) -> None:
    eventually(lambda: town.reading.state is wanted, f"the camera to be {wanted}", within_s=5)


def test_a_reader_that_starts_slowly_is_waited_for_and_its_stream_no_longer_than_the_stall_timeout() -> None:
    """Thirty readers that begin at once on two cores need longer than a stream may stand still: each was killed as
    it began, and again, and no camera was ever read."""
    town = Town(*[None] * 40, Opening(), None, a_picture(), None)
    with town.running():
        state(town, CameraState.WAITING)
    assert town.reading.last_frame_at is not None, "it was not killed as it began"
    assert 50 <= town.clock.monotonic() <= 56, "40 s of start, then 10 s without a frame"


def test_a_reader_that_never_starts_is_given_up() -> None:
    town = Town()
    with town.running():
        state(town, CameraState.WAITING)
    assert town.clock.monotonic() == pytest.approx(61, abs=1)


def test_what_parted_is_counted_by_camera_and_reason() -> None:
    town = Town(Opening(), a_picture(), Parted(0.2, ClockFault.STILL), Parted(0.4, ClockFault.STILL, times=3))
    with town.running():
        state(town, CameraState.WAITING)
    assert town.count("signpost_ingest_clock_faults_total", camera="gate-1", reason="still") == 4
    assert town.count("signpost_ingest_clock_faults_total", camera="gate-1", reason="slow") == 0


def test_what_is_said_of_a_clock_is_no_sign_of_life() -> None:
    town = Town(Opening(), a_picture(), *[Parted(0.2, ClockFault.STILL), None] * 40)
    with town.running():
        state(town, CameraState.WAITING)
    assert town.clock.monotonic() < 14


def test_a_camera_gives_its_share_and_a_file_that_has_ended_all_that_is_due() -> None:
    live = Town(Opening(), a_picture(), pace_s=1.0)
    with live.running():
        state(live, CameraState.WAITING)
        assert 0 < live.reading.rate_share() < 0.1
    ended = Town(Opening(), a_picture(), Ended())
    with ended.running():
        state(ended, CameraState.FINISHED)
        assert ended.reading.rate_share() == 1
