"""Bytes of events: what goes in comes out, what was moved or altered does not, old and new bytes both decode."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import codec
from services.contracts.codec import Sealing
from services.contracts.errors import Tampered, Undecodable
from services.contracts.events import Box, FaceObserved, FrameCaptured, Shot, StageCounts
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.port import OtherKey
from signpost.v1 import envelope_pb2
from tests.builders import DEPLOYMENT, NOON, a_face, a_frame, a_shot, a_vector, an_alert

KEY = bytes(range(32))
CIPHER = AesGcm()
SEALING = Sealing("oxford-street-1/frame/1", KEY, CIPHER)
GOLDEN = Path(__file__).parent / "golden"

times = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds, gives aware values
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
shots = st.builds(
    Shot,
    jpeg=st.binary(min_size=1, max_size=64),
    captured_at=times,
    box=st.builds(Box, float32, float32, float32, float32),
    quality=float32,
)


def _sealed_round_trip(event: FrameCaptured | FaceObserved, topic: str) -> object:
    raw = codec.encode_sealed(event, topic=topic, sealing=SEALING)
    return codec.open_sealed(codec.peek(raw, topic=topic), key=KEY, cipher=CIPHER)


@given(
    sequence=st.integers(2, 2**40),
    spare=st.integers(0, 2**40),
    at=times,
    jpeg=st.binary(min_size=1, max_size=256),
)
def test_a_frame_comes_out_as_it_went_in(sequence: int, spare: int, at: datetime, jpeg: bytes) -> None:
    frame = a_frame(
        sequence=sequence, read=sequence + spare, dropped_before=sequence // 2, captured_at=at, jpeg=jpeg
    )
    assert _sealed_round_trip(frame, "frames") == frame


@given(kept=st.lists(shots, min_size=1, max_size=5), at=times, seed=st.integers(0, 2**32 - 1))
def test_a_face_comes_out_as_it_went_in_to_the_last_bit(kept: list[Shot], at: datetime, seed: int) -> None:
    face = a_face(shots=tuple(kept), captured_at=at, vector=a_vector(seed=seed))
    read = _sealed_round_trip(face, "faces")
    assert read == face
    assert isinstance(read, FaceObserved)
    assert np.array_equal(read.vector, face.vector)


counts = st.dictionaries(st.tuples(st.text(max_size=12), st.text(max_size=12)), st.integers(0, 2**63), max_size=8)


@given(totals=counts, standing=counts)
def test_counts_come_out_as_they_went_in(
    totals: dict[tuple[str, str], int], standing: dict[tuple[str, str], int]
) -> None:
    event = StageCounts(
        deployment=DEPLOYMENT,
        trace_id="",
        captured_at=NOON,
        stage="embed",
        incarnation="embed-1",
        totals=totals,
        standing=standing,
    )
    read = codec.open_clear(codec.peek(codec.encode(event, topic="counts"), topic="counts"))
    assert read == event


def test_fields_that_a_newer_writer_added_survive_a_relay() -> None:
    frame = a_frame(extra=b"\xfa\x07\x03new")  # field 127, a string that this version does not know
    read = _sealed_round_trip(frame, "frames")
    assert isinstance(read, FrameCaptured)
    assert read.extra == frame.extra
    assert _sealed_round_trip(read, "frames") == frame


def test_a_sealed_part_moved_to_another_topic_does_not_open() -> None:
    raw = codec.encode_sealed(a_frame(), topic="frames", sealing=SEALING)
    with pytest.raises(Tampered):
        codec.open_sealed(codec.peek(raw, topic="faces"), key=KEY, cipher=CIPHER)


@pytest.mark.parametrize(
    "field", ["event_id", "trace_id", "deployment", "captured_at_us", "key_id", "schema_version", "body", "sealed"]
)
def test_one_altered_field_of_the_envelope_does_not_open(field: str) -> None:
    envelope = envelope_pb2.Envelope.FromString(codec.encode_sealed(a_frame(), topic="frames", sealing=SEALING))
    held = getattr(envelope, field)
    changed = held + b"\x00" if isinstance(held, bytes) else held + 1 if isinstance(held, int) else held + "x"
    setattr(envelope, field, changed)
    with pytest.raises(Tampered):
        codec.open_sealed(codec.peek(envelope.SerializeToString(), topic="frames"), key=KEY, cipher=CIPHER)


def test_another_key_does_not_open_and_is_told_from_altered_bytes() -> None:
    raw = codec.encode_sealed(a_frame(), topic="frames", sealing=SEALING)
    with pytest.raises(OtherKey):
        codec.open_sealed(codec.peek(raw, topic="frames"), key=bytes(32), cipher=CIPHER)


def test_an_event_with_a_face_is_never_written_in_clear() -> None:
    with pytest.raises(ValueError, match="never written in clear"):
        codec.encode(a_face(), topic="faces")


def test_a_plaintext_frame_put_on_the_topic_is_refused() -> None:
    envelope = envelope_pb2.Envelope.FromString(codec.encode_sealed(a_frame(), topic="frames", sealing=SEALING))
    envelope.ClearField("key_id")
    with pytest.raises(Undecodable, match="not sealed as its type must be"):
        codec.peek(envelope.SerializeToString(), topic="frames")


@given(raw=st.binary(max_size=200))
def test_noise_is_undecodable_and_nothing_worse(raw: bytes) -> None:
    with pytest.raises(Undecodable):
        codec.peek(raw, topic="frames")


@pytest.mark.parametrize("at_us", [2**62, -(2**62), -1, 253_402_300_800_000_000])
def test_a_time_outside_the_calendar_is_undecodable_and_does_not_stop_the_process(at_us: int) -> None:
    envelope = envelope_pb2.Envelope.FromString(codec.encode_sealed(a_frame(), topic="frames", sealing=SEALING))
    envelope.captured_at_us = at_us
    with pytest.raises(Undecodable):
        codec.peek(envelope.SerializeToString(), topic="frames")


@pytest.mark.parametrize("event", [a_frame(), a_face(), an_alert()], ids=lambda event: type(event).__name__)
def test_a_repr_shows_no_face_vector_or_score(event: FrameCaptured) -> None:
    shown = repr(event)
    for secret in ("jpeg", "vector", "shots", "raw_score", "score=", "threshold"):
        assert secret not in shown
    assert "jpeg" not in repr(a_shot())


@pytest.mark.parametrize("name", ["frame", "face", "alert"])
def test_bytes_written_by_version_1_still_decode(name: str) -> None:
    expected, topic = {
        # It knew no position: all its frames stand at the beginning of their run.
        "frame": (a_frame(position_s=0.0), "frames"),
        "face": (a_face(), "faces"),
        "alert": (an_alert(), "alerts"),
    }[name]
    raw = (GOLDEN / f"{name}.v1.bin").read_bytes()
    assert codec.open_sealed(codec.peek(raw, topic=topic), key=KEY, cipher=CIPHER) == expected
