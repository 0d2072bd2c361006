"""What a listed person is in the signed registry: whom the root does not name in a role has not that role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from services.contracts.authorisation import enums
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.separation import two_sides
from services.review.core.people import Person, Role

REGISTERED_AS: Mapping[Role, enums.Role] = MappingProxyType(
    {
        Role.REVIEWER: enums.Role.REVIEWER,
        Role.SUPERVISOR: enums.Role.SUPERVISOR,
        Role.ENGAGEMENT_OFFICER: enums.Role.ENGAGEMENT_OFFICER,
        Role.WATCHLIST_MANAGER: enums.Role.LIST_MANAGER,
        Role.AUTHORISING_OFFICER: enums.Role.AUTHORISING_OFFICER,
        Role.AUDITOR: enums.Role.AUDITOR,
    }
)


def contradiction(roles: frozenset[Role]) -> tuple[Role, Role] | None:
    """Two of these roles that nobody may hold together, if there are any."""
    found = two_sides([REGISTERED_AS[role] for role in roles])
    if found is None:
        return None
    ours = {theirs: role for role, theirs in REGISTERED_AS.items()}
    return ours[found[0]], ours[found[1]]


def registered(person: Person, registry: Registry | None, *, now: datetime) -> Person | None:
    """The person with those of their roles that the registry gives them now; None if that is none.

    None also if the registry gives them two sides of one decision, whichever of the two the file names.
    """
    if registry is None:
        return None
    held = registry.roles_of(person.person, start=now, end=now)
    roles = frozenset(role for role in person.roles if REGISTERED_AS[role] in held)
    if not roles or two_sides(held) is not None:
        return None
    return replace(person, roles=roles)
