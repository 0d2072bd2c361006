"""The reviewer's page as one ASGI application."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from services.review.casework import CaseWork, Sessions
from services.review.core.streams import Streams
from services.review.web.cookies import Cookies
from services.review.web.facts import PageFacts
from services.review.web.gate import Gate
from services.review.web.handlers import Handlers
from services.review.web.headers import SafeHeaders
from services.review.web.shells import Shells
from services.review.web.tickets import MemoryTickets, Tickets
from services.runtime.clock import Clock
from services.runtime.doors.peers import Proxies

_STATIC = Path(__file__).parent / "static"


def create_app(
    *,
    casework: CaseWork,
    identities: Sessions,
    facts: PageFacts,
    clock: Clock,
    tickets: Tickets | None = None,
    proxies: Proxies | None = None,
    streams: Streams | None = None,
    closing: asyncio.Event | None = None,
) -> FastAPI:
    """The page over `casework`. Reads its own files, connects to nothing.

    Without `tickets` the addresses of pictures are this process's own: requests of one browser must then come
    back to one instance. Live queues end once `closing` is set, on the loop that serves the page; without it
    they have to be cut. `proxies` are those whose word about a browser's address is taken.
    """
    cookies = Cookies(loopback=facts.loopback)
    gate = Gate(identities, cookies)
    shells = Shells(facts, identities, gate=gate, cookies=cookies, clock=clock, proxies=proxies or Proxies())
    handlers = Handlers(
        casework,
        identities,
        tickets=tickets or MemoryTickets(clock),
        cookies=cookies,
        clock=clock,
        closing=closing or asyncio.Event(),
        streams=streams or Streams(),
    )
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(SafeHeaders)
    app.add_route("/", shells.workbench, ["GET"])
    app.add_route("/sign-in", shells.form, ["GET"])
    app.add_route("/sign-in", shells.sign_in, ["POST"])
    for route in handlers.routes():
        app.add_route(route.path, gate.guard(route), [route.method])
    app.mount("/static", StaticFiles(directory=_STATIC))
    return app
