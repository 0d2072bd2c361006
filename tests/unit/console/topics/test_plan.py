"""What `topics apply` would do: mend what is safe, refuse what would lose data."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from console.topics.plan import AddPartitions, Create, Found, Refused, SetConfig, Step, plan, wanted_configs
from services.contracts import topics
from services.contracts.topics import ALERTS, DECISIONS, FRAMES, Cleanup, Topic


def as_wanted(topic: Topic, *, brokers: int = 3) -> Found:
    return Found(topic.partitions, min(topic.replication_factor, brokers), wanted_configs(topic, brokers=brokers))


def steps_for(topic: Topic, found: Found | None, *, brokers: int = 3, active: tuple[str, ...] = ()) -> list[Step]:
    return plan([topic], {} if found is None else {topic.name: found}, brokers=brokers, active=active)


def test_a_cluster_as_in_the_table_needs_nothing() -> None:
    found = {topic.name: as_wanted(topic) for topic in topics.ALL}
    assert plan(topics.ALL, found, brokers=3, active=()) == []


def test_a_missing_topic_is_created_with_every_column() -> None:
    (step,) = steps_for(FRAMES, None)
    assert isinstance(step, Create)
    assert step.configs["retention.ms"] == "120000"
    assert step.configs["segment.ms"] == "30000"
    assert step.configs["max.message.bytes"] == str(2 * 1024 * 1024)
    assert step.replication_factor == 3


def test_one_broker_keeps_one_copy() -> None:
    (step,) = steps_for(FRAMES, None, brokers=1)
    assert isinstance(step, Create)
    assert step.replication_factor == 1
    assert step.configs["min.insync.replicas"] == "1"


def test_a_column_that_differs_is_set_and_says_what_it_was() -> None:
    found = as_wanted(FRAMES)
    found = replace(found, configs={**found.configs, "max.message.bytes": "1000"})
    (step,) = steps_for(FRAMES, found)
    assert step == SetConfig("frames", "max.message.bytes", "1000", str(2 * 1024 * 1024))


def test_more_partitions_wait_for_the_deployment_to_end() -> None:
    found = replace(as_wanted(FRAMES), partitions=4)
    assert steps_for(FRAMES, found) == [AddPartitions("frames", 4, 8)]
    (step,) = steps_for(FRAMES, found, active=("signpost-embed-oxford-street-1",))
    assert isinstance(step, Refused)
    assert "signpost-embed-oxford-street-1" in step.why


def test_partitions_are_never_taken_away() -> None:
    (step,) = steps_for(FRAMES, replace(as_wanted(FRAMES), partitions=16))
    assert isinstance(step, Refused)


def test_decisions_are_not_deleted_by_a_shorter_retention() -> None:
    (step,) = steps_for(replace(DECISIONS, retention=timedelta(days=30)), as_wanted(DECISIONS))
    assert isinstance(step, Refused)
    assert "export them" in step.why


def test_a_topic_that_keeps_for_ever_is_not_shortened_either() -> None:
    found = as_wanted(ALERTS)
    (step,) = steps_for(ALERTS, replace(found, configs={**found.configs, "retention.ms": "-1"}))
    assert isinstance(step, Refused)


def test_frames_are_meant_to_go_so_their_retention_may_shrink() -> None:
    found = as_wanted(FRAMES)
    (step,) = steps_for(FRAMES, replace(found, configs={**found.configs, "retention.ms": "604800000"}))
    assert isinstance(step, SetConfig)


def test_compaction_is_not_switched_on_over_records_that_count() -> None:
    (step,) = steps_for(replace(DECISIONS, cleanup=Cleanup.COMPACT), as_wanted(DECISIONS))
    assert isinstance(step, Refused)


def test_replicas_are_not_moved_behind_the_operators_back() -> None:
    (step,) = steps_for(FRAMES, replace(as_wanted(FRAMES), replication_factor=1))
    assert isinstance(step, Refused)
