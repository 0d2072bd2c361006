"""Whatever is done to a file of the audit chain is found, and the first thing that is wrong is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from console.audit.verdict import Fault, Kind
from services.contracts.audit.chain import Audited, SignedTreeHead
from services.contracts.audit.lines import decode_line, encode_line
from tests.unit.console.audit.files import (
    ENTRIES,
    FINAL_HEAD,
    GOOD,
    HEADS,
    RECORDS,
    REQUESTS,
    chained,
    encoded,
    judged,
    split,
)
from tests.unit.contracts.audit.builders import (
    SERVICES,
    STRANGER,
    Key,
    a_request,
    entered,
    signed,
)

HEADER, REGISTRY = 0, 1
# An example checks some twenty signatures: its time is the machine's affair, the number of examples ours.
enough = settings(deadline=None, max_examples=40)
anywhere = st.integers(0, len(GOOD) - 1)
an_entry = st.sampled_from(ENTRIES)
a_head = st.sampled_from(HEADS)


def fault_of(lines: list[bytes], head: SignedTreeHead | None = None) -> Fault:
    found = judged(lines, head).fault
    assert found is not None, "nobody noticed"
    return found


def entry_at(index: int) -> Audited:
    line = decode_line(GOOD[index])
    assert isinstance(line, Audited)
    return line


def head_at(index: int) -> SignedTreeHead:
    line = decode_line(GOOD[index])
    assert isinstance(line, SignedTreeHead)
    return line


def moved(source: int, target: int) -> list[bytes]:
    """The line from `source`, so that it is at `target`."""
    lines = [line for index, line in enumerate(GOOD) if index != source]
    return [*lines[:target], GOOD[source], *lines[target:]]


def test_the_good_file_is_good() -> None:
    assert judged(GOOD).ok
    assert judged(GOOD, FINAL_HEAD).ok


@settings(enough, max_examples=200)
@given(anywhere, st.data())
def test_a_flipped_byte_is_found_wherever_it_is(index: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(GOOD[index]) - 1))
    flip = data.draw(st.integers(1, 255))
    line = bytearray(GOOD[index])
    line[place] ^= flip
    fault = fault_of(split(b"".join([*GOOD[:index], bytes(line), *GOOD[index + 1 :]])))
    assert fault.line == index + 1
    if index in ENTRIES:
        # Of a flip in the name of its sequencer's key nobody can tell that it was another before.
        assert fault.kind is Kind.ALTERED or (fault.kind is Kind.WRONG_SIGNATURE and b'"key":' in line[:place])
        assert fault.entry is not None
    elif index == len(GOOD) - 1 and place == len(line) - 1:
        assert fault.kind is Kind.TRUNCATED
    elif index == HEADER:
        assert fault.kind is Kind.ALTERED
    else:
        assert fault.kind in (Kind.ALTERED, Kind.WRONG_SIGNATURE, Kind.UNTRUSTED_ROOT)


@enough
@given(an_entry, st.data())
def test_an_altered_entry_is_named_by_its_number(index: int, data: st.DataObject) -> None:
    entry = entry_at(index)
    field = data.draw(st.sampled_from(["number", "previous"]))
    other = entry.number + data.draw(st.integers(1, 100)) if field == "number" else bytes([7]) * 32
    altered = replace(entry, **{field: other})  # type: ignore[arg-type]  # one field or the other
    fault = fault_of([*GOOD[:index], encode_line(altered), *GOOD[index + 1 :]])
    assert (fault.kind, fault.line, fault.entry) == (Kind.ALTERED, index + 1, altered.number)


@enough
@given(an_entry, anywhere)
def test_an_entry_that_was_moved_is_reordered(source: int, target: int) -> None:
    assume(source != target)
    fault = fault_of(moved(source, target))
    assert fault.kind is Kind.REORDERED
    # Up to a head, an entry that was moved over nothing but that head fits; then it is the head that is late.
    assert fault.line - 1 in (min(source, target), min(source, target) + 1)


@enough
@given(a_head, anywhere)
def test_a_head_that_was_moved_is_reordered_where_it_now_stands(source: int, target: int) -> None:
    assume(source != target and target > REGISTRY)
    fault = fault_of(moved(source, target))
    assert (fault.kind, fault.line) == (Kind.REORDERED, target + 1)


@enough
@given(st.sampled_from([HEADER, REGISTRY]), anywhere)
def test_a_header_or_registry_that_was_moved_is_reordered(source: int, target: int) -> None:
    assume(source != target)
    fault = fault_of(moved(source, target))
    assert (fault.kind, fault.line) == (Kind.REORDERED, min(source, target) + 1)


@enough
@given(st.lists(an_entry, min_size=2, max_size=2, unique=True))
def test_two_entries_that_changed_places_are_reordered(pair: list[int]) -> None:
    first, second = sorted(pair)
    lines = GOOD.copy()
    lines[first], lines[second] = lines[second], lines[first]
    fault = fault_of(lines)
    assert (fault.kind, fault.line, fault.entry) == (Kind.REORDERED, first + 1, entry_at(first).number)


@enough
@given(an_entry, st.integers(2, len(GOOD)))
def test_an_entry_that_is_there_twice_is_a_duplicate(source: int, target: int) -> None:
    # Copied up over nothing but heads it fits, and what follows looks moved: not told apart, but found.
    assume(target > source or any(index in ENTRIES for index in range(target, source)) or target == source)
    lines = [*GOOD[:target], GOOD[source], *GOOD[target:]]
    fault = fault_of(lines)
    place = target + 1 if target == source else target
    assert (fault.kind, fault.line) == (Kind.DUPLICATE, place + 1)


@enough
@given(st.sampled_from(HEADS[1:]))
def test_a_head_that_is_there_twice_is_a_duplicate(source: int) -> None:
    after = fault_of([*GOOD[: source + 1], GOOD[source], *GOOD[source + 1 :]])
    assert (after.kind, after.line) == (Kind.DUPLICATE, source + 2)
    early = fault_of([*GOOD[:3], GOOD[source], *GOOD[3:]])
    assert (early.kind, early.line) == (Kind.DUPLICATE, 4)


@enough
@given(st.sampled_from([HEADER, REGISTRY]), st.integers(2, len(GOOD)))
def test_a_second_header_or_registry_is_a_duplicate(source: int, target: int) -> None:
    fault = fault_of([*GOOD[:target], GOOD[source], *GOOD[target:]])
    assert (fault.kind, fault.line) == (Kind.DUPLICATE, target + 1)


@enough
@given(st.sampled_from(ENTRIES), st.integers(1, 5))
def test_entries_that_are_gone_are_missing(first: int, count: int) -> None:
    gone = [index for index in ENTRIES if index >= first][:count]
    fault = fault_of([line for index, line in enumerate(GOOD) if index not in gone])
    after = next(index for index in range(first, len(GOOD)) if index not in gone)
    assert fault.kind is Kind.MISSING
    assert fault.entry == entry_at(first).number
    assert fault.line == after - sum(index < after for index in gone) + 1


@pytest.mark.parametrize("gone", [HEADER, REGISTRY])
def test_a_header_or_registry_that_is_gone_is_missing(gone: int) -> None:
    fault = fault_of([line for index, line in enumerate(GOOD) if index != gone])
    assert (fault.kind, fault.line) == (Kind.MISSING, gone + 1)


@enough
@given(an_entry, st.booleans())
def test_a_forged_entry_before_a_true_one_is_inserted(index: int, has_its_number: bool) -> None:
    true = entry_at(index)
    request = signed(a_request(sequence=99), STRANGER)
    number = true.number if has_its_number else true.number + 7
    forged = entered(request, number=number, previous=true.previous, key=STRANGER)
    fault = fault_of([*GOOD[:index], encode_line(forged), *GOOD[index:]])
    assert (fault.kind, fault.line) == (Kind.INSERTED, index + 1)


def test_a_forged_entry_at_the_end_is_inserted_if_a_head_without_it_follows() -> None:
    last = entry_at(ENTRIES[-1])
    forged = entered(signed(a_request(sequence=99), STRANGER), number=15, previous=last.hash)
    fault = fault_of([*GOOD[:-1], encode_line(forged), GOOD[-1]])
    assert (fault.kind, fault.line, fault.entry) == (Kind.INSERTED, len(GOOD), 15)
    fault = fault_of([*GOOD, encode_line(forged)])
    assert (fault.kind, fault.line, fault.entry) == (Kind.WRONG_SIGNATURE, len(GOOD) + 1, 15)


@enough
@given(an_entry)
def test_a_genuine_request_that_nobody_chained_makes_two_histories(index: int) -> None:
    """Even with the sequencer's key it adds nothing: the true entry, or the next head, tells."""
    true = entry_at(index)
    sequence = sum(entry_at(other).request.content.service == "match" for other in ENTRIES if other < index) + 1
    extra = signed(a_request(producer="match/match-0", sequence=sequence, about="f" * 32))
    added = entered(extra, number=true.number, previous=true.previous)
    fault = fault_of([*GOOD[:index], encode_line(added), *GOOD[index:]])
    assert fault.line in (index + 1, index + 2)
    assert fault.kind in (Kind.FORKED, Kind.DUPLICATE)


