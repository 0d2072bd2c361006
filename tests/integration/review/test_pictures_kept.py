"""How long pictures lie in the durable Redis: while somebody may have to look, and no longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from services.contracts import keys
from services.contracts.events import Judgement
from services.review.casework import CaseDesk
from services.review.core.case import Case
from services.review.core.errors import Gone
from services.review.core.keeping import READING
from services.review.core.people import Person
from services.review.core.views import CaseState, FaceFeature, ReleaseReason, SupersedeTowards
from tests.builders import a_shot
from tests.integration.review.rig import ANN, BEN, CAT, CLOSED_PICTURES, SUE, Rig, a_person
from tests.support import eventually

MATCH, NOT = Judgement.MATCH, Judgement.NOT_A_MATCH
WHY = "a scar was overlooked"
# Of what a closed case leaves behind for as long as Kafka may tell of its alert again: no pictures in it.
TOMBSTONE_BYTES = 2304


def held(rig: Rig, case: str) -> Case:
    found = rig.cases.case(case)
    assert found is not None
    return found


def first(rig: Rig, case: str) -> str:
    """The name of its first alert's pictures."""
    return held(rig, case).first.content


def key_dies(rig: Rig, case: str) -> datetime:
    return keys.alert(rig.authority, held(rig, case).first.searched_at).expires_at


def memory(rig: Rig, name: str) -> int:
    used = rig.client.memory_usage(name)
    assert isinstance(used, int), f"nothing is held as {name}"
    return used


def about(at: datetime | None, expected: datetime) -> bool:
    return at is not None and abs(at - expected) < timedelta(milliseconds=2)


async def judge(desk: CaseDesk, person: Person, case: str, judgement: Judgement) -> float | None:
    claim = await desk.claim(person, case)
    view = await desk.view(person, case, claim.fence)
    said = await desk.judge(
        person,
        case,
        claim.fence,
        judgement=judgement,
        features=(FaceFeature.EARS,),
        displayed_digest=view.displayed_digest,
    )
    return said.score


async def decide(desk: CaseDesk, case: str, *judgements: Judgement) -> None:
    for person, judgement in zip((ANN, BEN), judgements, strict=True):
        await judge(desk, person, case, judgement)


async def reopen(desk: CaseDesk, case: str) -> None:
    await desk.supersede(SUE, case, towards=SupersedeTowards.REOPEN, reason=WHY)


def test_pictures_of_an_open_case_stay_while_their_key_lives(rig: Rig) -> None:
    case = rig.raise_alert()
    assert rig.pictures_until(first(rig, case)) == key_dies(rig, case)


