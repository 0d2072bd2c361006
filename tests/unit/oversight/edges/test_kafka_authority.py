"""The log has one writer: who is fenced writes nothing, and half a decision is never seen."""

from __future__ import annotations

import pytest

from services.contracts import codec_authority, topics
from services.contracts.authorisation.records import DocumentPublished, LeaseRenewed
from services.contracts.authorisation.statements import Lease
from services.oversight.core.clerk import Entry
from services.oversight.edges.kafka_authority import KafkaAuthorityLog
from services.oversight.ports import LogLost, NotRecorded
from services.runtime.kafka.broker import Abortable, Fatal, Fenced, Retriable
from services.runtime.kafka.config import Connection
from services.runtime.kafka.types import Output
from tests.fakes.broker import FakeBroker
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.desk import Desk

TOPIC = "authority"
DOCUMENT = b.a_document()


@pytest.fixture
def broker() -> FakeBroker:
    made = FakeBroker()
    made.create_topic(TOPIC)
    return made


def a_log(broker: FakeBroker, undecodable: list[None] | None = None) -> KafkaAuthorityLog:
    return KafkaAuthorityLog(
        Connection("nowhere:9092", "test"),
        organisation="city-police",
        on_error=lambda code: None,
        on_undecodable=lambda: (undecodable if undecodable is not None else []).append(None),
        make_producer=lambda options, on_error: broker.transactional(str(options["transactional.id"])),
        read=lambda: [record.value for record in broker.records(TOPIC)],
    )


def entries() -> tuple[Entry, ...]:
    desk = Desk().begun().authorised(DOCUMENT)
    return desk.beat().entries


def test_what_is_appended_is_what_the_next_who_takes_it_reads(broker: FakeBroker) -> None:
    elder, younger, written = a_log(broker), a_log(broker), entries()
    elder.take()
    elder.append(written)
    assert younger.take() == [entry.record for entry in written]


def test_records_are_keyed_by_organisation_and_what_they_say(broker: FakeBroker) -> None:
    log = a_log(broker)
    log.take()
    log.append(entries())
    assert [record.key for record in broker.records(TOPIC)] == [b"city-police/oxford-street-1/lease"]


def test_who_was_fenced_writes_nothing(broker: FakeBroker) -> None:
    elder, younger = a_log(broker), a_log(broker)
    elder.take()
    younger.take()
    with pytest.raises(LogLost) as raised:
        elder.append(entries())
    assert raised.value.to_another
    assert broker.records(TOPIC) == []


def test_who_has_lost_it_writes_nothing_before_taking_it_anew(broker: FakeBroker) -> None:
    log = a_log(broker)
    log.take()
    broker.fail_next("commit", Fenced("_FENCED", "taken"))
    with pytest.raises(LogLost):
        log.append(entries())
    with pytest.raises(LogLost):
        log.append(entries())
    log.take()
    log.append(entries())
    assert len(broker.records(TOPIC)) == 1


def test_a_transaction_that_is_refused_leaves_nothing_and_the_next_succeeds(broker: FakeBroker) -> None:
    log = a_log(broker)
    log.take()
    broker.fail_next("commit", Abortable("_TIMED_OUT", "no"))
    with pytest.raises(NotRecorded):
        log.append(entries())
    assert broker.records(TOPIC) == []
    log.append(entries())
    assert len(broker.records(TOPIC)) == 1


def test_a_document_too_large_for_the_topic_is_refused_and_the_log_is_kept(broker: FakeBroker) -> None:
    """An author's document of 3 MB took the log from its leader, and with it every lease of every deployment."""
    log = a_log(broker)
    log.take()
    large = DocumentPublished(bytes(topics.AUTHORITY.max_message_bytes), ())
    with pytest.raises(NotRecorded, match="too large"):
        log.append([*entries(), Entry(large, DOCUMENT)])
    assert broker.records(TOPIC) == []
    log.append(entries())
    assert len(broker.records(TOPIC)) == 1


def test_a_commit_whose_answer_is_late_is_asked_for_again(broker: FakeBroker) -> None:
    log = a_log(broker)
    log.take()
    broker.fail_next("commit", Retriable("_TIMED_OUT", "late"), times=2)
    log.append(entries())
    assert len(broker.records(TOPIC)) == 1


def test_a_client_of_no_use_any_more_loses_the_log_to_nobody(broker: FakeBroker) -> None:
    log = a_log(broker)
    log.take()
    broker.fail_next("begin", Fatal("_FATAL", "broken"))
    with pytest.raises(LogLost) as raised:
        log.append(entries())
    assert not raised.value.to_another


def test_nothing_is_written_before_it_is_taken_nor_after_its_release(broker: FakeBroker) -> None:
    log = a_log(broker)
    with pytest.raises(LogLost):
        log.append(entries())
    log.take()
    log.release()
    with pytest.raises(LogLost):
        log.append(entries())


def test_what_cannot_be_read_is_passed_over_and_counted(broker: FakeBroker) -> None:
    counted: list[None] = []
    log = a_log(broker, counted)
    log.take()
    log.append(entries())
    other = broker.transactional("a stranger")
    other.init(1)
    other.begin()
    other.send(Output(TOPIC, b"k", b"\xff\xff"))
    other.commit(1)
    (record,) = log.take()
    assert isinstance(record, LeaseRenewed)
    assert len(counted) == 1


def test_a_record_reads_as_it_was_written() -> None:
    for entry in entries():
        assert codec_authority.decode(codec_authority.encode(entry.record)) == entry.record
        assert isinstance(entry.said, Lease)
