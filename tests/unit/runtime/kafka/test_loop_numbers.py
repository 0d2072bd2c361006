"""Numbers on the loop: without gaps over aborts, resets and restarts, and a hole counted once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import pytest

from services.contracts.counts import Lane
from services.contracts.errors import Permanent, Transient, Undecodable, Unproven
from services.contracts.places import InRun, Mark, Place, place_of
from services.runtime.kafka.broker import Abortable
from services.runtime.kafka.marks import ByNumber, ByOffset, Giving, Numbering, Recalled, placed
from services.runtime.kafka.types import Next, Outcome, Output, Partition, Prepared, Record
from tests.fakes.broker import FakeBroker
from tests.support import eventually
from tests.unit.runtime.kafka.rig import GROUP, SINK, SOURCE, WITHIN_S, Rehearsal, Rig, a_broker

REFUSED = Abortable("STALE_MEMBER_EPOCH", "planned")


class ToOnePartition(Rehearsal):
    """As a service does whose outputs are numbered."""

    to = SINK

    def handle(self, items: Sequence[Prepared[bytes]]) -> Outcome:
        outcome = super().handle(items)
        outputs = (replace(one, topic=self.to, partition=0) for one in outcome.outputs)
        return replace(outcome, outputs=tuple(outputs))

    def total(self) -> int:
        """Records handled."""
        return sum(map(len, self.batches))


def a_rig(
    broker: FakeBroker, told: list[int] | None = None, check: Callable[[Record], None] = lambda record: None
) -> Rig:
    def kept(partitions: Collection[Partition]) -> Mapping[Partition, Next]:
        return broker.kept(GROUP, partitions)

    heard = told if told is not None else []
    numbering = Numbering(
        "d",
        kept,
        reads=ByNumber(("d", "skipped"), lambda lane: ("d", f"passed:{lane}"), heard.append),
        writes=Giving(SINK, lambda lane: ("d", f"given:{lane}")),
    )
    return Rig(broker, handler=ToOnePartition(), numbering=numbering, check=check)


def numbered(broker: FakeBroker, *numbers: int) -> None:
    producer = broker.producer()
    for number in numbers:
        output = placed(Output(SOURCE, b"k", b"v%d" % number, 0), Place("d", 7, number))
        producer.send(output, lambda error: None)
    producer.flush(1)


def given(broker: FakeBroker) -> list[int]:
    places = [place_of(record.headers) for record in broker.records(SINK)]
    return [place.number for place in places if place is not None]


@pytest.mark.parametrize("call", ["send_offsets", "commit", "deliver"])
@pytest.mark.parametrize("times", [1, 3])
def test_an_aborted_transaction_takes_its_numbers_with_it(call: str, times: int) -> None:
    rig = a_rig(a_broker())
    numbered(rig.broker, *range(1, 21))
    rig.broker.fail_next(call, REFUSED, times=times)
    with rig.running():
        eventually(lambda: rig.committed() == 20, "all offsets", within_s=WITHIN_S)
    assert given(rig.broker) == list(range(1, 21))
    counted = rig.counts().split(b";")
    assert not [one for one in counted if one.startswith(b"d/skipped")]
    assert f"d/passed:{Lane(7, 0)}=20".encode() in counted


def test_who_comes_after_a_restart_goes_on_with_the_numbers() -> None:
    broker = a_broker()
    for end in (3, 5):
        numbered(broker, *range(end - 1, end + 1))
        rig = a_rig(broker)
        with rig.running():
            eventually(lambda: len(broker.records(SINK)) == end - 1, "outputs", within_s=WITHIN_S)  # noqa: B023 - called here
    assert given(broker) == [1, 2, 3, 4]


def test_a_hole_in_the_numbers_is_counted_once_over_a_poisoned_batch() -> None:
    told: list[int] = []
    rig = a_rig(a_broker(), told)

    def refuse(values: list[bytes]) -> None:
        if len(values) > 1:
            raise Permanent("undecodable", "planned")

    rig.handler.on_handle = refuse
    numbered(rig.broker, 4, 5, 9)
    with rig.running():
        eventually(lambda: rig.committed() == 3, "all offsets", within_s=WITHIN_S)
    assert b"d/skipped=6" in rig.counts().split(b";")
    assert sum(told) == 6


def test_without_its_marks_nothing_is_read() -> None:
    """A number given twice would be a loss that nobody can find."""
    broker = a_broker()
    asked: list[int] = []

    def kept(partitions: Collection[Partition]) -> Mapping[Partition, Next]:
        asked.append(len(partitions))
        if len(asked) < 4:
            raise Transient("planned")
        assert broker.records(SINK) == []
        return {}

    rig = Rig(
        broker,
        handler=ToOnePartition(),
        numbering=Numbering("d", kept, writes=Giving(SINK, lambda lane: ("d", "n"))),
    )
    numbered(broker, 1)
    with rig.running():
        eventually(lambda: len(broker.records(SINK)) == 1, "an output", within_s=WITHIN_S)
    assert len(asked) == 4


def test_a_strangers_numbers_move_nothing_and_stop_nothing() -> None:
    """Records that cannot be read, with places of any kind: no hole is counted, and each commit is taken."""
    rig = a_rig(a_broker())

    def refuse(value: bytes) -> None:
        if value == b"v999999":
            raise Undecodable("planned")

    rig.handler.on_prepare = refuse
    numbered(rig.broker, 1, 999_999, 2, 10**12 + 1, 3)
    with rig.running():
        eventually(lambda: rig.committed() == 5, "all offsets", within_s=WITHIN_S)
    counted = rig.counts().split(b";")
    assert not [one for one in counted if one.startswith(b"d/skipped")]
    assert f"d/passed:{Lane(7, 0)}=3".encode() in counted


def test_a_record_whose_number_was_passed_is_a_copy_and_no_second_one() -> None:
    """An exact copy was received once more: whoever could write to a topic could make its figures wrong."""
    rig = a_rig(a_broker())
    numbered(rig.broker, 1, 2, 2, 1, 3, 3)
    with rig.running():
        eventually(lambda: rig.committed() == 6, "all offsets", within_s=WITHIN_S)
    assert rig.out() == [b"V1", b"V2", b"V3"]
    assert rig.dead() == [b"copied@2", b"copied@3", b"copied@5"]
    counted = rig.counts().split(b";")
    assert not [one for one in counted if one.startswith(b"d/skipped")]
    assert f"d/passed:{Lane(7, 0)}=3".encode() in counted


def test_a_copy_is_known_by_whoever_has_the_partition_next() -> None:
    broker = a_broker()
    numbered(broker, 1, 2)
    first = a_rig(broker)
    with first.running():
        eventually(lambda: first.committed() == 2, "all offsets", within_s=WITHIN_S)
    numbered(broker, 2, 1, 3)
    second = a_rig(broker)
    with second.running():
        eventually(lambda: second.committed() == 5, "all offsets", within_s=WITHIN_S)
    assert second.out() == [b"V1", b"V2", b"V3"]
    assert second.dead() == [b"copied@2", b"copied@3"]


def test_a_copy_of_what_could_not_be_handled_is_not_dead_twice() -> None:
    rig = a_rig(a_broker())

    def refuse(value: bytes) -> None:
        if value == b"v1":
            raise Permanent("torn", "planned")

    rig.handler.on_prepare = refuse
    numbered(rig.broker, 1, 1, 2)
    with rig.running():
        eventually(lambda: rig.committed() == 3, "all offsets", within_s=WITHIN_S)
    assert rig.dead() == [b"torn@0", b"copied@1"]


def test_what_no_service_signed_is_not_looked_into_and_moves_no_number() -> None:
    """A stranger's number, one ahead of the last, made the next genuine record one that was read before."""

    def check(record: Record) -> None:
        if record.value in (b"v2", b"v900"):
            raise Unproven("planned")

    looked_into: list[bytes] = []
    rig = a_rig(a_broker(), check=check)
    rig.handler.on_prepare = looked_into.append
    numbered(rig.broker, 1, 2, 900, 3)
    with rig.running():
        eventually(lambda: rig.committed() == 4, "all offsets", within_s=WITHIN_S)
    assert set(looked_into) == {b"v1", b"v3"}
    assert rig.dead() == [b"unproven@1", b"unproven@2"]
    counted = rig.counts().split(b";")
    assert b"d/skipped=1" in counted, "the second is gone, whoever wrote something under its number"
    assert f"d/passed:{Lane(7, 0)}=3".encode() in counted


