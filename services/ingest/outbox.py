"""Frames between the cameras and Kafka, and the account of every one of them."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from services.contracts.authority import Camera
from services.contracts.events import CameraGap
from services.ingest.core.holding import Holding
from services.ingest.core.readings import Picture
from services.ingest.core.reasons import Loss
from services.ingest.core.tally import Tally, Totals
from services.ingest.metrics import IngestMetrics

log = logging.getLogger(__name__)

# How often who waits for room looks whether it was told to stop, or the readers have caught up.
_LOOK_S = 0.1


@dataclass(eq=False)
class Run:
    """One uninterrupted reading of a camera. The tally belongs to the outbox's lock."""

    camera: Camera
    holding: Holding
    epoch: int
    tally: Tally = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.tally = Tally(self.holding.run(self.epoch))

    @property
    def id(self) -> str:
        return self.tally.run


@dataclass(frozen=True)
class Outgoing:
    """A frame on its way to Kafka; who takes it must `settle` it."""

    run: Run
    sequence: int
    dropped_before: int
    picture: Picture


@dataclass(frozen=True)
class Report:
    """How a run stands; `final` when it has ended and nothing of it is in hand."""

    run: Run
    totals: Totals
    standing: Totals
    final: bool


class Outbox:
    """A bounded queue a camera, emptied in turn, and each run's tally. Any thread; one lock, held for no wait."""

    def __init__(
        self, *, frames_a_camera: int, metrics: IngestMetrics, admitted: Callable[[str], bool] = lambda _: True
    ) -> None:
        """`admitted` takes a place for one frame of a camera whose source is patient; False while who reads its
        frames is too far behind."""
        self._room = frames_a_camera
        self._admitted = admitted
        self._metrics = metrics
        lock = threading.Lock()
        # Whoever waits is woken by what it waits for alone: with a camera a thread, waking all for each frame
        # costs more than the frame.
        self._arrived = threading.Condition(lock)
        self._accounted = threading.Condition(lock)
        self._left: defaultdict[str, threading.Condition] = defaultdict(lambda: threading.Condition(lock))
        self._lock = lock
        self._waiting: dict[str, deque[tuple[Run, int, Picture]]] = {}
        self._runs: dict[str, Run] = {}
        self._reported: dict[str, tuple[Totals, Totals, bool]] = {}
        self._gaps: dict[str, CameraGap] = {}
        self._told: set[tuple[str, int, str]] = set()
        metrics.queued.follow(self.depth)

    def begin(self, run: Run) -> None:
        """Its frames follow."""
        with self._lock:
            self._runs[run.id] = run

    def advance(self, run: Run, read: int) -> None:
        """So many frames of the run have been read by now."""
        with self._lock:
            self._advance(run, read)

    def spoil(self, run: Run, read: int, reason: str) -> None:
        """A sampled frame that cannot be used."""
        with self._lock:
            self._drop(run, self._capture(run, read), reason)

    def offer(self, run: Run, picture: Picture) -> None:
        """Queue a frame; a full queue drops its oldest."""
        with self._lock:
            queue = self._queue(run)
            if len(queue) >= self._room:
                oldest, sequence, _ = queue.popleft()
                self._drop(oldest, sequence, Loss.QUEUE_FULL)
            self._enqueue(run, picture)

    def offer_patiently(self, run: Run, picture: Picture, stopped: Callable[[], bool]) -> None:
        """Queue a frame, waiting for room; if `stopped` first, the frame is dropped and counted."""
        with self._lock:
            camera = run.camera.id
            while not stopped() and (len(self._queue(run)) >= self._room or not self._admitted(camera)):
                self._left[camera].wait(_LOOK_S)
            if stopped():
                self._drop(run, self._capture(run, picture.read), Loss.STOPPED)
            else:
                self._enqueue(run, picture)

    def end(self, run: Run) -> None:
        """Nothing more of this run will be offered."""
        with self._lock:
            run.tally.ended = True

    def discard(self, camera: str, reason: Loss) -> None:
        """Drop what waits of this camera."""
        with self._lock:
            queue = self._waiting.get(camera, deque())
            while queue:
                run, sequence, _ = queue.popleft()
                self._drop(run, sequence, reason)
            self._left[camera].notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Whether a frame waits, after `timeout_s` at most. The publishing thread only."""
        with self._lock:
            return self._arrived.wait_for(self._any_waiting, timeout_s)

    def take(self) -> Outgoing | None:
        """The next frame, cameras in turn; None without one. Never blocks. The publishing thread only."""
        with self._lock:
            camera = next((camera for camera, queue in self._waiting.items() if queue), None)
            if camera is None:
                return None
            queue = self._waiting.pop(camera)
            self._waiting[camera] = queue  # to the end of the line
            run, sequence, picture = queue.popleft()
            self._left[camera].notify_all()
            return Outgoing(run, sequence, run.tally.take(sequence), picture)

    def published(self, frame: Outgoing) -> None:
        """Kafka has acknowledged it."""
        with self._lock:
            frame.run.tally.publish()
        self._metrics.published.inc()

    def dropped(self, frame: Outgoing, reason: str) -> None:
        """It was taken and will not be published."""
        with self._lock:
            self._drop(frame.run, frame.sequence, reason)

    def record_gap(self, gap: CameraGap) -> None:
        """A gap to be written, or the same one with a later end."""
        with self._lock:
            self._gaps[gap.event_id] = gap

    def count_gap(self, run: Run, reason: str) -> None:
        """The gap that ended, or delayed, this run."""
        with self._lock:
            self._runs.setdefault(run.id, run)
            run.tally.gaps[reason] += 1
        self._metrics.gaps.inc(reason=reason)

    def take_gaps(self) -> list[CameraGap]:
        """The gaps not yet written; one that cannot be is given back by `return_gap`."""
        with self._lock:
            gaps, self._gaps = list(self._gaps.values()), {}
            self._accounted.notify_all()
            return gaps

    def return_gap(self, gap: CameraGap) -> None:
        """It was not written; a later report of the same gap stands."""
        with self._lock:
            self._gaps.setdefault(gap.event_id, gap)

    def reports(self) -> list[Report]:
        """The runs whose figures differ from what was last reported."""
        with self._lock:
            found = []
            for run in self._runs.values():
                final = run.tally.ended and run.tally.in_hand == 0
                stands = (run.tally.totals(), run.tally.standing(), final)
                if self._reported.get(run.id) != stands:
                    self._reported[run.id] = stands
                    found.append(Report(run, *stands))
            return found

    def reported(self, report: Report, *, written: bool) -> None:
        """A final report that is written ends the account; one that is not will come again."""
        with self._lock:
            if not written:
                self._reported.pop(report.run.id, None)
            elif report.final:
                self._runs.pop(report.run.id, None)
                self._reported.pop(report.run.id, None)
            self._accounted.notify_all()

    def depth(self) -> int:
        """Frames that wait."""
        with self._lock:
            return sum(len(queue) for queue in self._waiting.values())

    def wait_until_empty(self, timeout_s: float) -> bool:
        """Whether every run has ended and every account is written, waiting at most so long."""
        with self._lock:
            return self._accounted.wait_for(lambda: not self._runs and not self._gaps, timeout_s)

    def _any_waiting(self) -> bool:
        return any(self._waiting.values())

    def _queue(self, run: Run) -> deque[tuple[Run, int, Picture]]:
        return self._waiting.setdefault(run.camera.id, deque())

    def _enqueue(self, run: Run, picture: Picture) -> None:
        self._queue(run).append((run, self._capture(run, picture.read), picture))
        self._arrived.notify()

    def _capture(self, run: Run, read: int) -> int:
        self._advance(run, read)
        self._metrics.sampled.inc()
        return run.tally.capture(read)

    def _advance(self, run: Run, read: int) -> None:
        self._metrics.read.inc(max(0, read - run.tally.read))
        run.tally.advance(read)

    def _drop(self, run: Run, sequence: int, reason: str) -> None:
        run.tally.drop(sequence, str(reason))
        self._metrics.dropped.inc(reason=str(reason))
        # The first of its kind under a lease; the counters tell how many.
        told = (run.camera.id, run.holding.number, str(reason))
        if told not in self._told:
            self._told.add(told)
            log.warning("frame dropped", extra={"camera": run.camera.id, "run": run.id, "reason": str(reason)})
