"""A case over HTTP: what is on the wire when, and pictures by addresses that are good once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from services.review.core.errors import NotSignedIn, TooMany
from services.review.core.people import Person
from services.review.core.views import CaseSummary, FaceFeature, Judgement
from services.review.web.stream import queue_events
from tests.fakes.casework import SCORE, THRESHOLD, FakeCaseWork
from tests.fakes.clock import ManualClock
from tests.unit.review.web.page import ANN, Page, a_page


def _judgement(view: dict[str, object], **changes: object) -> dict[str, object]:
    claim = view["claim"]
    assert isinstance(claim, dict)
    return {
        "fence": claim["fence"],
        "judgement": "match",
        "features": ["ears", "nose"],
        "displayed_digest": view["displayed_digest"],
        **changes,
    }


@pytest.fixture
def page() -> Page:
    return a_page()


def test_the_queue_is_streamed_without_pixels_or_score(page: Page) -> None:
    stream = page.get("/api/queue", session=page.sessions.session("ann"))
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.body.startswith(b"event: hello\n")


def test_a_claim_gives_the_view_and_no_field_for_a_score(page: Page) -> None:
    answer = page.post("/api/cases/case-1/claim", session=page.sessions.session("ann"))
    view = answer.json()
    assert [one["kind"] for one in view["pictures"]] == ["probe", "probe", "reference", "context"]
    assert view["pictures"][2]["taken_on"] == "2011-05-20"
    assert b"score" not in answer.body
    assert b"threshold" not in answer.body


def test_the_score_comes_with_the_answer_to_the_judgement_that_closes_the_case(page: Page) -> None:
    """Told to the first judge, it could reach the second before they have judged."""
    told = []
    for user in ("ann", "ben"):
        session = page.sessions.session(user)
        view = page.take(session)
        told.append(page.post("/api/cases/case-1/judgement", _judgement(view), session=session).json())
    assert [one["score"] for one in told] == [None, SCORE]
    assert [one["threshold"] for one in told] == [None, THRESHOLD]


def test_a_judgement_is_recorded_with_what_it_was_made_by(page: Page) -> None:
    session = page.sessions.session("ann")
    page.post("/api/cases/case-1/judgement", _judgement(page.take(session)), session=session)
    case = page.casework.cases["case-1"]
    assert case.judged == {"ann": Judgement.MATCH}
    assert case.features["ann"] == (FaceFeature.EARS, FaceFeature.NOSE)


def test_a_judgement_on_something_else_than_was_shown_is_refused(page: Page) -> None:
    session = page.sessions.session("ann")
    body = _judgement(page.take(session), displayed_digest="f" * 64)
    answer = page.post("/api/cases/case-1/judgement", body, session=session)
    assert (answer.status, answer.json()["refused"]) == (412, "stale")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"judgement": "perhaps"}, "judgement"),
        ({"features": ["shoes"]}, "features"),
        ({"displayed_digest": ""}, "displayed_digest"),
        ({"fence": 0}, "fence"),
        ({"name": "x"}, "name"),
    ],
    ids=str,
)
def test_a_body_outside_its_closed_sets_is_refused_by_its_field(
    page: Page, change: dict[str, object], field: str
) -> None:
    session = page.sessions.session("ann")
    body = _judgement(page.take(session), **change)
    answer = page.post("/api/cases/case-1/judgement", body, session=session)
    assert (answer.status, answer.json()["refused"]) == (422, "bad_input")
    assert field in answer.json()["text"]


def test_a_huge_body_is_refused(page: Page) -> None:
    session = page.sessions.session("sue")
    body = {"towards": "reopen", "reason": "x" * 100_000}
    assert page.post("/api/cases/case-1/supersede", body, session=session).status == 422


def test_a_picture_is_given_once_and_must_not_be_stored(page: Page) -> None:
    session = page.sessions.session("ann")
    address = page.take(session)["pictures"][0]["address"]
    first = page.get(address, session=session)
    assert (first.status, first.body, first.headers["content-type"]) == (200, b"probe 0", "image/jpeg")
    assert first.headers["cache-control"] == "no-store"
    assert page.get(address, session=session).status == 410


def test_another_session_can_neither_use_an_address_nor_use_it_up(page: Page) -> None:
    session = page.sessions.session("ann")
    address = page.take(session)["pictures"][0]["address"]
    for other in (page.sessions.session("ben"), page.sessions.session("ann")):
        assert page.get(address, session=other).status == 410
    assert page.get(address, session=session).status == 200


def test_an_address_ends_with_its_claim(page: Page) -> None:
    session = page.sessions.session("ann")
    pictures = page.take(session)["pictures"]
    page.clock.advance(121)
    assert page.get(pictures[0]["address"], session=session).status == 410


def test_an_address_of_a_claim_that_was_given_back_shows_nothing(page: Page) -> None:
    session = page.sessions.session("ann")
    view = page.take(session)
    ask = {"fence": view["claim"]["fence"], "reason": "put_back"}
    assert page.post("/api/cases/case-1/release", ask, session=session).status == 200
    assert page.get(view["pictures"][0]["address"], session=session).status == 409


def test_an_address_names_neither_case_nor_picture(page: Page) -> None:
    for picture in page.take(page.sessions.session("ann"))["pictures"]:
        token = picture["address"].removeprefix("/api/pictures/")
        assert len(token) >= 32
        assert not any(word in token for word in ("case", "probe", "reference", "/"))


def test_looking_again_gives_new_addresses(page: Page) -> None:
    session = page.sessions.session("ann")
    view = page.take(session)
    again = page.post("/api/cases/case-1/view", {"fence": view["claim"]["fence"]}, session=session).json()
    assert again["displayed_digest"] == view["displayed_digest"]
    assert again["pictures"][0]["address"] != view["pictures"][0]["address"]
    assert page.get(again["pictures"][0]["address"], session=session).body == b"probe 0"


def _events(chunks: list[bytes]) -> list[tuple[str, dict[str, object]]]:
    found = []
    for chunk in chunks:
        name, _, data = chunk.decode().strip().partition("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


async def _silent() -> AsyncIterator[CaseSummary]:
    await asyncio.Event().wait()
    raise AssertionError
    yield


def test_a_line_of_the_queue_tells_where_when_and_how_long_and_no_more() -> None:
    """A field more could give away the score, or that another reviewer has judged."""
    page = a_page()

    async def still() -> Person:
        return ANN

    async def first_two() -> list[bytes]:
        events = queue_events(
            page.casework.watch(ANN), still_signed_in=still, clock=page.clock, closing=asyncio.Event()
        )
        return [await anext(events), await anext(events)]

    (hello, _), (name, line) = _events(asyncio.run(first_two()))
    assert (hello, name) == ("hello", "case")
    assert set(line) == {
        *("case", "state", "round", "camera", "captured_at", "opened_at", "expires_at"),
        *("alerts", "claimable", "mine", "now"),
    }


def test_what_another_does_with_a_case_is_no_event_unless_the_line_changes() -> None:
    """An event with nothing new in it would tell that somebody has claimed, looked or judged."""
    page = a_page()

    async def lines() -> AsyncIterator[CaseSummary]:
        line = await anext(page.casework.watch(ANN))
        for number in range(3):
            yield replace(line, version=line.version + number)
        yield replace(line, version=line.version + 3, alerts=line.alerts + 1)

    async def still() -> Person:
        return ANN

    async def all_of_it() -> list[bytes]:
        events = queue_events(lines(), still_signed_in=still, clock=page.clock, closing=asyncio.Event())
        return [event async for event in events]

    told = [line["alerts"] for name, line in _events(asyncio.run(all_of_it())) if name == "case"]
    assert len(told) == len(set(told)) == 2


def test_a_quiet_queue_beats_and_ends_with_its_session() -> None:
    asked = 0

    async def still() -> Person:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise NotSignedIn("the session has ended")
        return ANN

    async def all_of_it() -> list[bytes]:
        events = queue_events(
            _silent(), still_signed_in=still, clock=ManualClock(), closing=asyncio.Event(), beat_s=0.01
        )
        return [event async for event in events]

    names = [name for name, _ in _events(asyncio.run(all_of_it()))]
    assert names == ["hello", "beat", "signed-out"]


def test_a_queue_whose_place_went_to_somebody_else_ends_without_signing_out() -> None:
    """The page would tell who is signed in that they are not."""

    async def still() -> Person:
        raise TooMany("the oldest was closed")

    async def all_of_it() -> list[bytes]:
        events = queue_events(
            _silent(), still_signed_in=still, clock=ManualClock(), closing=asyncio.Event(), beat_s=0.01
        )
        return [event async for event in events]

    assert [name for name, _ in _events(asyncio.run(all_of_it()))] == ["hello"]


def test_a_queue_ends_when_the_page_closes() -> None:
    async def still() -> Person:
        return ANN

    async def close() -> list[bytes]:
        closing = asyncio.Event()
        closing.set()
        events = queue_events(_silent(), still_signed_in=still, clock=ManualClock(), closing=closing)
        return [event async for event in events]

    names = [name for name, _ in _events(asyncio.run(asyncio.wait_for(close(), 5)))]
    assert names == ["hello"]


def test_a_browser_that_leaves_ends_its_watch() -> None:
    casework = FakeCaseWork(ManualClock())
    watch = casework.watch(ANN)

    async def still() -> Person:
        return ANN

    async def leave() -> None:
        events = queue_events(watch, still_signed_in=still, clock=casework.clock, closing=asyncio.Event())
        reading = asyncio.ensure_future(_drain(events))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        with pytest.raises(StopAsyncIteration):
            await anext(watch)

    asyncio.run(leave())


async def _drain(events: AsyncIterator[bytes]) -> None:
    async for _ in events:
        pass
