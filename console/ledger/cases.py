"""What became of each case, from the recorded decisions; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from services.contracts.counts import Count
from services.contracts.decisions import CaseDecided, CaseEvent, CaseExpired, CaseOpened, DecisionSuperseded
from services.contracts.events import CaseOutcome

_OPEN = ""


def outcomes(events: Iterable[CaseEvent]) -> Counter[str]:
    """Cases by how they stand now: an outcome, or "" for those still open. Events in the order of their topic.

    A repeated event changes nothing, however late it comes: two relays may write one event each, the second after
    what superseded it. A superseding event replaces the outcome, or opens the case again.
    """
    standing: dict[str, str] = {}
    known: set[str] = set()
    for event in events:
        if event.event_id in known:
            continue
        known.add(event.event_id)
        match event:
            case CaseOpened():
                standing.setdefault(event.case, _OPEN)
            case CaseDecided():
                standing[event.case] = event.outcome
            case CaseExpired():
                standing[event.case] = CaseOutcome.EXPIRED
            case DecisionSuperseded():
                is_outcome = event.to_outcome in set(CaseOutcome)
                standing[event.case] = event.to_outcome if is_outcome else _OPEN
    return Counter(standing.values())


def case_counts(events: Iterable[CaseEvent]) -> tuple[Counter[Count], Counter[tuple[Count, str]]]:
    """The cases' totals, and the decided ones split by outcome."""
    by_outcome = outcomes(events)
    expired, still_open = by_outcome.pop(CaseOutcome.EXPIRED, 0), by_outcome.pop(_OPEN, 0)
    totals = Counter(
        {
            Count.CASES_OPENED: by_outcome.total() + expired + still_open,
            Count.CASES_DECIDED: by_outcome.total(),
            Count.CASES_EXPIRED: expired,
            Count.CASES_OPEN: still_open,
        }
    )
    return totals, Counter({(Count.CASES_DECIDED, outcome): value for outcome, value in by_outcome.items()})
