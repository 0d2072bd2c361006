"""Who can write to the durable Redis, and nothing else, attacks. What each of them cannot do."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import redis

from services.contracts import codec, keys, topics
from services.contracts.decisions import AlertJudged, CaseDecided, CaseExpired
from services.contracts.events import CaseOutcome, Judgement
from services.contracts.lists import everything
from services.review.casework import CaseDesk
from services.review.core.change import Change
from services.review.core.errors import MoveRefused, NotFound
from services.review.core.keeping import Keeping
from services.review.core.move import Claim
from services.review.core.moves import decide as move_on
from services.review.core.people import SignedIn
from services.review.core.views import CaseState, ReleaseReason, SupersedeTowards
from services.review.edges import stored
from services.review.edges.outbox_redis import tidy, undelivered
from services.review.edges.sessions_redis import RedisSessions
from services.review.edges.vault import Opened
from services.review.metrics import Stored
from services.runtime.redis_client import connect_async
from tests.builders import DEPLOYMENT
from tests.integration.review.rig import ANN, BEN, CAT, SUBJECT, SUE, Rig, a_person, an_alert_of
from tests.integration.review.test_pictures_kept import decide, judge
from tests.unit.contracts.audit.builders import a_request

MATCH, NOT = Judgement.MATCH, Judgement.NOT_A_MATCH
DAN = a_person("dan")
WHY = "a scar was overlooked"
T = TypeVar("T")


def copy_of(rig: Rig) -> dict[bytes, bytes]:
    """Every value of the server, to be put back later."""
    names = [name for name in rig.client.scan_iter() if isinstance(name, bytes)]
    return {name: raw for name in names if isinstance(raw := rig.client.dump(name), bytes)}


def put_back(rig: Rig, copy: dict[bytes, bytes], *, but: tuple[str, ...] = ()) -> None:
    """The server as it was: nothing of later is left."""
    rig.client.flushdb()
    for name, raw in copy.items():
        if name.decode() not in but:
            rig.client.restore(name, 0, raw, replace=True)


def said(rig: Rig) -> list[str]:
    """The decisions that the outbox holds."""
    return [str(one.outcome) for one in rig.events() if isinstance(one, CaseDecided)]


# --- cases


def of_another_person(rig: Rig) -> str:
    """A case of somebody else's."""
    alert = an_alert_of("gate-2.1.1.3.0", at=rig.clock.now(), subject="another-subject")
    rig.arrive(rig.record(alert))
    found = rig.cases.known("", alert.subject).window
    assert found is not None
    return found.id


def forged(rig: Rig, case: str) -> bytes:
    """The case as two people would have agreed on it."""
    held = rig.cases.case(case)
    assert held is not None
    judged_by = (rig.tokens().of(ANN), rig.tokens().of(BEN))
    return stored.dump(replace(held, state=CaseState.AGREED_MATCH, judged_by=judged_by, version=held.version))


@pytest.mark.parametrize("shape", ["json", "version and json", "a flipped bit", "another version", "another's"])
def test_a_case_that_none_of_us_wrote_is_not_believed_and_is_counted(rig: Rig, shape: str) -> None:
    """The Redis password made two-person decisions: a rewritten case and one XADD."""
    case = rig.raise_alert()
    other = of_another_person(rig)
    name = rig.names.case(case)
    (raw,) = rig.client.mget([name])
    assert isinstance(raw, bytes)
    (of_other,) = rig.client.mget([rig.names.case(other)])
    written = {
        "json": forged(rig, case),
        "version and json": b"1:" + forged(rig, case),
        "a flipped bit": raw[:-1] + bytes([raw[-1] ^ 1]),
        "another version": b"9" + raw,
        "another's": of_other,
    }[shape]
    assert isinstance(written, bytes)
    rig.client.set(name, written)
    assert rig.cases.case(case) is None
    assert rig.not_believed() == {Stored.CASE: 1}
    with pytest.raises(NotFound):
        rig.at_desk(lambda desk: desk.claim(ANN, case))
    assert [one.id for one in rig.cases.open_cases()] == [other], "the other is stopped, too"
    assert rig.at_desk(lambda desk: desk.claim(ANN, other)).case == other


