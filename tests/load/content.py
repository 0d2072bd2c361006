"""The fixed content of the benchmarks: 720p walk-past, 5 frames a second a camera, passages of 3 s, as JPEG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import simplejpeg

from console.sample import film
from console.sample.passages import PASSAGE_S, crowd
from console.sample.sitters import EVERYBODY, PASSERS_BY, Sitter

PICTURES = Path(".cache/assets/pictures")
MODELS = Path(".cache/assets/models")
CAMERAS = 16
FPS = 5
CLIP_S = 4 * PASSAGE_S
JPEG_QUALITY = 85

DESCRIPTION = {
    "size": f"{film.WIDTH_PX}x{film.HEIGHT_PX}",
    "cameras": CAMERAS,
    "fps_a_camera": FPS,
    "passage_s": PASSAGE_S,
    "clip_s": CLIP_S,
    "jpeg_quality": JPEG_QUALITY,
}


def clip(faces: int, *, camera: int = 0, people: Sequence[Sitter] = EVERYBODY) -> list[bytes]:
    """One camera's clip as JPEGs, `faces` of `people` in view at any time; cameras differ in who comes when."""
    passages = crowd(faces, seconds=CLIP_S, offset=camera, people=people)
    views = film.frames(PICTURES, passages, seconds=CLIP_S, fps=FPS, seed=1 + camera % 4)
    return [
        simplejpeg.encode_jpeg(view, quality=JPEG_QUALITY, colorspace="RGB", colorsubsampling="420")
        for view in views
    ]


def write_folders(home: Path, faces: int, *, seeing_listed: int = CAMERAS) -> list[Path]:
    """Every camera's clip as a folder of pictures; written once, then found. The first `seeing_listed` cameras see
    everybody, the others those who are on no list."""
    folders = []
    for camera in range(CAMERAS):
        people = EVERYBODY if camera < seeing_listed else PASSERS_BY
        folder = home / f"faces-{faces}-of-{len(people)}" / f"camera-{camera + 1}"
        folders.append(folder)
        if folder.exists():
            continue
        partial = folder.with_suffix(".partial")
        partial.mkdir(parents=True, exist_ok=True)
        for number, jpeg in enumerate(clip(faces, camera=camera, people=people)):
            (partial / f"{number:05d}.jpg").write_bytes(jpeg)
        partial.rename(folder)
    return folders
