"""An export takes the chain that was asked for, and the newest keys that this root has signed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from console.audit.collect import collect, newest_keys
from console.audit.verify import verify_lines
from services.contracts import codec_audit, codec_authority
from services.contracts.audit.chain import Audited
from services.contracts.audit.registry import SignedKeys, registry
from services.contracts.audit.sequencer import Stray
from services.contracts.authorisation.records import LeaseRenewed, Record, RegistryIssued
from services.contracts.errors import Misconfigured
from tests.unit.console.audit.files import RECORDS, REQUESTS, TERM
from tests.unit.contracts.audit.builders import (
    CHAIN,
    ROOT,
    STRANGER,
    Key,
    entered,
    keys,
    root_fingerprint,
    sign_keys,
)

RECORDED = [codec_audit.encode_record(record) for record in (TERM, *RECORDS)]


def issued(version: int, root: Key = ROOT) -> RegistryIssued:
    return RegistryIssued(sign_keys(registry(version, *keys().keys), root).token)


class Topics:
    """A reader of both topics."""

    def __init__(self, *authority: Record, audit: list[bytes] = RECORDED) -> None:
        values = [codec_authority.encode(record) for record in authority]
        self._values = {"audit": audit, "authority": values}

    def values(self, topic: str) -> list[bytes]:
        return self._values[topic]


def test_what_is_collected_verifies() -> None:
    lines = collect(Topics(issued(1)), CHAIN, root_fingerprint=root_fingerprint())
    verdict = verify_lines(lines, root_fingerprint())
    assert verdict.ok
    assert verdict.entries == 14


def test_what_strangers_wrote_is_left_out_and_counted() -> None:
    """Three bytes on `audit` kept an auditor from ever getting a file again."""
    forged = entered(REQUESTS[0], key=STRANGER)
    elsewhere = replace(RECORDS[1], term=bytes(16)) if isinstance(RECORDS[1], Audited) else None
    assert elsewhere is not None
    theirs = [codec_audit.encode_record(one) for one in (forged, elsewhere)]
    mixed = [value for one in RECORDED for value in (b"abc", *theirs, one, one)]
    passed_over: Counter[Stray] = Counter()
    root = root_fingerprint()
    lines = list(collect(Topics(issued(1), audit=mixed), CHAIN, root_fingerprint=root, passed_over=passed_over))
    assert lines == list(collect(Topics(issued(1)), CHAIN, root_fingerprint=root))
    assert verify_lines(lines, root).entries == 14
    assert passed_over == {
        Stray.UNREADABLE: len(RECORDED),
        Stray.NOT_SIGNED: 2 * len(RECORDED),
        Stray.OTHER_TERM: 1,
        Stray.REPEATED: len(RECORDED) - 1,
    }


def test_of_a_chain_that_nobody_wrote_to_there_is_nothing() -> None:
    lines = collect(Topics(issued(1)), "another", root_fingerprint=root_fingerprint())
    assert verify_lines(lines, root_fingerprint()).entries == 0


def test_the_newest_registry_of_this_root_is_taken_whatever_else_lies_there() -> None:
    newest = issued(3)
    records = (issued(2), newest, issued(9, STRANGER), LeaseRenewed("no token"), RegistryIssued("none either"))
    values = [*(codec_authority.encode(record) for record in records), b"\xff"]
    assert newest_keys(values, root_fingerprint()) == SignedKeys(newest.token)


def test_without_a_registry_there_is_nothing_to_judge_by() -> None:
    with pytest.raises(Misconfigured, match="no registry"):
        newest_keys([], root_fingerprint())
