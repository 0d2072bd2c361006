"""Carry a plan out on a cluster, and say each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.edges.kafka_admin import KafkaAdmin, ignoring_existing, session_configs
from console.topics.plan import AddPartitions, Create, Refused, SetConfig, Step, plan
from services.contracts import topics


@dataclass(frozen=True)
class Report:
    """What differed, whether it was mended, and what was refused; a line each."""

    lines: tuple[str, ...]
    refused: tuple[Refused, ...]
    changed: bool


def describe(step: Step) -> str:
    """One line for a person."""
    match step:
        case Create():
            return (
                f"{step.topic.name}: create, {step.topic.partitions} partitions, {step.replication_factor} copies"
            )
        case SetConfig():
            return f"{step.topic}: {step.name} {step.was or '(default)'} -> {step.becomes}"
        case AddPartitions():
            return f"{step.topic}: partitions {step.was} -> {step.becomes}"
        case Refused():
            return f"{step.topic}: REFUSED: {step.what}; {step.why}"


def check(admin: KafkaAdmin) -> list[Step]:
    """What differs between the table and the cluster."""
    return plan(
        topics.ALL,
        admin.topics(topic.name for topic in topics.ALL),
        brokers=admin.brokers(),
        active=admin.active_groups(),
    )


def apply(admin: KafkaAdmin, *, groups: Sequence[str] = ()) -> Report:
    """Mend what may be mended: nothing at all while anything is refused."""
    steps = check(admin)
    refused = tuple(step for step in steps if isinstance(step, Refused))
    lines = [describe(step) for step in steps]
    if refused:
        return Report(tuple(lines), refused, changed=False)
    for step in steps:
        _carry_out(admin, step)
    for group in groups:
        lines += _sessions(admin, group)
    return Report(tuple(lines), (), changed=bool(lines))


def _carry_out(admin: KafkaAdmin, step: Step) -> None:
    match step:
        case Create():
            ignoring_existing(lambda: admin.create(step))
        case SetConfig():
            admin.set_config(step)
        case AddPartitions():
            admin.add_partitions(step)
        case Refused():
            raise AssertionError("a plan with a refusal is not carried out")


def _sessions(admin: KafkaAdmin, group: str) -> list[str]:
    wanted = session_configs(topics.GROUP_SESSIONS)
    found = admin.group_sessions(group)
    if found == wanted:
        return []
    admin.set_group_sessions(group, topics.GROUP_SESSIONS)
    return [
        f"group {group}: {name} {found[name]} -> {value}" for name, value in wanted.items() if found[name] != value
    ]
