"""A made-up street: public-domain portraits walk past cameras, and their frames go to a real Kafka."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from pydantic import SecretStr

from console.edges.kafka_read import KafkaReader
from console.sample.sitters import ADMIRAL, ASTRONAUT, FORTY_FOUR, Sitter
from services.contracts import codec, counts, keys, topics
from services.contracts.counts import Count, Stage
from services.contracts.events import FaceObserved, FrameCaptured, StageCounts
from services.contracts.ids import CameraId, DeploymentId, derived, frame_id
from services.embed.model.catalogue import RECOGNISERS
from services.runtime.clock import SystemClock
from services.runtime.kafka.config import Connection, producer_options
from services.runtime.kafka.producer import KafkaProducer
from services.runtime.kafka.types import Output
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.ring import Found, Keyring
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.redis_client import connect
from tests.contracts.broker import send
from tests.integration.signed import SignedAuthority, write_key
from tests.proofs import proving
from tests.unit.contracts.authorisation.builders import a_camera, a_list

Image = NDArray[np.uint8]

ROOT = Path(__file__).parents[3]
ASSETS = ROOT / ".cache" / "assets"
MODELS = ASSETS / "models"
PICTURES = ASSETS / "pictures"
COMPILED = ROOT / ".cache" / "compiled"
WALKERS = (FORTY_FOUR, ADMIRAL, ASTRONAUT)

_SIZE = (1280, 720)
_FRAME_S = 0.2


def portrait(sitter: Sitter, *, height_px: int) -> Image:
    """The sitter's head with some background, the face `height_px` high."""
    image = cv2.imread(str(PICTURES / sitter.walks_as.file))
    assert image is not None
    left, top, width, height = sitter.walks_as.face
    around = image[
        max(0, top - height // 3) : top + height + height // 3,
        max(0, left - width // 3) : left + width + width // 3,
    ]
    scale = height_px / height
    return np.asarray(cv2.resize(around, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def picture(sitters: Sequence[Sitter], step: int, *, face_px: int = 120) -> bytes:
    """One frame: the sitters side by side, `step` fifths of a second into their walk."""
    canvas = np.full((_SIZE[1], _SIZE[0], 3), 96, np.uint8)
    for i, sitter in enumerate(sitters):
        head = portrait(sitter, height_px=face_px)
        left, top = 60 + i * 380 + step * 12, 200 + i * 20
        fits = head[: _SIZE[1] - top, : max(0, _SIZE[0] - left)]
        canvas[top : top + fits.shape[0], left : left + fits.shape[1]] = fits
    return bytes(simplejpeg.encode_jpeg(canvas, quality=88, colorspace="BGR"))


@dataclass
class Street:
    """One deployment on real parts. Frames go in by `show`, faces and counts are read back."""

    bootstrap: str
    volatile_url: str
    home: Path
    deployment: str
    cameras: int = 2
    frame_s: int = 60
    sent: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self._key_file = write_key(self.home / "embed.pem", "embed")
        self.signed = SignedAuthority(
            self.bootstrap,
            id=self.deployment,
            cameras=[a_camera(f"gate-{i}", source="folder", host=None) for i in range(self.cameras)],
            watchlist=a_list(categories=["consenting_volunteer"], model=RECOGNISERS["sface"].model_id),
            retention={"frame_s": self.frame_s},
        )
        self.signed.run()
        self.authority = self.signed.authority
        self.redis = connect(SecretStr(self.volatile_url), client_name="test")
        self.forget_keys()
        self._cipher = AesGcm()
        self._prove = proving(Stage.INGEST)
        self._producer = KafkaProducer(producer_options(Connection(self.bootstrap, "street")), lambda code: None)

    def forget_keys(self) -> None:
        """Ask the stores again, as an ingest does that has noticed the loss of its keys."""
        clock = SystemClock()
        self.keyring = Keyring(VolatileKeys(self.redis, clock), FolderKeys(self.home / "keys", clock), clock)

    def settings(self, **more: str) -> dict[str, str]:
        """The environment of a worker on this street."""
        return {
            "PYTHONPATH": f"{ROOT}:{ROOT / 'proto' / 'gen'}",
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "REDIS_VOLATILE_URL": self.volatile_url,
            "REDIS_DURABLE_URL": self.volatile_url,
            "KEYS_DIR": str(self.home / "keys"),
            **self.signed.settings,
            "SERVICE_KEY_FILE": str(self._key_file),
            "MODELS_DIR": str(MODELS),
            "MODEL_CACHE_DIR": str(COMPILED),
            "WORKERS": "process",
            **more,
        }

    def show(self, camera: int, jpeg: bytes, *, lease: int = 1, at: datetime | None = None) -> str:
        """One frame of gate-`camera`, taken now; returns its id."""
        name = CameraId(f"gate-{camera}")
        run = f"{name}.{lease}"
        self.sent[run] += 1
        sequence = self.sent[run]
        size = simplejpeg.decode_jpeg_header(jpeg)
        taken_at = at or datetime.now(UTC)
        event = FrameCaptured(
            deployment=DeploymentId(self.deployment),
            trace_id=derived("trace", frame_id(name, lease, 1, sequence)),
            captured_at=taken_at,
            camera=name,
            lease=lease,
            epoch=1,
            sequence=sequence,
            read=sequence,
            dropped_before=0,
            width_px=size[1],
            height_px=size[0],
            position_s=taken_at.timestamp(),
            jpeg=jpeg,
        )
        spec = keys.frame(self.authority, event.captured_at)
        sealing = codec.Sealing(spec.id, self.keyring.mint(spec), self._cipher)
        self.put(camera, codec.encode_sealed(event, topic=topics.FRAMES.name, sealing=sealing))
        return event.event_id

    def put(self, camera: int, value: bytes) -> None:
        """Bytes on the camera's partition of frames, signed as ingest signs."""
        home = camera % topics.FRAMES.partitions
        send(self._producer, self._prove(Output(topics.FRAMES.name, f"gate-{camera}".encode(), value, home)))

    def walk(self, cameras: Sequence[int], sitters: Sequence[Sitter], steps: int, *, lease: int = 1) -> None:
        """All cameras see the sitters pass, a fifth of a second a frame, ending now."""
        begin = datetime.now(UTC) - timedelta(seconds=_FRAME_S * steps)
        for step in range(steps):
            jpeg = picture(sitters, step)
            for camera in cameras:
                self.show(camera, jpeg, lease=lease, at=begin + timedelta(seconds=_FRAME_S * step))

    def faces(self) -> list[FaceObserved]:
        """Every committed face of this deployment, opened; those whose key is gone fail the test."""
        found = []
        for value in read_all(self.bootstrap, topics.FACES.name):
            peeked = codec.peek(value, topic=topics.FACES.name)
            if peeked.deployment != self.deployment:
                continue
            key = self.keyring.find(keys.face(self.authority, peeked.event_id, peeked.captured_at))
            assert isinstance(key, Found), key
            opened = codec.open_sealed(peeked, key=key.key, cipher=self._cipher)
            found.append(codec.expect(opened, FaceObserved))
        return found

    def dead(self) -> Iterator[bytes]:
        """Everybody's dead letters."""
        return read_all(self.bootstrap, topics.FRAMES_DEAD.name)

    def totals(self) -> Mapping[Count, int]:
        """This deployment's embed counts, all incarnations added up."""
        records = []
        for value in read_all(self.bootstrap, topics.COUNTS.name):
            peeked = codec.peek(value, topic=topics.COUNTS.name)
            if peeked.deployment == self.deployment and peeked.kind is StageCounts:
                records.append(codec.expect(codec.open_clear(peeked), StageCounts))
        return counts.tally([one for one in records if one.stage == Stage.EMBED]).totals

    def close(self) -> None:
        self.signed.close()
        self.redis.close()


def read_all(bootstrap: str, topic: str) -> Iterator[bytes]:
    """Every committed record of a topic, from its beginning to where it ends now."""
    with closing(KafkaReader(bootstrap)) as reader:
        yield from reader.values(topic)
