"""What a listed person may do, by the registry that the root has signed."""

from __future__ import annotations

import pytest

from services.contracts.authorisation import enums
from services.contracts.authorisation.registry import RegisteredKey
from services.contracts.authorisation.separation import two_sides
from services.review.core.people import Person, Role
from services.review.core.registered import REGISTERED_AS, contradiction, registered
from tests.unit.contracts.authorisation import builders as b


def listed(person: str, *roles: Role) -> Person:
    return Person(user=person, name=person.title(), roles=frozenset(roles), person=person)


def may(person: Person, *more: RegisteredKey) -> frozenset[Role]:
    found = registered(person, b.a_registry(*more), now=b.NOON)
    return frozenset() if found is None else found.roles


def another_key(person: str, role: enums.Role, **changes: object) -> RegisteredKey:
    return b.a_registered_key(person, role, secret=f"{person} as {role}", **changes)


def test_a_role_counts_where_file_and_registry_both_give_it() -> None:
    """Who could write the people file could make anybody a reviewer, whom nobody had ever signed for."""
    assert may(listed("rex", Role.REVIEWER)) == {Role.REVIEWER}
    assert may(listed("sam", Role.SUPERVISOR, Role.ENGAGEMENT_OFFICER)) == {Role.SUPERVISOR}
    assert may(listed("liz", Role.WATCHLIST_MANAGER)) == {Role.WATCHLIST_MANAGER}
    assert may(listed("rex", Role.AUDITOR)) == frozenset()
    assert may(listed("nobody", Role.REVIEWER)) == frozenset()


@pytest.mark.parametrize(
    "changes",
    [{"revoked_at": b.NOON}, {"valid_to": b.NOON}, {"valid_from": b.END}],
    ids=["revoked", "over", "not begun"],
)
def test_a_role_ends_with_its_key(changes: dict[str, object]) -> None:
    assert may(listed("kim", Role.REVIEWER), another_key("kim", enums.Role.REVIEWER)) == {Role.REVIEWER}
    assert may(listed("kim", Role.REVIEWER), another_key("kim", enums.Role.REVIEWER, **changes)) == frozenset()


def test_whom_the_registry_has_on_two_sides_signs_in_as_nothing() -> None:
    """The file names the harmless one of the two."""
    both = another_key("rex", enums.Role.AUTHORISING_OFFICER)
    assert may(listed("rex", Role.REVIEWER), both) == frozenset()


def test_without_a_registry_nobody_is_anything() -> None:
    assert registered(listed("rex", Role.REVIEWER), None, now=b.NOON) is None


def test_the_two_tables_of_roles_agree() -> None:
    assert set(REGISTERED_AS) == set(Role)
    assert contradiction(frozenset({Role.REVIEWER})) is None
    assert contradiction(frozenset({Role.SUPERVISOR, Role.ENGAGEMENT_OFFICER})) is None
    assert two_sides([enums.Role.AUTHOR, enums.Role.AUTHORISING_OFFICER]) is None, "that is the document's to say"
    assert two_sides([enums.Role.AUDITOR, enums.Role.AUTHOR]) is not None
