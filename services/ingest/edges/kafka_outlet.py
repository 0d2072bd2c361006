"""Frames and accounts to Kafka, over runtime's idempotent producer."""

from __future__ import annotations

from collections.abc import Callable

from services.ingest.ports import TOO_LARGE
from services.runtime.kafka.broker import BrokerError, Fatal, ProducerPort, Retriable, TooLarge
from services.runtime.kafka.types import Output
from services.runtime.proofs import Prove


class KafkaOutlet:
    """`Outlet` on a producer that it alone uses; what goes out is signed. One thread."""

    def __init__(self, producer: ProducerPort, prove: Prove) -> None:
        self._producer = producer
        self._prove = prove
        self._fatal: Fatal | None = None

    def send(self, output: Output, answered: Callable[[str | None], None]) -> None:
        def delivered(error: BrokerError | None) -> None:
            if isinstance(error, Fatal):
                self._fatal = error
            answered(_code(error))

        try:
            self._producer.send(self._prove(output), delivered)
        except Retriable as no_room:
            answered(no_room.code)

    def serve(self) -> None:
        self._producer.poll()
        if self._fatal is not None:
            raise self._fatal


def _code(error: BrokerError | None) -> str | None:
    if isinstance(error, TooLarge):
        return TOO_LARGE
    return None if error is None else error.code
