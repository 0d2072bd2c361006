"""Reads a folder of subjects: a folder each, with pictures and a `subject.yaml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.contracts.errors import Misconfigured

CARD = "subject.yaml"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Card(BaseModel):
    """What `subject.yaml` says. `taken_on` is one date for all pictures, or a date by file name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: Text = Field(repr=False)
    category: Text
    source: Text
    reason: Text
    taken_on: date | dict[str, date]
    expires_on: date


@dataclass(frozen=True)
class Picture:
    """One file of a subject and when it was taken."""

    path: Path
    taken_on: date


@dataclass(frozen=True)
class SubjectFolder:
    """One subject as found on disk; `name` is the folder's."""

    name: str
    card: Card = field(repr=False)
    pictures: tuple[Picture, ...]


def read(root: Path) -> list[SubjectFolder]:
    """Every subject under `root`, by folder name. Opens no picture.

    Raises Misconfigured with one line for each thing that is wrong, naming file, field and rule: nothing is
    built from half of what somebody meant.
    """
    if not root.is_dir():
        raise Misconfigured(f"{root}: is no folder")
    found: list[SubjectFolder] = []
    wrong: list[str] = []
    for path in sorted(one for one in root.iterdir() if one.is_dir() and not one.name.startswith(".")):
        try:
            found.append(_subject(path))
        except Misconfigured as error:
            wrong.append(str(error))
    wrong += _doubled(root, found)
    if wrong:
        raise Misconfigured("\n".join(wrong))
    if not found:
        raise Misconfigured(f"{root}: holds no folder of a subject")
    return found


def _subject(path: Path) -> SubjectFolder:
    card = _card(path / CARD)
    files = sorted(
        one for one in path.iterdir() if one.is_file() and one.name != CARD and not one.name.startswith(".")
    )
    if not files:
        raise Misconfigured(f"{path}: holds no picture")
    return SubjectFolder(path.name, card, tuple(Picture(one, _taken_on(path, card, one.name)) for one in files))


def _card(path: Path) -> Card:
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError as missing:
        raise Misconfigured(f"{path}: is missing; it says reference, category, source, ...") from missing
    except (yaml.YAMLError, ValueError) as error:  # ValueError: no text, or a date that is none
        mark = getattr(error, "problem_mark", None)
        raise Misconfigured(f"{path}: not YAML" + (f" at line {mark.line + 1}" if mark else "")) from error
    if not isinstance(document, dict):
        raise Misconfigured(f"{path}: must be a mapping of fields")
    try:
        return Card.model_validate(document)
    except ValidationError as error:
        faults = "; ".join(
            f"{one['loc'][0]}: {one['msg']}" for one in error.errors(include_input=False, include_url=False)
        )
        raise Misconfigured(f"{path}: {faults}") from None


def _taken_on(path: Path, card: Card, name: str) -> date:
    if isinstance(card.taken_on, date):
        return card.taken_on
    if name not in card.taken_on:
        raise Misconfigured(f"{path / CARD}: taken_on: has no date for {name}")
    return card.taken_on[name]


def _doubled(root: Path, found: list[SubjectFolder]) -> list[str]:
    first: dict[str, str] = {}
    return [
        f"{root / one.name / CARD}: reference: the same as in {earlier}"
        for one in found
        if (earlier := first.setdefault(one.card.reference, one.name)) != one.name
    ]
