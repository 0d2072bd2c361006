"""A list before it is sealed: composed from entries and templates, and everything that forbids sealing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from services.contracts import ids
from services.contracts.errors import Undecodable
from services.contracts.events import Invalid, ScoreKind, require_unit
from services.contracts.scoring import Floats
from services.contracts.sealed import likeness, manifest
from services.contracts.sealed.entry import Entry
from services.contracts.sealed.faults import Fault
from services.contracts.sealed.likeness import Similarity
from services.contracts.sealed.manifest import (
    FORMAT,
    Cohort,
    Filling,
    Fusion,
    Head,
    Limits,
    Manifest,
    Resolution,
    Threshold,
    template_sha256,
)
from services.contracts.sealed.rules import Bounds, bounds_faults, entry_faults


@dataclass(frozen=True, kw_only=True)
class Plan:
    """By what a list is made: its authority's terms and its model's. `filling` is None without fillers."""

    deployment: str
    name: str
    model_id: str
    score_kind: ScoreKind
    cohort_size: int
    cohort_weight: float
    thresholds: tuple[Threshold, ...]
    bounds: Bounds
    limits: Limits
    created_at: datetime
    filling: Filling | None = None


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A list in full. `templates` are float32 [pictures, d] by entry id, in the order of the entry's pictures;
    `fillers` float32 [n, d], n may be 0. Wiped by who made them."""

    manifest: Manifest
    templates: Mapping[str, Floats] = field(repr=False, compare=False)
    fillers: Floats = field(repr=False, compare=False)


def compose(
    plan: Plan,
    entries: Sequence[Entry],
    templates: Mapping[str, Floats],
    *,
    fillers: Floats,
    resolutions: Sequence[Resolution],
    similarity: Similarity,
) -> Draft:
    """The draft of these: ordered, counted, near-duplicates set apart. Checks nothing: see `draft_faults`."""
    ordered = tuple(sorted(entries, key=lambda entry: entry.entry_id))
    resolved = tuple(sorted(resolutions, key=lambda one: one.pair))
    length = int(fillers.shape[1])
    # Templates that cannot be compared are named by `draft_faults`.
    comparable = all(rows.ndim == 2 and len(rows) and rows.shape[1] == length for rows in templates.values())
    found = likeness.alike(templates, plan.limits, similarity) if comparable else ()
    head = Head(
        format=FORMAT,
        deployment=plan.deployment,
        name=plan.name,
        model_id=plan.model_id,
        template_length=length,
        fusion=Fusion.MEAN,
        score_kind=plan.score_kind,
        cohort_size=plan.cohort_size,
        cohort_weight=plan.cohort_weight,
        thresholds=plan.thresholds,
        bounds=plan.bounds,
        limits=plan.limits,
        created_at=plan.created_at,
        entries=len(ordered),
        templates=sum(len(entry.pictures) for entry in ordered),
        fillers=len(fillers),
    )
    cohort = Cohort(
        filling=plan.filling,
        fillers=tuple(template_sha256(row) for row in fillers),
        apart=likeness.apart(found, resolved),
        resolutions=resolved,
    )
    return Draft(
        manifest=Manifest(head=head, cohort=cohort, entries=ordered), templates=templates, fillers=fillers
    )


def draft_faults(draft: Draft, *, similarity: Similarity, at: datetime) -> list[Fault]:
    """Everything that forbids sealing `draft` at that time, in the list's order; none if it may be sealed.

    Likeness is judged only between templates that are what the entries say they are.
    """
    found = [*_head_faults(draft.manifest, at), *_caps(draft.manifest), *_doubles(draft.manifest)]
    try:
        manifest.parse(draft.manifest.to_bytes())
    except Undecodable as error:
        found.append(Fault("", "manifest", f"cannot be read again: {error}", "C-04"))
    for entry in draft.manifest.entries:
        found += entry_faults(entry, draft.manifest.head.bounds, at=at)
    wrong = list(_template_faults(draft))
    return found + (wrong or list(_likeness_faults(draft, similarity)))


def _head_faults(of: Manifest, at: datetime) -> Iterator[Fault]:
    head = of.head
    for name in ("deployment", "name"):
        if not ids.is_name(getattr(head, name)):
            yield Fault("", name, "must be a name (a-z, 0-9, hyphen)", "B 3.7")
    if not head.model_id.strip():
        yield Fault("", "model_id", "must not be empty", "B 3.7")
    if head.created_at > at:
        yield Fault("", "created_at", "must not lie in the future", "B 3.7")
    shots = [one.shots for one in head.thresholds]
    if shots[:1] != [1] or shots != sorted(set(shots)):
        yield Fault("", "thresholds", "must be by number of shots, ascending from 1", "B 3.13")
    if not all(-2.0 < one.score < 2.0 for one in head.thresholds):
        yield Fault("", "thresholds", "must lie between -2 and 2", "B 3.13")
    if not 0.0 <= head.cohort_weight <= 1.0:
        yield Fault("", "cohort_weight", "must lie between 0 and 1", "B 3.7")
    if (of.cohort.filling is None) != (head.fillers == 0):
        yield Fault("", "filling", "must say how fillers were made up, if there are any", "C-04")
    yield from bounds_faults(head.bounds)
    yield from _limits_faults(head)
    if head.score_kind is ScoreKind.GALLERY_NORMALISED:
        yield from _cohort_faults(of)


