"""The page served for real, over a service layer of fakes, and everything that went over its wire."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from services.contracts.authority import UseCase
from services.review.casework import CaseWork, Sessions
from services.review.core.people import Role
from services.review.core.views import PictureRef
from services.review.web.app import create_app
from services.review.web.facts import PageFacts
from services.runtime.clock import Clock, SystemClock
from tests.fakes.casework import FakeCase, FakeCaseWork, FakeSessions, a_person, context, probe, reference
from tests.integration.review.drawing import drawing
from tests.support import eventually

NOTE = "Public-domain portraits stand in for consenting subjects."
# Requests in hand at a stop; queues end by themselves.
_GRACE_S = 2
_START_WITHIN_S = 10

App = Callable[..., Awaitable[None]]


class Served:
    """The page on a port of its own. `stop` ends every connection; `start` serves again on the same port."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.casework = FakeCaseWork(self.clock)
        self.sessions = FakeSessions(
            self.clock,
            a_person("ann"),
            a_person("ben"),
            a_person("sue", Role.SUPERVISOR),
            a_person("ola", Role.ENGAGEMENT_OFFICER),
        )
        self.wire: list[bytes] = []
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="page", daemon=True)
        self._server: uvicorn.Server | None = None
        self._thread.start()
        eventually(
            lambda: self._server is not None and self._server.started,
            "the page to be served",
            within_s=_START_WITHIN_S,
        )

    def stop(self) -> None:
        if self._server is None:
            return
        self._server.should_exit = True
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()
        self._server = None

    def open(self, case: str, *, pictures: Mapping[PictureRef, bytes] | None = None, **more: Any) -> FakeCase:
        """Put a case into the queue; `more` as FakeCaseWork.open takes it."""
        return self.casework.open(case, pictures=self.drawn() if pictures is None else pictures, **more)

    def drawn(self) -> dict[PictureRef, bytes]:
        """Three shots, two references, one context."""
        at = self.clock.now()
        return {
            probe(0, at): drawing(160, 200, 1),
            probe(1, at): drawing(150, 190, 2),
            probe(2, at): drawing(140, 180, 3),
            reference(0, "2011-05-20"): drawing(240, 300, 4),
            reference(1, ""): drawing(220, 280, 5),
            context(0, at): drawing(420, 280, 6),
        }

    @asynccontextmanager
    async def parts(self) -> AsyncIterator[tuple[CaseWork, Sessions, Clock]]:
        """What the page stands on, made on the loop that serves it."""
        yield self.casework, self.sessions, self.clock

    async def _serve(self) -> None:
        async with self.parts() as (casework, identities, clock):
            self._loop = asyncio.get_running_loop()
            self._closing = asyncio.Event()
            facts = PageFacts(deployment="harbour-day", use_case=UseCase.EXERCISE, note=NOTE, loopback=True)
            await self._listen(
                create_app(
                    casework=casework, identities=identities, facts=facts, clock=clock, closing=self._closing
                )
            )

    async def _listen(self, app: App) -> None:
        listening = socket.create_server(("127.0.0.1", self._port))
        self._port = listening.getsockname()[1]
        config = uvicorn.Config(
            self._recorded(app),
            log_config=None,
            lifespan="off",
            access_log=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = uvicorn.Server(config)
        await self._server.serve(sockets=[listening])
        listening.close()

    def _recorded(self, app: App) -> App:
        """`app`, every byte of its answers kept in `wire`, streams included."""

        async def recorded(scope: Any, receive: Any, send: Any) -> None:
            async def keep(message: Any) -> None:
                if message["type"] == "http.response.body":
                    self.wire.append(message.get("body", b""))
                await send(message)

            await app(scope, receive, keep)

        return recorded
