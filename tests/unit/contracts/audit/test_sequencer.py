"""The one writer: every request once, in its producer's order, whatever dies in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.audit.chain import FIRST_PREVIOUS, Audited, SignedTreeHead, TreeHead, sign_head
from services.contracts.audit.merkle import EMPTY_ROOT, Frontier
from services.contracts.audit.recorded import taken_up
from services.contracts.audit.registry import KeyRegistry, Role, registry
from services.contracts.audit.requests import SYSTEM, SignedRequest
from services.contracts.audit.sequencer import (
    BadSignature,
    BrokenChain,
    Conflict,
    Duplicate,
    Gap,
    NotEntitled,
    Record,
    Sequencer,
    Stray,
    recover,
)
from services.contracts.audit.terms import Term, TermBegun, sign_term
from services.contracts.codec_audit import encode_record, read_record
from tests.unit.contracts.audit.builders import (
    CHAIN,
    NOON,
    PRODUCERS,
    SEQUENCER,
    SERVICES,
    STRANGER,
    YEAR,
    Key,
    a_key,
    a_request,
    a_sequencer,
    appended,
    begun,
    entered,
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
        assert sequencer.append(request, SEQUENCER, now=NOON + HOUR) == Duplicate(request.content.id)
    assert sequencer.sizes == {CHAIN: 24}


def test_another_request_under_a_used_number_is_no_duplicate() -> None:
    """A producer that forgot its count would take its acknowledgement for a view that was never recorded."""
    sequencer = a_sequencer()
    for sequence in (1, 2):
        appended(sequencer, signed(a_request(sequence=sequence)))
    other = signed(a_request(sequence=1, about="d" * 32))
    assert sequencer.append(other, SEQUENCER, now=NOON) == Conflict("review/review-0", 1)
    assert sequencer.sizes == {CHAIN: 2}


def test_a_request_whose_predecessors_are_missing_waits_for_them() -> None:
    sequencer = a_sequencer()
    appended(sequencer, signed(a_request(sequence=1)))
    early = signed(a_request(sequence=4))
    assert sequencer.append(early, SEQUENCER, now=NOON) == Gap("review/review-0", expected=2, got=4)
    for sequence in (2, 3, 4):
        appended(sequencer, signed(a_request(sequence=sequence)))


def test_a_new_producer_starts_at_1() -> None:
    assert a_sequencer().append(signed(a_request(sequence=2)), SEQUENCER, now=NOON) == Gap("review/review-0", 1, 2)


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
        assert sequencer.append(forged, SEQUENCER, now=NOON) == BadSignature("review/review-0", forged.key)
    torn = replace(signed(a_request()), signature=bytes(64))
    assert isinstance(sequencer.append(torn, SEQUENCER, now=NOON), BadSignature)
    assert sequencer.sizes == {}
    appended(sequencer, signed(a_request()))


def _begun(found: KeyRegistry) -> Sequencer:
    sequencer = Sequencer(found, verify)
    sequencer.begin(SEQUENCER, now=NOON)
    return sequencer


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
        sequencer = _begun(_only_review(**gone))
        assert isinstance(sequencer.append(request, SEQUENCER, now=NOON), BadSignature), gone


def test_a_stolen_key_cannot_date_back_past_its_revocation() -> None:
    sequencer = _begun(_only_review(revoked_at=NOON + HOUR))
    dated_back = signed(a_request(at=NOON))
    assert isinstance(sequencer.append(dated_back, SEQUENCER, now=NOON + 2 * HOUR), BadSignature)


def test_a_clock_that_is_set_back_does_not_bring_back_a_key_that_a_head_outlived() -> None:
    sequencer = _begun(_only_review(revoked_at=NOON + HOUR))
    sequencer.head(CHAIN, SEQUENCER, now=NOON + 2 * HOUR)
    assert isinstance(sequencer.append(signed(a_request(at=NOON)), SEQUENCER, now=NOON), BadSignature)


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
    sequencer, offset = a_sequencer(), 0
    audit = [encode_record(begun(sequencer))]
    for death in [*deaths, Kill(10**6, committed=True, back=0)]:
        left = death.after
        while offset < len(topic) and left >= 0:
            answer = sequencer.append(topic[offset], SEQUENCER, now=NOON + HOUR)
            assert isinstance(answer, Audited | Duplicate), answer
            if isinstance(answer, Audited) and (left > 0 or death.committed):
                audit.append(encode_record(answer))
            offset, left = offset + 1, left - 1
        sequencer = recover(map(read_record, audit), keys(), verify)
        audit.append(encode_record(sequencer.begin(SEQUENCER, now=NOON)))
        # Uncommitted output was never acknowledged: its request is read again, with `back` others.
        offset = max(0, offset - death.back - (0 if death.committed else 1))
    return audit


def _entries_of(audit: Iterable[bytes]) -> Iterator[Audited]:
    return (entry for entry in map(read_record, audit) if isinstance(entry, Audited))


@settings(deadline=None, max_examples=60)
@given(kills, st.lists(st.sampled_from(PRODUCERS), max_size=24))
def test_whoever_is_killed_whenever_every_request_is_chained_once(deaths: list[Kill], order: list[str]) -> None:
    """Gaps 0, doubles 0, and the same chain as if nobody had died."""
    waiting = {name: [request for request in TOPIC if request.content.producer == name] for name in PRODUCERS}
    topic = [waiting[name].pop(0) for name in order if waiting[name]]
    # A producer that is not sure sends again.
    topic += topic[-3:]
    audit = _committed(topic, deaths)
    entries = list(_entries_of(audit))
    assert [entry.hash for entry in entries] == [entry.hash for entry in _entries_of(_committed(topic, []))]
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
    assert other.append(TOPIC[3], SEQUENCER, now=NOON) == Duplicate(entries[3].request.content.id)


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
    recorded: list[Record] = [begun(lived), lived.head(CHAIN, SEQUENCER, now=NOON)]
    recorded += [appended(lived, request) for request in TOPIC[:size]]
    again = recover(recorded, keys(), verify)
    for request in [*TOPIC, signed(a_request(sequence=2, about="e" * 32)), signed(a_request(sequence=99))]:
        answer = again.append(request, SEQUENCER, now=NOON + HOUR)
        assert answer == lived.append(request, SEQUENCER, now=NOON + HOUR)
    assert again.head(CHAIN, SEQUENCER, now=NOON) == lived.head(CHAIN, SEQUENCER, now=NOON)


def test_recovery_takes_what_was_chained_while_its_key_held() -> None:
    """A key that was revoked since, even dated back, must not keep the sequencer from starting."""
    sequencer = a_sequencer()
    records = [begun(sequencer), *sequenced([signed(a_request(at=NOON))], by=sequencer)]
    ended = registry(
        2,
        a_key(SERVICES["review"], revoked_at=NOON - HOUR),
        a_key(SEQUENCER, role=Role.SEQUENCER, holder="oversight", valid_until=NOON - HOUR),
    )
    assert recover(records, ended, verify).sizes == {CHAIN: 1}


# --- what others wrote to the topic


@dataclass(frozen=True)
class Written:
    """A topic of one term with five entries, and the state after it."""

    begun: TermBegun
    entries: list[Audited]
    head: SignedTreeHead

    @classmethod
    def whole(cls) -> Written:
        sequencer = a_sequencer()
        entries = [appended(sequencer, request) for request in TOPIC[:5]]
        return cls(begun(sequencer), entries, sequencer.head(CHAIN, SEQUENCER, now=NOON))

    @property
    def records(self) -> list[Record]:
        return [self.begun, *self.entries, self.head]

    @property
    def term(self) -> bytes:
        return self.begun.term.id


def _strangers(of: Written) -> dict[str, tuple[Record, Stray]]:
    """What somebody without the sequencer's key can put there, and why it is no part of the chain."""
    last = of.entries[-1]
    other, another = a_sequencer(), a_sequencer()
    elsewhere = appended(other, TOPIC[0])
    ahead = [appended(another, request) for request in TOPIC[:9]]
    next_one = entered(TOPIC[5], number=6, previous=last.hash, term=of.term, key=STRANGER)
    return {
        "an entry by a key of nobody": (next_one, Stray.NOT_SIGNED),
        "an entry by a producer": (replace(next_one, key=TOPIC[5].key), Stray.NOT_SIGNED),
        "an entry that names the sequencer's key": (replace(next_one, key=last.key), Stray.NOT_SIGNED),
        "an entry of a sequencer's other term": (elsewhere, Stray.OTHER_TERM),
        "an entry of another chain": (
            entered(signed(a_request(chain="nobody-s")), term=of.term, key=STRANGER),
            Stray.NOT_SIGNED,
        ),
        "an entry that is there already": (of.entries[2], Stray.REPEATED),
        "the last entry again": (last, Stray.REPEATED),
        "an entry moved into this term": (replace(ahead[5], term=of.term), Stray.NOT_SIGNED),
        "a head by nobody": (sign_head(of.head.head, STRANGER), Stray.NOT_SIGNED),
        "a head that is there already": (of.head, Stray.REPEATED),
        "a term by nobody": (sign_term(replace(of.begun.term, previous=of.term), STRANGER), Stray.NOT_SIGNED),
        "the same term again": (of.begun, Stray.OTHER_TERM),
        "a term that follows another": (begun(other), Stray.OTHER_TERM),
    }


