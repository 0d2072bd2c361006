"""One function a route: the service layer's call, its answer as JSON. Refusals pass through to the gate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing

from starlette.responses import JSONResponse, Response, StreamingResponse

from services.review.casework import CaseWork, Sessions
from services.review.core.people import Person
from services.review.core.roles import Call
from services.review.core.streams import Streams, same_person
from services.review.core.tickets import Ticket
from services.review.core.views import CaseView
from services.review.web import answers, asks
from services.review.web.cookies import Cookies, proof_of
from services.review.web.gate import Asked, Route
from services.review.web.stream import queue_events
from services.review.web.tickets import Tickets
from services.runtime.clock import Clock


class Handlers:
    """Holds what the routes work on; nothing of its own."""

    def __init__(
        self,
        casework: CaseWork,
        identities: Sessions,
        *,
        tickets: Tickets,
        cookies: Cookies,
        clock: Clock,
        closing: asyncio.Event,
        streams: Streams,
    ) -> None:
        self._casework = casework
        self._identities = identities
        self._tickets = tickets
        self._cookies = cookies
        self._clock = clock
        self._closing = closing
        self._streams = streams

    def routes(self) -> tuple[Route, ...]:
        """Everything that a signed-in page can ask, with the call that says who may."""
        case = "/api/cases/{case}"
        return (
            Route("GET", "/api/me", Call.WHO_AM_I, self.me),
            Route("POST", "/api/sign-out", Call.SIGN_OUT, self.sign_out),
            Route("GET", "/api/queue", Call.WATCH_CASES, self.queue),
            Route("GET", case, Call.GET_CASE, self.status),
            Route("POST", f"{case}/claim", Call.CLAIM_CASE, self.claim),
            Route("POST", f"{case}/renew", Call.RENEW_CLAIM, self.renew),
            Route("POST", f"{case}/release", Call.RELEASE_CLAIM, self.release),
            Route("POST", f"{case}/view", Call.VIEW_CASE, self.view),
            Route("GET", "/api/pictures/{token}", Call.VIEW_PICTURE, self.picture),
            Route("POST", f"{case}/judgement", Call.JUDGE, self.judge),
            Route("POST", f"{case}/supersede", Call.SUPERSEDE, self.supersede),
            Route("POST", f"{case}/engagement", Call.RECORD_ENGAGEMENT, self.engagement),
            Route("POST", f"{case}/outcome", Call.RECORD_OUTCOME, self.outcome),
        )

    async def me(self, asked: Asked) -> Response:
        csrf = proof_of(asked.session)
        return JSONResponse(answers.person(asked.person, csrf=csrf, now=self._clock.now()))

    async def sign_out(self, asked: Asked) -> Response:
        await self._identities.sign_out(asked.session)
        response = JSONResponse({})
        self._cookies.drop_session(response)
        return response

    async def queue(self, asked: Asked) -> Response:
        self._streams.check(asked.session, asked.person)
        # A proxy that collects the stream before it passes it on would show an empty queue.
        unbuffered = {"X-Accel-Buffering": "no"}
        return StreamingResponse(self._queue(asked), media_type="text/event-stream", headers=unbuffered)

    async def _queue(self, asked: Asked) -> AsyncIterator[bytes]:
        # Held from the first event on: a browser that leaves before it takes nothing along.
        with self._streams.held(asked.session, asked.person) as held:

            def still() -> Awaitable[Person]:
                now = self._identities.person(asked.session)
                return held.kept(same_person(asked.person, Call.WATCH_CASES, now))

            events = queue_events(
                self._casework.watch(asked.person),
                still_signed_in=still,
                clock=self._clock,
                closing=self._closing,
            )
            async with aclosing(events):
                async for event in events:
                    yield event

    async def status(self, asked: Asked) -> Response:
        return JSONResponse(answers.status(await self._casework.get_case(asked.person, asked["case"])))

    async def claim(self, asked: Asked) -> Response:
        await asks.read(asked.request, asks.Nothing)
        claim = await self._casework.claim(asked.person, asked["case"])
        return await self._shown(asked, await self._casework.view(asked.person, claim.case, claim.fence))

    async def view(self, asked: Asked) -> Response:
        ask = await asks.read(asked.request, asks.OfClaim)
        return await self._shown(asked, await self._casework.view(asked.person, asked["case"], ask.fence))

    async def renew(self, asked: Asked) -> Response:
        ask = await asks.read(asked.request, asks.OfClaim)
        claim = await self._casework.renew(asked.person, asked["case"], ask.fence)
        return JSONResponse(answers.claim(claim) | {"now": answers.ms(self._clock.now())})

    async def release(self, asked: Asked) -> Response:
        ask = await asks.read(asked.request, asks.GiveBack)
        await self._casework.release(asked.person, asked["case"], ask.fence, reason=ask.reason)
        return JSONResponse({})

    async def picture(self, asked: Asked) -> Response:
        ticket = await self._tickets.redeem(asked.session, asked["token"])
        jpeg = await self._casework.picture(asked.person, ticket.case, ticket.fence, ticket.picture)
        return Response(jpeg, media_type="image/jpeg")

    async def judge(self, asked: Asked) -> Response:
        ask = await asks.read(asked.request, asks.Decide)
        told = await self._casework.judge(
            asked.person,
            asked["case"],
            ask.fence,
            judgement=ask.judgement,
            features=ask.features,
            displayed_digest=ask.displayed_digest,
        )
        return JSONResponse(answers.judged(told))

    async def supersede(self, asked: Asked) -> Response:
        ask = await asks.read(asked.request, asks.Supersede)
        status = await self._casework.supersede(
            asked.person, asked["case"], towards=ask.towards, reason=ask.reason
        )
        return JSONResponse(answers.status(status))

    async def engagement(self, asked: Asked) -> Response:
        ask = await asks.read(asked.request, asks.Engaged)
        status = await self._casework.record_engagement(asked.person, asked["case"], result=ask.result)
        return JSONResponse(answers.status(status))

    async def outcome(self, asked: Asked) -> Response:
        ask = await asks.read(asked.request, asks.CameOut)
        status = await self._casework.record_outcome(asked.person, asked["case"], outcome=ask.outcome)
        return JSONResponse(answers.status(status))

    async def _shown(self, asked: Asked, view: CaseView) -> Response:
        """The view, each picture under an address of its own that ends with the claim."""
        claim = view.claim
        tickets = [
            Ticket(case=claim.case, fence=claim.fence, picture=one.name, expires_at=claim.expires_at)
            for one in view.pictures
        ]
        tokens = await self._tickets.issue(asked.session, tickets)
        addresses = {one.picture: f"/api/pictures/{token}" for one, token in zip(tickets, tokens, strict=True)}
        return JSONResponse(answers.view(view, addresses, now=self._clock.now()))
