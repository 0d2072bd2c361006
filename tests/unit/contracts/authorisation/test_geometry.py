"""Does a camera's zone stay inside its site?"""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.authorisation.geometry import (
    TOLERANCE_M,
    Ground,
    Point,
    distance_m,
    is_simple,
    lies_within,
)

SQUARE = ((0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0))
# A street round a courtyard, open at the top by a passage of 1 m.
RING = (
    (0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (20.5, 40.0), (20.5, 30.0), (30.0, 30.0),
    (30.0, 10.0), (10.0, 10.0), (10.0, 30.0), (19.5, 30.0), (19.5, 40.0), (0.0, 40.0),
)  # fmt: skip
BENT = ((0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (30.0, 40.0), (30.0, 10.0), (0.0, 10.0))


def a_square(x: float, y: float, side: float) -> tuple[Point, ...]:
    return ((x, y), (x + side, y), (x + side, y + side), (x, y + side))


@pytest.mark.parametrize(
    ("zone", "site", "buffer_m", "inside"),
    [
        (a_square(10, 10, 10), SQUARE, 0, True),
        (SQUARE, SQUARE, 0, True),
        (a_square(35, 10, 10), SQUARE, 0, False),
        (a_square(35, 10, 10), SQUARE, 5, True),
        (a_square(35, 35, 10), SQUARE, 5, False),  # over the corner it is 7.07 m away
        (a_square(35, 35, 10), SQUARE, 7.1, True),
        (a_square(50, 50, 1), SQUARE, 0, False),
    ],
)
def test_a_zone_may_reach_over_the_edge_by_the_buffer_and_no_farther(
    zone: tuple[Point, ...], site: tuple[Point, ...], buffer_m: float, inside: bool
) -> None:
    assert lies_within(zone, site, buffer_m=buffer_m) is inside


def test_an_edge_that_leaves_a_bent_site_between_two_corners_inside_is_seen() -> None:
    assert not lies_within(((5, 5), (35, 5), (35, 35)), BENT, buffer_m=0)


def test_a_site_that_lies_within_the_zone_does_not_hold_it() -> None:
    assert not lies_within(a_square(-20, -20, 90), SQUARE, buffer_m=0)
    assert not lies_within(a_square(-20, -20, 90), SQUARE, buffer_m=5)


def test_a_zone_round_a_courtyard_that_is_no_part_of_the_site_is_refused() -> None:
    """All of its edges are in the site, with the passage bridged by the buffer."""
    assert is_simple(RING)
    assert not lies_within(a_square(5, 5, 30), RING, buffer_m=1)
    assert lies_within(a_square(5, 5, 30), RING, buffer_m=15)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.floats(-20, 60)] * 6),
    st.floats(0, 10),
    st.sampled_from([SQUARE, RING, BENT]),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20),
)
def test_no_point_of_an_accepted_zone_is_farther_out_than_buffer_and_tolerance(
    corners: tuple[float, ...], buffer_m: float, site: tuple[Point, ...], at: list[tuple[float, float]]
) -> None:
    zone = (corners[0:2], corners[2:4], corners[4:6])
    if not is_simple(zone) or not lies_within(zone, site, buffer_m=buffer_m):  # type: ignore[arg-type]
        return
    for u, v in at:
        s, t = (u, v) if u + v <= 1 else (1 - u, 1 - v)
        point = tuple(a + s * (b - a) + t * (c - a) for a, b, c in zip(zone[0], zone[1], zone[2], strict=True))
        assert distance_m(point, site) <= buffer_m + TOLERANCE_M + 1e-9  # type: ignore[arg-type]


def a_comb(teeth: int, out: float) -> list[Point]:
    """Teeth of 290 m that point north, all of it grown outwards by `out`."""
    left = [40.0 * tooth - out for tooth in range(teeth)]
    right = [40.0 * tooth + 10 + out for tooth in range(teeth)]
    corners: list[Point] = [(-out, -out), (-out, 290 + out)]
    for tooth in range(teeth):
        corners += [(right[tooth], 290 + out)]
        if tooth + 1 < teeth:
            corners += [(right[tooth], 5 + out), (left[tooth + 1], 5 + out), (left[tooth + 1], 290 + out)]
    return [*corners, (right[-1], -out)]


@pytest.mark.parametrize("out", [0.0, 0.104, 0.14, 0.19, 0.21, 5.0])
def test_a_comb_along_a_comb_costs_no_more_than_a_square(out: float) -> None:
    """One camera's zone of 28 corners took 30 s; a document may name 1,024 of them."""
    site, zone = a_comb(7, 0.0), a_comb(7, out)
    assert is_simple(site) == is_simple(zone) == True  # noqa: E712 - both
    began_s = time.thread_time()
    ground = Ground(site, buffer_m=0.0)
    found = [ground.holds(zone) for _ in range(1024)]
    assert time.thread_time() - began_s < 2.0
    # Its outer corners lie farther out than its edges, by the half of the tolerance at least it is told.
    assert found == [out * math.sqrt(2) <= TOLERANCE_M + 0.02] * 1024


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-300, 300), st.floats(-300, 300)), min_size=3, max_size=64))
def test_whatever_the_corners_are_the_price_is_bounded(corners: list[Point]) -> None:
    began_s = time.thread_time()
    if is_simple(corners):
        assert lies_within(corners, corners, buffer_m=0.0)
        lies_within(corners, SQUARE, buffer_m=25.0)
    assert time.thread_time() - began_s < 0.5


@pytest.mark.parametrize("sides", [3, 4, 7, 32])
def test_a_regular_polygon_is_simple_whichever_way_it_runs(sides: int) -> None:
    ring = [(math.cos(2 * math.pi * i / sides), math.sin(2 * math.pi * i / sides)) for i in range(sides)]
    assert is_simple(ring)
    assert is_simple(ring[::-1])


@pytest.mark.parametrize(
    "polygon",
    [
        ((0, 0), (1, 0)),
        ((0, 0), (1, 1), (2, 2)),
        ((0, 0), (1, 1), (1, 0), (0, 1)),
        ((0, 0), (0, 0), (1, 0), (1, 1)),
        ((0, 0), (4, 0), (4, 4), (2, 0), (0, 4)),
        ((0, 0), (4, 0), (2, 0), (2, 4)),
    ],
)
def test_lines_bow_ties_spikes_and_touching_edges_are_no_polygon(polygon: tuple[Point, ...]) -> None:
    assert not is_simple(polygon)