@pytest.mark.parametrize("what", _strangers(Written.whole()))
@pytest.mark.parametrize("place", range(1, 8))
def test_what_a_stranger_writes_is_passed_over_wherever_it_stands(what: str, place: int) -> None:
    """One such record stopped the organisation's chain for good, and with it every view and every sign-in."""
    topic = Written.whole()
    strange, why = _strangers(topic)[what]
    sequencer = recover(topic.records[:place], keys(), verify)
    before = place < len(topic.records) and strange in topic.records[place:]
    found = sequencer.fold(strange)
    assert found is why or (before and found is Stray.OUT_OF_PLACE) or strange == topic.records[place]
    for record in topic.records[place:]:
        sequencer.fold(record)
    assert sequencer.sizes == {CHAIN: 5}
    assert appended(sequencer, TOPIC[5]).previous == topic.entries[-1].hash


def test_what_was_copied_out_of_an_aborted_transaction_counts_before_the_next_term_and_not_after_it() -> None:
    """Else there were two entries of one number, both signed, and the wrong one first."""
    topic = Written.whole()
    aborted = recover(topic.records, keys(), verify)
    copied = appended(aborted, TOPIC[5])
    for early in (True, False):
        successor = recover([*topic.records, *[copied] * early], keys(), verify)
        term = successor.begin(SEQUENCER, now=NOON)
        other = appended(successor, TOPIC[6])
        written = [*topic.records, *[copied] * early, term, other]
        again = recover(written, keys(), verify)
        assert again.fold(copied) is Stray.OTHER_TERM
        assert again.sizes == {CHAIN: 6 + early}
        assert appended(again, TOPIC[7]).previous == other.hash


