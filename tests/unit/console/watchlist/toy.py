"""A toy recogniser for the builder's tests: a picture is text, `person=anna seed=3`, or a refusal's reason."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from console.watchlist.cards import Common, volunteer
from console.watchlist.enrolment import Model, Refusal, Refused, Template
from services.contracts.events import Vector
from tests.builders import NOON, a_vector
from tests.unit.match.lists_builder import MODEL, near

TAKEN = date(2024, 5, 1)


def a_card(name: str, files: Sequence[str], *, now: datetime = NOON, **changes: Any) -> dict[str, Any]:
    """A volunteer's card with pictures of these names."""
    common = Common("p-1", "p-2", checked_at=now - timedelta(hours=2), expires_at=now + timedelta(days=30))
    return volunteer(entry_of(name), f"ref-{name}", dict.fromkeys(files, TAKEN), common) | changes


def entry_of(name: str) -> str:
    """The entry's id of the subject in that folder."""
    return f"e-{_number(name):08x}"


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


def write_subject(
    root: Path,
    name: str,
    pictures: Sequence[str],
    *,
    card: str | None = None,
    now: datetime = NOON,
    **changes: Any,
) -> Path:
    """A folder with pictures 1.jpg, 2.jpg, ... of these contents; `changes` are of the card's fields."""
    folder = root / name
    folder.mkdir(parents=True)
    files = [f"{number}.jpg" for number in range(1, len(pictures) + 1)]
    (folder / "subject.yaml").write_text(card or yaml.safe_dump(a_card(name, files, now=now, **changes)))
    for file, content in zip(files, pictures, strict=True):
        (folder / file).write_text(content)
    return folder
