"""Inputs as a stranger makes them: bytes, whole records from elsewhere, and good ones spoilt."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from tests.fuzz.surface import BATCH, Surface

_WORDS = (
    b"",
    b"\0",
    b"\xff" * 10,
    b"-1",
    b"1e999",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'"' * 3,
    b"9" * 400,
    b"[" * 3000,
    b"{'a':" * 500,
    b"2026-13-45",
    b"9999-12-31T23:59:59.999999Z",
    "\u202e\u0130\U0001f600".encode(),
    b"\xed\xa0\x80",
    b"../../etc/passwd",
    b"%00%ff",
    b"!!python/object:x",
    b"&a [*a]",
)


def batches(surface: Surface) -> st.SearchStrategy[list[bytes]]:
    """Lists of inputs for one surface."""
    valid, strange = list(surface.valid()), list(surface.strange())
    kinds = [st.binary(max_size=400)]
    if valid or strange:
        spoil = spoiling([*valid, *strange], [*surface.words, *_WORDS])
        kinds += [st.builds(spoil, st.integers(0, 2**64 - 1))] * 4
    if strange:
        kinds.append(st.sampled_from(strange))
    return st.lists(st.one_of(kinds), min_size=BATCH, max_size=BATCH)


def spoiling(whole: Sequence[bytes], words: Sequence[bytes]) -> Callable[[int], bytes]:
    """From a number to one of the `whole` with one to four things done to it; the same number, the same bytes."""

    def spoil(number: int) -> bytes:
        chance = random.Random(number)
        raw = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 4)):
            chance.choice(_DEEDS)(raw, chance, whole, words)
        return bytes(raw)

    return spoil


Deed = Callable[[bytearray, random.Random, Sequence[bytes], Sequence[bytes]], None]


def _flip(raw: bytearray, chance: random.Random, whole: Sequence[bytes], words: Sequence[bytes]) -> None:
    if raw:
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)


def _set(raw: bytearray, chance: random.Random, whole: Sequence[bytes], words: Sequence[bytes]) -> None:
    if raw:
        raw[chance.randrange(len(raw))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))


def _cut(raw: bytearray, chance: random.Random, whole: Sequence[bytes], words: Sequence[bytes]) -> None:
    begin = chance.randint(0, len(raw))
    del raw[begin : begin + chance.choice((1, 4, 64, len(raw)))]


def _double(raw: bytearray, chance: random.Random, whole: Sequence[bytes], words: Sequence[bytes]) -> None:
    begin = chance.randint(0, len(raw))
    piece = raw[begin : begin + chance.choice((1, 8, 200))]
    raw[begin:begin] = piece * chance.choice((1, 2, 50))


def _put(raw: bytearray, chance: random.Random, whole: Sequence[bytes], words: Sequence[bytes]) -> None:
    begin = chance.randint(0, len(raw))
    raw[begin : begin + chance.choice((0, 0, 1, 4, 20))] = chance.choice(words)


def _graft(raw: bytearray, chance: random.Random, whole: Sequence[bytes], words: Sequence[bytes]) -> None:
    other = chance.choice(whole)
    begin, end = sorted((chance.randint(0, len(other)), chance.randint(0, len(other))))
    raw[chance.randint(0, len(raw)) :] = other[begin:end]


def _noise(raw: bytearray, chance: random.Random, whole: Sequence[bytes], words: Sequence[bytes]) -> None:
    begin = chance.randint(0, len(raw))
    raw[begin : begin + 8] = chance.randbytes(chance.choice((1, 8, 40)))


_DEEDS: Sequence[Deed] = (_flip, _set, _cut, _double, _put, _graft, _noise)
