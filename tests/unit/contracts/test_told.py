"""What lies on `counts` counts where the service signed it whose word it is; the rest changes no figure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from services.contracts import counts, told
from services.contracts.counts import Count
from services.contracts.events import CameraGap, StageCounts
from services.contracts.ids import DeploymentId
from services.contracts.proof import Proof, Written
from services.contracts.told import Telling
from services.embed.edges import run_counts
from services.runtime import counts_topic
from services.runtime.kafka.types import Output
from tests.builders import CAMERA, DEPLOYMENT, NOON, a_frame
from tests.proofs import a_written, proven

KEY = "match/one"


def counted(searched: int, *, below: int = 0, stage: str = "match", incarnation: str = "one") -> StageCounts:
    return StageCounts(
        deployment=DEPLOYMENT,
        trace_id="",
        captured_at=NOON,
        stage=stage,
        incarnation=incarnation,
        totals={("faces_searched", ""): searched, ("faces_below_threshold", ""): below},
        standing={},
    )


def a_gap() -> CameraGap:
    return CameraGap(
        deployment=DEPLOYMENT,
        trace_id="",
        captured_at=NOON,
        camera=CAMERA,
        run="gate-1.1.1",
        began_at=NOON - timedelta(seconds=9),
        reason="stalled",
    )


def written(event: told.Told, by: str | None = "match", *, at: datetime = NOON) -> Written:
    return a_written(counts_topic.output(event), by=by, at=at)


def read(*records: Written) -> Telling:
    telling = Telling(DEPLOYMENT, proven())
    for record in records:
        telling.take(record)
    return telling


def searched(telling: Telling) -> int:
    stages = [event for event in telling.events() if isinstance(event, StageCounts)]
    return counts.tally(stages).totals[Count.FACES_SEARCHED]


@pytest.mark.parametrize("by", [None, "stranger", "embed", "review", "oversight", "ann"])
def test_counts_that_add_up_and_that_nobody_of_ours_signed_change_no_figure(by: str | None) -> None:
    """Anybody who could write to `counts` could write figures that add up: those of nobody's searches, say."""
    forged = written(counted(40, below=40, incarnation="another"), by)
    telling = read(written(counted(5, below=5)), forged)
    assert searched(telling) == 5
    assert (telling.foreign(), list(telling.overwritten())) == (1, ["match/another"])


def test_a_strangers_record_hides_no_genuine_one() -> None:
    telling = read(written(counted(5)), written(counted(90), None), written(counted(0), None))
    assert searched(telling) == 5
    assert telling.foreign() == 2


def test_a_key_whose_newest_record_is_not_genuine_is_named_until_its_owner_writes_again() -> None:
    """Kafka keeps the newest of each key, whoever wrote it."""
    telling = read(written(counted(5)), written(counted(90), None))
    assert list(telling.overwritten()) == [KEY]
    telling.take(written(counted(6)))
    assert not telling.overwritten()
    assert searched(telling) == 6


def test_a_tombstone_under_a_key_of_ours_is_named() -> None:
    """It has Kafka delete what was told under that key."""
    genuine = written(counted(5))
    telling = read(genuine, genuine._replace(value=b"", headers=()))
    assert list(telling.overwritten()) == [KEY]
    assert searched(telling) == 5


def test_an_old_record_that_is_written_again_changes_nothing_and_is_named() -> None:
    """An exact copy is genuine: it would make a figure smaller, once Kafka has deleted what came between."""
    old, new = written(counted(5)), written(counted(9), at=NOON + timedelta(minutes=2))
    telling = read(old, new, old)
    assert searched(telling) == 9
    assert list(telling.overwritten()) == [KEY]
    assert not read(old, new).overwritten()


def test_two_clocks_that_are_a_little_apart_are_nobodys_copy() -> None:
    """Of two relays that follow each other under one name, the second's clock may be behind."""
    later = written(counted(9), at=NOON + timedelta(seconds=20))
    assert not read(later, written(counted(10), at=NOON)).overwritten()


