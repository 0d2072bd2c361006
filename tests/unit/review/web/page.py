"""The page's application on fakes, and a client that speaks ASGI to it: no socket, no browser."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI

from services.contracts.authority import UseCase
from services.review.core.people import Person, Role
from services.review.web.app import create_app
from services.review.web.cookies import proof_of
from services.review.web.facts import PageFacts
from services.runtime.doors.peers import Proxies
from tests.fakes.casework import FakeCaseWork, FakeSessions, a_person, context, probe, reference
from tests.fakes.clock import ManualClock

SESSION = "signpost-session"
FORM = "signpost-form"
ANN, BEN, SUE, OLA = (
    a_person("ann"),
    a_person("ben"),
    a_person("sue", Role.SUPERVISOR),
    a_person("ola", Role.ENGAGEMENT_OFFICER),
)


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Page:
    """The application and what it stands on."""

    clock: ManualClock
    casework: FakeCaseWork
    sessions: FakeSessions
    app: FastAPI

    def get(self, path: str, *, session: str = "", headers: dict[str, str] | None = None) -> Answer:
        return asyncio.run(_call(self.app, "GET", path, _cookie(session) | (headers or {}), b""))

    def post(
        self, path: str, body: object = None, *, session: str = "", headers: dict[str, str] | None = None
    ) -> Answer:
        """As the page's own code posts: with the token that belongs to the session."""
        given = {"X-Signpost-Token": proof_of(session)} | _cookie(session) | (headers or {})
        return asyncio.run(_call(self.app, "POST", path, given, json.dumps(body or {}).encode()))

    def submit(self, path: str, fields: dict[str, str], *, headers: dict[str, str] | None = None) -> Answer:
        """As a plain HTML form is submitted."""
        return asyncio.run(_call(self.app, "POST", path, headers or {}, urlencode(fields).encode()))

    def take(self, session: str, case: str = "case-1") -> Any:
        """Claim a case; its view."""
        return self.post(f"/api/cases/{case}/claim", session=session).json()


def a_page(
    *people: Person,
    use_case: UseCase = UseCase.EXERCISE,
    note: str = "",
    loopback: bool = True,
    proxies: Proxies | None = None,
) -> Page:
    """With one open case, "case-1", of two shots, a reference and a context."""
    clock = ManualClock()
    casework = FakeCaseWork(clock)
    at = clock.now()
    pictures = {
        probe(0, at): b"probe 0",
        probe(1, at): b"probe 1",
        reference(0, "2011-05-20"): b"reference 0",
        context(0, at): b"context 0",
    }
    casework.open("case-1", pictures=pictures)
    sessions = FakeSessions(clock, *(people or (ANN, BEN, SUE, OLA)))
    facts = PageFacts(deployment="harbour-day", use_case=use_case, note=note, loopback=loopback)
    app = create_app(casework=casework, identities=sessions, facts=facts, clock=clock, proxies=proxies)
    return Page(clock, casework, sessions, app)


def _cookie(session: str) -> dict[str, str]:
    return {"Cookie": f"{SESSION}={session}"} if session else {}


async def _call(app: FastAPI, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    """One request; of a stream only what came first."""
    answer = Answer()
    enough = asyncio.Event()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            pairs = [(name.decode(), value.decode()) for name, value in message["headers"]]
            answer.headers = dict(pairs)
            answer.cookies = [value for name, value in pairs if name == "set-cookie"]
        else:
            answer.body += message.get("body", b"")
            enough.set()

    given = {"host": "127.0.0.1:8080"} | {name.lower(): value for name, value in headers.items()}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("192.0.2.7", 50000),
        "server": ("127.0.0.1", 8080),
    }
    call = asyncio.ensure_future(app(scope, receive, send))
    seen = asyncio.ensure_future(enough.wait())
    await asyncio.wait((call, seen), return_when=asyncio.FIRST_COMPLETED)
    is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
    (call if is_stream else seen).cancel()
    for result in await asyncio.gather(call, seen, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
    return answer
