"""What stands before every route: a session, a request of our own page, a role."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from services.contracts.errors import Transient
from services.review.casework import Sessions
from services.review.core.errors import MoveRefused, NotSignedIn
from services.review.core.people import Person
from services.review.core.roles import Call, check
from services.review.web import refusals
from services.review.web.cookies import Cookies, is_proof
from services.review.web.refusals import ForgedRequest

# Also what a proxy makes of a request of ours if it does not say which site was asked for.
_ANOTHER_SITE = (
    "this request comes from another site. If it does not, a proxy stands in front that does not pass on the Host "
    "that the browser asked for (nginx: proxy_set_header Host $http_host), or its Origin and Sec-Fetch-Site"
)
CSRF_HEADER = "X-Signpost-Token"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that passed the gate."""

    request: Request
    person: Person
    session: str = field(repr=False)

    def __getitem__(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])


Handler = Callable[[Asked], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Route:
    """A line of the table of routes: who may call it stands in `core/roles.py`, under `call`."""

    method: str
    path: str
    call: Call
    handler: Handler


class Gate:
    """Admits requests to routes; every refusal of a route becomes its answer here."""

    def __init__(self, identities: Sessions, cookies: Cookies) -> None:
        self._identities = identities
        self._cookies = cookies

    def guard(self, route: Route) -> Endpoint:
        """The endpoint that runs the route's handler for those who may call it, and for nobody else."""

        async def endpoint(request: Request) -> Response:
            try:
                return await route.handler(await self._admit(route, request))
            except (MoveRefused, Transient) as refused:
                return refusals.answer(refused)

        return endpoint

    async def signed_in(self, session: str) -> Person:
        """Raises NotSignedIn."""
        if not session:
            raise NotSignedIn("sign in first")
        return await self._identities.person(session)

    async def _admit(self, route: Route, request: Request) -> Asked:
        session = self._cookies.session(request)
        person = await self.signed_in(session)
        if route.method != "GET":
            from_our_page(request)
            if not is_proof(request.headers.get(CSRF_HEADER, ""), session):
                raise ForgedRequest("this request does not come from the page")
        check(route.call, person)
        return Asked(request=request, person=person, session=session)


def from_our_page(request: Request) -> None:
    """Raises ForgedRequest if the browser says that another site sent this.

    A form of ours comes with `Origin: null`, because our pages send no referrer; so does a form of others,
    but the browser then says `cross-site` too.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    is_ours = origin is None or urlsplit(origin).netloc == request.headers.get("Host")
    if site not in (None, "same-origin", "none") or not (is_ours or (origin == "null" and site == "same-origin")):
        raise ForgedRequest(_ANOTHER_SITE)
