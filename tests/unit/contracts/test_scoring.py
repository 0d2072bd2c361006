"""Scoring: fused templates, raw and gallery-normalised scores."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.scoring import fuse, gallery_t, raw_scores


def vectors(n: int, *, seed: int = 1, length: int = 8) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(n, length))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def by_the_book(scores: np.ndarray, k: int, a: float) -> np.ndarray:
    """Score by score, as the words say it."""
    out = np.empty_like(scores)
    for i, row in enumerate(scores):
        for j, score in enumerate(row):
            others = np.sort(np.delete(row, j))[::-1][:k]
            out[i, j] = score - a * others.mean()
    return out


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 40), data=st.data())
def test_gallery_t_takes_off_the_mean_of_the_best_others(seed: int, n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, n - 1))
    scores = np.random.default_rng(seed).normal(size=(3, n)).astype(np.float32)
    np.testing.assert_allclose(gallery_t(scores, k=k, a=0.5), by_the_book(scores, k, 0.5), atol=1e-5)


def test_gallery_t_with_equal_scores_takes_off_that_score() -> None:
    np.testing.assert_allclose(gallery_t(np.full((1, 12), 0.4, np.float32)), np.full((1, 12), 0.2), atol=1e-6)


def test_a_face_like_nobody_else_on_the_list_keeps_more_of_its_score() -> None:
    scores = np.full((2, 31), 0.1, np.float32)
    scores[:, 0], scores[1, 1:] = 0.6, 0.5
    distinct, common = gallery_t(scores)[:, 0]
    assert distinct > common


@given(seed=st.integers(0, 1000), n=st.integers(8, 20), k=st.integers(1, 4), data=st.data())
def test_a_score_is_normalised_by_the_best_others_that_are_not_set_apart(
    seed: int, n: int, k: int, data: st.DataObject
) -> None:
    scores = np.random.default_rng(seed).random((3, n), np.float32)
    places = st.tuples(st.integers(0, n - 2), st.integers(1, n - 1)).filter(lambda pair: pair[0] < pair[1])
    pairs = data.draw(st.lists(places, max_size=3, unique=True))
    found = gallery_t(scores, pairs, k=k, a=0.5)
    for column in range(n):
        out = {column} | {one for pair in pairs if column in pair for one in pair}
        others = np.sort(np.delete(scores, sorted(out), axis=1), axis=1)[:, -k:]
        assert np.allclose(found[:, column], scores[:, column] - 0.5 * others.mean(axis=1), atol=1e-6)


def test_too_few_others_beside_near_duplicates_are_refused() -> None:
    with pytest.raises(ValueError, match="others are asked for"):
        gallery_t(np.zeros((1, 4), np.float32), [(0, 1)], k=3)


def test_a_score_is_made_in_one_place() -> None:
    """A second fusion or normalisation beside this one could drift from what thresholds were measured with.

    Whoever calibrates on one and searches with the other would not notice: nothing fails, people are missed.
    """
    root = Path(__file__).parents[3]
    found = {
        str(path.relative_to(root))
        for folder in ("services", "console", "evaluation")
        for path in (root / folder).rglob("*.py")
        if re.search(r"^ *def _?(fuse|gallery_t|raw_scores|cosine|normalised)\(", path.read_text(), re.M)
    }
    assert found == {"services/contracts/scoring.py"}


@pytest.mark.parametrize("n", [1, 10])
def test_a_list_with_too_few_others_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"the list has {n} subjects"):
        gallery_t(np.zeros((1, n), np.float32), k=10)


def test_no_probes_give_no_scores() -> None:
    scores = raw_scores(np.empty((0, 8), np.float32), vectors(20))
    assert gallery_t(scores).shape == (0, 20)


def test_raw_scores_are_cosines() -> None:
    probes, gallery = vectors(3), vectors(5, seed=2)
    for i, probe in enumerate(probes):
        for j, entry in enumerate(gallery):
            assert raw_scores(probes, gallery)[i, j] == pytest.approx(float(probe @ entry), abs=1e-6)


def test_fused_shots_have_length_one_and_lie_between_them() -> None:
    shots = vectors(3)
    fused = fuse(shots)
    assert np.linalg.norm(fused) == pytest.approx(1, abs=1e-6)
    assert float(fused @ shots.mean(axis=0)) > 0


def test_many_tracks_are_fused_as_each_alone() -> None:
    tracks = vectors(12).reshape(4, 3, 8)
    np.testing.assert_allclose(fuse(tracks), np.stack([fuse(track) for track in tracks]))


def test_one_shot_fused_is_itself() -> None:
    np.testing.assert_allclose(fuse(vectors(1)), vectors(1)[0], atol=1e-6)


def test_nothing_and_opposites_cannot_be_fused() -> None:
    shot = vectors(1)
    with pytest.raises(ValueError, match="nothing to fuse"):
        fuse(shot[:0])
    with pytest.raises(ValueError, match="cancel out"):
        fuse(np.concatenate([shot, -shot]))
