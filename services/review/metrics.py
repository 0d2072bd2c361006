"""Every metric of review. Cases and people are counted, never named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from prometheus_client import CollectorRegistry

from services.contracts.decisions import AlertJudged, CaseDecided, CaseEvent, CaseExpired, DecisionSuperseded
from services.contracts.events import CaseOutcome, Judgement
from services.review.core.case import Case
from services.review.core.folding import Exit
from services.runtime.authority_figures import authority_specs
from services.runtime.doors.figures import door_specs
from services.runtime.kafka.figures import FOREIGN, LoopSpecs
from services.runtime.kafka.signals import ResetReason
from services.runtime.metrics import Counter, Gauge, Histogram


class CallCode(StrEnum):
    """How a call may end; the names of gRPC's statuses that this service answers with."""

    OK = "OK"
    CANCELLED = "CANCELLED"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    NOT_FOUND = "NOT_FOUND"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    INTERNAL = "INTERNAL"
    UNAVAILABLE = "UNAVAILABLE"


class Stored(StrEnum):
    """What review keeps in the durable Redis; INDEX is what only points to it."""

    CASE = "case"
    SUBJECT = "subject"
    SEEN = "seen"
    EVENT = "event"
    REQUESTS = "requests"
    COUNTS = "counts"
    SESSION = "session"
    TICKET = "ticket"
    PICTURES = "pictures"
    LIST = "list"
    INDEX = "index"


ALERTS = Counter("signpost_review_alerts_total", "Alerts by what became of them.", {"exit": Exit})
ALERT_TO_CASE_SECONDS = Histogram(
    "signpost_review_alert_to_case_seconds", "From a track's search to its place in a case."
)
OPEN_CASES = Gauge("signpost_review_open_cases", "Cases nobody has decided, of the whole deployment.")
OLDEST_CASE_SECONDS = Gauge(
    "signpost_review_oldest_open_case_age_seconds", "Age of the oldest open case; 0 where none is open."
)
CASES_CLOSED = Counter(
    "signpost_review_cases_closed_total", "Cases closed by this process.", {"outcome": CaseOutcome}
)
SUPERSEDED = Counter("signpost_review_decisions_superseded_total", "Decisions that a supervisor took back.")
JUDGEMENTS = Counter("signpost_review_judgements_total", "Judgements by what they said.", {"judgement": Judgement})
DWELL_SECONDS = Histogram(
    "signpost_review_judgement_dwell_seconds", "From the first view of a case to its judgement, by one person."
)
CLAIMS_LAPSED = Counter("signpost_review_claims_lapsed_total", "Claims that ran out without a judgement.")
CALLS = Counter("signpost_review_calls_total", "Calls that ended, by gRPC status.", {"code": CallCode})
OUTBOX_ENTRIES = Gauge("signpost_review_outbox_entries", "Events acknowledged and not yet in Kafka.")
OUTBOX_AGE_SECONDS = Gauge("signpost_review_outbox_age_seconds", "Age of the oldest of them; 0 where none waits.")
ALERTS_DELETED = Gauge(
    "signpost_review_lost_alerts",
    "Alerts of the whole deployment that Kafka deleted before they were read: nobody will ever see them.",
)
RELAYED = Counter("signpost_review_relayed_events_total", "Events delivered to Kafka from the outbox.")
RELAY_FAILURES = Counter("signpost_review_relay_failures_total", "Batches of the outbox that will be tried again.")
AUDIT_WAIT_SECONDS = Histogram(
    "signpost_review_audit_wait_seconds",
    "From asking for an audit entry to its being chained, while a person waits.",
)
AUDIT_REFUSALS = Counter(
    "signpost_review_audit_refusals_total", "Views and sign-ins refused because the audit chain did not answer."
)
NOT_BELIEVED = Counter(
    "signpost_review_values_not_believed_total",
    "Values found in the durable Redis that are not as one of us wrote them there, by what they pass for.",
    {"kind": Stored},
)
SIGN_INS_REFUSED = Counter(
    "signpost_review_refused_sign_ins_total", "Sign-ins that were refused, or tried too often to be looked at."
)
PEOPLE_FILE_REFUSED = Gauge(
    "signpost_review_refused_people_files",
    "1 while the people file as it lies there is no good, and the one before is in use.",
)
PEOPLE_REFUSED = Gauge(
    "signpost_review_unregistered_persons",
    "People of the people file whom the registry does not give the role, or gives two that exclude each other.",
)
LOOP = LoopSpecs(
    lag=Gauge("signpost_review_lag_records", "Alerts not yet folded and committed, of the partitions held."),
    assigned=Gauge("signpost_review_assigned_partitions", "Partitions of alerts that are this process's."),
    stuck=Gauge("signpost_review_stuck_partitions", "Partitions that do not move; somebody has to look."),
    passed_over=Counter(
        "signpost_review_foreign_records_total",
        "Records on alerts that anybody could have written, passed over.",
        {"reason": FOREIGN},
    ),
    batch_seconds=Histogram("signpost_review_batch_seconds", "Folding of one batch of alerts."),
    commit_seconds=Histogram("signpost_review_commit_seconds", "Commit of one batch."),
    aborts=Counter("signpost_review_aborts_total", "Commits refused by Kafka, and tried once more."),
    resets=Counter(
        "signpost_review_resets_total",
        "Everything in flight was given up and read again.",
        {"reason": ResetReason},
    ),
    retries=Counter("signpost_review_retries_total", "A store did not answer, and the batch was tried again."),
    kafka_errors=Counter(
        "signpost_review_kafka_errors_total", "Errors of Kafka's client; most pass by themselves."
    ),
)
AUTHORITY = authority_specs("review")
DOORS = door_specs("review", ("grpc", "web"))


