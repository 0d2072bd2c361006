"""Lists with real-looking values, for every test that needs one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from services.contracts import ids
from services.contracts.events import ScoreKind, Vector
from services.contracts.lists import Gallery, ListEntry, ReferenceImage, SubjectImages
from tests.builders import NOON, a_vector

MODEL = "sface-0123456789abcdef"


def token_of(reference: str) -> ids.SubjectToken:
    return ids.subject_token(b"the deployment's key", reference)


def a_subject(reference: str = "ref-7731", **changes: Any) -> ListEntry:
    values: dict[str, Any] = {
        "token": token_of(reference),
        "reference": reference,
        "category": "wanted",
        "source": "custody picture",
        "reason": "recall to prison",
        "expires_on": (NOON + timedelta(days=30)).date(),
        "vector": a_vector(seed=int(token_of(reference)[:8], 16)),
        "images_sha256": b"s" * 32,
    }
    return ListEntry(**(values | changes))


def a_filler(number: int, **changes: Any) -> ListEntry:
    return a_subject(f"filler-{number}", **({"filler": True, "images_sha256": b""} | changes))


def a_gallery(*entries: ListEntry, **changes: Any) -> Gallery:
    values: dict[str, Any] = {
        "name": "blue-list",
        "model_id": MODEL,
        "score_kind": ScoreKind.RAW,
        "cohort_size": 10,
        "cohort_weight": 0.5,
        "built_at": NOON,
        "entries": tuple(sorted(entries or (a_subject(),), key=lambda entry: entry.token)),
    }
    return Gallery(**(values | changes))


def some_images(reference: str = "ref-7731", **changes: Any) -> SubjectImages:
    values: dict[str, Any] = {
        "token": token_of(reference),
        "category": "wanted",
        "source": "custody picture",
        "reason": "recall to prison",
        "expires_on": (NOON + timedelta(days=30)).date(),
        "images": (ReferenceImage(jpeg=b"\xff\xd8 a face", taken_on=date(2024, 5, 1), quality=0.75),),
    }
    return SubjectImages(**(values | changes))


def near(vector: Vector, cosine: float, *, seed: int = 99) -> Vector:
    """A unit vector whose cosine to `vector` is `cosine`."""
    aside = a_vector(size=vector.size, seed=seed)
    aside = aside - np.float32(aside @ vector) * vector
    aside /= np.linalg.norm(aside)
    found = cosine * vector + np.sqrt(1 - cosine**2) * aside
    return np.asarray(found / np.linalg.norm(found), dtype=np.float32)
