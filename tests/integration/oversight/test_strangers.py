"""Whoever may write to the audit topics, and has no key, stops nothing there and acknowledges nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest
from confluent_kafka import Consumer, TopicPartition

from console.audit.verify import verify_lines
from console.edges.kafka_read import KafkaReader
from console.stack.kafka import KafkaCluster
from services.contracts import codec_audit
from services.contracts.audit.chain import Audited
from services.contracts.audit.requests import SYSTEM, SignedRequest
from services.contracts.audit.terms import Term, sign_term
from services.runtime.audit_trail import AuditTrail
from services.runtime.kafka.types import Output
from tests.integration.oversight.chain_ground import ChainGround
from tests.integration.oversight.test_audit_trail import WITHIN_S, a_trail, a_view, chained, whole
from tests.integration.runtime.kafka_world import KafkaWorld
from tests.support import eventually
from tests.unit.contracts.audit.builders import (
    CHAIN,
    PRODUCERS,
    SEQUENCER,
    SERVICES,
    STRANGER,
    a_request,
    entered,
    root_fingerprint,
    signed,
)

THIEVES = (STRANGER, SERVICES["review"], SERVICES["match"])


@pytest.fixture
def ground(kafka: KafkaCluster) -> Iterator[ChainGround]:
    world = KafkaWorld(kafka.bootstrap)
    yield ChainGround(world)
    world.close()


@contextmanager
def asking(ground: ChainGround) -> Iterator[AuditTrail]:
    trail = a_trail(ground.world.connection.bootstrap, ground.names.requests, ground.names.audit)
    try:
        eventually(trail.ready, "the end of the topic", within_s=WITHIN_S)
        yield trail
    finally:
        trail.stop()


def write(ground: ChainGround, topic: str, values: Sequence[bytes], *, partitions: int = 1) -> None:
    """As anybody who reaches the broker may."""
    producer = ground.world.producer()
    for value in values:
        for partition in range(partitions):
            producer.send(Output(topic, b"stranger", value, partition=partition), lambda error: None)
    assert producer.flush(WITHIN_S) == 0


def rubbish() -> list[bytes]:
    return [b"", b"abc", b"\x0a\x03abc", os.urandom(400), b"\xff" * 900_000, b"\x0a" * 100_000]


def forged(ground: ChainGround) -> list[bytes]:
    """Entries, heads and terms that no sequencer of ours made, as near to true ones as may be."""
    request = signed(a_request(producer="review/thief", sequence=1))
    found = [record for record in ground.recorded() if isinstance(record, Audited)]
    end = found[-1] if found else entered(request)
    following = entered(request, number=end.number + 1, previous=end.hash, term=end.term, key=STRANGER)
    entries = [
        following,
        replace(following, key=end.key),
        entered(request, number=end.number + 1, previous=end.hash, key=SEQUENCER),
        entered(request, number=10**9, previous=end.hash, term=end.term, key=STRANGER),
        entered(signed(a_request(chain=SYSTEM)), key=STRANGER),
        entered(signed(a_request(chain="another-s")), key=SERVICES["review"]),
    ]
    term = Term(id=os.urandom(16), previous=end.term, entries=0)
    terms = [sign_term(term, STRANGER), sign_term(replace(term, previous=b""), SEQUENCER)]
    records: list[codec_audit.ChainRecord] = [*entries, *terms]
    return [codec_audit.encode_record(record) for record in records]


def aborted(ground: ChainGround) -> list[bytes]:
    """What a sequencer signed and never committed: anybody can ask the broker for it."""
    committed = set(ground.values())
    return [value for value in dict.fromkeys(uncommitted(ground)) if value not in committed]


def uncommitted(ground: ChainGround) -> list[bytes]:
    """Everything that ever lay in the topic."""
    reader = Consumer(
        {
            "bootstrap.servers": ground.world.connection.bootstrap,
            "group.id": "spy",
            "isolation.level": "read_uncommitted",
            "enable.auto.commit": False,
        }
    )
    try:
        where = TopicPartition(ground.names.audit, 0)
        reader.assign([TopicPartition(ground.names.audit, 0, 0)])
        _, end = reader.get_watermark_offsets(where, timeout=WITHIN_S)
        values: list[bytes] = []

        def has_read() -> bool:
            values.extend(message.value() or b"" for message in reader.consume(500, 0.2) if not message.error())
            return reader.position([where])[0].offset >= end - 1

        eventually(has_read, "the end of the topic", within_s=WITHIN_S)
        return values
    finally:
        reader.close()


def test_who_writes_without_a_pause_holds_up_no_start_and_no_entry(ground: ChainGround) -> None:
    """A reader that waits for an empty fetch never comes to the end of such a topic."""
    with ground.world.writing(ground.names.requests, ground.names.audit), asking(ground) as trail:
        with ground.sequencer():
            trail.record(a_view("before")).result(timeout=WITHIN_S)
        with ground.sequencer():
            trail.record(a_view("after")).result(timeout=WITHIN_S)
    assert chained(ground) == ["before", "after"]


def test_what_strangers_write_on_both_topics_stops_no_entry_and_no_recovery(ground: ChainGround) -> None:
    """Three bytes on `audit` ended the organisation's chain: no face was shown, nobody signed in, for good."""
    requests, audit = ground.names.requests, ground.names.audit
    views = 0
    with asking(ground) as trail:
        for _ in range(3):
            write(ground, audit, [*rubbish(), *forged(ground)])
            write(ground, requests, [*rubbish(), *forged(ground)], partitions=len(PRODUCERS))
            with ground.sequencer():
                for _ in range(2):
                    trail.record(a_view(f"view-{views}")).result(timeout=WITHIN_S)
                    views += 1
                    write(ground, audit, [*rubbish(), *forged(ground), *ground.values()])
                    write(ground, requests, [*rubbish(), *ground.values()], partitions=len(PRODUCERS))
    assert chained(ground) == [f"view-{number}" for number in range(views)]
    whole(ground)
    assert len(ground.values()) > 200


