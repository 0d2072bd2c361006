"""What holders have answered to orders to purge: the topic `purges`, read from its beginning and followed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from services.contracts import topics
from services.contracts.authorisation.purging import PurgeAnswer, answered
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.statements import NotBelieved, Rejection
from services.runtime.kafka.config import Connection
from services.runtime.kafka.follow import Follower
from services.runtime.kafka.passing import OnError

log = logging.getLogger(__name__)


class KafkaAnswers:
    """The newest answer of each process that its holder signed, from `start` to `stop`.

    The follower's thread adds to what was read; any may ask, and a lock guards what was judged.
    """

    def __init__(self, connection: Connection, *, on_error: OnError, on_undecodable: Callable[[], None]) -> None:
        self._on_undecodable = on_undecodable
        self._read: list[str] = []
        self._lock = threading.Lock()
        self._judged: dict[str, PurgeAnswer | None] = {}
        self._by = 0
        self._follower = Follower(connection, topics.PURGES.name, self.take, on_error=on_error)

    def start(self) -> None:
        self._follower.start()

    def stop(self) -> None:
        """The thread has ended on return."""
        self._follower.stop()

    def take(self, value: bytes) -> None:
        """One record; what is no text is no token, and refused as one."""
        self._read.append(value.decode(errors="replace"))

    def answers(self, registry: Registry | None, now: datetime) -> tuple[PurgeAnswer, ...]:
        """Those known by now, as far as this registry vouches for who signed them. Never blocks."""
        if registry is None:
            return ()
        with self._lock:
            if registry.sequence != self._by:
                self._judged, self._by = {}, registry.sequence
            judged = [self._judge(token, registry, now) for token in self._read.copy()]
        known = {(one.deployment, one.holder, one.instance): one for one in judged if one is not None}
        return tuple(known.values())

    def _judge(self, token: str, registry: Registry, now: datetime) -> PurgeAnswer | None:
        if token not in self._judged:
            try:
                self._judged[token] = answered(token, registry=registry, now=now)
            except NotBelieved as error:
                if error.why is Rejection.FUTURE:
                    return None  # for now: another machine's clock may be a little ahead
                self._judged[token] = None
                self._on_undecodable()
                log.warning("an answer to a purge is not believed", extra={"reason": str(error)})
        return self._judged[token]
