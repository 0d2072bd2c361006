"""Every way to tamper with an exported chain that the verifier must find, done to one that was really recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from console.audit.verdict import Kind
from console.audit.verify import verify_lines
from services.contracts.audit.chain import Audited, SignedTreeHead
from services.contracts.audit.lines import decode_line, encode_line
from services.contracts.codec_audit import sign_request
from tests.unit.console.audit.files import chained
from tests.unit.contracts.audit.builders import STRANGER, root_fingerprint


@dataclass(frozen=True)
class Tampered:
    """A file that was tampered with, the head it is held against, and what the verifier has to say of it."""

    lines: Sequence[bytes]
    kind: Kind
    entry: int | None
    head: SignedTreeHead | None = None


class Original:
    """A whole file of some dozen entries and a last head, to make others of."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        records = [decode_line(line) for line in lines]
        self.head = [record for record in records if isinstance(record, SignedTreeHead)][-1]
        ends = max(index for index, record in enumerate(records) if isinstance(record, SignedTreeHead))
        self.lines = list(lines[: ends + 1])
        self.entries = {
            record.number: index for index, record in enumerate(records[: ends + 1]) if isinstance(record, Audited)
        }
        # In the middle, with heads before and after.
        self.middle = len(self.entries) // 2

    def entry(self, number: int) -> Audited:
        found = decode_line(self.lines[self.entries[number]])
        assert isinstance(found, Audited)
        return found

    def anew(self, numbers: Sequence[int]) -> list[bytes]:
        """These entries' requests chained anew, unbroken, with heads of the sequencer's own key."""
        records = chained([self.entry(number).request for number in numbers])
        return [*self.lines[:2], *(encode_line(record) for record in records)]


def flipped_byte(of: Original) -> Tampered:
    at = of.entries[of.middle]
    line = bytearray(of.lines[at])
    line[len(line) // 2] ^= 1
    return Tampered([*of.lines[:at], bytes(line), *of.lines[at + 1 :]], Kind.ALTERED, of.middle)


def reorder(of: Original) -> Tampered:
    number = next(one for one in of.entries if one > 1 and of.entries[one + 1] == of.entries[one] + 1)
    at = of.entries[number]
    swapped = [*of.lines[:at], of.lines[at + 1], of.lines[at], *of.lines[at + 2 :]]
    return Tampered(swapped, Kind.REORDERED, number)


def insertion(of: Original) -> Tampered:
    """An entry in the place and with the previous hash of a true one, signed by nobody who may."""
    true = of.entry(of.middle)
    content = replace(true.request.content, about="0" * 32)
    forged = replace(true, request=sign_request(content, STRANGER))
    at = of.entries[of.middle]
    return Tampered([*of.lines[:at], encode_line(forged), *of.lines[at:]], Kind.INSERTED, of.middle)


def missing_producer_sequence(of: Original) -> Tampered:
    """The sequencer itself leaves a request out, and chains and signs the rest without a seam."""
    numbers = [number for number in of.entries if number != of.middle]
    left_out = of.entry(of.middle).request.content.producer
    after = next(
        place
        for place, number in enumerate(numbers, 1)
        if number > of.middle and of.entry(number).request.content.producer == left_out
    )
    return Tampered(of.anew(numbers), Kind.SEQUENCE_GAP, after)


def truncation(of: Original) -> Tampered:
    cut = of.lines[: of.entries[of.middle]]
    return Tampered(cut, Kind.TRUNCATED, of.middle, of.head)


def fork(of: Original) -> Tampered:
    """The sequencer itself tells another history: two entries of different producers in the other order."""
    numbers = list(of.entries)
    services = [of.entry(number).request.content.service for number in numbers]
    first = next(place for place in range(len(numbers)) if services[place] != services[place + 1])
    numbers[first], numbers[first + 1] = numbers[first + 1], numbers[first]
    return Tampered(of.anew(numbers), Kind.FORKED, of.head.head.size, of.head)


TAMPERINGS: tuple[Callable[[Original], Tampered], ...] = (
    flipped_byte,
    reorder,
    insertion,
    missing_producer_sequence,
    truncation,
    fork,
)


def named(lines: Sequence[bytes]) -> Iterator[str]:
    """The tamperings of `lines` that the verifier names, each by its kind and its first bad entry."""
    original = Original(lines)
    for tamper in TAMPERINGS:
        made = tamper(original)
        fault = verify_lines(made.lines, root_fingerprint(), made.head).fault
        if fault is not None and (fault.kind, fault.entry) == (made.kind, made.entry):
            yield tamper.__name__
