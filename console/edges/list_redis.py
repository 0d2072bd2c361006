"""Puts a sealed list into the durable Redis."""

from __future__ import annotations

from datetime import datetime

import redis

from services.contracts import lists
from services.contracts.sealed.bundle.read import Bundle
from services.runtime.redis_client import as_transient

# Parts written in one round trip.
_AT_ONCE = 100


def load(client: redis.Redis, bundle: Bundle, *, until: datetime) -> None:
    """Every part as it lies in the file, the front last: whoever reads in between sees no list.

    All of it expires `until`, with the list's key. Blocks; raises Transient, and Altered for a part that is not as
    it was written.
    """
    seal, names = bundle.contents.seal, [part.name for part in bundle.contents.header.parts]
    with as_transient("loading the list"):
        for start in range(0, len(names), _AT_ONCE):
            with client.pipeline(transaction=False) as pipe:
                for name in names[start : start + _AT_ONCE]:
                    body = bytes(bundle.contents.body(name))
                    pipe.set(lists.part(seal.deployment, seal.digest, name), body, exat=until)
                pipe.execute()
        client.set(lists.front(seal.deployment, seal.digest), bundle.front, exat=until)
