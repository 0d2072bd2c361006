"""Signing in: a password once, then a token whose hash alone is kept."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from dataclasses import dataclass
from datetime import timedelta

from services.contracts.audit.requests import Action
from services.review.checks import FairChecks
from services.review.core.errors import NotSignedIn, TooOften
from services.review.core.people import Credentials, Person, PersonTokens, Session, SignedIn
from services.review.core.signing_in import Devices, a_try
from services.review.ports import Identities, SessionStore, Trail, Tries
from services.review.refusals_told import RefusalsTold
from services.review.tries import MemoryTries
from services.runtime.clock import Clock

_TOKEN_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class SignInGuard:
    """What stands between a stranger and a password."""

    tries: Tries
    checks: FairChecks
    told: RefusalsTold
    devices: Devices


class TokenSessions:
    """`Sessions`, for gRPC and the page alike. Event loop; passwords are checked on threads of their own.

    Without `guard` the limits are this instance's own, and it knows no browser after a restart.
    """

    def __init__(
        self,
        identities: Identities,
        store: SessionStore,
        trail: Trail,
        tokens: PersonTokens,
        clock: Clock,
        *,
        session_s: int,
        guard: SignInGuard | None = None,
    ) -> None:
        self._identities = identities
        self._store = store
        self._trail = trail
        self._tokens = tokens
        self._clock = clock
        self._lasts = timedelta(seconds=session_s)
        self._guard = guard or SignInGuard(
            tries=MemoryTries(clock),
            checks=FairChecks(),
            told=RefusalsTold(trail),
            devices=Devices(secrets.token_bytes(32)),
        )

    async def sign_in(self, credentials: Credentials) -> Session:
        person = await self._checked(credentials)
        await self._trail.chained(Action.SIGNED_IN, who=self._tokens.of(person))
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now = self._clock.now()
        until = now + self._lasts
        who = SignedIn(user=person.user, account=self._tokens.account(person))
        await self._store.put(_hash(token), who, until=until)
        device = self._guard.devices.token(person.user, now)
        return Session(token=token, person=person, expires_at=until, device=device)

    def close(self) -> None:
        """Check no more passwords."""
        self._guard.checks.close()

    async def person(self, token: str) -> Person:
        person = await self._signed_in(token)
        if person is None:
            raise NotSignedIn("sign in first, or again")
        return person

    async def sign_out(self, token: str) -> None:
        person = await self._signed_in(token)
        await self._store.remove(_hash(token))
        if person is not None:
            await self._trail.chained(Action.SIGNED_OUT, who=self._tokens.of(person))

    async def _signed_in(self, token: str) -> Person | None:
        """Asked anew each time: who is taken out of the file, or has another password, is out at once.

        So is whoever had a user name before it was given to another person.
        """
        kept = await self._store.found(_hash(token)) if token else None
        person = self._identities.find(kept.user) if kept is not None else None
        if kept is None or person is None:
            return None
        return person if hmac.compare_digest(kept.account, self._tokens.account(person)) else None

    async def _checked(self, credentials: Credentials) -> Person:
        """Whose credentials these are. The same steps, and the same work, for a name that nobody has."""
        device = self._guard.devices.known(credentials.device, credentials.user, self._clock.now())
        tried = a_try(credentials.user, credentials.peer, device=device)
        wait_s = math.ceil(await self._guard.tries.count(tried))
        if wait_s > 0:
            self._guard.told.refused()
            raise TooOften(f"too many sign-ins were tried: wait {wait_s} seconds", wait_s=wait_s)
        party = f"device {device}" if device else credentials.peer
        person = await self._guard.checks.checked(party, lambda: self._identities.authenticate(credentials))
        if person is None:
            self._guard.told.refused()
            raise NotSignedIn("no such user and password")
        await self._guard.tries.succeeded(tried)
        return person


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
