"""A list is sealed by two people, or not at all; and not while anything about it is wrong (G10, C-33)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from string import ascii_letters, digits
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import scoring
from services.contracts.authorisation import statements
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.registry import Registry
from services.contracts.events import ScoreKind
from services.contracts.scoring import Floats, raw_scores
from services.contracts.sealed import likeness
from services.contracts.sealed.bundle.frame import BundleWritten
from services.contracts.sealed.draft import Draft, draft_faults
from services.contracts.sealed.faults import Refused
from services.contracts.sealed.manifest import Limits, Pair, Resolution, Threshold, Verdict
from services.contracts.sealed.seal import Seal, seal, sign, signature_faults
from tests.builders import NOON, a_vector
from tests.unit.contracts.authorisation.builders import a_registered_key, a_registry, key
from tests.unit.contracts.sealed.lists_builder import (
    BOUNDED,
    MANAGER,
    OFFICER,
    REGISTRY,
    SIZE,
    a_draft,
    an_entry,
    bounds,
    rows,
    two_signatures,
)
from tests.unit.match.lists_builder import near

ENTRIES = tuple(an_entry(f"e-{n}") for n in (1, 2, 3, 4, 5))
# Brothers, say: one picture of each is like one of the other.
BROTHERS = {"e-1": rows(1), "e-2": np.stack([near(rows(1)[1], 0.85, seed=5)])}


def resolution(verdict: Verdict = Verdict.DISTINCT_PERSONS, **changes: Any) -> Resolution:
    values: dict[str, Any] = {
        "pair": Pair("e-1", "e-2"),
        "verdict": verdict,
        "by": "p-analyst",
        "at": NOON,
        "grounds": "brothers; fingerprints differ",
    }
    return Resolution(**(values | changes))


def sealing(draft: Draft, signatures: Sequence[str] | None = None, registry: Registry = REGISTRY) -> Seal:
    given_ = two_signatures(draft) if signatures is None else signatures
    return seal(draft, given_, similarity=raw_scores, registry=registry, now=NOON)


def refused(
    draft: Draft, signatures: Sequence[str] | None = None, registry: Registry = REGISTRY
) -> set[tuple[str, str, str]]:
    with pytest.raises(Refused) as found:
        sealing(draft, signatures, registry)
    return {(one.entry, one.field, one.control) for one in found.value.faults}


def test_a_list_that_two_people_signed_is_sealed() -> None:
    draft = a_draft()
    made = sealing(draft)
    assert made.digest == draft.manifest.digest
    assert set(made.signatures) == set(two_signatures(draft))


@pytest.mark.parametrize(
    "by",
    [
        [],
        ["liz"],
        ["olu"],
        ["liz", "liz"],
        ["olu", "pat"],
        ["liz", "aud"],
        ["liz", "stranger"],
        ["ann", "olu"],
        ["liz", "oversight"],
        ["liz", "olu", "olu"],
        ["liz", "olu", "stranger"],
    ],
    ids=str,
)
def test_any_other_signatures_than_of_a_manager_and_an_officer_seal_nothing(by: list[str]) -> None:
    draft = a_draft()
    signatures = [sign(draft.manifest, key(person), at=NOON) for person in by]
    assert refused(draft, signatures) == {("", "signatures", "G10")}


def test_one_person_with_two_keys_and_both_roles_seals_nothing() -> None:
    draft = a_draft()
    both = a_registry(a_registered_key("liz", Role.AUTHORISING_OFFICER, secret="second"))
    signatures = [sign(draft.manifest, who, at=NOON) for who in (MANAGER, key("second"))]
    with pytest.raises(Refused, match="must be of two people"):
        sealing(draft, signatures, both)


def test_two_people_of_whom_one_holds_both_sides_seal_nothing() -> None:
    """C-18: an officer who also makes lists would approve their own work on another day."""
    both = a_registry(a_registered_key("olu", Role.LIST_MANAGER, secret="second"))
    assert refused(a_draft(), registry=both) == {("", "signatures", "G10, C-18")}


@pytest.mark.parametrize(
    "changes",
    [
        {"revoked_at": NOON},
        {"valid_to": NOON - timedelta(seconds=1)},
        {"valid_from": NOON + timedelta(seconds=1)},
    ],
    ids=str,
)
def test_a_key_that_is_not_in_force_seals_nothing(changes: dict[str, Any]) -> None:
    registry = a_registry(a_registered_key("olu", **changes), without=["olu"])
    assert refused(a_draft(), registry=registry) == {("", "signatures", "G10")}


def altered_tokens(token: str) -> list[str]:
    """Every token that differs from this one in one letter."""
    return [f"{token[:n]}{'B' if token[n] == 'A' else 'A'}{token[n + 1 :]}" for n in range(len(token))]


def test_a_signature_with_any_letter_altered_is_none() -> None:
    """base64's idle bits too: the last letter of a signature has four that decoders pass over."""
    draft = a_draft()
    manager, officer = two_signatures(draft)
    made = sealing(draft)
    for altered in [*altered_tokens(officer), officer + "=", officer + "!", f"{officer[:-1]}!{officer[-1]}"]:
        changed = replace(made, signatures=(manager, altered))
        assert list(signature_faults(changed, REGISTRY, now=NOON)), altered


