"""What to do so that a cluster holds the table of topics; pure. Refuses what would lose data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.contracts.topics import Topic


@dataclass(frozen=True)
class Found:
    """A topic as a cluster has it; `configs` as Kafka names and spells them."""

    partitions: int
    replication_factor: int
    configs: Mapping[str, str]


@dataclass(frozen=True)
class Create:
    """The topic is not there."""

    topic: Topic
    replication_factor: int
    configs: Mapping[str, str]


@dataclass(frozen=True)
class SetConfig:
    """One column differs and may be changed in place."""

    topic: str
    name: str
    was: str
    becomes: str


@dataclass(frozen=True)
class AddPartitions:
    """More partitions; cameras move between them, so nothing may be running."""

    topic: str
    was: int
    becomes: int


@dataclass(frozen=True)
class Refused:
    """A difference that is not mended here; `why` says what to do instead."""

    topic: str
    what: str
    why: str


Step = Create | SetConfig | AddPartitions | Refused


def _ms(span: timedelta) -> str:
    return str(span // timedelta(milliseconds=1))


def wanted_configs(topic: Topic, *, brokers: int) -> dict[str, str]:
    """The columns that are topic configs. One broker can keep one copy: its in-sync minimum is capped."""
    return {
        "cleanup.policy": topic.cleanup.value,
        "max.message.bytes": str(topic.max_message_bytes),
        "min.insync.replicas": str(min(topic.min_insync_replicas, max(1, brokers - 1))),
        "retention.ms": _ms(topic.retention),
        "segment.ms": _ms(topic.segment),
        # A frame's time is when it was captured only to us: the broker deletes by its own clock.
        "message.timestamp.type": "LogAppendTime",
    }


def plan(table: Sequence[Topic], found: Mapping[str, Found], *, brokers: int, active: Sequence[str]) -> list[Step]:
    """Steps from `found` to `table` on a cluster of `brokers`. `active` names groups that are reading now."""
    steps: list[Step] = []
    for topic in table:
        if topic.name in found:
            steps += _differences(topic, found[topic.name], brokers=brokers, active=active)
        else:
            factor = min(topic.replication_factor, brokers)
            steps.append(Create(topic, factor, wanted_configs(topic, brokers=brokers)))
    return steps


def _differences(topic: Topic, found: Found, *, brokers: int, active: Sequence[str]) -> list[Step]:
    steps: list[Step] = []
    if found.partitions != topic.partitions:
        steps.append(_partitions(topic, found.partitions, active))
    factor = min(topic.replication_factor, brokers)
    if found.replication_factor != factor:
        steps.append(
            Refused(
                topic.name,
                f"replication factor is {found.replication_factor}, the table says {factor}",
                "move its replicas with kafka-reassign-partitions, then apply again",
            )
        )
    for name, becomes in wanted_configs(topic, brokers=brokers).items():
        was = found.configs.get(name, "")
        if was != becomes:
            steps.append(_config(topic, name, was, becomes))
    return steps


def _partitions(topic: Topic, was: int, active: Sequence[str]) -> Step:
    what = f"has {was} partitions, the table says {topic.partitions}"
    if was > topic.partitions:
        return Refused(topic.name, what, "Kafka cannot take partitions away; the table must not shrink")
    if active:
        groups = ", ".join(sorted(active))
        return Refused(topic.name, what, f"a deployment is active ({groups}): end it, then apply again")
    return AddPartitions(topic.name, was, topic.partitions)


def _config(topic: Topic, name: str, was: str, becomes: str) -> Step:
    kept_for_ever = {"retention.ms": "-1"}.get(name)
    shorter = name == "retention.ms" and (was == kept_for_ever or int(was or 0) > int(becomes))
    # Frames and faces are meant to go; of the others, what is kept must not vanish by a change of the table.
    if shorter and topic.dead_letters is None:
        return Refused(
            topic.name,
            f"keeps records for {was} ms, the table says {becomes}",
            "Kafka would delete older records at once: export them, then set retention.ms by hand",
        )
    if name == "cleanup.policy" and was:
        return Refused(
            topic.name,
            f"has cleanup.policy {was}, the table says {becomes}",
            "changing it deletes or compacts records away: move to a new topic",
        )
    return SetConfig(topic.name, name, was, becomes)
