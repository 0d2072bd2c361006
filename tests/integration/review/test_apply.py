"""The atomic step on each server we promise to work with: it writes what was decided, or nothing."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from services.contracts.decisions import CaseEvent
from services.contracts.events import Judgement
from services.review.core.case import Case, Shown
from services.review.core.change import AlertAfter, CaseAfter, Change, Content, Deadline, SubjectAfter, Upkeep
from services.review.core.errors import MoveRefused
from services.review.core.folding import Seen
from services.review.core.move import Claim, Expire, Fold, Judge, Lapse, Move, Release, View
from services.review.core.moves import decide
from services.review.core.views import ReleaseReason
from tests.builders import DEPLOYMENT
from tests.fakes.keys import FakeKeys
from tests.integration.review.rig import Rig, a_clock
from tests.unit.review.cases import ANN, BEN, CAT, POLICY, a_sighting, an_arrival, folded


@pytest.fixture(params=["redis_durable", "redis_floor"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """The packaged Valkey, and Debian's Redis 7.0."""
    clock = a_clock()
    made = Rig(request.getfixturevalue(request.param), clock=clock, store=FakeKeys(clock))
    yield made
    made.close()


def put(rig: Rig, case: Case, *events: CaseEvent) -> bool:
    far = rig.clock.now().replace(year=rig.clock.now().year + 1)
    after = CaseAfter(case=case, keep_until=far, indexed_until=far, past_until=far, came_from=None)
    return rig.cases.apply(Change(case=after, events=events))


def opened(rig: Rig) -> Case:
    """A case of now in the store."""
    sighting = replace(a_sighting(), searched_at=rig.clock.now(), captured_at=rig.clock.now())
    found = folded(replace(an_arrival(sighting), deployment=DEPLOYMENT))
    assert found.case is not None
    case = replace(found.case, opened_at=rig.clock.now())
    assert put(rig, case, *found.events)
    return case


def a_move(chance: random.Random, case: Case) -> Move:
    person = chance.choice([ANN, BEN, CAT])
    fence = next((seat.lent.fence for seat in case.seats if seat.lent and seat.lent.person == person), 0)
    shown = (Shown(name="probe/0", content=case.first.content, index=0),)
    alerts = tuple(one.alert for one in case.sightings)
    said = chance.choice(list(Judgement))
    return chance.choice(
        [
            Claim(person=person),
            View(person=person, fence=fence, digest="digest", shown=shown, alerts=alerts),
            Judge(person=person, fence=fence, judgement=said, features=(), digest="digest", scripted=False),
            Release(person=person, fence=fence, reason=ReleaseReason.PUT_BACK),
            Fold(sighting=a_sighting(f"gate-2.1.1.{case.version}.0"), reason="open_case"),
            Lapse(),
            Expire(),
        ]
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_store_follows_the_pure_decisions_move_by_move(rig: Rig, seed: int) -> None:
    chance, case = random.Random(seed), opened(rig)
    told = len(rig.events())
    for _ in range(60):
        rig.clock.advance(chance.choice([0.0, 1.0, 20.0]))
        try:
            step = decide(case, a_move(chance, case), now=rig.clock.now(), policy=POLICY)
        except MoveRefused:
            continue
        if step.changed:
            assert put(rig, step.case, *step.events)
        case, told = step.case, told + len(step.events)
        assert rig.cases.case(case.id) == case
        assert [event.event_id for event in rig.events()][told - len(step.events) :] == [
            event.event_id for event in step.events
        ]
        assert [one.id for one in rig.cases.open_cases()] == ([case.id] if case.state == "open" else [])


def test_a_step_on_an_old_version_writes_nothing_at_all(rig: Rig) -> None:
    case = opened(rig)
    claim = decide(case, Claim(person=ANN), now=rig.clock.now(), policy=POLICY)
    assert put(rig, claim.case)
    before = rig.all_bytes()
    late = decide(
        case, Fold(sighting=a_sighting("gate-2.1.1.1.0"), reason="x"), now=rig.clock.now(), policy=POLICY
    )
    far = rig.clock.now().replace(year=rig.clock.now().year + 1)
    seen = Seen(version=1, revision=1, case=case.id, position=(0, 0))
    stale = Change(
        alert=AlertAfter(alert="alert-2", seen=seen, keep_until=far),
        subject=SubjectAfter(case=case, version=0, keep_until=far),
        case=CaseAfter(case=late.case, keep_until=far, indexed_until=far, past_until=far, came_from=None),
        events=late.events,
        contents=(Content(name="alert-2.r1", sealed=b"\x00\xff\r\n", keep_until=far),),
        counts={"alerts_received": 1},
    )
    assert not rig.cases.apply(stale)
    assert rig.all_bytes() == before


def test_sealed_bytes_of_any_kind_survive(rig: Rig) -> None:
    far = rig.clock.now().replace(year=rig.clock.now().year + 1)
    raw = bytes(range(256)) * 300
    assert rig.cases.apply(Change(contents=(Content(name="a.r1", sealed=raw, keep_until=far),)))
    assert rig.client.get(rig.names.content("a.r1")) == raw


def test_pictures_may_go_sooner_or_later_but_never_the_other_way(rig: Rig) -> None:
    hour, now = timedelta(hours=1), rig.clock.now()
    names = ("sooner.r1", "not-sooner.r1", "later.r1", "not-later.r1", "gone.r1")
    contents = tuple(Content(name=name, sealed=b"sealed", keep_until=now + 2 * hour) for name in names[:4])
    assert rig.cases.apply(Change(contents=contents))
    sooner = (Deadline(name=names[0], at=now + hour), Deadline(name=names[1], at=now + 3 * hour))
    later = tuple(
        Deadline(name=name, at=now + after)
        for name, after in zip(names[2:], (3 * hour, hour, 3 * hour), strict=True)
    )
    assert rig.cases.apply(Change(upkeep=Upkeep(sooner=sooner, later=later)))
    left = [until and round((until - now) / hour) for name in names for until in [rig.pictures_until(name)]]
    assert left == [1, 2, 3, 2, None]


def test_the_indexes_do_not_outlive_what_they_name(rig: Rig) -> None:
    case = opened(rig)
    assert rig.client.pttl(rig.names.open) > 0
    assert put(rig, decide(case, Expire(), now=case.expires_at, policy=POLICY).case)
    assert rig.client.pttl(rig.names.closed) > 0


def test_of_many_threads_at_one_version_one_wins(rig: Rig) -> None:
    case = opened(rig)
    step = decide(case, Claim(person=ANN), now=rig.clock.now(), policy=POLICY)
    won: list[bool] = []
    crowd = [threading.Thread(target=lambda: won.append(put(rig, step.case))) for _ in range(16)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert sum(won) == 1