def test_every_last_letter_but_one_is_refused() -> None:
    draft = a_draft()
    manager, officer = two_signatures(draft)
    for letter in set(ascii_letters + digits + "-_") - {officer[-1]}:
        changed = replace(sealing(draft), signatures=(manager, officer[:-1] + letter))
        assert list(signature_faults(changed, REGISTRY, now=NOON)), letter


def test_a_signature_of_another_kind_seals_nothing() -> None:
    said = BundleWritten(deployment="oxford-street-1", signed_at=NOON, header_sha256="0" * 64)
    draft = a_draft()
    signatures = [statements.sign(said, MANAGER), two_signatures(draft)[1]]
    assert refused(draft, signatures) == {("", "signatures", "G10")}


@pytest.mark.parametrize("other", [{"name": "red-list"}, {"deployment": "other-street-1"}, {"cohort_size": 2}])
def test_a_signature_under_another_list_seals_nothing(other: dict[str, Any]) -> None:
    assert refused(a_draft(), two_signatures(a_draft(**other))) == {("", "signatures", "G10")}


@pytest.mark.parametrize("late", [timedelta(seconds=3), timedelta(days=1)])
def test_a_signature_from_the_future_seals_nothing(late: timedelta) -> None:
    draft = a_draft()
    signatures = [sign(draft.manifest, MANAGER, at=NOON), sign(draft.manifest, OFFICER, at=NOON + late)]
    assert refused(draft, signatures) == {("", "signatures", "G10")}


def test_a_signature_older_than_the_list_seals_nothing() -> None:
    draft = a_draft(created_at=NOON)
    signatures = [
        sign(draft.manifest, MANAGER, at=NOON - timedelta(seconds=1)),
        sign(draft.manifest, OFFICER, at=NOON),
    ]
    assert refused(draft, signatures) == {("", "signatures", "G10")}


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"model_id": " "}, "model_id"),
        ({"thresholds": ()}, "thresholds"),
        ({"thresholds": (Threshold(shots=2, score=0.5),)}, "thresholds"),
        ({"thresholds": (Threshold(shots=1, score=2.0),)}, "thresholds"),
        ({"cohort_weight": 1.5}, "cohort_weight"),
        ({"cohort_size": 6}, "cohort_size"),
        ({"cohort_size": 0}, "cohort_size"),
        ({"bounds": bounds(max_entries=2)}, "entries"),
        ({"bounds": bounds(max_templates=5)}, "templates"),
        ({"bounds": bounds(max_status_age_h=169)}, "bounds.max_status_age_h"),
        ({"bounds": bounds(max_pictures=21)}, "bounds.max_pictures"),
        ({"bounds": bounds(min_quality=-0.1)}, "bounds.min_quality"),
        ({"limits": Limits(same_person=-0.5, alike=0.8)}, "limits"),
        ({"limits": Limits(same_person=0.4, alike=1.0)}, "limits"),
        ({"limits": Limits(same_person=0.6, alike=0.5)}, "limits"),
        ({"score_kind": ScoreKind.RAW, "limits": Limits(same_person=0.4, alike=0.46)}, "limits.alike"),
        ({"filling": None}, "filling"),
    ],
    ids=str,
)
def test_a_list_outside_its_terms_is_not_sealed(plan: dict[str, Any], field: str) -> None:
    assert {(entry, name) for entry, name, _ in refused(a_draft(**plan))} == {("", field)}


