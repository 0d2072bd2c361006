"""How a stage numbers what it gives and counts what it passes, for the Kafka loop: by the names of contracts."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from services.contracts import counts, topics
from services.contracts.counts import Count, CountKey, Lane
from services.contracts.errors import Transient
from services.contracts.events import StageCounts
from services.contracts.ids import DeploymentId
from services.contracts.told import Proven, Telling
from services.contracts.topics import Topic
from services.runtime.kafka.config import Connection
from services.runtime.kafka.follow import WholeRecords
from services.runtime.kafka.marks import ByNumber, ByOffset, Giving, InRunOf, Recall, Recalled, Told
from services.runtime.kafka.passing import OnError
from services.runtime.kafka.types import Output, Record
from services.runtime.proofs import written

log = logging.getLogger(__name__)

# The topic is compacted, and read where a group has no mark yet. It may be long; one that gives nothing for
# so long is asked again.
_QUIET_S = 10.0
_LOOK_S = 0.02


def giving(deployment: DeploymentId, topic: Topic, given: Count) -> Giving:
    """Records of `topic` are numbered; the last number of a lane is counted as `given`."""
    return Giving(topic.name, _by_lane(deployment, given))


def by_number(deployment: DeploymentId, *, skipped: Count, passed: Count, told: Told) -> ByNumber:
    """Of what is read, what Kafka deleted unread is counted as `skipped`, by its numbers."""
    return ByNumber(counts.key(deployment, skipped), _by_lane(deployment, passed), told)


def by_offset(
    deployment: DeploymentId,
    *,
    skipped: Count,
    in_run: InRunOf,
    told: Told,
    tells: Callable[[Record], Output | None],
) -> ByOffset:
    """The same by offsets; a record is known as read by its place in its run."""
    return ByOffset(counts.key(deployment, skipped), in_run, told, tells)


def _by_lane(deployment: DeploymentId, name: Count) -> Callable[[Lane], CountKey]:
    return lambda lane: counts.key(deployment, name, str(lane))


def recall(
    connection: Connection,
    deployment: DeploymentId,
    *,
    passed: Count | None = None,
    given: Count,
    proven: Proven,
    on_error: OnError,
) -> Recall:
    """What services told on `counts` of the deployment. Blocks for one reading of the topic; raises Transient.

    `on_error` gets the code of every trouble with the broker.
    """

    def recalled(moved: Callable[[], None]) -> Recalled:
        reading = Reading(deployment, proven, on_error)
        follower = WholeRecords(connection, topics.COUNTS.name, reading.take, on_error=reading.trouble)
        follower.start()
        try:
            finish(follower.caught_up, reading, moved)
        finally:
            follower.stop()
        told = reading.told()
        found = counts.tally(told)
        sequences = counts.sequences_reached(told)
        return Recalled(found.numbers[passed] if passed else {}, found.numbers[given], found.reached, sequences)

    return recalled


class Reading:
    """Of all that lies on `counts`, what services told of one deployment.

    The follower's thread writes; `taken` and `code` are read by the one that waits, `told` when it has stopped.
    """

    def __init__(self, deployment: DeploymentId, proven: Proven, on_error: OnError) -> None:
        self._on_error = on_error
        self._telling = Telling(deployment, proven)
        self.taken = 0
        self.code = ""

    def take(self, record: Record) -> None:
        """One record; what is not ours counts nothing of ours."""
        self.taken += 1
        self._telling.take(written(record))

    def told(self) -> list[StageCounts]:
        """What adds up to all that was told. What nobody of ours wrote is said in the log."""
        found = [event for event in self._telling.events() if isinstance(event, StageCounts)]
        if foreign := self._telling.foreign():
            log.warning("records on counts passed over", extra={"records": foreign})
        return found

    def trouble(self, code: str) -> None:
        self.code = code
        self._on_error(code)


def finish(
    caught_up: Callable[[], bool], reading: Reading, moved: Callable[[], None], *, quiet_s: float = _QUIET_S
) -> None:
    """Until the topic is read to its end, however long it is. Raises Transient where it stands still."""
    taken, since_s = reading.taken, time.monotonic()
    while not caught_up():
        if reading.taken != taken:
            taken, since_s = reading.taken, time.monotonic()
            moved()
        elif time.monotonic() - since_s > quiet_s:
            said = f": {reading.code}" if reading.code else ""
            raise Transient(
                f"{topics.COUNTS.name} gave nothing for {quiet_s:g} s, and is not read to its end{said}"
            )
        threading.Event().wait(_LOOK_S)