def test_a_value_of_another_type_is_refused_and_counted_like_any_other(rig: Rig) -> None:
    """As the attack that was found wrote it: a hash with a version and a body."""
    case, session = rig.raise_alert(), signed_in(rig, "ann", "token")
    other = of_another_person(rig)
    for name in (rig.names.case(case), session):
        rig.client.delete(name)
        rig.client.hset(name, mapping={"version": 9, "body": "{}"})
    assert (rig.cases.case(case), who(rig, "token")) == (None, None)
    assert [one.id for one in rig.cases.open_cases()] == [other]
    assert rig.not_believed() == {Stored.CASE: 2, Stored.SESSION: 1}


def test_nothing_of_a_case_can_be_read_in_the_server(rig: Rig) -> None:
    """Else one reviewer with a look at the server sees the other's judgement."""
    case = rig.raise_alert()
    rig.at_desk(lambda desk: judge(desk, ANN, case, NOT))
    everything_there = rig.all_bytes()
    for secret in (b"judged_by", b"not_a_match", rig.tokens().of(ANN).encode(), b"AlertJudged", b"search"):
        assert secret not in everything_there


@pytest.mark.parametrize("instance", ["the same", "another", "restarted"])
@pytest.mark.parametrize(("first", "second"), [(MATCH, NOT), (MATCH, MATCH)], ids=str)
def test_a_case_that_is_over_does_not_come_back_as_open(
    rigs: Callable[[], Rig], instance: str, first: Judgement, second: Judgement
) -> None:
    """An earlier value is genuine: put back, the same case would be decided a second time, and otherwise."""
    rig, beside = rigs(), rigs()
    rig.list_subject()
    case = rig.raise_alert()
    assert beside.cases.case(case) is not None
    rig.at_desk(lambda desk: judge(desk, ANN, case, first))
    before = copy_of(rig)
    rig.at_desk(lambda desk: judge(desk, BEN, case, second))
    (decided,) = said(rig)
    put_back(rig, before)
    looks = {"the same": rig, "another": beside, "restarted": rigs()}[instance]
    assert looks.cases.case(case) is None
    assert looks.not_believed() == {Stored.CASE: 1}
    assert looks.cases.open_cases() == [], "it is still offered"
    for person in (ANN, BEN, CAT):
        with pytest.raises(MoveRefused):
            looks.at_desk(lambda desk, who=person: desk.claim(who, case))  # type: ignore[misc]
    looks.clock.advance(200)
    looks.sweeper.sweep()
    assert said(looks) == [], "what was put back decided anew"
    assert not [one for one in looks.events() if isinstance(one, CaseExpired)]
    assert decided in (CaseOutcome.AGREED_MATCH, CaseOutcome.NO_ACTION)


@pytest.mark.parametrize("by", ["an earlier value", "rubbish"])
def test_who_is_slow_to_judge_does_not_write_over_a_judgement_that_was_taken_away_meanwhile(
    rig: Rig, by: str
) -> None:
    """Ben's move was decided on the case as it was before Ann's judgement: put back in between, it fits again."""
    case = rig.raise_alert()
    before = rig.client.get(rig.names.case(case))
    assert isinstance(before, bytes)
    decided_on = rig.cases.case(case)
    assert decided_on is not None
    rig.at_desk(lambda desk: judge(desk, ANN, case, NOT))
    rig.client.set(rig.names.case(case), before if by == "an earlier value" else b"rubbish")
    now = rig.clock.now()
    step = move_on(decided_on, Claim(person=rig.tokens().of(BEN)), now=now, policy=rig.policy)
    after = Keeping(rig.authority).after(step.case, now, before=decided_on)
    assert not rig.cases.apply(Change(case=after, events=step.events))
    assert rig.cases.case(case) is None


