"""Which version of a deployment's authority an order of a person's is about."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.authority.standing import Standing, Version, movable, ran_last
from services.contracts.authorisation.enums import Move, State
from tests.unit.contracts.authorisation import builders as b


def versions(*states: State) -> list[Version]:
    """Numbered from 1."""
    document = b.a_document()
    end = b.START + timedelta(hours=4)
    return [
        Version(
            Standing(document.id, number, 1, document.digest, state, 3, b.START, end, "full", attested=True),
            document,
            (),
        )
        for number, state in enumerate(states, start=1)
    ]


@pytest.mark.parametrize(
    ("move", "states", "number"),
    [
        (Move.STOP, (State.ACTIVE, State.AUTHORISED), 1),
        (Move.SUSPEND, (State.ACTIVE, State.SUBMITTED), 1),
        (Move.CANCEL, (State.ACTIVE, State.AUTHORISED), 2),
        (Move.REPORT, (State.PURGED, State.PURGED), 2),
        (Move.REPORT, (State.PURGED, State.REPORTED), 1),
        (Move.REVIEW, (State.REPORTED, State.CANCELLED), 1),
        (Move.STOP, (State.ENDED, State.AUTHORISED), 2),  # leads nowhere, and is told of the newest
    ],
)
def test_an_order_is_about_the_newest_version_that_it_leads_somewhere_from(
    move: Move, states: tuple[State, ...], number: int
) -> None:
    assert movable(versions(*states), move).standing.version == number


@pytest.mark.parametrize(
    ("states", "number"),
    [
        ((State.ENDED, State.CANCELLED), 1),
        ((State.PURGED, State.EXPIRED, State.REFUSED), 1),
        ((State.ENDED, State.ACTIVE), 2),
        ((State.SUBMITTED,), 1),
    ],
)
def test_what_is_purged_is_what_ran_last(states: tuple[State, ...], number: int) -> None:
    assert ran_last(versions(*states)).standing.version == number
