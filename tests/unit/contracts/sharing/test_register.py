"""The sharing register: what may be its next line, what is overdue, what is said of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.sharing.answers import wording
from services.contracts.sharing.register import Found, Overdue
from services.contracts.sharing.statements import ShareMade, mark_of
from tests.unit.contracts.authorisation.builders import NOON, sha
from tests.unit.contracts.sharing.builders import CITY, NORTH, Clerk

LONG_AGO = date(2016, 1, 1)


def fields(against: tuple[Finding, ...]) -> set[str]:
    return {one.field for one in against}


def test_nothing_is_shared_without_an_agreement() -> None:
    clerk = Clerk()
    against = clerk.enter(clerk.share(), "liz")
    assert [str(one) for one in against] == [
        "agreement: is not in the register: nothing is shared without one [C-20]"
    ]


def test_nothing_is_shared_before_after_or_once_an_agreement_was_ended() -> None:
    for begins_d, days in ((1, 0), (-50, 60), (-50, 40)):
        clerk = Clerk().agreed(
            begins_at=NOON + timedelta(days=begins_d),
            expires_at=NOON + timedelta(days=begins_d + 60 if days else 61),
        )
        if days == 40:
            assert not clerk.enter(clerk.end(), "cen")
        clerk.at += timedelta(days=days if days != 40 else 0)
        assert fields(clerk.enter(clerk.share(), "liz")) == {"agreement"}


def test_who_approved_an_agreement_shares_nothing_under_it() -> None:
    clerk = Clerk().agreed()
    assert fields(clerk.enter(clerk.share(), "cen")) == {"agreement"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"serial": 2}, "serial"),
        ({"party": "other-police"}, "party"),
        ({"mark": mark_of(CITY, "other-police", 1)}, "mark"),
        ({"mark": None}, "mark"),
        ({"deployment": None}, "deployment"),
        ({"list_digest": None}, "list_digest"),
        ({"amount": 2}, "amount"),
        ({"pictures": [{"sha256": sha("p"), "entry": None}]}, "pictures"),
        ({"pictures": [{"sha256": sha("p"), "entry": "e-1"}] * 2, "amount": 2}, "pictures"),
        ({"shared_at": NOON - timedelta(minutes=1)}, "shared_at"),
        ({"shared_at": NOON + timedelta(minutes=1)}, "shared_at"),
        ({"deletion_due": NOON + timedelta(days=15)}, "deletion_due"),
        ({"outcome_due": NOON + timedelta(days=31)}, "outcome_due"),
        ({"deletion_due": NOON}, "deletion_due"),
        ({"organisation": "north-police"}, "organisation"),
        ({"number": 3}, "number"),
        ({"previous": sha("elsewhere")}, "number"),
        ({"signed_at": NOON - timedelta(minutes=16), "shared_at": NOON - timedelta(minutes=16)}, "signed_at"),
    ],
)
def test_a_share_that_breaks_a_rule_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    clerk = Clerk().agreed()
    assert field in fields(clerk.enter(clerk.share(**changes), "liz"))
    assert clerk.known.shares == ()


def test_an_agreement_for_one_direction_is_none_for_the_other() -> None:
    clerk = Clerk().agreed(directions=("in",))
    assert fields(clerk.enter(clerk.share(), "liz")) == {"direction"}


def test_serials_are_gapless_over_all_parties() -> None:
    clerk = Clerk().agreed().agreed(agreement="other", party="estate-trust").shared()
    clerk.shared(agreement="other", party="estate-trust", mark=mark_of(CITY, "estate-trust", 2))
    assert [one.said.serial for one in clerk.known.shares] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"party": CITY}, "party"),
        ({"directions": ("out", "out")}, "directions"),
        ({"expires_at": NOON - timedelta(seconds=1)}, "expires_at"),
        ({"expires_at": NOON + timedelta(days=400)}, "expires_at"),
    ],
)
def test_an_agreement_is_with_another_and_ends(changes: dict[str, Any], field: str) -> None:
    clerk = Clerk()
    assert field in fields(clerk.enter(clerk.agreement(**changes), "cen"))


@pytest.mark.parametrize(
    ("field", "value"), [("kept_d", 32), ("outcome_d", 91), ("purpose", "other"), ("party", "")]
)
def test_an_agreement_has_no_open_terms(field: str, value: object) -> None:
    with pytest.raises(NotAuthorised, match=field):
        Clerk().agreement(**{field: value})


def test_an_agreement_is_not_changed() -> None:
    clerk = Clerk().agreed()
    assert fields(clerk.enter(clerk.agreement(kept_d=7), "cen")) == {"agreement"}


def test_what_was_shared_without_the_system_is_entered_as_such() -> None:
    clerk = Clerk()
    assert not clerk.enter(clerk.legacy(), "liz")
    assert fields(clerk.enter(clerk.legacy(mark=mark_of(CITY, "estate-trust", 2)), "liz")) == {"mark"}
    assert fields(clerk.enter(clerk.legacy(agreement="no-such"), "liz")) == {"agreement"}
    assert fields(clerk.enter(clerk.legacy(pictures=[{"sha256": sha(str(n))} for n in range(8)]), "liz")) == {
        "amount"
    }


def test_deletion_and_outcome_are_overdue_until_they_are_recorded() -> None:
    clerk = Clerk().agreed().shared()
    assert list(clerk.known.overdue(NOON + timedelta(days=13))) == []
    assert list(clerk.known.overdue(NOON + timedelta(days=14))) == [(Overdue.DELETION, 1)]
    assert list(clerk.known.overdue(NOON + timedelta(days=30))) == [(Overdue.DELETION, 1), (Overdue.OUTCOME, 1)]
    clerk.at = NOON + timedelta(days=31)
    assert not clerk.enter(clerk.heard(1, "deletion"), "liz")
    assert not clerk.enter(clerk.heard(1, "outcome"), "liz")
    assert list(clerk.known.overdue(NOON + timedelta(days=365))) == []


@pytest.mark.parametrize(
    ("what", "changes", "field"),
    [
        ("deletion", {"serial": 2}, "serial"),
        ("deletion", {"outcome": "no_match"}, "outcome"),
        ("outcome", {"outcome": None}, "outcome"),
        ("deletion", {"done_at": NOON - timedelta(seconds=1)}, "done_at"),
        ("deletion", {"done_at": NOON + timedelta(days=1)}, "done_at"),
    ],
)
def test_a_follow_up_is_of_a_share_and_says_what_it_is(what: str, changes: dict[str, Any], field: str) -> None:
    clerk = Clerk().agreed().shared()
    assert fields(clerk.enter(clerk.heard(what=what, **changes), "liz")) == {field}


def test_zero_says_what_it_does_not_cover() -> None:
    said = wording(Found(()), "estate-trust", LONG_AGO)
    assert said.endswith(": 0 recorded here; shares made outside this system are not covered.")


def test_everything_shared_with_one_body_since_a_day_is_one_question() -> None:
    clerk = Clerk().agreed().shared().shared()
    assert not clerk.enter(clerk.legacy(), "liz")
    assert clerk.known.found(NORTH, NOON.date()).pictures == 2
    assert clerk.known.found(NORTH, NOON.date() + timedelta(days=1)).pictures == 0
    assert clerk.known.found("estate-trust", LONG_AGO).pictures == 7
    assert clerk.known.found(None, LONG_AGO).pictures == 9
    assert "1 shares of 7 pictures recorded here, 1 of them entered afterwards" in wording(
        clerk.known.found("estate-trust", LONG_AGO), "estate-trust", LONG_AGO
    )


def test_an_answer_says_what_the_register_says_or_is_not_published() -> None:
    clerk = Clerk().agreed().shared()
    assert fields(clerk.enter(clerk.answer(NORTH, LONG_AGO, shares=0), "cen")) == {"shares"}
    assert fields(clerk.enter(clerk.answer(NORTH, LONG_AGO, text="We share nothing."), "cen")) == {"text"}
    assert not clerk.enter(clerk.answer(NORTH, LONG_AGO), "cen")


def test_an_answer_that_was_wrong_is_superseded_and_stays() -> None:
    """A force told its mayor that it had shared nothing; seven pictures had gone to an estate (King's Cross)."""
    clerk = Clerk()
    assert not clerk.enter(clerk.answer("estate-trust", LONG_AGO), "cen")
    assert not clerk.enter(clerk.legacy(), "liz")
    assert list(clerk.known.overdue(clerk.at)) == [(Overdue.CORRECTION, 1)]
    again = clerk.answer("estate-trust", LONG_AGO)
    assert fields(clerk.enter(again, "cen")) == {"supersedes"}
    correction = clerk.answer("estate-trust", LONG_AGO, supersedes=1, reason="an old mailbox was found")
    assert not clerk.enter(correction, "cen")
    assert list(clerk.known.overdue(clerk.at)) == []
    assert [one.shares for one in clerk.known.answers.values()] == [0, 1]
    standing = clerk.known.standing("estate-trust", LONG_AGO)
    assert standing is not None
    assert standing.answer == 2


def test_what_is_shared_after_an_answer_does_not_make_it_wrong() -> None:
    clerk = Clerk().agreed()
    assert not clerk.enter(clerk.answer(NORTH, LONG_AGO), "cen")
    clerk.at += timedelta(minutes=1)
    clerk.shared()
    assert clerk.known.contradicted() == ()


def test_a_mark_is_another_for_every_recipient_and_serial() -> None:
    given = {mark_of(CITY, party, serial) for party in (NORTH, "estate-trust") for serial in range(1, 500)}
    assert len(given) > 990
    assert ShareMade.read(Clerk().share().model_dump()).mark in given
