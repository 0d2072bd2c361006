"""The loop's values: counts, options, and what they must not show."""

from __future__ import annotations

import pytest

from services.runtime.kafka.broker import Reset
from services.runtime.kafka.config import (
    DELIVERY_TIMEOUT_MS,
    TRANSACTION_TIMEOUT_MS,
    Connection,
    consumer_options,
    transactional_options,
)
from services.runtime.kafka.counts import Ledger
from services.runtime.kafka.types import Output, Prepared, Record

CONNECTION = Connection("broker:9093", "embed", {"ssl.key.password": "hunter2"})


def a_record() -> Record:
    return Record("frames", 0, 7, b"gate-1", b"a face", (), 0)


@pytest.mark.parametrize(
    "value", [a_record(), Output("faces", b"gate-1", b"a face"), Prepared(a_record(), "a face"), CONNECTION]
)
def test_no_text_of_a_value_shows_contents_keys_or_secrets(value: object) -> None:
    assert not any(secret in f"{value!r}{value}" for secret in ("a face", "gate-1", "hunter2"))


def test_counts_that_were_not_committed_are_forgotten() -> None:
    ledger = Ledger()
    ledger.commit(ledger.stage({("gate", "in"): 2}, {}))
    ledger.stage({("gate", "in"): 40}, {("gate", "open"): 9})
    assert ledger.stage({("gate", "in"): 1}, {("gate", "open"): 3}).cumulative == {
        ("gate", "in"): 3,
        ("gate", "open"): 3,
    }


def test_counts_that_say_nothing_new_say_so() -> None:
    ledger = Ledger()
    ledger.commit(ledger.stage({("gate", "in"): 2}, {("gate", "open"): 1}))
    assert not ledger.stage({}, {("gate", "open"): 1}).changed
    assert ledger.stage({}, {("gate", "open"): 0}).changed


def test_a_consumer_reads_what_is_committed_and_commits_nothing_by_itself() -> None:
    options = consumer_options(CONNECTION, group="match", reset=Reset.ERROR)
    assert options["isolation.level"] == "read_committed"
    assert options["enable.auto.commit"] is False
    assert options["group.protocol"] == "consumer"
    assert options["auto.offset.reset"] == "error"


def test_a_record_fails_before_its_transaction_times_out() -> None:
    """The other way round the broker would end a transaction whose records are still being sent."""
    assert DELIVERY_TIMEOUT_MS < TRANSACTION_TIMEOUT_MS
    options = transactional_options(CONNECTION, transactional_id="embed-1")
    assert options["enable.idempotence"] is True
    assert options["transaction.timeout.ms"] == TRANSACTION_TIMEOUT_MS