def test_a_genuine_record_under_another_key_is_not_its_writers_word() -> None:
    event = counted(5)
    moved = Output("counts", told.key_of(replace(event, incarnation="two")), counts_topic.output(event).value)
    telling = read(a_written(moved, by="match"))
    assert searched(telling) == 0
    assert telling.foreign() == 1


def test_embed_may_tell_how_far_it_came_in_a_run_and_nothing_else_of_ingest() -> None:
    frame = a_frame()
    of_run = run_counts.of_frame(frame)
    (event,) = read(a_written(of_run, by="embed")).events()
    assert isinstance(event, StageCounts)
    assert (event.stage, event.incarnation) == ("ingest", frame.run)
    assert not read(a_written(of_run, by="ingest")).events()
    own_word = Output("counts", told.key_of(event), of_run.value)
    assert not read(a_written(own_word, by="embed")).events()
    assert len(read(a_written(own_word, by="ingest")).events()) == 1


def test_a_gap_is_ingests_to_tell() -> None:
    assert read(written(a_gap(), "ingest"), written(a_gap(), "ingest")).events() == [a_gap()]
    assert not read(written(a_gap(), "embed"), written(a_gap(), None)).events()


def test_a_stage_that_there_is_not_has_no_word() -> None:
    assert not read(written(counted(5, stage="oversight"), "oversight")).events()


def test_what_is_of_another_deployment_is_left_out_and_counted_only_in_our_name() -> None:
    other = replace(counted(5), deployment=DeploymentId("another-street"))
    assert read(written(other)).foreign() == 0
    nobodys = Output("counts", b"nothing", counts_topic.output(counted(5)).value)
    assert read(a_written(nobodys, by="match")).foreign() == 1


def test_names_that_are_no_names_of_ours_are_shown_to_nobody() -> None:
    key = f"{DEPLOYMENT}/match/\x1b[2Jone".encode()
    telling = read(written(counted(5))._replace(key=key))
    assert (telling.foreign(), list(telling.overwritten())) == (1, [])


class Checks:
    """Counts how often a signature is looked at."""

    def __init__(self) -> None:
        self.made = 0
        self._proven = proven()

    def __call__(self, one: Written, service: str) -> Proof | None:
        self.made += 1
        return self._proven(one, service)


def test_of_a_long_topic_hardly_a_record_is_checked() -> None:
    """A check costs as much as reading ten records: a stage writes one with each transaction."""
    checks = Checks()
    telling = Telling(DEPLOYMENT, checks)
    signed = [written(counted(number, below=number)) for number in range(20)]
    for number in range(10_000):
        telling.take(signed[number // 500])
    assert searched(telling) == 19
    assert checks.made < 20


def test_it_adds_up_to_what_all_genuine_records_say_in_whatever_order_they_lie() -> None:
    """Most of them are not looked at: those that are must be enough."""
    random = Random(11)
    for _ in range(60):
        events = [a_count_at_random(random) for _ in range(random.randrange(1, 12))]
        by = [random.choice((event.stage, None)) for event in events]
        genuine = [event for event, signer in zip(events, by, strict=True) if signer]
        telling = read(*(written(event, signer) for event, signer in zip(events, by, strict=True)))
        told_events = [event for event in telling.events() if isinstance(event, StageCounts)]
        assert counts.tally(told_events) == counts.tally(genuine)


def a_count_at_random(random: Random) -> StageCounts:
    names = (("frames_published", ""), ("frames_dropped", "a"), ("frames_dropped", "b"), ("faces_given", "1-2"))
    return StageCounts(
        deployment=DEPLOYMENT,
        trace_id="",
        captured_at=NOON,
        stage=random.choice(("ingest", "embed")),
        incarnation=random.choice(("one", "two")),
        totals={name: random.randrange(4) for name in names if random.random() < 0.7},
        standing={("tracks_pending", ""): random.randrange(3)},
        final=random.random() < 0.2,
    )
