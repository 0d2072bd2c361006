"""What enrolment answers, and the port to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from services.contracts.events import Vector


class Refusal(StrEnum):
    """Why a picture is not taken. The first nine are embed's, the others this builder's."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    TOO_BLURRED = "too_blurred"
    BAD_POSE = "bad_pose"
    NOT_UPRIGHT = "not_upright"
    LOW_SCORE = "low_score"
    DOES_NOT_MATCH_OTHERS = "does_not_match_others"
    OVER_CAP = "over_cap"
    SAME_PICTURE = "same_picture"


@dataclass(frozen=True)
class Refused:
    """A picture that is not taken; `detail` is for the operator."""

    reason: Refusal
    detail: str = ""


@dataclass(frozen=True)
class Template:
    """One face of one picture; `vector` is l2-normalised, `jpeg` the face and a margin around it."""

    vector: Vector = field(repr=False, compare=False)
    quality: float
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True)
class Model:
    """The recogniser that enrols; its id travels with every template."""

    id: str
    name: str


class Enrolment(Protocol):
    """The door to the model. Both calls block; they raise Transient or Misconfigured if nobody answers."""

    def model(self) -> Model:
        """Which recogniser answers."""
        ...

    def enrol(self, picture: bytes) -> Template | Refused:
        """One picture in; its only face, or why not. Raises Misconfigured if the model has changed."""
        ...
