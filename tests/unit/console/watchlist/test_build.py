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
from services.contracts.authority import Watchlist
from services.contracts.errors import Misconfigured
from services.contracts.events import ScoreKind
from tests.builders import NOON
from tests.unit.console.watchlist.toy import CARD, ToyEnrolment, vector_of, write_subject
from tests.unit.match.lists_builder import MODEL, token_of


def a_plan(*, watchlist: dict[str, Any] | None = None, **changes: Any) -> Plan:
    bounds: dict[str, Any] = {"name": "blue-list", "max_entries": 10, "score_kind": ScoreKind.RAW}
    values: dict[str, Any] = {
        "watchlist": Watchlist(**(bounds | {"thresholds": {1: 0.5}} | (watchlist or {}))),
        "limits": BY_MODEL["sface"],
        "token_of": token_of,
        "built_at": NOON,
    }
    return Plan(**(values | changes))


def built(root: Path, plan: Plan | None = None) -> Built:
    result = build(folder.read(root), plan or a_plan(), ToyEnrolment())
    assert isinstance(result, Built), "nothing was built"
    return result


def test_a_template_is_the_mean_of_its_pictures(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1", "anna/2", "anna/3"])
    result = built(tmp_path)
    (entry,) = result.gallery.entries
    mean = np.mean([vector_of(f"anna/{n}") for n in (1, 2, 3)], axis=0)
    assert np.allclose(entry.vector, mean / np.linalg.norm(mean), atol=1e-6)
    assert entry.token == token_of("ref-anna")
    assert entry.images_sha256 == result.images[0].sha256
    assert {image.jpeg for image in result.images[0].images} == {b"\xff\xd8anna/%d" % n for n in (1, 2, 3)}


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


def test_only_the_best_pictures_up_to_the_cap_are_kept(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", [f"anna/{n}" for n in range(6)])
    result = built(tmp_path, a_plan(max_pictures=2))
    kept = [image.quality for image in result.images[0].images]
    everything = sorted((ToyEnrolment().enrol(b"anna/%d" % n).quality for n in range(6)), reverse=True)  # type: ignore[union-attr]
    assert kept == everything[:2]
    assert {refused.reason for _, refused in result.subjects[0].refused} == {Refusal.OVER_CAP}


def test_a_subject_whose_time_is_over_is_not_on_the_list(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1"])
    write_subject(
        tmp_path, "berta", ["berta/1"], card=CARD.format(reference="b").replace("2026-12-31", "2026-05-31")
    )
    result = built(tmp_path)
    assert result.gallery.subjects == 1
    assert result.subjects[1].why_not == "expired on 2026-05-31"


def test_subjects_that_may_be_one_person_are_reported(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1"])
    write_subject(tmp_path, "anna-again", ["anna/2"])
    write_subject(tmp_path, "berta", ["berta/1"])
    result = built(tmp_path)
    assert result.duplicates == (("anna", "anna-again"),)
    assert "look at anna and anna-again: they may be one person" in list(lines(result))


def test_the_same_folder_gives_the_same_digest(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1"])
    normalised = {"score_kind": ScoreKind.GALLERY_NORMALISED}
    plan = a_plan(fillers=30, watchlist=normalised)
    first = built(tmp_path, plan).gallery
    assert built(tmp_path, plan).gallery.digest == first.digest
    assert built(tmp_path, a_plan(fillers=30, seed=2, watchlist=normalised)).gallery.digest != first.digest
    assert built(tmp_path, a_plan(fillers=30, watchlist=normalised | {"digest": first.digest}))


@pytest.mark.parametrize(("fillers", "kind"), [(28, ScoreKind.RAW), (29, ScoreKind.GALLERY_NORMALISED)])
def test_scores_are_normalised_from_thirty_entries_on(tmp_path: Path, fillers: int, kind: ScoreKind) -> None:
    write_subject(tmp_path, "anna", ["anna/1"])
    gallery = built(tmp_path, a_plan(fillers=fillers, watchlist={"score_kind": kind})).gallery
    assert (gallery.score_kind, gallery.cohort_size, gallery.cohort_weight) == (kind, 10, 0.5)
    assert gallery.subjects == 1
    assert sum(entry.filler for entry in gallery.entries) == fillers


@pytest.mark.parametrize(
    ("watchlist", "fillers", "message"),
    [
        ({"score_kind": ScoreKind.GALLERY_NORMALISED}, 0, "add --fillers 28"),
        ({"score_kind": ScoreKind.GALLERY_NORMALISED}, 10, "add --fillers 28"),
        ({}, 40, "build it without --fillers"),
        ({"max_entries": 1}, 0, "2 subjects; the deployment's watchlist.max_entries is 1"),
        ({"digest": "0" * 64}, 0, "nothing was written"),
        ({"model": "another"}, 0, f"enrolment runs sface ({MODEL}); the deployment's watchlist.model is another"),
    ],
    ids=["too few", "too few with fillers", "padded", "too many", "another digest", "another model"],
)
def test_a_list_that_the_deployment_does_not_allow_is_not_built(
    tmp_path: Path, watchlist: dict[str, Any], fillers: int, message: str
) -> None:
    write_subject(tmp_path, "anna", ["anna/1"])
    write_subject(tmp_path, "berta", ["berta/1"])
    with pytest.raises(Misconfigured) as refused:
        built(tmp_path, a_plan(watchlist=watchlist, fillers=fillers))
    assert message in str(refused.value)


def test_the_report_names_folders_and_never_references(tmp_path: Path) -> None:
    write_subject(tmp_path, "anna", ["anna/1", "!no_face"])
    text = "\n".join(lines(built(tmp_path)))
    assert "anna" in text
    assert "ref-anna" not in text
    assert "0 fillers" in text
