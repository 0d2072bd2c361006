"""From which score on an alert is raised: what was measured of a model, by list size and rate of false alarms.

The rate is that of a passage: how many of the people who are not on the list raise an alert, over all the searches
that their track is given (FPIR). Measured on photographs (docs/adr/0003): values to begin with, no promise for a
street.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.contracts.events import ScoreKind
from services.contracts.scoring import MIN_NORMALISED_GALLERY

Point = tuple[float, float]
Curve = Sequence[Point]

# Thresholds are written with as many digits as their measurement carries.
_DIGITS = 3


@dataclass(frozen=True)
class OperatingPoints:
    """Thresholds of one model, by number of shots fused: curves of (place, threshold), rising.

    The place of a raw threshold is log10(entries / FPIR): a list of ten times as many entries raises ten times as
    many false alarms, so it needs the threshold of a tenth of the rate. The place of a normalised threshold is
    log10(1 / FPIR): it does not move with the list.
    """

    raw: Mapping[int, Curve]
    normalised: Mapping[int, Curve]

    def thresholds(self, kind: ScoreKind, *, entries: int, fpir: float) -> dict[int, float]:
        """The thresholds, by number of shots, that keep `fpir` on a list of `entries`.

        Beyond what was measured the last piece of each curve is continued. Raises ValueError for a list without
        entries, a rate outside ]0, 1[, or too few entries for normalised scores.
        """
        if entries < 1 or not 0 < fpir < 1:
            raise ValueError("a list has entries, and a rate lies between 0 and 1")
        if kind is ScoreKind.RAW:
            return _read(self.raw, math.log10(entries / fpir))
        if entries < MIN_NORMALISED_GALLERY:
            raise ValueError(f"normalised scores need {MIN_NORMALISED_GALLERY} entries, fillers among them")
        return _read(self.normalised, math.log10(1 / fpir))


def _read(curves: Mapping[int, Curve], place: float) -> dict[int, float]:
    return {shots: round(_at(curve, place), _DIGITS) for shots, curve in curves.items()}


def _at(curve: Curve, place: float) -> float:
    """Linear between the points and beyond the last; before the first its threshold, never a lower one."""
    if place <= curve[0][0]:
        return curve[0][1]
    left, right = next((pair for pair in itertools.pairwise(curve) if place <= pair[1][0]), (curve[-2], curve[-1]))
    share = (place - left[0]) / (right[0] - left[0])
    return left[1] + share * (right[1] - left[1])


BY_MODEL = {
    # `python -m evaluation.accuracy --enrolled 3 --shots 1 2 3 4`: tracks of up to four pictures, lists of up to
    # three pictures an entry, which need a little more than one picture does.
    "sface": OperatingPoints(
        raw={
            1: ((3.0, 0.440), (4.0, 0.495), (5.0, 0.545), (6.0, 0.592)),
            2: ((3.0, 0.445), (4.0, 0.499), (5.0, 0.549), (6.0, 0.596)),
            3: ((3.0, 0.450), (4.0, 0.502), (5.0, 0.552), (6.0, 0.599)),
            4: ((3.0, 0.455), (4.0, 0.505), (5.0, 0.555), (6.0, 0.602)),
        },
        normalised={
            1: ((2.0, 0.345), (3.0, 0.400), (4.0, 0.450)),
            3: ((2.0, 0.355), (3.0, 0.420), (4.0, 0.470)),
        },
    ),
}
"""By the name that a model card gives; what is measured of no other model is for its users to measure."""
