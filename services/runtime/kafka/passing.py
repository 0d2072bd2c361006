"""Errors that pass by themselves: every one counted, not every one logged."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaError

OnError = Callable[[str], None]

# A broker that is away is reported ten times a second: once in this long is enough to read.
_LOG_EVERY_S = 10.0


class PassingErrors:
    """librdkafka's error callback of one client; called on the thread that owns the client."""

    def __init__(self, log: logging.Logger, on_error: OnError) -> None:
        self._log = log
        self._on_error = on_error
        self._logged_s: dict[str, float] = {}

    def __call__(self, error: KafkaError) -> None:
        self.tell(error.name(), error.str())

    def tell(self, code: str, text: str) -> None:
        """The same, of an error that was classified already."""
        self._on_error(code)
        now_s = time.monotonic()
        if now_s - self._logged_s.get(code, -_LOG_EVERY_S) >= _LOG_EVERY_S:
            self._logged_s[code] = now_s
            self._log.warning("kafka client error", extra={"code": code, "text": text})