@enough
@given(an_entry, st.sampled_from([STRANGER, *(key for name, key in SERVICES.items() if name != "oversight")]))
def test_an_entry_that_no_sequencer_signed_is_named(index: int, key: Key) -> None:
    """Whoever may write to the topic has true requests at hand: they are on `audit_requests` for all to read."""
    true = entry_at(index)
    forged = entered(true.request, number=true.number, previous=true.previous, term=true.term, key=key)
    fault = fault_of([*GOOD[:index], encode_line(forged), *GOOD[index + 1 :]])
    assert (fault.kind, fault.line, fault.entry) == (Kind.WRONG_SIGNATURE, index + 1, true.number)
    fault = fault_of([*GOOD[:index], encode_line(forged), *GOOD[index:]])
    assert (fault.kind, fault.line, fault.entry) == (Kind.INSERTED, index + 1, true.number)


@enough
@given(an_entry, st.sampled_from(["term", "signature"]))
def test_a_sequencer_s_signature_holds_for_its_entry_and_its_term_only(index: int, field: str) -> None:
    true, other = entry_at(index), entry_at(next(one for one in ENTRIES if one != index))
    taken = bytes(range(16)) if field == "term" else other.signature
    forged = replace(true, **{field: taken})  # type: ignore[arg-type]  # one field or the other
    fault = fault_of([*GOOD[:index], encode_line(forged), *GOOD[index + 1 :]])
    assert (fault.kind, fault.entry) == (Kind.ALTERED, true.number)


