"""Whose signatures the chain takes: the keys of producers and sequencer, in a registry that the root signed.

A registry is cumulative: keys that ended stay in it, so that one registry judges a whole chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from services.contracts import ids
from services.contracts.audit.signing import (
    KEY_BYTES,
    REGISTRY,
    SIGNATURE_BYTES,
    Signer,
    Verify,
    fingerprint,
    framed,
    number,
)
from services.contracts.codec_fields import micros
from services.contracts.events import require, require_utc


class Role(StrEnum):
    """What a key may sign."""

    PRODUCER = "producer"
    SEQUENCER = "sequencer"


@dataclass(frozen=True, kw_only=True)
class RegisteredKey:
    """One key: whose (a service's name), for what, from when to when; `revoked_at` ends it earlier."""

    public_key: bytes
    role: Role
    holder: str
    valid_from: datetime
    valid_until: datetime
    revoked_at: datetime | None = None

    def __post_init__(self) -> None:
        require(len(self.public_key) == KEY_BYTES, "a public key has 32 bytes")
        require(ids.is_name(self.holder), "holder is the name of a service")
        require_utc(self.valid_from, "valid_from")
        require_utc(self.valid_until, "valid_until")
        require(self.valid_from < self.valid_until, "a key ends after it began")
        if self.revoked_at is not None:
            require_utc(self.revoked_at, "revoked_at")

    @property
    def id(self) -> str:
        return fingerprint(self.public_key)

    def holds(self, at: datetime) -> bool:
        """Whether it may be signed with at that time."""
        in_time = self.valid_from <= at < self.valid_until
        return in_time and (self.revoked_at is None or at < self.revoked_at)

    def parts(self) -> Iterator[bytes]:
        """What the root signs of it."""
        yield self.public_key
        yield self.role.encode()
        yield self.holder.encode()
        yield number(micros(self.valid_from))
        yield number(micros(self.valid_until))
        yield number(micros(self.revoked_at)) if self.revoked_at else b""


@dataclass(frozen=True)
class KeyRegistry:
    """All keys there ever were, in the order of their ids; a later registry has a higher version."""

    version: int
    keys: tuple[RegisteredKey, ...]

    def __post_init__(self) -> None:
        require(self.version >= 1, "versions start at 1")
        names = [key.id for key in self.keys]
        require(names == sorted(set(names)), "keys are ordered by id, and each is registered once")

    @cached_property
    def _by_id(self) -> dict[str, RegisteredKey]:
        return {key.id: key for key in self.keys}

    def producer(self, key: str, *, service: str) -> RegisteredKey | None:
        """The key of that id if that service may sign requests with it at some time."""
        found = self._by_id.get(key)
        return found if found and found.role is Role.PRODUCER and found.holder == service else None

    def sequencer(self, key: str) -> RegisteredKey | None:
        """The key of that id if heads may be signed with it at some time."""
        found = self._by_id.get(key)
        return found if found and found.role is Role.SEQUENCER else None

    @property
    def message(self) -> bytes:
        """What the root signs."""
        return framed(REGISTRY, number(self.version), *(framed(*key.parts()) for key in self.keys))


@dataclass(frozen=True)
class SignedRegistry:
    """A registry and the root's signature, not yet checked."""

    registry: KeyRegistry
    signature: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require(len(self.signature) == SIGNATURE_BYTES, "a signature has 64 bytes")

    def is_signed_by(self, root: bytes, verify: Verify) -> bool:
        """Whether the root of that public key signed it."""
        return verify(root, self.signature, self.registry.message)


def registry(version: int, *keys: RegisteredKey) -> KeyRegistry:
    """A registry of these keys, in whichever order they come."""
    return KeyRegistry(version, tuple(sorted(keys, key=lambda key: key.id)))


def sign_registry(keys: KeyRegistry, root: Signer) -> SignedRegistry:
    """Sign with the root, which is offline: this runs where it is."""
    return SignedRegistry(keys, root.sign(keys.message))
