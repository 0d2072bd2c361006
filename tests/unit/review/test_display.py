"""The digest is of exactly what was displayed."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

import pytest

from services.contracts.events import AlertRaised
from services.review.core.display import Display, compose
from services.review.core.listed import Listed, Reference
from services.review.core.views import CaseView, Likeness, Resemblance
from tests.builders import an_alert
from tests.unit.review.cases import a_case

BROTHER = Resemblance(likeness=Likeness.SIBLING, other="b" * 32)
LISTED = Listed(
    category="recall",
    pictures=(Reference(jpeg=b"reference", taken_on=date(2024, 5, 1)),),
)


def shown(*alerts: AlertRaised, listed: Listed = LISTED) -> Display:
    return compose(a_case(), alerts or (an_alert(),), listed)


def test_the_same_content_has_the_same_digest() -> None:
    assert shown().digest == shown().digest


@pytest.mark.parametrize(
    "other",
    [
        shown(an_alert(context_jpeg=b"another context")),
        shown(an_alert(shots=(replace(an_alert().shots[0], jpeg=b"another face"),))),
        shown(an_alert(), an_alert(alert="another-alert")),
        shown(listed=replace(LISTED, category="missing")),
        shown(listed=replace(LISTED, pictures=(replace(LISTED.pictures[0], taken_on=date(2019, 1, 1)),))),
        shown(listed=replace(LISTED, resembles=(BROTHER,))),
        shown(listed=replace(LISTED, handling="approach with care")),
        shown(listed=replace(LISTED, risk_flags=("vulnerable",))),
    ],
)
def test_any_change_of_what_is_displayed_changes_the_digest(other: Display) -> None:
    assert other.digest != shown().digest


def test_who_may_be_taken_for_the_person_is_shown_and_part_of_what_was_judged() -> None:
    one, other = BROTHER, replace(BROTHER, other="")
    assert shown(listed=replace(LISTED, resembles=(one,))).resembles == (one,)
    digests = {
        shown(listed=replace(LISTED, resembles=these)).digest for these in ((), (one,), (other,), (one, other))
    }
    assert len(digests) == 4


def test_a_flag_does_not_pass_for_a_likeness() -> None:
    flagged = shown(listed=replace(LISTED, risk_flags=("sibling", "")))
    assert flagged.digest != shown(listed=replace(LISTED, resembles=(replace(BROTHER, other=""),))).digest


def test_no_view_has_a_score_not_even_for_who_judged_an_earlier_round() -> None:
    """An earlier judge of a case that is open again saw the best score of pictures they had not judged."""
    names = {one.name for kind in (Display, CaseView) for one in fields(kind)}
    assert not names & {"score", "threshold"}
