"""Polygons on the ground: does a camera's recognition zone stay inside its site?

Points are (east, north) in metres from the site's origin. A polygon is simple: its edges meet at corners only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

Point = tuple[float, float]

# What is said to be inside lies at most this far outside: closer than any survey of a camera's picture.
TOLERANCE_M = 0.2
_SMALLEST_M = 0.05  # must stay below half the tolerance, or a zone that just fits would be refused


def is_simple(polygon: Sequence[Point]) -> bool:
    """Whether no two edges cross or touch but neighbours at their corner, and it has an area."""
    edges = list(_edges(polygon))
    count = len(edges)
    if count < 3 or abs(area(polygon)) < 1e-6:
        return False
    for i, (a, b) in enumerate(edges):
        if a == b:
            return False
        for j in range(i + 1, count):
            c, d = edges[j]
            neighbours = j == i + 1 or (i == 0 and j == count - 1)
            if _folds_back(a, b, c, d, j == i + 1) if neighbours else _touch(a, b, c, d):
                return False
    return True


def area(polygon: Sequence[Point]) -> float:
    """In square metres; positive if the corners run anticlockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in _edges(polygon)) / 2


def extent_m(polygon: Sequence[Point]) -> float:
    """The longer side of the box around it."""
    xs, ys = _coordinates(polygon)
    return max(max(xs) - min(xs), max(ys) - min(ys))


def distance_m(point: Point, polygon: Sequence[Point]) -> float:
    """From a point to a polygon; 0 inside it."""
    if _inside(point, polygon):
        return 0.0
    return min(_to_segment(point, a, b) for a, b in _edges(polygon))


def lies_within(zone: Sequence[Point], site: Sequence[Point], *, buffer_m: float) -> bool:
    """Whether no point of `zone` is farther than `buffer_m` from `site` (plus TOLERANCE_M).

    Corners alone would not do: an edge may leave a bent site between two corners that are inside, and a zone may
    cover a courtyard. So the zone is halved into squares until each is proven inside, or a point is found outside.
    Most zones lie clear of the site's edge, which is quick to see.
    """
    if _clear_of_edges(zone, site):
        return True
    limit = buffer_m + TOLERANCE_M
    xs, ys = _coordinates(zone)
    half = max(extent_m(zone) / 2, _SMALLEST_M)
    squares = [((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2, half)]
    while squares:
        x, y, half = squares.pop()
        reach = half * math.sqrt(2)
        away = distance_m((x, y), site)
        if away + reach <= limit or distance_m((x, y), zone) > reach:
            continue  # wholly inside the site, or no part of the zone
        if reach <= _SMALLEST_M or away - reach > limit:
            return False
        squares += [(x + dx * half / 2, y + dy * half / 2, half / 2) for dx in (-1, 1) for dy in (-1, 1)]
    return True


def _clear_of_edges(zone: Sequence[Point], site: Sequence[Point]) -> bool:
    """Whether the zone lies inside the site, and no edges meet: one corner of each then tells for all."""
    if not _inside(zone[0], site) or _inside(site[0], zone):
        return False
    return not any(_touch(a, b, c, d) for a, b in _edges(zone) for c, d in _edges(site))


def _coordinates(polygon: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [x for x, _ in polygon], [y for _, y in polygon]


def _edges(polygon: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    return zip(polygon, (*polygon[1:], polygon[0]), strict=True)


def _inside(point: Point, polygon: Sequence[Point]) -> bool:
    x, y = point
    crossings = 0
    for (ax, ay), (bx, by) in _edges(polygon):
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            crossings += 1
    return crossings % 2 == 1


def _to_segment(p: Point, a: Point, b: Point) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    squared = dx * dx + dy * dy
    along = 0.0 if squared == 0 else max(0.0, min(1.0, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / squared))
    return math.hypot(p[0] - a[0] - along * dx, p[1] - a[1] - along * dy)


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _touch(a: Point, b: Point, c: Point, d: Point) -> bool:
    if _apart(a[0], b[0], c[0], d[0]) or _apart(a[1], b[1], c[1], d[1]):
        return False
    crossing = (_turn(a, b, c) > 0) != (_turn(a, b, d) > 0) and (_turn(c, d, a) > 0) != (_turn(c, d, b) > 0)
    return (
        crossing
        or min(_to_segment(a, c, d), _to_segment(b, c, d), _to_segment(c, a, b), _to_segment(d, a, b)) == 0
    )


def _apart(a: float, b: float, c: float, d: float) -> bool:
    return (a < c and a < d and b < c and b < d) or (a > c and a > d and b > c and b > d)


def _folds_back(a: Point, b: Point, c: Point, d: Point, forward: bool) -> bool:
    """Whether two edges that share a corner lie on each other. `forward`: b is c, else a is d."""
    return (
        _to_segment(d, a, b) == 0 or _to_segment(a, c, d) == 0
        if forward
        else (_to_segment(c, a, b) == 0 or _to_segment(b, c, d) == 0)
    )
