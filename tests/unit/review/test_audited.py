"""A case's end leaves a row for each of its alerts, and says who verified it (AI Act 12(3))."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from services.contracts.audit.commitments import NOBODY, Commitment
from services.contracts.audit.requests import Action, AuditRequested
from services.contracts.decisions import AlertJudged
from services.contracts.events import CaseOutcome, Judgement
from services.contracts.ids import AlertId
from services.review.core.audited import CaseMinutes
from services.review.core.case import Case
from services.review.core.moves import Step
from tests.builders import an_authority_of
from tests.unit.review.cases import ANN, BEN, a_case, judged

AUTHORITY = an_authority_of("""
deployment: oxford-street-1
use_case: exercise
purpose: find people recalled to prison
cameras: [{id: gate-1, source: rtsp, address: "rtsp://gate-1/live"}]
window: {start: 2026-06-01T11:00:00Z, end: 2026-06-01T17:00:00Z}
watchlist: {name: blue-list, max_entries: 100, score_kind: raw, thresholds: {1: 0.3}}
""")
LIST = "b" * 64
SEEN = "c" * 64


class Salted:
    """`Commitments` of a test; nobody is anybody once it is `past`."""

    past = False

    def of(self, token: str) -> Commitment:
        return NOBODY if self.past else Commitment(hashlib.sha256(token.encode()).digest())


def a_listed_case() -> Case:
    case = a_case()
    alerts = tuple(replace(one, alert=AlertId("a" * 32)) for one in case.sightings)
    return replace(case, list_digest=LIST, sightings=alerts)


def requests(step: Step, salted: Salted | None = None) -> list[AuditRequested]:
    minutes = CaseMinutes(AUTHORITY, salted or Salted())
    events = (replace(one, displayed_digest=SEEN) if isinstance(one, AlertJudged) else one for one in step.events)
    return [one for event in events for one in minutes.of(event, step.case, producer="review/cases-1")]


def test_a_judgement_says_who_about_which_case_on_the_strength_of_what() -> None:
    step = judged(a_listed_case(), ANN, Judgement.MATCH)
    (said,) = requests(step)
    assert (said.what, said.about) == (Action.CASE_JUDGED, step.case.id)
    assert said.who == Salted().of(ANN)
    assert said.seen_sha256.hex() == SEEN
    assert said.subject == Salted().of(step.case.subject)
    assert (said.chain, said.authority, said.authority_version) == (AUTHORITY.deployment, AUTHORITY.deployment, 1)


@pytest.mark.parametrize(
    ("second", "outcome"),
    [(Judgement.MATCH, CaseOutcome.AGREED_MATCH), (Judgement.NOT_A_MATCH, CaseOutcome.NO_ACTION)],
)
def test_a_case_that_is_decided_leaves_a_row_with_both_who_verified_it(
    second: Judgement, outcome: CaseOutcome
) -> None:
    case = judged(a_listed_case(), ANN, Judgement.MATCH).case
    _, decided, recorded = requests(judged(case, BEN, second))
    assert decided.what is Action.CASE_DECIDED
    row = recorded.alert_row
    assert row is not None
    assert (row.outcome, row.list_sha256.hex(), row.probe_sha256.hex()) == (outcome, LIST, "a" * 64)
    assert set(row.verified_by) == {Salted().of(ANN), Salted().of(BEN)}
    assert (row.period_began_at, row.period_ends_at) == (AUTHORITY.window.start, AUTHORITY.window.end)


def test_past_the_purge_nobody_is_named_and_no_row_claims_to_know_who_verified() -> None:
    case = judged(a_listed_case(), ANN, Judgement.MATCH).case
    erased = Salted()
    erased.past = True
    said = requests(judged(case, BEN, Judgement.MATCH), erased)
    assert [one.what for one in said] == [Action.CASE_JUDGED, Action.CASE_DECIDED]
    assert {one.who for one in said} == {NOBODY}
