"""Who may sign in: who stands in the people file and in the signed registry, in the roles that both give them."""

from __future__ import annotations

from collections.abc import Callable

from services.contracts.authorisation.registry import Registry
from services.review.core.people import Credentials, Person
from services.review.core.registered import registered
from services.review.ports import Identities, PeopleListed
from services.runtime.clock import Clock


class RegisteredPeople(Identities):
    """`Identities`: those of a list, as far as the newest registry bears them out. Any thread."""

    def __init__(self, people: PeopleListed, registry: Callable[[], Registry | None], clock: Clock) -> None:
        self._people = people
        self._registry = registry
        self._clock = clock

    def authenticate(self, credentials: Credentials) -> Person | None:
        person = self._people.authenticate(credentials)
        return None if person is None else self._now(person)

    def find(self, user: str) -> Person | None:
        person = self._people.find(user)
        return None if person is None else self._now(person)

    def not_borne_out(self) -> int:
        """How many of the list may not sign in as anything, by the registry."""
        return sum(self._now(person) is None for person in self._people.everybody())

    def _now(self, person: Person) -> Person | None:
        return registered(person, self._registry(), now=self._clock.now())
