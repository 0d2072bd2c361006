"""One leased camera: read it, read it anew when it breaks, say when it gave nothing."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.contracts.authority import Camera, Pace, SourceKind
from services.contracts.events import CameraGap
from services.contracts.ids import CameraId, DeploymentId, derived
from services.ingest.core.backoff import Backoff
from services.ingest.core.given import Given
from services.ingest.core.holding import Holding
from services.ingest.core.readings import Ended, Looped, Opening, Parted, Picture, Progress, Reading, Spoilt
from services.ingest.core.reasons import WHAT_TO_DO, ClockFault, Fault
from services.ingest.metrics import CameraState, IngestMetrics
from services.ingest.outbox import Outbox, Run
from services.ingest.ports import Source, Sources
from services.runtime.clock import Clock

log = logging.getLogger(__name__)

# How often a waiting reading looks at the stall timeout; a stop wakes it at once by closing the source.
_LOOK_S = 0.5
# A reader is a process: on a machine that starts thirty of them at once each has so long to begin. With the stall
# timeout of its stream, each would be killed as it begins, and again.
_STARTS_WITHIN_S = 60.0


@dataclass(frozen=True)
class Gap:
    """A stretch without frames that has not ended yet: when it began, why, and the run it broke off."""

    run: str
    began_at: datetime
    reason: str


@dataclass(frozen=True)
class Tools:
    """What every camera of an instance is read with."""

    deployment: str
    sources: Sources
    outbox: Outbox
    metrics: IngestMetrics
    clock: Clock
    stall_timeout_s: float
    backoff: Backoff
    jitter: Callable[[], float] = random.random


class CameraReading:
    """Reads one camera on a thread of its own for as long as its lease is held.

    The thread owns everything but `state`, `last_frame_at`, `position_s` and `gap`, which others may read, and
    the stop.
    """

    def __init__(
        self, camera: Camera, holding: Holding, tools: Tools, *, gap: Gap | None = None, start_s: float = 0.0
    ) -> None:
        self.camera = camera
        self.holding = holding
        self.state = CameraState.OPENING
        self.last_frame_at: datetime | None = None
        self.position_s: float | None = None
        self.gap = gap
        self._start_s = start_s
        self._tools = tools
        self._run: Run | None = None
        # What a gap before the first frame is counted in.
        self._next_run = Run(camera, holding, 1)
        self._damaged = 0
        self._told_of_clock: set[ClockFault] = set()
        self._given = Given(camera.rate_fps, began_s=tools.clock.monotonic())
        self._stopped = threading.Event()
        self._source: Source | None = None
        self._thread = threading.Thread(target=self._live, name=f"signpost-ingest-{camera.id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Read no more; does not wait."""
        self._stopped.set()
        source = self._source
        if source is not None:
            source.stop()

    def join(self, timeout_s: float) -> bool:
        """Whether the thread has ended, waiting at most so long. Call after `stop`."""
        if self._thread.ident is None:  # never begun: its source had ended under an earlier holder
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def break_off(self, reason: str, *, since: datetime | None = None) -> None:
        """Before `start` or after `join`: a gap begins, at the newest frame if `since` does not say."""
        self._begin_gap(self._run or self._next_run, reason, since)

    def rate_share(self) -> float:
        """How much of its rate the camera gives now, 0 to 1; 1 where nobody waits for a rate. Any thread."""
        patient = self.camera.pace is Pace.AS_FAST_AS_TAKEN and self.camera.source is not SourceKind.RTSP
        if self.state is CameraState.FINISHED or (patient and self.state is CameraState.READING):
            return 1.0
        return self._given.share(self._tools.clock.monotonic())

    def _live(self) -> None:
        try:
            self._read_on()
        finally:
            self._tools.outbox.end(self._next_run)

    def _read_on(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            self.state = CameraState.OPENING
            next_before = self._next_run
            fault = self._read_once()
            if self._stopped.is_set():
                return
            failures = failures + 1 if self._next_run is next_before else 1
            if fault is None or not self._may_restart():
                self._finish(fault)
                return
            self._broken(fault, failures)
            if not self._stopped.wait(self._tools.backoff.pause_s(failures, self._tools.jitter())):
                self._tools.metrics.restarts.inc(reason=fault)

    def _may_restart(self) -> bool:
        # A file read anew from its start would show every passage a second time.
        return self.camera.source is SourceKind.RTSP or self.camera.loop

    def _finish(self, fault: Fault | None) -> None:
        if fault is None:
            self.state = CameraState.FINISHED
            log.info("source came to its end", extra={"camera": self.camera.id})
            return
        self._tools.metrics.faults.inc(reason=fault)
        if self.gap is None:
            self._begin_gap(self._run or self._next_run, fault)
        self.state = CameraState.FAILED
        extra = {"camera": self.camera.id, "reason": fault, "what_to_do": WHAT_TO_DO.get(fault, "")}
        log.error("source failed and is not read again", extra=extra)

    def _broken(self, fault: Fault, failures: int) -> None:
        self.state = CameraState.WAITING
        self._tools.metrics.faults.inc(reason=fault)
        if self.gap is None:
            self._begin_gap(self._run or self._next_run, fault)
        if failures == 1:  # one line a change of state; the counters tell how often it was tried
            extra = {"camera": self.camera.id, "reason": fault, "what_to_do": WHAT_TO_DO.get(fault, "")}
            log.warning("source broke off", extra=extra)
        self._run = None

    def _read_once(self) -> Fault | None:
        """Read until the source ends or stalls; why, or None for its own end."""
        source = self._tools.sources.open(self.camera, start_s=self._start_s)
        self._source = source
        self._damaged = 0
        try:
            return self._follow(source)
        finally:
            self._source = None
            source.close()
            if self._run is not None:
                self._tools.outbox.end(self._run)

    def _follow(self, source: Source) -> Fault | None:
        clock = self._tools.clock
        position_s: float | None = None
        moved_at_s = clock.monotonic()
        patience_s = max(_STARTS_WITHIN_S, self._tools.stall_timeout_s)
        while not self._stopped.is_set():
            reading = source.next(_LOOK_S)
            if isinstance(reading, Ended):
                return reading.fault
            if reading is not None:
                patience_s = self._tools.stall_timeout_s
                self._take(reading)
            if reading is not None and (at_s := _position_s(reading)) != position_s:
                # The time after the frame was taken: waiting for room is not the source's fault.
                position_s, moved_at_s = at_s, clock.monotonic()
            elif clock.monotonic() - moved_at_s > patience_s:
                return Fault.STALLED
        return None

    def _take(self, reading: Reading) -> None:
        """One reading into the account of its run."""
        if isinstance(reading, Looped):
            self._end_run()
            return
        if isinstance(reading, Opening):
            return
        if isinstance(reading, Parted):
            self._note_parted(reading)
            return
        run = self._run or self._begin_run()
        outbox = self._tools.outbox
        match reading:
            case Picture():
                self._note_frame(reading)
                if self.camera.pace is Pace.AS_FAST_AS_TAKEN and self.camera.source is not SourceKind.RTSP:
                    outbox.offer_patiently(run, reading, self._stopped.is_set)
                else:
                    outbox.offer(run, reading)
            case Spoilt():
                outbox.spoil(run, reading.read, reading.flaw)
            case Progress():
                outbox.advance(run, reading.read)
                self._note_damage(reading.damaged)

    def _begin_run(self) -> Run:
        run = self._run = self._next_run
        self._next_run = Run(self.camera, self.holding, run.epoch + 1)
        self._tools.outbox.begin(run)
        if self.state is not CameraState.READING:  # a loop's every round is no news
            log.info("reading camera", extra={"camera": self.camera.id, "run": run.id})
        self.state = CameraState.READING
        self._end_gap()
        return run

    def _end_run(self) -> None:
        if self._run is not None:
            self._tools.outbox.end(self._run)
            self._run = None

    def _note_frame(self, picture: Picture) -> None:
        self._given.picture(self._tools.clock.monotonic())
        self.last_frame_at = picture.captured_at
        self.position_s = picture.position_s
        self._tools.metrics.last_frame.set(picture.captured_at.timestamp(), camera=self.camera.id)

    def _note_damage(self, damaged: int) -> None:
        self._tools.metrics.damaged.inc(max(0, damaged - self._damaged))
        self._damaged = damaged

    def _note_parted(self, parted: Parted) -> None:
        camera = self.camera.id
        self._tools.metrics.clock_faults.inc(parted.times, camera=camera, reason=parted.fault)
        if parted.fault not in self._told_of_clock:  # one line a change of state; the counter tells how often
            self._told_of_clock.add(parted.fault)
            log.warning("a source's clock and its frames part", extra={"camera": camera, "reason": parted.fault})

    def _begin_gap(self, run: Run, reason: str, since: datetime | None = None) -> None:
        now = self._tools.clock.now()
        self.gap = Gap(run.id, min(since or self.last_frame_at or now, now), str(reason))
        self._tools.outbox.count_gap(run, str(reason))
        self._report_gap(self.gap)

    def _end_gap(self) -> None:
        """The camera gives frames again: the same gap, now with its end."""
        if self.gap is not None:
            self._report_gap(self.gap)
            self.gap = None

    def _report_gap(self, gap: Gap) -> None:
        self._tools.outbox.record_gap(
            CameraGap(
                deployment=DeploymentId(self._tools.deployment),
                trace_id=derived("trace", gap.run),
                captured_at=max(self._tools.clock.now(), gap.began_at),
                camera=CameraId(self.camera.id),
                run=gap.run,
                began_at=gap.began_at,
                reason=gap.reason,
            )
        )


def _position_s(reading: Reading) -> float:
    """-1 where the stream begins again, which is progress too."""
    return reading.position_s if isinstance(reading, Picture | Spoilt | Progress | Parted) else -1.0