def test_no_action_leaves_pictures_for_a_second_thought_only(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.at_desk(lambda desk: decide(desk, case, NOT, NOT))
    assert about(rig.pictures_until(first(rig, case)), rig.clock.now() + CLOSED_PICTURES)


def test_so_does_a_case_that_nobody_decides(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.clock.advance(121)
    rig.sweeper.sweep()
    assert about(rig.pictures_until(first(rig, case)), rig.clock.now() + CLOSED_PICTURES)


def test_pictures_are_gone_from_redis_when_their_time_is_up_and_a_small_tombstone_stays(
    rigs: Callable[..., Rig],
) -> None:
    rig = rigs(closed_pictures=timedelta(milliseconds=200))
    rig.list_subject()
    case = rig.raise_alert(shots=(a_shot(jpeg=b"\xff\xd8" + b"a crop" * 5000 + b"\xff\xd9"),))
    content = rig.names.content(first(rig, case))
    assert memory(rig, content) > 30_000
    rig.at_desk(lambda desk: decide(desk, case, NOT, NOT))
    eventually(lambda: not rig.client.exists(content), "the pictures to go", within_s=5)
    left = (rig.names.case(case), rig.names.seen(held(rig, case).first.alert))
    assert sum(memory(rig, name) for name in left) < TOMBSTONE_BYTES
    rig.clock.advance(0.2)
    with pytest.raises(Gone, match="pictures of this case are gone, so it cannot be reopened"):
        rig.at_desk(lambda desk: reopen(desk, case))
    assert held(rig, case).state is CaseState.NO_ACTION


def test_the_sweeper_follows_up_what_is_past_its_time_and_touches_nothing_else(rigs: Callable[..., Rig]) -> None:
    rig = rigs(closed_pictures=timedelta(milliseconds=100))
    rig.list_subject()
    over = rig.raise_alert()
    rig.at_desk(lambda desk: decide(desk, over, NOT, NOT))
    other = rig.raise_alert("gate-2.1.1.3.0")
    earlier = first(rig, other)
    rig.raise_alert("gate-2.1.1.3.0", revision=2)
    assert rig.client.zcard(rig.names.fading) == 2
    # Past both for us, and for the server past the first one only.
    rig.clock.advance(60)

    def followed_up() -> bool:
        rig.sweeper.sweep()
        return rig.client.zscore(rig.names.fading, first(rig, over)) is None

    eventually(followed_up, "the pictures of the closed case to be followed up", within_s=5)
    assert not rig.client.exists(rig.names.content(first(rig, over)))
    assert rig.client.zscore(rig.names.fading, earlier) is not None
    assert rig.client.exists(rig.names.content(earlier), rig.names.content(first(rig, other))) == 2


def test_a_reopened_case_has_its_pictures_again_for_its_whole_time(rig: Rig) -> None:
    case = rig.raise_alert()

    async def work(desk: CaseDesk) -> None:
        await decide(desk, case, NOT, NOT)
        rig.clock.advance(CLOSED_PICTURES.total_seconds() - 1)
        await reopen(desk, case)
        assert rig.pictures_until(first(rig, case)) == key_dies(rig, case)
        assert not rig.client.exists(rig.names.fading)
        await judge(desk, CAT, case, MATCH)
        await judge(desk, a_person("eve"), case, MATCH)

    rig.at_desk(work)
    assert held(rig, case).state is CaseState.AGREED_MATCH
    assert about(rig.pictures_until(first(rig, case)), keys.evidence(rig.authority).expires_at)


def test_a_case_is_not_reopened_on_pictures_that_are_not_there(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.at_desk(lambda desk: decide(desk, case, NOT, NOT))
    before = held(rig, case)
    rig.client.delete(rig.names.content(before.first.content))
    with pytest.raises(Gone, match="cannot be reopened: their key is dead"):
        rig.at_desk(lambda desk: reopen(desk, case))
    assert held(rig, case) == before


def test_a_match_taken_back_loses_its_evidence(rig: Rig) -> None:
    case = rig.raise_alert()

    async def work(desk: CaseDesk) -> None:
        await decide(desk, case, MATCH, MATCH)
        assert about(rig.pictures_until(first(rig, case)), keys.evidence(rig.authority).expires_at)
        await desk.supersede(SUE, case, towards=SupersedeTowards.NO_ACTION, reason="the ears differ")

    rig.at_desk(work)
    assert about(rig.pictures_until(first(rig, case)), rig.clock.now() + CLOSED_PICTURES)


def test_what_joins_an_agreed_match_leaves_no_pictures(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.at_desk(lambda desk: decide(desk, case, MATCH, MATCH))
    before = set(rig.client.scan_iter(rig.names.content("*")))
    rig.raise_alert("gate-2.1.1.3.0")
    rig.raise_alert("gate-2.1.1.3.0", revision=2)
    assert set(rig.client.scan_iter(rig.names.content("*"))) == before
    assert held(rig, case).alerts == 2


@pytest.mark.parametrize("swept", [True, False])
def test_a_better_revision_of_a_case_that_is_over_leaves_none_either(rig: Rig, swept: bool) -> None:
    case = rig.raise_alert()
    rig.clock.advance(121)
    if swept:
        rig.sweeper.sweep()
    before = set(rig.client.scan_iter(rig.names.content("*")))
    rig.raise_alert(revision=2)
    assert set(rig.client.scan_iter(rig.names.content("*"))) == before
    assert held(rig, case).first.revision == 1


def test_an_earlier_revision_goes_unless_a_claim_shows_it(rig: Rig) -> None:
    case = rig.raise_alert()
    names = [f"{held(rig, case).first.alert}.r{revision}" for revision in (1, 2, 3)]
    rig.raise_alert(revision=2)
    assert about(rig.pictures_until(names[0]), rig.clock.now() + READING)

    async def work(desk: CaseDesk) -> None:
        claim = await desk.claim(ANN, case)
        await desk.view(ANN, case, claim.fence)
        rig.raise_alert(revision=3)
        assert rig.pictures_until(names[1]) == rig.pictures_until(names[2]) == key_dies(rig, case)
        assert await desk.picture(ANN, case, claim.fence, "probe/0")
        await desk.release(ANN, case, claim.fence, reason=ReleaseReason.PUT_BACK)

    rig.at_desk(work)
    assert about(rig.pictures_until(names[1]), rig.clock.now() + READING)
    assert rig.pictures_until(names[2]) == key_dies(rig, case)


def test_the_judgement_that_ends_a_case_is_still_answered_with_its_score(rigs: Callable[..., Rig]) -> None:
    rig = rigs(closed_pictures=READING)
    rig.list_subject()
    case = rig.raise_alert()

    async def work(desk: CaseDesk) -> float | None:
        await judge(desk, ANN, case, NOT)
        return await judge(desk, BEN, case, NOT)

    assert rig.at_desk(work) == 0.5
