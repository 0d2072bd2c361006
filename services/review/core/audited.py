"""What of people's work goes into the audit chain: who did what, about which case, on the strength of what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.contracts.audit.commitments import NOBODY, Commitment
from services.contracts.audit.requests import Action, AlertRow, AuditRequested
from services.contracts.authority import Authority
from services.contracts.decisions import (
    AlertJudged,
    CaseDecided,
    CaseEvent,
    CaseExpired,
    DecisionSuperseded,
    EngagementRecorded,
    OutcomeRecorded,
)
from services.contracts.events import CaseOutcome
from services.review.core.case import Case, Sighting


class Commitments(Protocol):
    """Persons and subjects as the chain knows them. Any thread; may block on the key store. Raises Transient."""

    def of(self, token: str) -> Commitment:
        """The same for the same token, as long as its salt lives; NOBODY past the deployment's purge."""
        ...


@dataclass(frozen=True)
class _Said:
    what: Action
    at: datetime
    by: str = ""
    seen: str = ""
    row: AlertRow | None = None


class CaseMinutes:
    """Requests about a deployment's cases. Each is its producer's next: the sequence is given when it is sent."""

    def __init__(self, authority: Authority, commitments: Commitments) -> None:
        self._authority = authority
        self._commitments = commitments

    def of(self, event: CaseEvent, case: Case | None, *, producer: str) -> tuple[AuditRequested, ...]:
        """What is asked to be recorded of `event`; `case` as it stands now, if it still stands."""
        return tuple(self._request(said, event, case, producer) for said in self._said(event, case))

    def _said(self, event: CaseEvent, case: Case | None) -> Iterator[_Said]:
        match event:
            case AlertJudged():
                yield _Said(Action.CASE_JUDGED, event.judged_at, event.reviewer, event.displayed_digest)
            case CaseDecided():
                yield _Said(Action.CASE_DECIDED, event.decided_at)
                yield from self._rows(case, event.outcome, event.decided_at)
            case CaseExpired():
                yield _Said(Action.CASE_EXPIRED, event.expired_at)
                yield from self._rows(case, CaseOutcome.EXPIRED, event.expired_at)
            case DecisionSuperseded():
                by = event.by[-1] if event.by else ""
                yield _Said(Action.DECISION_SUPERSEDED, event.superseded_at, by)
            case EngagementRecorded():
                yield _Said(Action.ENGAGEMENT_RECORDED, event.recorded_at, event.by)
            case OutcomeRecorded():
                yield _Said(Action.OUTCOME_RECORDED, event.recorded_at, event.by)

    def _rows(self, case: Case | None, outcome: CaseOutcome, at: datetime) -> Iterator[_Said]:
        """EU AI Act 12(3): a row for each alert of the case."""
        if case is None:
            return
        people = dict.fromkeys((*case.judged_by, *(given.person for given in case.judgements)))
        verified = tuple(dict.fromkeys(self._commitments.of(person) for person in people))
        if NOBODY in verified:
            return  # past the purge: nobody could say any more who verified it
        for sighting in case.sightings:
            yield _Said(Action.ALERT_RECORDED, at, row=self._row(case, sighting, outcome, verified))

    def _row(
        self, case: Case, sighting: Sighting, outcome: CaseOutcome, verified: tuple[Commitment, ...]
    ) -> AlertRow:
        bounds = self._authority
        return AlertRow(
            alert=sighting.alert,
            period=f"{bounds.deployment}/{bounds.version}",
            period_began_at=bounds.window.start,
            period_ends_at=bounds.window.end,
            list_sha256=bytes.fromhex(case.list_digest),
            probe_sha256=bytes.fromhex(sighting.probe_sha256),
            outcome=outcome,
            verified_by=verified,
        )

    def _request(self, said: _Said, event: CaseEvent, case: Case | None, producer: str) -> AuditRequested:
        bounds = self._authority
        return AuditRequested(
            chain=bounds.deployment,
            producer=producer,
            sequence=1,
            at=said.at,
            what=said.what,
            who=self._commitments.of(said.by) if said.by else NOBODY,
            subject=self._commitments.of(case.subject) if case else NOBODY,
            authority=bounds.deployment,
            authority_version=bounds.version,
            about=said.row.alert if said.row else event.case,
            seen_sha256=bytes.fromhex(said.seen),
            alert_row=said.row,
        )
