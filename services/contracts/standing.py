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
        self, *, deployment: str, camera: str, searched_at: datetime, list_digest: str, tokens: frozenset[str]
    ) -> Refusal | None:
        """Why an alert searched then may not be shown, or None; `tokens` are the subjects it names.

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
        return gate.standing(self.clock.reading()) or self._replaced(gate)

    def refusal(self, camera: str, /, *, deployment: str, at: datetime) -> Refusal | None:
        gate = self.gate()
        refusal = gate.refusal(camera, deployment=deployment, at=at, reading=self.clock.reading())
        return refusal or self._replaced(gate)

    def refusal_of_alert(
        self, *, deployment: str, camera: str, searched_at: datetime, list_digest: str, tokens: frozenset[str]
    ) -> Refusal | None:
        gate = self.gate()
        refusal = gate.refusal_of_alert(
            deployment=deployment, camera=camera, searched_at=searched_at, list_digest=list_digest, tokens=tokens
        )
        if refusal not in _FINAL and not _heard_since(gate, searched_at):
            raise Transient("the authority is not known up to when an alert was searched")
        return refusal

    def revoked(self, list_digest: str, /) -> frozenset[str]:
        return self.gate().revoked(list_digest)

    def _replaced(self, gate: Gate) -> Refusal | None:
        return Refusal.NOT_ACTIVE if replaced(gate, self.built_for) else None


def _heard_since(gate: Gate, at: datetime) -> bool:
    """Whether a lease from then or later is here, and so every record before it; or none is to come."""
    held = gate.beliefs.held
    if held is None:
        return False
    chain = gate.beliefs.chains.get((held.lease.version, held.lease.digest))
    return held.lease.signed_at >= at or (chain is not None and chain.state in _OVER)


def replaced(gate: Gate, built_for: str) -> bool:
    """Whether another document than that with digest `built_for` is the one in force."""
    held = gate.beliefs.held
    return held is not None and held.lease.digest != built_for