def test_a_strangers_frame_takes_one_offset_and_its_run_is_nobodys() -> None:
    reads = ByOffset(("d", "skipped"), lambda record: InRun("gate-1", 500, 500), lambda number: None)
    record = Record(SOURCE, 0, 7, None, b"", (), 0)
    assert reads.pass_over(Mark(next=5), record) == (Mark(next=8), 2)
    assert reads.pass_over(Mark(), record) == (Mark(next=8), 0)


def by_run(broker: FakeBroker, told: list[bytes] | None = None, sequences: Mapping[str, int] | None = None) -> Rig:
    """As embed reads: `a.3` is the third frame of the run `a`. What is told of a frame is a record on SINK."""

    def kept(partitions: Collection[Partition]) -> Mapping[Partition, Next]:
        return broker.kept(GROUP, partitions)

    def in_run(record: Record) -> InRun | None:
        run, _, number = record.value.decode().partition(".")
        return InRun(run, int(number), int(number)) if number else None

    heard = told if told is not None else []

    def tells(record: Record) -> Output | None:
        heard.append(record.value)
        return None

    numbering = Numbering(
        "d",
        kept,
        lambda moved: Recalled(sequences=sequences or {}),
        reads=ByOffset(("d", "skipped"), in_run, lambda number: None, tells),
    )
    return Rig(broker, numbering=numbering)


