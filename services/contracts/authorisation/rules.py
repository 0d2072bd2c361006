"""What an authority's document must say: one small function a rule, each naming the control it comes from.

`broken` runs all of them, so that an author sees everything that is wrong at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from services.contracts.authorisation import geometry
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import UNDER_18, Category, ClockState, DocumentKind, Purpose, UseCase
from services.contracts.authorisation.findings import Finding
from services.contracts.authority import ADMITTED_SOURCES, SourceKind

URGENT_APPROVAL_WITHIN = timedelta(hours=24)
# Our own figures: the regulation gives one use 24 hours, and nothing to a second one for the same cause. A week is
# what an authority has for its report (FollowUp); a zone that is moved across a square is at the same place.
URGENCY_BINDS = timedelta(days=7)
SAME_PLACE_M = 500.0
MAX_FPIR_BUDGET = 0.001
_MAX_ZONE_M = 300.0  # no lens recognises a face from farther

Rule = Callable[[Document], Iterator[Finding]]


def broken(document: Document) -> tuple[Finding, ...]:
    """Every rule the document breaks, in order of field; empty if it may be approved. Depends on nothing else.

    What was found once is remembered by digest: oversight asks of every live version every two seconds.
    """
    known = _found.get(document.digest)
    if known is None:
        known = tuple(sorted({finding for rule in RULES for finding in rule(document)}))
        if len(_found) >= _MOST_FOUND:
            _found.clear()
        _found[document.digest] = known
    return known


# More than an organisation has live versions of; findings are few words each.
_MOST_FOUND = 4096
_found: dict[str, tuple[Finding, ...]] = {}


def serial_broken(document: Document, issued: Iterable[int]) -> tuple[Finding, ...]:
    """Whether the serial is the next after those the organisation has `issued` to other authorities.

    Versions of one authority share its serial: pass the serials of the others.
    """
    known = sorted(set(issued))
    source = "issue 4.1: serial numbers are gapless"
    if known != list(range(1, len(known) + 1)):
        return (
            Finding("serial", "the serials issued so far have a gap: find the missing authority first", source),
        )
    if document.serial != len(known) + 1:
        return (Finding("serial", f"must be {len(known) + 1}, the next of the organisation", source),)
    return ()


def version_broken(document: Document, before: Document | None) -> tuple[Finding, ...]:
    """Whether the document may follow `before`, the latest version of the same authority (None: there is none)."""
    source = "issue 4.1: supersedes"
    if before is None:
        first = document.version == 1 and document.supersedes is None
        return () if first else (Finding("version", "the first version is 1 and supersedes nothing", source),)
    found = []
    if document.version != before.version + 1:
        found.append(Finding("version", f"must be {before.version + 1}", source))
    if document.supersedes != before.digest:
        found.append(Finding("supersedes", "must be the digest of the version before", source))
    for name in ("id", "organisation", "serial"):
        if getattr(document, name) != getattr(before, name):
            found.append(Finding(name, "must stay what it was in the version before", source))
    return tuple(found)


@dataclass(frozen=True)
class UrgentUse:
    """Another authority that was approved in urgency, and not in full: where, until when, and by whom."""

    document: Document
    people: frozenset[str] = field(repr=False)
    """Who signed it: its author and its approvers."""


def urgency_spent(
    document: Document, approvers: Iterable[str], used: Iterable[UrgentUse], *, now: datetime
) -> tuple[Finding, ...]:
    """Whether the day that urgency gives has been used up, for this place or by these people, under whatever id.

    `used` are the others of the organisation that nobody approved in full. A document that is itself approved in
    full needs no urgency, and is not asked.
    """
    if document.urgent is None:
        return ()
    people = {document.author, *approvers}
    source = "C-38, EU AI Act 5(3)"
    found = []
    for other in used:
        ends = other.document.urgent.deadline if other.document.urgent else now
        if now >= ends + URGENCY_BINDS or document.urgent.deadline <= ends:
            continue
        whose = "its place" if _same_place(document, other.document) else ""
        whose = whose or ("its author or an approver" if people & other.people else "")
        if whose:
            rule = (
                f"the day that urgency gives is used up by {other.document.id}, for {whose}, until "
                f"{ends + URGENCY_BINDS:%Y-%m-%d %H:%M} UTC: have it approved in full"
            )
            found.append(Finding("urgent.deadline", rule, source))
    return tuple(found)


def _same_place(one: Document, other: Document) -> bool:
    hosts = {camera.host for camera in one.cameras if camera.host is not None}
    if any(camera.host in hosts for camera in other.cameras):
        return True
    places = ((site.origin_latitude, site.origin_longitude, site.polygon) for site in (one.site, other.site))
    return geometry.apart_m(*places) <= SAME_PLACE_M


def _versions(document: Document) -> Iterator[Finding]:
    if (document.version == 1) != (document.supersedes is None):
        yield Finding("supersedes", "version 1 supersedes nothing, every later one the one before", "issue 4.1")


def _exercise(document: Document) -> Iterator[Finding]:
    """An exercise is one in purpose, use case and list, or in none of them."""
    source = "C-26; architecture, What it refuses"
    exercise = document.use_case is UseCase.EXERCISE
    if exercise != (document.purpose is Purpose.EXERCISE):
        yield Finding("purpose", "purpose and use_case are both `exercise` or neither is", source)
    volunteers = [category is Category.CONSENTING_VOLUNTEER for category in document.watchlist.categories]
    if exercise and not all(volunteers):
        yield Finding("watchlist.categories", "an exercise lists consenting volunteers only", source)
    if not exercise and any(volunteers):
        yield Finding("watchlist.categories", "consenting volunteers are for exercises", source)


def _cameras_differ(document: Document) -> Iterator[Finding]:
    ids = [camera.id for camera in document.cameras]
    for index, camera in enumerate(ids):
        if camera in ids[:index]:
            yield Finding(f"cameras.{index}.id", "two cameras have the same id", "C-28")


def _sources(document: Document) -> Iterator[Finding]:
    admitted = ADMITTED_SOURCES[document.admits]
    for index, camera in enumerate(document.cameras):
        if camera.source not in admitted:
            rule = f"`{camera.source}` is no live camera: recordings are for exercises"
            yield Finding(f"cameras.{index}.source", rule, "architecture, What it refuses")
        if camera.source is SourceKind.RTSP and camera.host is None:
            yield Finding(f"cameras.{index}.host", "a network camera is named by its host", "C-28, issue 4.1")


def _owners(document: Document) -> Iterator[Finding]:
    for index, camera in enumerate(document.cameras):
        if camera.owner != document.organisation and camera.agreement is None:
            rule = "the owner is not the authority's organisation: needs the agreement's id"
            yield Finding(f"cameras.{index}.agreement", rule, "C-20, issue 4.1")


def _zones(document: Document) -> Iterator[Finding]:
    site = document.site
    ground = geometry.Ground(site.polygon, buffer_m=site.buffer_m)
    for index, camera in enumerate(document.cameras):
        field = f"cameras.{index}.zone"
        if geometry.extent_m(camera.zone) > _MAX_ZONE_M:
            yield Finding(field, f"a recognition zone is at most {_MAX_ZONE_M:.0f} m across", "C-28")
        elif not ground.holds(camera.zone):
            yield Finding(field, "must lie inside the site's polygon and its buffer", "C-27, C-28, Bridges")


def _in_force(document: Document) -> Iterator[Finding]:
    """Papers must hold to the window's last day: a review that falls due meanwhile stops nothing by itself."""
    last = _last_day(document)
    if document.site.review_by < last:
        yield Finding("site.review_by", "the site's grounds are overdue for review within the window", "C-27")
    for index, paper in enumerate(document.documents):
        if paper.review_by < last:
            yield Finding(f"documents.{index}.review_by", "is overdue for review within the window", "C-11, C-15")


