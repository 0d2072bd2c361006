"""Fillers stand to a list as strangers do: by the two figures measured, and no nearer."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from console.watchlist.fillers import METHOD, fillers
from console.watchlist.limits import BY_MODEL
from services.contracts.errors import Misconfigured
from services.contracts.events import Vector
from services.contracts.scoring import Floats
from services.contracts.sealed.manifest import Filling
from tests.builders import a_vector

SFACE = BY_MODEL["sface"]


def a_filling(model: str = "sface", seed: int = 1) -> Filling:
    of = BY_MODEL[model]
    return Filling(method=METHOD, seed=seed, stranger_mean=of.stranger_mean, stranger_sd=of.stranger_sd)


def made_for(count: int, known: list[Vector], filling: Filling, *, alike: float = 1.1) -> Floats:
    return fillers(count, known, filling, templates=known, alike=alike)


def strangers(count: int) -> list[Vector]:
    """People as a recogniser sees them: a shared direction with a square of .107, and their own."""
    shared = np.sqrt(SFACE.stranger_mean) * a_vector(seed=500)
    raw = [shared + np.sqrt(1 - SFACE.stranger_mean) * a_vector(seed=600 + one) for one in range(count)]
    return [np.asarray(one / np.linalg.norm(one), dtype=np.float32) for one in raw]


@pytest.mark.parametrize("subjects", [1, 3, 40, 300])
def test_their_cosines_to_the_subjects_and_to_each_other_are_strangers(subjects: int) -> None:
    known = strangers(subjects)
    made = made_for(200, known, a_filling())
    to_subjects = made @ np.asarray(known).T
    among = np.array([made[one] @ made[other] for one, other in combinations(range(len(made)), 2)])
    assert to_subjects.mean() == pytest.approx(SFACE.stranger_mean, abs=0.03)
    assert to_subjects.std() == pytest.approx(SFACE.stranger_sd, abs=0.03)
    assert among.mean() == pytest.approx(SFACE.stranger_mean, abs=0.02)
    assert among.std() == pytest.approx(SFACE.stranger_sd, abs=0.015)


def test_they_are_unit_vectors_and_the_same_for_the_same_seed() -> None:
    known = strangers(2)
    made, again, other = (made_for(5, known, a_filling(seed=seed)) for seed in (1, 1, 2))
    assert all(one.dtype == np.float32 for one in made)
    assert np.linalg.norm(np.asarray(made), axis=1) == pytest.approx(1.0, abs=1e-6)
    assert np.array_equal(made, again)
    assert not np.array_equal(made, other)


def test_none_are_made_where_none_are_asked_for() -> None:
    assert made_for(0, strangers(1), a_filling()).shape == (0, strangers(1)[0].size)


def test_a_model_whose_strangers_are_close_keeps_them_close() -> None:
    dlib = BY_MODEL["dlib-resnet"]
    made = made_for(100, [a_vector(seed=1)], a_filling("dlib-resnet"))
    among = np.array([made[one] @ made[other] for one, other in combinations(range(len(made)), 2)])
    assert among.mean() == pytest.approx(dlib.stranger_mean, abs=0.02)


def test_one_that_is_like_a_template_by_chance_is_drawn_again() -> None:
    """It would stand between the person and their alert, and sealing refuses it."""
    known = strangers(40)
    near = made_for(300, known, a_filling())
    highest = float((near @ np.asarray(known).T).max())
    far = made_for(300, known, a_filling(), alike=highest - 0.05)
    assert (far @ np.asarray(known).T).max() < highest - 0.05
    assert len(far) == 300
    assert np.array_equal(far, made_for(300, known, a_filling(), alike=highest - 0.05))


def test_where_every_filler_would_be_like_somebody_it_is_said() -> None:
    with pytest.raises(Misconfigured, match="unlike everybody"):
        made_for(10, strangers(5), a_filling(), alike=-1.0)
