"""Read what a deployment's statement is made of. Figures move while it runs: read until they stand still."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from console.ledger.statement import Statement, state
from services.contracts import codec, topics
from services.contracts.counts import Stage
from services.contracts.decisions import CaseEvent
from services.contracts.events import Event

# A busy deployment may never stand still between two reads; then the last statement is shown as it is.
_ATTEMPTS = 5

_READERS = {
    topics.FRAMES.name: Stage.EMBED,
    topics.FACES.name: Stage.MATCH,
    topics.ALERTS.name: Stage.REVIEW,
}


class Reader(Protocol):
    """A cluster's records; `console.edges.kafka_read` is the real one."""

    def values(self, topic: str) -> Iterable[bytes]: ...

    def unread(self, topic: str, group: str) -> int: ...


def read_statement(reader: Reader, deployment: str) -> Statement:
    """The deployment's statement; blocks for a few reads of its topics. Raises Undecodable."""
    before = _counted(reader)
    statement = _statement(reader, deployment)
    for _ in range(_ATTEMPTS):
        after = _counted(reader)
        if statement.reconciles or before == after:
            break
        before, statement = after, _statement(reader, deployment)
    return statement


def _statement(reader: Reader, deployment: str) -> Statement:
    groups = {topic: f"signpost-{stage}-{deployment}" for topic, stage in _READERS.items()}
    flying = {topic: reader.unread(topic, group) for topic, group in groups.items()}
    decided = [event for event in _events(reader, topics.DECISIONS.name) if isinstance(event, CaseEvent)]
    return state(deployment, _counted(reader), decided, flying)


def _counted(reader: Reader) -> list[Event]:
    return list(_events(reader, topics.COUNTS.name))


def _events(reader: Reader, topic: str) -> Iterable[Event]:
    return (codec.open_clear(codec.peek(raw, topic=topic)) for raw in reader.values(topic))
