"""A photograph on its way to the process that decodes it, and what comes back, as bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

# What is worked on; a larger picture is made so small while or after it is decoded. The detector looks at 640 px.
WORK_PIXELS = 4096 * 4096

# most pixels, length
ASK = struct.Struct("!QQ")
# 0 or the place of a reason behind 1, height, width, length of what follows: pixels, or words
HEAD = struct.Struct("!BIIQ")
REASONS = ("not_a_picture", "too_large")
_COLOURS = 3
_MAX_WORDS_BYTES = 4096


class Garbled(Exception):
    """The bytes are no answer: whoever wrote them is broken, or another's by now."""


@dataclass(frozen=True)
class Answer:
    """The head of an answer: a picture of that size, or the place of a reason; `length` bytes follow."""

    reason: str | None
    height: int
    width: int
    length: int = field(repr=False)


def head_of(raw: bytes | bytearray) -> Answer:
    """Raises Garbled for what no honest process would answer: nothing larger is made room for."""
    place, height, width, length = HEAD.unpack(raw)
    if place == 0:
        if not 0 < height * width <= WORK_PIXELS or length != height * width * _COLOURS:
            raise Garbled("a picture of another size than it says, or larger than any")
        return Answer(None, height, width, length)
    if place > len(REASONS) or length > _MAX_WORDS_BYTES:
        raise Garbled("a refusal of no known kind")
    return Answer(REASONS[place - 1], 0, 0, length)


def refusal(reason: str, words: str) -> bytes:
    """A refusal as bytes, whole."""
    said = words.encode()[:_MAX_WORDS_BYTES]
    return HEAD.pack(REASONS.index(reason) + 1, 0, 0, len(said)) + said


def picture_head(height: int, width: int) -> bytes:
    """What goes before the pixels."""
    return HEAD.pack(0, height, width, height * width * _COLOURS)
