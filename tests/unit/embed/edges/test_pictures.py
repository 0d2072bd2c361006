"""Decoding with limits, and pictures in which nobody else can be recognised."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from services.contracts import topics
from services.contracts.errors import Permanent
from services.embed.edges import pictures

Image = NDArray[np.uint8]
NOBODY = np.empty((0, 4), np.float32)


def noise(width: int, height: int) -> Image:
    return np.random.default_rng(7).integers(0, 255, (height, width, 3)).astype(np.uint8)


def jpeg(image: Image) -> bytes:
    return bytes(simplejpeg.encode_jpeg(image, quality=90, colorspace="BGR"))


def corners(*edges: float) -> NDArray[np.float32]:
    return np.array(edges, np.float32)


def test_half_the_size_is_decoded_where_that_is_enough() -> None:
    assert pictures.decode(jpeg(noise(1280, 720)), at_least=(640, 360)).shape == (360, 640, 3)
    assert pictures.decode(jpeg(noise(1280, 720))).shape == (720, 1280, 3)


def test_a_picture_is_never_decoded_smaller_than_asked_for() -> None:
    height, width, _ = pictures.decode(jpeg(noise(1000, 700)), at_least=(640, 384)).shape
    assert width >= 640
    assert height >= 384


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    """A JPEG of a few kilobytes can unpack to gigabytes."""
    with pytest.raises(Permanent, match="at most 1000 pixels") as refused:
        pictures.decode(jpeg(np.zeros((100, 100, 3), np.uint8)), max_pixels=1000)
    assert refused.value.reason == "too_large"


@pytest.mark.parametrize("raw", [b"", b"\xff\xd8\xff", b"GIF89a", jpeg(noise(64, 64))[:-200]])
def test_what_is_no_whole_jpeg_is_refused(raw: bytes) -> None:
    with pytest.raises(Permanent) as refused:
        pictures.decode(raw)
    assert refused.value.reason == "not_a_picture"


def test_a_neighbour_in_the_picture_is_blurred_and_the_face_itself_is_not() -> None:
    image = noise(800, 400)
    own, other = corners(300, 150, 340, 190), corners(360, 150, 400, 190)
    context, clear = (pictures.cut_context(image, own, boxes) for boxes in (other[None], NOBODY))
    face, neighbour = (slice(120, 160), slice(120, 160)), (slice(120, 160), slice(180, 220))
    assert np.array_equal(clear[face], image[150:190, 300:340])
    assert np.array_equal(context[face], clear[face])
    assert context[neighbour].std() < clear[neighbour].std() / 3


def test_where_two_faces_overlap_the_one_looked_at_stays_clear() -> None:
    image = noise(400, 400)
    own = corners(100, 100, 180, 180)
    crop = pictures.cut_crop(image, own, corners(160, 100, 240, 180)[None])
    assert np.array_equal(crop[48:128, 48:128], image[100:180, 100:180])
    assert not np.array_equal(crop[60:100, 135:170], image[112:152, 187:222])


def test_no_face_of_a_blurred_neighbour_can_be_told_from_its_averages() -> None:
    """Two different faces leave at most sixteen colours each: that is no likeness."""
    image = noise(200, 200)
    pictures.blur(image, (0, 0, 200, 200))
    blocks = cv2.resize(image, (4, 4), interpolation=cv2.INTER_AREA)
    rebuilt = cv2.resize(blocks, (200, 200), interpolation=cv2.INTER_LINEAR)
    assert np.abs(rebuilt.astype(int) - image).mean() < 4


def test_boxes_that_reach_beyond_the_picture_are_cut_at_its_edge() -> None:
    image = noise(300, 200)
    crop = pictures.cut_crop(image, corners(-40, -30, 50, 60), corners(280, 180, 400, 300)[None])
    assert crop.size > 0
    assert pictures.encode_crop(crop).startswith(b"\xff\xd8")


def test_what_is_cut_is_a_copy() -> None:
    """The frame is overwritten after use; a shot that shared its memory would go with it."""
    image = noise(300, 200)
    crop = pictures.cut_crop(image, corners(50, 50, 100, 100), NOBODY)
    image[:] = 0
    assert crop.any()


def test_a_crop_that_does_not_compress_is_made_to_fit_a_faces_record() -> None:
    """A face before a cloth of fine dots: four such crops were a record that ended the worker."""
    dots = (np.random.default_rng(3).integers(0, 2, (720, 720, 3)) * 255).astype(np.uint8)
    crop, context = pictures.encode_crop(dots), pictures.encode_context(dots)
    assert len(crop) <= pictures.MOST_CROP_BYTES
    assert len(context) <= pictures.MOST_CONTEXT_BYTES
    assert pictures.decode(crop).shape == (540, 540, 3)
    assert pictures.decode(pictures.encode_crop(noise(720, 720))).shape == (720, 720, 3), "coarser is enough"


def test_four_crops_and_their_context_fit_a_faces_record() -> None:
    assert topics.FACES.max_value_bytes > 4 * pictures.MOST_CROP_BYTES + pictures.MOST_CONTEXT_BYTES + 8192
