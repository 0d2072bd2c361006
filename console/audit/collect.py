"""An audit file out of Kafka: the chain from `audit`, its keys from `authority`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol

from console.audit.export import export
from services.contracts import codec_authority, topics
from services.contracts.audit.registry import SignedKeys
from services.contracts.audit.sequencer import Stray
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.records import RegistryIssued
from services.contracts.authorisation.registry import open_registry
from services.contracts.authorisation.signing import BadSignature
from services.contracts.errors import Misconfigured, Undecodable


class Reader(Protocol):
    """What is committed in a topic now (console/edges/kafka_read.py)."""

    def values(self, topic: str) -> Iterable[bytes]: ...


def collect(
    reader: Reader, chain: str, *, root_fingerprint: str, passed_over: Counter[Stray] | None = None
) -> Iterator[bytes]:
    """The lines of the chain's file; records of strangers are left out, and counted in `passed_over`.

    Raises Misconfigured if Kafka has no registry of that root; BrokenChain.
    """
    # First, so that the keys are never older than the entries that they judge.
    records = list(reader.values(topics.AUDIT.name))
    keys = newest_keys(reader.values(topics.AUTHORITY.name), root_fingerprint)
    yield from export(records, chain, keys, root_fingerprint=root_fingerprint, passed_over=passed_over)


def newest_keys(values: Iterable[bytes], root_fingerprint: str) -> SignedKeys:
    """The registry with the highest sequence that this root has signed. Raises Misconfigured."""
    found: dict[int, str] = {}
    for value in values:
        try:
            record = codec_authority.decode(value)
            if isinstance(record, RegistryIssued):
                sequence = open_registry(record.token, root_fingerprint=root_fingerprint).sequence
                found[sequence] = record.token
        except (Undecodable, NotAuthorised, BadSignature):
            continue  # somebody else wrote there
    if not found:
        raise Misconfigured(f"`{topics.AUTHORITY.name}` has no registry that this root has signed")
    return SignedKeys(found[max(found)])
