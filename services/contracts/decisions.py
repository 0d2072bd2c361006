"""What people made of an alert, as recorded events: no biometrics, no names, kept for years."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.contracts import ids
from services.contracts.events import CaseOutcome, Event, Judgement


@dataclass(frozen=True, kw_only=True)
class CaseEvent(Event):
    """A move of one case. `captured_at` is the alert's; `trace_id` the alert's too."""

    case: ids.CaseId

    @property
    def event_id(self) -> str:
        return ids.derived(type(self).__name__, self.case, *self._cause())

    def _cause(self) -> tuple[str | int, ...]:
        """What tells this move from the case's other moves of its kind."""
        return ()


@dataclass(frozen=True, kw_only=True)
class CaseOpened(CaseEvent):
    alert: ids.AlertId
    subject: ids.SubjectToken
    camera: ids.CameraId
    track: ids.TrackId
    list_digest: str
    opened_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class AlertFolded(CaseEvent):
    """An alert that opened no case of its own; `reason` says why (open_case, track_rejected)."""

    alert: ids.AlertId
    track: ids.TrackId
    camera: ids.CameraId
    folded_at: datetime
    reason: str

    def _cause(self) -> tuple[str | int, ...]:
        return (self.alert,)


@dataclass(frozen=True, kw_only=True)
class AlertJudged(CaseEvent):
    """One person's judgement in one seat. `round` counts up when a case is reopened for fresh reviewers."""

    round: int
    seat: int
    reviewer: str
    judgement: Judgement
    features: tuple[str, ...]
    displayed_digest: str
    judged_at: datetime
    dwell_ms: int
    scripted: bool

    def _cause(self) -> tuple[str | int, ...]:
        return (self.round, self.seat)


@dataclass(frozen=True, kw_only=True)
class CaseDecided(CaseEvent):
    round: int
    outcome: CaseOutcome
    decided_at: datetime
    judgements: int

    def _cause(self) -> tuple[str | int, ...]:
        return (self.round,)


@dataclass(frozen=True, kw_only=True)
class CaseExpired(CaseEvent):
    """Nobody decided in time: no action. Never an approval."""

    round: int
    expired_at: datetime
    judgements: int

    def _cause(self) -> tuple[str | int, ...]:
        return (self.round,)


@dataclass(frozen=True, kw_only=True)
class DecisionSuperseded(CaseEvent):
    round: int
    from_outcome: str
    to_outcome: str
    reason: str
    by: tuple[str, ...]
    superseded_at: datetime

    def _cause(self) -> tuple[str | int, ...]:
        return (self.round,)


@dataclass(frozen=True, kw_only=True)
class EngagementRecorded(CaseEvent):
    number: int
    result: str
    by: str
    recorded_at: datetime

    def _cause(self) -> tuple[str | int, ...]:
        return (self.number,)


@dataclass(frozen=True, kw_only=True)
class OutcomeRecorded(CaseEvent):
    number: int
    outcome: str
    by: str
    recorded_at: datetime

    def _cause(self) -> tuple[str | int, ...]:
        return (self.number,)
