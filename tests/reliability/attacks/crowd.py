"""Listed people who walk past without end, look-alikes among them; each face is written once, as embed does."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from services.contracts import codec, ids, keys, topics
from services.contracts.authority import Authority
from services.contracts.codec import Sealing
from services.contracts.counts import Stage
from services.contracts.events import FaceObserved, Vector
from services.runtime.kafka.config import Connection, producer_options
from services.runtime.kafka.producer import KafkaProducer
from services.runtime.kafka.types import Output
from services.runtime.keys.cipher import AesGcm
from tests.integration.match.world import World
from tests.proofs import proving
from tests.reliability.attacks.judge import Walk
from tests.unit.match.lists_builder import near

# The threshold is 0.5: well above it, and just below.
LISTED, ALIKE = 0.9, 0.45
# Of so many, one is a look-alike.
_ALIKE_EVERY = 10
_FLUSH_S = 30.0
# A seed from which those who are near one person are near no other.
_ASIDE = 600


class Crowd:
    """Walks at `rate_hz` from `start` to `stop`, on a thread of its own; `burst` from any other.

    `walks` is what was written, by track. The authority's bounds are those of the beginning.
    """

    def __init__(self, world: World, people: Sequence[Vector], *, rate_hz: float) -> None:
        self._world = world
        self._bounds: Authority = world.authority
        self._vectors = [near(person, LISTED, seed=_ASIDE + n) for n, person in enumerate(people)]
        self._alike = [near(person, ALIKE, seed=_ASIDE + n) for n, person in enumerate(people)]
        self._every_s = 1 / rate_hz
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        options = {**producer_options(Connection(world.bootstrap, "crowd")), "log_level": 0}
        self._producer = KafkaProducer(options, lambda code: None)
        # By embed's own key, also what is attacked with: what a proof alone would refuse is no test of the rest.
        self._prove = proving(Stage.EMBED)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._walk, name="crowd", daemon=True)
        self.walks: dict[str, Walk] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self.arrived()

    def burst(self, faces: int) -> None:
        """So many more, at once; returns once all are acknowledged."""
        for _ in range(faces):
            self.pass_by()
        self.arrived()

    def arrived(self) -> None:
        """Wait until the broker has everything."""
        with self._lock:
            assert self._producer.flush(_FLUSH_S) == 0, "faces were not acknowledged"

    def stranger(self, vector: Vector, faces: int = 20) -> None:
        """Somebody of whom no authorised list knows."""
        for _ in range(faces):
            self.pass_by(listed=False, vector=vector)

    def pass_by(self, *, listed: bool = True, **changes: object) -> None:
        """One face; `changes` are fields of it, for those whom nothing covers."""
        with self._lock:
            number = next(self._numbers)
            alike = listed and number % _ALIKE_EVERY == 0
            vectors = self._alike if alike else self._vectors
            camera = self._bounds.cameras[number % len(self._bounds.cameras)].id
            face = self._world.a_face(
                number,
                **(
                    {
                        "camera": ids.CameraId(camera),
                        "vector": vectors[number % len(vectors)],
                        "track": ids.track_id(ids.frame_id(ids.CameraId(camera), 1, 1, number), 0),
                    }
                    | changes
                ),
            )
            self.walks[face.track] = Walk(face.track, face.camera, datetime.now(UTC), listed and not alike)
            self._send(face)

    def sealed(self, face: FaceObserved) -> bytes:
        """As embed writes it, its key in the volatile Redis."""
        spec = keys.face(self._bounds, face.event_id, face.captured_at)
        sealing = Sealing(spec.id, self._world.ring.mint(spec), AesGcm())
        return codec.encode_sealed(face, topic=topics.FACES.name, sealing=sealing)

    def send_raw(self, camera: str, value: bytes) -> None:
        """Any bytes, where the camera's faces go."""
        with self._lock:
            self._write(camera, value)

    def _send(self, face: FaceObserved) -> None:
        self._write(face.camera, self.sealed(face))

    def _write(self, camera: str, value: bytes) -> None:
        index = self._bounds.camera_index(camera) or 0
        partition = topics.partition_of_camera(index, topics.FACES)
        output = Output(topics.FACES.name, camera.encode(), value, partition)
        self._producer.send(self._prove(output), lambda error: None)

    def _walk(self) -> None:
        while not self._stopping.wait(self._every_s):
            self.pass_by()
