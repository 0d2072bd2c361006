"""A record is held against its topic's own limit before the client has it: what the broker refuses costs more."""

from __future__ import annotations

from services.contracts import topics
from services.runtime.kafka.broker import TooLarge
from services.runtime.kafka.types import Output


def check_fits(output: Output) -> None:
    """Raises TooLarge. Of a topic that is not in the table only the broker knows."""
    row = topics.BY_NAME.get(output.topic)
    if row is not None and record_bytes(output) > row.max_record_bytes:
        raise TooLarge("MSG_SIZE_TOO_LARGE", f"{record_bytes(output)} bytes for {output.topic}")


def record_bytes(output: Output) -> int:
    """Key, value and headers; a header costs its lengths too."""
    headers = sum(len(name.encode()) + len(value) + 10 for name, value in output.headers)
    return len(output.key or b"") + len(output.value) + headers
