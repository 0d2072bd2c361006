"""Films passages: cut-out portraits that cross a drawn street, 1280x720, the same bytes each time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from console.sample.passages import Passage
    from console.sample.sitters import Portrait

Picture = npt.NDArray[np.uint8]

WIDTH_PX, HEIGHT_PX = 1280, 720
# By lane, as on wide steps seen from above their foot: near people are larger and lower, and a head never hides
# another's, so that each passage is one a camera can see.
_FACE_PX = (112, 100, 90)
_LANE_TOP_PX = (430, 220, 25)
# Around a face, in face sizes: half a head above it, shoulders below and beside.
_ABOVE, _BELOW, _BESIDE = 0.75, 1.6, 1.1


@dataclass(frozen=True)
class _Cutout:
    """A person with a soft edge: RGB and how much of it covers the street (0 to 1)."""

    rgb: Picture
    cover: npt.NDArray[np.float32]


def _shape(rgb: Picture, face: tuple[float, float, float, float]) -> npt.NDArray[np.float32]:
    """Head and shoulders, blurred at the edge so that it casts no hard line a detector could take for one."""
    height, width = rgb.shape[:2]
    cover = np.zeros((height, width), np.float32)
    left, top, face_w, face_h = face
    middle = (int(left + face_w / 2), int(top + face_h * 0.42))
    cv2.ellipse(cover, middle, (int(face_w * 0.82), int(face_h * 0.86)), 0, 0, 360, 1.0, -1)
    shoulder = int(top + face_h * 1.25)
    cv2.ellipse(cover, (middle[0], height), (int(width * 0.46), height - shoulder + 8), 0, 180, 360, 1.0, -1)
    neck = int(face_w * 0.36)
    cv2.rectangle(cover, (middle[0] - neck, middle[1]), (middle[0] + neck, shoulder + 20), 1.0, -1)
    return np.asarray(cv2.GaussianBlur(cover, (0, 0), face_w * 0.05), np.float32)


@cache
def _cutout(folder: Path, portrait: Portrait, face_px: int) -> _Cutout:
    raw = cv2.imread(str(folder / portrait.file))
    if raw is None:
        raise FileNotFoundError(f"{portrait.file} is not in {folder}: run `make assets`")
    left, top, width, height = portrait.face
    scale = face_px / height
    x0, x1 = left - int(width * _BESIDE), left + width + int(width * _BESIDE)
    y0, y1 = top - int(height * _ABOVE), top + height + int(height * _BELOW)
    pad = max(0, -x0, -y0, x1 - raw.shape[1], y1 - raw.shape[0])
    padded = cv2.copyMakeBorder(raw, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    crop = padded[y0 + pad : y1 + pad, x0 + pad : x1 + pad]
    small = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    face = ((left - x0) * scale, (top - y0) * scale, width * scale, height * scale)
    rgb = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8)
    return _Cutout(rgb, _shape(rgb, face))


@cache
def street(seed: int) -> Picture:
    """An empty street: sky, wall with windows, pavement, a little noise; nothing like a face."""
    noise = np.random.default_rng(seed)
    picture = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.float32)
    picture[:] = np.linspace(205, 150, HEIGHT_PX, dtype=np.float32)[:, None, None] * (0.95, 1.0, 1.05)
    picture[430:] = np.linspace(120, 90, HEIGHT_PX - 430, dtype=np.float32)[:, None, None] * (1.0, 1.0, 0.98)
    for left in range(20 + 17 * seed % 60, WIDTH_PX, 160):
        picture[40:180, left : left + 90] *= 0.72
        picture[230:380, left : left + 90] *= 0.66
    for left in range(0, WIDTH_PX, 106):
        picture[430:, left : left + 3] *= 0.8
    picture += noise.normal(0, 5, picture.shape)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def frame(folder: Path, passages: Sequence[Passage], at_s: float, *, seed: int = 1) -> Picture:
    """The view at `at_s`: RGB, HEIGHT_PX x WIDTH_PX. `folder` holds the portraits' files."""
    view = street(seed).copy()
    # The farthest first, so that the near stand in front.
    for passage in sorted(passages, key=lambda passage: -passage.lane):
        progress = passage.progress(at_s)
        if progress is not None:
            _stand(view, _cutout(folder, passage.sitter.walks_as, _FACE_PX[passage.lane]), passage, progress)
    return view


def _stand(view: Picture, cutout: _Cutout, passage: Passage, progress: float) -> None:
    height, width = cutout.rgb.shape[:2]
    across = (1.0 - progress) if passage.leftwards else progress
    left = int((WIDTH_PX - width) * across)
    top = _LANE_TOP_PX[passage.lane] + int(4 * np.sin(progress * 18.0))
    height = min(height, HEIGHT_PX - top)
    there = view[top : top + height, left : left + width]
    cover = cutout.cover[:height, :, None]
    there[:] = there * (1 - cover) + cutout.rgb[:height] * cover


def frames(
    folder: Path, passages: Sequence[Passage], *, seconds: float, fps: int, seed: int = 1
) -> Iterator[Picture]:
    """Every view of a film, in order."""
    for number in range(round(seconds * fps)):
        yield frame(folder, passages, number / fps, seed=seed)


def write_film(
    path: Path, folder: Path, passages: Sequence[Passage], *, seconds: float, fps: int = 10, seed: int = 1
) -> None:
    """Write a film as H.264 in MP4. Blocks for about a tenth of the film's length."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "18", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.time_base = Fraction(1, fps)
        for view in frames(folder, passages, seconds=seconds, fps=fps, seed=seed):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(view, format="rgb24")))
        container.mux(stream.encode(None))
