"""Pictures that do not compress."""

from __future__ import annotations

import numpy as np
import pytest
import simplejpeg
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from services.ingest.core.sizes import MOST_JPEG_BYTES
from services.ingest.edges.jpeg import encoded


def noise(width_px: int, height_px: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)


def as_frame(pixels: NDArray[np.uint8]) -> VideoFrame:
    return VideoFrame.from_ndarray(pixels, format="rgb24")


def test_noise_at_full_size_is_encoded_coarser_until_its_frame_fits() -> None:
    """2,090,804 bytes at the usual quality: Kafka's client refused it, and every camera of the ingest ended."""
    found = encoded(as_frame(noise(1920, 1440)), max_side_px=1920, quality=85)
    assert len(found.content) <= MOST_JPEG_BYTES
    assert (found.width_px, found.height_px) == (1920, 1440)
    assert simplejpeg.decode_jpeg_header(found.content)[:2] == (1440, 1920)


def test_what_no_quality_brings_under_the_limit_is_made_smaller() -> None:
    found = encoded(as_frame(noise(640, 480)), max_side_px=640, quality=85, most_bytes=20_000)
    assert len(found.content) <= 20_000
    assert found.width_px < 640
    assert simplejpeg.decode_jpeg_header(found.content)[:2] == (found.height_px, found.width_px)


def test_a_picture_that_fits_is_encoded_as_it_was_asked_for() -> None:
    """What made the noise fit must cost nothing where nothing is wrong."""
    plain = as_frame(np.full((480, 640, 3), 90, np.uint8))
    assert encoded(plain, max_side_px=640, quality=85) == encoded(
        plain, max_side_px=640, quality=85, most_bytes=10**9
    )


def test_where_nothing_fits_that_is_said() -> None:
    with pytest.raises(ValueError, match="10 bytes"):
        encoded(as_frame(noise(64, 64)), max_side_px=64, quality=85, most_bytes=10)
