"""The leader's work: answer commands, let time do its part, renew the leases.

Reads: `authority`, once, when this instance begins to lead. Writes: `authority`, and `audit_requests` about it.
Next stop: every service's gate (services/contracts/authorisation/gate.py).
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from services.contracts.audit.requests import SignedRequest
from services.contracts.authorisation.clock import Clock, ClockReading
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.statements import NotBelieved
from services.oversight.core.clerk import Clerk, Decision, Now
from services.oversight.core.clockwork import keep, lists_wanted
from services.oversight.core.commands import Command, Submit
from services.oversight.core.minutes import Minutes
from services.oversight.core.owed import overdue
from services.oversight.core.reading import read, require_signed
from services.oversight.core.recovery import recover
from services.oversight.core.register import Register
from services.oversight.core.registrar import Registrar
from services.oversight.metrics import Answer, OversightMetrics
from services.oversight.ports import AuthorityLog, LogLost, NotRecorded, Unsettled

log = logging.getLogger(__name__)

# A lease lives 10 s at its readers; four of five may be lost on the way.
LEASE_EVERY_S = 2.0
# How soon a change of leadership or a stop is noticed.
_LOOK_S = 0.1
_MOST_WAITING = 64
# After the log was lost to another the group is given its session's time (6 s) to say so; for everything else
# the next try is soon, for each second without a lease counts.
_AFTER_ANOTHER_S = 7.0
_AFTER_TROUBLE_S = 0.5


class Standby(NotRecorded):
    """This instance does not lead."""

    def __init__(self) -> None:
        super().__init__("this instance is a standby: ask the one that leads")


@dataclass(frozen=True)
class _Asked:
    command: Command
    answer: Future[Decision] = field(default_factory=Future)


class Office:
    """`run` is its own thread's, which owns log and register; every other method is any thread's.

    The register is a value whose reference is replaced whole once its records are committed, so nobody needs a
    lock to read it.
    """

    def __init__(
        self,
        *,
        authority: AuthorityLog,
        clerk: Clerk,
        minutes: Callable[[], Minutes],
        moment: Callable[[ClockReading], Now],
        organisation: str,
        root_fingerprint: str,
        clock: Clock,
        metrics: OversightMetrics,
    ) -> None:
        """`minutes` begins those of a new term; `moment` adds to the time what else decisions depend on."""
        self._authority = authority
        self._clerk = clerk
        self._begin_minutes = minutes
        self._minutes = minutes()
        self._registry: Registry | None = None
        self._registrar = Registrar(clerk)
        self._moment = moment
        self._organisation = organisation
        self._root_fingerprint = root_fingerprint
        self._clock = clock
        self._metrics = metrics
        self._called = threading.Event()
        self._term = 0
        self._lock = threading.Lock()
        self._reads = threading.Lock()
        self._asked: queue.Queue[_Asked] = queue.Queue(_MOST_WAITING)
        self._register: Register | None = None
        self._turned_s = clock.reading().monotonic_s

    def lead(self) -> None:
        """This instance shall lead. Never blocks."""
        self._called.set()

    def rest(self) -> None:
        """It shall not, any more. Never blocks; who leads next fences what is under way."""
        self._term += 1
        self._called.clear()

    def leads(self) -> bool:
        """Whether it has read all of the log, and leads."""
        return self._register is not None

    def settled(self) -> bool:
        """Whether it is what it shall be: a leader, or a standby."""
        return self.leads() is self._called.is_set()

    def idle_s(self) -> float:
        """Since its thread last came round."""
        return self._clock.reading().monotonic_s - self._turned_s

    def register(self) -> Register:
        """As it is recorded. Raises Standby."""
        if self._register is None:
            raise Standby
        return self._register

    def registry(self) -> Registry:
        """The newest that the root has signed and we have seen. Raises NotRecorded without one; Standby."""
        self.register()
        if self._registry is None:
            raise NotRecorded("no registry is known: the root's must be put first")
        return self._registry

    def known_registry(self) -> Registry | None:
        """As `registry`, or None."""
        return self._registry

    def now(self) -> Now:
        """The moment, as the next decision would see it."""
        return self._moment(self._clock.reading())

    def lists_wanted(self) -> frozenset[tuple[str, str]]:
        """What the next decisions may depend on."""
        register = self._register
        return lists_wanted(register, self.now()) if register is not None else frozenset()

    def ask(self, command: Command, *, within_s: float) -> Decision:
        """Have it decided, and recorded. Blocks.

        Raises NotAuthorised, NotBelieved; NotRecorded (Standby among them); Unsettled if the end is not known.
        """
        ends_s = self._clock.reading().monotonic_s + within_s
        asked = _Asked(self._read(command, within_s) if isinstance(command, Submit) else command)
        with self._lock:  # so that nothing is put in behind the back of who clears the desk
            if self._register is None:
                raise Standby
            try:
                self._asked.put_nowait(asked)
            except queue.Full:
                raise NotRecorded("too many commands wait") from None
        try:
            return asked.answer.result(max(0.0, ends_s - self._clock.reading().monotonic_s))
        except TimeoutError:
            raise Unsettled("not answered in time") from None

    def _read(self, command: Submit, within_s: float) -> Command:
        """The document read, on the caller's thread; one at a time, for the leader needs the processor too."""
        self.register()
        registry = self._registry
        if registry is None:
            return command
        now = self._clock.reading().wall
        try:
            # Who has no key gets no turn.
            require_signed(command, registry, now)
            return self._in_turn(lambda: read(command, registry, now), within_s)
        except NotAuthorised as refused:
            self._metrics.answered(Answer.of(refused))
            raise

    def _in_turn(self, call: Callable[[], Command], within_s: float) -> Command:
        if not self._reads.acquire(timeout=within_s):
            raise NotRecorded("too many documents wait to be read")
        try:
            return call()
        finally:
            self._reads.release()

    def run(self, stop: threading.Event) -> None:
        """Lead whenever called to, until `stop`."""
        while not stop.is_set():
            self._come_round()
            if not self._called.wait(_LOOK_S):
                continue
            try:
                self._lead_a_term(stop)
            except LogLost as lost:
                self._metrics.lost()
                log.warning("leadership lost", extra={"reason": str(lost), "to_another": lost.to_another})
                self._end()
                self._rest_a_while(stop, _AFTER_ANOTHER_S if lost.to_another else _AFTER_TROUBLE_S)
            else:
                log.info("leadership ended")
                self._end()

    def _lead_a_term(self, stop: threading.Event) -> None:
        # However short a rest was: another may have led meanwhile, so all is read anew.
        term = self._term
        records = self._authority.take()
        found = recover(records, organisation=self._organisation, root_fingerprint=self._root_fingerprint)
        self._metrics.recovered(found.rejected)
        self._minutes = self._begin_minutes()
        self._registry = found.register.registry
        self._register = found.register
        log.info("leadership begun", extra={"records": len(records), "rejected": sum(found.rejected.values())})
        self._serve(term, stop)

    def _serve(self, term: int, stop: threading.Event) -> None:
        next_s = self._clock.reading().monotonic_s
        while term == self._term and not stop.is_set():
            self._come_round()
            left_s = next_s - self._clock.reading().monotonic_s
            if left_s <= 0:
                self._keep()
                next_s = self._clock.reading().monotonic_s + LEASE_EVERY_S
            elif self._answer_next(min(left_s, _LOOK_S)):
                # What a command sets going does not wait for the next beat.
                next_s = self._clock.reading().monotonic_s

    def _keep(self) -> None:
        now = self.now()
        decision = keep(self._clerk, self.register(), now)
        try:
            self._record(decision)
        except NotRecorded as failed:
            self._metrics.failed()
            log.warning("leases not renewed", extra={"reason": str(failed)})
            return
        self._metrics.stands(decision.after, may_sign=self._clerk.may_sign(decision.after, now.wall))
        self._metrics.owed(overdue(decision.after, now.wall))
        self._metrics.shares(decision.after.sharing, now.wall)

    def _answer_next(self, within_s: float) -> bool:
        """Whether a command was answered, and something recorded."""
        try:
            asked = self._asked.get(timeout=within_s)
        except queue.Empty:
            return False
        before = self.register()
        try:
            decision = self._registrar.decide(before, asked.command, self.now())
            self._record(decision)
        except (NotAuthorised, NotBelieved, NotRecorded) as refused:
            self._metrics.answered(Answer.of(refused))
            asked.answer.set_exception(refused)
            return False
        except LogLost as lost:
            self._metrics.answered(Answer.UNSETTLED)
            asked.answer.set_exception(Unsettled("the log was lost on the way"))
            raise lost from None
        recorded = decision.entries or decision.exported
        self._metrics.answered(Answer.RECORDED if recorded else Answer.KNOWN)
        asked.answer.set_result(decision)
        if before.registry is None and before.registry_floor:
            self._term += 1  # the log was read by an older registry than this: what it did not know is read anew
        return bool(decision.entries)

    def _record(self, decision: Decision) -> None:
        """Written first, believed after."""
        requests = self._minuted(decision)
        if decision.entries or requests:
            # Believed ahead, for the root signed it: the sequencer may meet a new key before we hear of it.
            self._registry = decision.after.registry
            self._authority.append(decision.entries, requests)
            self._metrics.wrote(decision.entries)
            self._minutes.recorded(requests)
        self._register = decision.after

    def _minuted(self, decision: Decision) -> tuple[SignedRequest, ...]:
        """Nothing while our key is not in force: it would not be believed, and hold up the chain."""
        now = self.now()
        if not self._clerk.may_sign(decision.after, now.wall):
            return ()
        return self._minutes.of(decision, self.register(), now)

    def _end(self) -> None:
        self._authority.release()
        self._metrics.stands_by()
        with self._lock:
            self._register = None
            while not self._asked.empty():
                self._asked.get_nowait().answer.set_exception(Standby())

    def _rest_a_while(self, stop: threading.Event, pause_s: float) -> None:
        ends_s = self._clock.reading().monotonic_s + pause_s
        while self._called.is_set() and not stop.is_set() and self._clock.reading().monotonic_s < ends_s:
            self._come_round()
            stop.wait(_LOOK_S)

    def _come_round(self) -> None:
        self._turned_s = self._clock.reading().monotonic_s
