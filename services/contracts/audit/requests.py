"""What a service asks to be recorded: who, what, when, under which authority. No biometrics, no names.

A request belongs to a chain (its deployment's, or SYSTEM) and is the `sequence`-th of its producer on that chain,
from 1 without gaps; its id derives from these three. A producer is "service/instance" and never numbers two
requests alike: it keeps its count where it keeps what it does, or takes a new instance name each run.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from services.contracts import ids
from services.contracts.audit.commitments import NOBODY, Commitment, require_commitment
from services.contracts.audit.registry import KeyRegistry
from services.contracts.audit.signing import REQUEST, SIGNATURE_BYTES, Verify, framed
from services.contracts.events import CaseOutcome, require, require_utc
from services.contracts.names import LABEL_PATTERN, PROCESS_PATTERN

SYSTEM = "system"
"""The chain of what belongs to no deployment. No deployment may be called so."""

DIGEST_BYTES = 32
_PRODUCER = re.compile(f"{LABEL_PATTERN}/{PROCESS_PATTERN}")
# An id of ours (ids.py) or a digest: lower case without a space, so that no person's name is put here by mistake.
_ABOUT = re.compile(r"[a-z0-9][a-z0-9._/-]{0,159}")


class Action(StrEnum):
    """Everything that is recorded. Closed: what is not here cannot be asked for."""

    AUTHORITY_SUBMITTED = "authority_submitted"
    APPROVAL_GIVEN = "approval_given"
    NOTICE_ATTESTED = "notice_attested"
    AUTHORITY_APPROVED = "authority_approved"
    AUTHORITY_REFUSED = "authority_refused"
    AUTHORITY_ACTIVATED = "authority_activated"
    AUTHORITY_SUSPENDED = "authority_suspended"
    AUTHORITY_CANCELLED = "authority_cancelled"
    AUTHORITY_EXPIRED = "authority_expired"
    AUTHORITY_ENDED = "authority_ended"
    STOPPED = "stopped"
    THRESHOLD_CHANGED = "threshold_changed"
    LIST_APPROVED = "list_approved"
    LIST_SEALED = "list_sealed"
    LIST_LOADED = "list_loaded"
    LIST_ENTRY_REVOKED = "list_entry_revoked"
    FACE_VIEWED = "face_viewed"
    CASE_JUDGED = "case_judged"
    CASE_DECIDED = "case_decided"
    CASE_EXPIRED = "case_expired"
    DECISION_SUPERSEDED = "decision_superseded"
    ENGAGEMENT_RECORDED = "engagement_recorded"
    OUTCOME_RECORDED = "outcome_recorded"
    ALERT_RECORDED = "alert_recorded"
    EVIDENCE_HELD = "evidence_held"
    EXPORTED = "exported"
    SHARED = "shared"
    SHARE_RECEIVED = "share_received"
    SHARING_AGREED = "sharing_agreed"
    SHARING_ENDED = "sharing_ended"
    SHARE_FOLLOWED_UP = "share_followed_up"
    ANSWER_PUBLISHED = "answer_published"
    PURGE_ORDERED = "purge_ordered"
    PURGED = "purged"
    REPORT_SIGNED = "report_signed"
    REVIEW_HELD = "review_held"
    CLOCK_FAULT = "clock_fault"
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    KEY_ENROLLED = "key_enrolled"
    KEY_REVOKED = "key_revoked"


@dataclass(frozen=True, kw_only=True)
class AlertRow:
    """What EU AI Act 12(3) wants logged of a search that led to a match (C-36): one row an alert.

    (a) the period of use and its id, (b) the reference database searched, (c) the input data, (d) who verified.
    """

    alert: ids.AlertId
    period: str
    period_began_at: datetime
    period_ends_at: datetime
    list_sha256: bytes
    probe_sha256: bytes
    outcome: CaseOutcome
    verified_by: tuple[Commitment, ...] = ()

    def __post_init__(self) -> None:
        require(_ABOUT.fullmatch(self.alert) is not None, "alert is an id")
        require(_ABOUT.fullmatch(self.period) is not None, "period is an id")
        require_utc(self.period_began_at, "period_began_at")
        require_utc(self.period_ends_at, "period_ends_at")
        require(self.period_began_at <= self.period_ends_at, "a period ends after it began")
        require(len(self.list_sha256) == DIGEST_BYTES, "list_sha256 has 32 bytes")
        require(len(self.probe_sha256) == DIGEST_BYTES, "probe_sha256 has 32 bytes")
        for person in self.verified_by:
            require_commitment(person, "verified_by")
            require(person != NOBODY, "nobody verifies nothing")
        require(len(set(self.verified_by)) == len(self.verified_by), "nobody verifies an alert twice")
        agreed = self.outcome is CaseOutcome.AGREED_MATCH
        require(bool(self.verified_by) or not agreed, "an agreed match was verified by somebody (AI Act 14(5))")


@dataclass(frozen=True, kw_only=True)
class AuditRequested:
    """One thing to be recorded. `who` and `subject` are commitments (NOBODY: the producer itself; no subject).

    `authority` and its version are empty on SYSTEM and nowhere else; `about` is the id of the event or case it is
    about; `seen_sha256` digests what was seen or decided upon. `alert_row` comes with ALERT_RECORDED alone.
    """

    chain: str
    producer: str
    sequence: int
    at: datetime
    what: Action
    who: Commitment = NOBODY
    subject: Commitment = NOBODY
    authority: str = ""
    authority_version: int = 0
    about: str = ""
    seen_sha256: bytes = b""
    alert_row: AlertRow | None = None

    def __post_init__(self) -> None:
        require(ids.is_name(self.chain), "chain is a name: a deployment's, or system")
        require(_PRODUCER.fullmatch(self.producer) is not None, "producer is service/instance")
        require(self.sequence >= 1, "sequences start at 1")
        require_utc(self.at, "at")
        require_commitment(self.who, "who")
        require_commitment(self.subject, "subject")
        self._check_authority()
        require(not self.about or _ABOUT.fullmatch(self.about) is not None, "about is an id, or empty")
        require(len(self.seen_sha256) in (0, DIGEST_BYTES), "seen_sha256 has 32 bytes, or is empty")
        rows = self.what is Action.ALERT_RECORDED
        require(rows == (self.alert_row is not None), "alert_recorded, and nothing else, has a row (AI Act 12(3))")

    def _check_authority(self) -> None:
        if self.chain == SYSTEM:
            require(not self.authority and not self.authority_version, "chain system is under no authority")
        else:
            require(_ABOUT.fullmatch(self.authority) is not None, "authority is the id of what was acted under")
            require(self.authority_version >= 1, "authority_version starts at 1")

    @property
    def id(self) -> str:
        """Deterministic from its cause: the same request twice has the same id."""
        return ids.derived("audit", self.chain, self.producer, self.sequence)

    @property
    def service(self) -> str:
        """Whose key signs it."""
        return self.producer.partition("/")[0]


@dataclass(frozen=True)
class SignedRequest:
    """A request as it travels: `raw` is the record, `signed` the very bytes that `signature` is over.

    Made and read by `codec_audit` alone; that it is parsed says nothing about its signature.
    """

    content: AuditRequested
    key: str
    signature: bytes = field(repr=False)
    signed: bytes = field(repr=False)
    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require(len(self.signature) == SIGNATURE_BYTES, "a signature has 64 bytes")

    @cached_property
    def sha256(self) -> bytes:
        """Of the whole record: what the chain holds of it."""
        return hashlib.sha256(self.raw).digest()

    def is_signed(self, registry: KeyRegistry, verify: Verify) -> bool:
        """Whether a key of its producer's service signed it, in its time or not."""
        key = registry.producer(self.key, service=self.content.service)
        return key is not None and verify(key.public_key, self.signature, signed_message(self.signed))

    def key_held(self, registry: KeyRegistry, *, now: datetime) -> bool:
        """Whether its key held both when it says it was made and `now`: a stolen one cannot date back."""
        key = registry.producer(self.key, service=self.content.service)
        return key is not None and key.holds(self.content.at) and key.holds(now)


def signed_message(signed: bytes) -> bytes:
    """The bytes a producer signs for a request whose own bytes are `signed`."""
    return framed(REQUEST, signed)
