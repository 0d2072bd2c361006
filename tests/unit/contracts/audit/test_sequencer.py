"""The one writer: every request once, in its producer's order, whatever dies in between."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.audit.chain import FIRST_PREVIOUS, Audited, SignedTreeHead, TreeHead, sign_head
from services.contracts.audit.merkle import EMPTY_ROOT, Frontier
from services.contracts.audit.registry import KeyRegistry, Role, registry
from services.contracts.audit.requests import SYSTEM, SignedRequest
from services.contracts.audit.sequencer import (
    BadSignature,
    BrokenChain,
    Conflict,
    Duplicate,
    Gap,
    Sequencer,
    recover,
)
from services.contracts.codec_audit import encode_record, read_record
from tests.unit.contracts.audit.builders import (
    CHAIN,
    NOON,
    PRODUCERS,
    SEQUENCER,
    SERVICES,
    STRANGER,
    YEAR,
    a_key,
    a_request,
    a_sequencer,
    appended,
    keys,
    requests,
    sequenced,
    signed,
    verify,
)

TOPIC = requests(24)
HOUR = timedelta(hours=1)


def test_requests_are_numbered_from_1_and_each_names_the_one_before() -> None:
    sequencer = a_sequencer()
    entries = [appended(sequencer, request) for request in TOPIC]
    assert [entry.number for entry in entries] == list(range(1, 25))
    assert [entry.previous for entry in entries] == [FIRST_PREVIOUS, *(entry.hash for entry in entries[:-1])]
    assert [entry.request for entry in entries] == TOPIC


def test_a_request_that_comes_again_is_a_duplicate_however_late() -> None:
    sequencer = a_sequencer()
    for request in TOPIC:
        appended(sequencer, request)
    for request in TOPIC:
        assert sequencer.append(request, now=NOON + HOUR) == Duplicate(request.content.id)
    assert sequencer.sizes == {CHAIN: 24}


def test_another_request_under_a_used_number_is_no_duplicate() -> None:
    """A producer that forgot its count would take its acknowledgement for a view that was never recorded."""
    sequencer = a_sequencer()
    for sequence in (1, 2):
        appended(sequencer, signed(a_request(sequence=sequence)))
    other = signed(a_request(sequence=1, about="d" * 32))
    assert sequencer.append(other, now=NOON) == Conflict("review/review-0", 1)
    assert sequencer.sizes == {CHAIN: 2}


def test_a_request_whose_predecessors_are_missing_waits_for_them() -> None:
    sequencer = a_sequencer()
    appended(sequencer, signed(a_request(sequence=1)))
    early = signed(a_request(sequence=4))
    assert sequencer.append(early, now=NOON) == Gap("review/review-0", expected=2, got=4)
    for sequence in (2, 3, 4):
        appended(sequencer, signed(a_request(sequence=sequence)))


def test_a_new_producer_starts_at_1() -> None:
    assert a_sequencer().append(signed(a_request(sequence=2)), now=NOON) == Gap("review/review-0", 1, 2)


def test_chains_do_not_mix() -> None:
    sequencer = a_sequencer()
    first = appended(sequencer, signed(a_request()))
    other = appended(sequencer, signed(a_request(chain=SYSTEM)))
    assert (first.number, other.number) == (1, 1)
    assert first.hash != other.hash
    assert sequencer.sizes == {CHAIN: 1, SYSTEM: 1}


def test_what_its_producer_did_not_sign_is_not_chained_and_leaves_nothing_behind() -> None:
    sequencer = a_sequencer()
    for key in (STRANGER, SEQUENCER, SERVICES["match"]):
        forged = signed(a_request(chain="nobody-s-chain"), key)
        assert sequencer.append(forged, now=NOON) == BadSignature("review/review-0", forged.key)
    torn = replace(signed(a_request()), signature=bytes(64))
    assert isinstance(sequencer.append(torn, now=NOON), BadSignature)
    assert sequencer.sizes == {}
    appended(sequencer, signed(a_request()))


def _only_review(**changes: object) -> KeyRegistry:
    return registry(
        2, a_key(SERVICES["review"], **changes), a_key(SEQUENCER, role=Role.SEQUENCER, holder="oversight")
    )


def test_a_key_is_taken_in_its_time_only() -> None:
    request = signed(a_request())
    for gone in (
        {"valid_until": NOON},
        {"valid_from": NOON + HOUR},
        {"revoked_at": NOON},
    ):
        sequencer = Sequencer(_only_review(**gone), verify)
        assert isinstance(sequencer.append(request, now=NOON), BadSignature), gone


def test_a_stolen_key_cannot_date_back_past_its_revocation() -> None:
    sequencer = Sequencer(_only_review(revoked_at=NOON + HOUR), verify)
    dated_back = signed(a_request(at=NOON))
    assert isinstance(sequencer.append(dated_back, now=NOON + 2 * HOUR), BadSignature)


def test_a_clock_that_is_set_back_does_not_bring_back_a_key_that_a_head_outlived() -> None:
    sequencer = Sequencer(_only_review(revoked_at=NOON + HOUR), verify)
    sequencer.head(CHAIN, SEQUENCER, now=NOON + 2 * HOUR)
    assert isinstance(sequencer.append(signed(a_request(at=NOON)), now=NOON), BadSignature)


def test_a_head_says_how_the_chain_stands_and_is_later_than_the_last() -> None:
    sequencer = a_sequencer()
    empty = sequencer.head(CHAIN, SEQUENCER, now=NOON)
    assert (empty.head.size, empty.head.root, empty.head.last) == (0, EMPTY_ROOT, FIRST_PREVIOUS)
    tree = Frontier()
    entries = [appended(sequencer, request) for request in TOPIC[:5]]
    for entry in entries:
        tree = tree.grown(entry.leaf)
    set_back = sequencer.head(CHAIN, SEQUENCER, now=NOON - HOUR)
    assert set_back.head == TreeHead(
        chain=CHAIN, size=5, root=tree.root, last=entries[-1].hash, at=NOON + timedelta(microseconds=1)
    )
    assert set_back.is_genuine(keys(), verify)
    assert not replace(set_back, key=empty.key, signature=empty.signature).is_genuine(keys(), verify)
    assert not sign_head(set_back.head, SERVICES["review"]).is_genuine(keys(), verify)


# --- recovery


@dataclass(frozen=True)
class Kill:
    """After how many more requests; whether what it answered was committed; how far back it reads again."""

    after: int
    committed: bool
    back: int


kills = st.lists(st.builds(Kill, st.integers(0, 9), st.booleans(), st.integers(0, 12)), max_size=6)


def _committed(topic: list[SignedRequest], deaths: Iterable[Kill]) -> list[bytes]:
    """What stands on `audit` after the requests of `topic` have all been read, by sequencers that die so."""
    audit: list[bytes] = []
    sequencer, offset = a_sequencer(), 0
    for death in [*deaths, Kill(10**6, committed=True, back=0)]:
        left = death.after
        while offset < len(topic) and left >= 0:
            answer = sequencer.append(topic[offset], now=NOON + HOUR)
            assert isinstance(answer, Audited | Duplicate), answer
            if isinstance(answer, Audited) and (left > 0 or death.committed):
                audit.append(encode_record(answer))
            offset, left = offset + 1, left - 1
        sequencer = recover(map(read_record, audit), keys(), verify)
        # Uncommitted output was never acknowledged: its request is read again, with `back` others.
        offset = max(0, offset - death.back - (0 if death.committed else 1))
    return audit


@settings(deadline=None, max_examples=60)
@given(kills, st.lists(st.sampled_from(PRODUCERS), max_size=24))
def test_whoever_is_killed_whenever_every_request_is_chained_once(deaths: list[Kill], order: list[str]) -> None:
    """Gaps 0, doubles 0, and the same chain as if nobody had died."""
    waiting = {name: [request for request in TOPIC if request.content.producer == name] for name in PRODUCERS}
    topic = [waiting[name].pop(0) for name in order if waiting[name]]
    # A producer that is not sure sends again.
    topic += topic[-3:]
    audit = _committed(topic, deaths)
    assert audit == _committed(topic, [])
    entries = [record for record in map(read_record, audit) if isinstance(record, Audited)]
    assert len({entry.request.content.id for entry in entries}) == len(entries)
    for name in PRODUCERS:
        sequences = [e.request.content.sequence for e in entries if e.request.content.producer == name]
        assert sequences == list(range(1, order.count(name) + 1))[: len(sequences)]
        assert len(sequences) == min(order.count(name), 6)


def test_a_copy_goes_on_by_itself() -> None:
    first = a_sequencer()
    entries = [appended(first, request) for request in TOPIC[:10]]
    other = first.copy()
    appended(other, TOPIC[10])
    other.head(CHAIN, SEQUENCER, now=NOON + HOUR)
    assert first.sizes == {CHAIN: 10}
    assert appended(first, TOPIC[10]).number == 11
    assert other.append(TOPIC[3], now=NOON) == Duplicate(entries[3].request.content.id)


def test_a_chain_is_beyond_its_head_from_its_next_entry_on() -> None:
    sequencer = a_sequencer()
    assert sequencer.beyond_their_heads == []
    appended(sequencer, TOPIC[0])
    assert sequencer.beyond_their_heads == [CHAIN]
    sequencer.head(CHAIN, SEQUENCER, now=NOON)
    assert sequencer.beyond_their_heads == []
    appended(sequencer, TOPIC[1])
    assert sequencer.beyond_their_heads == [CHAIN]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 24))
def test_after_recovery_the_answers_are_the_same(size: int) -> None:
    lived = a_sequencer()
    recorded: list[Audited | SignedTreeHead] = [lived.head(CHAIN, SEQUENCER, now=NOON)]
    recorded += [appended(lived, request) for request in TOPIC[:size]]
    again = recover(recorded, keys(), verify)
    for request in [*TOPIC, signed(a_request(sequence=2, about="e" * 32)), signed(a_request(sequence=99))]:
        assert again.append(request, now=NOON + HOUR) == lived.append(request, now=NOON + HOUR)
    assert again.head(CHAIN, SEQUENCER, now=NOON) == lived.head(CHAIN, SEQUENCER, now=NOON)


def test_recovery_takes_what_was_chained_while_its_key_held() -> None:
    """A key that was revoked since, even dated back, must not keep the sequencer from starting."""
    records = [record for record in sequenced([signed(a_request(at=NOON))])]
    ended = registry(
        2,
        a_key(SERVICES["review"], revoked_at=NOON - HOUR),
        a_key(SEQUENCER, role=Role.SEQUENCER, holder="oversight", valid_until=NOON - HOUR),
    )
    assert recover(records, ended, verify).sizes == {CHAIN: 1}


def _entries(count: int) -> list[Audited]:
    return [record for record in sequenced(TOPIC[:count]) if isinstance(record, Audited)]


def test_a_topic_that_somebody_else_wrote_to_is_refused() -> None:
    first, second, third = _entries(3)
    forged = signed(a_request(sequence=1), STRANGER)
    for broken, why in [
        ([first, third], "does not follow"),
        ([second], "does not follow"),
        ([first, first], "does not follow"),
        ([first, replace(second, previous=bytes(32))], "does not follow"),
        ([first, Audited(number=2, previous=first.hash, request=first.request)], "repeats or skips"),
        ([first, Audited(number=2, previous=first.hash, request=TOPIC[4 + 4])], "repeats or skips"),
        ([Audited(number=1, previous=FIRST_PREVIOUS, request=forged)], "not signed by its producer"),
    ]:
        with pytest.raises(BrokenChain, match=why):
            recover(broken, keys(), verify)


def test_a_head_that_says_other_than_the_entries_is_refused() -> None:
    sequencer = a_sequencer()
    entry = appended(sequencer, TOPIC[0])
    head = sequencer.head(CHAIN, SEQUENCER, now=NOON)
    with pytest.raises(BrokenChain, match="not how its 0 entries stand"):
        recover([head], keys(), verify)
    with pytest.raises(BrokenChain, match="not signed by a sequencer"):
        recover([entry, sign_head(head.head, STRANGER)], keys(), verify)
    assert recover([entry, head], keys(), verify).sizes == {CHAIN: 1}


def test_state_stays_small() -> None:
    """The frontier grows with the logarithm; of a request there remain 16 bytes."""
    sequencer = a_sequencer()
    for request in requests(64, producers=PRODUCERS[:1]):
        appended(sequencer, request)
    chain = sequencer._chains[CHAIN]
    assert len(chain.tree.peaks) == 1
    assert {name: len(seen) for name, seen in chain._seen.items()} == {PRODUCERS[0]: 64 * 16}


def test_a_key_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends after it began"):
        a_key(STRANGER, valid_until=NOON - 2 * YEAR)
