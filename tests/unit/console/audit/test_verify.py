"""What the verifier says of files, heads and roots, and what its command prints."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.audit.verdict import Fault, Kind
from console.audit.verify import read_head, verify, verify_lines
from console.commands import audit
from services.contracts.audit.chain import Audited, SignedTreeHead, TreeHead, sign_head
from services.contracts.audit.lines import MAX_LINE_BYTES, Header, Line, decode_line, encode_line
from services.contracts.audit.registry import KeyRegistry, Role, SignedKeys, registry
from services.contracts.errors import Misconfigured, Undecodable
from tests.unit.console.audit.files import FINAL_HEAD, GOOD, HEADS, RECORDS, REQUESTS, chained, judged
from tests.unit.contracts.audit.builders import (
    CHAIN,
    NOON,
    ROOT,
    SEQUENCER,
    SERVICES,
    STRANGER,
    Key,
    a_file,
    a_key,
    a_sequencer,
    entered,
    requests,
    root_fingerprint,
    sequenced,
    sign_keys,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "chain.jsonl"
    file.write_bytes(b"".join(GOOD))
    return file


def with_keys(keys: KeyRegistry, *, root: Key = ROOT) -> list[bytes]:
    """The good file's records under another registry."""
    records = [encode_line(record) for record in RECORDS]
    return [encode_line(Header()), encode_line(sign_keys(keys, root)), *records]


def keys(**of_review: object) -> KeyRegistry:
    producers = [a_key(key, holder=name) for name, key in SERVICES.items() if name not in ("review", "oversight")]
    review = a_key(SERVICES["review"], **of_review)
    return registry(2, a_key(SEQUENCER, role=Role.SEQUENCER, holder="oversight"), review, *producers)


def test_a_whole_file_is_whole_up_to_its_last_head(good: Path) -> None:
    verdict = verify(good, root_fingerprint())
    assert verdict.ok
    assert (verdict.chain, verdict.entries, verdict.complete_to) == (CHAIN, 14, FINAL_HEAD)
    assert verdict.agreed is None


@pytest.mark.parametrize("index", HEADS)
def test_a_whole_file_agrees_with_every_head_it_ever_had(good: Path, index: int) -> None:
    head = decode_line(GOOD[index])
    assert isinstance(head, SignedTreeHead)
    verdict = verify(good, root_fingerprint(), head)
    assert verdict.ok
    assert verdict.agreed == head


def test_a_chain_without_entries_is_whole() -> None:
    sequencer = a_sequencer()
    head = sequencer.head(CHAIN, SEQUENCER, now=NOON)
    lines = [encode_line(line) for line in a_file([head])]
    assert judged(lines, head).ok
    assert judged(lines[:2]).ok


@pytest.mark.parametrize("lines", [[], GOOD[:1]])
def test_a_file_that_ends_before_its_keys_is_truncated(lines: list[bytes]) -> None:
    fault = judged(lines).fault
    assert fault is not None
    assert (fault.kind, fault.line) == (Kind.TRUNCATED, len(lines) + 1)


def test_a_file_under_another_root_is_not_believed_at_all() -> None:
    forged = [encode_line(Header()), encode_line(sign_keys(keys(), STRANGER)), *GOOD[2:]]
    fault = judged(forged).fault
    assert fault is not None
    assert (fault.kind, fault.line) == (Kind.UNTRUSTED_ROOT, 2)
    assert judged(GOOD, None).fault is None


def test_a_registry_that_the_root_did_not_sign_is_not_believed() -> None:
    by_root, by_stranger = (sign_keys(keys(), root).token.split(".") for root in (ROOT, STRANGER))
    forged = SignedKeys(".".join((*by_root[:2], by_stranger[2])))
    fault = judged([GOOD[0], encode_line(forged), *GOOD[2:]]).fault
    assert fault is not None
    assert (fault.kind, fault.line) == (Kind.WRONG_SIGNATURE, 2)


def test_an_entry_of_a_key_that_had_ended_is_named() -> None:
    # review's entries are 3, 7 and 11, at 2, 6 and 10 seconds past noon.
    fault = judged(with_keys(keys(revoked_at=NOON + timedelta(seconds=6)))).fault
    assert fault is not None
    assert (fault.kind, fault.entry) == (Kind.WRONG_SIGNATURE, 7)
    assert judged(with_keys(keys(revoked_at=NOON + timedelta(seconds=11)))).ok


