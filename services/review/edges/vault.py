"""Tells what review itself has said from whatever else lies in the durable Redis."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.contracts import keys
from services.contracts.authority import Authority
from services.contracts.codec import Cipher
from services.contracts.errors import Tampered
from services.review.metrics import Stored
from services.runtime.clock import Clock
from services.runtime.keys.cipher import Key
from services.runtime.keys.derive import derive
from services.runtime.keys.port import OtherKey
from services.runtime.keys.ring import Found, Keyring

log = logging.getLogger(__name__)

# A change of what is authenticated, or in which order, takes a new number.
_FORMAT = "signpost-review-value-1"
_PREFIX = re.compile(rb"([1-9][0-9]{0,11}):")
_UNTIL_BYTES = 8
# Of a value: its version and the nonce lie in it, so no two values begin alike.
HEAD_BYTES = 48


@dataclass(frozen=True)
class Opened:
    """What one of us has sealed, at which of the name's versions, and until when it may be believed."""

    version: int
    plain: bytes = field(repr=False)
    until: datetime | None


@dataclass(frozen=True)
class _Keys:
    whole: bytes = field(repr=False)
    seal: Key = field(repr=False)
    name: Key = field(repr=False)


class Vault:
    """Seals values to a name of the durable Redis, and opens those that one of us has sealed to it. Any thread.

    A value is `<version>:` and its ciphertext under the key of review's store. Name, version and the time until
    which it holds are authenticated. One that was made by hand, altered or moved to another name is not believed:
    it is as if nothing lay there, `refused` counts it, and it stops nothing else. One that was kept past its time
    is as gone. An earlier value of the same name is genuine: `Past` tells those that must not come back.
    """

    def __init__(
        self,
        authority: Authority,
        ring: Keyring,
        cipher: Cipher,
        clock: Clock,
        *,
        refused: Callable[[Stored], None],
    ) -> None:
        self._spec = keys.review_store(authority)
        self._ring = ring
        self._cipher = cipher
        self._clock = clock
        self._refused = refused
        self._made: _Keys | None = None

    def seal(self, name: str, plain: bytes, *, version: int = 1, until: datetime | None) -> bytes:
        """To be written under `name`. Raises DeadlinePassed, and Transient with the key store."""
        made = self._keys(self._ring.mint(self._spec))
        body = _ms(until).to_bytes(_UNTIL_BYTES, "big") + plain
        return begin(version) + self._cipher.seal(made.seal, body, _place(name, version))

    def open(self, kind: Stored, name: str, raw: object) -> Opened | None:
        """What lies there; None for nothing, and for what is not to be believed. Raises Transient."""
        if raw is None or not self.knows():
            return None
        opened = self._genuine(name, raw)
        if opened is None:
            self.refuse(kind)
        return opened if opened is not None and self._lasts(opened) else None

    def holds(self, name: str, raw: object) -> bool:
        """Whether that is to be believed; counts nothing."""
        opened = self._genuine(name, raw)
        return opened is not None and self._lasts(opened)

    def _genuine(self, name: str, raw: object) -> Opened | None:
        found = _PREFIX.match(raw) if isinstance(raw, bytes) else None
        if found is None or not isinstance(raw, bytes):
            return None
        version = int(found[1])
        body = self._opened(raw[found.end() :], _place(name, version))
        if body is None:
            return None
        return Opened(version, body[_UNTIL_BYTES:], _at(int.from_bytes(body[:_UNTIL_BYTES], "big")))

    def _lasts(self, opened: Opened) -> bool:
        return opened.until is None or self._clock.now() < opened.until

    def knows(self) -> bool:
        """Whether it can tell at all: without the key, past a purge, nothing is known of any value."""
        return isinstance(self._ring.find(self._spec), Found)

    def refuse(self, kind: Stored) -> None:
        """Something that is not to be believed was found."""
        log.warning("a value in the durable Redis is not ours: not believed", extra={"kind": kind})
        self._refused(kind)

    def name(self, purpose: str, text: str) -> str:
        """What only we can call something, from what only its owner knows."""
        made = self._keys(self._ring.mint(self._spec))
        return hmac.new(made.name, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()

    def _opened(self, sealed: bytes, place: bytes) -> bytes | None:
        for _ in range(2):
            found = self._ring.find(self._spec)
            if not isinstance(found, Found):
                return None
            try:
                return self._cipher.open(self._keys(found.key).seal, sealed, place)
            except OtherKey:
                # A key in hand may have been replaced since: the store is asked once more.
                self._ring.forget([self._spec])
            except Tampered:
                return None
        return None

    def _keys(self, whole: bytes) -> _Keys:
        made = self._made
        if made is None or made.whole != whole:
            parts = [Key(derive(whole, info=f"{_FORMAT} {purpose}")) for purpose in ("seal", "name")]
            made = self._made = _Keys(whole, *parts)
        return made


def begin(version: int) -> bytes:
    """How every value of that version begins; for the script, which has no key."""
    return b"%d:" % version


def _place(name: str, version: int) -> bytes:
    return f"{_FORMAT}\n{version}\n{name}".encode()


def _ms(until: datetime | None) -> int:
    return 0 if until is None else int(until.timestamp() * 1000)


def _at(ms: int) -> datetime | None:
    return None if ms == 0 else datetime.fromtimestamp(ms / 1000, UTC)
