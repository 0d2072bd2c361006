"""Keeps a fleet of workers: the wanted number, none dead, as many as the lag asks for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.contracts.errors import Transient
from services.embed.core.fleet import Bounds, Scaling, decide
from services.embed.metrics import FleetMetrics
from services.embed.ports import Fleet, WorkerStatus
from services.runtime.clock import Clock

log = logging.getLogger(__name__)

# Between two looks at the fleet. A dead worker is missed for this long and the group's session (6 s) beside it.
_LOOK_S = 1.0
# A worker answers from memory; one that does not within this is asked again at the next look.
_ANSWER_S = 2.0
# No answer for so long: it hangs. Above any garbage collection, model load (which answers) or busy machine.
_SILENT_S = 20.0
_METRICS_EVERY_S = 5.0
# Between two starts of one slot, doubled from the first to the last: a worker that cannot start must not spin.
_FIRST_PAUSE_S = 1.0
_LAST_PAUSE_S = 30.0


@dataclass
class _Slot:
    """What the supervisor remembers of one slot."""

    started_s: float
    answered_s: float | None = None
    pause_s: float = _FIRST_PAUSE_S
    status: WorkerStatus | None = None


class Supervisor:
    """The process's service (`runtime.process.Service`). The run thread owns all state but what `ready` reads.

    Workers outlive it: a new supervisor adopts those it finds. Only a drain (SIGTERM) ends them.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        bounds: Bounds,
        digest: str,
        metrics: FleetMetrics,
        show: Callable[[Mapping[int, str]], None],
        beat: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._fleet = fleet
        self._bounds = bounds
        self._digest = digest
        self._metrics = metrics
        self._show = show
        self._beat = beat
        self._clock = clock
        self._slots: dict[int, _Slot] = {}
        self._leaving: dict[int, float] = {}
        self._scaling = Scaling(bounds.min_workers)
        self._metrics_s = 0.0
        self._told_digest = False
        self._ready = 0

    def start(self) -> None:
        """Find the fleet and adopt the workers that are there. Raises Misconfigured."""
        self._fleet.connect()
        found = self._fleet.slots()
        for slot in found:
            self._begin(slot)
        wanted = min(max(len(found), self._bounds.min_workers), self._bounds.max_workers)
        self._scaling = Scaling(wanted)
        log.info("fleet adopted", extra={"workers": len(found), "wanted": wanted})

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self.step()
            except Transient as away:
                log.warning("fleet not reached", extra={"kind": str(away)})
            self._beat()
            stop.wait(_LOOK_S)

    def step(self) -> None:
        """One look: fill the wanted slots, send home the others, replace the dead, decide the size."""
        for slot in range(self._scaling.wanted):
            if slot not in self._slots:
                self._begin(slot)
        self._send_home()
        self._look()
        self._decide()
        if self._clock.monotonic() >= self._metrics_s:
            self._metrics_s = self._clock.monotonic() + _METRICS_EVERY_S
            self._show(self._fleet.metrics(list(self._slots), timeout_s=_ANSWER_S))

    def drain(self, within_s: float) -> bool:
        """Let every worker finish, then end it; True if all did in time."""
        deadline = self._clock.monotonic() + within_s * 0.9
        slots = list(self._slots)
        try:
            self._fleet.drain(slots)
            left = set(slots)
            pause = threading.Event()
            while left and self._clock.monotonic() < deadline:
                answers = self._fleet.status(sorted(left), timeout_s=_ANSWER_S)
                left = {slot for slot in left if (a := answers.get(slot)) is not None and not a.ended}
                pause.wait(0.1 if left else 0)
            for slot in slots:
                self._fleet.kill(slot)
        except Transient:
            return False
        return not left

    def close(self) -> None:
        self._fleet.disconnect()

    def ready(self) -> Mapping[str, bool]:
        return {"workers": self._ready >= self._bounds.min_workers}

    def _begin(self, slot: int) -> None:
        pause = self._slots[slot].pause_s if slot in self._slots else _FIRST_PAUSE_S
        self._fleet.start(slot)
        self._slots[slot] = _Slot(self._clock.monotonic(), pause_s=pause)

    def _look(self) -> None:
        now_s = self._clock.monotonic()
        answers = self._fleet.status(list(self._slots), timeout_s=_ANSWER_S)
        for number, slot in list(self._slots.items()):
            answer = answers.get(number)
            if answer is not None:
                slot.answered_s, slot.status = now_s, answer
                if answer.ready:
                    slot.pause_s = _FIRST_PAUSE_S
                self._compare(answer)
            if number in self._leaving:
                self._see_off(number, answer, now_s)
            elif self._is_dead(slot, answer, gone=number not in answers, now_s=now_s):
                self._replace(number, slot, now_s)
        seen = [slot.status for slot in self._slots.values() if slot.status is not None]
        self._ready = sum(status.ready for status in seen)
        self._metrics.wanted.set(self._scaling.wanted)
        self._metrics.alive.set(sum(status.alive for status in seen))
        self._metrics.lag.set(sum(status.lag for status in seen))

    def _is_dead(self, slot: _Slot, answer: WorkerStatus | None, *, gone: bool, now_s: float) -> bool:
        if gone:
            return True
        if answer is not None:
            return answer.ended or not answer.alive
        # Never answered: Ray has no room for it yet (an autoscaler may be making some).
        return slot.answered_s is not None and now_s - slot.answered_s > _SILENT_S

    def _replace(self, number: int, slot: _Slot, now_s: float) -> None:
        if now_s - slot.started_s < slot.pause_s:
            return
        failure = slot.status.failure if slot.status else ""
        log.warning("worker replaced", extra={"slot": number, "failure": failure})
        self._metrics.restarts.inc()
        self._fleet.kill(number)
        slot.pause_s = min(slot.pause_s * 2, _LAST_PAUSE_S)
        slot.status = None
        self._begin(number)

    def _send_home(self) -> None:
        for number in self._slots:
            if number >= self._scaling.wanted and number not in self._leaving:
                log.info("worker sent home", extra={"slot": number})
                self._fleet.drain([number])
                self._leaving[number] = self._clock.monotonic()
        # One that is wanted again meanwhile ends all the same, and its slot is then begun anew.

    def _see_off(self, number: int, answer: WorkerStatus | None, now_s: float) -> None:
        if answer is None or answer.ended or now_s - self._leaving[number] > _LAST_PAUSE_S:
            self._fleet.kill(number)
            del self._leaving[number]
            del self._slots[number]

    def _decide(self) -> None:
        seen = [slot.status for number, slot in self._slots.items() if slot.status and number not in self._leaving]
        ready = [status for status in seen if status.ready]
        before = self._scaling.wanted
        self._scaling = decide(
            self._scaling,
            lag=sum(status.lag for status in ready),
            alive=len(ready),
            at_s=self._clock.monotonic(),
            bounds=self._bounds,
        )
        if self._scaling.wanted != before:
            log.info("fleet resized", extra={"workers": self._scaling.wanted, "before": before})

    def _compare(self, answer: WorkerStatus) -> None:
        if answer.settings_digest != self._digest and not self._told_digest:
            self._told_digest = True
            log.error("workers were told other settings than their supervisor; restart Ray's head with these")
