"""The search: exactly what a plain calculation finds, entry by entry; nobody else's name and no filler."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.contracts import scoring
from services.contracts.events import ScoreKind, Vector
from services.contracts.sealed import likeness
from services.contracts.sealed.draft import Draft
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.standing import Inert, Term
from services.match.core import matrix as list_matrix
from services.match.core.scores import scores
from services.match.core.search import Hit, search
from tests.builders import NOON, a_vector
from tests.unit.contracts.sealed.lists_builder import a_draft, rows
from tests.unit.match.lists_builder import a_filler, a_matrix, a_subject, near, token_of

Rows = npt.NDArray[np.float32]
# Scores closer to a threshold than float32 rounding may fall on either side.
_ROUNDING = 1e-5


def _unit(count: int, seed: int, *, size: int = 8) -> Rows:
    raw = np.random.default_rng(seed).standard_normal((count, size))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), dtype=np.float32)


def _plain(rows: Rows, probe: Vector, *, kind: ScoreKind, size: int, weight: float) -> list[float]:
    """The definition, as thresholds are calibrated with it."""
    raw = scoring.raw_scores(probe[np.newaxis], rows)
    found = raw if kind is ScoreKind.RAW else scoring.gallery_t(raw, k=size, a=weight)
    return [float(one) for one in found[0]]


def _matrix(rows: Rows, kind: ScoreKind, size: int, weight: float) -> list_matrix.ListMatrix:
    entries = [a_subject(f"ref-{number}", vector=row) for number, row in enumerate(rows)]
    return a_matrix(*entries, score_kind=kind, cohort_size=size, cohort_weight=weight)


@settings(deadline=None, max_examples=60)
@given(
    entries=st.one_of(st.integers(2, 40), st.sampled_from([127, 128, 129, 600])),
    faces=st.integers(1, 5),
    kind=st.sampled_from(ScoreKind),
    size=st.integers(1, 12),
    weight=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    threshold=st.floats(-0.5, 0.9),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_finds_what_the_definition_finds(
    entries: int, faces: int, kind: ScoreKind, size: int, weight: float, threshold: float, seed: int
) -> None:
    size = min(size, entries - 1)
    matrix = _matrix(_unit(entries, seed), kind, size, weight)
    probes = list(_unit(faces, seed + 1))
    found = search(matrix, probes, [threshold] * faces, at=NOON).hits
    for probe, hits in zip(probes, found, strict=True):
        expected = _plain(matrix.rows, probe, kind=kind, size=size, weight=weight)
        got = {hit.subject: hit.score for hit in hits}
        for token, score in zip(matrix.tokens, expected, strict=True):
            if abs(score - threshold) > _ROUNDING:
                assert (token in got) == (score >= threshold)
            if token in got:
                assert got[token] == pytest.approx(score, abs=_ROUNDING)


def test_a_list_of_many_tiles_is_searched_to_its_last_entry() -> None:
    rows = _unit(9000, 5)
    found = scores(rows, rows[[0, 4095, 4096, 8999]])
    for face, row in enumerate((0, 4095, 4096, 8999)):
        assert np.allclose(found.of_face(face), rows @ rows[row], atol=1e-6)
        where, values = found.at_least(face, 0.9999)
        assert row in where.tolist()
        assert values.max() == pytest.approx(1.0, abs=1e-5)
    plain = np.sort(rows @ rows[0])[::-1][:11]
    assert np.allclose(found.largest(11)[0], plain, atol=1e-6)


@pytest.mark.parametrize(("cosine", "found"), [(0.59, 0), (0.61, 1)])
def test_a_face_is_found_from_the_threshold_on(cosine: float, found: int) -> None:
    subject = a_subject()
    matrix = a_matrix(subject)
    hits = search(matrix, [near(subject.vector, cosine)], [0.6], at=NOON).hits[0]
    assert len(hits) == found


def test_each_face_has_a_threshold_of_its_own() -> None:
    subject = a_subject()
    matrix = a_matrix(subject)
    faces = [near(subject.vector, 0.5, seed=1), near(subject.vector, 0.5, seed=2)]
    assert [len(hits) for hits in search(matrix, faces, [0.45, 0.55], at=NOON).hits] == [1, 0]


def test_every_subject_above_the_threshold_is_found() -> None:
    vector = a_vector()
    twins = (a_subject("twin-a", vector=vector), a_subject("twin-b", vector=near(vector, 0.99)))
    hits = search(a_matrix(*twins), [vector], [0.9], at=NOON).hits[0]
    assert {hit.subject for hit in hits} == {token_of("twin-a"), token_of("twin-b")}


def test_a_filler_is_never_found_however_alike() -> None:
    filler = a_filler(1)
    matrix = a_matrix(a_subject(), filler)
    assert search(matrix, [filler.vector], [0.5], at=NOON).hits == [()]


def test_an_expired_entry_is_not_found_and_stays_in_the_cohort() -> None:
    vector = a_vector()
    expired = a_subject("ref-old", vector=near(vector, 0.9), expires_at=NOON)
    wanted = a_subject("ref-new", vector=near(vector, 0.8, seed=3))
    matrix = a_matrix(expired, wanted, score_kind=ScoreKind.GALLERY_NORMALISED, cohort_size=1, cohort_weight=0.5)
    hits = search(matrix, [vector], [0.3], at=NOON).hits[0]
    assert [hit.subject for hit in hits] == [token_of("ref-new")]
    assert hits[0].raw_score == pytest.approx(0.8, abs=1e-5)
    assert hits[0].score == pytest.approx(0.35, abs=1e-5)


@settings(deadline=None, max_examples=60)
@given(
    entries=st.integers(2, 40),
    fillers=st.sampled_from([0, 3, 130]),
    near_twins=st.integers(0, 4),
    size=st.integers(1, 6),
    threshold=st.floats(-0.5, 0.9),
    seed=st.integers(0, 2**32 - 1),
)
def test_near_duplicates_are_no_cohort_for_each_other(
    entries: int, fillers: int, near_twins: int, size: int, threshold: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = _unit(entries + fillers, seed)
    pairs = sorted({tuple(sorted(rng.choice(entries, 2, replace=False).tolist())) for _ in range(near_twins)})
    for one, other in pairs:
        rows[other] = rows[one]  # ties, too
    plain = _matrix(rows, ScoreKind.GALLERY_NORMALISED, 1, 0.5)
    matrix = replace(plain, cohort_size=size, rows=rows, apart=_apart(pairs))
    assume(matrix.has_cohorts)
    probes = [*_unit(3, seed + 1), rows[0]]
    expected = scoring.gallery_t(scoring.raw_scores(np.stack(probes), rows), pairs, k=size, a=0.5)
    found = search(matrix, probes, [threshold] * len(probes), at=NOON)
    for face, hits in enumerate(found.hits):
        got = {hit.subject: hit.score for hit in hits}
        for token, score in zip(matrix.tokens, expected[face].tolist(), strict=True):
            if abs(score - threshold) > _ROUNDING:
                assert (token in got) == (score >= threshold)
            if token in got:
                assert got[token] == pytest.approx(score, abs=_ROUNDING)


def _apart(pairs: list[tuple[int, int]]) -> dict[int, tuple[int, ...]]:
    return {
        row: tuple(other for pair in pairs if row in pair for other in pair if other != row)
        for row in {row for pair in pairs for row in pair}
    }


_TERM = Term(NOON - timedelta(hours=1), NOON + timedelta(hours=1), NOON + timedelta(hours=2))


@pytest.mark.parametrize(
    ("at", "off", "why"),
    [
        (NOON, False, None),
        (NOON, True, Inert.REVOKED),
        (NOON + timedelta(hours=1), False, Inert.STALE),
        (NOON + timedelta(hours=2), False, Inert.EXPIRED),
        (NOON - timedelta(hours=2), False, Inert.NOT_YET_CHECKED),
    ],
    ids=["fresh", "revoked", "stale", "expired", "clock gone back"],
)
def test_an_inert_entry_raises_nothing_is_counted_and_moves_no_score(
    at: datetime, off: bool, why: Inert | None
) -> None:
    rows = np.stack([a_vector(), near(a_vector(), 0.8), near(a_vector(), 0.7, seed=5)])
    plain = _matrix(rows, ScoreKind.GALLERY_NORMALISED, 1, 0.5)
    always = Term(NOON - timedelta(days=1), NOON + timedelta(days=1), NOON + timedelta(days=1))
    matrix = replace(plain, terms=(_TERM, always, None))
    tokens = list(matrix.tokens)
    found = search(matrix, [matrix.rows[0]], [0.2], at=at, revoked={tokens[0]} if off else set())
    scores_of = {hit.subject: hit.score for hit in found.hits[0]}
    assert (tokens[0] in scores_of) == (why is None)
    assert found.inert == ({} if why is None else {why: 1})
    usual = search(matrix, [matrix.rows[0]], [0.2], at=NOON).hits[0]
    assert {hit.subject: hit.score for hit in usual if hit.subject != tokens[0]} == {
        token: score for token, score in scores_of.items() if token != tokens[0]
    }


def test_a_sealed_lists_rows_are_its_entries_and_then_its_fillers() -> None:
    draft = a_draft()
    expected = likeness.fused(draft.templates, draft.fillers)
    copies = {name: rows.copy() for name, rows in draft.templates.items()}
    matrix = list_matrix.of_sealed(draft.manifest, copies, draft.fillers.copy(), token_of)
    assert np.array_equal(matrix.rows, expected)
    assert matrix.digest == draft.manifest.digest
    assert (matrix.subjects, matrix.fillers) == (3, 3)
    assert list(matrix.tokens[:3]) == [token_of(entry.subject_ref) for entry in draft.manifest.entries]
    assert matrix.terms == (*(Term.of(entry) for entry in draft.manifest.entries), None, None, None)
    assert not any(rows.any() for rows in copies.values()), "templates stayed in memory beside the matrix"


def test_pairs_that_were_set_apart_at_sealing_are_apart_in_the_search() -> None:
    twins = {"e-1": rows(11), "e-2": rows(11)}
    matrix = list_matrix.of_sealed(*_parts(a_draft(templates=twins)), token_of)
    assert matrix.apart == {0: (1,), 1: (0,)}
    assert matrix.has_cohorts
    assert not replace(matrix, cohort_size=5).has_cohorts


def _parts(draft: Draft) -> tuple[Manifest, dict[str, Rows], Rows]:
    return draft.manifest, {name: rows.copy() for name, rows in draft.templates.items()}, draft.fillers.copy()


def test_a_vector_of_another_length_is_refused() -> None:
    matrix = a_matrix()
    with pytest.raises(ValueError, match="mismatch"):
        search(matrix, [a_vector(size=64)], [0.5], at=NOON)


def test_the_matrix_cannot_be_written_to() -> None:
    matrix = a_matrix(a_subject(), a_filler(1))
    assert (matrix.subjects, matrix.fillers) == (1, 1)
    with pytest.raises(ValueError, match="read-only"):
        matrix.rows[0, 0] = 1.0


def test_no_repr_of_a_hit_shows_a_score() -> None:
    assert "0.75" not in repr(Hit(token_of("ref-1"), 0.75, 0.75))
