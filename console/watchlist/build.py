"""From folders to a list: enrol, refuse, average, pad, seal up in a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import numpy as np

from console.watchlist.enrolment import Enrolment, Model, Refusal, Refused, Template
from console.watchlist.fillers import fillers
from console.watchlist.folder import Picture, SubjectFolder
from console.watchlist.limits import Limits
from console.watchlist.pictures import alike, together
from services.contracts import scoring
from services.contracts.authority import Watchlist
from services.contracts.errors import Misconfigured
from services.contracts.events import ScoreKind, Vector
from services.contracts.ids import SubjectToken
from services.contracts.lists import Gallery, ListEntry, ReferenceImage, SubjectImages

# Nothing larger is read: no camera's picture is, and enrolment would refuse it.
MAX_PICTURE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a list is built for and by which rules. `token_of` is the deployment's."""

    watchlist: Watchlist
    limits: Limits
    token_of: Callable[[str], SubjectToken]
    built_at: datetime
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
    """A list, its pictures, and what became of everything. `duplicates` are pairs of folder names."""

    gallery: Gallery
    images: tuple[SubjectImages, ...] = field(repr=False)
    subjects: tuple[SubjectReport, ...]
    duplicates: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class NothingBuilt:
    """No subject had a picture left."""

    subjects: tuple[SubjectReport, ...]


@dataclass(frozen=True)
class _Subject:
    folder: SubjectFolder
    images: SubjectImages
    vector: Vector


def build(folders: Sequence[SubjectFolder], plan: Plan, enrolment: Enrolment) -> Built | NothingBuilt:
    """Enrol every picture and make the list. Blocks on enrolment.

    Raises Misconfigured when the list that results is not the one the deployment allows.
    """
    model = enrolment.model()
    if plan.watchlist.model not in (None, model.id):
        raise Misconfigured(
            f"enrolment runs {model.name} ({model.id}); the deployment's watchlist.model is {plan.watchlist.model}"
        )
    subjects: list[_Subject] = []
    reports: list[SubjectReport] = []
    for folder in folders:
        subject, report = _enrolled(folder, plan, enrolment)
        reports.append(report)
        if subject is not None:
            subjects.append(subject)
    if not subjects:
        return NothingBuilt(tuple(reports))
    gallery = _gallery(subjects, plan, model)
    _check(gallery, plan.watchlist)
    pairs = alike([one.vector for one in subjects], duplicate=plan.limits.duplicate)
    return Built(
        gallery,
        tuple(one.images for one in subjects),
        tuple(reports),
        tuple((subjects[one].folder.name, subjects[other].folder.name) for one, other in pairs),
    )


def _enrolled(folder: SubjectFolder, plan: Plan, enrolment: Enrolment) -> tuple[_Subject | None, SubjectReport]:
    if folder.card.expires_on < plan.built_at.date():
        return None, SubjectReport(folder.name, (), (), f"expired on {folder.card.expires_on}")
    answers = [(picture, _answer(picture.path, enrolment)) for picture in folder.pictures]
    taken = [(picture, answer) for picture, answer in answers if isinstance(answer, Template)]
    refused = [(picture.path.name, answer) for picture, answer in answers if isinstance(answer, Refused)]
    kept, left = _of_one_person(taken, plan)
    refused += left
    report = SubjectReport(
        folder.name,
        tuple(picture.path.name for picture, _ in kept),
        tuple(sorted(refused, key=lambda one: one[0])),
        "" if kept else "no picture left",
    )
    return (_subject(folder, kept, plan) if kept else None), report


def _answer(path: Path, enrolment: Enrolment) -> Template | Refused:
    try:
        size = path.stat().st_size
        if size > MAX_PICTURE_BYTES:
            return Refused(Refusal.TOO_LARGE, f"{size} bytes; at most {MAX_PICTURE_BYTES}")
        content = path.read_bytes()
    except OSError as error:
        return Refused(Refusal.UNREADABLE, error.strerror or "")
    return enrolment.enrol(content) if content else Refused(Refusal.UNREADABLE, "the file is empty")


