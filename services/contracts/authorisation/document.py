"""The authority's document: everything that its approvers sign, field by field.

Shapes and bounds are here; what one field demands of another, and why, is in `rules`. `docs` call the whole an
authority; today's services read the part of it that `bridge` gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from services.contracts import authority
from services.contracts.authorisation import geometry
from services.contracts.authorisation.canonical import digest_of
from services.contracts.authorisation.enums import AgeBand, Category, ClockState, DocumentKind, Purpose, UseCase
from services.contracts.authorisation.fields import (
    Address,
    Moment,
    Name,
    Part,
    PersonId,
    Prose,
    Reference,
    Sequence,
    Sha256,
)
from services.contracts.authority import Retention, SourceKind, Verification
from services.contracts.camera_address import parse_place
from services.contracts.events import ScoreKind

Metres = Annotated[float, Field(ge=-10_000, le=10_000)]
Corner = tuple[Metres, Metres]
Thresholds = Annotated[dict[int, Annotated[float, Field(gt=-2, lt=2)]], Field(max_length=64)]


def _simple(corners: tuple[Corner, ...]) -> tuple[Corner, ...]:
    if not geometry.is_simple(corners):
        raise ValueError("the edges of a polygon may meet at its corners only, and it must have an area")
    return corners


def _placed(host: str) -> str:
    if str(parse_place(host)) != host:
        raise ValueError(
            "is written in one way only: in lower case, without a dot at its end, IPv6 in brackets and shortest"
        )
    return host


class Site(Part):
    """Where (C-27). Polygons are in metres east and north of `origin`, on the ground."""

    name: Prose
    origin_latitude: float = Field(ge=-90, le=90)
    origin_longitude: float = Field(ge=-180, le=180)
    polygon: tuple[Corner, ...] = Field(min_length=3, max_length=64)
    buffer_m: float = Field(default=0, ge=0, le=25, description="a zone may reach this far over the edge")
    grounds: Prose = Field(description="why listed people are to be expected here, on what evidence")
    review_by: date

    _polygon = field_validator("polygon")(_simple)


class Camera(Part):
    """One camera: whose it is, what it is, which ground it may recognise on. How it is read is no part of it."""

    id: Name
    owner: Name
    controller: Name
    agreement: Reference | None = None
    source: SourceKind
    host: Annotated[str, AfterValidator(_placed)] | None = Field(
        default=None, description="name, IPv4 or [IPv6] address; with its port, if it is not the scheme's own"
    )
    certificate_sha256: Sha256 | None = None
    zone: tuple[Corner, ...] = Field(min_length=3, max_length=32)

    _zone = field_validator("zone")(_simple)


class Window(Part):
    """When: start included, end not; never longer than `max_hours`."""

    start: Moment
    end: Moment
    max_hours: int = Field(default=12, ge=1, le=24)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must be later than start")
        if self.end - self.start > timedelta(hours=self.max_hours):
            raise ValueError("the window is longer than max_hours")
        return self

    def covers(self, at: Moment) -> bool:
        return self.start <= at < self.end


class SealedList(Part):
    """The one list that may be searched, and from which score on. Thresholds are by number of shots fused."""

    id: Name
    digest: Sha256
    max_entries: int = Field(gt=0, le=200_000)
    max_templates: int = Field(gt=0, le=400_000)
    categories: tuple[Category, ...] = Field(min_length=1)
    age_bands: tuple[AgeBand, ...] = Field(min_length=1, description="recorded ages of those on the list")
    score_kind: ScoreKind
    model: Reference
    thresholds: Thresholds

    @field_validator("thresholds")
    @classmethod
    def _start_at_one(cls, thresholds: Thresholds) -> Thresholds:
        if 1 not in thresholds or min(thresholds) < 1:
            raise ValueError("thresholds are by number of shots and must have an entry for 1")
        return dict(sorted(thresholds.items()))

    @model_validator(mode="after")
    def _sets(self) -> Self:
        if len(set(self.categories)) != len(self.categories) or len(set(self.age_bands)) != len(self.age_bands):
            raise ValueError("categories and age_bands name each member once")
        return self


class PublishedPolicy(Part):
    """The policy in force, where the public can read it."""

    address: Address
    sha256: Sha256


class EquityEvidence(Part):
    """An evaluation of this model at these thresholds, by group (C-25), and the ages it covers."""

    id: Reference
    sha256: Sha256
    model: Reference
    thresholds: Thresholds
    age_bands: tuple[AgeBand, ...]
    review_by: date


class FiledDocument(Part):
    """A document on file: what it is, which text, until when it holds."""

    kind: DocumentKind
    id: Reference
    sha256: Sha256
    review_by: date


class Urgent(Part):
    """Begun before it is approved in full; stopped and purged at `deadline` unless it is by then (C-38)."""

    reason: Prose
    deadline: Moment


class ClockPolicy(Part):
    """Which states of the clock the search may go on in. Anything but synchronised needs a written reason."""

    accepts: tuple[ClockState, ...] = (ClockState.SYNCHRONISED,)
    reason: Prose | None = None


class FollowUp(Part):
    """What is owed after the end; while it is overdue, no new authority is admitted."""

    report_within_days: int = Field(default=7, ge=1, le=31)
    review_within_days: int = Field(default=28, ge=1, le=92)


class Document(Part):
    """An authority as its approvers sign it. Equal documents have equal bytes, and one digest."""

    format: Literal["signpost-authority-1"] = "signpost-authority-1"
    id: Name = Field(description="the deployment")
    version: Sequence
    supersedes: Sha256 | None = Field(default=None, description="digest of the version before")
    organisation: Name
    serial: Sequence = Field(description="gapless for the organisation")
    accountable_person: PersonId = Field(description="senior accountable person (C-40)")
    author: PersonId
    created_at: Moment

    purpose: Purpose
    use_case: UseCase
    legal_basis: Prose
    policy: PublishedPolicy
    grounds: Prose
    alternatives_considered: Prose
    assembly: bool = Field(description="an assembly or protest is expected in or near the site")
    urgent: Urgent | None = None

    site: Site
    cameras: tuple[Camera, ...] = Field(min_length=1, max_length=1024)
    window: Window
    watchlist: SealedList
    fpir_budget: float = Field(gt=0, lt=1, description="most false alerts per passage of somebody not listed")
    equity: EquityEvidence | None = None
    documents: tuple[FiledDocument, ...] = Field(default=(), max_length=64)
    clock: ClockPolicy = ClockPolicy()
    verification: Verification = Verification()
    retention: Retention = Retention()
    follow_up: FollowUp = FollowUp()

    def canonical_bytes(self) -> bytes:
        return self.encoded

    @cached_property
    def encoded(self) -> bytes:
        """The canonical bytes, made once: of a large document that takes a second."""
        return super().canonical_bytes()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes: what is approved. Covers id, serial, version and organisation."""
        return digest_of(self.encoded)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, which may be another document: what is remembered of this one is not of it."""
        made = super().model_copy(update=update, deep=deep)
        for remembered in ("encoded", "digest"):
            made.__dict__.pop(remembered, None)
        return made

    @property
    def admits(self) -> authority.UseCase:
        return self.use_case.admits

    def camera(self, camera: str) -> Camera | None:
        return next((known for known in self.cameras if known.id == camera), None)
