"""What a process knows of its authority: the gate it folds every record of `authority` into, for itself."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from typing import Protocol

from services.contracts import codec_authority, topics
from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.clock import Clock
from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.gate import Gate
from services.contracts.authorisation.purging import CaseHeld
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.statements import Rejection, StateChanged
from services.contracts.errors import Undecodable
from services.contracts.standing import GateStanding, Standing, replaced
from services.runtime.authority_figures import UNDECODABLE, AuthoritySpecs
from services.runtime.clock_sync import SynchronisedClock
from services.runtime.kafka.config import Connection
from services.runtime.kafka.follow import Follower
from services.runtime.process import Context
from services.runtime.settings import ServiceSettings

log = logging.getLogger(__name__)

# Between two looks of who waits; the heartbeat is beaten as often.
_LOOK_S = 0.1
# A process may be built on these: it has work, or had and finishes it. What may be searched is asked each time.
_BUILT_ON = frozenset({State.AUTHORISED, State.ACTIVE, State.SUSPENDED, State.ENDED})
# All day long: leases of other deployments, and those that newer ones have overtaken.
_ORDINARY = frozenset({Rejection.OTHER_DEPLOYMENT, Rejection.OLD})


class Following(Protocol):
    """A `Follower`, as the watch needs it."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def caught_up(self) -> bool: ...
    def is_alive(self) -> bool: ...


