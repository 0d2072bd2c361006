"""The story of a frame in ingest.

Reads: cameras (through the outbox). Writes: frames, counts. Next stop: services/embed/pipeline.py
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from services.contracts import codec, ids, keys, topics
from services.contracts.authority import Authority
from services.contracts.codec import Cipher, Sealing
from services.contracts.counts import Stage
from services.contracts.errors import Oversized, Permanent, Transient
from services.contracts.events import CameraGap, FrameCaptured, StageCounts
from services.contracts.standing import PASSING, Standing
from services.ingest.core.reasons import Loss
from services.ingest.metrics import IngestMetrics
from services.ingest.outbox import Outbox, Outgoing, Report
from services.ingest.ports import TOO_LARGE, Keys, Outlet
from services.runtime.clock import Clock
from services.runtime.kafka.types import Output

log = logging.getLogger(__name__)

# How often the runs' figures are written. A killed ingest's account is as old as this, or as its last frame.
_COUNTS_EVERY_S = 1.0
# Longest wait for a frame: with answers outstanding they are served so often, else only the counts are due.
_ANSWERS_EVERY_S = 0.005
_IDLE_S = 0.1
# A key store that is away is not asked for each frame: each question may block for seconds.
_KEYS_PAUSE_S = 0.5


class _NotPublished(Exception):
    """This frame goes no further; the reason is a count and a label."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Pipeline:
    """Takes frames from the outbox, seals them and gives them to Kafka. One thread owns it, and the producer."""

    def __init__(  # noqa: PLR0913 - what a frame needs on its way, each named once in wiring
        self,
        authority: Authority,
        standing: Standing,
        outbox: Outbox,
        outlet: Outlet,
        *,
        keys: Keys,
        cipher: Cipher,
        account: Callable[[StageCounts | CameraGap], Output],
        clock: Clock,
        metrics: IngestMetrics,
        max_unacked: int,
    ) -> None:
        self._authority = authority
        self._standing = standing
        self._outbox = outbox
        self._outlet = outlet
        self._account = account
        self._keys = keys
        self._cipher = cipher
        self._clock = clock
        self._metrics = metrics
        self._max_unacked = max_unacked
        self._unacked = 0
        self._counts_due_s = 0.0
        self._keys_asked_again_s = 0.0
        self.keys_usable = False
        self.turned_at_s = clock.monotonic()
        metrics.unacked.follow(lambda: self._unacked)

    def run(self, stop: threading.Event) -> None:
        """Turn until stopped. Raises with the outlet, when nothing can be sent any more."""
        while not stop.is_set():
            self.turn()
            self.turned_at_s = self._clock.monotonic()

    def turn(self) -> None:
        """One frame, if there is one, and whatever else is due."""
        if self._unacked >= self._max_unacked:
            time.sleep(_ANSWERS_EVERY_S)
        elif self._outbox.wait(_ANSWERS_EVERY_S if self._unacked else _IDLE_S):
            self._take_up()
        self._outlet.serve()
        if self._clock.monotonic() >= self._counts_due_s:
            self._counts_due_s = self._clock.monotonic() + _COUNTS_EVERY_S
            self._probe_keys()
            self.write_accounts()

    def _take_up(self) -> None:
        """The next frame; while the authority may stand again by itself, frames wait where they are."""
        if self._standing.standing() in PASSING:
            time.sleep(_ANSWERS_EVERY_S)
            return
        frame = self._outbox.take()
        if frame is not None:
            self._publish(frame)

    def write_accounts(self) -> None:
        """Write what has changed: each run's counts, each gap."""
        for gap in self._outbox.take_gaps():
            self._outlet.send(self._account(gap), partial(self._gap_answered, gap))
        for report in self._outbox.reports():
            self._outlet.send(self._counts_output(report), partial(self._report_answered, report))

    def _publish(self, frame: Outgoing) -> None:
        try:
            self._check(frame)
            sealing = self._sealing(frame)
            output = self._sealed(frame, sealing)
        except _NotPublished as outcome:
            self._outbox.dropped(frame, outcome.reason)
            return
        self._unacked += 1
        self._outlet.send(output, partial(self._frame_answered, frame))

    def _check(self, frame: Outgoing) -> None:
        """May this frame still go out: is the camera ours, and does the authority cover the moment."""
        if not frame.run.holding.holds(self._clock.monotonic()):
            raise _NotPublished(Loss.LEASE_LOST)
        refusal = self._standing.refusal(
            frame.run.camera.id, deployment=self._authority.deployment, at=frame.picture.captured_at
        )
        if refusal is not None:
            raise _NotPublished(refusal)

    def _sealing(self, frame: Outgoing) -> Sealing:
        now_s = self._clock.monotonic()
        if now_s < self._keys_asked_again_s:
            raise _NotPublished(Loss.KEY_UNAVAILABLE)
        spec = keys.frame(self._authority, frame.picture.captured_at)
        try:
            key = self._keys.mint(spec)
        except Permanent as error:  # the frame waited until nobody could have read it any more
            raise _NotPublished(Loss.EXPIRED) from error
        except Transient as error:
            self._note_keys(usable=False)
            self._keys_asked_again_s = self._clock.monotonic() + _KEYS_PAUSE_S
            raise _NotPublished(Loss.KEY_UNAVAILABLE) from error
        self._note_keys(usable=True)
        self._metrics.key_wait.observe(self._clock.monotonic() - now_s)
        return Sealing(spec.id, key, self._cipher)

    def _probe_keys(self) -> None:
        """Have the present key at hand before the first frame needs it; without frames, know whether one could."""
        if self._standing.standing() is not None:
            self._note_keys(usable=True)
            return
        try:
            self._keys.mint(keys.frame(self._authority, self._clock.now()))
        except Transient:
            self._note_keys(usable=False)
        else:
            self._note_keys(usable=True)

    def _note_keys(self, *, usable: bool) -> None:
        if self.keys_usable and not usable:
            log.warning("no keys to seal frames with")
        self.keys_usable = usable

    def _sealed(self, frame: Outgoing, sealing: Sealing) -> Output:
        camera, picture = frame.run.camera, frame.picture
        event = FrameCaptured(
            deployment=ids.DeploymentId(self._authority.deployment),
            trace_id=ids.derived("trace", f"{frame.run.id}.{frame.sequence}"),
            captured_at=picture.captured_at,
            camera=ids.CameraId(camera.id),
            lease=frame.run.holding.number,
            epoch=frame.run.epoch,
            sequence=frame.sequence,
            read=max(picture.read, frame.sequence),
            dropped_before=frame.dropped_before,
            width_px=picture.width_px,
            height_px=picture.height_px,
            position_s=picture.position_s,
            jpeg=picture.jpeg,
        )
        index = self._authority.camera_index(camera.id) or 0
        try:
            sealed = codec.encode_sealed(event, topic=topics.FRAMES.name, sealing=sealing)
        except Oversized:
            raise _NotPublished(Loss.TOO_LARGE) from None
        return Output(
            topics.FRAMES.name,
            camera.id.encode(),
            sealed,
            partition=topics.partition_of_camera(index, topics.FRAMES),
        )

    def _frame_answered(self, frame: Outgoing, failure: str | None) -> None:
        self._unacked -= 1
        if failure is None:
            self._outbox.published(frame)
            self._metrics.publish.observe((self._clock.now() - frame.picture.captured_at).total_seconds())
        else:
            log.warning("frame not delivered", extra={"code": failure})
            self._outbox.dropped(frame, Loss.TOO_LARGE if failure == TOO_LARGE else Loss.DELIVERY_FAILED)

    def _gap_answered(self, gap: CameraGap, failure: str | None) -> None:
        if failure is not None:
            log.warning("gap not delivered", extra={"code": failure})
            self._outbox.return_gap(gap)

    def _report_answered(self, report: Report, failure: str | None) -> None:
        if failure is not None:
            log.warning("counts not delivered", extra={"code": failure})
        self._outbox.reported(report, written=failure is None)

    def _counts_output(self, report: Report) -> Output:
        return self._account(
            StageCounts(
                deployment=ids.DeploymentId(self._authority.deployment),
                trace_id=ids.derived("trace", report.run.id),
                captured_at=self._clock.now(),
                stage=Stage.INGEST,
                incarnation=report.run.id,
                totals=report.totals,
                standing=report.standing,
                final=report.final,
            )
        )
