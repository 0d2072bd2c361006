"""Logs as events: one line of JSON each, a constant message and fields."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

from services.runtime import redact

_bound: ContextVar[Mapping[str, object]] = ContextVar("signpost_log_fields", default={})  # noqa: B039 - never changed

# What a LogRecord has by itself; everything else in it came as `extra`.
_OF_THE_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(service: str, instance: str, level: str, *, stream: TextIO | None = None) -> None:
    """Send every log of this process to `stream` (stderr) as JSON; replaces what was configured."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service, instance))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)


@contextmanager
def bind(**fields: object) -> Iterator[None]:
    """Every log written inside, on this thread or task, carries `fields` (ids, never contents)."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


class JsonFormatter(logging.Formatter):
    """The only way out for a record, so the guard stands here: see `redact` for what it takes out."""

    def __init__(self, service: str, instance: str) -> None:
        super().__init__()
        self._service = service
        self._instance = instance

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: field for name, field in vars(record).items() if name not in _OF_THE_RECORD}
        line: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "instance": self._instance,
            "logger": record.name,
            "message": redact.text(record.getMessage()),
        }
        for name, field in {**_bound.get(), **extra}.items():
            line.setdefault(name, redact.value(field))
        if record.exc_info:
            line["traceback"] = redact.text(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)
