"""The arrows that must add up, and the rules the table of topics keeps."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from services.contracts import counts, topics
from services.contracts.counts import ARROWS, MOST_NUMBER, Arrow, Count, Lane
from services.contracts.events import StageCounts
from services.contracts.topics import OffsetReset
from services.runtime import counts_topic
from tests.builders import DEPLOYMENT, NOON
from tests.fakes.clock import ManualClock


def a_record(incarnation: str, totals: dict[tuple[str, str], int], **changes: object) -> StageCounts:
    values: dict[str, object] = {"stage": "embed", "standing": {}, "final": False} | changes
    return StageCounts(
        deployment=DEPLOYMENT,
        trace_id="",
        captured_at=NOON,
        incarnation=incarnation,
        totals=totals,
        **values,  # type: ignore[arg-type]
    )


def totals_of(records: list[StageCounts]) -> Counter[Count]:
    return counts.tally(records).totals


def test_incarnations_add_up_and_of_each_the_newest_holds() -> None:
    totals = totals_of(
        [
            a_record("one", {("frames_decoded", ""): 5}),
            a_record("one", {("frames_decoded", ""): 9}),
            a_record("two", {("frames_decoded", ""): 3}),
        ]
    )
    assert totals[Count.FRAMES_DECODED] == 12


def test_reasons_of_one_exit_add_up() -> None:
    totals = totals_of([a_record("one", {("frames_expired", "late"): 2, ("frames_expired", "key_lost"): 3})])
    assert totals[Count.FRAMES_EXPIRED] == 5


def test_a_split_by_reason_is_kept_beside_the_total() -> None:
    told = counts.tally([a_record("one", {("frames_expired", "late"): 2, ("frames_expired", "key_lost"): 3})])
    assert told.reasons[Count.FRAMES_EXPIRED, "key_lost"] == 3


def test_frames_in_the_hand_of_an_ingest_that_was_killed_are_counted_as_such() -> None:
    reached = {("frames_sampled", ""): 12, ("frames_published", ""): 9, ("frames_dropped", "queue_full"): 1}
    told = totals_of([a_record("gate-1.1.1", reached, stage="ingest", standing={("frames_in_hand", ""): 7})])
    assert told[Count.FRAMES_IN_HAND] == 2


def test_a_run_that_ended_must_have_nothing_in_hand_by_its_own_word() -> None:
    reached = {("frames_sampled", ""): 12, ("frames_published", ""): 9}
    told = totals_of([a_record("gate-1.1.1", reached, stage="ingest", final=True)])
    assert told[Count.FRAMES_IN_HAND] == 0


def test_what_a_killed_ingest_had_reached_is_not_counted_twice() -> None:
    """Embed repeats a run's drops without their reasons; the run's own record splits them."""
    totals = totals_of(
        [
            a_record(
                "gate-1.1.1", {("frames_dropped", "queue_full"): 2, ("frames_dropped", "delivery_failed"): 1}
            ),
            a_record("gate-1.1.1", {("frames_dropped", ""): 3}),
        ]
    )
    assert totals[Count.FRAMES_DROPPED] == 3


def test_how_things_stand_is_not_cumulative() -> None:
    totals = totals_of(
        [
            a_record("one", {}, standing={("tracks_pending", ""): 4}),
            a_record("one", {}, standing={("tracks_pending", ""): 1}),
        ]
    )
    assert totals[Count.TRACKS_PENDING] == 1


def test_an_arrow_says_by_how_much_it_does_not_add_up() -> None:
    arrow = Arrow(Count.FRAMES_DECODED, (Count.FRAMES_WITH_FACE, Count.FRAMES_WITHOUT_FACE))
    assert arrow.gap({Count.FRAMES_DECODED: 981, Count.FRAMES_WITH_FACE: 900, Count.FRAMES_WITHOUT_FACE: 62}) == 19


def test_counts_split_back_into_name_and_reason() -> None:
    found = counts.split(
        {counts.key("d", Count.FRAMES_EXPIRED, "late"): 1, counts.key("d", Count.FRAMES_DECODED): 2}
    )
    assert found == {("frames_expired", "late"): 1, ("frames_decoded", ""): 2}


def test_no_count_is_on_the_right_of_two_arrows() -> None:
    parts = [part for arrow in ARROWS for part in arrow.parts]
    assert len(parts) == len(set(parts))


@pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
def test_every_topic_says_who_writes_and_reads_it_and_survives_a_broker(topic: topics.Topic) -> None:
    assert topic.writers
    assert topic.readers
    assert topic.acks == "all"
    assert 1 <= topic.min_insync_replicas < topic.replication_factor
    assert topic.segment <= topic.retention


def test_only_what_is_numbered_may_be_skipped_and_only_frames_and_faces_dead_lettered() -> None:
    assert {topic.name for topic in topics.ALL if topic.offset_reset is OffsetReset.EARLIEST} == {
        "frames",
        "faces",
        "alerts",
    }
    assert {topic.name for topic in topics.ALL if topic.dead_letters} == {"frames", "faces"}


def test_frames_and_faces_are_gone_from_kafka_within_minutes() -> None:
    assert topics.FRAMES.retention == topics.FACES.retention == timedelta(minutes=2)


def test_what_a_deployment_is_accounted_by_is_kept_for_years() -> None:
    kept = (topics.AUTHORITY, topics.AUDIT, topics.AUDIT_REQUESTS, topics.DECISIONS, topics.COUNTS, topics.PURGES)
    assert min(topic.retention for topic in kept) >= timedelta(days=5 * 365)


def test_neighbouring_cameras_do_not_share_a_partition() -> None:
    used = {topics.partition_of_camera(index, topics.FRAMES) for index in range(topics.FRAMES.partitions)}
    assert used == set(range(topics.FRAMES.partitions))


def test_numbers_of_lanes_that_cannot_be_are_not_read_from_counts() -> None:
    """Whoever may write to `counts` could else give a writer a number that no record can carry."""
    made_up = {("faces_given", "3-5"): 2**63, ("faces_given", "9-5"): 4, ("faces_given", "3-4"): MOST_NUMBER}
    told = counts.tally([a_record("one", made_up), a_record("one", {("faces_given", "3-5"): 7})])
    assert told.numbers[Count.FACES_GIVEN] == {Lane(3, 5): 7, Lane(3, 4): MOST_NUMBER}


def test_whatever_was_counted_can_be_written_and_fits_its_topic() -> None:
    """A count above 64 bits, or lanes without end, ended the process that wrote it, which then met them again."""
    lanes = {("d", f"alerts_passed:{source}-{home}"): MOST_NUMBER for source in range(200) for home in range(200)}
    stored = {("d", "alerts_skipped"): 10**30, ("d", "alerts_received"): -1, ("d", "alerts_passed:1-1"): 10**30}
    output = counts_topic.writer(DEPLOYMENT, counts.Stage.REVIEW, "cases-1", ManualClock(NOON))(lanes | stored)
    assert len(output.value) < topics.COUNTS.max_value_bytes / 10
    found = counts.split(lanes | stored)
    assert found["alerts_skipped", ""] == 2**63 - 1
    assert found["alerts_received", ""] == 0
    assert sum(name == "alerts_passed" for name, _ in found) == 63


def test_counts_are_read_by_whoever_numbers() -> None:
    assert {"embed", "match", "console"} <= set(topics.COUNTS.readers)
