"""What a frame tells of its run, whether it could be opened or not."""

from __future__ import annotations

import pytest

from services.contracts import codec, topics
from services.contracts.codec import Sealing
from services.contracts.counts import Count
from services.contracts.errors import Undecodable
from services.contracts.events import StageCounts
from services.embed.edges import run_counts
from services.runtime.keys.cipher import AesGcm
from tests.builders import a_frame

SEALING = Sealing("oxford-street-1/frame/1", bytes(32), AesGcm())


def test_a_frame_that_nobody_can_open_tells_of_its_run_what_the_open_one_does() -> None:
    """A killed ingest's last frames may expire unread: without them its figures stayed behind the topic's."""
    frame = a_frame()
    raw = codec.encode_sealed(frame, topic=topics.FRAMES.name, sealing=SEALING)
    told = run_counts.of_unopened(codec.peek(raw, topic=topics.FRAMES.name))
    assert told == run_counts.of_frame(frame)


def test_what_it_tells_adds_up() -> None:
    frame = a_frame()
    output = run_counts.of_frame(frame)
    event = codec.expect(codec.open_clear(codec.peek(output.value, topic=output.topic)), StageCounts)
    totals = {name: value for (name, _), value in event.totals.items()}
    assert event.incarnation == frame.run
    assert totals[Count.FRAMES_SAMPLED] == frame.sequence
    assert totals[Count.FRAMES_READ] == totals[Count.FRAMES_SAMPLED] + totals[Count.FRAMES_NOT_SAMPLED]
    assert totals[Count.FRAMES_SAMPLED] == totals[Count.FRAMES_PUBLISHED] + totals[Count.FRAMES_DROPPED]


@pytest.mark.parametrize("forged", [{"read": 0}, {"dropped_before": 1 << 40}])
def test_an_unopened_frame_that_contradicts_itself_is_undecodable(forged: dict[str, int]) -> None:
    """Its clear part is anybody's who can write the topic: it must not end the worker."""
    frame = a_frame()
    for name, value in forged.items():
        object.__setattr__(frame, name, value)  # as no writer of ours can
    peeked = codec.peek(
        codec.encode_sealed(frame, topic=topics.FRAMES.name, sealing=SEALING), topic=topics.FRAMES.name
    )
    with pytest.raises(Undecodable, match="place in its run"):
        run_counts.of_unopened(peeked)
