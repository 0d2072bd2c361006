"""Read what a deployment's statement is made of, in the order that makes it one of a single moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from console.ledger.crossing import Ahead
from console.ledger.statement import Read, Statement, state
from services.contracts import codec, topics
from services.contracts.counts import Stage
from services.contracts.decisions import CaseEvent
from services.contracts.errors import Undecodable
from services.contracts.events import Event
from services.contracts.places import Log
from services.runtime.kafka.types import Record

# What is really missing is missing however often it is looked for. What only looked so, since Kafka deleted a
# record that was being read just then, is gone at the next look.
_ATTEMPTS = 3

_READERS = {
    topics.FRAMES.name: Stage.EMBED,
    topics.FACES.name: Stage.MATCH,
    topics.ALERTS.name: Stage.REVIEW,
}


class Reader(Protocol):
    """A cluster's records; `console.edges.kafka_read` is the real one."""

    def values(self, topic: str) -> Iterable[bytes]: ...

    def stands(self, topic: str, group: str) -> dict[int, int | None]: ...

    def ahead(
        self, topic: str, stands: Mapping[int, int | None]
    ) -> tuple[Mapping[int, Log], Iterable[Record]]: ...


def read_statement(reader: Reader, deployment: str) -> Statement:
    """The deployment's statement; blocks for a few reads of its topics."""
    statement = _statement(reader, deployment)
    for _ in range(_ATTEMPTS - 1):
        if statement.reconciles and not statement.alerts_lost:
            break
        statement = _statement(reader, deployment)
    return statement


def _statement(reader: Reader, deployment: str) -> Statement:
    # Where the groups stand comes first: what they have not read then, they have not counted either.
    stands = {topic: reader.stands(topic, f"signpost-{stage}-{deployment}") for topic, stage in _READERS.items()}
    counted = _events(reader, topics.COUNTS.name)
    ahead = {topic: Ahead(*reader.ahead(topic, found)) for topic, found in stands.items()}
    decided = [event for event in _events(reader, topics.DECISIONS.name) if isinstance(event, CaseEvent)]
    return state(deployment, Read(counted, ahead, decided, _events(reader, topics.COUNTS.name)))


def _events(reader: Reader, topic: str) -> list[Event]:
    return list(_decoded(reader.values(topic), topic))


def _decoded(values: Iterable[bytes], topic: str) -> Iterator[Event]:
    for raw in values:
        try:
            yield codec.open_clear(codec.peek(raw, topic=topic))
        except Undecodable:
            # A stranger's: it says nothing of what we did.
            continue