@pytest.mark.parametrize("field", ["deployment", "name"])
def test_a_list_without_a_proper_name_is_not_sealed(field: str) -> None:
    plan: dict[str, Any] = {field: "Blue List"}
    draft = a_draft(**plan)
    assert ("", field, "B 3.7") in refused(draft, two_signatures(a_draft()))
    with pytest.raises(ValueError, match=field):
        sign(draft.manifest, MANAGER, at=NOON)


def test_a_list_from_the_future_is_not_sealed() -> None:
    draft = a_draft(created_at=NOON + timedelta(seconds=1))
    assert ("", "created_at", "B 3.7") in refused(draft)


def test_fillers_count_neither_as_people_nor_as_templates() -> None:
    assert sealing(a_draft(bounds=bounds(max_entries=3, max_templates=6), fillers=20))


def test_a_list_of_raw_scores_needs_no_cohort() -> None:
    assert sealing(
        a_draft(score_kind=ScoreKind.RAW, cohort_size=50, fillers=0, limits=Limits(same_person=0.4, alike=0.45))
    )


def test_an_entry_that_breaks_a_rule_is_named_in_the_refusal() -> None:
    draft = a_draft(an_entry("e-1"), an_entry("e-2", approved_by="p-officer"))
    assert refused(draft) == {("e-2", "approved_by", "C-24")}


def test_every_fault_is_told_at_once() -> None:
    draft = a_draft(an_entry("e-1", legal_basis=""), an_entry("e-2", approved_by="p-officer"), name="Blue")
    assert len(refused(draft, [])) == 4


def test_a_subject_listed_twice_is_refused() -> None:
    draft = a_draft(an_entry("e-1"), an_entry("e-2", subject_ref=an_entry("e-1").subject_ref))
    assert refused(draft) == {("e-2", "subject_ref", "C-33")}


def test_an_entry_id_given_twice_is_refused() -> None:
    assert ("e-1", "entry_id", "B 3.7") in refused(a_draft(an_entry("e-1"), an_entry("e-1", subject_ref="other")))


def test_one_picture_of_two_subjects_is_refused() -> None:
    draft = a_draft()
    first, second, third = draft.manifest.entries
    same = replace(second.pictures[1], image_sha256=first.pictures[0].image_sha256)
    entries = (first, replace(second, pictures=(second.pictures[0], same)), third)
    changed = replace(draft, manifest=replace(draft.manifest, entries=entries))
    assert refused(changed) == {("e-2", "pictures.1.image_sha256", "C-33")}


def test_pictures_of_one_subject_that_do_not_match_are_refused() -> None:
    """A picture of somebody else in the folder: whoever it shows would be stopped for another."""
    strangers = np.stack([a_vector(size=SIZE, seed=1), near(a_vector(size=SIZE, seed=1), 0.7), rows(77)[0]])
    draft = a_draft(*ENTRIES, templates={"e-2": strangers})
    found = {str(one) for one in draft_faults(draft, similarity=raw_scores, at=NOON)}
    assert found == {
        "entry e-2: pictures: 0 and 2 do not match each other: one shows somebody else [C-24, B 3.7]",
        "entry e-2: pictures: 1 and 2 do not match each other: one shows somebody else [C-24, B 3.7]",
    }


