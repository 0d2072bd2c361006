"""Sign-ins in the durable Redis, so that every instance knows them."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import redis.asyncio

from services.review.core.people import SignedIn
from services.review.edges import past
from services.review.edges.past import Past
from services.review.edges.plan import Names, ms
from services.review.edges.reading import values_async
from services.review.edges.vault import Opened, Vault
from services.review.metrics import Stored
from services.runtime.redis_client import as_transient

_WHAT = "sessions"


class RedisSessions:
    """`SessionStore`. Event loop; what blocks on the key store runs on threads.

    Who reads the server learns neither a token nor whose it is; who writes to it makes no session, gives none to
    another, prolongs none, and brings none back that was ended.
    """

    def __init__(self, client: redis.asyncio.Redis, names: Names, vault: Vault, over: Past) -> None:
        self._client = client
        self._names = names
        self._vault = vault
        self._past = over

    async def put(self, token_hash: str, who: SignedIn, *, until: datetime) -> None:
        name = self._name(token_hash)
        plain = json.dumps([who.user, who.account]).encode()
        sealed = await asyncio.to_thread(self._vault.seal, name, plain, until=until)
        with as_transient(_WHAT):
            await self._client.set(name, sealed, pxat=ms(until))

    async def found(self, token_hash: str) -> SignedIn | None:
        found = await self._opened(self._name(token_hash))
        return None if found is None else _read(found.plain)

    async def remove(self, token_hash: str) -> None:
        name = self._name(token_hash)
        found = await self._opened(name)
        if found is not None:
            await asyncio.to_thread(self._past.mark, past.session(_last(name)), until=found.until)
        with as_transient(_WHAT):
            await self._client.delete(name)

    async def _opened(self, name: str) -> Opened | None:
        with as_transient(_WHAT):
            (raw,) = await values_async(self._client, [name])
        return None if raw is None else await asyncio.to_thread(self._believed, name, raw)

    def _believed(self, name: str, raw: object) -> Opened | None:
        found = self._vault.open(Stored.SESSION, name, raw)
        if found is not None and self._past.over(past.session(_last(name))):
            self._vault.refuse(Stored.SESSION)
            return None
        return found

    def _name(self, token_hash: str) -> str:
        """A name that nobody finds out who has the token but not our key."""
        return self._names.session(self._vault.name("session", token_hash))


def _read(plain: bytes) -> SignedIn | None:
    """None for a session of an earlier release, which held the user alone: they sign in again."""
    try:
        user, account = json.loads(plain)
    except (ValueError, TypeError):
        return None
    return SignedIn(user=str(user), account=str(account))


def _last(name: str) -> str:
    return name.rpartition(":")[2]
