"""The open-set protocol: who is on the list, who is searched, and what thresholds promise."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.protocol import Faces, draw, search
from evaluation.thresholds import alarmed, at_rate, for_tracks


def made_up_faces(*, people: int = 120, pictures: int = 5, spread: float = 0.3, seed: int = 1) -> Faces:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, 32))
    subjects = np.repeat(np.arange(people), pictures)
    drawn = centres[subjects] + rng.normal(0, spread, (len(subjects), 32))
    return Faces((drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32), subjects)


def contains(rows: np.ndarray, wanted: np.ndarray) -> bool:
    return bool((rows[:, None] == wanted[None]).all(axis=2).any())


def test_no_picture_is_enrolled_and_searched_and_no_stranger_is_on_the_list() -> None:
    faces = made_up_faces()
    trial = draw(faces, np.random.default_rng(2), gallery_size=40, enrolled=1, shots=2)
    assert len(trial.gallery) == 40
    for tracks in (trial.mated, trial.nonmated):
        assert tracks.shape[1:] == (2, 32)
        assert not contains(trial.gallery, tracks.reshape(-1, 32))
    listed = {int(faces.subjects[np.abs(faces.vectors - g).sum(1).argmin()]) for g in trial.gallery}
    strangers = {int(faces.subjects[np.abs(faces.vectors - s).sum(1).argmin()]) for s in trial.nonmated[:, 0]}
    assert not listed & strangers


def test_a_mated_track_is_of_the_person_its_row_says() -> None:
    faces = made_up_faces(spread=0.05)
    trial = draw(faces, np.random.default_rng(2), gallery_size=40, enrolled=2, shots=1)
    scores = search(trial, (1,), normalised=False)
    assert scores.own.min() > 0.9
    assert scores.strangers.max() < 0.9


def test_a_list_larger_than_the_people_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="too few people"):
        draw(made_up_faces(people=30), np.random.default_rng(1), gallery_size=40, enrolled=1, shots=1)


def test_the_same_seed_draws_the_same_list() -> None:
    faces = made_up_faces()
    one, other = (draw(faces, np.random.default_rng(9), gallery_size=40, enrolled=1, shots=1) for _ in range(2))
    np.testing.assert_array_equal(one.gallery, other.gallery)


def test_a_threshold_keeps_its_rate_on_what_it_was_set_on() -> None:
    strangers = np.random.default_rng(3).normal(size=5000).astype(np.float32)
    assert (strangers >= at_rate(strangers, 0.01)).sum() == 50


def test_a_track_searched_thrice_keeps_the_rate_as_a_whole() -> None:
    strangers = np.random.default_rng(3).normal(size=(3, 5000)).astype(np.float32)
    limits = for_tracks(strangers, 0.01)
    assert 45 <= alarmed(strangers, limits).sum() <= 50
    assert all(limit > at_rate(stage, 0.01) for limit, stage in zip(limits, strangers, strict=True))


def test_searches_that_always_agree_need_no_higher_threshold() -> None:
    once = np.random.default_rng(3).normal(size=5000).astype(np.float32)
    assert for_tracks(np.stack([once, once]), 0.01) == [pytest.approx(at_rate(once, 0.01))] * 2


def test_a_rate_that_too_few_strangers_cannot_show_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot show"):
        at_rate(np.zeros(500, np.float32), 0.001)
    with pytest.raises(ValueError, match="cannot show"):
        for_tracks(np.zeros((2, 500), np.float32), 0.001)
