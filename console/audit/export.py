"""An audit file out of the topic's records: what `verify` reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.contracts import codec_audit
from services.contracts.audit.chain import Audited
from services.contracts.audit.lines import Header, encode_line
from services.contracts.audit.registry import SignedKeys


def export(records: Iterable[bytes], chain: str, keys: SignedKeys) -> Iterator[bytes]:
    """The lines of one chain's file, from the values of `audit` in their order.

    Checks nothing: that is for who reads the file. Raises Undecodable.
    """
    yield encode_line(Header())
    yield encode_line(keys)
    for value in records:
        record = codec_audit.read_record(value)
        if chain == (record.chain if isinstance(record, Audited) else record.head.chain):
            yield encode_line(record)
