"""An audit file out of the topic's records: what `verify` reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from services.contracts.audit.chain import Audited
from services.contracts.audit.lines import Header, encode_line
from services.contracts.audit.recorded import recorded
from services.contracts.audit.registry import SignedKeys
from services.contracts.audit.sequencer import Stray
from services.runtime.keys.ed25519 import verify


def export(
    values: Iterable[bytes],
    chain: str,
    keys: SignedKeys,
    *,
    root_fingerprint: str,
    passed_over: Counter[Stray] | None = None,
) -> Iterator[bytes]:
    """The lines of one chain's file, from the values of `audit` in their order.

    What the sequencers of `keys` did not sign, in their terms, is not in it, and counted. Whether the chain is
    whole is for who reads the file. Raises BrokenChain; NotAuthorised, BadSignature for keys not of that root.
    """
    yield encode_line(Header())
    yield encode_line(keys)
    for record in recorded(values, keys.opened(root_fingerprint), verify, passed_over):
        if chain == (record.chain if isinstance(record, Audited) else record.head.chain):
            yield encode_line(record)
