"""Building a list: bad pictures go one by one with the reason, the rest is built, the deployment decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console.watchlist import folder
from console.watchlist.build import Built, NothingBuilt, Plan, build
from console.watchlist.enrolment import Refusal
from console.watchlist.limits import BY_MODEL
from console.watchlist.report import lines
from services.contracts import operating_points
from services.contracts.authorisation.document import SealedList
from services.contracts.errors import Misconfigured
from services.contracts.events import ScoreKind
from services.contracts.sealed.manifest import Pair, Resolution, Verdict, file_sha256, template_sha256
from tests.builders import NOON
from tests.unit.console.watchlist.toy import ToyEnrolment, entry_of, quality_of, vector_of, write_subject
from tests.unit.contracts.authorisation.builders import a_list
from tests.unit.match.lists_builder import MODEL

SFACE = operating_points.BY_MODEL["sface"]


def a_watchlist(**changes: Any) -> SealedList:
    return SealedList.model_validate(
        a_list(
            **(
                {
                    "id": "blue-list",
                    "max_entries": 10,
                    "categories": ["consenting_volunteer"],
                    "thresholds": {1: 0.5},
                }
                | changes
            )
        )
    )


def a_plan(*, watchlist: dict[str, Any] | None = None, **changes: Any) -> Plan:
    values: dict[str, Any] = {
        "deployment": "oxford-street-1",
        "watchlist": a_watchlist(**(watchlist or {})),
        "model": None,
        "limits": BY_MODEL["sface"],
        "built_at": NOON,
    }
    return Plan(**(values | changes))


def built(root: Path, plan: Plan | None = None) -> Built:
    result = build(folder.read(root), plan or a_plan(), ToyEnrolment())
    assert isinstance(result, Built), "nothing was built"
    return result


def test_every_picture_has_a_template_and_what_is_shown_of_it(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1", "anna/2", "anna/3"])
    result = built(tmp_path)
    assert result.faults == ()
    (entry,) = result.draft.manifest.entries
    assert entry.entry_id == entry_of("anna")
    rows, shown = result.draft.templates[entry.entry_id], result.pictures[entry.entry_id]
    for picture, row, jpeg in zip(entry.pictures, rows, shown, strict=True):
        (number,) = [n for n in (1, 2, 3) if jpeg == b"\xff\xd8anna/%d" % n]
        assert np.array_equal(row, vector_of(f"anna/{number}"))
        assert picture.image_sha256 == file_sha256(b"anna/%d" % number)
        assert picture.shown_sha256 == file_sha256(jpeg)
        assert picture.template_sha256 == template_sha256(row)
        assert picture.quality == quality_of(f"anna/{number}")


@pytest.mark.parametrize(
    "reason",
    [reason for reason in Refusal if reason not in (Refusal.DOES_NOT_MATCH_OTHERS, Refusal.OVER_CAP)],
)
def test_a_picture_that_enrolment_refuses_is_named_and_the_rest_is_built(tmp_path: Path, reason: Refusal) -> None:
    write_subject(tmp_path, "anna", ["anna/1", f"!{reason}"])
    result = built(tmp_path)
    (report,) = result.subjects
    assert report.taken == ("1.jpg",)
    assert [(name, refused.reason) for name, refused in report.refused] == [("2.jpg", reason)]
    assert any(f"2.jpg: {reason}" in line for line in lines(result))


def test_an_empty_file_is_unreadable_without_asking_anybody(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1", ""])
    enrolment = ToyEnrolment()
    result = build(folder.read(tmp_path), a_plan(), enrolment)
    assert [refused.reason for _, refused in result.subjects[0].refused] == [Refusal.UNREADABLE]
    assert enrolment.asked == 1


def test_a_picture_of_somebody_else_does_not_match_the_others(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1", "berta/1", "anna/2"])
    (report,) = built(tmp_path).subjects
    assert report.taken in {("1.jpg", "3.jpg"), ("3.jpg", "1.jpg")}
    assert [(name, refused.reason) for name, refused in report.refused] == [
        ("2.jpg", Refusal.DOES_NOT_MATCH_OTHERS)
    ]


def test_two_pictures_that_disagree_leave_nobody_to_trust(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1", "berta/1"])
    result = build(folder.read(tmp_path), a_plan(), ToyEnrolment())
    assert isinstance(result, NothingBuilt)
    assert result.subjects[0].why_not == "no picture left"
    assert [refused.reason for _, refused in result.subjects[0].refused] == [Refusal.DOES_NOT_MATCH_OTHERS] * 2
    assert "nothing was built" in list(lines(result))[-1]


def test_a_picture_that_is_like_one_of_two_only_is_no_reason_to_keep_all(tmp_path: Path) -> None:
    """A likeness of likenesses is none: sealing demands that every two pictures match."""
    write_subject(tmp_path, "anna", ["anna/1", "anna/2", "anna/3", "berta/1"])
    result = built(tmp_path)
    assert len(result.subjects[0].taken) == 3
    assert result.faults == ()


def test_only_the_best_pictures_up_to_the_cap_are_kept(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", [f"anna/{n}" for n in range(6)])
    result = built(tmp_path, a_plan(max_pictures=2))
    kept = [picture.quality for picture in result.draft.manifest.entries[0].pictures]
    assert kept == sorted((quality_of(f"anna/{n}") for n in range(6)), reverse=True)[:2]
    assert {refused.reason for _, refused in result.subjects[0].refused} == {Refusal.OVER_CAP}


def test_a_subject_whose_time_is_over_is_not_on_the_list(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1"])
    write_subject(tmp_path, "berta", ["berta/1"], expires_at="2026-05-31T12:00:00Z")
    result = built(tmp_path)
    assert len(result.draft.manifest.entries) == 1
    assert result.subjects[1].why_not == "expired at 2026-05-31 12:00 UTC"


def test_two_that_may_be_one_person_are_named_and_keep_the_list_from_being_sealed(tmp_path: Path) -> None:
    for name, picture in (("anna", "anna/1"), ("anna-again", "anna/2"), ("berta", "berta/1")):
        write_subject(tmp_path, name, [picture])
    result = built(tmp_path)
    pair = Pair(*sorted((entry_of("anna"), entry_of("anna-again"))))
    assert result.alike == (pair,)
    assert [(one.field, one.control) for one in result.faults] == [("resolutions", "C-33")]
    text = "\n".join(lines(result))
    assert "they may be one person" in text
    assert "NOT TO BE SEALED" in text
    resolved = Resolution(
        pair=pair, verdict=Verdict.DISTINCT_PERSONS, by="p-3", at=NOON, grounds="two birth certificates"
    )
    assert built(tmp_path, a_plan(resolutions=(resolved,))).faults == ()


def test_what_breaks_a_rule_is_named_with_its_folder_and_control(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1"], approved_by="p-1")
    result = built(tmp_path)
    assert [(one.field, one.control) for one in result.faults] == [("approved_by", "C-24")]
    assert "must be another person than added_by [C-24] (folder anna)" in "\n".join(lines(result))


def test_the_same_folder_gives_the_same_digest(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1"])
    normalised = {"score_kind": ScoreKind.GALLERY_NORMALISED}
    plan = a_plan(fillers=30, watchlist=normalised)
    digest = built(tmp_path, plan).draft.manifest.digest
    assert built(tmp_path, plan).draft.manifest.digest == digest
    assert built(tmp_path, a_plan(fillers=30, seed=2, watchlist=normalised)).draft.manifest.digest != digest


def test_fillers_are_told_and_break_no_rule(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1"])
    result = built(tmp_path, a_plan(fillers=60, watchlist={"score_kind": ScoreKind.GALLERY_NORMALISED}))
    assert result.faults == ()
    head = result.draft.manifest.head
    assert (head.entries, head.fillers, head.cohort_size, head.cohort_weight) == (1, 60, 10, 0.5)
    assert any("60 fillers (nobody)" in line for line in lines(result))


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (a_plan(watchlist={"score_kind": ScoreKind.GALLERY_NORMALISED}), "add --fillers 28"),
        (a_plan(watchlist={"score_kind": ScoreKind.GALLERY_NORMALISED}, fillers=10), "add --fillers 28"),
        (a_plan(fillers=40), "score_kind is raw: build without"),
        (a_plan(model="another"), f"enrolment runs sface ({MODEL}); the draft's watchlist.model is another"),
    ],
    ids=["too few", "too few with fillers", "padded", "another model"],
)
def test_a_list_that_cannot_be_what_the_authority_wants_is_not_built(
    tmp_path: Path, plan: Plan, message: str
) -> None:
    write_subject(tmp_path, "anna", ["anna/1"])
    write_subject(tmp_path, "berta", ["berta/1"])
    with pytest.raises(Misconfigured) as refused:
        built(tmp_path, plan)
    assert message in str(refused.value)


def test_more_people_than_the_authority_admits_are_too_many(tmp_path: Path) -> None:
    for name in ("anna", "berta"):
        write_subject(tmp_path, name, [f"{name}/1"])
    (fault,) = built(tmp_path, a_plan(watchlist={"max_entries": 1})).faults
    assert str(fault) == "list: entries: must be at most 1, are 2 [B 3.13]"


def test_the_report_names_folders_and_never_references(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1", "!no_face"])
    text = "\n".join(lines(built(tmp_path)))
    assert "anna" in text
    assert "ref-anna" not in text
    assert "0 fillers" in text


def test_thresholds_follow_from_the_budget_and_the_lists_size(tmp_path: Path) -> None:
    """They were those of a hundred entries for a list of two: a film's second person would have needed .53."""
    for size, folders in ((2, ["anna", "ben"]), (3, ["anna", "ben", "cleo"])):
        for name in folders:
            write_subject(tmp_path / str(size), name, [f"{name}/1"])
        head = built(tmp_path / str(size), a_plan(fpir_budget=0.001)).draft.manifest.head
        expected = SFACE.thresholds(ScoreKind.RAW, entries=size, fpir=0.001)
        assert {one.shots: one.score for one in head.thresholds} == expected
        # Whoever would raise another's alert is looked at before the list is sealed.
        assert head.limits.alike == min(expected.values())


def test_without_a_budget_the_thresholds_are_the_drafts(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1"])
    head = built(tmp_path, a_plan(watchlist={"thresholds": {1: 0.45, 3: 0.6}})).draft.manifest.head
    assert {one.shots: one.score for one in head.thresholds} == {1: 0.45, 3: 0.6}
    assert head.limits.alike == 0.45


def test_fillers_count_for_the_cohort_of_normalised_scores(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1"])
    plan = a_plan(watchlist={"score_kind": "gallery_normalised"}, fillers=40, fpir_budget=0.001)
    head = built(tmp_path, plan).draft.manifest.head
    assert head.thresholds[0].score == SFACE.thresholds(ScoreKind.GALLERY_NORMALISED, entries=41, fpir=0.001)[1]


def test_a_model_that_nobody_measured_needs_thresholds_of_its_own(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1"])
    with pytest.raises(Misconfigured, match=r"watchlist\.thresholds"):
        build(folder.read(tmp_path), a_plan(fpir_budget=0.001), ToyEnrolment(name="unmeasured"))