def test_a_collision_between_two_subjects_that_nobody_resolved_is_refused() -> None:
    draft = a_draft(*ENTRIES, templates=BROTHERS)
    found = draft_faults(draft, similarity=raw_scores, at=NOON)
    assert [str(one) for one in found] == [
        "entry e-1: resolutions: is like entry e-2; somebody must say whether they are one person [C-33]"
    ]


@pytest.mark.parametrize("verdict", Verdict)
def test_a_collision_that_somebody_resolved_is_sealed_with_who_did(verdict: Verdict) -> None:
    draft = a_draft(*ENTRIES, templates=BROTHERS, resolutions=[resolution(verdict)])
    assert sealing(draft).digest == draft.manifest.digest
    assert draft.manifest.cohort.resolutions[0].by == "p-analyst"


@pytest.mark.parametrize(
    "resolutions",
    [
        [resolution(by="p-officer")],
        [resolution(by=" ")],
        [resolution(grounds="")],
        [resolution(), resolution(Verdict.SAME_PERSON)],
        [resolution(), resolution(pair=Pair("e-1", "e-9"))],
        [resolution(), resolution(pair=Pair("e-3", "e-3"))],
        [resolution(pair=Pair("e-2", "e-1"))],
        [resolution(pair=Pair("e-1", "e-3"))],
    ],
    ids=[
        "by who added",
        "by nobody",
        "no grounds",
        "two verdicts",
        "not listed",
        "oneself",
        "reversed",
        "other pair",
    ],
)
def test_a_resolution_that_does_not_hold_is_refused(resolutions: list[Resolution]) -> None:
    found = refused(a_draft(*ENTRIES, templates=BROTHERS, resolutions=resolutions))
    assert {control for _, _, control in found} <= {"C-33", "B 3.7"}


def test_near_duplicates_are_set_apart_and_so_are_those_known_to_be_one_person() -> None:
    known = resolution(Verdict.SAME_PERSON, pair=Pair("e-3", "e-4"))
    draft = a_draft(*ENTRIES, templates=BROTHERS, resolutions=[resolution(), known])
    assert draft.manifest.cohort.apart == (Pair("e-1", "e-2"), Pair("e-3", "e-4"))
    assert sealing(draft)


@pytest.mark.parametrize("apart", [(), (Pair("e-1", "e-2"), Pair("e-1", "e-3"))], ids=["too few", "too many"])
def test_a_cohort_set_apart_otherwise_is_refused(apart: tuple[Pair, ...]) -> None:
    draft = a_draft(*ENTRIES, templates=BROTHERS, resolutions=[resolution()])
    cohort = replace(draft.manifest.cohort, apart=apart)
    assert refused(replace(draft, manifest=replace(draft.manifest, cohort=cohort))) == {("", "apart", "B 3.7")}


def test_a_cohort_too_small_once_duplicates_are_left_out_is_refused() -> None:
    draft = a_draft(*ENTRIES, templates=BROTHERS, resolutions=[resolution()], fillers=0, cohort_size=4)
    assert refused(draft) == {("", "cohort_size", "B 3.7")}


def test_a_filler_that_is_like_a_subject_is_refused() -> None:
    """It would lower that subject's scores: a way to hide somebody on the list."""
    draft = a_draft(templates={"e-1": np.stack([near(a_vector(size=SIZE, seed=900), 0.9)])})
    assert refused(draft) == {("e-1", "fillers", "B 3.7")}


