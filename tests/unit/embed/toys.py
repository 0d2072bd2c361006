"""A detector, a recogniser and a street small enough to know everything about: faces are coloured squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from services.contracts import codec, counts, ids, keys, topics
from services.contracts.authority import Authority
from services.contracts.counts import Count
from services.contracts.events import FaceObserved, FrameCaptured
from services.embed.core.detections import NO_DETECTIONS, Detections
from services.embed.core.frames import Frame
from services.embed.core.quality import LIVE_LIMITS
from services.embed.core.shots import BestShots, Policy
from services.embed.core.tracks import Bounds
from services.embed.edges import pictures
from services.embed.edges.face_writer import SealingFaceWriter
from services.embed.edges.frame_reader import SealedFrameReader
from services.embed.metrics import EmbedMetrics
from services.embed.model.card import ARCFACE_TEMPLATE, ModelCard
from services.embed.model.catalogue import SFACE
from services.embed.pipeline import EmbedPipeline
from services.embed.watch import Rules
from services.runtime.kafka.types import Dropped, Outcome, Partition, Prepared, Record
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.ring import Found, Keyring
from tests.builders import an_authority_of
from tests.fakes.clock import A_MORNING, ManualClock
from tests.fakes.keys import FakeKeys
from tests.fakes.standing import OpenStanding

Image = NDArray[np.uint8]
RED, GREEN, BLUE = (40, 40, 240), (40, 240, 40), (240, 40, 40)
WIDTH, HEIGHT = 640, 360
MAX_PIXELS = 2_000_000
CARD = replace(SFACE, vector_length=16)

AUTHORITY = f"""
deployment: high-street
use_case: exercise
purpose: a test
cameras:
  - {{id: gate-1, source: folder, address: /dev/null}}
  - {{id: gate-2, source: folder, address: /dev/null}}
window: {{start: "{A_MORNING - timedelta(hours=1)}", end: "{A_MORNING + timedelta(hours=1)}"}}
watchlist: {{name: blue, max_entries: 10, score_kind: raw, thresholds: {{1: 0.5}}}}
"""


@dataclass(frozen=True)
class Person:
    """A square of one colour: left, top, size in frame pixels."""

    colour: tuple[int, int, int]
    left: int
    top: int = 100
    size: int = 80


def scene(*people: Person) -> bytes:
    """A JPEG of people on black."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for person in people:
        square = image[person.top : person.top + person.size, person.left : person.left + person.size]
        square[:] = person.colour
        square[::4] //= 2  # something to be sharp
    return bytes(simplejpeg.encode_jpeg(image, quality=95, colorspace="BGR"))


class SquareDetector:
    """Finds bright squares; their five points are where a frontal face has them."""

    def detect(
        self, images: Sequence[Image], *, min_score: float, sizes: Sequence[tuple[int, int]] | None = None
    ) -> list[Detections]:
        return [self._one(image) for image in images]

    def _one(self, image: Image) -> Detections:
        bright = (image.max(axis=2) > 60).astype(np.uint8)
        found, _, stats, _ = cv2.connectedComponentsWithStats(bright)
        boxes = [(x, y, x + w, y + h) for x, y, w, h, area in stats[1:found] if area > 100]
        if not boxes:
            return NO_DETECTIONS
        corners = np.array(boxes, np.float32)
        shape = np.array(ARCFACE_TEMPLATE, np.float32) / 112
        sizes = (corners[:, 2:] - corners[:, :2])[:, None]
        return Detections(corners, corners[:, None, :2] + shape * sizes, np.full(len(boxes), 0.9, np.float32))


@dataclass
class ColourRecogniser:
    """A vector says what colour a chip has; `batches` how many chips came together."""

    card: ModelCard = CARD
    model_id: str = "colours-1"
    batches: list[int] = field(default_factory=list)

    def embed(self, chips: Image) -> NDArray[np.float32]:
        self.batches.append(len(chips))
        vectors = np.full((len(chips), self.card.vector_length), 0.01, np.float32)
        vectors[:, :3] = chips[:, 40:72, 40:72].mean(axis=(1, 2))
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


