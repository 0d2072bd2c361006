"""What a service asks before it acts: may this be searched, shown or carried on, at this very moment?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.contracts.authorisation.clock import Clock
from services.contracts.authorisation.enums import State
from services.contracts.authorisation.gate import Gate
from services.contracts.authorisation.refusals import Refusal
from services.contracts.errors import Transient

# What the next records, or some seconds, may mend with nobody deciding anything. Nothing is searched till then,
# but what waits for it need not be thrown away.
PASSING = frozenset(
    {
        Refusal.NO_REGISTRY,
        Refusal.REGISTRY_BEHIND,
        Refusal.NO_LEASE,
        Refusal.LEASE_STALE,
        Refusal.NOT_VERIFIED,
        Refusal.STATE_BEHIND,
        Refusal.REVOCATIONS_BEHIND,
        Refusal.CLOCK_STEPPED,
    }
)
# Answers that no record still to come can take back.
_FINAL = frozenset({None, Refusal.OTHER_DEPLOYMENT, Refusal.ENTRY_REVOKED})
# From these no move leads back to a search; oversight renews their lease no more.
_OVER = frozenset(State) - {State.DRAFT, State.SUBMITTED, State.AUTHORISED, State.ACTIVE, State.SUSPENDED}


class Standing(Protocol):
    """How the authority stands that a process was built for. Never blocks; any thread; ask for each record."""

    def standing(self) -> Refusal | None:
        """Why nothing at all may be searched now, or None."""
        ...

    def refusal(self, camera: str, /, *, deployment: str, at: datetime) -> Refusal | None:
        """Why what `camera` took `at` may not be searched now, or None."""
        ...

    def refusal_of_alert(
        self,
        *,
        deployment: str,
        camera: str,
        captured_at: datetime,
        searched_at: datetime,
        list_digest: str,
        tokens: frozenset[str],
    ) -> Refusal | None:
        """Why an alert of a face taken and searched then may not be shown, or None; `tokens` are the subjects that
        it names.

        Raises Transient while that cannot be known: what came before the search may still be on its way to us.
        """
        ...

    def revoked(self, list_digest: str, /) -> frozenset[str]:
        """The subject tokens that are off that list by now."""
        ...


@dataclass(frozen=True)
class GateStanding:
    """A gate's answers by the clock, to a process that was built for the document with digest `built_for`."""

    gate: Callable[[], Gate]
    clock: Clock
    built_for: str

    def standing(self) -> Refusal | None:
        gate = self.gate()
        return self._told(gate, gate.standing(self.clock.reading()))

    def refusal(self, camera: str, /, *, deployment: str, at: datetime) -> Refusal | None:
        gate = self.gate()
        return self._told(gate, gate.refusal(camera, deployment=deployment, at=at, reading=self.clock.reading()))

    def refusal_of_alert(
        self,
        *,
        deployment: str,
        camera: str,
        captured_at: datetime,
        searched_at: datetime,
        list_digest: str,
        tokens: frozenset[str],
    ) -> Refusal | None:
        gate = self.gate()
        refusal = gate.refusal_of_alert(
            deployment=deployment,
            camera=camera,
            captured_at=captured_at,
            searched_at=searched_at,
            list_digest=list_digest,
            tokens=tokens,
        )
        if refusal not in _FINAL and not _heard_since(gate, searched_at):
            raise Transient("the authority is not known up to when an alert was searched")
        return refusal

    def revoked(self, list_digest: str, /) -> frozenset[str]:
        return self.gate().revoked(list_digest)

    def _told(self, gate: Gate, refusal: Refusal | None) -> Refusal | None:
        """NOT_ACTIVE where it is known to be, though the lease is gone too: nobody need wait for that one."""
        if refusal is None:
            return Refusal.NOT_ACTIVE if replaced(gate, self.built_for) else None
        ended = refusal in PASSING and _state(gate) in _OVER | {State.SUSPENDED}
        return Refusal.NOT_ACTIVE if ended else refusal


def _heard_since(gate: Gate, at: datetime) -> bool:
    """Whether a lease from then or later is here, and so every record before it; or none is to come."""
    held = gate.beliefs.held
    return held is not None and (held.lease.signed_at >= at or _state(gate) in _OVER)


def _state(gate: Gate) -> State | None:
    """As it was recorded for the document that the lease names."""
    held = gate.beliefs.held
    chain = gate.beliefs.chains.get((held.lease.version, held.lease.digest)) if held else None
    return chain.state if chain else None


def replaced(gate: Gate, built_for: str) -> bool:
    """Whether another document than that with digest `built_for` is the one to work for."""
    found = gate.works_for()
    return found is not None and found[1] != built_for
