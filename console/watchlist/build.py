"""From folders to a list that nobody has signed yet: enrol, refuse, pad, compose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np

from console.watchlist.enrolment import Enrolment, Model, Refusal, Refused, Template
from console.watchlist.fillers import METHOD, fillers
from console.watchlist.folder import Enrolled, SubjectFolder
from console.watchlist.limits import Limits
from console.watchlist.pictures import together
from services.contracts import operating_points, scoring
from services.contracts.authorisation.document import SealedList
from services.contracts.errors import Misconfigured, SignpostError
from services.contracts.events import ScoreKind
from services.contracts.scoring import raw_scores
from services.contracts.sealed import draft as sealed
from services.contracts.sealed.draft import Draft, compose, draft_faults
from services.contracts.sealed.entry import Entry
from services.contracts.sealed.faults import Fault
from services.contracts.sealed.manifest import (
    Filling,
    Pair,
    Resolution,
    Threshold,
    file_sha256,
    template_sha256,
)
from services.contracts.sealed.manifest import Limits as SealedLimits
from services.contracts.sealed.rules import Bounds

# Nothing larger is read: no photograph is, and no enrolment server may take it (its MAX_PICTURE_BYTES).
MAX_PICTURE_BYTES = 100_000_000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a list is built for, by its authority's draft, and how.

    `model` is None where it may be any. With `fpir_budget` the thresholds are those that keep this rate of false
    alarms on the list as it turns out; without, they are the `watchlist`'s own.
    """

    deployment: str
    watchlist: SealedList
    model: str | None
    limits: Limits
    built_at: datetime
    fpir_budget: float | None = None
    resolutions: tuple[Resolution, ...] = ()
    max_pictures: int = 5
    fillers: int = 0
    seed: int = 1


@dataclass(frozen=True)
class SubjectReport:
    """What became of one folder, for the operator's terminal; `why_not` is empty if the subject is on the list."""

    name: str
    taken: tuple[str, ...]
    refused: tuple[tuple[str, Refused], ...]
    why_not: str = ""


@dataclass(frozen=True)
class Built:
    """A draft, the pictures a reviewer is shown by entry id, and what became of everything.

    `faults` are what forbids sealing it; `folders` the folders' names by entry id.
    """

    draft: Draft = field(repr=False)
    pictures: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    subjects: tuple[SubjectReport, ...]
    folders: Mapping[str, str]
    faults: tuple[Fault, ...]

    @property
    def alike(self) -> tuple[Pair, ...]:
        """Entries that may be one person, or kin: somebody has to look."""
        return self.draft.manifest.cohort.apart


@dataclass(frozen=True)
class NothingBuilt:
    """No subject had a picture left."""

    subjects: tuple[SubjectReport, ...]


@dataclass(frozen=True)
class _Kept:
    path: Path
    image_sha256: str
    template: Template = field(repr=False)

    @property
    def enrolled(self) -> Enrolled:
        one = self.template
        return Enrolled(
            self.path.name, self.image_sha256, file_sha256(one.jpeg), template_sha256(one.vector), one.quality
        )


@dataclass(frozen=True)
class _Subject:
    folder: SubjectFolder
    entry: Entry
    kept: tuple[_Kept, ...] = field(repr=False)

    @property
    def rows(self) -> scoring.Floats:
        return np.stack([one.template.vector for one in self.kept])


