"""Two people in two browsers decide a real alert: the page over the real service layer and a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.contracts.decisions import AlertJudged, CaseDecided
from services.contracts.events import CaseOutcome
from services.review.casework import CaseWork, Sessions
from services.review.edges.people_file import PeopleFile, hashed
from services.review.sessions import TokenSessions
from services.runtime.clock import Clock
from services.runtime.redis_client import connect_async
from tests.builders import a_shot
from tests.fakes.casework import FakeSessions
from tests.integration.review.drawing import drawing
from tests.integration.review.rig import Rig
from tests.integration.review.web.desk import AtDesk
from tests.integration.review.web.served import Served

SignIn = Callable[..., AtDesk]


class RealServed(Served):
    """The page over the rig's desk, with people from a file and sessions in Redis."""

    def __init__(self, rig: Rig, people: Path) -> None:
        self._rig = rig
        self._people = people
        super().__init__()

    @asynccontextmanager
    async def parts(self) -> AsyncIterator[tuple[CaseWork, Sessions, Clock]]:
        client = connect_async(self._rig.url, client_name="test-page")
        store = self._rig.sessions(client)
        identities = TokenSessions(
            PeopleFile(self._people), store, self._rig.trail, self._rig.tokens(), self._rig.clock, session_s=3600
        )
        async with self._rig.desk() as desk:
            yield desk, identities, self._rig.clock
        identities.close()
        await client.aclose()


@pytest.fixture
def real(rig: Rig, tmp_path: Path) -> Iterator[RealServed]:
    people = tmp_path / "people.yaml"
    secret = hashed(FakeSessions.PASSWORD)
    lines = [
        f'  {user}: {{name: {user.title()}, person: p-{user}, roles: [reviewer], password: "{secret}"}}'
        for user in ("ann", "ben")
    ]
    people.write_text("\n".join(["people:", *lines, ""]), "utf-8")
    page = RealServed(rig, people)
    yield page
    page.stop()


def _alert(rig: Rig) -> str:
    at = rig.clock.now()
    shots = tuple(
        a_shot(jpeg=drawing(160 + 10 * number, 200, number), captured_at=at, quality=0.9 - number / 10)
        for number in range(3)
    )
    return rig.raise_alert(shots=shots, context_jpeg=drawing(420, 280, 6), score=0.6173, threshold=0.4211)


def test_two_people_in_two_browsers_decide_a_real_alert(rig: Rig, real: RealServed, at_desk: SignIn) -> None:
    ann, ben = at_desk("ann", url=real.url), at_desk("ben", url=real.url)
    case = _alert(rig)
    for person in (ann, ben):
        person.sees(case)
        person.take(case)
        assert person.pictures() == 5
    before = b"".join(real.wire)
    assert b'"score":' not in before
    assert b"0.6173" not in before
    ann.judge("m")
    assert ann.page.locator("#score").is_hidden(), "told before the case is closed, it could reach the other"
    ben.judge("m")
    assert ben.text("#score") == "0.617"
    assert "Two people agree" in ben.text("#done-text")
    events = rig.events()
    judged = [event for event in events if isinstance(event, AlertJudged)]
    assert len({event.reviewer for event in judged}) == 2
    assert [event.outcome for event in events if isinstance(event, CaseDecided)] == [CaseOutcome.AGREED_MATCH]


def test_people_who_disagree_end_in_no_action(rig: Rig, real: RealServed, at_desk: SignIn) -> None:
    ann, ben = at_desk("ann", url=real.url), at_desk("ben", url=real.url)
    case = _alert(rig)
    for person, key in ((ann, "m"), (ben, "n")):
        person.sees(case)
        person.take(case)
        person.judge(key)
    assert "no action" in ben.text("#done-text")
    assert [event.outcome for event in rig.events() if isinstance(event, CaseDecided)] == [CaseOutcome.NO_ACTION]