class AuthorityWatch:
    """Follows from `start` to `stop`. The follower's thread folds; any other may ask.

    The gate is a value and its reference is replaced whole, so nobody needs a lock to read it.
    """

    def __init__(
        self,
        follow: Callable[[Callable[[bytes], None], Callable[[], None]], Following],
        *,
        deployment: str,
        root_fingerprint: str,
        clock: Clock,
        on_rejected: Callable[[str], None],
        on_unanswered: Callable[[bool], None] = lambda unanswered: None,
    ) -> None:
        self._gate = Gate.shut(deployment, root_fingerprint=root_fingerprint)
        self._clock = clock
        self._on_rejected = on_rejected
        self.unanswered = on_unanswered
        """To be told whether there is an order that this process cannot answer."""
        self._told: set[str] = set()
        self._built_for: str | None = None
        self._on_replaced: Callable[[], None] | None = None
        self._follower = follow(self._fold, self._looked)

    def start(self) -> None:
        self._follower.start()

    def stop(self) -> None:
        """The thread has ended on return."""
        self._follower.stop()

    def wait(
        self, stop: threading.Event, beat: Callable[[], None], *, within_s: float = math.inf
    ) -> Verified | None:
        """The authority to build on, once the topic has been read to its end; None if stopped, or too late.

        Verified here, and in a state in which there is, will be or was something to do.
        """
        ends_s = self._clock.reading().monotonic_s + within_s
        told = ""
        while not stop.is_set():
            beat()
            found = self._to_build_on() if self._follower.caught_up() else None
            if found is not None:
                return found
            told = self._tell_what_is_missing(told)
            if self._clock.reading().monotonic_s >= ends_s:
                return None
            stop.wait(_LOOK_S)
        return None

    def built_for(self, verified: Verified, on_replaced: Callable[[], None]) -> Standing:
        """What the process that is built for `verified` asks from now on.

        As soon as another document is in force everything is refused, and `on_replaced` is called, once, on the
        follower's thread: the process ends and is started anew.
        """
        self._built_for, self._on_replaced = verified.digest, on_replaced
        self._tell_if_replaced()
        return GateStanding(lambda: self._gate, self._clock, verified.digest)

    def ready(self) -> bool:
        """Whether the topic is read to its end and followed, and what the process was built for is in force."""
        known = self._built_for is not None and not replaced(self._gate, self._built_for)
        return known and self._follower.caught_up() and self._follower.is_alive()

    def purge_ordered(self) -> StateChanged | None:
        """The newest order to purge what is in force, or ran last. Any thread."""
        gate = self._gate
        found = gate.works_for()
        chain = gate.beliefs.chains.get(found) if found else None
        orders = chain.said(Move.ORDER_PURGE) if chain else ()
        return max(orders, key=lambda one: one.sequence, default=None)

    def verified(self) -> Verified | None:
        """The authority that a process may be built on, as it is known by now. Any thread."""
        return self._to_build_on()

    def holds(self) -> tuple[CaseHeld, ...]:
        """What is to be kept past the purge, by believed words. Any thread."""
        return self._gate.beliefs.holds

    def stopped(self) -> bool:
        """Whether what the process was built for was stopped, rather than that its time was up. Any thread.

        By a person's order once a later version has taken its place, for that alone stops it too, and has use for
        the keys.
        """
        gate, built_for = self._gate, self._built_for or ""
        chains = (chain for (_, digest), chain in gate.beliefs.chains.items() if digest == built_for)
        stops = [one for chain in chains for one in chain.said(Move.STOP)]
        return any(one.order is not None or not replaced(gate, built_for) for one in stops)

    def registry(self) -> Registry | None:
        """The newest that the root has signed and was seen."""
        return self._gate.beliefs.registry

    def lease_age_s(self) -> float:
        """Infinite without a lease."""
        held = self._gate.beliefs.held
        return math.inf if held is None else held.age_s(self._clock.reading())

    def _fold(self, value: bytes) -> None:
        try:
            record = codec_authority.decode(value)
        except Undecodable:
            self._rejected(UNDECODABLE)
            return
        folded = self._gate.fold(record, self._clock.reading())
        self._gate = folded.gate
        if folded.rejected is not None:
            self._rejected(folded.rejected)
        self._tell_if_replaced()

    def _looked(self) -> None:
        self._gate = self._gate.looked(self._clock.reading())

    def _rejected(self, reason: str) -> None:
        self._on_rejected(reason)
        # The first of its kind; the counter tells how many.
        if reason not in self._told and reason not in _ORDINARY:
            self._told.add(reason)
            log.warning("record of the authority not believed", extra={"reason": reason})

    def _tell_if_replaced(self) -> None:
        if self._on_replaced is not None and self._built_for and replaced(self._gate, self._built_for):
            log.warning("another authority is in force: this process ends, to be started anew")
            call, self._on_replaced = self._on_replaced, None
            call()

    def _tell_what_is_missing(self, told: str) -> str:
        """What whoever runs the process wants to know, said once each time that it changes."""
        missing = "topic_not_read"
        if self._follower.caught_up():
            missing = self._gate.standing(self._clock.reading()) or "not_authorised"
        if missing != told:
            log.info("waiting for the authority", extra={"reason": missing})
        return missing

    def _to_build_on(self) -> Verified | None:
        gate = self._gate
        found = gate.works_for()
        chain = gate.beliefs.chains.get(found) if found else None
        return gate.beliefs.verified.get(found[1]) if found and chain and chain.state in _BUILT_ON else None


def watch(settings: ServiceSettings, context: Context, figures: AuthoritySpecs, *, name: str) -> AuthorityWatch:
    """A watch on Kafka and the machine's clock; connects to nothing yet."""
    kafka_errors = figures.kafka_errors.on(context.registry)
    rejected = figures.rejected.on(context.registry)
    unanswered_orders = figures.unanswered.on(context.registry)
    connection = Connection(settings.kafka_bootstrap, f"{name}-{settings.instance}")
    found = AuthorityWatch(
        lambda fold, looked: Follower(
            connection,
            topics.AUTHORITY.name,
            fold,
            on_error=lambda code: kafka_errors.inc(),
            on_look=looked,
        ),
        deployment=settings.deployment,
        root_fingerprint=settings.authority_root,
        clock=SynchronisedClock(context.clock),
        on_rejected=lambda reason: rejected.inc(reason=reason),
        on_unanswered=lambda unanswered: unanswered_orders.set(int(unanswered)),
    )
    figures.lease_age.on(context.registry).follow(found.lease_age_s)
    return found
