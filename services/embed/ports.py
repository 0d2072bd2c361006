"""What embed needs of others, as it needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.contracts.authorisation.refusals import Refusal
from services.contracts.events import FaceObserved, FrameCaptured
from services.embed.core.detections import Detections
from services.embed.core.frames import Frame
from services.embed.core.templates import Refused, Template
from services.embed.model.card import ModelCard
from services.runtime.kafka.types import Dropped, Output, Record

Image = NDArray[np.uint8]


class Detector(Protocol):
    """Finds faces. One thread at a time."""

    def detect(
        self, images: Sequence[Image], *, min_score: float, sizes: Sequence[tuple[int, int]] | None = None
    ) -> list[Detections]:
        """Faces of each picture (uint8 [h, w, 3] BGR, any size), in that picture's pixels. Blocks.

        `sizes` (width, height): of the pictures that these were before they were reduced.
        """
        ...


class Recogniser(Protocol):
    """Makes templates of aligned chips. One thread at a time."""

    @property
    def card(self) -> ModelCard: ...

    @property
    def model_id(self) -> str: ...

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Vectors of length 1, [n, vector_length], of `chips` uint8 [n, size, size, 3] BGR. Blocks."""
        ...


class FrameReader(Protocol):
    """From a record to a decoded frame. Several threads at once."""

    def read(self, record: Record) -> Frame | Dropped:
        """The frame, or how it ended. Raises Permanent (dead letter), Transient (a store is away)."""
        ...

    def refusal(self, camera: str, at: datetime) -> Refusal | None:
        """Why what `camera` took `at` may not be looked at, as is known by now; None while that is not known."""
        ...


class FaceWriter(Protocol):
    """From what a track has become to records. The work thread's."""

    def faces(self, observed: Sequence[tuple[FaceObserved, int]]) -> list[Output | None]:
        """Each one's sealed record, for its camera's index; None for a face whose key would be dead at birth.

        Raises Transient.
        """
        ...

    def fits(self, event: FaceObserved) -> bool:
        """Whether its record would fit the topic."""
        ...

    def run_counts(self, newest: FrameCaptured) -> Output:
        """A run of a camera as its newest frame tells it."""
        ...


class Pictures(Protocol):
    """What is done to pixels besides the networks. Boxes are corners, [4] or [n, 4]; colours BGR. Any thread."""

    def decode(self, jpeg: bytes, *, max_pixels: int) -> Image:
        """The whole picture, uint8 [h, w, 3]. Raises Permanent for one that is broken or too large."""
        ...

    def cut_crop(self, image: Image, box: NDArray[np.float32], others: NDArray[np.float32]) -> Image:
        """A copy of the face in `box` with a margin, each of `others` made unrecognisable."""
        ...

    def cut_context(self, image: Image, box: NDArray[np.float32], others: NDArray[np.float32]) -> Image:
        """A copy of the surroundings of `box` with each of `others` made unrecognisable."""
        ...

    def encode_crop(self, image: Image) -> bytes:
        """JPEG for a reviewer to compare."""
        ...

    def encode_context(self, image: Image) -> bytes:
        """JPEG to see where a face was."""
        ...


class Photographs(Protocol):
    """What enrolment does to pixels besides the networks. Any thread."""

    def decode_upright(self, picture: bytes, *, max_pixels: int) -> Image:
        """A photograph as people have it, uint8 [h, w, 3], turned as its camera says. Raises Permanent."""
        ...

    def cut_crop(self, image: Image, box: NDArray[np.float32], others: NDArray[np.float32]) -> Image:
        """As that of `Pictures`."""
        ...

    def encode_crop(self, image: Image) -> bytes:
        """As that of `Pictures`."""
        ...


class Enroller(Protocol):
    """From a picture to a template. Any thread."""

    @property
    def card(self) -> ModelCard: ...

    @property
    def model_id(self) -> str: ...

    def enrol(self, picture: bytes) -> Template | Refused:
        """The template of the one face in `picture`, or why there is none. Blocks."""
        ...


@dataclass(frozen=True)
class WorkerStatus:
    """How a worker of the fleet stands; numbers and words only, small enough to travel with any answer."""

    alive: bool
    ready: bool
    ended: bool
    lag: int
    pid: int
    settings_digest: str
    failure: str = ""


class Fleet(Protocol):
    """Workers in numbered slots, wherever they run. One thread; every call raises Transient if nobody answers."""

    def connect(self) -> None:
        """Raises Misconfigured if there is nothing to run on."""
        ...

    def disconnect(self) -> None:
        """Let go; the workers stay."""
        ...

    def slots(self) -> list[int]:
        """The slots that have a worker now, whoever started it."""
        ...

    def start(self, slot: int) -> None:
        """See that this slot has a worker; returns before it runs."""
        ...

    def status(self, slots: Sequence[int], *, timeout_s: float) -> Mapping[int, WorkerStatus | None]:
        """How each stands; None for one that does not answer in time, absent for one that is dead."""
        ...

    def metrics(self, slots: Sequence[int], *, timeout_s: float) -> Mapping[int, str]:
        """The metrics, as text, of those that answer in time."""
        ...

    def drain(self, slots: Sequence[int]) -> None:
        """Tell these to finish what they have in hand and end; returns at once."""
        ...

    def kill(self, slot: int) -> None:
        """End this slot's worker at once, if it has one."""
        ...
