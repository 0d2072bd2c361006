"""What comes of a picture to enrol."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.contracts.events import Box, Vector


@dataclass(frozen=True)
class Template:
    """What is enrolled of one picture; `box` in its pixels, turned upright."""

    model_id: str
    vector: Vector = field(repr=False, compare=False)
    box: Box
    quality: float
    reference_jpeg: bytes = field(repr=False)


@dataclass(frozen=True)
class Refused:
    """Why a picture cannot be enrolled: `reason` from a closed set, `detail` for people, with no personal data."""

    reason: str
    detail: str