def test_a_case_that_somebody_moves_on_while_it_is_read_is_read_as_it_is_then(
    rigs: Callable[[], Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people at work at once: one's judgement came between the other's reading of the case and of its mark.

    The case was then called forged, which pages, and the other was told that there is none: their claim stayed,
    and the case with it until the claim lapsed.
    """
    ann, ben = rigs(), rigs()
    ann.list_subject()
    case = ann.raise_alert()
    past = ben.held.past
    asked = past.over

    def over(what: str) -> bool:
        monkeypatch.undo()
        ann.at_desk(lambda desk: judge(desk, ANN, case, MATCH))
        return asked(what)

    monkeypatch.setattr(past, "over", over)
    found = ben.cases.case(case)
    assert found is not None and found.turn == 1
    assert ben.not_believed() == {}
    ben.at_desk(lambda desk: judge(desk, BEN, case, MATCH))
    assert said(ben) == [CaseOutcome.AGREED_MATCH]


def test_a_list_read_while_a_case_is_moved_on_has_it_as_it_is_then(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue left the case out, and called it forged."""
    rig.list_subject()
    case = rig.raise_alert()
    vault = rig.held.vault
    opened = vault.open

    def slowly(kind: Stored, name: str, raw: object) -> Opened | None:
        monkeypatch.undo()
        found = opened(kind, name, raw)
        rig.at_desk(lambda desk: judge(desk, ANN, case, MATCH))
        return found

    monkeypatch.setattr(vault, "open", slowly)
    assert [(one.id, one.turn) for one in rig.cases.open_cases()] == [(case, 1)]
    assert rig.not_believed() == {}


def test_a_decided_case_that_was_deleted_is_not_decided_anew_when_its_track_is_seen_again(rig: Rig) -> None:
    """Better shots of the track would open it once more, under its own id, were nothing of it kept elsewhere."""
    case = rig.raise_alert()
    rig.at_desk(lambda desk: decide(desk, case, NOT, NOT))
    rig.client.flushdb()
    rig.list_subject()
    rig.arrive(rig.record(an_alert_of("gate-1.1.1.7.0", at=rig.clock.now(), revision=2)))
    assert rig.client.exists(rig.names.case(case))
    for person in (CAT, DAN):
        with pytest.raises(NotFound):
            rig.at_desk(lambda desk, one=person: judge(desk, one, case, MATCH))  # type: ignore[misc]
    assert said(rig) == []


def test_a_judgement_is_not_taken_back_so_that_somebody_else_judges(rig: Rig) -> None:
    """Ann says no; put back to before, the seat is free for one who says yes."""
    case = rig.raise_alert()
    before = copy_of(rig)
    rig.at_desk(lambda desk: judge(desk, ANN, case, NOT))
    put_back(rig, before)
    with pytest.raises(NotFound):
        rig.at_desk(lambda desk: desk.claim(CAT, case))
    assert [one for one in rig.events() if isinstance(one, AlertJudged)] == []


def test_a_match_that_was_taken_back_does_not_come_back(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.at_desk(lambda desk: decide(desk, case, MATCH, MATCH))
    before = copy_of(rig)
    rig.at_desk(lambda desk: desk.supersede(SUE, case, towards=SupersedeTowards.NO_ACTION, reason=WHY))
    put_back(rig, before)
    assert rig.cases.case(case) is None
    with pytest.raises(NotFound):
        rig.at_desk(lambda desk: desk.get_case(SUE, case))


def test_who_knows_the_person_does_not_get_the_case_back(rig: Rig) -> None:
    case = rig.raise_alert()

    async def hand_on(desk: CaseDesk) -> None:
        claim = await desk.claim(ANN, case)
        await desk.release(ANN, case, claim.fence, reason=ReleaseReason.KNOWS_PERSON)

    before = copy_of(rig)
    rig.at_desk(hand_on)
    put_back(rig, before)
    with pytest.raises(NotFound):
        rig.at_desk(lambda desk: desk.claim(ANN, case))


def test_a_mark_that_a_dying_process_left_out_is_made_by_the_next_who_looks(
    rigs: Callable[[], Rig],
) -> None:
    """The step and the mark lie in two stores: a process may die in between."""
    rig, next_one = rigs(), rigs()
    rig.list_subject()
    case = rig.raise_alert()
    before = copy_of(rig)
    rig.at_desk(lambda desk: judge(desk, ANN, case, NOT))
    rig.store.destroy_prefix(f"{DEPLOYMENT}/past/")
    assert next_one.cases.case(case) is not None
    put_back(rig, before)
    assert rigs().cases.case(case) is None


def test_what_remains_possible_is_to_bring_back_a_claim(rig: Rig) -> None:
    """docs/architecture.md says so: within a turn a case may be put back. Nobody has judged by then."""
    case = rig.raise_alert()
    before = copy_of(rig)
    rig.at_desk(lambda desk: desk.claim(ANN, case))
    put_back(rig, before)
    found = rig.cases.case(case)
    assert found is not None
    assert not any(seat.lent for seat in found.seats)
    assert found.judged_by == ()


def test_no_value_outlives_the_time_that_was_sealed_into_it(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.client.persist(rig.names.case(case))
    rig.clock.advance(timedelta(days=2).total_seconds())
    assert rig.cases.case(case) is None
    assert rig.not_believed() == {}, "too late is no forgery"


# --- what lies around cases


def write_over(rig: Rig, name: bytes, kind: str, foreign: bytes) -> None:
    rig.client.delete(name)
    match kind:
        case "text":
            rig.client.set(name, b"\xff\x00 7: mine")
        case "sealed elsewhere":
            rig.client.set(name, foreign)
        case "list":
            rig.client.rpush(name, b"\xff", "mine")
        case "hash":
            rig.client.hset(name, mapping={b"\xff": b"\xff", "version": "1", "body": "{}"})


@pytest.mark.parametrize("kind", ["text", "sealed elsewhere", "list", "hash", "nothing"])
def test_an_alert_finds_its_case_whatever_was_written_over_everything(rig: Rig, kind: str) -> None:
    """Nothing that somebody writes stops the next alert, its two judges, or their decision."""
    rig.raise_alert()
    foreign = rig.client.get(rig.names.subject(SUBJECT))
    assert isinstance(foreign, bytes)
    for name in list(rig.client.scan_iter()):
        assert isinstance(name, bytes)
        if name.startswith(everything(DEPLOYMENT).encode()):
            continue
        write_over(rig, name, kind, foreign)
    rig.client.publish(rig.names.changes, b"\xff\xfe")
    # The same alert, whose tombstone was overwritten, and another.
    for track in ("gate-1.1.1.7.0", "gate-2.1.1.3.0"):
        case = rig.raise_alert(track)
    rig.at_desk(lambda desk: decide(desk, case, MATCH, MATCH))
    assert said(rig) == [CaseOutcome.AGREED_MATCH]
    assert rig.counts()["alerts_received"] == 3
    rig.sweeper.sweep()


def test_an_index_that_names_what_is_not_there_stops_nothing(rig: Rig) -> None:
    case = rig.raise_alert()
    members: dict[Any, float] = {b"\xff\xfe": 0, "nobody": 0, case: 0}
    for index in (rig.names.open, rig.names.closed, rig.names.fading):
        rig.client.zadd(index, members)
    assert [one.id for one in rig.cases.open_cases()] == [case]
    rig.sweeper.sweep()
    assert rig.at_desk(lambda desk: desk.claim(ANN, case)).case == case


def test_word_of_changes_that_nobody_of_us_gave_ends_no_watching(rig: Rig) -> None:
    async def work(desk: CaseDesk) -> tuple[str, str]:
        case = rig.raise_alert()
        lines = desk.watch(BEN)
        assert (await anext(lines)).case == case
        for word in (b"\xff\xfe", "nobody", b""):
            rig.client.publish(rig.names.changes, word)
        other = of_another_person(rig)
        async with asyncio.timeout(20):
            return other, (await anext(lines)).case

    other, told = rig.at_desk(work)
    assert told == other


def test_pictures_that_are_not_ours_are_not_shown_and_the_others_are(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.arrive(rig.record(an_alert_of("gate-2.1.1.3.0", at=rig.clock.now())))
    held = rig.cases.case(case)
    assert held is not None
    first, second = (rig.names.content(one.content) for one in held.sightings)
    for written in (b"\xff\xd8 a picture of mine \xff\xd9", rig.client.get(second)):
        assert isinstance(written, bytes)
        rig.client.set(first, written)

        async def look(desk: CaseDesk) -> set[str]:
            claim = await desk.claim(ANN, case)
            view = await desk.view(ANN, case, claim.fence)
            return {one.camera for one in view.pictures if one.camera}

        assert rig.at_desk(look) == {"gate-2"}
    assert set(rig.not_believed()) == {Stored.PICTURES}


# --- the outbox, the chain's numbers, the counts


def a_decision(rig: Rig, case: str) -> bytes:
    now = rig.clock.now()
    event = CaseDecided(
        deployment=DEPLOYMENT,
        trace_id="t",
        captured_at=now,
        case=case,  # type: ignore[arg-type]
        round=1,
        outcome=CaseOutcome.AGREED_MATCH,
        decided_at=now,
        judgements=2,
    )
    return codec.encode(event, topic=topics.DECISIONS.name)


def waiting(rig: Rig) -> dict[Any, Any]:
    """The fields of the outbox's first entry."""
    found: Any = rig.client.xrange(rig.names.outbox)
    return dict(found[0][1])


def test_an_event_that_none_of_us_wrote_is_not_told_and_holds_up_no_other(rig: Rig) -> None:
    """It was signed for the audit chain, as a decision of two people."""
    case = rig.raise_alert()
    genuine = waiting(rig)
    rig.client.delete(rig.names.outbox)
    raw = a_decision(rig, case)
    made: list[dict[Any, Any]] = [
        {"case": case, "event": raw},
        {"case": case, "event": b"1:" + raw},
        {"case": "another", "event": genuine[b"event"]},
        {"case": b"\xff", "event": b""},
        {"other": "field"},
    ]
    for fields in made:
        rig.client.xadd(rig.names.outbox, fields)
    rig.client.xadd(rig.names.outbox, genuine)
    assert [one.case for one in rig.outbox.oldest(10)] == [case]
    assert rig.not_believed() == {Stored.EVENT: 5}
    assert rig.client.xlen(rig.names.outbox) == 1, "what is not ours would be counted as undelivered for ever"
    assert rig.client.xlen(rig.names.refused) == 5


LAST_ID = "18446744073709551615-18446744073709551615"


def set_to_its_end(rig: Rig, stream: str, how: str) -> None:
    """No `XADD *` succeeds after it."""
    match how:
        case "an entry":
            rig.client.xadd(stream, {"case": "mine", "event": b"mine"}, id=LAST_ID)
        case "an entry that was removed":
            rig.client.xadd(stream, {"case": "mine", "event": b"mine"}, id=LAST_ID)
            rig.client.xdel(stream, LAST_ID)
        case "an entry of many words":
            rig.client.xadd(stream, {str(number): b"mine" for number in range(9000)}, id=LAST_ID)
        case "XSETID":
            rig.client.execute_command("XSETID", stream, LAST_ID)  # type: ignore[no-untyped-call]
    with pytest.raises(redis.ResponseError, match="exhausted"):
        rig.client.xadd(stream, {"case": "mine", "event": b"mine"})


ENDED = ["an entry", "an entry that was removed", "an entry of many words", "XSETID"]


@pytest.mark.parametrize("how", ENDED)
def test_an_outbox_that_somebody_set_to_its_end_takes_the_next_event_and_keeps_those_that_wait(
    rig: Rig, how: str
) -> None:
    """Every later move wrote its case and then failed at its event; folding and sweeping ended for good."""
    case = rig.raise_alert()
    (before,) = rig.outbox.oldest(10)
    set_to_its_end(rig, rig.names.outbox, how)
    rig.at_desk(lambda desk: decide(desk, case, MATCH, MATCH))
    other = of_another_person(rig)
    rig.clock.advance(200)
    rig.sweeper.sweep()
    found = rig.outbox.oldest(1000)
    assert found[0] == before, "what waited was lost, or got another name"
    assert {one.case for one in found} == {case, other}
    assert said(rig) == [CaseOutcome.AGREED_MATCH]
    assert rig.client.xadd(rig.names.outbox, {"case": "mine", "event": b"mine"})
    assert rig.not_believed()[Stored.INDEX] == (2 if how == "an entry of many words" else 1)


def test_our_own_event_under_an_id_of_the_far_future_is_told_all_the_same(rig: Rig) -> None:
    """Somebody moves it there, or the server's clock was wrong for a while: none is thrown away."""
    case = rig.raise_alert()
    genuine = waiting(rig)
    (before,) = rig.outbox.oldest(10)
    rig.client.delete(rig.names.outbox)
    rig.client.xadd(rig.names.outbox, genuine, id=LAST_ID)
    other = of_another_person(rig)
    found = rig.outbox.oldest(10)
    assert (found[0].case, found[0].event) == (case, before.event)
    assert {one.case for one in found} == {case, other}
    assert all(abs(one.written_ms / 1000 - rig.clock.now().timestamp()) < 3600 for one in found)


@pytest.mark.parametrize("how", [*ENDED, "another type"])
def test_what_is_not_ours_is_put_aside_whatever_became_of_the_place_for_it(rig: Rig, how: str) -> None:
    """The relay's thread ended at the first entry that it could not put aside."""
    case = rig.raise_alert()
    rig.client.xadd(rig.names.outbox, {"case": "mine", "event": b"first"})
    if how == "another type":
        rig.client.set(rig.names.refused, "mine")
    else:
        rig.client.xadd(rig.names.refused, {"old": "one"})
        set_to_its_end(rig, rig.names.refused, how)
    assert [one.case for one in rig.outbox.oldest(10)] == [case]
    assert rig.client.xlen(rig.names.outbox) == 1
    found: Any = rig.client.xrange(rig.names.refused)
    ((_, aside),) = found
    assert aside[b"event"] == b"first"
    assert rig.not_believed() == {Stored.EVENT: 1, Stored.INDEX: 1}


def test_what_somebody_else_put_into_the_outbox_is_not_left_undelivered_by_a_purge(rig: Rig) -> None:
    """No certificate would ever have been clean."""
    rig.raise_alert()
    for _ in range(3):
        rig.client.xadd(rig.names.outbox, {"case": "mine", "event": b"mine"})
    tidy(rig.client, rig.names, rig.vault)
    assert undelivered(rig.client, rig.names) == 1
    rig.client.delete(rig.names.outbox)
    rig.client.set(rig.names.outbox, "mine")
    assert undelivered(rig.client, rig.names) == 0


def test_an_event_that_was_told_is_not_told_again(rig: Rig) -> None:
    rig.raise_alert()
    genuine = waiting(rig)
    entries = rig.outbox.oldest(10)
    rig.outbox.remove(entries)
    rig.client.xadd(rig.names.outbox, genuine)
    assert rig.outbox.oldest(10) == []
    assert rig.not_believed() == {Stored.EVENT: 1}


def test_no_number_of_the_audit_chain_is_given_twice_whatever_becomes_of_the_store(rig: Rig) -> None:
    """Numbers were counted in the store: set back, a new request had the number of an old one, and was dropped."""
    rig.raise_alert()
    rig.raise_alert("gate-2.1.1.3.0")
    first, second = rig.outbox.oldest(10)
    before = copy_of(rig)
    told = rig.outbox.minuted(first, [a_request(about="first"), a_request(about="again")])
    rig.outbox.remove([first])
    put_back(rig, before, but=(rig.names.minutes,))
    rig.client.hset(rig.names.minutes, mapping={second.id: b"1:mine", "last": 0})
    more = rig.outbox.minuted(second, [a_request(about="second")])
    assert [one.about for one in more] == ["second"]
    given = [(one.producer, one.sequence) for one in (*told, *more)]
    assert len(set(given)) == len(given)
    for producer in {name for name, _ in given}:
        numbers = [number for name, number in given if name == producer]
        assert numbers == list(range(1, len(numbers) + 1)), "a gap that no sequencer closes"


def test_a_number_whose_entry_was_deleted_unsent_leaves_no_gap(rig: Rig) -> None:
    rig.raise_alert()
    rig.raise_alert("gate-2.1.1.3.0")
    first, second = rig.outbox.oldest(10)
    assert [one.sequence for one in rig.outbox.minuted(first, [a_request()])] == [1]
    rig.client.xdel(rig.names.outbox, first.id)
    assert rig.outbox.oldest(10) == [second]
    assert [one.sequence for one in rig.outbox.minuted(second, [a_request()])] == [1], "another producer's first"


def test_counts_are_believed_as_they_were_written_and_as_nobody_else_wrote_them(rig: Rig) -> None:
    rig.raise_alert()
    (writer,) = rig.outbox.counts()[0]
    first = rig.client.hget(rig.names.counts, writer)
    assert isinstance(first, bytes)
    rig.client.hset(rig.names.counts, mapping={"alerts_received": 900, "cases-ffff": first, b"\xff": b"5"})
    assert rig.counts() == {"alerts_received": 1, "alerts_opened_case": 1}
    assert rig.not_believed() == {Stored.COUNTS: 3}
    rig.client.hset(rig.names.counts, writer, b"2:" + json.dumps({"alerts_received": 900}).encode())
    rig.raise_alert("gate-2.1.1.3.0")
    assert rig.counts() == {"alerts_received": 2, "alerts_opened_case": 1, "alerts_folded:open_case": 1}


def test_a_count_whose_answer_was_lost_is_counted_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step was taken, its answer was not heard: the next counts go on from what lies there."""
    apply, calls = rig.cases._apply, 0

    def deaf(**words: Any) -> object:
        nonlocal calls
        answer, calls = apply(**words), calls + 1
        if calls == 1:
            raise ConnectionError("the answer is lost")
        return answer

    monkeypatch.setattr(rig.cases, "_apply", deaf)
    record = rig.record(an_alert_of("gate-1.1.1.7.0", at=rig.clock.now()))
    with pytest.raises(ConnectionError):
        rig.arrive(record)
    rig.arrive(record)
    rig.raise_alert("gate-2.1.1.3.0")
    assert rig.counts()["alerts_received"] == 2


# --- sign-ins


@asynccontextmanager
async def sessions_of(rig: Rig) -> AsyncIterator[RedisSessions]:
    client = connect_async(rig.url, client_name="test-sessions")
    try:
        yield rig.sessions(client)
    finally:
        await client.aclose()


def at_sessions(rig: Rig, work: Callable[[RedisSessions], Awaitable[T]]) -> T:
    async def run() -> T:
        async with sessions_of(rig) as sessions:
            return await work(sessions)

    return asyncio.run(run())


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def signed_in(rig: Rig, user: str, token: str) -> bytes:
    """A genuine session; its name."""
    before = set(rig.client.scan_iter())
    until = rig.clock.now() + timedelta(hours=1)
    kept = SignedIn(user=user, account=f"account of {user}")
    at_sessions(rig, lambda sessions: sessions.put(hashed(token), kept, until=until))
    (name,) = set(rig.client.scan_iter()) - before
    assert isinstance(name, bytes)
    return name


def who(rig: Rig, token: str) -> str | None:
    found = at_sessions(rig, lambda sessions: sessions.found(hashed(token)))
    assert found is None or found.account == f"account of {found.user}"
    return None if found is None else found.user


def test_a_session_is_made_by_signing_in_and_by_nothing_else(rig: Rig) -> None:
    """`SET review:{...}:session:<hash of any text> ann` made its writer Ann."""
    rig.client.set(rig.names.session(hashed("any text")), "ann", px=3_600_000)
    assert who(rig, "any text") is None
    anns, bens = signed_in(rig, "ann", "ann's token"), signed_in(rig, "ben", "ben's token")
    assert (who(rig, "ann's token"), who(rig, "ben's token")) == ("ann", "ben")
    genuine = rig.client.get(anns)
    assert isinstance(genuine, bytes)
    rig.client.set(bens, genuine)  # Ben takes Ann's session for his own
    assert who(rig, "ben's token") is None
    rig.client.set(bens, "ann")
    assert who(rig, "ben's token") is None
    assert rig.not_believed() == {Stored.SESSION: 2}
    assert who(rig, "ann's token") == "ann", "another's session was stopped"


def test_the_server_tells_neither_a_session_nor_whose_it_is(rig: Rig) -> None:
    name = signed_in(rig, "annabella", "the token")
    there = rig.all_bytes()
    for secret in (b"annabella", b"the token", hashed("the token").encode()):
        assert secret not in there
    assert name.decode() != rig.names.session(hashed("the token"))


def test_a_session_that_was_ended_does_not_come_back(rigs: Callable[[], Rig]) -> None:
    rig, beside = rigs(), rigs()
    name = signed_in(rig, "ann", "token")
    genuine = rig.client.get(name)
    assert isinstance(genuine, bytes)
    assert who(beside, "token") == "ann"
    at_sessions(rig, lambda sessions: sessions.remove(hashed("token")))
    rig.client.set(name, genuine)
    for one in (rig, beside, rigs()):
        assert who(one, "token") is None


def test_nobody_prolongs_a_session(rig: Rig) -> None:
    name = signed_in(rig, "ann", "token")
    rig.client.persist(name)
    rig.clock.advance(3601)
    assert who(rig, "token") is None


# --- all together


def test_who_puts_the_whole_server_back_gets_no_second_decision(rigs: Callable[[], Rig]) -> None:
    """Every value of an hour ago is genuine, and all fit each other."""
    rig = rigs()
    rig.list_subject()
    case = rig.raise_alert()
    before = copy_of(rig)
    rig.at_desk(lambda desk: decide(desk, case, NOT, NOT))
    put_back(rig, before)
    after = rigs()
    for person in (CAT, DAN):
        with pytest.raises(MoveRefused):
            after.at_desk(lambda desk, one=person: judge(desk, one, case, MATCH))  # type: ignore[misc]
    assert said(after) == []


def test_what_was_copied_before_a_purge_opens_for_nobody_after_it(rigs: Callable[[], Rig]) -> None:
    rig = rigs()
    rig.list_subject()
    case = rig.raise_alert()
    signed_in(rig, "ann", "token")
    rig.at_desk(lambda desk: judge(desk, ANN, case, NOT))
    content = rig.cases.open_cases()[0].first.content
    copy = copy_of(rig)
    for _, _, prefix in keys.purged(DEPLOYMENT):
        rig.store.destroy_prefix(prefix)
    assert rig.store.lives_s(f"{DEPLOYMENT}/") == []
    put_back(rig, copy)
    later = rigs()
    assert (later.cases.case(case), later.cases.open_cases()) == (None, [])
    sealed = later.client.get(later.names.content(content))
    assert isinstance(sealed, bytes)
    assert later.pictures.open(content, sealed) is None
    assert (later.outbox.oldest(10), later.counts()) == ([], {})
    waiting_still = (undelivered(later.client, later.names), later.client.xlen(later.names.refused))
    assert waiting_still == (2, 0), "what was never delivered is said to be none of ours"
    assert who(later, "token") is None
