"""What of people's work goes into the audit chain: who did what, about which case, on the strength of what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from services.contracts.audit.commitments import NOBODY, Commitment
from services.contracts.audit.numbering import Deed, Under, numbered
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


class CaseMinutes:
    """Requests about a deployment's cases. Each is its producer's next: the sequence is given when it is sent."""

    def __init__(self, authority: Authority, commitments: Commitments) -> None:
        self._authority = authority
        self._under = Under.deployment(authority.deployment, authority.version)
        self._commitments = commitments

    def of(self, event: CaseEvent, case: Case | None, *, producer: str) -> tuple[AuditRequested, ...]:
        """What is asked to be recorded of `event`; `case` as it stands now, if it still stands."""
        deeds = tuple(self._deeds(event, case))
        subject = self._commitments.of(case.subject) if case and deeds else NOBODY
        return tuple(
            numbered(replace(deed, subject=subject), producer=producer, under=self._under, sequence=1)
            for deed in deeds
        )

    def _deeds(self, event: CaseEvent, case: Case | None) -> Iterator[Deed]:
        match event:
            case AlertJudged():
                seen = bytes.fromhex(event.displayed_digest)
                who = self._commitments.of(event.reviewer)
                yield Deed(
                    at=event.judged_at, what=Action.CASE_JUDGED, who=who, about=event.case, seen_sha256=seen
                )
            case CaseDecided():
                yield Deed(at=event.decided_at, what=Action.CASE_DECIDED, about=event.case)
                yield from self._rows(case, event.outcome, event.decided_at)
            case CaseExpired():
                yield Deed(at=event.expired_at, what=Action.CASE_EXPIRED, about=event.case)
                yield from self._rows(case, CaseOutcome.EXPIRED, event.expired_at)
            case DecisionSuperseded():
                who = self._commitments.of(event.by[-1]) if event.by else NOBODY
                yield Deed(at=event.superseded_at, what=Action.DECISION_SUPERSEDED, who=who, about=event.case)
            case EngagementRecorded():
                who = self._commitments.of(event.by)
                yield Deed(at=event.recorded_at, what=Action.ENGAGEMENT_RECORDED, who=who, about=event.case)
            case OutcomeRecorded():
                who = self._commitments.of(event.by)
                yield Deed(at=event.recorded_at, what=Action.OUTCOME_RECORDED, who=who, about=event.case)

    def _rows(self, case: Case | None, outcome: CaseOutcome, at: datetime) -> Iterator[Deed]:
        """EU AI Act 12(3): a row for each alert of the case."""
        if case is None:
            return
        people = dict.fromkeys((*case.judged_by, *(given.person for given in case.judgements)))
        verified = tuple(dict.fromkeys(self._commitments.of(person) for person in people))
        if NOBODY in verified:
            return  # past the purge: nobody could say any more who verified it
        for sighting in case.sightings:
            row = self._row(case, sighting, outcome, verified)
            yield Deed(at=at, what=Action.ALERT_RECORDED, about=sighting.alert, alert_row=row)

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