def _of_one_person(
    taken: list[tuple[Picture, Template]], plan: Plan
) -> tuple[list[tuple[Picture, Template]], list[tuple[str, Refused]]]:
    """The best pictures that show the subject, up to the cap, and the others with the reason."""
    places = together([one.vector for _, one in taken], same_person=plan.limits.same_person)
    refused = [
        (picture.path.name, Refused(Refusal.DOES_NOT_MATCH_OTHERS))
        for place, (picture, _) in enumerate(taken)
        if place not in places
    ]
    best = sorted((taken[place] for place in sorted(places)), key=lambda one: -one[1].quality)
    over = best[plan.max_pictures :]
    refused += [(picture.path.name, Refused(Refusal.OVER_CAP)) for picture, _ in over]
    return best[: plan.max_pictures], refused


def _subject(folder: SubjectFolder, kept: list[tuple[Picture, Template]], plan: Plan) -> _Subject:
    card = folder.card
    images = SubjectImages(
        token=plan.token_of(card.reference),
        category=card.category,
        source=card.source,
        reason=card.reason,
        expires_on=card.expires_on,
        images=tuple(
            ReferenceImage(jpeg=template.jpeg, taken_on=picture.taken_on, quality=template.quality)
            for picture, template in kept
        ),
    )
    return _Subject(folder, images, scoring.fuse(np.stack([template.vector for _, template in kept])))


def _gallery(subjects: list[_Subject], plan: Plan, model: Model) -> Gallery:
    entries = [*_entries(subjects), *_fillers(subjects, plan)]
    normalised = len(entries) >= scoring.MIN_NORMALISED_GALLERY
    return Gallery(
        name=plan.watchlist.name,
        model_id=model.id,
        score_kind=ScoreKind.GALLERY_NORMALISED if normalised else ScoreKind.RAW,
        cohort_size=scoring.COHORT_SIZE,
        cohort_weight=scoring.COHORT_WEIGHT,
        built_at=plan.built_at,
        entries=tuple(sorted(entries, key=lambda entry: entry.token)),
    )


def _entries(subjects: list[_Subject]) -> Iterator[ListEntry]:
    for one in subjects:
        yield ListEntry(
            token=one.images.token,
            reference=one.folder.card.reference,
            category=one.images.category,
            source=one.images.source,
            reason=one.images.reason,
            expires_on=one.images.expires_on,
            vector=one.vector,
            images_sha256=one.images.sha256,
        )


def _fillers(subjects: list[_Subject], plan: Plan) -> Iterator[ListEntry]:
    made = fillers(plan.fillers, [one.vector for one in subjects], plan.limits, seed=plan.seed)
    for number, vector in enumerate(made, 1):
        reference = f"filler-{number:05d}"
        yield ListEntry(
            token=plan.token_of(f"\0{reference}"),  # no subject's reference can be the same
            reference=reference,
            category="filler",
            source="made up",
            reason="nobody: pads the cohort that scores are normalised by",
            expires_on=date.max,
            vector=vector,
            filler=True,
        )


def _check(gallery: Gallery, watchlist: Watchlist) -> None:
    if gallery.score_kind is not watchlist.score_kind:
        missing = scoring.MIN_NORMALISED_GALLERY - len(gallery.entries)
        cure = (
            f"add --fillers {missing + sum(one.filler for one in gallery.entries)}"
            if missing > 0
            else "build it without --fillers"
        )
        raise Misconfigured(
            f"the list has {len(gallery.entries)} entries, so its scores are {gallery.score_kind}; the "
            f"deployment's watchlist.score_kind is {watchlist.score_kind}: {cure}, or change the deployment"
        )
    if gallery.subjects > watchlist.max_entries:
        raise Misconfigured(
            f"{gallery.subjects} subjects; the deployment's watchlist.max_entries is {watchlist.max_entries}"
        )
    if watchlist.digest not in (None, gallery.digest):
        raise Misconfigured(
            f"the list's digest is {gallery.digest}; the deployment's watchlist.digest admits only "
            f"{watchlist.digest}: nothing was written"
        )