def build(
    folders: Sequence[SubjectFolder],
    plan: Plan,
    enrolment: Enrolment,
    *,
    copies: Mapping[Path, Path] = MappingProxyType({}),
    told: Callable[[SubjectReport], None] = lambda report: None,
) -> Built | NothingBuilt:
    """Enrol every picture and make the draft. Blocks on enrolment; `told` hears of each subject as soon as it is
    through. `copies` are not enrolled, each for the file of which it is one.

    Raises Misconfigured for another model than the authority's, too few entries for its kind of score, or a model
    of which nobody measured thresholds where the draft gives none; what enrolment raises comes with the file that
    it was at.
    """
    model = enrolment.model()
    if plan.model not in (None, model.id):
        raise Misconfigured(
            f"enrolment runs {model.name} ({model.id}); the draft's watchlist.model is {plan.model}"
        )
    _with_thresholds(plan, model, len(folders))  # what it refuses is said before anything is enrolled
    found: list[tuple[_Subject | None, SubjectReport]] = []
    for folder in folders:
        found.append(_enrolled(folder, plan, enrolment, copies))
        told(found[-1][1])
    subjects = sorted((one for one, _ in found if one is not None), key=lambda one: one.entry.entry_id)
    reports = tuple(report for _, report in found)
    if not subjects:
        return NothingBuilt(reports)
    too_few(len(subjects), plan)
    plan = _with_thresholds(plan, model, len(subjects))
    draft = _draft(subjects, plan, model)
    return Built(
        draft,
        {one.entry.entry_id: tuple(kept.template.jpeg for kept in one.kept) for one in subjects},
        reports,
        {one.entry.entry_id: one.folder.name for one in subjects},
        tuple(draft_faults(draft, similarity=raw_scores, at=plan.built_at)),
    )


def _enrolled(
    folder: SubjectFolder, plan: Plan, enrolment: Enrolment, copies: Mapping[Path, Path]
) -> tuple[_Subject | None, SubjectReport]:
    expires_at = folder.entry([]).expires_at
    if expires_at <= plan.built_at:
        why_not = f"expired at {expires_at:%F %H:%M} UTC"
        return None, SubjectReport(folder.name, (), (), why_not)
    answers = [(path, *_answer(path, enrolment, copies)) for path in folder.pictures]
    every = [_Kept(path, sha256, answer) for path, sha256, answer in answers if isinstance(answer, Template)]
    refused = [(path.name, answer) for path, _, answer in answers if isinstance(answer, Refused)]
    taken, doubled = _without_doubles(every)
    refused += doubled
    kept, left = _of_one_person(taken, plan)
    entry = folder.entry([one.enrolled for one in kept])
    why_not = "" if kept else "no picture left"
    report = SubjectReport(
        folder.name,
        tuple(one.path.name for one in kept),
        tuple(sorted((*refused, *left), key=lambda one: one[0])),
        why_not,
    )
    return (None if why_not else _Subject(folder, entry, tuple(kept))), report


def _answer(path: Path, enrolment: Enrolment, copies: Mapping[Path, Path]) -> tuple[str, Template | Refused]:
    """The file's hash, and what enrolment says of it."""
    if path in copies:
        how = "a link to" if path.is_symlink() else "the same bytes as"
        return "", Refused(Refusal.SAME_PICTURE, f"{how} {copies[path].name}")
    try:
        size = path.stat().st_size
        if size > MAX_PICTURE_BYTES:
            return "", Refused(Refusal.TOO_LARGE, f"{size} bytes; at most {MAX_PICTURE_BYTES}: save it smaller")
        content = path.read_bytes()
    except OSError as error:
        return "", Refused(Refusal.UNREADABLE, error.strerror or "")
    if not content:
        return file_sha256(content), Refused(
            Refusal.UNREADABLE, "the file is empty: copy it again, or leave it out"
        )
    try:
        return file_sha256(content), enrolment.enrol(content)
    except SignpostError as error:
        raise Misconfigured(f"{path}: {error}") from error


def _without_doubles(taken: Sequence[_Kept]) -> tuple[list[_Kept], list[tuple[str, Refused]]]:
    """Copies that differ in their bytes and show the same pixels: the first of each is kept."""
    first: dict[str, _Kept] = {}
    doubled = []
    for one in taken:
        earlier = first.setdefault(template_sha256(one.template.vector), one)
        if earlier is not one:
            why = f"shows what {earlier.path.name} shows"
            doubled.append((one.path.name, Refused(Refusal.SAME_PICTURE, why)))
    return list(first.values()), doubled


