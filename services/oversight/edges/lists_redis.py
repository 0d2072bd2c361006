"""Sealed lists in the durable Redis: whether they are there, and who sealed them; no part is read."""

from __future__ import annotations

import logging
from dataclasses import replace

import redis

from services.contracts import lists
from services.contracts.errors import Permanent
from services.contracts.sealed.bundle import frame
from services.contracts.sealed.canonical import decode
from services.contracts.sealed.seal import Seal
from services.runtime.redis_client import as_transient

log = logging.getLogger(__name__)


class RedisSealedLists:
    """`SealedLists` on Redis. One thread."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def loaded(self, wanted: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        with as_transient("looking for sealed lists"):
            return frozenset(one for one in wanted if self._client.exists(lists.front(*one)))

    def seal(self, deployment: str, digest: str) -> Seal | None:
        with as_transient("reading a list's seal"):
            front = self._client.get(lists.front(deployment, digest))
        try:
            _, header, _ = frame.unpack(frame.MAGIC, memoryview(front if isinstance(front, bytes) else b""))
            found = decode(frame.Header, header).seal
        except Permanent:
            log.warning("a loaded list's seal cannot be read")
            return None
        # Hundreds of thousands of them, which say what was altered: nothing is looked through here.
        return replace(found, leaves=()) if found.digest == digest else None
