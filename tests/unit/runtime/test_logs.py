"""A log line is JSON with a constant message, the fields of the event and the bound ids."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from services.runtime.logs import JsonFormatter, bind

log = logging.getLogger("tests.logs")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("sample", "sample-1"))
    log.addHandler(handler)
    log.setLevel("INFO")
    yield stream
    log.removeHandler(handler)


def last(lines: io.StringIO) -> dict[str, object]:
    parsed: dict[str, object] = json.loads(lines.getvalue().splitlines()[-1])
    return parsed


def fail(address: str) -> None:
    raise OSError(f"Connection refused: '{address}'")


def test_a_line_names_time_level_service_instance_message_and_fields(lines: io.StringIO) -> None:
    log.info("lease taken", extra={"lease": 7})
    line = last(lines)
    assert str(line.pop("timestamp")).endswith("+00:00")
    assert line == {
        "level": "INFO",
        "service": "sample",
        "instance": "sample-1",
        "logger": "tests.logs",
        "message": "lease taken",
        "lease": 7,
    }


def test_bound_ids_are_on_every_line_inside_and_gone_after(lines: io.StringIO) -> None:
    with bind(source="gate-1"), bind(trace="t1"):
        log.info("inside")
    inside = last(lines)
    log.info("after")
    assert (inside["source"], inside["trace"]) == ("gate-1", "t1")
    assert "source" not in last(lines)


def test_bytes_in_a_field_become_their_length(lines: io.StringIO) -> None:
    log.info("read", extra={"payload": b"\x89PNG very private"})
    assert last(lines)["payload"] == "<17 bytes>"


def test_a_password_in_an_exception_is_in_neither_message_nor_traceback(lines: io.StringIO) -> None:
    """libav puts the whole address into its errors: whoever reads the logs would own the source."""
    try:
        fail("rtsp://operator:sesame@10.0.0.7/ch1")
    except OSError:
        log.exception("cannot open %s", "rtsp://operator:sesame@10.0.0.7/ch1")
    assert "sesame" not in lines.getvalue()
    assert "10.0.0.7" in str(last(lines)["traceback"])


def test_a_field_cannot_take_the_place_of_a_standing_one(lines: io.StringIO) -> None:
    log.info("moved", extra={"service": "somebody else"})
    assert last(lines)["service"] == "sample"
