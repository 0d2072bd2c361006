"""Every metric of oversight. Authorities are counted, never named."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Self

from prometheus_client import CollectorRegistry

from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.statements import Lease, NotBelieved, Rejection, StateChanged
from services.contracts.errors import SignpostError
from services.oversight.core.clerk import Entry
from services.oversight.core.register import Register
from services.runtime.metrics import Counter, Gauge


class Answer(StrEnum):
    """What became of a command."""

    RECORDED = "recorded"
    KNOWN = "known"
    REFUSED = "refused"
    NOT_BELIEVED = "not_believed"
    NOT_RECORDED = "not_recorded"
    UNSETTLED = "unsettled"

    @classmethod
    def of(cls, error: SignpostError) -> Self:
        """How a command ended that was not recorded."""
        if isinstance(error, NotAuthorised):
            return cls("refused")
        return cls("not_believed" if isinstance(error, NotBelieved) else "not_recorded")


LEADS = Gauge("signpost_oversight_leading_instances", "1 where this instance leads, 0 where it stands by.")
SIGNS = Gauge(
    "signpost_oversight_usable_keys", "1 where the registry in force has this leader's key; without it no lease."
)
LOST = Counter("signpost_oversight_leaderships_lost_total", "Times that the log was lost while leading.")
AUTHORITIES = Gauge(
    "signpost_oversight_authority_versions",
    "Versions of authorities by the state that they are in.",
    {"state": State},
)
COMMANDS = Counter("signpost_oversight_commands_total", "Commands by what became of them.", {"answer": Answer})
MOVES = Counter("signpost_oversight_moves_total", "Moves recorded.", {"move": Move})
LEASES = Counter("signpost_oversight_leases_total", "Leases written.")
FAILURES = Counter(
    "signpost_oversight_beats_failed_total", "Beats of which Kafka recorded nothing; tried again at the next."
)
REJECTED = Counter(
    "signpost_oversight_rejected_records_total",
    "Records of `authority` that a new leader passed over: somebody else wrote there.",
    {"reason": Rejection},
)
UNDECODABLE = Counter(
    "signpost_oversight_undecodable_records_total", "Records of `authority` that are none of ours at all."
)
KAFKA_ERRORS = Counter(
    "signpost_oversight_kafka_errors_total", "Errors of Kafka's clients; most pass by themselves."
)


class OversightMetrics:
    """The live half. Any thread; never blocks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.leads = LEADS.on(registry)
        self._signs = SIGNS.on(registry)
        self._lost = LOST.on(registry)
        self._authorities = AUTHORITIES.on(registry)
        self._commands = COMMANDS.on(registry)
        self._moves = MOVES.on(registry)
        self._leases = LEASES.on(registry)
        self._failures = FAILURES.on(registry)
        self._rejected = REJECTED.on(registry)
        self._undecodable = UNDECODABLE.on(registry)
        self._kafka_errors = KAFKA_ERRORS.on(registry)

    def lost(self) -> None:
        """The log was lost."""
        self._lost.inc()

    def stands_by(self) -> None:
        """What was known as a leader is another's to say now."""
        self._signs.set(0)
        for state in State:
            self._authorities.set(0, state=state)

    def failed(self) -> None:
        """A beat was not recorded."""
        self._failures.inc()

    def recovered(self, rejected: Mapping[Rejection, int]) -> None:
        """A leader has begun, and passed these over."""
        for reason, records in rejected.items():
            self._rejected.inc(records, reason=reason)

    def undecodable(self) -> None:
        """A record could not be read at all."""
        self._undecodable.inc()

    def stands(self, register: Register, *, may_sign: bool) -> None:
        """The register as it is."""
        states = Tally(version.state for version in register.versions())
        for state in State:
            self._authorities.set(states[state], state=state)
        self._signs.set(may_sign)

    def answered(self, answer: Answer) -> None:
        """A command has ended."""
        self._commands.inc(answer=answer)

    def wrote(self, entries: Sequence[Entry]) -> None:
        """These are committed."""
        for entry in entries:
            match entry.said:
                case StateChanged():
                    self._moves.inc(move=entry.said.move)
                case Lease():
                    self._leases.inc()

    def kafka_error(self, code: str) -> None:
        """An error of a client that passes by itself; its code is in the log."""
        self._kafka_errors.inc()
