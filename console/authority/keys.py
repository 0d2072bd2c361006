"""The root's registry from one signing to the next: begun, a key enrolled, a key revoked. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.authorisation.registry import RegisteredKey, Registry
from services.contracts.authorisation.signing import fingerprint

_SOURCE = "issue 4.1: trust"


def begun(organisation: str, root_public: str, *, now: datetime, lasts: timedelta) -> Registry:
    """The first registry, which knows nobody. Raises NotAuthorised naming what has not its shape."""
    return Registry.read(
        {
            "organisation": organisation,
            "sequence": 1,
            "issued_at": now,
            "valid_until": now + lasts,
            "root": root_public,
            "keys": (),
        }
    )


def registered(public: str, *, person: str, role: Role, valid_from: datetime, lasts: timedelta) -> RegisteredKey:
    """A person's key in one role. Raises NotAuthorised."""
    try:
        kid = fingerprint(public)
    except ValueError as error:
        raise NotAuthorised("malformed", [Finding("public", str(error), _SOURCE)]) from None
    return RegisteredKey.read(
        {
            "kid": kid,
            "public": public,
            "person": person,
            "role": role,
            "valid_from": valid_from,
            "valid_to": valid_from + lasts,
        }
    )


def enrolled(registry: Registry, *keys: RegisteredKey, now: datetime, lasts: timedelta) -> Registry:
    """The next registry, with these keys too. Raises NotAuthorised if one is there already."""
    return _next(registry, (*registry.keys, *keys), now, lasts)


def revoked(registry: Registry, kid: str, *, now: datetime, lasts: timedelta) -> Registry:
    """The next registry, in which all that the key ever signed is void. Raises NotAuthorised."""
    if registry.key(kid) is None:
        raise NotAuthorised("registry", [Finding("kid", "the registry has no such key", _SOURCE)])
    return _next(
        registry,
        (
            key.model_copy(update={"revoked_at": key.revoked_at or now}) if key.kid == kid else key
            for key in registry.keys
        ),
        now,
        lasts,
    )


def _next(registry: Registry, keys: Iterable[RegisteredKey], now: datetime, lasts: timedelta) -> Registry:
    changed = {"sequence": registry.sequence + 1, "issued_at": now, "valid_until": now + lasts}
    listed = [key.model_dump() for key in keys]
    return Registry.read({**registry.model_dump(), **changed, "keys": listed})
