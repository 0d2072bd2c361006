"""From what a track has become to records: FaceObserved under a key of its own, ingest's counts as seen here."""

from __future__ import annotations

from collections.abc import Sequence

from services.contracts import codec, keys, topics
from services.contracts.authority import Authority
from services.contracts.events import FaceObserved, FrameCaptured
from services.embed.edges import run_counts
from services.runtime.kafka.types import Output
from services.runtime.keys.port import Cipher
from services.runtime.keys.ring import Keyring


class SealingFaceWriter:
    """The work thread's."""

    def __init__(self, authority: Authority, keyring: Keyring, cipher: Cipher) -> None:
        self._authority = authority
        self._keyring = keyring
        self._cipher = cipher

    def faces(self, observed: Sequence[tuple[FaceObserved, int]]) -> list[Output | None]:
        """The records, each sealed under a key of its own, all minted now; None for a face so late that its key
        would be dead at birth. Raises Transient."""
        specs = [keys.face(self._authority, event.event_id, event.captured_at) for event, _ in observed]
        minted = self._keyring.mint_once(specs)
        return [
            self._sealed(event, index, codec.Sealing(spec.id, minted[spec.id], self._cipher))
            if spec.id in minted
            else None
            for (event, index), spec in zip(observed, specs, strict=True)
        ]

    def fits(self, event: FaceObserved) -> bool:
        """Whether its record would fit the topic, whatever seals it."""
        spec = keys.face(self._authority, event.event_id, event.captured_at)
        return codec.fits(event, topic=topics.FACES.name, key_id=spec.id)

    def _sealed(self, event: FaceObserved, camera_index: int, sealing: codec.Sealing) -> Output:
        return Output(
            topic=topics.FACES.name,
            key=event.camera.encode(),
            value=codec.encode_sealed(event, topic=topics.FACES.name, sealing=sealing),
            partition=topics.partition_of_camera(camera_index, topics.FACES),
        )

    def run_counts(self, newest: FrameCaptured) -> Output:
        """A run of a camera as its newest frame tells it, so that a killed ingest's figures survive."""
        return run_counts.of_frame(newest)
