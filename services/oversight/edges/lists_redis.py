"""Sealed lists in the durable Redis: oversight asks whether they are there, and reads none."""

from __future__ import annotations

import redis

from services.contracts import lists
from services.runtime.redis_client import as_transient


class RedisSealedLists:
    """`SealedLists` on Redis. One thread."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def loaded(self, wanted: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        with as_transient("looking for sealed lists"):
            return frozenset(
                one for one in wanted if self._client.exists(lists.front(*one), lists.templates(*one))
            )