def test_an_entry_that_dates_itself_before_its_key_s_end_but_follows_a_later_head_is_named() -> None:
    # Entry 7 says 6 s; the head before it was signed at 20 s: who chained it then had a dead key's request.
    late = chained(REQUESTS[:4], head_every=4)[-1]
    assert isinstance(late, SignedTreeHead)
    moved_on = TreeHead(
        chain=CHAIN,
        size=4,
        root=late.head.root,
        last=late.head.last,
        at=NOON + timedelta(seconds=20),
    )
    entries = [record for record in RECORDS if not isinstance(record, SignedTreeHead)]
    records: list[Line] = [*entries[:4], sign_head(moved_on, SEQUENCER), *entries[4:]]
    revoked = sign_keys(keys(revoked_at=NOON + timedelta(seconds=8)), ROOT)
    lines: list[Line] = [Header(), revoked, *records]
    fault = judged(encode_line(line) for line in lines).fault
    assert fault is not None
    assert (fault.kind, fault.entry) == (Kind.WRONG_SIGNATURE, 7)


def test_a_head_that_no_sequencer_signed_proves_nothing() -> None:
    fault = judged(GOOD, sign_head(FINAL_HEAD.head, STRANGER)).fault
    assert fault is not None
    assert (fault.kind, fault.line) == (Kind.WRONG_SIGNATURE, 0)


@pytest.mark.parametrize("size", [0, 3, 99])
def test_a_head_of_another_chain_is_told_from_a_fork(size: int) -> None:
    sequencer = a_sequencer()
    for request in requests(min(size, 20), chain="high-street-2"):
        sequencer.append(request, SEQUENCER, now=NOON)
    head = sequencer.head("high-street-2", SEQUENCER, now=NOON)
    fault = judged(GOOD, head).fault
    assert fault is not None
    assert (fault.kind, fault.line) == (Kind.OTHER_CHAIN, 0)


def test_heads_of_one_size_come_in_the_order_of_their_times() -> None:
    sequencer = a_sequencer()
    early, late = (sequencer.head(CHAIN, SEQUENCER, now=NOON + wait) for wait in (timedelta(0), HOUR))
    assert judged([encode_line(line) for line in a_file([early, late])]).ok
    fault = judged([encode_line(line) for line in a_file([late, early])]).fault
    assert fault is not None
    assert (fault.kind, fault.line) == (Kind.REORDERED, 4)


def test_a_file_from_before_entries_were_signed_is_refused_and_said_so() -> None:
    """Its entries prove nothing: whoever could write to the topic could have put them there."""
    old = GOOD[0].replace(b"signpost-audit-2", b"signpost-audit-1")
    fault = judged([old, *GOOD[1:]]).fault
    assert fault is not None
    assert (fault.kind, fault.line) == (Kind.ALTERED, 1)
    assert "no sequencer signed its entries" in fault.detail


def test_an_entry_whose_sequencer_s_key_had_ended_before_it_was_chained_is_named() -> None:
    """The rest of the file is another sequencer's; only the entry was signed with the key that had ended."""
    second = Key("second sequencer")
    records = chained(REQUESTS, head_every=20)
    last = records[-1]
    assert isinstance(last, Audited)
    old = entered(last.request, number=last.number, previous=last.previous, key=second)

    def under(revoked_at: datetime | None) -> Fault | None:
        ended = a_key(second, role=Role.SEQUENCER, holder="oversight", revoked_at=revoked_at)
        file: list[Line] = [Header(), sign_keys(registry(2, ended, *keys().keys), ROOT), *records[:-1], old]
        return judged(encode_line(line) for line in file).fault

    assert under(None) is None
    fault = under(NOON + timedelta(seconds=5))
    assert fault is not None
    assert (fault.kind, fault.entry) == (Kind.WRONG_SIGNATURE, last.number)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n",
        b'"format"\n',
        b"null\n",
        b"[" * 100_000 + b"\n",
        b"9" * 5000 + b"\n",
        b"\xff\xfe\n",
        GOOD[3].replace(b'"number":1', b'"number":1.0'),
        GOOD[3].replace(b'"number":1', b'"number":true'),
        GOOD[3].replace(b'"number":1', b'"number":"1"'),
        GOOD[3].replace(b'"number":1', b'"number":18446744073709551616'),
        GOOD[3].replace(b'"number":1', b'"number":1,"number":1'),
        GOOD[3].replace(b":", b": "),
        GOOD[3].replace(b"\n", b" \n"),
        GOOD[3].replace(b"\n", b"\r\n"),
        GOOD[3].replace(b'"number":1,', b""),
        GOOD[2].replace(b'"size":0', b'"size":-1'),
        GOOD[2].replace(b'"size":0', b'"size":0.0'),
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_a_line_has_one_spelling(raw: bytes) -> None:
    assert raw not in GOOD
    with pytest.raises(Undecodable):
        decode_line(raw)