def test_a_forged_acknowledgement_shows_no_face(ground: ChainGround) -> None:
    """Nobody sequences yet: whoever writes to `audit` says in every way there is that our request is chained."""
    with asking(ground) as trail:
        asked = trail.record(a_view("view"))
        (sent,) = eventually(lambda: asked_for(ground), "the request, for all to read", within_s=WITHIN_S)
        told = [entered(sent, number=number, key=key) for number in (1, 10**9) for key in THIEVES]
        told += [replace(one, key=entered(sent).key) for one in told]
        write(ground, ground.names.audit, [codec_audit.encode_record(one) for one in told])
        # It has read all of them once a true acknowledgement, behind them, has come.
        with ground.sequencer():
            second = trail.record(a_view("second"))
            assert not asked.done()
            second.result(timeout=WITHIN_S)
            asked.result(timeout=WITHIN_S)
    assert chained(ground) == ["view", "second"]


def asked_for(ground: ChainGround) -> list[SignedRequest]:
    """As anybody reads them."""
    reader = KafkaReader(ground.world.connection.bootstrap)
    try:
        return [codec_audit.read_request(value) for value in reader.values(ground.names.requests)]
    finally:
        reader.close()


def test_what_is_copied_out_of_aborted_transactions_is_never_a_second_history(ground: ChainGround) -> None:
    """A stranger needs no key for true signatures: the broker hands out what a dead sequencer had in hand."""
    with ground.producers(each_s=0.1):
        for point in ("before_commit", "after_produce", "before_commit"):
            with ground.sequencer(point, 3) as life:
                life.join(WITHIN_S)
            with ground.sequencer():
                at_work(ground)
                copies = aborted(ground)
                assert copies, "nothing was aborted"
                write(ground, ground.names.audit, [*copies, *reversed(copies)])
    with ground.sequencer():
        eventually(lambda: not ground.missing().gaps, "every request recorded", within_s=WITHIN_S)
    assert ground.missing().doubles == 0
    for chain in (CHAIN, SYSTEM):
        verdict = verify_lines(ground.file(chain), root_fingerprint())
        assert verdict.ok, verdict.fault
        assert verdict.entries == sum(last for (of, _), last in ground.sent.items() if of == chain)


def at_work(ground: ChainGround) -> None:
    seen = ground.entries()
    eventually(lambda: ground.entries() > seen, "a sequencer at work", within_s=WITHIN_S)


def test_who_has_the_key_of_one_service_stops_no_other(ground: ChainGround) -> None:
    """One request that could not follow, on each partition, parked all of them: nobody's entries were chained."""
    stolen = [
        signed(a_request(producer=producer, sequence=sequence, about="d" * 32)).raw
        for producer in ("match/match-0", "match/another")
        for sequence in (7, 1, 1000, 1)
    ]
    with asking(ground) as trail:
        write(ground, ground.names.requests, stolen, partitions=len(PRODUCERS))
        with ground.sequencer():
            for number in range(3):
                trail.record(a_view(f"view-{number}")).result(timeout=WITHIN_S)
                write(ground, ground.names.requests, stolen, partitions=len(PRODUCERS))
    assert [about for about in chained(ground) if about.startswith("view")] == [f"view-{n}" for n in range(3)]
    whole(ground)
