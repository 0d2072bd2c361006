"""Every frame of a run is somewhere, at any moment."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.contracts.counts import Count
from services.contracts.events import FrameCaptured
from services.ingest.core.tally import Tally
from tests.fakes.clock import A_MORNING

REASONS = ("queue_full", "key_unavailable", "picture_unreadable")


class RunOfACamera(RuleBasedStateMachine):
    """A queue in front, answers behind, drops anywhere: as outbox and pipeline use a tally."""

    def __init__(self) -> None:
        super().__init__()
        self.tally = Tally("gate-1.5.1")
        self.read = 0
        self.queue: list[tuple[int, int]] = []
        self.unanswered: list[int] = []
        self.known_drops: set[int] = set()

    @rule(frames=st.integers(1, 30))
    def frames_are_read_and_not_sampled(self, frames: int) -> None:
        self.read += frames
        self.tally.advance(self.read)

    @rule()
    def a_frame_is_sampled(self) -> None:
        self.read += 1
        self.queue.append((self.tally.capture(self.read), self.read))

    @rule(reason=st.sampled_from(REASONS))
    def a_sampled_frame_is_spoilt(self, reason: str) -> None:
        self.read += 1
        self._drop(self.tally.capture(self.read), reason)

    @precondition(lambda self: self.queue)
    @rule()
    def the_oldest_is_dropped(self) -> None:
        self._drop(self.queue.pop(0)[0], "queue_full")

    @precondition(lambda self: self.queue)
    @rule(reason=st.one_of(st.none(), st.sampled_from(REASONS)))
    def the_oldest_is_taken(self, reason: str | None) -> None:
        sequence, read = self.queue.pop(0)
        dropped_before = self.tally.take(sequence)
        assert dropped_before == len([number for number in self.known_drops if number < sequence])
        # The event's own invariants hold for whatever a tally says.
        FrameCaptured(
            deployment="oxford-street-1",  # type: ignore[arg-type]
            trace_id="t",
            captured_at=A_MORNING,
            camera="gate-1",  # type: ignore[arg-type]
            lease=5,
            epoch=1,
            sequence=sequence,
            read=read,
            dropped_before=dropped_before,
            width_px=2,
            height_px=2,
            position_s=0.5,
            jpeg=b"j",
        )
        if reason is None:
            self.unanswered.append(sequence)
        else:
            self._drop(sequence, reason)

    @precondition(lambda self: self.unanswered)
    @rule(delivered=st.booleans())
    def an_answer_comes(self, *, delivered: bool) -> None:
        sequence = self.unanswered.pop(0)
        if delivered:
            self.tally.publish()
        else:
            self._drop(sequence, "delivery_failed")

    def _drop(self, sequence: int, reason: str) -> None:
        self.tally.drop(sequence, reason)
        self.known_drops.add(sequence)

    @invariant()
    def both_arrows_add_up(self) -> None:
        by_name: dict[str, int] = defaultdict(int)
        for (name, _), value in [*self.tally.totals().items(), *self.tally.standing().items()]:
            assert value >= 0
            by_name[name] += value
        assert by_name[Count.FRAMES_READ] == by_name[Count.FRAMES_SAMPLED] + by_name[Count.FRAMES_NOT_SAMPLED]
        assert (
            by_name[Count.FRAMES_SAMPLED]
            == by_name[Count.FRAMES_PUBLISHED] + by_name[Count.FRAMES_DROPPED] + by_name[Count.FRAMES_IN_HAND]
        )
        assert by_name[Count.FRAMES_IN_HAND] == len(self.queue) + len(self.unanswered)


TestRunOfACamera = RunOfACamera.TestCase
TestRunOfACamera.settings = hypothesis_settings(max_examples=40, stateful_step_count=40, deadline=None)
