"""Pictures and videos made for the tests: nobody is in them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import simplejpeg
from numpy.typing import NDArray


def a_picture(shade: int = 100, width_px: int = 320, height_px: int = 240) -> NDArray[np.uint8]:
    pixels = np.full((height_px, width_px, 3), shade % 256, np.uint8)
    pixels[height_px // 4 : height_px // 2, width_px // 4 : width_px // 2] = (200, 30, 30)
    return pixels


def write_jpegs(folder: Path, count: int, **size: int) -> Path:
    """A folder of `count` pictures, named in order."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        content = simplejpeg.encode_jpeg(a_picture(number * 10, **size))
        (folder / f"{number:03}.jpg").write_bytes(content)
    return folder


def write_png(path: Path, **size: int) -> None:
    frame = av.VideoFrame.from_ndarray(a_picture(**size), format="rgb24")
    codec = av.CodecContext.create("png", "w")
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, "rgb24"
    path.write_bytes(b"".join(bytes(packet) for packet in codec.encode(frame)))


def write_video(
    path: Path, *, seconds: float = 2.0, fps: int = 25, width_px: int = 320, height_px: int = 240
) -> Path:
    """An H.264 video whose picture changes with every frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": str(fps)}
        for number in range(int(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(a_picture(number * 3, width_px, height_px), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
