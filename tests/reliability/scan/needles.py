"""What is searched for, in every form in which it may lie about, and a search that passes gigabytes in seconds."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# So much of a canary is a needle: nothing else has these bytes, and a copy that was cut is still found.
_WINDOW = 36
_ANCHOR = 4


@dataclass(frozen=True)
class Needle:
    """Bytes to find. `of` is the canary's name, `form` how it is written."""

    of: str
    form: str
    content: bytes = field(repr=False)


def forms(name: str, raw: bytes, *, form: str = "raw") -> Iterator[Needle]:
    """A canary's bytes as they are (so a protobuf carries them, too), in base64 however aligned, and in hex.

    Of a long one several windows.
    """
    for start in sorted({0, max(0, len(raw) // 2 - _WINDOW), max(0, len(raw) - _WINDOW)}):
        window = raw[start : start + _WINDOW]
        yield Needle(name, form, window)
        yield Needle(name, f"{form}, hex", window.hex().encode())
        for shift in range(3):
            whole = window[shift : shift + (len(window) - shift) // 3 * 3]
            text = base64.b64encode(whole)
            yield Needle(name, f"{form}, base64", text)
            if (url := base64.urlsafe_b64encode(whole)) != text:
                yield Needle(name, f"{form}, base64", url)


def of_vector(name: str, vector: NDArray[np.float32]) -> Iterator[Needle]:
    """A template, in the number formats that it may be held in."""
    yield from forms(name, vector.astype("<f4").tobytes(), form="float32")
    yield Needle(name, "float64", vector.astype("<f8").tobytes()[:_WINDOW])
    yield Needle(name, "float16", vector.astype("<f2").tobytes()[:_WINDOW])


def of_picture(name: str, jpeg: bytes) -> Iterator[Needle]:
    """A picture. Its head is every JPEG's, so only what follows is looked for."""
    yield from (one for one in forms(name, jpeg[len(jpeg) // 4 :], form="jpeg"))


class Search:
    """All needles at once. Any thread."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self._by_anchor: dict[int, list[tuple[int, Needle]]] = defaultdict(list)
        self._low = np.zeros(1 << 16, dtype=bool)
        self._high = np.zeros(1 << 16, dtype=bool)
        self.longest = _ANCHOR
        for needle in needles:
            at = _anchor_of(needle.content)
            word = int.from_bytes(needle.content[at : at + _ANCHOR], "little")
            self._by_anchor[word].append((at, needle))
            self._low[word & 0xFFFF] = self._high[word >> 16] = True
            self.longest = max(self.longest, len(needle.content))

    def within(self, chunk: bytes) -> Iterator[Needle]:
        """Every needle in `chunk`, each time that it is there."""
        for shift in range(_ANCHOR):
            count = (len(chunk) - shift) // _ANCHOR
            if count <= 0:
                return
            words = np.frombuffer(chunk, dtype="<u4", count=count, offset=shift)
            # Two small tables that fit the cache say no to nearly everything.
            likely = np.flatnonzero(self._low[words & 0xFFFF])
            likely = likely[self._high[words[likely] >> 16]]
            for index in likely.tolist():
                for at, needle in self._by_anchor.get(int(words[index]), ()):
                    begins = shift + index * _ANCHOR - at
                    if begins >= 0 and chunk.startswith(needle.content, begins):
                        yield needle

    def through(self, chunks: Iterable[bytes]) -> Iterator[Needle]:
        """As `within` over a stream; what lies across two chunks is found, too. Near an end it may come twice."""
        rest = b""
        for chunk in chunks:
            joined = rest + chunk
            keep = min(len(joined), self.longest - 1)
            yield from self.within(joined)
            rest = joined[len(joined) - keep :] if keep else b""


def _anchor_of(content: bytes) -> int:
    """The place of the four bytes that are least like what memory is full of."""
    places = range(len(content) - _ANCHOR + 1)
    return max(places, key=lambda at: len(set(content[at : at + _ANCHOR]) - {0, 0xFF}))