def _limits_faults(head: manifest.Head) -> Iterator[Fault]:
    """Limits are the makers' choice: a careless one would let wrong pictures, or one person twice, go unseen."""
    limits = head.limits
    if not 0.0 < limits.same_person <= limits.alike < 1.0:
        yield Fault("", "limits", "must be cosines between 0 and 1, same_person no more than alike", "C-33")
    scores = [one.score for one in head.thresholds]
    if head.score_kind is ScoreKind.RAW and scores and limits.alike > min(scores):
        rule = "must be no more than the lowest threshold: who would raise another's alert is like them"
        yield Fault("", "limits.alike", rule, "C-33")


def _cohort_faults(of: Manifest) -> Iterator[Fault]:
    left_out = Counter(name for pair in of.cohort.apart for name in (pair.one, pair.other))
    most = max(left_out.values(), default=0)
    if not 1 <= of.head.cohort_size <= of.head.entries + of.head.fillers - 1 - most:
        rule = "must be at least 1, and every entry must have as many others that are not near-duplicates"
        yield Fault("", "cohort_size", rule, "B 3.7")


def _caps(of: Manifest) -> Iterator[Fault]:
    head = of.head
    for name, count, cap in (
        ("entries", head.entries, min(head.bounds.max_entries, manifest.MAX_ENTRIES)),
        ("templates", head.templates, min(head.bounds.max_templates, manifest.MAX_TEMPLATES)),
        ("fillers", head.fillers, manifest.MAX_FILLERS),
    ):
        if count > cap:
            yield Fault("", name, f"must be at most {cap}, are {count}", "B 3.13")
    if not head.entries:
        yield Fault("", "entries", "must be at least one", "B 3.13")


def _doubles(of: Manifest) -> Iterator[Fault]:
    """What may stand on a list once only; the later one is named, and the first in the rule."""
    ids_, subjects, images = dict[str, str](), dict[str, str](), dict[str, str]()
    for entry in of.entries:
        if entry.entry_id in ids_:
            yield Fault(entry.entry_id, "entry_id", "must be on the list once", "B 3.7")
        ids_[entry.entry_id] = entry.entry_id
        first = subjects.setdefault(entry.subject_ref, entry.entry_id)
        if first != entry.entry_id:
            yield Fault(entry.entry_id, "subject_ref", f"must be on the list once; entry {first} has it", "C-33")
        for place, one in enumerate(entry.pictures):
            for name in ("image_sha256", "shown_sha256"):
                first = images.setdefault(getattr(one, name), entry.entry_id)
                if first != entry.entry_id:
                    rule = f"is a picture of entry {first} too"
                    yield Fault(entry.entry_id, f"pictures.{place}.{name}", rule, "C-33")


def _template_faults(draft: Draft) -> Iterator[Fault]:
    length = draft.manifest.head.template_length
    if set(draft.templates) != set(draft.manifest.by_id):
        yield Fault("", "templates", "must be those of the entries, no more and no fewer", "B 3.7")
        return
    for entry in draft.manifest.entries:
        rows = draft.templates[entry.entry_id]
        if rows.shape != (len(entry.pictures), length):
            yield Fault(entry.entry_id, "pictures", f"must have a template of {length} numbers each", "B 3.7")
            continue
        for place, (row, one) in enumerate(zip(rows, entry.pictures, strict=True)):
            if not _is_unit(row):
                yield Fault(
                    entry.entry_id, f"pictures.{place}", "its template must be float32 of length 1", "B 3.7"
                )
            elif template_sha256(row) != one.template_sha256:
                rule = "must be the hash of the template given"
                yield Fault(entry.entry_id, f"pictures.{place}.template_sha256", rule, "C-04")
    if tuple(template_sha256(row) for row in draft.fillers) != draft.manifest.cohort.fillers:
        yield Fault("", "fillers", "must be those whose hashes the cohort names", "C-04")
    elif not all(_is_unit(row) for row in draft.fillers):
        yield Fault("", "fillers", "must be float32 of length 1", "B 3.7")


def _likeness_faults(draft: Draft, similarity: Similarity) -> Iterator[Fault]:
    of, limits = draft.manifest, draft.manifest.head.limits
    yield from likeness.own_faults(draft.templates, limits, similarity)
    found = likeness.alike(draft.templates, limits, similarity)
    yield from likeness.collision_faults(found, of.cohort.resolutions, of.by_id)
    if of.cohort.apart != likeness.apart(found, of.cohort.resolutions):
        yield Fault("", "apart", "must be the near-duplicates of the list, no more and no fewer", "B 3.7")
    # A filler that is like a subject would lower that subject's scores: a way to hide somebody.
    for name, rows in sorted(draft.templates.items()):
        if len(draft.fillers) and not (similarity(rows, draft.fillers) < limits.alike).all():
            yield Fault(name, "fillers", "must be like nobody on the list; one is like this entry", "B 3.7")


def _is_unit(row: Floats) -> bool:
    try:
        require_unit(row)
    except Invalid:
        return False
    return bool(np.isfinite(row).all())
