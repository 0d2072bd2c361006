"""Makes a past list again: pictures from their source systems, enrolled anew, held against the manifest (C-04)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from services.contracts.events import Vector
from services.contracts.scoring import Floats
from services.contracts.sealed.faults import Fault
from services.contracts.sealed.manifest import Manifest, template_sha256


@dataclass(frozen=True)
class Enrolled:
    """One picture enrolled again: by which model, to which template."""

    model_id: str
    vector: Vector = field(repr=False)


def wanted(of: Manifest) -> dict[str, tuple[str, str]]:
    """What to ask the source systems for: (system, reference in it) by the picture's SHA-256."""
    return {
        one.image_sha256: (one.source_system, one.source_reference)
        for entry in of.entries
        for one in entry.pictures
    }


def differences(of: Manifest, found: Mapping[str, Enrolled], fillers: Floats) -> Iterator[Fault]:
    """Where the list made of `found` (by the picture's SHA-256) is not the one that was searched; none if it is,
    template for template. `fillers` [n, d] are made up again by the cohort's `filling`, of these templates."""
    if tuple(template_sha256(row) for row in fillers) != of.cohort.fillers:
        yield Fault("", "fillers", "made up again are others", "C-04")
    for entry in of.entries:
        for place, one in enumerate(entry.pictures):
            again = found.get(one.image_sha256)
            field_ = f"pictures.{place}"
            if again is None:
                yield Fault(entry.entry_id, field_, "is not among the pictures found", "C-04")
            elif again.model_id != of.head.model_id:
                yield Fault(entry.entry_id, field_, "was enrolled by another model than the list's", "C-04")
            elif template_sha256(again.vector) != one.template_sha256:
                rule = "gives another template: another runtime, precision or machine, or another model"
                yield Fault(entry.entry_id, field_, rule, "C-04")