class ReviewMetrics:
    """The live half of all but the loop's. Any thread; never blocks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sign_ins_refused = SIGN_INS_REFUSED.on(registry)
        self.people_file_refused = PEOPLE_FILE_REFUSED.on(registry)
        self.people_refused = PEOPLE_REFUSED.on(registry)
        self._alerts = ALERTS.on(registry)
        self._alert_to_case = ALERT_TO_CASE_SECONDS.on(registry)
        self._open = OPEN_CASES.on(registry)
        self._oldest = OLDEST_CASE_SECONDS.on(registry)
        self._closed = CASES_CLOSED.on(registry)
        self._superseded = SUPERSEDED.on(registry)
        self._judgements = JUDGEMENTS.on(registry)
        self._dwell = DWELL_SECONDS.on(registry)
        self._lapsed = CLAIMS_LAPSED.on(registry)
        self._calls = CALLS.on(registry)
        self._outbox = OUTBOX_ENTRIES.on(registry)
        self._outbox_age = OUTBOX_AGE_SECONDS.on(registry)
        self._deleted = ALERTS_DELETED.on(registry)
        self._relayed = RELAYED.on(registry)
        self._relay_failures = RELAY_FAILURES.on(registry)
        self._audit_wait = AUDIT_WAIT_SECONDS.on(registry)
        self._audit_refusals = AUDIT_REFUSALS.on(registry)
        self._not_believed = NOT_BELIEVED.on(registry)

    def alert(self, found: Exit, *, waited_s: float) -> None:
        """One alert record was handled."""
        self._alerts.inc(exit=found)
        if found in (Exit.OPENED, Exit.FOLDED):
            self._alert_to_case.observe(max(0.0, waited_s))

    def moved(self, events: Sequence[CaseEvent]) -> None:
        """A move was applied, and told these."""
        for event in events:
            match event:
                case AlertJudged():
                    self._judgements.inc(judgement=event.judgement)
                    self._dwell.observe(event.dwell_ms / 1000)
                case CaseDecided():
                    self._closed.inc(outcome=event.outcome)
                case CaseExpired():
                    self._closed.inc(outcome=CaseOutcome.EXPIRED)
                case DecisionSuperseded():
                    self._superseded.inc()

    def lapsed(self, claims: int) -> None:
        """So many claims ran out."""
        self._lapsed.inc(claims)

    def stands(self, open_cases: Sequence[Case], now: datetime) -> None:
        """The open cases as they are."""
        self._open.set(len(open_cases))
        oldest = min((case.opened_at for case in open_cases), default=now)
        self._oldest.set(max(0.0, (now - oldest).total_seconds()))

    def called(self, code: CallCode) -> None:
        """One call of a person ended."""
        self._calls.inc(code=code)

    def outbox(self, *, entries: int, age_s: float) -> None:
        """The outbox as it is."""
        self._outbox.set(entries)
        self._outbox_age.set(age_s)

    def alerts_lost(self, alerts: int) -> None:
        """So many of the deployment's alerts are gone unread."""
        self._deleted.set(alerts)

    def relayed(self, events: int) -> None:
        """So many events are in Kafka."""
        self._relayed.inc(events)

    def chained(self, *, waited_s: float) -> None:
        """The audit chain has acknowledged an entry that somebody waited for."""
        self._audit_wait.observe(waited_s)

    def sign_in_refused(self) -> None:
        """Somebody was not let in."""
        self._sign_ins_refused.inc()

    def not_chained(self) -> None:
        """It has not, and something was refused."""
        self._audit_refusals.inc()

    def not_believed(self, kind: Stored) -> None:
        """A value was found that is not ours."""
        self._not_believed.inc(kind=kind)

    def relay_failed(self) -> None:
        """A batch will be tried again."""
        self._relay_failures.inc()
