"""A process is believed while the newest registry has its key, for its service, and for now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.registry import RegisteredKey, Registry
from services.runtime.own_key import OwnKey
from tests.unit.contracts.authorisation.builders import NOON, a_reading, a_registered_key, a_registry, key

KID = key("review").kid


class Noon:
    def reading(self) -> ClockReading:
        return a_reading(NOON)


def in_force(registry: Registry | None, *, service: str = "review") -> bool:
    return OwnKey(KID, service=service, registry=lambda: registry, clock=Noon()).in_force()


def changed(**changes: Any) -> RegisteredKey:
    return a_registered_key("review", **changes)


def test_an_enrolled_key_is_in_force() -> None:
    assert in_force(a_registry())


def test_before_a_registry_is_known_none_is() -> None:
    assert not in_force(None)


@pytest.mark.parametrize(
    "registry",
    [
        a_registry(without=["review"]),
        a_registry(changed(revoked_at=NOON - timedelta(minutes=5)), without=["review"]),
        a_registry(changed(valid_to=NOON - timedelta(minutes=5)), without=["review"]),
        a_registry(changed(valid_from=NOON + timedelta(minutes=5)), without=["review"]),
    ],
    ids=["not enrolled", "revoked", "ended", "not yet"],
)
def test_any_other_is_not(registry: Registry) -> None:
    assert not in_force(registry)


def test_the_key_of_another_service_is_not() -> None:
    assert not in_force(a_registry(), service="match")


def test_it_is_held_against_the_newest_registry_each_time() -> None:
    known: list[Registry] = [a_registry(without=["review"])]
    own = OwnKey(KID, service="review", registry=lambda: known[-1], clock=Noon())
    assert not own.in_force()
    known.append(a_registry(sequence=2))
    assert own.in_force()
