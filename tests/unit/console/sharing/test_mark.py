"""A mark outlives what happens to a picture that is passed on without thinking, and names whom it was given to."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest

from console.sharing.mark import Label, marked, marks
from services.contracts.errors import Misconfigured
from services.contracts.sharing.statements import mark_of

LABEL = Label("city-police", "north-police", 12)
MARK = mark_of("city-police", "north-police", 12)


def a_portrait(height: int = 320, width: int = 256, *, seed: int = 1, noise: float = 25.0) -> np.ndarray[Any, Any]:
    """Soft shapes with texture and hard edges, as faces before a wall have."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 150.0)
    for size, weight in ((4, 1.6), (12, 1.0), (60, 0.6)):
        layer = rng.normal(0.0, noise * weight, (size, size, 3))
        picture += cv2.resize(layer, (width, height), interpolation=cv2.INTER_CUBIC)
    centre = (width // 2, height // 2)
    cv2.ellipse(picture, centre, (width // 4, height // 3), 0, 0, 360, (120.0, 150.0, 210.0), -1)
    cv2.circle(picture, (width // 2 - width // 10, height // 2 - height // 10), width // 30, (20.0,) * 3, -1)
    return np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


def encoded(picture: np.ndarray[Any, Any], quality: int = 90, kind: str = ".jpg") -> bytes:
    return bytes(cv2.imencode(kind, picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def decoded(raw: bytes) -> np.ndarray[Any, Any]:
    found = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found


@cache
def given(height: int, width: int, seed: int) -> bytes:
    return marked(encoded(a_portrait(height, width, seed=seed)), MARK, LABEL)


def scaled(raw: bytes, by: float) -> bytes:
    return encoded(cv2.resize(decoded(raw), None, fx=by, fy=by, interpolation=cv2.INTER_AREA), 80)


ORDINARY: dict[str, Callable[[bytes], bytes]] = {
    "as it was given": lambda raw: raw,
    "encoded anew at half quality": lambda raw: encoded(decoded(raw), 50),
    "encoded three times": lambda raw: encoded(decoded(encoded(decoded(encoded(decoded(raw), 85)), 75)), 70),
    "as PNG": lambda raw: encoded(decoded(raw), kind=".png"),
    "half as large": lambda raw: scaled(raw, 0.5),
    "half as large again": lambda raw: scaled(raw, 1.5),
    "brighter, and with more contrast": lambda raw: encoded(
        cv2.convertScaleAbs(decoded(raw), alpha=1.15, beta=12)
    ),
    "in grey": lambda raw: encoded(cv2.cvtColor(decoded(raw), cv2.COLOR_BGR2GRAY)),
    "its strip cut off": lambda raw: encoded(decoded(raw)[: decoded(raw).shape[0] * 8 // 9], 80),
}


@pytest.mark.parametrize("done", ORDINARY)
@pytest.mark.parametrize("shape", [(320, 256), (112, 112), (900, 700)])
def test_what_happens_to_a_picture_on_its_way_leaves_the_mark(shape: tuple[int, int], done: str) -> None:
    for seed in range(3):
        assert MARK in marks(ORDINARY[done](given(*shape, seed)))


def test_a_picture_without_a_mark_has_none_that_was_given() -> None:
    assert all(MARK not in marks(encoded(a_portrait(seed=seed))) for seed in range(10))


def test_the_picture_stays_what_it_was_to_the_eye() -> None:
    picture = a_portrait()
    seen = decoded(marked(encoded(picture, 95), MARK, LABEL))[: picture.shape[0]]
    assert np.abs(seen.astype(float) - picture).mean() < 8


def test_the_strip_is_there_for_people_to_read() -> None:
    strip = decoded(given(320, 256, 1))[320:]
    assert strip.shape == (40, 256, 3)
    assert strip.min() < 20
    assert strip.max() > 200


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(Misconfigured):
        marks(b"no picture")
