"""What became of every frame of one run of a camera."""

from __future__ import annotations

from collections import Counter

from services.contracts.counts import Count

Totals = dict[tuple[str, str], int]


class Tally:
    """Counts of one run; at any moment read = sampled + not sampled, and sampled = published + dropped + in hand.

    Not safe for threads: the outbox owns it and touches it under its lock.
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self.read = 0
        self.sampled = 0
        self.published = 0
        self.dropped: Counter[str] = Counter()
        self.gaps: Counter[str] = Counter()
        self.ended = False
        # Drops among frames up to the last one taken for publishing, and the numbers of those beyond it.
        self._dropped_behind = 0
        self._dropped_ahead: set[int] = set()

    @property
    def in_hand(self) -> int:
        """Frames that are queued, or sent and not yet acknowledged."""
        return self.sampled - self.published - self.dropped.total()

    def advance(self, read: int) -> None:
        """So many frames have been read by now; never fewer than before."""
        self.read = max(self.read, read)

    def capture(self, read: int) -> int:
        """One more sampled frame, the `read`-th read; its place among the sampled, from 1."""
        self.sampled += 1
        self.read = max(self.read, read, self.sampled)
        return self.sampled

    def drop(self, sequence: int, reason: str) -> None:
        """The sampled frame `sequence` will not be published."""
        self.dropped[reason] += 1
        self._dropped_ahead.add(sequence)

    def take(self, sequence: int) -> int:
        """Frame `sequence` goes out to be published: how many before it were dropped. Call in order."""
        behind = {number for number in self._dropped_ahead if number < sequence}
        self._dropped_ahead -= behind
        self._dropped_behind += len(behind)
        return self._dropped_behind

    def publish(self) -> None:
        """One frame is acknowledged."""
        self.published += 1

    def totals(self) -> Totals:
        """What only grows, as StageCounts carries it."""
        return {
            (Count.FRAMES_READ, ""): self.read,
            (Count.FRAMES_NOT_SAMPLED, ""): self.read - self.sampled,
            (Count.FRAMES_SAMPLED, ""): self.sampled,
            (Count.FRAMES_PUBLISHED, ""): self.published,
            **{(Count.FRAMES_DROPPED, reason): count for reason, count in self.dropped.items()},
            **{(Count.CAMERA_GAPS, reason): count for reason, count in self.gaps.items()},
        }

    def standing(self) -> Totals:
        """What rises and falls."""
        return {(Count.FRAMES_IN_HAND, ""): self.in_hand}
