"""Canaries that are written as the services would write them: a frame, and the face of somebody on no list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import simplejpeg

from console.authority import files
from console.run.exercise import Exercise
from services.contracts import codec, ids, keys, topics
from services.contracts.codec import Sealing
from services.contracts.counts import Stage
from services.contracts.events import FaceObserved, FrameCaptured
from services.contracts.topics import Topic
from services.runtime.clock import SystemClock
from services.runtime.kafka.config import Connection
from services.runtime.kafka.types import Output
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.proofs import Proving
from services.runtime.purging import publish
from services.runtime.signing_key import read_signer
from tests.builders import a_face, a_shot, a_vector
from tests.reliability.scan.ground import Ground
from tests.reliability.scan.needles import Needle, of_picture, of_vector
from tests.support import eventually

_CAMERA = "gate-1"
# On no list: what Signpost promises to forget at once.
_STRANGER = "a stranger"


def plant_face(exercise: Exercise, ground: Ground) -> Sequence[Needle]:
    """A face as embed would write it; returns once match has searched it and destroyed its key."""
    now = datetime.now(UTC)
    vector, crop, context = a_vector(seed=20261122), _picture(1, 112, 112), _picture(2, 112, 112)
    face = a_face(
        deployment=ids.DeploymentId(exercise.deployment),
        captured_at=now,
        first_seen_at=now,
        camera=ids.CameraId(_CAMERA),
        model_id=exercise.document.watchlist.model,
        vector=vector,
        shots=(a_shot(captured_at=now, jpeg=crop),),
        context_jpeg=context,
    )
    spec = keys.face(files.read_draft(exercise.draft).bounds(), face.event_id, now)
    store = VolatileKeys(ground.volatile, SystemClock())
    key = store.get_or_create(spec.id, expires_at=spec.expires_at)
    _publish(exercise, Stage.EMBED, topics.FACES, face, Sealing(spec.id, key, AesGcm()))
    eventually(lambda: store.get(spec.id) is None, "the stranger's key destroyed", within_s=20.0)
    return [
        *of_vector(f"template of {_STRANGER}", vector),
        *of_picture(f"crop of {_STRANGER}", crop),
        *of_picture(f"surroundings of {_STRANGER}", context),
    ]


def plant_frame(exercise: Exercise, ground: Ground) -> Sequence[Needle]:
    """A frame as ingest would write it, after the newest that it has written; returns once it is published."""
    bounds, jpeg = files.read_draft(exercise.draft).bounds(), _picture(3, 360, 640)

    def key_of_now() -> tuple[datetime, Sealing] | None:
        now = datetime.now(UTC)
        spec = keys.frame(bounds, now)
        key = ground.found_keys().get(spec.id)
        return (now, Sealing(spec.id, key, AesGcm())) if key else None

    found = eventually(key_of_now, "the key of now to be minted", within_s=20.0)
    assert found is not None
    now, sealing = found
    newest = max(ground.frames(), key=lambda one: one.captured_at)
    frame = replace(newest, captured_at=now, jpeg=jpeg, width_px=640, height_px=360)
    _publish(exercise, Stage.INGEST, topics.FRAMES, frame, sealing)
    return list(of_picture("a planted frame", jpeg))


def _publish(
    exercise: Exercise, stage: Stage, topic: Topic, event: FrameCaptured | FaceObserved, sealing: Sealing
) -> None:
    """Signed as by that stage: nothing else is looked at."""
    raw = codec.encode_sealed(event, topic=topic.name, sealing=sealing)
    connection = Connection(exercise.stack.kafka.bootstrap, "plant")
    prove = Proving(read_signer(exercise.service_key(stage), variable="SERVICE_KEY_FILE"), SystemClock())
    publish(connection, prove(Output(topic.name, _CAMERA.encode(), raw, partition=0)))


def _picture(seed: int, height: int, width: int) -> bytes:
    """A JPEG that nothing else has the bytes of."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return bytes(simplejpeg.encode_jpeg(pixels, quality=85, colorspace="RGB"))
