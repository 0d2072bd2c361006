"""What a frame tells of its run, whether it could be opened or not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.contracts import codec, counts, topics
from services.contracts.codec import Sealing
from services.contracts.counts import Count
from services.contracts.errors import Undecodable
from services.contracts.events import StageCounts
from services.contracts.ids import DeploymentId
from services.contracts.places import InRun
from services.embed.edges import run_counts
from services.runtime.kafka.types import Record
from services.runtime.keys.cipher import AesGcm
from tests.builders import DEPLOYMENT, a_frame

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


def a_record(raw: bytes) -> Record:
    return Record(topics.FRAMES.name, 0, 7, b"gate-1", raw, (), 0)


def test_a_frame_stands_in_its_run_by_its_clear_part() -> None:
    frame = a_frame(sequence=12, dropped_before=2)
    raw = codec.encode_sealed(frame, topic=topics.FRAMES.name, sealing=SEALING)
    assert run_counts.place_in_run(DEPLOYMENT)(a_record(raw)) == InRun(frame.run, 10, 12)
    assert run_counts.of_dead(DEPLOYMENT)(a_record(raw)) == run_counts.of_frame(frame)


def test_what_is_no_frame_of_the_deployment_stands_nowhere() -> None:
    elsewhere = a_frame(deployment=DeploymentId("elsewhere-1"))
    raw = codec.encode_sealed(elsewhere, topic=topics.FRAMES.name, sealing=SEALING)
    for one in (raw, b"nonsense", b""):
        assert run_counts.place_in_run(DEPLOYMENT)(a_record(one)) is None
        assert run_counts.of_dead(DEPLOYMENT)(a_record(one)) is None


def test_what_embed_told_says_how_far_it_has_read_each_run() -> None:
    """ingest's own word of a run is ahead of it: by that every frame on the topic would be one that was read."""
    frame = a_frame(sequence=12, dropped_before=2)
    output = run_counts.of_frame(frame)
    told = codec.expect(codec.open_clear(codec.peek(output.value, topic=output.topic)), StageCounts)
    of_ingest = replace(told, totals={("frames_sampled", ""): 90, ("frames_published", ""): 88})
    assert counts.sequences_reached([told, of_ingest]) == {frame.run: 12}