class Street:
    """One pipeline, driven by hand, and cameras that write to it."""

    def __init__(self, *, policy: Policy | None = None) -> None:
        self.clock = ManualClock()
        self.authority: Authority = an_authority_of(AUTHORITY)
        self.standing = OpenStanding(self.authority, self.clock.now)
        self.volatile, self.store = FakeKeys(self.clock), FakeKeys(self.clock)
        self.keyring = Keyring(self.volatile, self.store, self.clock)
        self.cipher = AesGcm()
        self.registry = CollectorRegistry()
        self.metrics = EmbedMetrics(self.registry)
        self.recogniser = ColourRecogniser()
        self._offsets = {number: count(100) for number in range(8)}
        self._sequences: dict[str, int] = {}
        self._began_at = self.clock.now()
        self.pipeline = EmbedPipeline(
            ids.DeploymentId("high-street"),
            reader=SealedFrameReader(
                self.authority,
                self.standing,
                self._ring(),
                self.cipher,
                reduced=lambda width, height: (width // 2, height // 2),
                max_pixels=MAX_PIXELS,
                on_exit=self.metrics.frame_left,
            ),
            detector=SquareDetector(),
            recogniser=self.recogniser,
            pictures=pictures,
            writer=SealingFaceWriter(self.authority, self._ring(), self.cipher),
            rules=Rules(
                limits=replace(LIVE_LIMITS, min_sharpness=0),
                bounds=Bounds(),
                policy=policy or BestShots(),
                max_pixels=MAX_PIXELS,
            ),
            metrics=self.metrics,
            clock=self.clock,
        )
        self.pipeline.assigned([Partition("frames", number) for number in range(8)])

    def _ring(self) -> Keyring:
        """The pipeline's own, so that a test's look-ups fill no cache of its."""
        return Keyring(self.volatile, self.store, self.clock)

    def record(
        self,
        jpeg: bytes,
        *,
        camera: str = "gate-1",
        lease: int = 1,
        deployment: str = "high-street",
        at: datetime | None = None,
        position_s: float | None = None,
        width_px: int = WIDTH,
    ) -> Record:
        """A frame taken now, as Kafka holds it."""
        run = f"{camera}.{lease}"
        sequence = self._sequences[run] = self._sequences.get(run, 0) + 1
        taken_at = at or self.clock.now()
        event = FrameCaptured(
            deployment=ids.DeploymentId(deployment),
            trace_id=ids.derived("trace", run, sequence),
            captured_at=taken_at,
            camera=ids.CameraId(camera),
            lease=lease,
            epoch=1,
            sequence=sequence,
            read=3 * sequence,
            dropped_before=0,
            width_px=width_px,
            height_px=HEIGHT,
            position_s=(taken_at - self._began_at).total_seconds() if position_s is None else position_s,
            jpeg=jpeg,
        )
        spec = keys.frame(self.authority, event.captured_at)
        sealing = codec.Sealing(spec.id, self.keyring.mint(spec), self.cipher)
        value = codec.encode_sealed(event, topic="frames", sealing=sealing)
        number = self.authority.camera_index(camera) or 0
        return Record("frames", number, next(self._offsets[number]), camera.encode(), value, (), 0)

    def prepared(self, record: Record) -> Prepared[Frame]:
        item = self.pipeline.prepare(record)
        assert not isinstance(item, Dropped), item
        return Prepared(record, item)

    def handle(self, *records: Record) -> Outcome:
        return self.pipeline.handle([self.prepared(record) for record in records])

    def see(self, *people: Person, camera: str = "gate-1", lease: int = 1) -> Outcome:
        """One frame, handled and delivered; then a fifth of a second passes."""
        outcome = self.handle(self.record(scene(*people), camera=camera, lease=lease))
        self.pipeline.delivered(outcome)
        self.clock.advance(0.2)
        return outcome

    def faces(self, *outcomes: Outcome) -> list[FaceObserved]:
        """The faces that were published, opened."""
        found = []
        for output in (output for outcome in outcomes for output in outcome.outputs if output.topic == "faces"):
            peeked = codec.peek(output.value, topic=topics.FACES.name)
            key = self.keyring.find(keys.face(self.authority, peeked.event_id, peeked.captured_at))
            assert isinstance(key, Found)
            opened = codec.open_sealed(peeked, key=key.key, cipher=self.cipher)
            found.append(codec.expect(opened, FaceObserved))
        return found


def total(name: Count, *outcomes: Outcome, reason: str = "") -> int:
    """What the outcomes count under a name."""
    key = counts.key("high-street", name, reason)
    return sum(outcome.counts.get(key, 0) for outcome in outcomes)
