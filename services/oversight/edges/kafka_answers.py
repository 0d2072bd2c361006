"""What holders have answered to orders to purge: the topic `purges`, read from its beginning and followed."""

from __future__ import annotations

import logging
from collections.abc import Callable

from services.contracts import topics
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.purging import Holder, PurgeAnswer
from services.runtime.kafka.config import Connection
from services.runtime.kafka.follow import Follower
from services.runtime.kafka.passing import OnError

log = logging.getLogger(__name__)


class KafkaAnswers:
    """The newest answer of each process, from `start` to `stop`. The follower's thread writes; any may ask."""

    def __init__(self, connection: Connection, *, on_error: OnError, on_undecodable: Callable[[], None]) -> None:
        self._on_undecodable = on_undecodable
        self._known: dict[tuple[str, Holder, str], PurgeAnswer] = {}
        self._follower = Follower(connection, topics.PURGES.name, self.take, on_error=on_error)

    def start(self) -> None:
        self._follower.start()

    def stop(self) -> None:
        """The thread has ended on return."""
        self._follower.stop()

    def answers(self) -> tuple[PurgeAnswer, ...]:
        """Those known by now. Never blocks."""
        return tuple(self._known.copy().values())

    def take(self, value: bytes) -> None:
        """One record."""
        try:
            answer = PurgeAnswer.from_canonical(value)
        except NotAuthorised:
            self._on_undecodable()
            log.warning("an answer to a purge is none of ours")
            return
        self._known[answer.deployment, answer.holder, answer.instance] = answer
