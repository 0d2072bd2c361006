"""Queues that drop their oldest, wait, and account for all of it."""

from __future__ import annotations

import threading

from services.ingest.core.reasons import Loss
from services.ingest.outbox import Outbox
from tests.support import eventually
from tests.unit.ingest.builders import a_camera, a_picture, a_run, metrics


def an_outbox(frames: int = 3) -> Outbox:
    return Outbox(frames_a_camera=frames, metrics=metrics("gate-1", "gate-2"))


def test_a_full_queue_drops_its_oldest_and_the_next_frame_says_so() -> None:
    outbox, run = an_outbox(3), a_run()
    outbox.begin(run)
    for read in range(1, 6):
        outbox.offer(run, a_picture(read))
    frame = outbox.take()
    assert frame is not None
    assert (frame.sequence, frame.dropped_before, frame.picture.read) == (3, 2, 3)
    assert run.tally.dropped == {"queue_full": 2}
    assert run.tally.in_hand == 3


def test_a_later_drop_does_not_count_before_an_earlier_frame() -> None:
    outbox, run = an_outbox(), a_run()
    outbox.begin(run)
    outbox.offer(run, a_picture(1))
    outbox.spoil(run, 2, "picture_unreadable")
    outbox.offer(run, a_picture(3))
    first, third = outbox.take(), outbox.take()
    assert first is not None
    assert third is not None
    assert (first.sequence, first.dropped_before) == (1, 0)
    assert (third.sequence, third.dropped_before) == (3, 1)


def test_cameras_are_served_in_turn_so_that_a_busy_one_starves_none() -> None:
    outbox = an_outbox(10)
    busy, quiet = a_run(a_camera("gate-1")), a_run(a_camera("gate-2"))
    for run in (busy, quiet):
        outbox.begin(run)
    for read in range(1, 5):
        outbox.offer(busy, a_picture(read))
    outbox.offer(quiet, a_picture(1))
    taken = [frame.run.camera.id for _ in range(3) if (frame := outbox.take()) is not None]
    assert set(taken[:2]) == {"gate-1", "gate-2"}


def test_who_plays_as_fast_as_taken_waits_for_room_and_drops_nothing() -> None:
    outbox, run = an_outbox(1), a_run()
    outbox.begin(run)
    outbox.offer_patiently(run, a_picture(1), lambda: False)
    waiting = threading.Thread(
        target=outbox.offer_patiently,
        args=(run, a_picture(2), lambda: False),
        name="signpost-test-waiting",
        daemon=True,
    )
    waiting.start()
    assert outbox.depth() == 1
    assert outbox.take() is not None
    eventually(lambda: outbox.depth() == 1, "the second frame to have room", within_s=5)
    waiting.join(5)
    assert run.tally.dropped.total() == 0
    assert run.tally.sampled == 2


def test_who_waits_for_room_and_is_stopped_counts_its_frame_as_dropped() -> None:
    outbox, run = an_outbox(1), a_run()
    outbox.begin(run)
    outbox.offer(run, a_picture(1))
    outbox.offer_patiently(run, a_picture(2), lambda: True)
    assert run.tally.dropped == {"stopped": 1}


def test_a_runs_last_account_comes_when_nothing_of_it_is_in_hand() -> None:
    outbox, run = an_outbox(), a_run()
    outbox.begin(run)
    outbox.offer(run, a_picture(1))
    frame = outbox.take()
    assert frame is not None
    outbox.end(run)
    (report,) = outbox.reports()
    assert not report.final
    outbox.reported(report, written=True)
    assert outbox.reports() == [], "nothing has changed since"
    outbox.published(frame)
    (last,) = outbox.reports()
    assert last.final
    outbox.reported(last, written=False)
    assert not outbox.wait_until_empty(0)
    (again,) = outbox.reports()
    assert again == last, "an account that was not written comes again"
    outbox.reported(again, written=True)
    assert outbox.wait_until_empty(0)


def test_what_waits_of_a_lost_camera_is_dropped_by_that_reason_and_of_no_other() -> None:
    outbox = an_outbox()
    lost, kept = a_run(a_camera("gate-1")), a_run(a_camera("gate-2"))
    for run in (lost, kept):
        outbox.begin(run)
        outbox.offer(run, a_picture(1))
    outbox.discard("gate-1", Loss.LEASE_LOST)
    assert lost.tally.dropped == {"lease_lost": 1}
    assert kept.tally.in_hand == 1
