"""Requests to entries, and heads where somebody will speak of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.contracts.audit.chain import Audited, SignedTreeHead
from services.contracts.audit.requests import SYSTEM, Action, SignedRequest
from services.contracts.audit.sequencer import Conflict, Gap, Sequencer
from services.oversight.core.sequencing import HEADED_AT_ONCE, Record, chained, heads
from tests.unit.contracts.audit.builders import (
    CHAIN,
    NOON,
    SEQUENCER,
    STRANGER,
    a_request,
    a_sequencer,
    requests,
    signed,
)

LATER = NOON + timedelta(minutes=5)


def become(sequencer: Sequencer, *wanted: SignedRequest) -> list[Record]:
    return list(chained(sequencer, wanted, SEQUENCER, now=NOON).records)


def test_requests_become_entries_in_their_order_and_a_repeated_one_none() -> None:
    first, second, third = requests(3)
    records = become(a_sequencer(), first, second, first, third)
    assert [record.request for record in records if isinstance(record, Audited)] == [first, second, third]
    assert len(records) == 3


@pytest.mark.parametrize("what", sorted(HEADED_AT_ONCE))
def test_what_a_report_will_speak_of_is_headed_at_once(what: Action) -> None:
    entry, head = become(a_sequencer(), signed(a_request(what=what)))
    assert isinstance(entry, Audited)
    assert isinstance(head, SignedTreeHead)
    assert (head.head.chain, head.head.size, head.head.last) == (CHAIN, 1, entry.hash)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (signed(a_request(sequence=3)), Gap("review/review-0", 2, 3)),
        (signed(a_request(sequence=1, about="d" * 32)), Conflict("review/review-0", 1)),
    ],
)
def test_what_cannot_follow_is_passed_over_and_said_so_and_nobody_waits_behind_it(
    request_: SignedRequest, why: Gap | Conflict
) -> None:
    """With the key of one service somebody put such a request on every partition, and all services stood still."""
    sequencer = a_sequencer()
    wanted = (signed(a_request()), request_, signed(a_request(producer="match/match-0")))
    found = chained(sequencer, wanted, SEQUENCER, now=NOON)
    assert [one.request for one in found.records if isinstance(one, Audited)] == [wanted[0], wanted[2]]
    assert found.unchained == (why,)
    (entry,) = become(sequencer, signed(a_request(sequence=2)))
    assert isinstance(entry, Audited)
    assert entry.number == 3


@pytest.mark.parametrize(
    "forged",
    [
        signed(a_request(sequence=2), STRANGER),
        signed(a_request(sequence=7), STRANGER),
        replace(signed(a_request(sequence=2)), signature=bytes(64)),
    ],
)
def test_what_nobody_signed_is_passed_over_and_changes_nothing(forged: SignedRequest) -> None:
    sequencer = a_sequencer()
    wanted = (signed(a_request()), forged, signed(a_request(sequence=2)))
    found = chained(sequencer, wanted, SEQUENCER, now=NOON)
    assert [record.request for record in found.records if isinstance(record, Audited)] == [wanted[0], wanted[2]]
    assert [one.producer for one in found.disbelieved] == [forged.content.producer]


def test_heads_are_over_what_has_grown_and_nothing_else() -> None:
    sequencer = a_sequencer()
    become(sequencer, signed(a_request()), signed(a_request(chain=SYSTEM)))
    assert {signed_head.head.chain for signed_head in heads(sequencer, SEQUENCER, now=NOON)} == {CHAIN, SYSTEM}
    assert heads(sequencer, SEQUENCER, now=LATER) == []
    become(sequencer, signed(a_request(sequence=2)))
    (grown,) = heads(sequencer, SEQUENCER, now=LATER)
    assert (grown.head.chain, grown.head.size) == (CHAIN, 2)