def test_an_entry_of_another_chain_is_inserted() -> None:
    other = entered(signed(a_request(chain="high-street-2")))
    fault = fault_of([*GOOD[:5], encode_line(other), *GOOD[5:]])
    assert (fault.kind, fault.line) == (Kind.INSERTED, 6)


# --- by somebody who can chain anew


@enough
@given(st.integers(0, 9))
def test_a_request_left_out_of_a_chain_made_anew_is_a_gap_in_its_producer_s_sequence(gone: int) -> None:
    kept = REQUESTS[:gone] + REQUESTS[gone + 1 :]
    fault = fault_of(encoded(chained(kept)))
    # Four producers in turn: its next request was 4 places on, and is now 3.
    assert (fault.kind, fault.entry) == (Kind.SEQUENCE_GAP, gone + 4)


@enough
@given(st.integers(0, 13), st.integers(0, 14))
def test_a_request_chained_twice_is_a_duplicate(source: int, target: int) -> None:
    assume(target > source)
    doubled = [*REQUESTS[:target], REQUESTS[source], *REQUESTS[target:]]
    fault = fault_of(encoded(chained(doubled)))
    assert (fault.kind, fault.entry) == (Kind.DUPLICATE, target + 1)


@enough
@given(st.integers(0, 13), st.sampled_from([STRANGER, *SERVICES.values()]))
def test_a_request_signed_by_another_key_is_named_for_its_signature(index: int, key: Key) -> None:
    content = REQUESTS[index].content
    assume(key is not SERVICES[content.service])
    forged = signed(content, key)
    records = chained([*REQUESTS[:index], forged, *REQUESTS[index + 1 :]])
    fault = fault_of(encoded(records))
    assert (fault.kind, fault.entry) == (Kind.WRONG_SIGNATURE, index + 1)


