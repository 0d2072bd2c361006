"""Polygons on the ground: does a camera's recognition zone stay inside its site?

Points are (east, north) in metres from the site's origin. A polygon is simple: its edges meet at corners only.
Shapely answers: what it is asked here takes microseconds for as many corners as a document may have, whatever
their shape (docs/adr/0011-polygons-by-shapely.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import shapely
from shapely import affinity

Point = tuple[float, float]

# What is said to be inside lies at most this far outside: closer than any survey of a camera's picture.
TOLERANCE_M = 0.2
_SMALLEST_AREA_M2 = 1e-6
# Of a quarter of a circle: the buffer's round corners are cut by 3 cm at 25 m, well within the tolerance.
_ARC_SEGMENTS = 16


def is_simple(polygon: Sequence[Point]) -> bool:
    """Whether no two edges cross or touch but neighbours at their corner, and it has an area."""
    if len(polygon) < 3 or any(a == b for a, b in zip(polygon, (*polygon[1:], polygon[0]), strict=True)):
        return False
    made = shapely.Polygon(polygon)
    return bool(made.is_valid) and made.area >= _SMALLEST_AREA_M2


def extent_m(polygon: Sequence[Point]) -> float:
    """The longer side of the box around it."""
    xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
    return max(max(xs) - min(xs), max(ys) - min(ys))


def distance_m(point: Point, polygon: Sequence[Point]) -> float:
    """From a point to a polygon; 0 inside it."""
    return float(shapely.Polygon(polygon).distance(shapely.Point(point)))


def lies_within(zone: Sequence[Point], site: Sequence[Point], *, buffer_m: float) -> bool:
    """As `Ground.holds`."""
    return Ground(site, buffer_m=buffer_m).holds(zone)


Place = tuple[float, float, Sequence[Point]]
"""An origin's latitude and longitude, and a polygon around it."""

_M_PER_DEGREE = 111_320.0


def apart_m(one: Place, other: Place) -> float:
    """How far two places with origins of their own lie apart; 0 where they overlap. Good to a percent or so."""
    latitude, longitude, polygon = one
    east = (other[1] - longitude + 180) % 360 - 180
    offset = (east * math.cos(math.radians(latitude)) * _M_PER_DEGREE, (other[0] - latitude) * _M_PER_DEGREE)
    moved = affinity.translate(shapely.Polygon(other[2]), *offset)
    return float(shapely.Polygon(polygon).distance(moved))


class Ground:
    """A site and its buffer, to be asked about many zones. One thread's."""

    def __init__(self, site: Sequence[Point], *, buffer_m: float) -> None:
        self._reach = shapely.Polygon(site).buffer(buffer_m + TOLERANCE_M, quad_segs=_ARC_SEGMENTS)
        shapely.prepare(self._reach)

    def holds(self, zone: Sequence[Point]) -> bool:
        """Whether no point of `zone` is farther than the buffer from the site (plus TOLERANCE_M at most).

        Its corners alone would not do: an edge may leave a bent site between two corners that are inside, and a
        zone may cover a courtyard.
        """
        return bool(self._reach.covers(shapely.Polygon(zone)))
