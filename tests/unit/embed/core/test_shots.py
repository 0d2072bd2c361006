"""Which shots are kept, what they are together, and when that is worth another search."""

from __future__ import annotations

import pytest

from services.embed.core.shots import BestShots, EveryFace, Place, Published, Taken, mean_quality

POLICY = BestShots(max_shots=3)


def shot(quality: float, second: float) -> Taken:
    return Taken(quality, second)


KEPT = (shot(0.5, 0), shot(0.6, 1), shot(0.7, 2))


@pytest.mark.parametrize(
    ("kept", "new", "place"),
    [
        ((), shot(0.1, 0), Place()),
        (KEPT[:2], shot(0.1, 3), Place()),
        (KEPT[:2], shot(0.61, 1.2), None),
        (KEPT[:2], shot(0.8, 1.2), Place(1)),
        (KEPT, shot(0.51, 3), None),
        (KEPT, shot(0.6, 3), Place(0)),
        (KEPT, shot(0.75, 2.1), None),
    ],
    ids=[
        "the first is taken",
        "a free place is taken, whatever the quality",
        "a near-identical one is not taken for a little",
        "a clearly better one replaces its neighbour in time",
        "a little better than the worst is not worth an embedding",
        "the worst goes",
        "close to the best it must beat the best",
    ],
)
def test_a_shot_is_admitted_where_it_adds_something(
    kept: tuple[Taken, ...], new: Taken, place: Place | None
) -> None:
    assert POLICY.admits(kept, new) == place


@pytest.mark.parametrize(
    ("last", "shots", "quality", "news"),
    [
        (None, 1, 0.1, True),
        (Published(1, 1, 0.5), 2, 0.4, True),
        (Published(1, 2, 0.5), 2, 0.55, False),
        (Published(1, 2, 0.5), 2, 0.66, True),
    ],
)
def test_a_track_is_news_with_more_shots_or_clearly_better_ones(
    last: Published | None, shots: int, quality: float, news: bool
) -> None:
    assert POLICY.is_news(last, shots=shots, quality=quality) is news


def test_somebody_who_walks_up_to_the_camera_is_not_embedded_in_every_frame() -> None:
    """Each frame is a little better than the last; only clear gains may cost an embedding."""
    kept: list[Taken] = []
    embedded = 0
    for step in range(15):
        new = shot(0.4 + 0.02 * step, 0.2 * step)
        place = POLICY.admits(kept, new)
        if place is not None:
            embedded += 1
            if place.replaces is None:
                kept.append(new)
            else:
                kept[place.replaces] = new
    assert embedded <= 8


def test_every_face_embeds_and_publishes_each_and_keeps_none() -> None:
    policy = EveryFace()
    assert policy.admits(KEPT, shot(0.01, 2)) == Place()
    assert policy.is_news(Published(9, 1, 1.0), shots=1, quality=0.01)
    assert list(policy.keeps(KEPT)) == []


def test_a_tracks_quality_is_the_mean_of_its_shots() -> None:
    assert mean_quality(KEPT) == pytest.approx(0.6)
