"""The list's pictures of one subject, and what must be known beside them, from the durable Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import redis

from services.contracts import keys, lists
from services.contracts.authorisation.registry import Registry
from services.contracts.authority import Authority
from services.contracts.codec import Cipher, Sealing
from services.contracts.errors import Tampered, Transient
from services.contracts.ids import SubjectToken, subject_token
from services.contracts.sealed.bundle.read import Contents, open_parts
from services.contracts.sealed.faults import Refused
from services.contracts.sealed.manifest import Manifest, spoken
from services.contracts.sealed.related import related
from services.contracts.sealed.revocations import tokens
from services.review.core.listed import Listed, Reference
from services.review.core.views import Resemblance
from services.runtime.clock import Clock
from services.runtime.keys.port import OtherKey
from services.runtime.keys.ring import Found, Keyring
from services.runtime.redis_client import as_transient

# Entries fetched in one round trip.
_AT_ONCE = 200


@dataclass(frozen=True)
class _Known:
    """A sealed list whose seal was checked: who is where, who is like whom. Of people there are tokens only."""

    registry: Registry
    contents: Contents
    entries: Mapping[SubjectToken, str] = field(repr=False)
    resembles: Mapping[str, tuple[Resemblance, ...]] = field(repr=False)


class RedisReferences:
    """`References`: opens one subject's pictures at a time, and never a template.

    A list is looked through once, by whoever asks first: its seal, its entries, who is like whom.
    """

    def __init__(
        self,
        client: redis.Redis,
        authority: Authority,
        ring: Keyring,
        cipher: Cipher,
        *,
        registry: Callable[[], Registry | None],
        clock: Clock,
    ) -> None:
        self._client = client
        self._authority = authority
        self._ring = ring
        self._cipher = cipher
        self._registry = registry
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def of(self, list_digest: str, subject: SubjectToken) -> Listed | None:
        spec = keys.watchlist(self._authority)
        found = self._ring.find(spec)
        if not isinstance(found, Found):
            self._known.pop(list_digest, None)
            return None
        try:
            return self._opened(list_digest, subject, Sealing(spec.id, found.key, self._cipher))
        except OtherKey:
            self._ring.forget([spec])
            return None

    def _opened(self, list_digest: str, subject: SubjectToken, sealing: Sealing) -> Listed | None:
        known = self._of_list(list_digest, sealing)
        entry_id = None if known is None else known.entries.get(subject)
        return None if known is None or entry_id is None else _listed(known, entry_id, sealing)

    def _of_list(self, digest: str, sealing: Sealing) -> _Known | None:
        """None if there is no sealed list of that digest."""
        registry = self._registry()
        with self._lock:
            known = self._known.get(digest)
            if known is None or known.registry != registry:
                known = self._looked_through(digest, registry, sealing)
            if known is not None:
                self._known[digest] = known
            return known

    def _looked_through(self, digest: str, registry: Registry | None, sealing: Sealing) -> _Known | None:
        front = self._get(lists.front(self._authority.deployment, digest))
        if front is None:
            return None
        if registry is None:
            raise Transient("no registry is known to check the list's signatures by")
        fetched: dict[str, bytes] = {}

        def fetch(name: str) -> bytes | None:
            return fetched.pop(name, None) or self._get(lists.part(self._authority.deployment, digest, name))

        try:
            contents = open_parts(front, fetch, registry=registry, now=self._clock.now()).contents
        except Refused as unsigned:
            raise Tampered(f"a list that is not sealed: {unsigned}") from None
        if contents.seal.digest != digest:
            raise Tampered("another list lies in the place of the one that was searched")
        self._fetch(digest, [spoken(one.name) for one in contents.seal.leaves], fetched)
        of = contents.manifest(sealing)
        key = self._ring.mint(keys.deployment(self._authority))
        held = tokens(of, lambda reference: subject_token(key, reference))
        return _Known(registry, contents, held, _resembles(of, held))

    def _fetch(self, digest: str, names: Sequence[str], into: dict[str, bytes]) -> None:
        with as_transient("the list's entries"):
            for start in range(0, len(names), _AT_ONCE):
                some = names[start : start + _AT_ONCE]
                found = self._client.mget([lists.part(self._authority.deployment, digest, name) for name in some])
                into.update(
                    (name, part) for name, part in zip(some, found, strict=True) if isinstance(part, bytes)
                )

    def _get(self, name: str) -> bytes | None:
        with as_transient("reference pictures"):
            found = self._client.get(name)
        return found if isinstance(found, bytes) else None


def _listed(known: _Known, entry_id: str, sealing: Sealing) -> Listed:
    entry = known.contents.entry(entry_id, sealing)
    jpegs = known.contents.pictures(entry, sealing)
    return Listed(
        category=entry.category,
        pictures=tuple(
            Reference(jpeg=jpeg, taken_on=one.captured_on) for jpeg, one in zip(jpegs, entry.pictures, strict=True)
        ),
        resembles=known.resembles.get(entry_id, ()),
        handling=entry.handling_instruction or "",
        risk_flags=tuple(entry.risk_flags),
    )


def _resembles(of: Manifest, held: Mapping[SubjectToken, str]) -> dict[str, tuple[Resemblance, ...]]:
    token_of = {entry_id: token for token, entry_id in held.items()}
    return {
        entry_id: tuple(Resemblance(likeness=one.likeness, other=token_of.get(one.entry_id, "")) for one in warned)
        for entry_id, warned in related(of).items()
    }
