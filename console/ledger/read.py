"""Read what a deployment's statement is made of, in the order that makes it one of a single moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Protocol

from console.audit.collect import newest_keys
from console.ledger.crossing import Ahead
from console.ledger.statement import Read, Statement, state
from services.contracts import codec, proof, topics
from services.contracts.authorisation.registry import open_registry
from services.contracts.counts import Stage
from services.contracts.decisions import CaseEvent
from services.contracts.errors import Undecodable
from services.contracts.events import Event
from services.contracts.places import Log
from services.contracts.told import Telling
from services.runtime.kafka.types import Record
from services.runtime.proofs import Proven, written

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

    def records(self, topic: str) -> Iterable[Record]: ...

    def stands(self, topic: str, group: str) -> dict[int, int | None]: ...

    def ahead(
        self, topic: str, stands: Mapping[int, int | None]
    ) -> tuple[Mapping[int, Log], Iterable[Record]]: ...


def read_statement(reader: Reader, deployment: str, *, root: str) -> Statement:
    """The deployment's statement, of what services have signed whose keys the root with this fingerprint names.

    Blocks for a few reads of its topics. Raises Misconfigured where Kafka has no registry of that root.
    """
    statement = _statement(reader, deployment, root)
    for _ in range(_ATTEMPTS - 1):
        if statement.reconciles and not statement.alerts_lost:
            break
        statement = _statement(reader, deployment, root)
    return statement


def _statement(reader: Reader, deployment: str, root: str) -> Statement:
    token = newest_keys(reader.values(topics.AUTHORITY.name), root).token
    registry = open_registry(token, root_fingerprint=root)
    proven = Proven(lambda: registry)
    # Where the groups stand comes first: what they have not read then, they have not counted either.
    stands = {topic: reader.stands(topic, f"signpost-{stage}-{deployment}") for topic, stage in _READERS.items()}
    counted = _told(reader, deployment, proven)
    ahead = {topic: _ahead(reader, topic, found, proven) for topic, found in stands.items()}
    decided = [event for event in _events(reader, topics.DECISIONS.name) if isinstance(event, CaseEvent)]
    later = _told(reader, deployment, proven)
    return state(
        deployment,
        Read(
            counted.events(),
            ahead,
            decided,
            later.events(),
            foreign=later.foreign(),
            overwritten=later.overwritten(),
        ),
    )


def _ahead(reader: Reader, topic: str, stands: Mapping[int, int | None], proven: Proven) -> Ahead:
    """What lies ahead and the topic's writer has signed: its reader passes over all else."""
    logs, records = reader.ahead(topic, stands)
    if topic not in proof.TOPICS:
        return Ahead(logs, records)
    (writer,), now = topics.BY_NAME[topic].writers, datetime.now(UTC)
    return Ahead(logs, [one for one in records if proven(written(one), writer, now=now) is not None])


def _told(reader: Reader, deployment: str, proven: Proven) -> Telling:
    telling = Telling(deployment, proven)
    for record in reader.records(topics.COUNTS.name):
        telling.take(written(record))
    return telling


def _events(reader: Reader, topic: str) -> list[Event]:
    return list(_decoded(reader.values(topic), topic))


def _decoded(values: Iterable[bytes], topic: str) -> Iterator[Event]:
    for raw in values:
        try:
            yield codec.open_clear(codec.peek(raw, topic=topic))
        except Undecodable:
            # A stranger's: it says nothing of what we did.
            continue
