"""A trail numbers without gaps, sends in order until it is heard, and acknowledges what is chained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace

import pytest

from services.contracts.audit.numbering import Deed, Numbering, Under, incarnation
from services.contracts.audit.requests import Action, SignedRequest
from services.contracts.codec_audit import encode_record, read_request
from services.runtime.audit_trail import AuditTrail, NotChained
from services.runtime.kafka.broker import Retriable
from tests.fakes.broker import FakeBroker
from tests.support import eventually
from tests.unit.contracts.audit.builders import (
    CHAIN,
    NOON,
    SERVICES,
    STRANGER,
    Key,
    entered,
    keys,
    signed,
    verify,
)

TOPIC = "audit_requests"
DEED = Deed(at=NOON, what=Action.FACE_VIEWED, about="c" * 32)


class Ending:
    """The end of `audit`, as a test tells it."""

    def __init__(self) -> None:
        self.at_end = True
        self.tell: Callable[[bytes], None] = lambda value: None

    def __call__(self, seen: Callable[[bytes], None]) -> Ending:
        self.tell = seen
        return self

    def start(self) -> None: ...
    def stop(self) -> None: ...

    def caught_up(self) -> bool:
        return self.at_end

    def chain(self, request: SignedRequest) -> None:
        self.tell(encode_record(entered(request)))


class World:
    def __init__(self) -> None:
        self.broker = FakeBroker()
        self.broker.create_topic(TOPIC)
        self.ending = Ending()
        self.registered = True
        self.trail = AuditTrail(
            Numbering("review/one", Under.deployment(CHAIN, 3)),
            SERVICES["review"],
            producer=self.broker.producer(),
            follow=self.ending,
            registered=lambda key: self.registered,
            entered=lambda entry: entry.is_entered(keys(), verify),
        )

    def sent(self) -> list[SignedRequest]:
        return [read_request(record.value) for record in self.broker.records(TOPIC)]

    def until_sent(self, count: int) -> list[SignedRequest]:
        eventually(lambda: len(self.sent()) == count, f"{count} requests", within_s=5)
        return self.sent()


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    world.trail.start()
    yield world
    world.trail.stop()


def record(world: World, times: int = 1) -> list[Future[None]]:
    return [world.trail.record(DEED) for _ in range(times)]


def test_numbers_begin_at_one_and_have_no_gap(world: World) -> None:
    record(world, 20)
    assert [one.content.sequence for one in world.until_sent(20)] == list(range(1, 21))


def test_it_is_acknowledged_when_chained_and_not_before(world: World) -> None:
    first, second = record(world, 2)
    one, _ = world.until_sent(2)
    assert not first.done()
    world.ending.chain(one)
    first.result(timeout=5)
    assert not second.done()


def test_another_s_entry_under_its_name_acknowledges_nothing(world: World) -> None:
    (asked,) = record(world)
    (sent,) = world.until_sent(1)
    world.ending.chain(signed(sent.content, STRANGER))
    assert not asked.done()


@pytest.mark.parametrize("key", [STRANGER, SERVICES["review"], SERVICES["match"]])
@pytest.mark.parametrize("number", [1, 10**9])
def test_an_entry_that_no_sequencer_signed_acknowledges_nothing(world: World, key: Key, number: int) -> None:
    """Requests lie there for all to read: whoever could write to `audit` could have a face shown, unrecorded."""
    (asked,) = record(world)
    (sent,) = world.until_sent(1)
    world.ending.tell(encode_record(entered(sent, number=number, key=key)))
    forged = replace(entered(sent, number=number, key=key), key=entered(sent).key)
    world.ending.tell(encode_record(forged))
    assert not asked.done()
    world.ending.chain(sent)
    asked.result(timeout=5)


def test_whatever_else_lies_on_the_topic_acknowledges_nothing_and_stops_nothing(world: World) -> None:
    (asked,) = record(world)
    (sent,) = world.until_sent(1)
    for value in (b"", b"abc", sent.raw, b"\xff" * 1_000_000):
        world.ending.tell(value)
    assert not asked.done()
    world.ending.chain(sent)
    asked.result(timeout=5)


def test_what_kafka_did_not_take_goes_first_again(world: World) -> None:
    world.broker.fail_next("deliver", Retriable("_MSG_TIMED_OUT", "away"), times=2)
    record(world, 3)
    assert [one.content.sequence for one in world.until_sent(3)] == [1, 2, 3]


def test_nothing_is_sent_before_an_answer_would_be_seen(world: World) -> None:
    world.ending.at_end = False
    assert not world.trail.ready()
    record(world)
    assert world.sent() == []
    world.ending.at_end = True
    world.until_sent(1)


def test_without_its_key_in_the_registry_it_asks_for_nothing(world: World) -> None:
    world.registered = False
    assert not world.trail.ready()
    with pytest.raises(NotChained):
        record(world)
    world.registered = True
    record(world)
    assert world.until_sent(1)[0].content.sequence == 1


def test_who_gives_up_leaves_no_gap(world: World) -> None:
    first, second = record(world, 2)
    first.cancel()
    one, two = world.until_sent(2)
    world.ending.chain(one)
    world.ending.chain(two)
    second.result(timeout=5)


def test_who_waits_at_the_end_is_told() -> None:
    world = World()
    world.trail.start()
    (asked,) = record(world)
    world.trail.stop()
    with pytest.raises(NotChained):
        asked.result(timeout=5)
    with pytest.raises(NotChained):
        record(world)


def test_no_two_incarnations_share_a_name() -> None:
    assert incarnation("review") != incarnation("review")
