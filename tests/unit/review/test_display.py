"""The digest is of exactly what was displayed."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

import pytest

from services.contracts.events import AlertRaised
from services.contracts.lists import ReferenceImage, SubjectImages
from services.review.core.display import Display, compose
from services.review.core.views import CaseView
from tests.builders import an_alert
from tests.unit.review.cases import a_case

LISTED = SubjectImages(
    token=an_alert().subject,
    category="recall",
    source="police",
    reason="recall",
    expires_on=date(2026, 12, 31),
    images=(ReferenceImage(jpeg=b"reference", taken_on=date(2024, 5, 1), quality=0.8),),
)


def shown(*alerts: AlertRaised, listed: SubjectImages = LISTED) -> Display:
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
        shown(listed=replace(LISTED, images=(replace(LISTED.images[0], taken_on=date(2019, 1, 1)),))),
    ],
)
def test_any_change_of_what_is_displayed_changes_the_digest(other: Display) -> None:
    assert other.digest != shown().digest


def test_no_view_has_a_score_not_even_for_who_judged_an_earlier_round() -> None:
    """An earlier judge of a case that is open again saw the best score of pictures they had not judged."""
    names = {one.name for kind in (Display, CaseView) for one in fields(kind)}
    assert not names & {"score", "threshold"}
