"""Which roles nobody may hold together: two sides of one decision. One table, for keys and sign-ins alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from types import MappingProxyType

from services.contracts.authorisation.enums import Role

OTHER_SIDE_OF_AUTHORISING = frozenset(
    {Role.LIST_MANAGER, Role.REVIEWER, Role.AUDITOR, Role.OVERSIGHT, Role.SERVICE}
)
"""Who authorises may be none of these."""

_APART: Mapping[Role, frozenset[Role]] = MappingProxyType(
    {
        Role.AUTHORISING_OFFICER: OTHER_SIDE_OF_AUTHORISING,
        Role.URGENT_OFFICER: OTHER_SIDE_OF_AUTHORISING,
        # Who decides about a case neither chose whom to look for, nor takes the decision back, nor acts on it.
        Role.REVIEWER: frozenset({Role.LIST_MANAGER, Role.SUPERVISOR, Role.ENGAGEMENT_OFFICER}),
        # Who examines took no part.
        Role.AUDITOR: frozenset(Role) - {Role.AUDITOR},
    }
)


def two_sides(roles: Collection[Role]) -> tuple[Role, Role] | None:
    """Two of these roles that exclude each other, if any do."""
    for one, other in combinations(sorted(roles), 2):
        if other in _APART.get(one, ()) or one in _APART.get(other, ()):
            return one, other
    return None
