"""How a stage numbers what it gives and counts what it passes, for the Kafka loop: by the names of contracts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

from services.contracts import codec, counts, topics
from services.contracts.counts import Count, CountKey, Lane
from services.contracts.errors import SignpostError, Transient
from services.contracts.events import StageCounts
from services.contracts.ids import DeploymentId
from services.contracts.topics import Topic
from services.runtime.kafka.config import Connection
from services.runtime.kafka.follow import Follower
from services.runtime.kafka.marks import ByNumber, ByOffset, First, Giving, Recalled, Told

# The topic is compacted, and read where a group has no mark yet. Then asked again.
_READ_WITHIN_S = 10.0
_LOOK_S = 0.02


def giving(deployment: DeploymentId, topic: Topic, given: Count) -> Giving:
    """Records of `topic` are numbered; the last number of a lane is counted as `given`."""
    return Giving(topic.name, _by_lane(deployment, given))


def by_number(deployment: DeploymentId, *, skipped: Count, passed: Count, told: Told) -> ByNumber:
    """Of what is read, what Kafka deleted unread is counted as `skipped`, by its numbers."""
    return ByNumber(counts.key(deployment, skipped), _by_lane(deployment, passed), told)


def by_offset(deployment: DeploymentId, *, skipped: Count, first: First, told: Told) -> ByOffset:
    """The same by offsets."""
    return ByOffset(counts.key(deployment, skipped), first, told)


def _by_lane(deployment: DeploymentId, name: Count) -> Callable[[Lane], CountKey]:
    return lambda lane: counts.key(deployment, name, str(lane))


def recall(
    connection: Connection, deployment: DeploymentId, *, passed: Count | None = None, given: Count
) -> Callable[[], Recalled]:
    """What `counts` says of the deployment. Blocks for one reading of the topic; raises Transient."""

    def recalled() -> Recalled:
        found = counts.tally(_counted(_values(connection), deployment))
        numbers = found.numbers
        return Recalled(numbers[passed] if passed else {}, numbers[given], found.reached)

    return recalled


def _values(connection: Connection) -> list[bytes]:
    values: list[bytes] = []
    follower = Follower(connection, topics.COUNTS.name, values.append, on_error=lambda code: None)
    follower.start()
    try:
        until = time.monotonic() + _READ_WITHIN_S
        while not follower.caught_up():
            if time.monotonic() > until:
                raise Transient(f"{topics.COUNTS.name} was not read to its end in {_READ_WITHIN_S:g} s")
            threading.Event().wait(_LOOK_S)
    finally:
        follower.stop()
    return values


def _counted(values: Iterable[bytes], deployment: DeploymentId) -> Iterator[StageCounts]:
    for value in filter(None, values):
        try:
            event = codec.open_clear(codec.peek(value, topic=topics.COUNTS.name))
        except SignpostError:
            continue  # nobody's: it counts nothing of ours
        if isinstance(event, StageCounts) and event.deployment == deployment:
            yield event
