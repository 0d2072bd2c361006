"""People at the desk, over a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from services.contracts import keys
from services.contracts.decisions import AlertFolded, AlertJudged, CaseDecided, CaseExpired, CaseOpened
from services.contracts.errors import Undecodable
from services.contracts.events import Judgement
from services.review.casework import CaseDesk
from services.review.core.errors import BadInput, Gone, MoveRefused, NotAllowed, NotYours, Stale, Taken
from services.review.core.people import Person
from services.review.core.views import (
    CaseState,
    CaseSummary,
    CaseView,
    Engagement,
    FaceFeature,
    Judged,
    PictureKind,
    SupersedeTowards,
)
from tests.builders import a_shot
from tests.integration.review.rig import ANN, BEN, CAT, OLA, REFERENCE, SUE, Rig, a_person, an_alert_of, sha256

MATCH, NOT = Judgement.MATCH, Judgement.NOT_A_MATCH
EARS = (FaceFeature.EARS,)


async def judged(desk: CaseDesk, person: Person, case: str, judgement: Judgement) -> Judged:
    claim = await desk.claim(person, case)
    view = await desk.view(person, case, claim.fence)
    return await desk.judge(
        person,
        case,
        claim.fence,
        judgement=judgement,
        features=EARS,
        displayed_digest=view.displayed_digest,
    )


def test_of_fifty_who_claim_at_once_exactly_two_sit(rig: Rig) -> None:
    case = rig.raise_alert()
    crowd = [a_person(f"reviewer-{number}") for number in range(50)]

    async def rush(desk: CaseDesk) -> list[object]:
        return await asyncio.gather(*(desk.claim(one, case) for one in crowd), return_exceptions=True)

    answers = rig.at_desk(rush)
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(won) == len({getattr(claim, "fence", 0) for claim in won}) == 2
    assert {type(answer) for answer in answers if isinstance(answer, BaseException)} == {Taken}


def test_two_reviewers_who_agree_make_a_match_and_evidence(rig: Rig) -> None:
    case = rig.raise_alert()

    async def work(desk: CaseDesk) -> CaseState:
        await judged(desk, ANN, case, MATCH)
        found = await judged(desk, BEN, case, MATCH)
        await desk.record_engagement(OLA, case, result=Engagement.ENGAGED)
        return found.status.state

    assert rig.at_desk(work) is CaseState.AGREED_MATCH
    assert [type(event).__name__ for event in rig.events()] == [
        "CaseOpened",
        "AlertJudged",
        "AlertJudged",
        "CaseDecided",
        "EngagementRecorded",
    ]
    rig.store.destroy_prefix(keys.alert(rig.authority, rig.clock.now()).id)
    held = rig.cases.case(case)
    assert held is not None
    sealed = rig.client.get(rig.names.content(held.first.content))
    assert isinstance(sealed, bytes)
    assert rig.pictures.open(held.first.content, sealed) is not None, "evidence still lies under the alert key"


def test_nothing_in_redis_shows_a_picture_a_name_or_a_score(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.at_desk(lambda desk: judged(desk, ANN, case, MATCH))
    everything = rig.all_bytes()
    assert case.encode() in everything
    for secret in (b"a crop", b"around it", b"a reference", b"ann", b"Ann", b"0.375"):
        assert secret not in everything


def test_the_view_shows_all_shots_best_first_and_every_reference_and_no_score(rig: Rig) -> None:
    shots = (a_shot(jpeg=b"\xff\xd8worse\xff\xd9", quality=0.2), a_shot(jpeg=b"\xff\xd8best\xff\xd9", quality=0.9))
    case = rig.raise_alert(shots=shots)

    async def look(desk: CaseDesk) -> tuple[CaseView, list[bytes]]:
        claim = await desk.claim(ANN, case)
        view = await desk.view(ANN, case, claim.fence)
        return view, [await desk.picture(ANN, case, claim.fence, one.name) for one in view.pictures]

    view, jpegs = rig.at_desk(look)
    assert jpegs[:2] == [b"\xff\xd8best\xff\xd9", b"\xff\xd8worse\xff\xd9"]
    assert [one.taken_on for one in view.of(PictureKind.REFERENCE)] == ["2024-05-01"]
    assert REFERENCE in jpegs
    assert [one.sha256 for one in view.pictures] == [sha256(jpeg) for jpeg in jpegs]
    assert view.category == "consenting_volunteer"


def test_the_score_comes_with_the_judgement_that_closes_the_case(rig: Rig) -> None:
    case = rig.raise_alert()

    async def work(desk: CaseDesk) -> list[tuple[float | None, float | None]]:
        found = [await judged(desk, person, case, NOT) for person in (ANN, BEN)]
        return [(one.score, one.threshold) for one in found]

    assert rig.at_desk(work) == [(None, None), (0.5, 0.375)]


def test_two_who_disagreed_are_told_no_score_and_get_the_case_no_more(rig: Rig) -> None:
    """An alert that folds in used to bring the same two back to the same case, each with its score in mind."""
    case = rig.raise_alert()

    async def work(desk: CaseDesk) -> list[float | None]:
        first = await judged(desk, ANN, case, MATCH)
        rig.arrive(rig.record(an_alert_of("gate-2.1.1.3.0", at=rig.clock.now())))
        second = await judged(desk, BEN, case, NOT)
        assert (second.status.state, second.status.round) == (CaseState.OPEN, 2)
        for person in (ANN, BEN):
            with pytest.raises(NotAllowed):
                await desk.claim(person, case)
        others = [await judged(desk, person, case, MATCH) for person in (CAT, a_person("eve"))]
        assert others[-1].status.state is CaseState.AGREED_MATCH
        return [one.score for one in (first, second, *others)]

    assert rig.at_desk(work) == [None, None, None, 0.5]


def test_no_pixels_without_a_claim_and_none_after_it(rig: Rig) -> None:
    case = rig.raise_alert()

    async def work(desk: CaseDesk) -> None:
        claim = await desk.claim(ANN, case)
        await desk.view(ANN, case, claim.fence)
        for person, fence in ((BEN, claim.fence), (ANN, claim.fence + 1), (BEN, 0)):
            with pytest.raises(NotYours):
                await desk.view(person, case, fence)
            with pytest.raises(NotYours):
                await desk.picture(person, case, fence, "probe/0")
        rig.clock.advance(61)
        with pytest.raises(NotYours):
            await desk.picture(ANN, case, claim.fence, "probe/0")
        with pytest.raises(NotAllowed):
            await desk.claim(SUE, case)

    rig.at_desk(work)


def test_new_pictures_do_not_change_what_a_claim_was_shown(rig: Rig) -> None:
    case = rig.raise_alert()

    async def work(desk: CaseDesk) -> None:
        claim = await desk.claim(ANN, case)
        before = await desk.view(ANN, case, claim.fence)
        better = (a_shot(jpeg=b"\xff\xd8better\xff\xd9", quality=0.99),)
        rig.raise_alert(revision=2, shots=better)
        assert await desk.picture(ANN, case, claim.fence, "probe/0") == a_shot().jpeg
        after = await desk.view(ANN, case, claim.fence)
        assert after.displayed_digest != before.displayed_digest
        assert await desk.picture(ANN, case, claim.fence, "probe/0") == better[0].jpeg
        for digest, refused in ((before.displayed_digest, True), (after.displayed_digest, False)):
            said = desk.judge(ANN, case, claim.fence, judgement=NOT, features=EARS, displayed_digest=digest)
            if refused:
                with pytest.raises(Stale):
                    await said
            else:
                await said

    rig.at_desk(work)


def test_the_scripted_say_so_in_their_event_and_nobody_is_named(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.at_desk(lambda desk: judged(desk, CAT, case, MATCH))
    event = rig.events()[-1]
    assert isinstance(event, AlertJudged)
    assert (event.scripted, event.features, "cat" in event.reviewer) == (True, ("ears",), False)


def test_two_instances_expire_a_case_once(rigs: Callable[[], Rig]) -> None:
    one, other = rigs(), rigs()
    case = one.raise_alert()
    one.clock.advance(121)
    for _ in range(2):
        one.sweeper.sweep()
        other.sweeper.sweep()
    assert [type(event) for event in one.events()] == [CaseOpened, CaseExpired]
    with pytest.raises(Gone):
        one.at_desk(lambda desk: desk.claim(ANN, case))


def test_a_lapsed_claim_is_offered_again_by_the_sweeper(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.at_desk(lambda desk: desk.claim(ANN, case))
    rig.clock.advance(60)
    rig.sweeper.sweep()
    held = rig.cases.case(case)
    assert held is not None
    assert len(held.seats[0].lapsed) == 1
    assert rig.registry.get_sample_value("signpost_review_claims_lapsed_total") == 1


def test_a_supervisor_reopens_what_was_no_action_while_its_pictures_live(rig: Rig) -> None:
    case = rig.raise_alert()

    async def work(desk: CaseDesk) -> CaseState:
        await judged(desk, ANN, case, NOT)
        await judged(desk, BEN, case, MATCH)
        with pytest.raises(MoveRefused):
            await desk.supersede(SUE, case, towards=SupersedeTowards.REOPEN, reason="short")
        await desk.supersede(SUE, case, towards=SupersedeTowards.REOPEN, reason="a scar was overlooked")
        await judged(desk, CAT, case, MATCH)
        return (await judged(desk, a_person("eve"), case, MATCH)).status.state

    assert rig.at_desk(work) is CaseState.AGREED_MATCH


def test_a_dead_alert_key_ends_the_pictures(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.store.destroy_prefix(keys.alert(rig.authority, rig.clock.now()).id)
    rig.ring.forget([keys.alert(rig.authority, rig.clock.now())])

    async def look(desk: CaseDesk) -> None:
        claim = await desk.claim(ANN, case)
        with pytest.raises(Gone):
            await desk.view(ANN, case, claim.fence)

    rig.at_desk(look)


def test_watchers_see_each_change_and_whom_it_leaves(rig: Rig) -> None:
    case = rig.raise_alert()

    async def work(desk: CaseDesk) -> list[CaseSummary]:
        seen: list[CaseSummary] = []

        async def watch() -> None:
            async for line in desk.watch(BEN):
                seen.append(line)
                if line.state is not CaseState.OPEN:
                    return

        async with asyncio.timeout(20):
            watching = asyncio.create_task(watch())
            while not seen:
                await asyncio.sleep(0.01)
            await judged(desk, ANN, case, MATCH)
            await judged(desk, BEN, case, MATCH)
            await watching
        return seen

    seen = rig.at_desk(work)
    assert (seen[0].claimable, seen[0].mine) == (True, None)
    assert seen[-1].state is CaseState.AGREED_MATCH
    versions = [line.version for line in seen]
    assert versions == sorted(set(versions))


def test_every_alert_record_is_counted_once_however_often_it_is_read(rigs: Callable[[], Rig]) -> None:
    one, other = rigs(), rigs()
    now = one.clock.now()
    records = [
        one.record(an_alert_of("gate-1.1.1.7.0", at=now)),
        one.record(an_alert_of("gate-1.1.1.7.0", at=now, revision=2)),
        one.record(an_alert_of("gate-2.1.1.3.0", at=now)),
        one.record(an_alert_of("gate-9.1.1.3.0", at=now)),
    ]
    one.arrive(*records)
    counted = one.counts()
    # Another instance takes the partition over and reads from a commit that was never made.
    other.arrive(*records)
    other.arrive(*records[2:])
    assert (
        one.counts()
        == counted
        == {
            "alerts_received": 4,
            "alerts_opened_case": 1,
            "alerts_folded:same_alert": 1,
            "alerts_folded:open_case": 1,
            "alerts_refused:unknown_camera": 1,
        }
    )
    assert [type(event) for event in one.events()] == [CaseOpened, AlertFolded]


def test_an_alert_whose_key_is_gone_is_counted_and_opens_nothing(rig: Rig) -> None:
    record = rig.record(an_alert_of("gate-1.1.1.7.0", at=rig.clock.now()))
    rig.store.lose_all()
    rig.ring.forget([keys.alert(rig.authority, rig.clock.now())])
    rig.arrive(record)
    assert rig.counts() == {"alerts_received": 1, "alerts_expired:key_lost": 1}
    assert rig.events() == []


@pytest.mark.parametrize(("minutes", "told"), [(1, "alerts_opened_case"), (3, "alerts_refused:backdated")])
def test_an_alert_that_says_it_was_searched_long_before_the_broker_had_it_opens_nothing(
    rig: Rig, minutes: int, told: str
) -> None:
    alert = an_alert_of("gate-1.1.1.7.0", at=rig.clock.now())
    rig.arrive(rig.record(alert, under_way=timedelta(minutes=minutes)))
    assert rig.counts() == {"alerts_received": 1, told: 1}


@pytest.mark.parametrize("ahead_s", [11, 86_400 * 365])
def test_an_alert_dated_ahead_of_the_broker_is_refused_and_holds_nothing_up(rig: Rig, ahead_s: int) -> None:
    """Its partition waited for a lease of that day: one record of a stranger kept all alerts behind it
    from everybody for years."""
    alert = an_alert_of("gate-1.1.1.7.0", at=rig.clock.now())
    with pytest.raises(Undecodable):
        rig.folder.prepare(rig.record(alert, under_way=timedelta(seconds=-ahead_s)))


@pytest.mark.parametrize("judgement", list(Judgement))
def test_what_is_said_of_two_faces_is_said_by_their_features(rig: Rig, judgement: Judgement) -> None:
    case = rig.raise_alert()

    async def judge(desk: CaseDesk) -> None:
        claim = await desk.claim(ANN, case)
        view = await desk.view(ANN, case, claim.fence)
        said = desk.judge(
            ANN, case, claim.fence, judgement=judgement, features=(), displayed_digest=view.displayed_digest
        )
        if judgement in (MATCH, NOT):
            with pytest.raises(BadInput, match="features"):
                await said
        else:
            await said

    rig.at_desk(judge)


def test_a_decision_outboxes_its_events_with_it_or_not_at_all(rig: Rig) -> None:
    case = rig.raise_alert()

    async def race(desk: CaseDesk) -> list[object]:
        await judged(desk, ANN, case, MATCH)
        claim = await desk.claim(BEN, case)
        view = await desk.view(BEN, case, claim.fence)
        said = [
            desk.judge(
                BEN, case, claim.fence, judgement=one, features=EARS, displayed_digest=view.displayed_digest
            )
            for one in (MATCH, NOT, MATCH, NOT)
        ]
        return await asyncio.gather(*said, return_exceptions=True)

    rig.at_desk(race)
    decided = [event for event in rig.events() if isinstance(event, CaseDecided)]
    judgements = [event for event in rig.events() if isinstance(event, AlertJudged)]
    assert (len(decided), len(judgements)) == (1, 2)
