"""Lists as match holds them in memory, with real-looking values, for every test that needs one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from services.contracts import ids
from services.contracts.events import ScoreKind, Vector
from services.contracts.sealed.standing import Term
from services.match.core.matrix import ListMatrix
from tests.builders import NOON, a_vector

MODEL = "sface-0123456789abcdef"
DIGEST = "d" * 64


@dataclass(frozen=True)
class Row:
    """A row of the matrix; without a term it is nobody."""

    token: ids.SubjectToken
    vector: Vector
    term: Term | None


def token_of(reference: str) -> ids.SubjectToken:
    return ids.subject_token(b"the deployment's key", reference)


def a_term(**ends: Any) -> Term:
    """From the day before NOON until `ends`, a day after it."""
    values = {"stale_at": NOON + timedelta(days=1), "expires_at": NOON + timedelta(days=1)}
    return Term(checked_at=NOON - timedelta(days=1), **(values | ends))


def a_subject(reference: str = "ref-7731", *, vector: Vector | None = None, **ends: Any) -> Row:
    token = token_of(reference)
    return Row(token, a_vector(seed=int(token[:8], 16)) if vector is None else vector, a_term(**ends))


def a_filler(number: int) -> Row:
    token = token_of(f"filler-{number}")
    return Row(token, a_vector(seed=int(token[:8], 16)), None)


def a_matrix(*rows: Row, **changes: Any) -> ListMatrix:
    listed = rows or (a_subject(),)
    vectors = np.stack([row.vector for row in listed])
    vectors.flags.writeable = False
    values: dict[str, Any] = {
        "digest": DIGEST,
        "model_id": MODEL,
        "score_kind": ScoreKind.RAW,
        "cohort_size": 10,
        "cohort_weight": 0.5,
        "tokens": tuple(row.token for row in listed),
        "rows": vectors,
        "terms": tuple(row.term for row in listed),
    }
    return ListMatrix(**(values | changes))


def near(vector: Vector, cosine: float, *, seed: int = 99) -> Vector:
    """A unit vector whose cosine to `vector` is `cosine`."""
    aside = a_vector(size=vector.size, seed=seed)
    aside = aside - np.float32(aside @ vector) * vector
    aside /= np.linalg.norm(aside)
    found = cosine * vector + np.sqrt(1 - cosine**2) * aside
    return np.asarray(found / np.linalg.norm(found), dtype=np.float32)
