"""What is held of single cases is brought under keys of their own before a purge destroys the rest."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import redis

from services.contracts import keys
from services.contracts.authorisation.purging import CaseHeld
from services.contracts.authority import Authority
from services.contracts.errors import Tampered, Undecodable
from services.contracts.keyspec import KeySpec
from services.review.core.case import contents_of
from services.review.edges.cases_redis import Held, ThreadCases
from services.review.edges.past import Past
from services.review.edges.pictures_sealed import SealedPictures
from services.review.edges.plan import Names, ms
from services.review.edges.vault import Vault
from services.review.metrics import Stored
from services.runtime.clock import Clock
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.ring import Keyring
from services.runtime.redis_client import as_transient

log = logging.getLogger(__name__)


def bring_away(
    holds: Iterable[CaseHeld],
    bounds: Authority,
    *,
    durable: redis.Redis,
    names: Names,
    ring: Keyring,
    clock: Clock,
    vault: Vault,
) -> int:
    """Re-encrypt the evidence of every case that is held, to stay until its hold ends; how many pictures.

    Nobody else may work on the cases any more. Blocks; raises Transient. Done twice it changes nothing.
    """
    cases = ThreadCases(durable, Held(names, vault, Past(bounds, ring)))
    pictures = SealedPictures(bounds, names, ring, AesGcm())
    longest = {held.case: held for held in sorted(holds, key=lambda held: held.until) if held.until > clock.now()}
    kept = 0
    for held in longest.values():
        case = cases.case(held.case)
        if case is None:
            log.warning("a case that is held is not there any more", extra={"case": held.case})
            continue
        spec = keys.held(bounds, held.case, held.until)
        for content in contents_of(case):
            name = names.content(content)
            with as_transient("holding evidence"):
                (sealed,) = durable.mget([name])
            again = _again(pictures, content, sealed, spec, vault)
            if again is not None:
                with as_transient("holding evidence"):
                    durable.set(name, again, pxat=ms(spec.expires_at))
                kept += 1
    return kept


def _again(pictures: SealedPictures, content: str, sealed: object, spec: KeySpec, vault: Vault) -> bytes | None:
    """The same under `spec`; None for what is gone or not to be believed: that must not hold up a purge."""
    try:
        return pictures.keep(content, sealed, spec) if isinstance(sealed, bytes) else None
    except (Tampered, Undecodable):
        vault.refuse(Stored.PICTURES)
        return None
