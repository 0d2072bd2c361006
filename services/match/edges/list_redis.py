"""The sealed list in the durable Redis: its front, and its parts apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import redis

from services.contracts import keys, lists
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.registry import Registry
from services.contracts.authority import Authority
from services.contracts.codec import Cipher, Sealing
from services.contracts.counts import Expired
from services.contracts.errors import Permanent, Transient
from services.contracts.ids import SubjectToken, subject_token
from services.contracts.keyspec import KeySpec
from services.contracts.sealed.bundle import frame
from services.contracts.sealed.bundle.read import Bundle, open_parts
from services.contracts.sealed.faults import Altered, Refused
from services.contracts.sealed.terms import outside
from services.match.core import matrix
from services.match.core.admission import ListRefusal, NotAdmitted, admit
from services.match.core.matrix import ListMatrix
from services.match.ports import Keys
from services.runtime.clock import Clock
from services.runtime.redis_client import as_transient

# Parts fetched in one round trip; an entry has two of about a kilobyte.
_AT_ONCE = 200
# Of the parts that are not as sealed, how many are named in a log.
_NAMED = 10


class ListGone(Permanent):
    """The list, or its key, is not there (any more)."""

    def __init__(self, what: str) -> None:
        super().__init__("list_gone", what)


class RedisLists:
    """`ListStore` on Redis, for the document that the process was built for. One thread."""

    def __init__(
        self,
        client: redis.Redis,
        authority: Authority,
        document: Document,
        list_keys: Keys,
        cipher: Cipher,
        *,
        registry: Callable[[], Registry | None],
        clock: Clock,
    ) -> None:
        self._client = client
        self._authority = authority
        self._document = document
        self._deployment, self._digest = authority.deployment, document.watchlist.digest
        self._keys = list_keys
        self._cipher = cipher
        self._registry = registry
        self._clock = clock
        self._checked_by: Registry | None = None

    def there(self) -> bool:
        with as_transient("looking for the list"):
            return bool(self._client.exists(lists.front(self._deployment, self._digest)))

    def load(self) -> ListMatrix:
        front = self._front()
        if front is None:
            raise ListGone("the authority's list is not in Redis")
        with _not_admitted():
            return self._of_bundle(front)

    def recheck(self) -> None:
        registry = self._in_force()
        if registry == self._checked_by:
            return
        front = self._front()
        if front is not None:
            with _not_admitted():
                self._bundle(front, {}, registry)
        self._checked_by = registry

    def _of_bundle(self, front: bytes) -> ListMatrix:
        registry = self._in_force()
        parts: dict[str, bytes] = {}
        contents = self._bundle(front, parts, registry).contents
        sealing = self._sealing()
        # What a reviewer is shown stays where it is.
        wanted = [one.name for one in contents.header.parts if not one.name.startswith(frame.pictures(""))]
        self._fetch(wanted, parts)
        of = contents.manifest(sealing)
        admit(outside(of, self._document))
        templates, fillers = contents.templates(of, sealing), contents.fillers(of, sealing)
        found = matrix.of_sealed(of, templates, fillers, self._token_of())
        if not found.has_cohorts:
            raise NotAdmitted(ListRefusal.COHORT_TOO_SMALL, "an entry has too few others to be normalised by")
        self._checked_by = registry
        return found

    def _bundle(self, front: bytes, parts: dict[str, bytes], registry: Registry) -> Bundle:
        """`parts` may be filled later. The registry is the root's: `authority` holds no other."""
        return open_parts(front, parts.get, registry=registry, now=self._clock.now())

    def _front(self) -> bytes | None:
        with as_transient("reading a list's front"):
            found = self._client.get(lists.front(self._deployment, self._digest))
        return found if isinstance(found, bytes) else None

    def _fetch(self, names: Sequence[str], into: dict[str, bytes]) -> None:
        with as_transient("reading a list's parts"):
            for start in range(0, len(names), _AT_ONCE):
                some = names[start : start + _AT_ONCE]
                found = self._client.mget([lists.part(self._deployment, self._digest, name) for name in some])
                into.update(
                    (name, part) for name, part in zip(some, found, strict=True) if isinstance(part, bytes)
                )

    def _in_force(self) -> Registry:
        registry = self._registry()
        if registry is None:
            raise Transient("no registry is known to check the list's signatures by")
        return registry

    def _token_of(self) -> Callable[[str], SubjectToken]:
        key = self._keys.mint(keys.deployment(self._authority))
        return lambda reference: subject_token(key, reference)

    def _sealing(self) -> Sealing:
        spec = keys.watchlist(self._authority)
        return Sealing(spec.id, self._key(spec), self._cipher)

    def _key(self, spec: KeySpec) -> bytes:
        key = self._keys.find(spec)
        if isinstance(key, Expired):
            raise ListGone(f"the key {spec.id} is not in the key store")
        return key


@contextmanager
def _not_admitted() -> Iterator[None]:
    """What is wrong with a bundle, as why it is not searched."""
    try:
        yield
    except Refused as refused:
        rules = "; ".join(dict.fromkeys(f"{one.field} {one.rule} [{one.control}]" for one in refused.faults))
        raise NotAdmitted(ListRefusal.NOT_SEALED, rules) from None
    except ValueError as unfit:  # templates that cancel out; no sealing lets them pass
        raise NotAdmitted(ListRefusal.UNREADABLE, str(unfit)) from None
    except Altered as altered:
        named = ", ".join(altered.parts[:_NAMED])
        raise NotAdmitted(ListRefusal.ALTERED, f"{len(altered.parts)} parts are not as sealed: {named}") from None
