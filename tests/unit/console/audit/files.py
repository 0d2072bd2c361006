"""One good file, and ways to make others of it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import timedelta

from console.audit.verdict import Verdict
from console.audit.verify import verify_lines
from services.contracts.audit.chain import FIRST_PREVIOUS, Audited, SignedTreeHead, TreeHead, sign_head
from services.contracts.audit.lines import Line, encode_line
from services.contracts.audit.merkle import Frontier
from services.contracts.audit.requests import SignedRequest
from tests.unit.contracts.audit.builders import (
    CHAIN,
    NOON,
    SEQUENCER,
    Key,
    a_file,
    a_sequencer,
    begun,
    entered,
    requests,
    root_fingerprint,
    sequenced,
)

REQUESTS = requests(14)
_WRITER = a_sequencer()
TERM = begun(_WRITER)
RECORDS = list(sequenced(REQUESTS, head_every=4, by=_WRITER))
"""A head at 0, 4, 8, 12 and 14 entries."""
GOOD = [encode_line(line) for line in a_file(RECORDS)]
ENTRIES = [index for index, line in enumerate(a_file(RECORDS)) if isinstance(line, Audited)]
HEADS = [index for index, line in enumerate(a_file(RECORDS)) if isinstance(line, SignedTreeHead)]
FINAL = RECORDS[-1]
assert isinstance(FINAL, SignedTreeHead)
FINAL_HEAD: SignedTreeHead = FINAL


def judged(lines: Iterable[bytes], head: SignedTreeHead | None = None) -> Verdict:
    return verify_lines(lines, root_fingerprint(), head)


def split(raw: bytes) -> list[bytes]:
    return list(io.BytesIO(raw))


def encoded(records: Iterable[Audited | SignedTreeHead]) -> list[bytes]:
    lines: list[Line] = a_file(records)
    return [encode_line(line) for line in lines]


def chained(
    wanted: Sequence[SignedRequest], *, head_every: int = 4, signer: Key = SEQUENCER
) -> list[Audited | SignedTreeHead]:
    """What somebody makes who chains whatever he likes, unbroken, and signs the heads with `signer`."""
    records: list[Audited | SignedTreeHead] = []
    tree, last = Frontier(), FIRST_PREVIOUS
    for number, request in enumerate(wanted, 1):
        entry = entered(request, number=number, previous=last)
        tree, last = tree.grown(entry.leaf), entry.hash
        records.append(entry)
        if number % head_every == 0:
            at = NOON + timedelta(seconds=number)
            head = TreeHead(chain=CHAIN, size=number, root=tree.root, last=last, at=at)
            records.append(sign_head(head, signer))
    return records
