"""Pictures and videos made for the tests: nobody is in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import simplejpeg
from av.container import OutputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
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
    path: Path,
    *,
    seconds: float = 2.0,
    fps: int = 25,
    width_px: int = 320,
    height_px: int = 240,
    codec: str = "libx264",
    pixels: str = "yuv420p",
) -> Path:
    """A video, of H.264 if nothing else is said, whose picture changes with every frame."""
    with av.open(str(path), "w") as container:
        stream = _moving(container, codec, fps, width_px, height_px, pixels)
        stream.options = {"preset": "ultrafast", "g": str(fps)} if codec == "libx264" else {}
        for number in range(int(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(a_picture(number * 3, width_px, height_px), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_streams(path: Path, *, widths_px: Sequence[int] = (), sleeve: bool = False) -> Path:
    """Two seconds of silence; with a video stream of each width, or a still picture as a song has one."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        videos = [_moving(container, "libx264", 25, width, width * 3 // 4, "yuv420p") for width in widths_px]
        if sleeve:
            videos = [_moving(container, "mjpeg", 1, 320, 240, "yuvj420p")]
            videos[0].disposition = Disposition.attached_pic
        for number in range(1 if sleeve else 50):
            for video in videos:
                shown = a_picture(number * 3, video.width, video.height)
                container.mux(video.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        for number in range(50):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.float32), "fltp", "mono")
            silence.sample_rate, silence.pts = 48_000, number * 1920
            container.mux(sound.encode(silence))
        for video in videos:
            container.mux(video.encode())
        container.mux(sound.encode())
    return path


def _moving(
    container: OutputContainer, codec: str, fps: int, width_px: int, height_px: int, pixels: str
) -> VideoStream:
    stream = container.add_stream(codec, rate=fps)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = width_px, height_px, pixels
    return stream
