"""What stays of a list after its purge: who was on it and why, by which hashes, scored how. No biometrics.

A manifest is a text of lines, one canonical record each: `head`, `cohort`, then the entries in the order of their
ids. Its digest is the root of the Merkle tree over these lines, so a byte altered anywhere lies in one line, whose
leaf says whose it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from services.contracts.audit.merkle import Frontier, leaf_hash
from services.contracts.errors import Undecodable
from services.contracts.events import ScoreKind, Vector
from services.contracts.sealed.canonical import decode, encode
from services.contracts.sealed.entry import Entry
from services.contracts.sealed.faults import Altered
from services.contracts.sealed.rules import RESERVED_IDS, Bounds

FORMAT = "signpost-manifest-1"
HEAD, COHORT = RESERVED_IDS

# No hostile file makes us hold more: the largest list any authority may ask for, fillers apart.
MAX_ENTRIES = 200_000
MAX_TEMPLATES = 1_000_000
MAX_FILLERS = 100_000


class Fusion(StrEnum):
    """How an entry's templates become the one row that is searched (`scoring.fuse`)."""

    MEAN = "mean"


class Verdict(StrEnum):
    """What somebody found out about two entries that are alike."""

    DISTINCT_PERSONS = "distinct_persons"
    SAME_PERSON = "same_person"


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """From `shots` fused shots on, a score of `score` or more is an alert."""

    shots: int
    score: float


@dataclass(frozen=True, order=True)
class Pair:
    """Two entries, by id; `one` sorts before `other`."""

    one: str
    other: str


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """A collision between two subjects, looked into (C-33). `grounds` say by what, `by` neither added them."""

    pair: Pair
    verdict: Verdict
    by: str
    at: datetime
    grounds: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Cosines of the model: from where on two pictures show one person, and two entries may be one."""

    same_person: float
    alike: float


@dataclass(frozen=True, kw_only=True)
class Filling:
    """By what the fillers were made up: the same method, figures and subjects give the same ones again. They
    cannot be kept themselves, because they are made to lie at a distance from the subjects and tell of them."""

    method: str
    seed: int
    stranger_mean: float
    stranger_sd: float


@dataclass(frozen=True, kw_only=True)
class Head:
    """What holds for the whole list: whose, how it is scored. The counts bind the other lines to it."""

    format: str
    deployment: str
    name: str
    model_id: str
    template_length: int
    fusion: Fusion
    score_kind: ScoreKind
    cohort_size: int
    cohort_weight: float
    thresholds: tuple[Threshold, ...]
    bounds: Bounds
    limits: Limits
    created_at: datetime
    entries: int
    templates: int
    fillers: int


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """What scores are normalised by: every entry, inert ones too, and the fillers (hashes of made-up templates).

    The two of an `apart` pair are no cohort for each other: a near-duplicate among the "others" would count a
    person against themselves.
    """

    filling: Filling | None
    fillers: tuple[str, ...]
    apart: tuple[Pair, ...]
    resolutions: tuple[Resolution, ...]


@dataclass(frozen=True)
class Leaf:
    """One line's hash and what the line is: "head", "cohort" or an entry's id."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A whole list without its biometrics. Equal manifests have equal bytes and one digest."""

    head: Head
    cohort: Cohort = field(repr=False)
    entries: tuple[Entry, ...] = field(repr=False)

    @cached_property
    def records(self) -> tuple[tuple[str, bytes], ...]:
        """Each line with its name, in the order of the tree."""
        return (
            (HEAD, encode(self.head)),
            (COHORT, encode(self.cohort)),
            *((entry.entry_id, encode(entry)) for entry in self.entries),
        )

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """The tree's leaves, named."""
        return tuple(Leaf(name, leaf_hash(line).hex()) for name, line in self.records)

    @cached_property
    def digest(self) -> str:
        """What is signed and what an authority names: the tree's root, in hex."""
        return root_of(self.leaves)

    @cached_property
    def by_id(self) -> dict[str, Entry]:
        return {entry.entry_id: entry for entry in self.entries}

    def to_bytes(self) -> bytes:
        """The text of it, for a file that people keep."""
        return b"".join(line + b"\n" for _, line in self.records)