def test_a_head_signed_by_another_key_is_named_for_its_signature() -> None:
    fault = fault_of(encoded(chained(REQUESTS, signer=SERVICES["review"])))
    assert (fault.kind, fault.line) == (Kind.WRONG_SIGNATURE, 7)


def test_a_chain_made_anew_under_the_old_heads_is_forked() -> None:
    """Requests of two producers in another order: each sequence is whole, but not what was signed."""
    swapped = [REQUESTS[1], REQUESTS[0], *REQUESTS[2:]]
    anew = [record for record in chained(swapped) if isinstance(record, Audited)]
    old = [record for record in RECORDS if isinstance(record, SignedTreeHead)]
    fault = fault_of(encoded([old[0], *anew[:4], old[1]]))
    assert (fault.kind, fault.line) == (Kind.FORKED, 8)
    assert "between 1 and 4" in fault.detail


@enough
@given(st.integers(1, 14), st.data())
def test_a_chain_made_anew_and_signed_anew_is_forked_against_a_head_from_elsewhere(
    size: int, data: st.DataObject
) -> None:
    """Only a head that the operator cannot take back shows this; then it shows every time."""
    changed = data.draw(st.integers(0, size - 1))
    content = replace(REQUESTS[changed].content, about="f" * 32)
    anew = [*REQUESTS[:changed], signed(content), *REQUESTS[changed + 1 :]]
    elsewhere = chained(REQUESTS[:size], head_every=size)[-1]
    assert isinstance(elsewhere, SignedTreeHead)
    forked = encoded(chained(anew, head_every=14))
    assert judged(forked).ok
    fault = fault_of(forked, elsewhere)
    assert (fault.kind, fault.entry) == (Kind.FORKED, size)


@enough
@given(st.integers(1, sum(map(len, GOOD)) - 1))
def test_a_file_cut_off_anywhere_is_truncated_against_a_head(length: int) -> None:
    lines = split(b"".join(GOOD)[:length])
    whole = sum(line in GOOD for line in lines)
    fault = judged(lines, FINAL_HEAD).fault
    if whole == len(GOOD) - 1 and len(lines) == whole:
        assert fault is None, "only the head itself, which was given, is gone"
        return
    assert fault is not None
    assert fault.kind is Kind.TRUNCATED
    assert fault.line == whole + 1


@enough
@given(st.integers(2, len(GOOD)))
def test_without_a_head_a_file_says_up_to_which_it_is_complete(lines: int) -> None:
    verdict = judged(GOOD[:lines])
    assert verdict.ok
    heads = [head_at(index) for index in HEADS if index < lines]
    assert verdict.complete_to == (heads[-1] if heads else None)
    assert verdict.entries == sum(index < lines for index in ENTRIES)
    said = "\n".join(verdict.lines())
    assert "may" in said
    assert "compared with no head" in said


@enough
@given(st.lists(st.sampled_from(GOOD[2:]), max_size=30))
def test_no_other_arrangement_of_its_lines_passes_for_the_chain(lines: list[bytes]) -> None:
    """Heads may be left out, and entries at the end; nothing else."""
    verdict = judged([*GOOD[:2], *lines])
    entries = [line for line in lines if line in {GOOD[index] for index in ENTRIES}]
    prefix = [GOOD[index] for index in ENTRIES][: len(entries)]
    assert not verdict.ok or entries == prefix


def test_the_first_of_several_faults_is_named() -> None:
    lines = GOOD.copy()
    lines[15] = b"rubbish\n"
    lines[6], lines[7] = lines[7], lines[6]
    del lines[9]
    assert fault_of(lines).line == 7
    assert judged(lines).entries == sum(index < 6 for index in ENTRIES)
