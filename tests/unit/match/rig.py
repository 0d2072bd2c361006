"""A Matcher on fakes, and the records it reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from prometheus_client import CollectorRegistry

from services.contracts import codec, keys
from services.contracts.authority import Authority
from services.contracts.codec import Sealing
from services.contracts.events import FaceObserved
from services.match.core.matrix import ListMatrix
from services.match.edges.keys_ring import RingKeys
from services.match.metrics import MatchMetrics
from services.match.pipeline import Matcher, SealedFace
from services.runtime.clock import Clock
from services.runtime.kafka.types import Dropped, Prepared, Record
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.ring import Keyring
from tests.builders import NOON, a_face, an_authority_of
from tests.fakes.clock import ManualClock
from tests.fakes.keys import FakeKeys
from tests.fakes.standing import OpenStanding
from tests.unit.match.lists_builder import MODEL, a_matrix

DOCUMENT = """
deployment: oxford-street-1
use_case: live
purpose: find people recalled to prison
cameras:
  - {id: gate-1, source: rtsp, address: "rtsp://gate-1/live"}
  - {id: folder-1, source: folder, address: pictures}
window: {start: 2026-06-01T08:00:00Z, end: 2026-06-01T20:00:00Z}
watchlist:
  name: blue-list
  max_entries: 100
  score_kind: raw
  thresholds: {1: 0.5, 3: 0.6}
"""
CIPHER = AesGcm()


def an_authority(*, more: str = "") -> Authority:
    """`more` is added to the watchlist."""
    return an_authority_of(DOCUMENT + more)


class Lists:
    """`CurrentList` that a test sets."""

    def __init__(self, held: ListMatrix | None) -> None:
        self.held = held

    def current(self) -> ListMatrix | None:
        return self.held


class Rig:
    """A Matcher with everything it touches in reach."""

    def __init__(
        self,
        *,
        bounds: Authority | None = None,
        held: ListMatrix | None = None,
        lists: Lists | None = None,
        volatile: Callable[[Clock], FakeKeys] = FakeKeys,
    ) -> None:
        self.clock = ManualClock(NOON + timedelta(milliseconds=400))
        self.volatile = volatile(self.clock)
        self.store = FakeKeys(self.clock)
        self.registry = CollectorRegistry()
        self.authority = bounds or an_authority()
        self.standing = OpenStanding(self.authority, self.clock.now)
        self.lists = lists or Lists(held or a_matrix())
        self.keys = RingKeys(Keyring(self.volatile, self.store, self.clock))
        self.matcher = Matcher(
            authority=self.authority,
            standing=self.standing,
            lists=self.lists,
            face_keys=self.keys,
            cipher=CIPHER,
            metrics=MatchMetrics(self.registry),
            clock=self.clock,
        )

    def record(self, face: FaceObserved | None = None, *, offset: int = 0) -> Record:
        """The record of a face, sealed as embed seals it."""
        face = face or a_face(model_id=MODEL)
        spec = keys.face(self.authority, face.event_id, face.captured_at)
        key = self.volatile.get_or_create(spec.id, expires_at=spec.expires_at)
        raw = codec.encode_sealed(face, topic="faces", sealing=Sealing(spec.id, key, CIPHER))
        stamp_ms = int(face.captured_at.timestamp() * 1000) + 100
        return Record("faces", 0, offset, face.camera.encode(), raw, (), stamp_ms)

    def prepared(self, face: FaceObserved | None = None, **changes: Any) -> Prepared[SealedFace]:
        """A face as `handle` gets it."""
        record = self.record(face or a_face(**({"model_id": MODEL} | changes)))
        item = self.matcher.prepare(record)
        assert not isinstance(item, Dropped), "the face was dropped"
        return Prepared(record, item)

    def value(self, name: str, **labels: str) -> float:
        """A metric as scraped."""
        found = self.registry.get_sample_value(name, labels)
        assert found is not None, f"no sample {name} {labels}"
        return found