@pytest.mark.parametrize("raw", GOOD, ids=range(len(GOOD)))
def test_a_line_comes_out_as_it_went_in(raw: bytes) -> None:
    assert encode_line(decode_line(raw)) == raw


def test_a_line_without_end_is_read_in_bounded_memory_and_the_next_is_still_found(tmp_path: Path) -> None:
    file = tmp_path / "chain.jsonl"
    file.write_bytes(b"".join(GOOD[:4]) + b"x" * (MAX_LINE_BYTES + 7) + b"\n" + b"".join(GOOD[4:]))
    fault = verify(file, root_fingerprint()).fault
    assert fault is not None
    assert (fault.kind, fault.line) == (Kind.ALTERED, 5)


def test_memory_does_not_grow_with_the_file() -> None:
    records = list(sequenced(requests(400), head_every=50))
    lines = [encode_line(line) for line in a_file(records)]

    def peak(of: list[bytes]) -> int:
        def streamed() -> Iterator[bytes]:
            yield from of

        tracemalloc.start()
        assert verify_lines(streamed(), root_fingerprint()).ok
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(lines[:20])  # what is made once and kept: parsed keys, compiled patterns
    # Kept whole, the 360 further entries would be more than 500 KB.
    assert peak(lines) < peak(lines[:40]) + 50_000


def test_a_head_is_read_from_the_last_line_of_a_sink(tmp_path: Path) -> None:
    sink = tmp_path / "heads.jsonl"
    sink.write_bytes(b"".join(GOOD[index] for index in HEADS))
    assert read_head(sink) == FINAL_HEAD
    sink.write_bytes(GOOD[HEADS[-1]].rstrip(b"\n"))
    assert read_head(sink) == FINAL_HEAD


@pytest.mark.parametrize("content", [b"", b"a head\n", GOOD[3]])
def test_what_is_no_head_is_refused(tmp_path: Path, content: bytes) -> None:
    sink = tmp_path / "heads.jsonl"
    sink.write_bytes(content)
    with pytest.raises(Misconfigured, match="last line"):
        read_head(sink)


def said(*words: str) -> tuple[int, str]:
    """How the command ended, and what it printed."""
    result = CliRunner().invoke(audit.app, ["verify", *words])
    return result.exit_code, result.stdout


def test_the_command_says_what_it_found(good: Path, tmp_path: Path) -> None:
    sink = tmp_path / "heads.jsonl"
    sink.write_bytes(GOOD[HEADS[-1]])
    words = [str(good), "--root", root_fingerprint()]
    code, text = said(*words)
    assert code == 0
    assert "whole: 14 entries of chain oxford-street-1" in text
    assert "complete up to the head" in text
    assert "compared with no head from elsewhere" in text

    code, text = said(*words, "--head", str(sink))
    assert (code, "agrees with the head that was given" in text) == (0, True)

    good.write_bytes(b"".join(GOOD[:-2]))
    code, text = said(*words, "--head", str(sink))
    assert (code, "NOT WHOLE: truncated" in text) == (1, True)

    good.write_bytes(b"".join([*GOOD[:5], GOOD[6], GOOD[5], *GOOD[7:]]))
    code, text = said(*words)
    assert (code, "NOT WHOLE: reordered, line 6, entry 3" in text) == (1, True)


def test_the_command_tells_a_broken_file_from_one_that_cannot_be_read(good: Path, tmp_path: Path) -> None:
    assert said(str(tmp_path / "none"), "--root", root_fingerprint()) == (2, "")
    assert said(str(good), "--root", root_fingerprint(), "--head", str(good.parent)) == (2, "")
    code, text = said(str(good), "--root", "another")
    assert (code, "untrusted_root" in text) == (1, True)
