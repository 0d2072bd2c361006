"""Entries taken off a sealed list: they only ever subtract, and the lease says how many there must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.contracts.authorisation.statements import NOTHING, EntriesRevoked


@dataclass(frozen=True)
class Revocations:
    """All believed of one deployment, in whatever order they came."""

    records: Mapping[int, EntriesRevoked] = field(default_factory=dict)
    heads: tuple[str, ...] = (NOTHING,)  # after none, one, two ... records that follow upon each other
    off: Mapping[str, frozenset[str]] = field(default_factory=dict)
    disputed: bool = False

    def with_record(self, record: EntriesRevoked) -> Revocations:
        """Takes effect at once, also ahead of those before it. Two under one number are a dispute; both count."""
        known = self.records.get(record.sequence)
        records = self.records if known else {**self.records, record.sequence: record}
        gone = self.off.get(record.list_digest, frozenset()) | frozenset(record.tokens)
        return Revocations(
            records=records,
            heads=_continued(self.heads, records),
            off={**self.off, record.list_digest: gone},
            disputed=self.disputed or known not in (None, record),
        )

    def reaches(self, count: int, head: str) -> bool:
        """Whether the first `count` are all here, and end in `head`."""
        return count < len(self.heads) and self.heads[count] == head

    def tokens(self, list_digest: str) -> frozenset[str]:
        return self.off.get(list_digest, frozenset())


def _continued(heads: tuple[str, ...], records: Mapping[int, EntriesRevoked]) -> tuple[str, ...]:
    found = list(heads)
    while (record := records.get(len(found))) is not None and record.previous == found[-1]:
        found.append(record.head)
    return tuple(found)
