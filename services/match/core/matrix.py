"""A list as it is searched: one matrix, a row a subject, and what each row may lead to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.contracts import ids
from services.contracts.events import ScoreKind
from services.contracts.scoring import Floats
from services.contracts.sealed import likeness
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.standing import Term

Matrix = npt.NDArray[np.float32]

# No subject's reference can be the same.
_FILLER = "\0filler-{:06d}"


@dataclass(frozen=True, eq=False)
class ListMatrix:
    """A list in memory. Nothing of it is ever changed but by `wipe`: a new list is a new one of these.

    `rows` is float32 [entries, d], C order. `terms` say when each row may lead to an alert; a filler has none and
    never does. What is inert stays in the cohort: scores do not move at midnight. `apart` are the rows that are
    no cohort for a row, where there are any.
    """

    digest: str
    model_id: str
    score_kind: ScoreKind
    cohort_size: int
    cohort_weight: float
    tokens: tuple[ids.SubjectToken, ...] = field(repr=False)
    rows: Matrix = field(repr=False)
    terms: tuple[Term | None, ...] = field(repr=False)
    apart: Mapping[int, tuple[int, ...]] = field(default_factory=dict, repr=False)

    @property
    def fillers(self) -> int:
        """How many rows are nobody."""
        return self.terms.count(None)

    @property
    def subjects(self) -> int:
        """How many rows are people."""
        return len(self.tokens) - self.fillers

    @property
    def most_apart(self) -> int:
        """Of how many rows at most a row's cohort is bereft, itself aside."""
        return max((len(rows) for rows in self.apart.values()), default=0)

    @property
    def has_cohorts(self) -> bool:
        """Whether every row has as many others as its scores are normalised by."""
        if self.score_kind is ScoreKind.RAW:
            return True
        return 1 <= self.cohort_size < len(self.tokens) - self.most_apart

    def wipe(self) -> None:
        """Overwrite every template: the end of the list, whoever still holds it."""
        self.rows.flags.writeable = True
        self.rows.fill(0)
        self.rows.flags.writeable = False


def of_sealed(
    of: Manifest, templates: Mapping[str, Floats], fillers: Floats, token_of: Callable[[str], ids.SubjectToken]
) -> ListMatrix:
    """The matrix of a sealed list. `templates` and `fillers` are overwritten: nobody needs them beside it."""
    rows = np.ascontiguousarray(likeness.fused(templates, fillers), dtype=np.float32)
    rows.flags.writeable = False
    for one in (*templates.values(), fillers):
        one.fill(0)
    names = [entry.subject_ref for entry in of.entries] + [_FILLER.format(n) for n in range(of.head.fillers)]
    return ListMatrix(
        digest=of.digest,
        model_id=of.head.model_id,
        score_kind=of.head.score_kind,
        cohort_size=of.head.cohort_size,
        cohort_weight=of.head.cohort_weight,
        tokens=tuple(token_of(name) for name in names),
        rows=rows,
        terms=(*(Term.of(entry) for entry in of.entries), *(None for _ in range(of.head.fillers))),
        apart=_apart(likeness.columns(of.cohort.apart, [entry.entry_id for entry in of.entries])),
    )


def _apart(pairs: Sequence[tuple[int, int]]) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    for one, other in pairs:
        found[one] = (*found.get(one, ()), other)
        found[other] = (*found.get(other, ()), one)
    return found
