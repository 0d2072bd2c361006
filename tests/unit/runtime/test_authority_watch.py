"""A process believes no more of `authority` than it has read and checked, and ends when another is in force."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from services.contracts import codec_authority
from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.records import LeaseRenewed, Record
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authorisation.statements import NOTHING, Rejection
from services.contracts.standing import Standing
from services.runtime.authority_figures import UNDECODABLE, authority_specs
from services.runtime.authority_watch import AuthorityWatch
from services.runtime.metrics import new_registry
from tests.unit.contracts.authorisation.builders import (
    NOON,
    ROOT,
    TOKENS,
    a_change,
    a_document,
    a_lease,
    a_reading,
    changes_to_active,
    published,
    revocations,
    running,
)

DOCUMENT = a_document()
RUNNING = running(DOCUMENT)
NEXT = a_document(version=2, supersedes=DOCUMENT.digest, grounds="two more in June")


class StandingClock:
    """Stands at noon until a test moves it."""

    def __init__(self) -> None:
        self.at = NOON

    def reading(self) -> ClockReading:
        return a_reading(self.at)


class Topic:
    """Delivers what a test writes, on the test's thread."""

    def __init__(self) -> None:
        self.read_to_the_end = False
        self.alive = True
        self.deliver: Callable[[bytes], None] = lambda _: None
        self.look: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to stop."""

    def caught_up(self) -> bool:
        return self.read_to_the_end

    def is_alive(self) -> bool:
        return self.alive

    def write(self, *records: Record) -> None:
        for record in records:
            self.deliver(codec_authority.encode(record))


class World:
    def __init__(self, deployment: str = DOCUMENT.id, root: str = ROOT.kid) -> None:
        self.topic, self.clock, self.stop = Topic(), StandingClock(), threading.Event()
        self.rejected: Counter[str] = Counter()
        self.replaced = 0
        self.watch = AuthorityWatch(
            self._follow,
            deployment=deployment,
            root_fingerprint=root,
            clock=self.clock,
            on_rejected=lambda why: self.rejected.update([str(why)]),
        )

    def _follow(self, fold: Callable[[bytes], None], looked: Callable[[], None]) -> Topic:
        self.topic.deliver, self.topic.look = fold, looked
        return self.topic

    def waits(self) -> Document | None:
        """What there is to build on, without waiting."""
        found = self.watch.wait(self.stop, lambda: None, within_s=0)
        return found.document if found else None

    def built(self) -> Standing:
        self.topic.read_to_the_end = True
        found = self.watch.wait(self.stop, lambda: None, within_s=0)
        assert found is not None
        return self.watch.built_for(found, self._on_replaced)

    def _on_replaced(self) -> None:
        self.replaced += 1


@pytest.fixture
def world() -> World:
    return World()


def asked(standing: Standing) -> Refusal | None:
    return standing.refusal("gate-1", deployment=DOCUMENT.id, at=NOON)


def test_nothing_is_built_before_the_topic_has_been_read_to_its_end(world: World) -> None:
    world.topic.write(*RUNNING)
    assert world.waits() is None
    assert not world.watch.ready()
    world.topic.read_to_the_end = True
    assert world.waits() == DOCUMENT


def test_nothing_is_built_on_an_empty_topic(world: World) -> None:
    world.topic.read_to_the_end = True
    assert world.waits() is None
    assert world.watch.lease_age_s() == math.inf


def test_who_waits_says_what_for(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world.waits()
    world.topic.read_to_the_end = True
    world.waits()
    world.topic.write(*RUNNING[:2])
    world.waits()
    submitted = a_lease(DOCUMENT, state=State.SUBMITTED, state_sequence=1)
    world.topic.write(changes_to_active(DOCUMENT)[0], submitted)
    world.waits()
    said = [one.__dict__["reason"] for one in caplog.records if one.message == "waiting for the authority"]
    assert said == ["topic_not_read", "no_registry", "no_lease", "not_active"]


def test_a_stop_ends_the_waiting_and_until_then_the_heart_beats(world: World) -> None:
    beats = 0

    def beat() -> None:
        nonlocal beats
        beats += 1
        if beats == 3:
            world.stop.set()

    assert world.watch.wait(world.stop, beat) is None
    assert beats == 3


@pytest.mark.parametrize(
    ("known", "state", "is_built"),
    [(1, State.SUBMITTED, False), (2, State.AUTHORISED, True), (3, State.ACTIVE, True), (4, State.ENDED, True)],
)
def test_a_process_is_built_once_its_authority_is_approved(
    world: World, known: int, state: State, is_built: bool
) -> None:
    changes = (*changes_to_active(DOCUMENT), a_change(DOCUMENT, 4, Move.STOP, NOON))[:known]
    lease = a_lease(DOCUMENT, state=state, state_sequence=known)
    world.topic.write(*RUNNING[:2], *changes, lease)
    world.topic.read_to_the_end = True
    assert (world.waits() is not None) is is_built


def test_it_is_built_on_an_old_lease_too_but_searches_nothing_by_it(world: World) -> None:
    """Review lets people finish their cases while oversight is away."""
    world.topic.write(*RUNNING)
    world.clock.at = NOON + timedelta(seconds=60)
    assert asked(world.built()) is Refusal.LEASE_STALE
    assert world.watch.lease_age_s() == 60


def test_what_is_asked_is_answered_by_the_newest_record_and_the_present_moment(world: World) -> None:
    world.topic.write(*RUNNING)
    standing = world.built()
    assert (standing.standing(), asked(standing)) == (None, None)
    assert standing.refusal("gate-9", deployment=DOCUMENT.id, at=NOON) is Refusal.UNKNOWN_CAMERA
    world.topic.write(a_change(DOCUMENT, 4, Move.STOP, NOON))
    assert asked(standing) is Refusal.NOT_ACTIVE


def test_a_process_that_stood_still_waits_for_a_lease_that_was_signed_since(world: World) -> None:
    world.topic.write(*RUNNING)
    world.topic.look()
    standing = world.built()
    assert asked(standing) is None
    world.clock.at = NOON + timedelta(seconds=3)
    assert asked(standing) is Refusal.LEASE_STALE
    world.topic.look()
    assert asked(standing) is Refusal.LEASE_STALE
    world.topic.write(a_lease(DOCUMENT, 2, world.clock.at))
    assert asked(standing) is None


def test_revocations_and_alerts_are_answered_for(world: World) -> None:
    world.topic.write(*RUNNING)
    standing = world.built()
    about = {"deployment": DOCUMENT.id, "camera": "gate-1", "list_digest": DOCUMENT.watchlist.digest}
    alert = standing.refusal_of_alert(**about, captured_at=NOON, searched_at=NOON, tokens=frozenset(TOKENS[:1]))
    assert alert is None
    world.topic.write(*revocations(DOCUMENT, TOKENS[0])[0])
    assert standing.revoked(DOCUMENT.watchlist.digest) == {TOKENS[0]}
    alert = standing.refusal_of_alert(**about, captured_at=NOON, searched_at=NOON, tokens=frozenset(TOKENS[:1]))
    assert alert is Refusal.ENTRY_REVOKED


def test_another_version_in_force_refuses_everything_and_ends_the_process_once(world: World) -> None:
    world.topic.write(*RUNNING)
    standing = world.built()
    assert world.watch.ready()
    world.topic.write(published(NEXT), *changes_to_active(NEXT))
    assert (asked(standing), world.replaced) == (None, 0)  # known is not in force
    world.topic.write(a_lease(NEXT, 2), a_lease(NEXT, 3))
    assert (asked(standing), standing.standing()) == (Refusal.NOT_ACTIVE, Refusal.NOT_ACTIVE)
    assert world.replaced == 1
    assert not world.watch.ready()


def test_a_version_called_off_before_it_began_leaves_the_one_that_ran_to_be_finished_and_purged(
    world: World,
) -> None:
    stopped = a_change(DOCUMENT, 4, Move.STOP, NOON)
    world.topic.write(*RUNNING, stopped, published(NEXT), *changes_to_active(NEXT)[:2])
    world.topic.write(a_lease(NEXT, 2, state=State.AUTHORISED, state_sequence=2))
    standing = world.built()
    assert world.waits() == NEXT
    world.topic.write(a_change(NEXT, 3, Move.CANCEL, NOON))
    assert (asked(standing), world.replaced) == (Refusal.NOT_ACTIVE, 1)
    standing = world.built()
    assert (world.waits(), world.replaced, world.watch.ready()) == (DOCUMENT, 1, True)
    assert asked(standing) is Refusal.NOT_ACTIVE
    assert world.watch.purge_ordered() is None
    world.topic.write(a_change(DOCUMENT, 5, Move.ORDER_PURGE, NOON))
    order = world.watch.purge_ordered()
    assert order is not None
    assert (order.version, order.sequence) == (DOCUMENT.version, 5)


def test_the_purge_of_an_earlier_version_is_not_obeyed_while_a_later_one_runs(world: World) -> None:
    world.topic.write(*RUNNING, published(NEXT), *changes_to_active(NEXT), a_lease(NEXT, 2))
    stopped = a_change(DOCUMENT, 4, Move.STOP, NOON)
    world.topic.write(stopped, a_change(DOCUMENT, 5, Move.ORDER_PURGE, NOON))
    assert world.watch.purge_ordered() is None


def test_a_process_whose_follower_died_is_not_ready(world: World) -> None:
    world.topic.write(*RUNNING)
    world.built()
    assert world.watch.ready()
    world.topic.alive = False
    assert not world.watch.ready()


def test_an_authority_that_was_replaced_while_the_process_was_built_ends_it_too(world: World) -> None:
    world.topic.write(*RUNNING)
    world.topic.read_to_the_end = True
    found = world.watch.wait(world.stop, lambda: None)
    assert found is not None
    world.topic.write(published(NEXT), *changes_to_active(NEXT), a_lease(NEXT, 2))
    world.watch.built_for(found, world._on_replaced)
    assert world.replaced == 1


def test_what_is_not_believed_is_counted_by_its_reason(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.topic.deliver(b"")
    world.topic.deliver(b"\xff")
    world.topic.write(*RUNNING[1:2], *RUNNING)
    token = a_lease(DOCUMENT, 2).token
    forged = LeaseRenewed(token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB"))
    world.topic.write(forged, forged, a_lease(DOCUMENT, 1, NOON, registry_sequence=1, revocations_head=NOTHING))
    assert world.rejected == {"undecodable": 2, "no_registry": 1, "bad_signature": 2}
    told = [record.__dict__["reason"] for record in caplog.records]
    assert told == ["undecodable", "no_registry", "bad_signature"]


@pytest.mark.parametrize("kind", [{"deployment": "oxford-street-2"}, {"root": "A" * 43}])
def test_another_deployments_authority_or_another_roots_is_none(kind: dict[str, str]) -> None:
    world = World(**kind)
    world.topic.write(*RUNNING)
    world.topic.read_to_the_end = True
    assert world.waits() is None


def test_every_rejection_has_its_place_in_the_metric() -> None:
    rejected = authority_specs("sample").rejected.on(new_registry())
    for reason in (*Rejection, UNDECODABLE):
        rejected.inc(reason=reason)