def _of_one_person(taken: list[_Kept], plan: Plan) -> tuple[list[_Kept], list[tuple[str, Refused]]]:
    """The best pictures that show the subject, up to the cap, and the others with the reason."""
    places = together([one.template.vector for one in taken], same_person=plan.limits.same_person)
    refused = [
        (one.path.name, Refused(Refusal.DOES_NOT_MATCH_OTHERS))
        for place, one in enumerate(taken)
        if place not in places
    ]
    best = sorted((taken[place] for place in sorted(places)), key=lambda one: -one.template.quality)
    refused += [(one.path.name, Refused(Refusal.OVER_CAP)) for one in best[plan.max_pictures :]]
    return best[: plan.max_pictures], refused


def _draft(subjects: Sequence[_Subject], plan: Plan, model: Model) -> Draft:
    rows = {one.entry.entry_id: one.rows for one in subjects}
    filling = None
    made = np.zeros((0, next(iter(rows.values())).shape[1]), np.float32)
    if plan.fillers:
        filling = Filling(
            method=METHOD,
            seed=plan.seed,
            stranger_mean=plan.limits.stranger_mean,
            stranger_sd=plan.limits.stranger_sd,
        )
        known = [scoring.fuse(rows[name]) for name in sorted(rows)]
        templates = [row for name in sorted(rows) for row in rows[name]]
        made = fillers(plan.fillers, known, filling, templates=templates, alike=plan.limits.duplicate)
    return compose(
        _sealed_plan(plan, model, filling),
        [one.entry for one in subjects],
        rows,
        fillers=made,
        resolutions=plan.resolutions,
        similarity=raw_scores,
    )


def sealed_bounds(plan: Plan) -> Bounds:
    """What the list is bound by, of its authority's terms."""
    terms = plan.watchlist
    return Bounds(max_entries=terms.max_entries, max_templates=terms.max_templates, max_pictures=plan.max_pictures)


def _sealed_plan(plan: Plan, model: Model, filling: Filling | None) -> sealed.Plan:
    terms = plan.watchlist
    return sealed.Plan(
        deployment=plan.deployment,
        name=terms.id,
        model_id=model.id,
        score_kind=terms.score_kind,
        cohort_size=scoring.COHORT_SIZE,
        cohort_weight=scoring.COHORT_WEIGHT,
        thresholds=tuple(Threshold(shots=shots, score=score) for shots, score in terms.thresholds.items()),
        bounds=sealed_bounds(plan),
        limits=SealedLimits(same_person=plan.limits.same_person, alike=plan.limits.duplicate),
        created_at=plan.built_at,
        filling=filling,
    )


def _with_thresholds(plan: Plan, model: Model, subjects: int) -> Plan:
    """The plan with the thresholds of the list as it is; who would raise another's alert is like them."""
    terms = plan.watchlist
    if plan.fpir_budget is not None:
        measured = operating_points.BY_MODEL.get(model.name)
        if measured is None:
            raise Misconfigured(
                f"no thresholds of {model.name} were measured here: measure them (evaluation/README.md) and give "
                "them as the draft's watchlist.thresholds"
            )
        # Fillers are nobody, and raise nothing: they count for the cohort alone.
        entries = subjects if terms.score_kind is ScoreKind.RAW else subjects + plan.fillers
        found = measured.thresholds(terms.score_kind, entries=entries, fpir=plan.fpir_budget)
        terms = terms.model_copy(update={"thresholds": found})
    limits = plan.limits
    if terms.score_kind is ScoreKind.RAW:
        limits = replace(limits, duplicate=min(limits.duplicate, *terms.thresholds.values()))
    return replace(plan, watchlist=terms, limits=limits)


def too_few(subjects: int, plan: Plan) -> None:
    """Raises Misconfigured for a list of so many that cannot be what its authority wants.

    The kind of score is the authority's, never inferred; below thirty entries "normalised" says little.
    """
    if plan.watchlist.score_kind is ScoreKind.RAW:
        if plan.fillers:
            raise Misconfigured("fillers pad a cohort, and the draft's watchlist.score_kind is raw: build without")
        return
    missing = scoring.MIN_NORMALISED_GALLERY - subjects - plan.fillers
    if missing > 0:
        raise Misconfigured(
            f"the list has {subjects + plan.fillers} entries, too few for the draft's watchlist.score_kind "
            f"gallery_normalised: add --fillers {missing + plan.fillers}"
        )
