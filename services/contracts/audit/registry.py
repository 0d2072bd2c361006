"""Whose signatures the chain takes: services and the sequencer, as the organisation's one registry names them.

A registry is cumulative: keys that ended stay in it, so that one registry judges a whole chain. An authority's
signatures are void once their key is revoked; entries stay, for they were chained before.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from services.contracts import ids
from services.contracts.audit.signing import KEY_BYTES, fingerprint
from services.contracts.authorisation import enums, signing
from services.contracts.authorisation.registry import Registry, open_registry
from services.contracts.events import require, require_utc

OVERSIGHT = "oversight"
"""The service that sequences; its one key signs entries and heads, and asks for entries of its own."""


CLOCKS_APART = timedelta(seconds=30)
"""How far the clocks of two machines may be from each other."""


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
        sequences = self.role is Role.SEQUENCER
        require(sequences == (self.holder == OVERSIGHT), "oversight, and nobody else, sequences")
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
        return self.valid_from <= at and not self.ended(at)

    def ended(self, at: datetime) -> bool:
        """Whether its term is over, or it is revoked."""
        return self.valid_until <= at or (self.revoked_at is not None and self.revoked_at <= at)


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
        return found if found and found.holder == service else None

    def sequencer(self, key: str) -> RegisteredKey | None:
        """The key of that id if entries and heads may be signed with it at some time."""
        found = self._by_id.get(key)
        return found if found and found.role is Role.SEQUENCER else None

    def sequencers_ended(self, at: datetime) -> frozenset[str]:
        """The ids of the sequencers' keys that are over at that time."""
        return frozenset(key.id for key in self.keys if key.role is Role.SEQUENCER and key.ended(at))


@dataclass(frozen=True)
class SignedKeys:
    """The organisation's registry as its root signed it (authorisation/registry.py), not yet checked."""

    token: str = field(repr=False)

    @property
    def root_fingerprint(self) -> str:
        """Of the root that it says signed it. Raises BadSignature where it says nothing."""
        return signing.take_apart(self.token).kid

    def opened(self, root_fingerprint: str) -> KeyRegistry:
        """The keys, if that root signed them. Raises NotAuthorised, BadSignature."""
        return keys_of(open_registry(self.token, root_fingerprint=root_fingerprint))


def registry(version: int, *keys: RegisteredKey) -> KeyRegistry:
    """A registry of these keys, in whichever order they come."""
    return KeyRegistry(version, tuple(sorted(keys, key=lambda key: key.id)))


def keys_of(found: Registry) -> KeyRegistry:
    """What the organisation's registry says of services; people's keys sign nothing here."""
    services = (
        RegisteredKey(
            public_key=base64.urlsafe_b64decode(f"{key.public}="),
            role=Role.SEQUENCER if key.role is enums.Role.OVERSIGHT else Role.PRODUCER,
            holder=OVERSIGHT if key.role is enums.Role.OVERSIGHT else key.person,
            valid_from=key.valid_from,
            valid_until=key.valid_to,
            revoked_at=key.revoked_at,
        )
        for key in found.keys
        if key.role is enums.Role.OVERSIGHT or (key.role is enums.Role.SERVICE and _is_service(key.person))
    )
    return registry(found.sequence, *services)


def usable(found: Registry | None, key: str, *, service: str, now: datetime) -> bool:
    """Whether the key of that id may ask for the service now; also by the sequencer's clock, which may be another.

    A request that the sequencer finds made outside its key's time is passed over, and what follows it is a gap.
    """
    known = keys_of(found).producer(key, service=service) if found else None
    return known is not None and known.holds(now - CLOCKS_APART) and known.holds(now + CLOCKS_APART)


def may_sequence(found: Registry | None, key: str, *, now: datetime) -> bool:
    """Whether the key of that id is the sequencer's now: what it signs is taken for chained."""
    known = keys_of(found).sequencer(key) if found else None
    return known is not None and (known.holds(now - CLOCKS_APART) or known.holds(now + CLOCKS_APART))


def _is_service(person: str) -> bool:
    """No other key may speak as oversight."""
    return ids.is_name(person) and person != OVERSIGHT