def _papers(document: Document) -> Iterator[Finding]:
    on_file = {paper.kind for paper in document.documents}
    for kind in DocumentKind:
        if kind not in on_file:
            yield Finding("documents", f"`{kind}` is missing", "C-11")


def _equity(document: Document) -> Iterator[Finding]:
    evidence, sealed = document.equity, document.watchlist
    source = "C-25"
    if evidence is None:
        if document.use_case is not UseCase.EXERCISE:
            yield Finding("equity", "needs an equitability evaluation of this model at this threshold", source)
        return
    if evidence.model != sealed.model:
        yield Finding("equity.model", "is of another model than the list's", source)
    if evidence.thresholds != sealed.thresholds:
        yield Finding(
            "equity.thresholds", "are not the list's: evidence holds for its own thresholds only", source
        )
    if evidence.review_by < _last_day(document):
        yield Finding("equity.review_by", "is overdue for review within the window", source)


def _ages(document: Document) -> Iterator[Finding]:
    covered = set(document.equity.age_bands) if document.equity else set()
    for band in sorted((UNDER_18 & set(document.watchlist.age_bands)) - covered):
        rule = f"lists people of `{band}`, an age that the equitability evidence does not cover"
        yield Finding("watchlist.age_bands", rule, "issue 4.1, C-25, C-31")


def _caps(document: Document) -> Iterator[Finding]:
    if document.watchlist.max_templates < document.watchlist.max_entries:
        yield Finding("watchlist.max_templates", "must be at least max_entries", "controls B 3.13")
    if document.fpir_budget > MAX_FPIR_BUDGET:
        yield Finding("fpir_budget", "must be at most 1 in 1,000", "controls B 3.1, Bridges para 27")


def _urgency(document: Document) -> Iterator[Finding]:
    if document.urgent is None:
        return
    if not document.created_at < document.urgent.deadline <= document.created_at + URGENT_APPROVAL_WITHIN:
        yield Finding("urgent.deadline", "must lie within 24 hours of created_at", "C-38, EU AI Act 5(3)")


def _beginning(document: Document) -> Iterator[Finding]:
    if document.created_at >= document.window.end:
        yield Finding("window.end", "is past before the document was written", "C-29")


def _clock(document: Document) -> Iterator[Finding]:
    accepts = document.clock.accepts
    if ClockState.SYNCHRONISED not in accepts or len(set(accepts)) != len(accepts):
        yield Finding("clock.accepts", "must name each state once, and `synchronised` among them", "C-29")
    if len(accepts) > 1 and document.clock.reason is None:
        yield Finding("clock.reason", "a clock that is not synchronised is accepted for a written reason", "C-29")


def _people(document: Document) -> Iterator[Finding]:
    if document.accountable_person == document.author:
        yield Finding("author", "must be another than the senior accountable person", "C-18, C-40")


RULES: Sequence[Rule] = (
    _versions,
    _exercise,
    _cameras_differ,
    _sources,
    _owners,
    _zones,
    _in_force,
    _papers,
    _equity,
    _ages,
    _caps,
    _urgency,
    _beginning,
    _clock,
    _people,
)


def _last_day(document: Document) -> date:
    return document.window.end.date()