def root_of(leaves: tuple[Leaf, ...]) -> str:
    """The digest over named leaves, in hex. Raises ValueError for a hash that is no hex."""
    return _root([one.sha256 for one in leaves])


def _root(hashes: Sequence[str]) -> str:
    tree = Frontier()
    for one in hashes:
        tree = tree.grown(bytes.fromhex(one))
    return tree.root.hex()


def template_sha256(vector: Vector) -> str:
    """The hash of one template, as float32 little-endian bytes, in hex."""
    return hashlib.sha256(vector.astype("<f4").tobytes()).hexdigest()


def file_sha256(content: bytes) -> str:
    """The hash of a picture's bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def assembled(head: bytes, cohort: bytes, entries: tuple[bytes, ...]) -> Manifest:
    """The manifest of its lines. Raises Undecodable for lines that are no manifest, or not in their one form."""
    found = Manifest(
        head=decode(Head, head),
        cohort=decode(Cohort, cohort),
        entries=tuple(decode(Entry, line) for line in entries),
    )
    ids = [entry.entry_id for entry in found.entries]
    counts = (len(ids), sum(len(one.pictures) for one in found.entries), len(found.cohort.fillers))
    if found.head.format != FORMAT:
        raise Undecodable(f"a manifest's format is not {FORMAT}")
    if ids != sorted(set(ids)):
        raise Undecodable("a manifest's entries are not in order, or one is there twice")
    if counts != (found.head.entries, found.head.templates, found.head.fillers):
        raise Undecodable("a manifest's head counts other records than it has")
    return found


def parse(raw: bytes) -> Manifest:
    """The manifest of `to_bytes`. Says nothing of whether it was sealed: that is `check`. Raises Undecodable."""
    lines = _lines(raw)
    return assembled(lines[0], lines[1], tuple(lines[2:]))


def check(raw: bytes, *, leaves: tuple[Leaf, ...], digest: str) -> Manifest:
    """The manifest, if it is to the byte the one of `digest`, which somebody trusted has signed.

    `leaves` may come from an untrusted place beside it: they only help to name. Raises Altered naming each line
    that is not as sealed ("entry e-12"), or the leaves themselves; Undecodable only for what was sealed so.
    """
    lines = _lines(raw, strict=False)
    found = tuple(leaf_hash(line).hex() for line in lines)
    if raw.endswith(b"\n") and _root(found) == digest:
        return parse(raw)
    raise Altered(_differences(found, leaves, digest) or ("line breaks",))


def _differences(found: tuple[str, ...], leaves: tuple[Leaf, ...], digest: str) -> tuple[str, ...]:
    try:
        trusted = root_of(leaves) == digest
    except ValueError:
        trusted = False
    if not trusted:
        return ("manifest", "leaves")
    return tuple(_differing(found, leaves))


def _differing(found: tuple[str, ...], leaves: tuple[Leaf, ...]) -> Iterator[str]:
    # A line that moved, or was put in between, is named once; those behind it only stand elsewhere.
    here = set(found)
    sealed = {one.sha256 for one in leaves}
    yield from (spoken(one.name) for one in leaves if one.sha256 not in here)
    if len(found) != len(leaves):
        yield f"{len(found)} lines where {len(leaves)} were sealed"
    elif here == sealed:
        yield from (
            f"the place of {spoken(one.name)}" for one, is_ in zip(leaves, found, strict=True) if one.sha256 != is_
        )


def spoken(name: str) -> str:
    """A leaf's name in a sentence."""
    return name if name in (HEAD, COHORT) else f"entry {name}"


def _lines(raw: bytes, *, strict: bool = True) -> list[bytes]:
    lines = raw.split(b"\n", MAX_ENTRIES + 3)
    if lines[-1] == b"":
        lines.pop()
    elif strict:
        raise Undecodable("a manifest ends in the midst of a line")
    if strict and not 3 <= len(lines) <= MAX_ENTRIES + 2:
        raise Undecodable("a manifest has a head, a cohort and entries")
    return lines
