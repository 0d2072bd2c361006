"""A toy recogniser for the builder's tests: a picture is text, `person=anna seed=3`, or a refusal's reason."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from console.watchlist.enrolment import Model, Refusal, Refused, Template
from services.contracts.events import Vector
from tests.builders import a_vector
from tests.unit.match.lists_builder import MODEL, near

CARD = """
reference: {reference}
category: wanted
source: custody picture
reason: recall to prison
taken_on: 2024-05-01
expires_on: 2026-12-31
"""


def vector_of(content: str) -> Vector:
    """Pictures of one person are alike (cosine .8 to the person), of two are strangers."""
    person, _, variant = content.partition("/")
    own = a_vector(seed=_number(person))
    return near(own, 0.8, seed=_number(content)) if variant else np.asarray(own, dtype=np.float32)


def quality_of(content: str) -> float:
    return 0.5 + _number(content) % 1000 / 2000


def _number(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


class ToyEnrolment:
    """`Enrolment` that reads `anna/1` as picture 1 of anna, and `!no_face` as that refusal."""

    def __init__(self, *, name: str = "sface") -> None:
        self._name = name
        self.asked = 0

    def model(self) -> Model:
        return Model(MODEL, self._name)

    def enrol(self, picture: bytes) -> Template | Refused:
        self.asked += 1
        content = picture.decode()
        if content.startswith("!"):
            return Refused(Refusal(content[1:]), "as the toy says")
        return Template(vector_of(content), quality_of(content), b"\xff\xd8" + picture)


def write_subject(root: Path, name: str, pictures: list[str], *, card: str | None = None) -> Path:
    """A folder with pictures 1.jpg, 2.jpg, ... of these contents."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "subject.yaml").write_text(CARD.format(reference=f"ref-{name}") if card is None else card)
    for number, content in enumerate(pictures, 1):
        (folder / f"{number}.jpg").write_text(content)
    return folder
