"""What stands beside a record: the headers that tell its place and its proof, and the marks beside an offset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from services.contracts import topics
from services.contracts.counts import Lane
from services.contracts.errors import Unproven
from services.contracts.places import Mark, Place, parse
from services.contracts.proof import proof_of
from services.runtime.kafka.marks import ByNumber, Draft, Numbering, placed
from services.runtime.kafka.types import Output, Record
from services.runtime.proofs import only_by
from tests.builders import DEPLOYMENT
from tests.fakes.clock import ManualClock
from tests.fuzz.surface import Surface
from tests.proofs import a_record, proven, proving

SOURCE = 3
# As much as Kafka keeps beside an offset.
_MOST_NOTE_BYTES = 4096


def a_face(number: int, value: bytes = b"a face") -> Output:
    return placed(Output(topics.FACES.name, b"k", value, 5), Place(DEPLOYMENT, SOURCE, number))


def a_draft() -> Draft:
    reads = ByNumber(("d", "skipped"), lambda lane: ("d", f"passed:{lane}"), lambda skipped: None)
    return Draft(Numbering(DEPLOYMENT, lambda partitions: {}, reads=reads), {}, {})


class Headers:
    """match's loop, from a record's headers to its mark."""

    def __init__(self) -> None:
        self._check = only_by("embed", proven(), ManualClock())
        self._ours, self._thiefs = a_draft(), a_draft()
        self._last = 0

    def take(self, raw: bytes) -> None:
        record = Record(topics.FACES.name, 5, 1, b"k", b"a stranger's", _headers(raw), 0)
        with suppress(Unproven):
            self._check(record)
            raise AssertionError("a stranger's record was believed")
        # And signed by who has embed's key: it may mislead, and must not stop.
        self._thiefs.copied(record)
        counted: Mapping[tuple[str, str], int] = self._thiefs.reach(record)
        assert all(0 <= number <= 10**12 for number in counted.values())
        assert all(len(note) < _MOST_NOTE_BYTES for note in self._thiefs.notes([record.home]).values())

    def goes_on(self) -> bool:
        self._last += 1
        record = a_record(a_face(self._last), by="embed")
        self._check(record)
        if self._ours.copied(record) or self._ours.reach(record):
            return False
        return self._ours.copied(record)

    def close(self) -> None:
        """Nothing is held."""


class Marks:
    """What a group finds beside its offset: a tool, or another version, may have written it."""

    def take(self, raw: bytes) -> None:
        mark = parse(raw.decode("utf-8", "replace"))
        if mark is not None:
            after, _ = mark.reach(Place(DEPLOYMENT, SOURCE, 1))
            after, number = after.give(SOURCE)
            assert number > 0
            assert len(after.text()) < _MOST_NOTE_BYTES

    def goes_on(self) -> bool:
        mark = Mark(passed={1: 2}, given={SOURCE: 4})
        return parse(mark.text()) == mark

    def close(self) -> None:
        """Nothing is held."""


def _headers(raw: bytes) -> tuple[tuple[str, bytes], ...]:
    """A line each, the name before the first colon."""
    lines = (line.partition(b":") for line in raw.split(b"\n"))
    return tuple((name.decode("utf-8", "replace"), value) for name, _, value in lines)


def _raw(headers: Sequence[tuple[str, bytes]]) -> bytes:
    return b"\n".join(name.encode() + b":" + value for name, value in headers)


def genuine() -> tuple[bytes, ...]:
    """Of records that embed and others have signed: each beside another value than its own."""
    signed = [
        proving(by, ManualClock())(a_face(number)) for by in ("embed", "match", "mallory") for number in (1, 9)
    ]
    assert all(proof_of(one.headers) for one in signed)
    return tuple(_raw(one.headers) for one in signed)


def kept() -> tuple[bytes, ...]:
    marks = (Mark(), Mark(passed={1: 2}), Mark(passed={7: 10**12}, given={0: 1, 7: 3}))
    return tuple(mark.text().encode() for mark in marks)


def made_up() -> tuple[bytes, ...]:
    """Places that cannot be, and twice the same."""
    places = [f"{DEPLOYMENT}/{source}/{number}" for source in (0, 8, 999) for number in (0, 10**12, 10**13 - 1)]
    return tuple(f"place:{one}\nplace:{DEPLOYMENT}/1/1\nproof:".encode() for one in places)


SURFACES: Sequence[Surface] = (
    Surface(
        "headers of records",
        Headers,
        (),
        genuine,
        made_up,
        (b"place:", b"proof:", b"\n", str(Lane(1, 2)).encode()),
    ),
    Surface("topic marks", Marks, (), kept, tuple, (b'"passed"', b'"given"', b"{}", b"1e9", b"-1")),
)
