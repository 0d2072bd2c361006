"""The list's pictures of one subject, from the durable Redis."""

from __future__ import annotations

import redis

from services.contracts import codec_lists, keys, lists
from services.contracts.authority import Authority
from services.contracts.codec import Cipher, Sealing
from services.contracts.ids import SubjectToken
from services.contracts.lists import SubjectImages
from services.runtime.keys.port import OtherKey
from services.runtime.keys.ring import Found, Keyring
from services.runtime.redis_client import as_transient


class RedisReferences:
    """`References`: opens one subject's pictures at a time, and never a template."""

    def __init__(self, client: redis.Redis, authority: Authority, ring: Keyring, cipher: Cipher) -> None:
        self._client = client
        self._authority = authority
        self._ring = ring
        self._cipher = cipher

    def of(self, list_digest: str, subject: SubjectToken) -> SubjectImages | None:
        deployment = self._authority.deployment
        with as_transient("reference pictures"):
            sealed = self._client.get(lists.images(deployment, list_digest, subject))
        spec = keys.watchlist(self._authority)
        found = self._ring.find(spec)
        if not isinstance(sealed, bytes) or not isinstance(found, Found):
            return None
        sealing = Sealing(spec.id, found.key, self._cipher)
        try:
            return codec_lists.open_images(
                sealed, deployment=deployment, digest=list_digest, token=subject, sealing=sealing
            )
        except OtherKey:
            self._ring.forget([spec])
            return None
