"""What a document must say: each rule broken by itself, and named with its field and source."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.contracts.authorisation import enums, rules
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.findings import NotAuthorised
from tests.unit.contracts.authorisation.builders import (
    END,
    START,
    WRITTEN,
    a_camera,
    a_document,
    a_list,
    an_exercise,
    fields,
    sha,
    some_evidence,
    some_papers,
)

SITE = fields()["site"]
assert isinstance(SITE, dict)


def found(document: Document) -> list[tuple[str, str]]:
    return [(finding.field, finding.source) for finding in rules.broken(document)]


def test_a_good_document_breaks_no_rule() -> None:
    assert found(a_document()) == []
    assert found(an_exercise()) == []


@pytest.mark.parametrize(
    ("changes", "field", "source"),
    [
        ({"version": 2}, "supersedes", "4.1"),
        ({"supersedes": sha("before")}, "supersedes", "4.1"),
        ({"purpose": "exercise"}, "purpose", "C-26"),
        ({"watchlist": a_list(categories=["consenting_volunteer"])}, "watchlist.categories", "C-26"),
        ({"cameras": [a_camera(), a_camera()]}, "cameras.1.id", "C-28"),
        ({"cameras": [a_camera(source="file")]}, "cameras.0.source", "What it refuses"),
        ({"cameras": [a_camera(host=None)]}, "cameras.0.host", "C-28"),
        ({"cameras": [a_camera(owner="a-shop")]}, "cameras.0.agreement", "C-20"),
        ({"cameras": [a_camera(), a_camera("g", zone=[[90, 9], [110, 9], [99, 20]])]}, "cameras.1.zone", "C-28"),
        ({"cameras": [a_camera(zone=[[0, 0], [400, 0], [0, 400]])]}, "cameras.0.zone", "C-28"),
        ({"site": {**SITE, "review_by": "2026-05-31"}}, "site.review_by", "C-27"),
        ({"documents": some_papers()[1:]}, "documents", "C-11"),
        ({"documents": [*some_papers()[1:], {**some_papers()[0], "review_by": "2026-05-31"}]},
         "documents.3.review_by", "C-15"),
        ({"equity": None}, "equity", "C-25"),
        ({"equity": some_evidence(model="sface-2")}, "equity.model", "C-25"),
        ({"equity": some_evidence(thresholds={1: 0.6})}, "equity.thresholds", "C-25"),
        ({"equity": some_evidence(review_by="2026-05-31")}, "equity.review_by", "C-25"),
        ({"watchlist": a_list(age_bands=["adult", "14_to_17"])}, "watchlist.age_bands", "C-31"),
        ({"watchlist": a_list(max_templates=999)}, "watchlist.max_templates", "B 3.13"),
        ({"fpir_budget": 0.002}, "fpir_budget", "B 3.1"),
        ({"urgent": {"reason": "now", "deadline": WRITTEN + timedelta(hours=25)}}, "urgent.deadline", "C-38"),
        ({"urgent": {"reason": "now", "deadline": WRITTEN}}, "urgent.deadline", "C-38"),
        ({"created_at": END}, "window.end", "C-29"),
        ({"clock": {"accepts": ["unknown"], "reason": "no NTP there"}}, "clock.accepts", "C-29"),
        ({"clock": {"accepts": ["synchronised", "unknown"]}}, "clock.reason", "C-29"),
        ({"author": "chief"}, "author", "C-18"),
    ],
)  # fmt: skip
def test_each_rule_names_its_field_and_its_source(changes: dict[str, object], field: str, source: str) -> None:
    [(named, cited)] = found(a_document(**changes))
    assert named == field
    assert source in cited


@pytest.mark.parametrize(
    "changes",
    [
        {"cameras": [a_camera(owner="a-shop", agreement="agreement-7")]},
        {"watchlist": a_list(age_bands=["14_to_17"]), "equity": some_evidence(age_bands=["14_to_17"])},
        {"clock": {"accepts": ["synchronised", "unknown"], "reason": "no NTP on the site"}},
        {"urgent": {"reason": "a threat", "deadline": WRITTEN + timedelta(hours=24)}},
        {"site": {**SITE, "buffer_m": 10}, "cameras": [a_camera(zone=[[90, 10], [109, 10], [100, 20]])]},
    ],
)
def test_what_the_rules_ask_for_satisfies_them(changes: dict[str, object]) -> None:
    assert found(a_document(**changes)) == []


def test_an_exercise_may_read_files_and_lack_evidence_but_lists_no_child_without_it() -> None:
    camera = a_camera(source="file", host=None)
    assert found(an_exercise(cameras=[camera])) == []
    young = a_list(categories=["consenting_volunteer"], age_bands=["10_to_13"])
    assert [field for field, _ in found(an_exercise(watchlist=young))] == ["watchlist.age_bands"]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    many = a_document(equity=None, documents=(), fpir_budget=0.5)
    assert len(found(many)) == 2 + len(enums.DocumentKind)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": "other"}, "purpose"),
        ({"use_case": "retrospective"}, "use_case"),
        (
            {"watchlist": a_list(categories=["other persons where intelligence is required"])},
            "watchlist.categories.0",
        ),
        ({"watchlist": a_list(thresholds={3: 0.5})}, "watchlist.thresholds"),
        ({"watchlist": a_list(digest="abc")}, "watchlist.digest"),
        ({"watchlist": a_list(categories=["wanted_on_warrant"] * 2)}, "watchlist"),
        ({"window": {"start": START, "end": START}}, "window"),
        ({"window": {"start": START, "end": START + timedelta(hours=13)}}, "window"),
        ({"window": {"start": START.replace(tzinfo=None), "end": END}}, "window.start"),
        ({"site": {**SITE, "polygon": [[0, 0], [1, 1], [1, 0], [0, 1]]}}, "site.polygon"),
        ({"site": {**SITE, "buffer_m": 26}}, "site.buffer_m"),
        ({"cameras": [a_camera(zone=[[0, 0], [1, 1], [2, 2]])]}, "cameras.0.zone"),
        ({"cameras": []}, "cameras"),
        ({"grounds": "  "}, "grounds"),
        ({"alternatives_considered": ""}, "alternatives_considered"),
        ({"legal_basis": None}, "legal_basis"),
        ({"policy": {"address": "file:///etc/policy", "sha256": sha("p")}}, "policy.address"),
        ({"fpir_budget": float("nan")}, "fpir_budget"),
        ({"verification": {"reviewers": 1}}, "verification"),
        ({"retention": {"alert_h": 48}}, "retention.alert_h"),
        ({"skip_checks": True}, "skip_checks"),
        ({"a name, say Jane Doe": True}, "?"),
        ({"grounds": "for the \u202egood\u202c"}, "grounds"),
        ({"grounds": "zero\u200bwidth"}, "grounds"),
        ({"grounds": "over\rwritten"}, "grounds"),
        ({"policy": {"address": "https://p\u043elice.example", "sha256": sha("p")}}, "policy.address"),
        ({"organisation": "c\u0456ty-police"}, "organisation"),
        ({"author": "ann\n"}, "author"),
        ({"watchlist": a_list(digest=sha("list").replace("0", "\u0660"))}, "watchlist.digest"),
        ({"serial": 2**53}, "serial"),
        ({"serial": 1.5}, "serial"),
        ({"watchlist": a_list(thresholds={1: float("inf")})}, "watchlist.thresholds.1"),
        ({"site": {**SITE, "polygon": [[0, 0], [float("nan"), 1], [1, 0]]}}, "site.polygon.1.0"),
        ({"serial": 0}, "serial"),
    ],
)
def test_a_field_out_of_shape_is_refused_by_name(changes: dict[str, object], field: str) -> None:
    with pytest.raises(NotAuthorised) as refused:
        a_document(**changes)
    assert field in {finding.field for finding in refused.value.findings}


def test_a_refusal_shows_no_value() -> None:
    with pytest.raises(NotAuthorised) as refused:
        a_document(purpose="to find Jane Doe", grounds=["Jane Doe"])
    assert "Jane" not in str(refused.value)


def test_no_closed_set_has_an_other() -> None:
    for closed in (enums.Purpose, enums.UseCase, enums.Category):
        assert not {member for member in closed if "other" in member or "misc" in member}


@pytest.mark.parametrize(
    ("serial", "issued", "rule"),
    [
        (1, [], None),
        (4, [3, 1, 2], None),
        (3, [1, 2, 3], "must be 4"),
        (5, [1, 2, 3], "must be 4"),
        (4, [1, 3], "gap"),
    ],
)
def test_serials_are_gapless(serial: int, issued: list[int], rule: str | None) -> None:
    told = rules.serial_broken(a_document(serial=serial), issued)
    assert (not told) if rule is None else (rule in told[0].rule)


def test_a_version_follows_the_one_before_and_stays_the_same_authority() -> None:
    first = a_document()
    second = a_document(version=2, supersedes=first.digest)
    assert rules.version_broken(first, None) == ()
    assert rules.version_broken(second, first) == ()
    assert {f.field for f in rules.version_broken(second, None)} == {"version"}
    altered = a_document(version=3, supersedes=sha("x"), serial=2, id="elsewhere")
    assert {f.field for f in rules.version_broken(altered, first)} == {"version", "supersedes", "serial", "id"}
