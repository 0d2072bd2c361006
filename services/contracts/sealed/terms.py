"""What an authority says of its list, and where a list is not that one: asked by whoever loads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.contracts.authorisation.enums import AgeBand, Category
from services.contracts.events import ScoreKind
from services.contracts.sealed.faults import Fault
from services.contracts.sealed.manifest import Manifest, Threshold


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The list part of a signed authority, field by field."""

    name: str
    digest: str
    max_entries: int
    max_templates: int
    categories: frozenset[Category]
    age_bands: frozenset[AgeBand]
    score_kind: ScoreKind
    model_id: str
    thresholds: tuple[Threshold, ...]


def outside(of: Manifest, terms: Terms) -> Iterator[Fault]:
    """Every way in which the list is not what the authority admits; none if it may be searched under it.

    The caps that a list was sealed with are its makers' word; those of the authority count here again.
    """
    head = of.head
    for name, found, admitted in (
        ("name", head.name, terms.name),
        ("digest", of.digest, terms.digest),
        ("model_id", head.model_id, terms.model_id),
        ("score_kind", head.score_kind, terms.score_kind),
        ("thresholds", head.thresholds, terms.thresholds),
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
        if entry.category not in terms.categories:
            yield Fault(entry.entry_id, "category", "is none that the authority admits", "C-26")
        if entry.age_band not in terms.age_bands:
            yield Fault(entry.entry_id, "age_band", "is none that the authority admits", "C-31")