def frames(broker: FakeBroker, *names: str) -> None:
    for name in names:
        broker.append(Output(SOURCE, b"k", name.encode(), partition=0))


def test_a_frame_of_its_run_that_was_read_before_is_a_copy_and_takes_its_offset() -> None:
    """An exact copy of a frame was received once more, and looked at while its key lived."""
    rig = by_run(a_broker())
    frames(rig.broker, "a.1", "b.1", "a.2", "a.1", "b.1", "a.2", "a.5", "a.4", "b.2")
    with rig.running():
        eventually(lambda: rig.committed() == 9, "all offsets", within_s=WITHIN_S)
    assert rig.out() == [b"A.1", b"B.1", b"A.2", b"A.5", b"B.2"]
    assert rig.dead() == [b"copied@3", b"copied@4", b"copied@5", b"copied@7"]
    assert b"d/skipped" not in rig.counts()


def test_a_copy_of_a_frame_is_known_by_what_the_counts_tell_of_its_run() -> None:
    """Who has the partition next has read none of them."""
    rig = by_run(a_broker(), sequences={"a": 2})
    frames(rig.broker, "a.1", "a.2", "a.3", "b.1")
    with rig.running():
        eventually(lambda: rig.committed() == 4, "all offsets", within_s=WITHIN_S)
    assert rig.out() == [b"A.3", b"B.1"]


def test_a_frame_that_is_handed_in_again_after_an_abort_is_no_copy_of_itself() -> None:
    rig = by_run(a_broker())
    frames(rig.broker, *(f"a.{number}" for number in range(1, 13)))
    rig.broker.fail_next("commit", REFUSED, times=3)
    with rig.running():
        eventually(lambda: rig.committed() == 12, "all offsets", within_s=WITHIN_S)
    assert rig.out() == [f"A.{number}".encode() for number in range(1, 13)]
    assert rig.dead() == []


def test_a_frame_that_nobody_can_handle_is_told_as_read_once() -> None:
    """The last frame of a run, if it could not be decoded: nothing said that it had been read."""
    told: list[bytes] = []
    rig = by_run(a_broker(), told)

    def refuse(value: bytes) -> None:
        if value == b"a.2":
            raise Permanent("torn", "planned")

    rig.handler.on_prepare = refuse
    frames(rig.broker, "a.1", "a.2", "a.2")
    with rig.running():
        eventually(lambda: rig.committed() == 3, "all offsets", within_s=WITHIN_S)
    assert told == [b"a.2"]
    assert rig.dead() == [b"torn@1", b"copied@2"]


def test_a_copy_of_a_frame_that_came_too_late_is_too_late_once() -> None:
    """Somebody who wrote old frames again paged for frames that nobody had lost."""
    rig = by_run(a_broker())
    frames(rig.broker, "late.1", "late.1", "late.2")
    with rig.running():
        eventually(lambda: rig.committed() == 3, "all offsets", within_s=WITHIN_S)
    assert rig.handler.ended == [b"late.1", b"late.2"]
    assert b"gate/late=2" in rig.counts()
    assert rig.dead() == [b"copied@1"]
