"""What is known about a network: where it comes from, on what terms, and how it wants its input."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from services.contracts import yaml_text
from services.contracts.errors import Misconfigured
from services.contracts.events import ScoreKind

Format = Literal["onnx", "dlib"]
ColourOrder = Literal["RGB", "BGR"]
Point = tuple[float, float]
Point3 = tuple[float, float, float]

# Five points in the order every detector here gives them: the eye on the left of the picture, the
# other eye, the nose, the mouth corner on the left of the picture, the other one.
ARCFACE_TEMPLATE: tuple[Point, ...] = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A measured operating point; a start value for a site, never applied by itself."""

    score_kind: ScoreKind
    shots: int
    fpir: float
    gallery_size: str
    value: float


@dataclass(frozen=True, kw_only=True)
class DetectorCard:
    """A face detector and the terms it comes on."""

    name: str
    licence: str
    source: str
    training_data: str
    weights_file: str
    weights_sha256: str
    input_width_px: int
    input_height_px: int


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """A recogniser: the terms it comes on and the preprocessing that its vectors depend on.

    The network is fed `(pixel - mean) * scale` in `colour` order on square chips of
    `input_size_px`, aligned so that the five points fall on `template`.
    Raises Misconfigured when a field cannot be right.
    """

    name: str
    format: Format
    licence: str
    source: str
    training_data: str
    weights_file: str
    weights_sha256: str
    input_size_px: int
    template: tuple[Point, ...]
    colour: ColourOrder
    mean: Point3
    scale: float
    vector_length: int
    thresholds: tuple[Threshold, ...] = field(default=())

    def __post_init__(self) -> None:
        problems = [
            text
            for wrong, text in (
                (not _NAME.fullmatch(self.name), "name: lower-case letters, digits, - and _, at most 32"),
                (self.format not in ("onnx", "dlib"), "format: onnx or dlib"),
                (not _SHA256.fullmatch(self.weights_sha256), "weights_sha256: 64 lower-case hex digits"),
                (Path(self.weights_file).name != self.weights_file, "weights_file: a name, not a path"),
                (len(self.template) != 5, "template: five points"),
                (self.colour not in ("RGB", "BGR"), "colour: RGB or BGR"),
                (len(self.mean) != 3, "mean: one number or three"),
                (not 16 <= self.input_size_px <= 512, "input_size_px: 16 to 512"),
                (not 16 <= self.vector_length <= 4096, "vector_length: 16 to 4096"),
                (not self.scale > 0, "scale: above 0"),
            )
            if wrong
        ]
        if problems:
            raise Misconfigured(f"model card {self.name!r}: {'; '.join(problems)}")

    @property
    def model_id(self) -> str:
        """Names the weights and the preprocessing; vectors compare only under one model id."""
        preprocessing = [
            self.weights_sha256,
            self.format,
            self.input_size_px,
            [[round(v, 4) for v in point] for point in self.template],
            self.colour,
            list(self.mean),
            self.scale,
            self.vector_length,
        ]
        digest = hashlib.sha256(json.dumps(preprocessing).encode()).hexdigest()
        return f"{self.name}-{digest[:16]}"


def read_card(path: Path) -> ModelCard:
    """Read the YAML card that stands beside an ONNX file.

    Raises Misconfigured naming the file and what is missing, unknown or wrong in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Misconfigured(f"model card {path}: {error.strerror}") from error
    try:
        values = yaml_text.loaded(text)
    except yaml_text.NotYaml as refused:
        raise Misconfigured(f"model card {path}: {refused}") from None
    if not isinstance(values, dict):
        raise Misconfigured(f"model card {path}: a mapping of fields is expected")
    values.setdefault("name", path.stem)
    values.setdefault("format", "onnx")
    try:
        return ModelCard(**_typed(values))
    except (TypeError, ValueError, KeyError) as error:
        raise Misconfigured(f"model card {path}: {error}") from error


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    template = values.get("template", "arcface")
    mean = values.get("mean", 0.0)
    return {
        **values,
        "template": ARCFACE_TEMPLATE
        if template == "arcface"
        else tuple((float(x), float(y)) for x, y in template),
        "mean": tuple(float(v) for v in mean) if isinstance(mean, list) else (float(mean),) * 3,
        "scale": float(values.get("scale", 1.0)),
        "thresholds": tuple(
            Threshold(**{**entry, "score_kind": ScoreKind(entry["score_kind"])})
            for entry in values.get("thresholds", [])
        ),
    }
