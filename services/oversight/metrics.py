"""Every metric of oversight. Authorities are counted, never named."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from prometheus_client import CollectorRegistry

from services.contracts.audit.sequencer import Conflict, Gap, Stray
from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.statements import Lease, NotBelieved, Rejection, StateChanged
from services.contracts.errors import SignpostError
from services.contracts.sharing.register import Overdue, SharingRegister
from services.oversight.core.clerk import Entry
from services.oversight.core.owed import Owed
from services.oversight.core.register import Register
from services.runtime.doors.figures import door_specs
from services.runtime.kafka.figures import LoopSpecs
from services.runtime.kafka.signals import ResetReason
from services.runtime.metrics import Counter, Gauge, Histogram


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


class Unchained(StrEnum):
    """Why a genuine audit request cannot be chained."""

    GAP = "gap"
    """Requests of its producer before it are missing."""
    CONFLICT = "conflict"
    """Its producer has used its number for another."""


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
DISBELIEVED = Counter(
    "signpost_oversight_disbelieved_requests_total",
    "Records of `audit_requests` that no key of their service has signed, or that nobody can read; passed over.",
)
UNCHAINED = Counter(
    "signpost_oversight_unchained_requests_total",
    "Genuine audit requests that cannot follow their producer's last; passed over, as is all of that producer's.",
    {"reason": Unchained},
)
FOREIGN = Counter(
    "signpost_oversight_foreign_audit_records_total",
    "Records of `audit` that are no part of the chain, as they come: somebody else wrote there. Passed over.",
    {"reason": Stray},
)
UNANCHORED = Counter(
    "signpost_oversight_heads_failed_total",
    "Tries to hand a signed head of the audit chains to a sink that failed; tried again until it has it.",
)
UNANCHORED_S = Gauge(
    "signpost_oversight_unanchored_seconds",
    "How long a signed head of the audit chains has been waiting for a sink; 0 while all are anchored.",
)
OVERDUE = Gauge(
    "signpost_oversight_overdue_authorities",
    "Versions of authorities whose purge, report or review is overdue.",
    {"what": Owed},
)
SHARES_OVERDUE = Gauge(
    "signpost_oversight_overdue_shares",
    "Shares whose deletion or outcome is not recorded in time; published answers that the register contradicts.",
    {"what": Overdue},
)
SHARING_BROKEN = Gauge(
    "signpost_oversight_broken_registers",
    "1 where a line of the sharing register is missing or keeps no rule: nothing is shared.",
)
CHAIN = LoopSpecs(
    lag=Gauge("signpost_oversight_lag_records", "Audit requests not yet chained: nobody is shown a face before."),
    assigned=Gauge(
        "signpost_oversight_assigned_partitions", "Partitions of audit requests that are sequenced here."
    ),
    stuck=Gauge(
        "signpost_oversight_stuck_partitions",
        "Partitions with a request that cannot be chained; somebody must look.",
    ),
    batch_seconds=Histogram("signpost_oversight_batch_seconds", "Chaining of one batch of audit requests."),
    commit_seconds=Histogram("signpost_oversight_commit_seconds", "Commit of one batch to the audit chain."),
    aborts=Counter("signpost_oversight_aborts_total", "Transactions of the audit chain that Kafka refused."),
    resets=Counter(
        "signpost_oversight_resets_total",
        "Everything in flight to the audit chain was given up and read again.",
        {"reason": ResetReason},
    ),
    retries=Counter("signpost_oversight_retries_total", "Batches to the audit chain that were tried again."),
    kafka_errors=Counter(
        "signpost_oversight_chain_kafka_errors_total",
        "Errors of the sequencer's Kafka clients; most pass by themselves.",
    ),
)


_NEVER = datetime.max.replace(tzinfo=UTC)

DOORS = door_specs("oversight", ("grpc",))


class OversightMetrics:
    """The live half. Any thread; never blocks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.leads = LEADS.on(registry)
        self.unanchored_s = UNANCHORED_S.on(registry)
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
        self._unanchored = UNANCHORED.on(registry)
        self._disbelieved = DISBELIEVED.on(registry)
        self._unchained = UNCHAINED.on(registry)
        self._foreign = FOREIGN.on(registry)
        self._overdue = OVERDUE.on(registry)
        self._shares_overdue = SHARES_OVERDUE.on(registry)
        self._sharing_broken = SHARING_BROKEN.on(registry)

    def lost(self) -> None:
        """The log was lost."""
        self._lost.inc()

    def stands_by(self) -> None:
        """What was known as a leader is another's to say now."""
        self._signs.set(0)
        for state in State:
            self._authorities.set(0, state=state)
        self.owed(())
        self.shares(SharingRegister(), _NEVER)

    def disbelieved(self) -> None:
        """An audit request was passed over: anybody may have written it."""
        self._disbelieved.inc()

    def unchained(self, why: Gap | Conflict) -> None:
        """A genuine audit request was passed over."""
        self._unchained.inc(reason=Unchained.GAP if isinstance(why, Gap) else Unchained.CONFLICT)

    def foreign(self, why: Stray) -> None:
        """A record came to `audit` that is none of the chain's."""
        self._foreign.inc(reason=why)

    def unanchored(self) -> None:
        """A sink has not taken a head."""
        self._unanchored.inc()

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

    def owed(self, overdue: Iterable[Owed]) -> None:
        """What is overdue, each as often as it is."""
        each = Tally(overdue)
        for what in Owed:
            self._overdue.set(each[what], what=what)

    def shares(self, known: SharingRegister, now: datetime) -> None:
        """The sharing register as it is."""
        overdue = Tally(what for what, _ in known.overdue(now))
        for what in Overdue:
            self._shares_overdue.set(overdue[what], what=what)
        self._sharing_broken.set(known.broken)

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