def test_of_two_terms_that_follow_the_same_one_the_first_that_is_written_counts() -> None:
    topic = Written.whole()
    first, second = (recover(topic.records, keys(), verify).begin(SEQUENCER, now=NOON) for _ in range(2))
    again = recover([*topic.records, first], keys(), verify)
    assert again.fold(second) is Stray.OTHER_TERM
    assert again.term == first


def test_a_sequencer_whose_key_the_registry_does_not_have_in_force_begins_no_term() -> None:
    """Nothing of it would ever count: better nothing is acknowledged."""
    for key, now in ((STRANGER, NOON), (SERVICES["review"], NOON), (SEQUENCER, NOON + 2 * YEAR)):
        with pytest.raises(NotEntitled):
            Sequencer(keys(), verify).begin(key, now=now)


OLD = Key("old sequencer")


def _rotated(**of_old: object) -> KeyRegistry:
    old = a_key(OLD, role=Role.SEQUENCER, holder="oversight", **of_old)
    return registry(2, old, *keys().keys)


def test_keys_of_two_sequencers_take_turns_and_one_that_is_over_never_comes_back() -> None:
    """A standby has another key. Whoever has an old one must not be able to end its successor's term."""
    sequencer = Sequencer(_rotated(), verify)
    records: list[Record] = []
    for key in (OLD, SEQUENCER, OLD, SEQUENCER):
        records.append(sequencer.begin(key, now=NOON))
    assert recover(records, _rotated(), verify).term == records[-1]

    revoked = recover(records, _rotated(revoked_at=NOON), verify)
    assert revoked.term == records[-1], "what was recorded before it was known to be revoked stays"
    records.append(revoked.begin(SEQUENCER, now=NOON + HOUR))
    stolen = recover(records, _rotated(), verify)
    with pytest.raises(NotEntitled):
        stolen.begin(OLD, now=NOON)
    forged = sign_term(Term(id=bytes(16), previous=begun(stolen).term.id, entries=0), OLD)
    assert stolen.fold(forged) is Stray.OTHER_TERM
    assert stolen.fold(sign_head(stolen.head(CHAIN, SEQUENCER, now=NOON).head, OLD)) is Stray.OTHER_TERM


def test_a_term_that_has_seen_more_than_is_left_stops_everything() -> None:
    """Entries that are gone from the topic, as after a wrong clean-up, must not be numbered anew."""
    topic = Written.whole()
    later = recover(topic.records, keys(), verify).begin(SEQUENCER, now=NOON)
    with pytest.raises(BrokenChain, match="5 entries were recorded here, and 4 are left"):
        recover([topic.begun, *topic.entries[:4], later], keys(), verify)


def test_what_only_the_sequencer_s_key_can_do_wrong_stops_everything() -> None:
    topic = Written.whole()
    last, unknown = topic.entries[-1], signed(a_request(sequence=9), STRANGER)
    for request, why in [
        (topic.entries[0].request, "repeats or skips"),
        (TOPIC[4 + 8], "repeats or skips"),
        (unknown, "not signed by its producer"),
    ]:
        entry = entered(request, number=6, previous=last.hash, term=topic.term)
        with pytest.raises(BrokenChain, match=why):
            recover([*topic.records, entry], keys(), verify)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400))
def test_bytes_of_a_stranger_are_unreadable_or_passed_over(value: bytes) -> None:
    topic = Written.whole()
    sequencer = recover(topic.records, keys(), verify)
    assert isinstance(taken_up(sequencer, value), Stray)
    assert sequencer.sizes == {CHAIN: 5}


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 6), st.data())
def test_a_record_of_which_one_byte_is_altered_is_passed_over_or_the_same_record(
    which: int, data: st.DataObject
) -> None:
    topic = Written.whole()
    value = bytearray(encode_record(topic.records[which]))
    value[data.draw(st.integers(0, len(value) - 1))] ^= data.draw(st.integers(1, 255))
    sequencer = recover(topic.records[:which], keys(), verify)
    found = taken_up(sequencer, bytes(value))
    assert isinstance(found, Stray) or found == topic.records[which]


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
