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

# Judged at one look. The leader looks every two seconds, on the thread that renews the leases, and anybody may
# have written here: a signature takes some hundred microseconds.
_MOST_AT_ONCE = 100
# An answer has some hundred bytes; nothing longer is kept to be judged.
_MOST_BYTES = 16 * 1024


class KafkaAnswers:
    """The newest answer of each process that its holder signed, from `start` to `stop`.

    The follower's thread adds to what was read; any may ask, and a lock guards what was judged. What is not judged
    at one look is at a later one; by another registry all is judged anew, for it may know another key.
    """

    def __init__(self, connection: Connection, *, on_error: OnError, on_undecodable: Callable[[], None]) -> None:
        self._on_undecodable = on_undecodable
        self._read: list[str] = []
        self._lock = threading.Lock()
        self._next = 0
        self._early: list[str] = []
        self._known: dict[tuple[str, str, str], PurgeAnswer] = {}
        self._refused: set[int] = set()
        self._by = 0
        self._follower = Follower(connection, topics.PURGES.name, self.take, on_error=on_error)

    def start(self) -> None:
        self._follower.start()

    def stop(self) -> None:
        """The thread has ended on return."""
        self._follower.stop()

    def take(self, value: bytes) -> None:
        """One record; what is no text is no token, and refused as one."""
        if len(value) > _MOST_BYTES:
            self._on_undecodable()
            log.warning("an answer to a purge is too long to be one")
            return
        self._read.append(value.decode(errors="replace"))

    def answers(self, registry: Registry | None, now: datetime) -> tuple[PurgeAnswer, ...]:
        """Those known by now, as far as this registry vouches for who signed them. Blocks for milliseconds."""
        if registry is None:
            return ()
        with self._lock:
            if registry.sequence != self._by:
                self._next, self._early, self._known, self._by = 0, [], {}, registry.sequence
            ends = min(len(self._read), self._next + _MOST_AT_ONCE)
            waiting, self._early = [*self._early, *self._read[self._next : ends]], []
            self._next = ends
            for token in waiting:
                self._judge(token, registry, now)
            return tuple(self._known.values())

    def _judge(self, token: str, registry: Registry, now: datetime) -> None:
        try:
            one = answered(token, registry=registry, now=now)
        except NotBelieved as error:
            if error.why is Rejection.FUTURE:
                # For now: another machine's clock may be a little ahead.
                self._early = [*self._early, token][-_MOST_AT_ONCE:]
            elif hash(token) not in self._refused:
                self._refused.add(hash(token))
                self._on_undecodable()
                log.warning("an answer to a purge is not believed", extra={"reason": str(error)})
        else:
            self._known[one.deployment, one.holder, one.instance] = one
