"""The two HTML pages, and signing in. They hold nothing of any case: the page's code asks for that."""

from __future__ import annotations

import html
import math
import secrets
from http import HTTPStatus
from pathlib import Path
from string import Template
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.contracts.errors import Transient
from services.review.casework import Sessions
from services.review.core.errors import BadInput, NotSignedIn, TooOften
from services.review.core.people import Credentials
from services.review.web.asks import limited_body
from services.review.web.cookies import Cookies, is_proof, proof_of
from services.review.web.facts import PageFacts
from services.review.web.gate import Gate, from_our_page
from services.review.web.refusals import ForgedRequest
from services.runtime.clock import Clock
from services.runtime.doors.peers import Proxies

_PAGES = Path(__file__).parent / "pages"
_EXPIRED_FORM = "This form was open for too long. Please try again."
# Of the form: who, the password, and the form's own proof. More is nobody's form.
_MOST_FIELDS = 8
_UNREACHABLE = "Signing in is not possible just now. Please try again in a moment."


class Shells:
    """`/`, `/sign-in`: the routes that need no session."""

    def __init__(
        self,
        facts: PageFacts,
        identities: Sessions,
        *,
        gate: Gate,
        cookies: Cookies,
        clock: Clock,
        proxies: Proxies,
    ) -> None:
        self._identities = identities
        self._gate = gate
        self._cookies = cookies
        self._clock = clock
        self._proxies = proxies
        self._workbench = _filled("workbench.html", facts)
        self._sign_in = _filled("sign_in.html", facts)

    async def workbench(self, request: Request) -> Response:
        """The page for those who are signed in; the others are sent to sign in."""
        try:
            await self._gate.signed_in(self._cookies.session(request))
        except NotSignedIn:
            return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
        except Transient:
            # The page holds nothing of anybody, and says itself what cannot be reached.
            pass
        return HTMLResponse(self._workbench.safe_substitute())

    async def form(self, request: Request) -> Response:
        return self._form("", HTTPStatus.OK)

    async def sign_in(self, request: Request) -> Response:
        """A session in its cookie, or the form again with what was wrong."""
        try:
            asked = await self._credentials(request)
        except (BadInput, ForgedRequest) as refused:
            return self._form(str(refused), HTTPStatus.FORBIDDEN)
        try:
            session = await self._identities.sign_in(asked)
        except TooOften as refused:
            return self._too_often(math.ceil(refused.wait_s))
        except NotSignedIn as refused:
            text = str(refused)
            return self._form(f"{text[:1].upper()}{text[1:]}.", HTTPStatus.UNAUTHORIZED)
        except Transient:
            return self._form(_UNREACHABLE, HTTPStatus.SERVICE_UNAVAILABLE)
        response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        self._cookies.set_session(response, session.token, expires_at=session.expires_at, now=self._clock.now())
        if session.device:
            self._cookies.set_device(response, session.device)
        return response

    async def _credentials(self, request: Request) -> Credentials:
        from_our_page(request)
        raw = await limited_body(request)
        try:
            fields = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise BadInput(f"A sign-in has {_MOST_FIELDS} fields at most.") from None
        if not is_proof(fields.get("csrf", [""])[0], self._cookies.form(request)):
            raise ForgedRequest(_EXPIRED_FORM)
        return Credentials(
            user=fields.get("user", [""])[0].strip(),
            password=fields.get("password", [""])[0],
            peer=self._peer(request),
            device=self._cookies.device(request),
        )

    def _peer(self, request: Request) -> str:
        address = request.client.host if request.client else ""
        return self._proxies.client(address, request.headers.getlist("x-forwarded-for"))

    def _too_often(self, wait_s: int) -> Response:
        text = f"Too many tries. Please wait {wait_s} seconds."
        response = self._form(text, HTTPStatus.TOO_MANY_REQUESTS)
        response.headers["Retry-After"] = str(wait_s)
        return response

    def _form(self, wrong: str, status: HTTPStatus) -> Response:
        secret = secrets.token_urlsafe(24)
        said = f'<p class="wrong" id="wrong" role="alert">{html.escape(wrong)}</p>' if wrong else ""
        response = HTMLResponse(self._sign_in.safe_substitute(wrong=said, csrf=proof_of(secret)), status)
        self._cookies.set_form(response, secret)
        return response


def _filled(name: str, facts: PageFacts) -> Template:
    """The page with what is the same for everybody put in."""
    page = Template((_PAGES / name).read_text("utf-8"))
    note = f" <span>{_text(facts.note)}</span>" if facts.note else ""
    banner = (
        '<p class="exercise"><strong>EXERCISE</strong> <span>Consenting subjects only. Nothing decided here '
        f"leads to action.</span>{note}</p>"
    )
    return Template(
        page.safe_substitute(
            deployment=_text(facts.deployment),
            exercise=banner if facts.is_exercise else "",
            title_mark="EXERCISE · " if facts.is_exercise else "",
        )
    )


def _text(text: str) -> str:
    """As HTML, and as nothing that the next filling takes for a place of its own."""
    return html.escape(text).replace("$", "$$")
