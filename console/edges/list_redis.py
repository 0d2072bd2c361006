"""Puts a sealed list into the durable Redis."""

from __future__ import annotations

import redis

from console.watchlist.build import Built
from services.contracts import codec_lists, lists
from services.contracts.authority import Authority
from services.contracts.codec import Sealing
from services.runtime.redis_client import as_transient

# Pictures written in one round trip.
_AT_ONCE = 100


def write(client: redis.Redis, authority: Authority, built: Built, sealing: Sealing) -> None:
    """Pictures and templates first, then the one name that makes them the list that is searched.

    Whoever reads in between sees the list before. Everything expires with the list's key; what is written
    twice is the same list. Blocks; raises Transient.
    """
    deployment, digest, ends = authority.deployment, built.gallery.digest, authority.purge_at
    with as_transient("writing the list"):
        for start in range(0, len(built.images), _AT_ONCE):
            with client.pipeline(transaction=True) as pipe:
                for one in built.images[start : start + _AT_ONCE]:
                    sealed = codec_lists.seal_images(one, deployment=deployment, digest=digest, sealing=sealing)
                    pipe.set(lists.images(deployment, digest, one.token), sealed, exat=ends)
                pipe.execute()
        sealed = codec_lists.seal_list(built.gallery, deployment=deployment, sealing=sealing)
        client.set(lists.templates(deployment, digest), sealed, exat=ends)
        client.set(lists.current(deployment, built.gallery.name), digest, exat=ends)
