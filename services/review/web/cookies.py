"""The page's cookies, and the token that each yields against forged requests."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

# Of the form of the sign-in page: long enough to type a password, short enough to be no session.
_FORM_S = 3600
# As long as what it holds is good for (core/signing_in.py).
_DEVICE_S = 30 * 24 * 3600


class Cookies:
    """Names and sets them: HttpOnly, SameSite=Strict, this host only; Secure unless on loopback."""

    def __init__(self, *, loopback: bool) -> None:
        self._secure = not loopback
        # A __Host- cookie cannot be set by a sibling domain or over plain HTTP; browsers insist on Secure.
        prefix = "" if loopback else "__Host-"
        self.session_name = f"{prefix}signpost-session"
        self.form_name = f"{prefix}signpost-form"
        self.device_name = f"{prefix}signpost-device"

    def session(self, request: Request) -> str:
        """The session's token, or nothing."""
        return request.cookies.get(self.session_name, "")

    def device(self, request: Request) -> str:
        """What this browser keeps of an earlier sign-in, or nothing. It opens nothing: it has its own limit."""
        return request.cookies.get(self.device_name, "")

    def form(self, request: Request) -> str:
        """The sign-in form's secret, or nothing."""
        return request.cookies.get(self.form_name, "")

    def set_session(self, response: Response, token: str, *, expires_at: datetime, now: datetime) -> None:
        self._set(response, self.session_name, token, max(0, int((expires_at - now).total_seconds())))
        self._set(response, self.form_name, "", 0)

    def set_form(self, response: Response, secret: str) -> None:
        self._set(response, self.form_name, secret, _FORM_S)

    def set_device(self, response: Response, device: str) -> None:
        self._set(response, self.device_name, device, _DEVICE_S)

    def drop_session(self, response: Response) -> None:
        self._set(response, self.session_name, "", 0)

    def _set(self, response: Response, name: str, value: str, max_age_s: int) -> None:
        response.set_cookie(
            name, value, max_age=max_age_s, path="/", httponly=True, samesite="strict", secure=self._secure
        )


def proof_of(secret: str) -> str:
    """The token for a cookie: who can read our page has it, who can only send requests has not.

    Derived, so that any instance can check what another gave out; does not give the cookie away.
    """
    return hashlib.sha256(b"signpost-csrf-1:" + secret.encode()).hexdigest()


def is_proof(proof: str, secret: str) -> bool:
    """Whether `proof` was given out for `secret`. In constant time."""
    return bool(secret) and hmac.compare_digest(proof.encode(), proof_of(secret).encode())
