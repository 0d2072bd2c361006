"""A deployment's report: what it was bound to, what happened under that, and how far all of it can be checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from console.authority.show import bounds
from console.authority.standing import Anchor, Version
from console.ledger.statement import Statement
from console.ledger.table import as_json as figures
from services.contracts.audit.requests import SYSTEM, Action, AuditRequested
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import ClockState, State
from services.contracts.authorisation.states import HAS_RUN
from services.contracts.sealed.overlap import Caps, Totals, caps

NOT_ANCHORED = "not externally anchored"
# What a report counts beside the figures; on the chain `system` only while the window lasts.
INCIDENTS = (
    Action.STOPPED,
    Action.AUTHORITY_SUSPENDED,
    Action.THRESHOLD_CHANGED,
    Action.LIST_ENTRY_REVOKED,
    Action.CLOCK_FAULT,
    Action.EVIDENCE_HELD,
    Action.EXPORTED,
)
# Authorities that searched, or may.
COUNTED = HAS_RUN | {State.AUTHORISED}


@dataclass(frozen=True, kw_only=True)
class Report:
    """Values only. `sealed` adds up the lists as they were sealed: None unless each one's manifest was at hand."""

    root: str
    version: Version
    overlap: Caps
    sealed: Totals | None
    anchors: Sequence[Anchor]
    incidents: Mapping[Action, int]
    shares: str
    statement: Statement

    @property
    def document(self) -> Document:
        return self.version.document


def beside(own: Version, others: Iterable[Version]) -> Caps:
    """What may have been searched at once; of each deployment its newest version counts."""
    newest: dict[str, Document] = {}
    for one in sorted(others, key=lambda one: one.document.version):
        if one.standing.state in COUNTED:
            newest[one.document.id] = one.document
    return caps(own.document, newest.values())


def incidents(requested: Iterable[AuditRequested], document: Document) -> Counter[Action]:
    """How often each of INCIDENTS is in the audit chain of a deployment, or in `system` during its window."""
    return Counter(
        one.what
        for one in requested
        if one.what in INCIDENTS
        and (one.chain == document.id or (one.chain == SYSTEM and document.window.covers(one.at)))
    )


def lines(report: Report) -> Iterator[str]:
    """All but the figures, for people."""
    document = report.document
    yield from bounds(document, root=report.root)
    yield f"state      {report.version.standing.state}"
    yield f"reviewers  {_reviewers(document)}"
    yield f"clock was  {_clock(report)}"
    for what in INCIDENTS:
        if report.incidents.get(what) and what is not Action.CLOCK_FAULT:
            yield f"recorded   {report.incidents[what]} x {what.replace('_', ' ')}"
    yield f"at once    {_overlap(report)}"
    yield f"shared     {report.shares}"
    for told in anchored(report.anchors):
        yield f"anchored   {told}"


def anchored(anchors: Sequence[Anchor]) -> Iterator[str]:
    """How the audit chain stands outside, a line a sink."""
    if not any(one.head for one in anchors):
        yield NOT_ANCHORED
    for one in anchors:
        if one.head is None:
            yield f"{one.sink}: has taken no head yet"
        else:
            head = one.head.head
            yield f"{one.sink}: entries 1 to {head.size}, at {head.at.isoformat()}, root {head.root.hex()}"


def as_json(report: Report) -> dict[str, Any]:
    """The whole report, for machines."""
    document = report.document
    return {
        "format": "signpost-report-1",
        "root": report.root,
        "authority": document.model_dump(mode="json"),
        "authority_digest": document.digest,
        "state": report.version.standing.state,
        "clock": {
            "accepted": [state.value for state in document.clock.accepts],
            "reason": document.clock.reason,
            "faults": report.incidents.get(Action.CLOCK_FAULT, 0),
        },
        "incidents": {what.value: report.incidents.get(what, 0) for what in INCIDENTS},
        "overlap": asdict(report.overlap),
        "overlap_as_sealed": asdict(report.sealed) if report.sealed else None,
        "shares": report.shares,
        "anchored": list(anchored(report.anchors)),
        "figures": figures(report.statement),
    }


def _reviewers(document: Document) -> str:
    reason = document.verification.single_reviewer_reason
    return f"{document.verification.reviewers}" + (f": {reason}" if reason else "")


def _clock(report: Report) -> str:
    accepted = report.document.clock.accepts
    faults = report.incidents.get(Action.CLOCK_FAULT, 0)
    told = f"accepted when {' or '.join(accepted)}; {faults} clock faults recorded"
    return told if accepted == (ClockState.SYNCHRONISED,) else f"{told}; times are no better than that"


def _overlap(report: Report) -> str:
    found = report.overlap
    most = f"at most {found.entries:,} entries and {found.templates:,} templates"
    told = f"{len(found.authorities)} authorities, {most}"
    others = [one for one in found.authorities if one != report.document.id]
    if others:
        told += f" (with {', '.join(others)})"
    if report.sealed is None:
        return told
    sealed = report.sealed
    return (
        f"{told}; as sealed {sealed.entries:,} entries and {sealed.templates:,} templates of "
        f"{sealed.distinct_subjects:,} people, {sealed.several:,} of them on more than one list"
    )
