"""A picture's frame fits its topic, or the picture is made smaller."""

from __future__ import annotations

from datetime import UTC, datetime

from services.contracts import codec, ids, topics
from services.ingest.core.sizes import MOST_JPEG_BYTES, attempts
from services.runtime.keys.cipher import AesGcm
from tests.builders import a_frame

_LONGEST = 2**63 - 1


def test_the_largest_picture_that_is_let_through_makes_a_record_that_its_topic_takes() -> None:
    """Beside names of 63 characters and numbers of 63 bits: the limit stood beside the topic's, and above it."""
    frame = a_frame(
        deployment=ids.DeploymentId("d" * 63),
        camera=ids.CameraId("c" * 63),
        captured_at=datetime(8999, 12, 31, tzinfo=UTC),
        lease=_LONGEST,
        epoch=_LONGEST,
        sequence=_LONGEST - 1,
        read=_LONGEST,
        dropped_before=_LONGEST - 2,
        jpeg=bytes(MOST_JPEG_BYTES),
    )
    sealing = codec.Sealing("k" * 200, bytes(32), AesGcm())
    raw = codec.encode_sealed(frame, topic=topics.FRAMES.name, sealing=sealing)
    assert topics.FRAMES.max_value_bytes - 2048 < len(raw) <= topics.FRAMES.max_value_bytes


def test_a_picture_is_made_coarser_before_it_is_made_smaller() -> None:
    assert list(attempts(85, 200)) == [(85, 200), (70, 200), (50, 200), (35, 200), (35, 150), (35, 112), (35, 84)]


def test_what_was_asked_to_be_coarse_is_never_made_finer() -> None:
    assert [quality for quality, _ in attempts(40, 100)] == [40, 35, 35]
