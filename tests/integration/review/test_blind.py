"""What one reviewer gets, by any road, is the same whether the other has judged or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from services.contracts.events import Judgement
from services.review.casework import CaseDesk
from services.review.core.people import Person
from services.review.core.views import CaseSummary, FaceFeature, ReleaseReason
from services.review.edges import grpc_messages
from services.review.web import answers
from services.review.web.stream import queue_events
from tests.fakes.clock import ManualClock
from tests.fakes.keys import FakeKeys
from tests.integration.review.rig import ANN, BEN, Rig, a_clock, an_alert_of

Deed = Callable[[Rig, CaseDesk, str], Awaitable[None]]
WITHIN_S = 20.0


async def nothing(rig: Rig, desk: CaseDesk, case: str) -> None:
    """Ann never comes."""


async def lapsed(rig: Rig, desk: CaseDesk, case: str) -> None:
    await desk.claim(ANN, case)


async def held(rig: Rig, desk: CaseDesk, case: str) -> None:
    """Her claim is renewed for as long as Ben looks."""
    claim = await desk.claim(ANN, case)
    rig.clock.advance(50)
    await desk.renew(ANN, case, claim.fence)
    rig.clock.advance(-50)


async def put_back(rig: Rig, desk: CaseDesk, case: str) -> None:
    claim = await desk.claim(ANN, case)
    await desk.view(ANN, case, claim.fence)
    await desk.release(ANN, case, claim.fence, reason=ReleaseReason.PUT_BACK)


async def knows(rig: Rig, desk: CaseDesk, case: str) -> None:
    claim = await desk.claim(ANN, case)
    await desk.release(ANN, case, claim.fence, reason=ReleaseReason.KNOWS_PERSON)


async def judged(rig: Rig, desk: CaseDesk, case: str, judgement: Judgement = Judgement.MATCH) -> None:
    claim = await desk.claim(ANN, case)
    view = await desk.view(ANN, case, claim.fence)
    said = desk.judge(
        ANN,
        case,
        claim.fence,
        judgement=judgement,
        features=(FaceFeature.EARS,),
        displayed_digest=view.displayed_digest,
    )
    assert (await said).status.outcome is None, "one judgement decided"


async def judged_no(rig: Rig, desk: CaseDesk, case: str) -> None:
    await judged(rig, desk, case, Judgement.NOT_A_MATCH)


@dataclass
class Seen:
    """Everything that Ben was sent, in order; only the opaque names of claims and addresses are left out."""

    told: list[object] = field(default_factory=list)

    def grpc(self, message: Message) -> None:
        self.told.append(_named({"grpc": MessageToDict(message), "bytes": len(message.SerializeToString())}))

    def page(self, body: answers.Json) -> None:
        self.told.append(_named(json.loads(json.dumps(body))))


def _named(body: object) -> object:
    """Each claim by `fence`, whatever it is called; of its length a browser learns at most its own claim's."""
    if isinstance(body, dict):
        return {
            name: "a claim"
            if name == "fence"
            else "a length"
            if name == "bytes" and "fence" in str(body)
            else _named(one)
            for name, one in body.items()
        }
    return [_named(one) for one in body] if isinstance(body, list) else body


def everything_ben_sees(url: str, at: datetime, ann_does: Deed) -> list[object]:
    """Of one alert, another folded into its case, and Ben's whole way to his judgement."""
    clock = ManualClock(at)
    rig = Rig(url, clock=clock, store=FakeKeys(clock))
    rig.client.flushdb()
    rig.list_subject()
    try:
        return rig.at_desk(lambda desk: _bens_way(rig, desk, ann_does))
    finally:
        rig.close()


async def _bens_way(rig: Rig, desk: CaseDesk, ann_does: Deed) -> list[object]:
    seen = Seen()
    case = rig.raise_alert()
    async with asyncio.timeout(WITHIN_S), _watching(desk, rig) as (lines, events):
        seen.grpc(grpc_messages.summary(await anext(lines)))
        seen.told += [await anext(events), await anext(events)]
        await ann_does(rig, desk, case)
        rig.clock.advance(70)
        rig.sweeper.sweep()
        # A change that everybody sees: what came before it has been told, or never will be.
        rig.arrive(rig.record(an_alert_of("gate-2.1.1.3.0", at=rig.clock.now())))
        line = await anext(lines)
        seen.grpc(grpc_messages.summary(line))
        seen.told.append(await _next_case(events))
        assert line.alerts == 2, "something was told of what Ann did"
    await _decides(rig, desk, case, seen)
    return seen.told


@asynccontextmanager
async def _watching(
    desk: CaseDesk, rig: Rig
) -> AsyncIterator[tuple[AsyncIterator[CaseSummary], AsyncIterator[bytes]]]:
    async def still() -> Person:
        return BEN

    lines = desk.watch(BEN)
    events = queue_events(
        desk.watch(BEN), still_signed_in=still, clock=rig.clock, closing=asyncio.Event(), beat_s=WITHIN_S
    )
    try:
        yield lines, events
    finally:
        await events.aclose()
        await lines.aclose()  # type: ignore[attr-defined]  # a generator


async def _next_case(events: AsyncIterator[bytes]) -> object:
    raw = await anext(events)
    return _named(json.loads(raw.partition(b"data: ")[2]))


async def _decides(rig: Rig, desk: CaseDesk, case: str, seen: Seen) -> None:
    status = await desk.get_case(BEN, case)
    seen.grpc(grpc_messages.state(status))
    seen.page(answers.status(status))
    claim = await desk.claim(BEN, case)
    again = await desk.renew(BEN, case, claim.fence)
    for one in (claim, again):
        seen.grpc(grpc_messages.claim(one))
        seen.page(answers.claim(one))
    view = await desk.view(BEN, case, claim.fence)
    seen.grpc(grpc_messages.view(view))
    seen.page(answers.view(view, {one.name: "address" for one in view.pictures}, now=rig.clock.now()))
    seen.told += [await desk.picture(BEN, case, claim.fence, one.name) for one in view.pictures]


@pytest.fixture
def seen_by(redis_durable: str) -> Iterator[Callable[[Deed], list[object]]]:
    # One time for all, so that what Ben is told may differ by what Ann did only.
    at = a_clock().now() - timedelta(seconds=90)
    yield lambda ann_does: everything_ben_sees(redis_durable, at, ann_does)


@pytest.mark.parametrize("deed", [judged, judged_no, held, put_back, knows, lapsed], ids=lambda one: one.__name__)
def test_nothing_that_a_reviewer_gets_tells_what_the_other_has_done(
    seen_by: Callable[[Deed], list[object]], deed: Deed
) -> None:
    """The count of seats over gRPC, the number of one's seat, and that of one's claim: each told it.

    Compared: the queue's lines and events, the case, the claim, its renewal, the view, the pictures.
    """
    alone, beside = seen_by(nothing), seen_by(deed)
    assert len(alone) > 10
    assert beside == alone


def test_the_comparison_finds_a_difference_where_there_is_one(seen_by: Callable[[Deed], list[object]]) -> None:
    """Another alert in between is for everybody to see."""

    async def one_more(rig: Rig, desk: CaseDesk, case: str) -> None:
        rig.arrive(rig.record(an_alert_of("gate-2.1.1.9.0", at=rig.clock.now())))

    with pytest.raises(AssertionError, match="something was told"):
        seen_by(one_more)
