"""The sealed list in the durable Redis."""

from __future__ import annotations

import redis

from services.contracts import codec_lists, keys, lists
from services.contracts.authority import Authority
from services.contracts.codec import Cipher, Sealing
from services.contracts.counts import Expired
from services.contracts.errors import Permanent
from services.contracts.lists import Gallery
from services.match.ports import Keys
from services.runtime.redis_client import as_transient


class ListGone(Permanent):
    """The list, or its key, is not there (any more)."""

    def __init__(self, what: str) -> None:
        super().__init__("list_gone", what)


class RedisLists:
    """`ListStore` on Redis. One thread."""

    def __init__(self, client: redis.Redis, authority: Authority, list_keys: Keys, cipher: Cipher) -> None:
        self._client = client
        self._deployment = authority.deployment
        self._name = authority.watchlist.name
        self._spec = keys.watchlist(authority)
        self._keys = list_keys
        self._cipher = cipher

    def digest(self) -> str | None:
        with as_transient("looking for the current list"):
            found = self._client.get(lists.current(self._deployment, self._name))
        return found.decode() if isinstance(found, bytes) else None

    def load(self, digest: str) -> Gallery:
        with as_transient("reading a list"):
            sealed = self._client.get(lists.templates(self._deployment, digest))
        if not isinstance(sealed, bytes):
            raise ListGone("the list that is current is not in Redis")
        key = self._keys.find(self._spec)
        if isinstance(key, Expired):
            raise ListGone("the list's key is not in the key store")
        sealing = Sealing(self._spec.id, key, self._cipher)
        return codec_lists.open_list(sealed, deployment=self._deployment, digest=digest, sealing=sealing)
