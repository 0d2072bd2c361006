"""A list as it is searched: one matrix, a row a subject, and what each row may lead to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from services.contracts import ids
from services.contracts.events import ScoreKind
from services.contracts.lists import Gallery

Matrix = npt.NDArray[np.float32]

# A filler's last day: before every day there is.
_NEVER = 0


@dataclass(frozen=True, eq=False)
class ListMatrix:
    """A list in memory. Nothing of it is ever changed but by `wipe`: a new list is a new one of these.

    `rows` is float32 [entries, d], C order; `last_days` are the proleptic ordinals of the last day on which
    each row may lead to an alert. What has expired stays in the cohort: normalised scores do not move at
    midnight.
    """

    digest: str
    model_id: str
    score_kind: ScoreKind
    cohort_size: int
    cohort_weight: float
    tokens: tuple[ids.SubjectToken, ...] = field(repr=False)
    rows: Matrix = field(repr=False)
    last_days: npt.NDArray[np.int64] = field(repr=False)

    @property
    def fillers(self) -> int:
        """How many rows are nobody."""
        return int((self.last_days == _NEVER).sum())

    @property
    def subjects(self) -> int:
        """How many rows are people."""
        return len(self.tokens) - self.fillers

    def wipe(self) -> None:
        """Overwrite every template: the end of the list, whoever still holds it."""
        self.rows.flags.writeable = True
        self.rows.fill(0)
        self.rows.flags.writeable = False

    def may_alert(self, row: int, on: date) -> bool:
        """Whether that row may lead to an alert on that day."""
        return bool(on.toordinal() <= self.last_days[row])


def of(gallery: Gallery) -> ListMatrix:
    """The matrix of a list."""
    rows = np.ascontiguousarray([entry.vector for entry in gallery.entries], dtype=np.float32)
    rows.flags.writeable = False
    last_days = [_NEVER if entry.filler else entry.expires_on.toordinal() for entry in gallery.entries]
    return ListMatrix(
        digest=gallery.digest,
        model_id=gallery.model_id,
        score_kind=gallery.score_kind,
        cohort_size=gallery.cohort_size,
        cohort_weight=gallery.cohort_weight,
        tokens=tuple(entry.token for entry in gallery.entries),
        rows=rows,
        last_days=np.array(last_days, dtype=np.int64),
    )
