"""A list as its builder, match and review know it: frozen values, a digest over the content, Redis names.

Templates and pictures lie apart: match opens the one sealed blob of templates and never a picture, review opens
one subject's pictures at a time and never a template.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

import numpy as np

from services.contracts import ids
from services.contracts.events import ScoreKind, Vector, require, require_unit, require_utc

# What the digest is over; a change of meaning or order takes a new number.
_DIGEST_VERSION = b"signpost-list-1"


@dataclass(frozen=True, kw_only=True)
class ReferenceImage:
    """One accepted picture of a listed subject, as a reviewer sees it."""

    jpeg: bytes = field(repr=False)
    taken_on: date
    quality: float

    def __post_init__(self) -> None:
        require(len(self.jpeg) > 0, "a reference image has a picture")


@dataclass(frozen=True, kw_only=True)
class SubjectImages:
    """What a reviewer may see of one subject. The organisation's own reference is not in it."""

    token: ids.SubjectToken
    category: str
    source: str
    reason: str
    expires_on: date
    images: tuple[ReferenceImage, ...] = field(repr=False)

    def __post_init__(self) -> None:
        require(len(self.images) > 0, "a subject has at least one reference image")

    @property
    def sha256(self) -> bytes:
        """Of everything in it; an entry of the list carries it, so the list's digest covers the pictures."""
        digest = hashlib.sha256()
        texts = (self.token, self.category, self.source, self.reason, self.expires_on.isoformat())
        for part in (*(text.encode() for text in texts), *self._image_parts()):
            _feed(digest, part)
        return digest.digest()

    def _image_parts(self) -> Iterator[bytes]:
        for image in self.images:
            yield image.jpeg
            yield image.taken_on.isoformat().encode()
            yield np.float32(image.quality).tobytes()


@dataclass(frozen=True, kw_only=True)
class ListEntry:
    """One subject's template: the mean of its pictures' vectors, l2-normalised.

    `reference` is the subject's name in the organisation's own records; outside the list it is only ever
    `token`. A filler is no person: it pads the cohort that scores are normalised by and raises no alert.
    """

    token: ids.SubjectToken
    reference: str = field(repr=False)
    category: str
    source: str
    reason: str = field(repr=False)
    expires_on: date
    vector: Vector = field(repr=False, compare=False)
    images_sha256: bytes = field(default=b"", repr=False)
    filler: bool = False

    def __post_init__(self) -> None:
        require(bool(self.token) and bool(self.reference), "an entry has a token and a reference")
        require(self.filler == (not self.images_sha256), "a subject has pictures, a filler has none")
        require_unit(self.vector)

    def may_alert(self, on: date) -> bool:
        """Whether a person may be stopped for this entry on that day; the day of expiry is included."""
        return not self.filler and on <= self.expires_on


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """A whole list, as sealed. Entries are in the order of their tokens, so equal content has one digest.

    `score_kind` and the cohort (how many best other entries, and their weight) are fixed here, never inferred.
    """

    name: str
    model_id: str
    score_kind: ScoreKind
    cohort_size: int
    cohort_weight: float
    built_at: datetime
    entries: tuple[ListEntry, ...] = field(repr=False)

    def __post_init__(self) -> None:
        require(ids.is_name(self.name), "a list's name is a name (a-z, 0-9, hyphen)")
        require(len(self.entries) > 0, "a list has entries")
        require(bool(self.model_id), "a list has a model")
        require_utc(self.built_at, "built_at")
        tokens = [entry.token for entry in self.entries]
        require(tokens == sorted(set(tokens)), "entries are ordered by token, and each subject is on it once")
        require(len({entry.vector.size for entry in self.entries}) == 1, "all templates have one length")
        require(0.0 <= self.cohort_weight <= 1.0, "cohort_weight lies between 0 and 1")
        if self.score_kind is ScoreKind.GALLERY_NORMALISED:
            require(1 <= self.cohort_size < len(self.entries), "the cohort is smaller than the list")

    @property
    def subjects(self) -> int:
        """How many people are on it: what an authority's size cap is about."""
        return sum(not entry.filler for entry in self.entries)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the content, in hex. Independent of the encryption and of when it was built."""
        digest = hashlib.sha256()
        head = (self.name, self.model_id, self.score_kind, str(self.cohort_size), repr(self.cohort_weight))
        for part in (_DIGEST_VERSION, *(text.encode() for text in head)):
            _feed(digest, part)
        for entry in self.entries:
            for part in _entry_parts(entry):
                _feed(digest, part)
        return digest.hexdigest()


def front(deployment: str, digest: str) -> str:
    """Redis name of what stands before a sealed list's parts. Written last: where it is, the list is."""
    return f"list:{deployment}:{digest}:front"


def part(deployment: str, digest: str, name: str) -> str:
    """Redis name of one part of a sealed list, sealed by itself."""
    return f"list:{deployment}:{digest}:part:{name}"


def everything(deployment: str) -> str:
    """How every Redis name of a deployment's lists begins."""
    return f"list:{deployment}:"


def current(deployment: str, name: str) -> str:
    """Redis name of the digest that is searched now."""
    return f"list:{deployment}:{name}:current"


def templates(deployment: str, digest: str) -> str:
    """Redis name of the sealed `Gallery`."""
    return f"list:{deployment}:{digest}:templates"


def images(deployment: str, digest: str, token: str) -> str:
    """Redis name of one subject's sealed `SubjectImages`."""
    return f"list:{deployment}:{digest}:images:{token}"


def _entry_parts(entry: ListEntry) -> Iterator[bytes]:
    texts = (entry.token, entry.reference, entry.category, entry.source, entry.reason)
    yield from (text.encode() for text in texts)
    yield entry.expires_on.isoformat().encode()
    yield entry.vector.astype("<f4").tobytes()
    yield entry.images_sha256
    yield b"filler" if entry.filler else b"subject"


def _feed(digest: hashlib._Hash, part: bytes) -> None:
    digest.update(len(part).to_bytes(8, "big"))
    digest.update(part)
