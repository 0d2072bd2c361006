"""Signing in: a password once, then a token whose hash alone is kept."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from datetime import timedelta

from services.contracts.audit.requests import Action
from services.review.core.errors import NotSignedIn
from services.review.core.people import Credentials, Person, PersonTokens, Session
from services.review.ports import Identities, SessionStore, Trail
from services.runtime.clock import Clock

_TOKEN_BYTES = 32
# After so many refused sign-ins a user name rests; a guesser gets 20 tries in five minutes.
_FAILURES = 20
_FAILURES_S = 300


class TokenSessions:
    """`Sessions`. Event loop; passwords are checked on a thread."""

    def __init__(
        self,
        identities: Identities,
        store: SessionStore,
        trail: Trail,
        tokens: PersonTokens,
        clock: Clock,
        *,
        session_s: int,
    ) -> None:
        self._identities = identities
        self._store = store
        self._trail = trail
        self._tokens = tokens
        self._clock = clock
        self._lasts = timedelta(seconds=session_s)

    async def sign_in(self, credentials: Credentials) -> Session:
        if await self._store.failures(credentials.user) >= _FAILURES:
            raise NotSignedIn("too many sign-ins were refused: wait five minutes")
        person = await asyncio.to_thread(self._identities.authenticate, credentials)
        if person is None:
            await self._store.failed(credentials.user, remember_s=_FAILURES_S)
            # Nobody's: what was typed as a name may be anything.
            await self._trail.chained(Action.SIGN_IN_REFUSED)
            raise NotSignedIn("no such user and password")
        await self._trail.chained(Action.SIGNED_IN, who=self._tokens.of(person))
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        until = self._clock.now() + self._lasts
        await self._store.put(_hash(token), person.user, until=until)
        return Session(token=token, person=person, expires_at=until)

    async def person(self, token: str) -> Person:
        user = await self._store.user(_hash(token)) if token else None
        # Asked anew each time: whoever is taken out of the file is out at once.
        person = self._identities.find(user) if user is not None else None
        if person is None:
            raise NotSignedIn("sign in first, or again")
        return person

    async def sign_out(self, token: str) -> None:
        user = await self._store.user(_hash(token)) if token else None
        await self._store.remove(_hash(token))
        person = self._identities.find(user) if user is not None else None
        if person is not None:
            await self._trail.chained(Action.SIGNED_OUT, who=self._tokens.of(person))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
