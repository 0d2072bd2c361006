"""The chain out of what lies in the topic `audit`, where anybody may have written: what the sequencers signed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from services.contracts import codec_audit
from services.contracts.audit.chain import Audited, SignedTreeHead
from services.contracts.audit.registry import KeyRegistry
from services.contracts.audit.sequencer import Sequencer, Stray
from services.contracts.audit.signing import Verify
from services.contracts.audit.terms import TermBegun
from services.contracts.errors import Undecodable


def taken_up(sequencer: Sequencer, value: bytes) -> codec_audit.ChainRecord | Stray:
    """The record, now in the sequencer's state, or why it is none of the chain's. Raises BrokenChain."""
    try:
        record = codec_audit.read_record(value)
    except Undecodable:
        return Stray.UNREADABLE
    return sequencer.fold(record) or record


def recorded(
    values: Iterable[bytes], registry: KeyRegistry, verify: Verify, passed_over: Counter[Stray] | None = None
) -> Iterator[Audited | SignedTreeHead]:
    """The entries and heads among a topic's values, in their order; the others are counted. Raises BrokenChain."""
    sequencer = Sequencer(registry, verify)
    for value in values:
        found = taken_up(sequencer, value)
        match found:
            case Stray():
                if passed_over is not None:
                    passed_over[found] += 1
            case TermBegun():
                pass
            case _:
                yield found


class ForeignWatch:
    """Knows a stranger's record as it comes, by what it has seen since it began. One thread's.

    It says less than a sequencer that has read all of the topic: enough to call somebody.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._heads: dict[str, SignedTreeHead] = {}
        self._terms: set[bytes] = set()

    def look(self, value: bytes, registry: KeyRegistry, verify: Verify) -> Stray | None:
        """Why the newest record is none of the chain's, if that can be told."""
        try:
            record = codec_audit.read_record(value)
        except Undecodable:
            return Stray.UNREADABLE
        match record:
            case Audited():
                genuine = record.is_entered(registry, verify)
            case _:
                genuine = record.is_signed(registry, verify)
        if not genuine:
            return Stray.NOT_SIGNED
        return None if self._is_new(record) else Stray.REPEATED

    def _is_new(self, record: codec_audit.ChainRecord) -> bool:
        match record:
            case Audited():
                last = self._numbers.get(record.chain, 0)
                self._numbers[record.chain] = max(last, record.number)
                return record.number > last
            case SignedTreeHead():
                known = self._heads.get(record.head.chain)
                if known is None or record.head.at > known.head.at:
                    self._heads[record.head.chain] = record
                    return True
                return False
            case TermBegun():
                new = record.term.id not in self._terms
                self._terms.add(record.term.id)
                return new
