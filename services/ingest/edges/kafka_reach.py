"""Whether Kafka answers and has the topics ingest writes to, asked now and then."""

from __future__ import annotations

import threading

from services.contracts import topics
from services.runtime.kafka.admin import Admin, admin
from services.runtime.kafka.broker import BrokerError
from services.runtime.kafka.config import Connection

_ASK_EVERY_S = 3.0
# Above a broker's slow moments; below it readiness would flap, and no work waits for this answer.
_ANSWER_S = 2.0
_WRITTEN = (topics.FRAMES.name, topics.COUNTS.name)


class KafkaReach:
    """Asks on a thread of its own from `start` to `close`; `answers` may be read by any."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="signpost-ingest-reach", daemon=True)
        self.answers = False

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """The thread has ended on return."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _ask(self) -> None:
        with admin(self._connection) as client:
            while not self._stop.is_set():
                self.answers = _has_topics(client)
                self._stop.wait(_ASK_EVERY_S)


def _has_topics(client: Admin) -> bool:
    try:
        known = client.list_topics(timeout=_ANSWER_S).topics
    except BrokerError:
        return False
    return all(name in known for name in _WRITTEN)
