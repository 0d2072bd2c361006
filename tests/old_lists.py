"""Lists as they were before they were sealed, put where match and review read them; they go with that format."""

from __future__ import annotations

from collections.abc import Sequence

import redis

from services.contracts import codec_lists, lists
from services.contracts.authority import Authority
from services.contracts.codec import Sealing
from services.contracts.lists import Gallery, SubjectImages


def write(
    client: redis.Redis,
    authority: Authority,
    gallery: Gallery,
    sealing: Sealing,
    *,
    images: Sequence[SubjectImages] = (),
) -> None:
    """Pictures and templates first, then the one name that makes them the list that is searched."""
    deployment, digest, ends = authority.deployment, gallery.digest, authority.purge_at
    for one in images:
        sealed = codec_lists.seal_images(one, deployment=deployment, digest=digest, sealing=sealing)
        client.set(lists.images(deployment, digest, one.token), sealed, exat=ends)
    sealed = codec_lists.seal_list(gallery, deployment=deployment, sealing=sealing)
    client.set(lists.templates(deployment, digest), sealed, exat=ends)
    client.set(lists.current(deployment, gallery.name), digest, exat=ends)
