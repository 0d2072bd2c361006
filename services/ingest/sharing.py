"""Which cameras this instance reads: leases taken, renewed and given up."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from services.contracts.authorisation.refusals import Refusal
from services.contracts.authority import Authority, Camera, Pace, SourceKind
from services.contracts.errors import Transient
from services.contracts.ids import CameraId
from services.contracts.standing import PASSING, Standing
from services.ingest.cameras import CameraReading, Gap, Tools
from services.ingest.core.holding import Holding
from services.ingest.core.reasons import Interruption, Loss
from services.ingest.metrics import CameraState
from services.ingest.ports import Lease, Leases

log = logging.getLogger(__name__)

# Of the TTL: renewals come so often that two may fail before a holder must stop.
_RENEW_EVERY = 0.25
# A camera that the authority covers no more is read so much longer; none of its frames goes out meanwhile.
_REFUSE_EVERY_S = 0.5
# A free camera is found within this.
_TRY_EVERY_S = 1.0
# A camera is read on for so long without a lease on the authority, its frames held back: oversight's standby takes
# over in about ten seconds, and to open a camera again costs as much.
_PASSES_WITHIN_S = 20.0
# A killed reader's thread ends in a moment.
_JOIN_S = 5.0


@dataclass
class _Held:
    lease: Lease
    reading: CameraReading


class Sharing:
    """Takes free cameras up to a number, keeps their leases, stops those it may not read. One thread owns it."""

    def __init__(
        self,
        authority: Authority,
        standing: Standing,
        leases: Leases,
        tools: Tools,
        *,
        ttl_s: float,
        max_cameras: int,
        shuffle: Callable[[list[Camera]], None] = random.shuffle,
    ) -> None:
        self._authority = authority
        self._standing = standing
        self._leases = leases
        self._tools = tools
        self._ttl_s = ttl_s
        self._max_cameras = max_cameras
        self._shuffle = shuffle
        self._held: dict[str, _Held] = {}
        self._highest: Counter[str] = Counter()
        self._gaps: dict[str, Gap] = {}
        self._known: dict[str, Lease] = {}
        self._refused: dict[str, Refusal] = {}
        self._passing_since_s: float | None = None
        self._refuse_due_s = 0.0
        self._renew_due_s = 0.0
        self._try_due_s = 0.0
        self.store_answers = False

    @property
    def readings(self) -> tuple[CameraReading, ...]:
        """The cameras held now."""
        return tuple(held.reading for held in self._held.values())

    def turn(self) -> None:
        """Whatever is due. Blocks on the lease store only, and on a reading that ends."""
        now_s = self._tools.clock.monotonic()
        tries = now_s >= self._try_due_s
        if tries or now_s >= self._refuse_due_s:
            self._refuse_due_s = now_s + _REFUSE_EVERY_S
            self._refuse()
        now_s = self._tools.clock.monotonic()
        if now_s >= self._renew_due_s:
            self._renew_due_s = now_s + self._ttl_s * _RENEW_EVERY
            self.renew()
        if tries:
            self._try_due_s = now_s + _TRY_EVERY_S
            self._take_free()
            self._show_rates()
        self._show()

    def renew(self) -> None:
        """Hold on to what we have; stop what is not ours any more."""
        if not self._held:
            return
        clock = self._tools.clock
        asked_s = clock.monotonic()
        held = [_as_it_stands(one) for one in self._held.values()]
        ours = self._ask(lambda: self._leases.renew(held))
        lost = []
        for camera, one in self._held.items():
            if ours is not None and camera in ours:
                one.reading.holding.renewed(asked_s)
            elif ours is not None or not one.reading.holding.holds(clock.monotonic()):
                one.reading.holding.end()
                one.reading.stop()  # all of them before the first is waited for
                lost.append(camera)
        for camera in lost:
            self._lose(camera)

    def stop_readings(self) -> None:
        """Read no more; leases stay ours, for what is still to be published."""
        for held in self._held.values():
            held.reading.stop()
        for held in self._held.values():
            held.reading.join(_JOIN_S)

    def release(self) -> None:
        """Give every camera up, so that a peer takes it at once. After `stop_readings`."""
        for camera in list(self._held):
            self._give_up(camera)

    def _refuse(self) -> None:
        """Note which cameras the authority does not cover now, and read none of them."""
        now, passes = self._tools.clock.now(), self._passes()
        for camera in self._authority.cameras:
            if passes and camera.id in self._held:
                continue
            refusal = self._standing.refusal(camera.id, deployment=self._authority.deployment, at=now)
            if refusal is None:
                self._refused.pop(camera.id, None)
                continue
            if self._refused.get(camera.id) is not refusal:
                log.warning("camera refused", extra={"camera": camera.id, "reason": refusal})
                self._refused[camera.id] = refusal
            if camera.id in self._held:
                self._held[camera.id].reading.stop()
                self._held[camera.id].reading.join(_JOIN_S)
                self._give_up(camera.id)

    def _passes(self) -> bool:
        """Whether what refuses all of them now may pass by itself, and has not lasted long."""
        if self._standing.standing() not in PASSING:
            self._passing_since_s = None
            return False
        now_s = self._tools.clock.monotonic()
        if self._passing_since_s is None:
            self._passing_since_s = now_s
        return now_s - self._passing_since_s < _PASSES_WITHIN_S

    def _take_free(self) -> None:
        wanted = [
            camera
            for camera in self._authority.cameras
            if camera.id not in self._held and camera.id not in self._refused
        ]
        # Each instance in an order of its own, or all would ask for the same camera first.
        self._shuffle(wanted)
        for camera in wanted:
            if len(self._held) >= self._max_cameras or not self._take(camera):
                return

    def _take(self, camera: Camera) -> bool:
        """Whether the store answered; the camera is ours now, or somebody else's."""
        asked_s = self._tools.clock.monotonic()
        try:
            lease = self._leases.acquire(camera.id, above=self._highest[camera.id])
        except Transient:
            self._note_store(answers=False)
            return False
        self._note_store(answers=True)
        if lease is not None:
            self._begin(camera, lease, asked_s)
        return True

    def _begin(self, camera: Camera, lease: Lease, asked_s: float) -> None:
        holding = Holding(CameraId(camera.id), lease.number, asked_s=asked_s, ttl_s=self._ttl_s)
        self._highest[camera.id] = lease.number
        log.info("camera leased", extra={"camera": camera.id, "lease": lease.number})
        gap = self._gaps.pop(camera.id, None)
        known = self._known.pop(camera.id, None)
        if lease.last_frame_at is None and known is not None:  # the store forgot, we did not
            lease = replace(known, number=lease.number)
        reading = CameraReading(
            camera, holding, self._tools, gap=gap, start_s=_start_s(camera, lease, self._tools.clock.now())
        )
        self._held[camera.id] = _Held(lease, reading)
        if lease.finished:
            reading.state = CameraState.FINISHED
            return
        if gap is None and lease.unsure_since is not None:
            reading.last_frame_at = lease.last_frame_at
            reading.break_off(Interruption.TAKEN_OVER, since=lease.unsure_since)
        reading.start()

    def _lose(self, camera: str) -> None:
        held = self._held.pop(camera)
        held.reading.join(_JOIN_S)
        self._known[camera] = _as_it_stands(held)
        self._tools.outbox.discard(camera, Loss.LEASE_LOST)
        self._tools.metrics.leases_lost.inc()
        log.warning("lease lost", extra={"camera": camera, "lease": held.lease.number})
        if held.reading.state is not CameraState.FINISHED:
            held.reading.break_off(Interruption.LEASE_LOST)
            if held.reading.gap is not None:
                self._gaps[camera] = held.reading.gap

    def _give_up(self, camera: str) -> None:
        held = self._held.pop(camera)
        # Renewed a last time, so that the next holder knows our newest frame.
        lease = _as_it_stands(held)
        self._ask(lambda: self._leases.renew([lease]))
        self._ask(lambda: self._leases.release(lease))
        held.reading.holding.end()

    def _ask(self, question: Callable[[], set[str] | None]) -> set[str] | None:
        try:
            answer = question()
        except Transient:
            self._note_store(answers=False)
            return None
        self._note_store(answers=True)
        return answer

    def _note_store(self, *, answers: bool) -> None:
        if self.store_answers is not answers:
            if answers:
                log.info("lease store answers")
            else:
                log.warning("lease store does not answer")
        self.store_answers = answers

    def _show(self) -> None:
        states = Counter(held.reading.state for held in self._held.values())
        states[CameraState.REFUSED] = len(self._refused)
        states[CameraState.ELSEWHERE] = len(self._authority.cameras) - states.total()
        for state in CameraState:
            self._tools.metrics.cameras.set(states[state], state=state)
        reasons = Counter(self._refused.values())
        for reason in Refusal:
            self._tools.metrics.refused.set(reasons[reason], reason=reason)

    def _show_rates(self) -> None:
        """A camera that nobody reads gives nothing: whoever holds it says more, and the alert takes the most.

        One that the authority does not cover now (before its window, suspended) owes nothing.
        """
        for camera in self._authority.cameras:
            held = self._held.get(camera.id)
            share = held.reading.rate_share() if held else float(camera.id in self._refused)
            self._tools.metrics.rate.set(share, camera=camera.id)


def _as_it_stands(held: _Held) -> Lease:
    """The lease with what the next holder should know."""
    reading = held.reading
    return replace(
        held.lease,
        last_frame_at=reading.last_frame_at,
        finished=reading.state is CameraState.FINISHED,
        position_s=reading.position_s,
    )


def _start_s(camera: Camera, lease: Lease, now: datetime) -> float:
    """Where to go on in a file or folder whose holder was lost, so that no passage is shown twice.

    Played in real time it has gone on meanwhile, as a camera would; what was missed is the gap. A loop begins
    anew.
    """
    if camera.source is SourceKind.RTSP or camera.loop or lease.position_s is None or lease.last_frame_at is None:
        return 0.0
    if camera.pace is Pace.AS_FAST_AS_TAKEN:
        return lease.position_s
    return lease.position_s + max(0.0, (now - lease.last_frame_at).total_seconds())