@pytest.mark.parametrize(
    ("templates", "field"),
    [
        (np.stack([rows(11)[0], rows(12)[0]]), "pictures.1.template_sha256"),
        (rows(11).astype(np.float64), "pictures.0"),
        (rows(11) * np.float32(1.1), "pictures.0"),
        (rows(11)[:1], "pictures"),
        (rows(11)[:, :-1], "pictures"),
    ],
    ids=["another", "float64", "not of length 1", "too few", "too short"],
)
def test_templates_that_are_not_those_of_the_entries_are_refused(templates: Floats, field: str) -> None:
    draft = a_draft()
    changed = replace(draft, templates={**draft.templates, "e-1": templates})
    assert ("e-1", field) in {(entry, name) for entry, name, _ in refused(changed)}


def test_templates_of_others_than_the_entries_are_refused() -> None:
    draft = a_draft()
    changed = replace(draft, templates={**draft.templates, "e-9": rows(9)})
    assert refused(changed) == {("", "templates", "B 3.7")}


def test_fillers_that_are_not_those_of_the_cohort_are_refused() -> None:
    draft = a_draft()
    assert refused(replace(draft, fillers=draft.fillers[::-1])) == {("", "fillers", "C-04")}


def test_a_manifest_whose_counts_are_wrong_is_refused() -> None:
    draft = a_draft()
    wrong = replace(draft.manifest, head=replace(draft.manifest.head, templates=5))
    assert refused(replace(draft, manifest=wrong)) == {("", "manifest", "C-04")}


def test_a_similarity_that_answers_nothing_refuses() -> None:
    def silent(probes: Floats, gallery: Floats, /) -> Floats:
        return np.full((len(probes), len(gallery)), np.nan, np.float32)

    fields = {(one.entry, one.field) for one in draft_faults(a_draft(), similarity=silent, at=NOON)}
    assert {("e-1", "pictures"), ("e-1", "resolutions"), ("e-1", "fillers")} <= fields


@BOUNDED
@given(
    seed=st.integers(0, 1000),
    sizes=st.lists(st.integers(1, 3), min_size=2, max_size=12),
    limit=st.floats(-0.3, 0.6),
)
def test_those_alike_are_found_as_by_comparing_every_picture_with_every_other(
    seed: int, sizes: list[int], limit: float
) -> None:
    rng = np.random.default_rng(seed)
    templates = {
        f"e-{n:02}": (rng.standard_normal((size, 4)) / 2).astype(np.float32) for n, size in enumerate(sizes)
    }
    names = sorted(templates)
    expected = [
        Pair(one, other)
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if float(raw_scores(templates[one], templates[other]).max()) >= limit
    ]
    limits = Limits(same_person=0.4, alike=limit)
    assert list(likeness.alike(templates, limits, raw_scores)) == expected


def test_those_alike_are_found_across_blocks() -> None:
    templates = {f"e-{n:03}": a_vector(size=SIZE, seed=n)[np.newaxis] for n in range(600)}
    templates["e-599"] = templates["e-003"].copy()
    limits = Limits(same_person=0.4, alike=0.99)
    assert likeness.alike(templates, limits, raw_scores) == (Pair("e-003", "e-599"),)


def test_two_brothers_on_a_list_no_longer_hide_each_other() -> None:
    """Without the rule each is the other's best "other", and loses half of a near-perfect score to it."""
    draft = a_draft(*ENTRIES, templates=BROTHERS, resolutions=[resolution()])
    gallery = likeness.fused(draft.templates, draft.fillers)
    scores = raw_scores(BROTHERS["e-2"], gallery)
    ids = [entry.entry_id for entry in draft.manifest.entries]
    pairs = likeness.columns(draft.manifest.cohort.apart, ids)
    assert pairs == ((0, 1),)
    with_rule = scoring.gallery_t(scores, pairs, k=3, a=0.5)[0, 1]
    without = scoring.gallery_t(scores, k=3, a=0.5)[0, 1]
    assert with_rule > without + 0.05
