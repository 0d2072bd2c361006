"""Whose key is whose: a list that the organisation's offline root signs, and nobody else can."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from services.contracts.authorisation import signing
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.fields import Moment, Name, Part, PersonId, Sequence, Thumbprint
from services.contracts.authorisation.findings import Finding, NotAuthorised

TYP = "signpost-registry+jws"
_SOURCE = "issue 4.1: trust"


class RegisteredKey(Part):
    """One key of one person in one role. Retired by `valid_to`, withdrawn by `revoked_at`."""

    kid: Thumbprint
    public: Thumbprint = Field(description="base64url of the 32 bytes")
    person: PersonId
    role: Role
    valid_from: Moment
    valid_to: Moment
    revoked_at: Moment | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.valid_to <= self.valid_from:
            raise ValueError("valid_to must be later than valid_from")
        if signing.fingerprint(self.public) != self.kid:
            raise ValueError("kid is not the key's thumbprint")
        return self

    def valid_at(self, at: datetime) -> bool:
        """Whether its term covers `at`; says nothing about revocation."""
        return self.valid_from <= at < self.valid_to

    def revoked(self, now: datetime) -> bool:
        """Once revoked, all it ever signed is void: whoever has a stolen key can date a signature as he likes."""
        return self.revoked_at is not None and self.revoked_at <= now

    def held_during(self, start: datetime, end: datetime) -> bool:
        """Whether its person had this role at any time from `start` to `end`."""
        until = min(self.valid_to, self.revoked_at or self.valid_to)
        return self.valid_from <= end and until > start


class Registry(Part):
    """All keys that count. `sequence` only grows; past `valid_until` the root has to sign again."""

    format: Literal["signpost-registry-1"] = "signpost-registry-1"
    organisation: Name
    sequence: Sequence
    issued_at: Moment
    valid_until: Moment
    root: Thumbprint = Field(description="the root's public key")
    keys: tuple[RegisteredKey, ...] = Field(max_length=2000)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        kids = [key.kid for key in self.keys]
        if len(set(kids)) != len(kids):
            raise ValueError("a key is listed once, for one person and role")
        if signing.fingerprint(self.root) in kids:
            raise ValueError("the root is no person's key")
        if len({key.person.casefold() for key in self.keys}) != len({key.person for key in self.keys}):
            raise ValueError("two persons differ in upper and lower case only")
        if self.valid_until <= self.issued_at:
            raise ValueError("valid_until must be later than issued_at")
        return self

    @property
    def root_fingerprint(self) -> str:
        return signing.fingerprint(self.root)

    def key(self, kid: str) -> RegisteredKey | None:
        return next((key for key in self.keys if key.kid == kid), None)

    def roles_of(self, person: str, *, start: datetime, end: datetime) -> frozenset[Role]:
        """Every role the person holds at any time from `start` to `end`."""
        return frozenset(key.role for key in self.keys if key.person == person and key.held_during(start, end))


def sign_registry(registry: Registry, root: signing.SigningKey) -> str:
    """What is handed out; for the root's own, offline machine. Raises ValueError if it names another root."""
    if root.public != registry.root:
        raise ValueError("the registry names another root")
    return root.sign(registry.canonical_bytes(), typ=TYP)


def open_registry(token: str, *, root_fingerprint: str) -> Registry:
    """The registry in `token`, signed by the root with that fingerprint. Raises NotAuthorised, or BadSignature."""
    signed = signing.take_apart(token)
    if signed.kid != root_fingerprint:
        raise NotAuthorised(
            "registry", [Finding("registry", "is signed by another root than configured", _SOURCE)]
        )
    # The key is inside what it signs: harmless, because it must have the fingerprint that was just compared.
    root = _claimed_root(signing.unchecked_payload(signed))
    registry = Registry.from_canonical(signing.payload_of(signed, public=root, typ=TYP))
    if registry.root != root:
        raise signing.BadSignature("the registry names two roots")
    return registry


def _claimed_root(payload: bytes) -> str:
    try:
        root = json.loads(payload)["root"]
        signing.fingerprint(root)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise signing.BadSignature("names no root key") from None
    return str(root)


def in_force(registry: Registry, *, root_fingerprint: str, now: datetime) -> tuple[Finding, ...]:
    """What keeps the registry from being relied on now."""
    found = []
    if registry.root_fingerprint != root_fingerprint:
        found.append(Finding("registry", "is of another root than configured", _SOURCE))
    if registry.valid_until <= now:
        found.append(Finding("registry.valid_until", "has passed: the root must sign a new one", _SOURCE))
    if registry.issued_at > now + timedelta(seconds=2):
        found.append(Finding("registry.issued_at", "lies in the future", _SOURCE))
    return tuple(found)
