"""Where a list is not the one that its authority admits: asked by whoever loads it."""

from __future__ import annotations

from collections.abc import Iterator

from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import UNDER_18
from services.contracts.sealed.entry import Entry
from services.contracts.sealed.faults import Fault
from services.contracts.sealed.manifest import Manifest


def outside(of: Manifest, authority: Document) -> Iterator[Fault]:
    """Every way in which the list is not what the authority admits; none if it may be searched under it.

    The caps that a list was sealed with are its makers' word; those of the authority count here again.
    """
    head, terms = of.head, authority.watchlist
    for name, found, admitted in (
        ("deployment", head.deployment, authority.id),
        ("name", head.name, terms.id),
        ("digest", of.digest, terms.digest),
        ("model_id", head.model_id, terms.model),
        ("score_kind", head.score_kind, terms.score_kind),
        ("thresholds", {one.shots: one.score for one in head.thresholds}, dict(terms.thresholds)),
    ):
        if found != admitted:
            yield Fault("", name, "is not the authority's", "B 3.13")
    for name, count, cap in (
        ("entries", len(of.entries), terms.max_entries),
        ("templates", sum(len(entry.pictures) for entry in of.entries), terms.max_templates),
    ):
        if count > cap:
            yield Fault("", name, f"are {count}; the authority admits {cap}", "B 3.13")
    for entry in of.entries:
        yield from _not_admitted(entry, authority)


def _not_admitted(entry: Entry, authority: Document) -> Iterator[Fault]:
    terms, evidence = authority.watchlist, authority.equity
    if entry.category not in terms.categories:
        yield Fault(entry.entry_id, "category", "is none that the authority admits", "C-26")
    if entry.age_band not in terms.age_bands:
        yield Fault(entry.entry_id, "age_band", "is none that the authority admits", "C-31")
    if entry.age_band in UNDER_18 and (
        evidence is None or entry.age_evidence_id != evidence.id or entry.age_band not in evidence.age_bands
    ):
        rule = "must be the authority's evidence, and that must cover the age band"
        yield Fault(entry.entry_id, "age_evidence_id", rule, "C-31")
