"""Guards over every test: no error of ours goes unseen, no thread of ours is left behind."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Ours by name; other libraries' logs and threads are their own affair.
_LOGGERS = ("services", "console", "evaluation")
_THREADS = "signpost-"
# A thread that was told to stop may still be on its last turn when the test ends.
_JOIN_S = 2.0


# How long one example takes depends on what else the machine does; a test that hangs has pytest's own time limit.
settings.register_profile("signpost", deadline=None)
settings.load_profile("signpost")

# Clients that tests make go straight to loopback, as the product's do, on a machine with a proxy in its shell.
_LOOPBACK = "127.0.0.1,::1,localhost"
for _name in ("no_proxy", "NO_PROXY"):
    os.environ[_name] = ",".join(filter(None, (os.environ.get(_name), _LOOPBACK)))  # noqa: TID251


class ExpectedErrors:
    """What a test says about the ERROR logs it provokes on purpose, by their constant message."""

    def __init__(self) -> None:
        self.messages: set[str] = set()

    def add(self, *messages: str) -> None:
        self.messages.update(messages)


class _ErrorsOfOurs(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] in _LOGGERS:
            self.records.append(record)


@pytest.fixture
def expected_errors() -> ExpectedErrors:
    """`expected_errors.add("message")`: this ERROR log is what the test is about."""
    return ExpectedErrors()


@pytest.fixture(autouse=True)
def no_unexpected_errors(expected_errors: ExpectedErrors) -> Iterator[None]:
    """Fail a test during which our code logged an ERROR that the test did not expect."""
    # On each of our roots, not on the root logger: caplog and logs.configure replace that one's handlers.
    handler = _ErrorsOfOurs()
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(handler)
    yield
    for name in _LOGGERS:
        logging.getLogger(name).removeHandler(handler)
    formatter = logging.Formatter("%(name)s: %(message)s")
    unexpected = [
        formatter.format(record)
        for record in handler.records
        if record.getMessage() not in expected_errors.messages
    ]
    assert not unexpected, "logged, and no test expected it:\n" + "\n".join(unexpected)


@pytest.fixture(autouse=True)
def no_leftover_threads() -> Iterator[None]:
    """Fail a test that leaves a thread of ours running, daemon or not."""
    before = set(threading.enumerate())
    yield
    started = [
        thread for thread in threading.enumerate() if thread not in before and thread.name.startswith(_THREADS)
    ]
    for thread in started:
        thread.join(_JOIN_S)
    left = sorted(thread.name for thread in started if thread.is_alive())
    assert not left, f"threads left running: {', '.join(left)}"
