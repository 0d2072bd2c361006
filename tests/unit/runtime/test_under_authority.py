"""The service that waits for its authority, builds another on it, and ends with it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import timedelta

import pytest

from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.purging import Holder, PurgeAnswer
from services.contracts.errors import Transient
from services.contracts.standing import Standing
from services.runtime.health import Heartbeat
from services.runtime.under_authority import UnderAuthority
from tests.conftest import ExpectedErrors
from tests.fakes.clock import ManualClock
from tests.support import eventually
from tests.unit.contracts.authorisation.builders import (
    NOON,
    a_change,
    a_lease,
    an_order,
    changes_to_active,
    published,
)
from tests.unit.runtime.test_authority_watch import DOCUMENT, NEXT, RUNNING, World

WITHIN_S = 10.0


class Inner:
    """Writes down what happens to it."""

    def __init__(self) -> None:
        self.life: list[str] = []

    def build(self, verified: Verified, standing: Standing) -> Inner:
        assert verified.document == DOCUMENT
        self.life.append(f"built {standing.standing()}")
        return self

    def start(self) -> None:
        self.life.append("started")

    def run(self, stop: threading.Event) -> None:
        self.life.append("runs")
        assert stop.wait(WITHIN_S)

    def drain(self, within_s: float) -> bool:
        self.life.append("drained")
        return within_s > 1

    def close(self) -> None:
        self.life.append("closed")

    def ready(self) -> Mapping[str, bool]:
        return {"inner": True}


class FakePurge:
    """Writes down what it is told, among what happens to the service."""

    def __init__(self, life: list[str]) -> None:
        self._life = life
        self.away = 0
        """So many calls find the stores away."""
        self.unable = 0
        """So many orders cannot be answered, for a reason of our own."""

    def shed(self) -> int:
        self._told("shed")
        return 1

    def obey(self, version: int, order: int) -> PurgeAnswer:
        if self.unable:
            self.unable -= 1
            raise ValueError("a name that nobody allowed for")
        self._told(f"obeyed {order}")
        return PurgeAnswer(
            deployment=DOCUMENT.id,
            version=version,
            order=order,
            holder=Holder.MATCH,
            instance="one",
            at=NOON,
            destroyed={},
            left={},
        )

    def _told(self, what: str) -> None:
        if self.away:
            self.away -= 1
            raise Transient("away")
        self._life.append(what)


class FakeWitness:
    """Whether it looks on."""

    def __init__(self) -> None:
        self.looks = False

    def start(self) -> None:
        self.looks = True

    def stop(self) -> None:
        self.looks = False


class FakeKey:
    """Enrolled, until a test says otherwise."""

    def __init__(self) -> None:
        self.enrolled = True

    def in_force(self) -> bool:
        return self.enrolled


class Living:
    """`UnderAuthority` on a thread, as a process would run it."""

    def __init__(self) -> None:
        self.world, self.inner = World(), Inner()
        self.stop = self.world.stop
        self.clock = ManualClock()
        self.heartbeat = Heartbeat(self.clock)
        self.purge = FakePurge(self.inner.life)
        self.witness, self.own_key = FakeWitness(), FakeKey()
        self.told: list[bool] = []
        self.world.watch.unanswered = self.told.append
        self.service = UnderAuthority(
            self.world.watch,
            self.inner.build,
            self.heartbeat,
            self.purge,
            own_key=self.own_key,
            witness=self.witness,
        )
        self.service.start()
        self._thread = threading.Thread(target=self.service.run, args=(self.stop,))

    def __enter__(self) -> Living:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(WITHIN_S)

    def until(self, *life: str) -> None:
        eventually(lambda: self.inner.life == list(life), f"a life of {life}", within_s=WITHIN_S)

    def ended(self) -> bool:
        return not self._thread.is_alive()


def test_nothing_is_built_until_there_is_an_authority() -> None:
    with Living() as living:
        assert living.service.ready() == {"authority": False, "running": False}
        assert living.witness.looks, "a clock may be wrong before there is an authority"
    assert living.inner.life == []
    assert living.service.drain(1.0)
    living.service.close()
    assert not living.witness.looks


def test_it_lives_its_life_on_its_authority() -> None:
    with Living() as living:
        living.world.topic.write(*RUNNING)
        living.world.topic.read_to_the_end = True
        living.until("built None", "started", "runs")
        living.clock.advance(60)
        assert living.heartbeat.is_fresh(), "what is built, and loads its models, has not beaten yet"
        eventually(
            lambda: living.service.ready() == {"authority": True, "inner": True}, "ready", within_s=WITHIN_S
        )
    assert living.service.drain(2.0)
    assert not living.service.drain(0.5)
    living.service.close()
    assert living.inner.life[-1] == "closed"


def test_who_is_not_enrolled_gets_nothing_to_hold_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """Its answer to a purge would not be believed."""

    def said() -> int:
        return sum("it waits to be enrolled" in one.message for one in caplog.records)

    with Living() as living:
        living.own_key.enrolled = False
        living.world.topic.write(*RUNNING)
        living.world.topic.read_to_the_end = True
        eventually(said, "a warning", within_s=WITHIN_S)
        living.clock.advance(60)
        eventually(living.heartbeat.is_fresh, "the next look", within_s=WITHIN_S)
        assert living.inner.life == []
        assert not all(living.service.ready().values())
        living.own_key.enrolled = True
        living.until("built None", "started", "runs")
    assert said() == 1


def test_who_waits_to_be_enrolled_can_be_stopped() -> None:
    with Living() as living:
        living.own_key.enrolled = False
        living.world.topic.write(*RUNNING)
        living.world.topic.read_to_the_end = True
        living.stop.set()
        eventually(living.ended, "the end", within_s=WITHIN_S)
    assert living.inner.life == []


def test_it_ends_by_itself_when_another_authority_is_in_force() -> None:
    with Living() as living:
        living.world.topic.write(*RUNNING)
        living.world.topic.read_to_the_end = True
        living.until("built None", "started", "runs")
        living.world.clock.at = NOON + timedelta(seconds=1)
        living.world.topic.write(published(NEXT), *changes_to_active(NEXT), a_lease(NEXT, 2))
        eventually(living.ended, "the end", within_s=WITHIN_S)
        assert not living.service.ready()["authority"]


def test_it_ends_by_itself_when_its_key_is_revoked_and_waits_for_another(caplog: pytest.LogCaptureFixture) -> None:
    """It went on, and nothing that it signed was believed."""
    with Living() as living:
        living.world.topic.write(*RUNNING)
        living.world.topic.read_to_the_end = True
        living.until("built None", "started", "runs")
        living.own_key.enrolled = False
        eventually(living.ended, "the end", within_s=WITHIN_S)
    assert "has this process's key no more" in caplog.text


STOPPED = a_change(DOCUMENT, 4, Move.STOP, NOON)
ORDERED = a_change(DOCUMENT, 5, Move.ORDER_PURGE, NOON)


def test_a_stop_destroys_the_keys_of_frames_and_the_service_goes_on() -> None:
    with Living() as living:
        living.purge.away = 2
        living.world.topic.write(*RUNNING)
        living.world.topic.read_to_the_end = True
        living.until("built None", "started", "runs")
        living.world.topic.write(STOPPED)
        living.until("built None", "started", "runs", "shed")
        assert not living.ended()


def test_a_stop_destroys_them_though_it_brings_the_version_that_waits_and_with_it_the_end() -> None:
    with Living() as living:
        living.world.topic.write(*RUNNING, published(NEXT), *changes_to_active(NEXT)[:2])
        living.world.topic.read_to_the_end = True
        living.until("built None", "started", "runs")
        by_a_person = an_order(DOCUMENT, 4, Move.STOP, "sam", NOON)
        living.world.topic.write(a_change(DOCUMENT, 4, Move.STOP, NOON, order=by_a_person))
        living.world.topic.write(a_lease(NEXT, 2, state=State.AUTHORISED, state_sequence=2))
        eventually(living.ended, "the end", within_s=WITHIN_S)
        living.until("built None", "started", "runs", "shed")


def test_a_version_that_takes_its_place_has_use_for_them() -> None:
    with Living() as living:
        living.world.topic.write(*RUNNING)
        living.world.topic.read_to_the_end = True
        living.until("built None", "started", "runs")
        living.stop.set()
        eventually(living.ended, "the end", within_s=WITHIN_S)
        living.world.topic.write(published(NEXT), *changes_to_active(NEXT), a_lease(NEXT, 2), STOPPED)
        assert not living.world.watch.stopped()


def test_the_end_of_the_window_needs_no_haste() -> None:
    with Living() as living:
        living.world.topic.write(*RUNNING)
        living.world.topic.read_to_the_end = True
        living.until("built None", "started", "runs")
        living.world.topic.write(a_change(DOCUMENT, 4, Move.END, NOON), ORDERED)
        eventually(living.ended, "the end", within_s=WITHIN_S)
    assert "shed" not in living.inner.life


def test_who_cannot_answer_an_order_says_so_and_lives(
    caplog: pytest.LogCaptureFixture, expected_errors: ExpectedErrors
) -> None:
    """Finding K1: a crash loop answers nothing, and nobody learned why the purge waited."""
    expected_errors.add("an order to purge cannot be answered")
    living = Living()
    living.world.topic.write(*RUNNING, STOPPED, ORDERED)
    living.world.topic.read_to_the_end = True
    living.purge.unable = 1
    with living:
        eventually(lambda: living.told == [True], "it to say so", within_s=WITHIN_S)
        eventually(lambda: living.told == [True, False], "its answer", within_s=WITHIN_S)
        assert not living.ended()
    said = [record for record in caplog.records if "cannot be answered" in record.message]
    assert [record.__dict__["kind"] for record in said] == ["ValueError"]
    assert "a name that" not in caplog.text


def test_at_an_order_to_purge_the_service_ends_and_only_then_is_all_destroyed() -> None:
    """Who destroys before the service is closed leaves what it mints last, and what its memory holds."""
    with Living() as living:
        living.world.topic.write(*RUNNING)
        living.world.topic.read_to_the_end = True
        living.until("built None", "started", "runs")
        living.world.topic.write(STOPPED, ORDERED)
        eventually(living.ended, "the end", within_s=WITHIN_S)
    assert living.service.drain(2.0)
    living.service.close()
    assert living.inner.life[-3:] == ["drained", "closed", "obeyed 5"]


def test_started_anew_it_builds_nothing_and_answers() -> None:
    with Living() as living:
        living.world.topic.write(*RUNNING, STOPPED, ORDERED)
        living.world.topic.read_to_the_end = True
        living.until("obeyed 5")
        living.world.topic.write(a_change(DOCUMENT, 6, Move.ORDER_PURGE, NOON))
        living.until("obeyed 5", "obeyed 6")
        assert not all(living.service.ready().values())
    living.service.close()
    assert living.inner.life == ["obeyed 5", "obeyed 6"], "each order is obeyed once"


def test_an_order_is_obeyed_once_the_stores_are_back() -> None:
    with Living() as living:
        living.purge.away = 3
        living.world.topic.write(*RUNNING, STOPPED, ORDERED)
        living.world.topic.read_to_the_end = True
        living.until("obeyed 5")
