"""The fixed content of the benchmarks: 720p walk-past, 5 frames a second a camera, passages of 3 s, as JPEG."""

from __future__ import annotations

from pathlib import Path

import simplejpeg

from console.sample import film
from console.sample.passages import PASSAGE_S, crowd

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


def clip(faces: int, *, camera: int = 0) -> list[bytes]:
    """One camera's clip as JPEGs, `faces` people in view at any time; cameras differ in who comes when."""
    passages = crowd(faces, seconds=CLIP_S, offset=camera)
    views = film.frames(PICTURES, passages, seconds=CLIP_S, fps=FPS, seed=1 + camera % 4)
    return [
        simplejpeg.encode_jpeg(view, quality=JPEG_QUALITY, colorspace="RGB", colorsubsampling="420")
        for view in views
    ]


def write_folders(home: Path, faces: int) -> list[Path]:
    """Every camera's clip as a folder of pictures; written once, then found."""
    folders = []
    for camera in range(CAMERAS):
        folder = home / f"faces-{faces}" / f"camera-{camera + 1}"
        folders.append(folder)
        if folder.exists():
            continue
        partial = folder.with_suffix(".partial")
        partial.mkdir(parents=True, exist_ok=True)
        for number, jpeg in enumerate(clip(faces, camera=camera)):
            (partial / f"{number:05d}.jpg").write_bytes(jpeg)
        partial.rename(folder)
    return folders
