"""Video files and RTSP streams through PyAV: decoded, not yet converted."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from services.ingest.core.order import Kind, ReadOrder
from services.ingest.core.reasons import Fault, Flaw
from services.ingest.edges.jpeg import Jpeg, encoded
from services.ingest.edges.still import Flawed, SourceFault, Still

# Packets in a row without a picture after which the stream is no video any more (about 20 s at 25 fps):
# lower and a bad radio link would end it, without it a garbage stream would count as alive.
_MAX_DAMAGED_IN_A_ROW = 500
# A playlist or an image pattern could name other files and hosts: only plain containers, only these ways in.
_FILE_FORMATS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,mjpeg,h264,hevc,ogg"
# What is read to know a stream is seen late, in one burst: no more of it than the parameters need.
_ANALYSE_US = "500000"
_RTSP_PROTOCOLS = "rtsp,rtsps,rtp,srtp,tcp,udp,tls"

_FAULTS: tuple[tuple[type[Exception], Fault], ...] = (
    (av.HTTPUnauthorizedError, Fault.UNAUTHORISED),
    (av.HTTPForbiddenError, Fault.UNAUTHORISED),
    (av.HTTPClientError, Fault.NOT_FOUND),
    (FileNotFoundError, Fault.NOT_FOUND),
    (ConnectionRefusedError, Fault.UNREACHABLE),
    (av.InvalidDataError, Fault.UNREADABLE),
    (av.ExitError, Fault.TIMED_OUT),  # av's own deadline ended the call
    (TimeoutError, Fault.TIMED_OUT),
    (MemoryError, Fault.TOO_LARGE),
)


def stills(order: ReadOrder) -> Iterator[Still]:
    """Every frame the source gives, in order; one thread, blocks up to `timeout_s` a frame. Raises SourceFault."""
    try:
        with closing(_opened(order)) as container:
            stream = _video(container)
            _check_size(stream, order)
            yield from _frames(container, stream, order)
    except (av.FFmpegError, OSError, MemoryError, ValueError) as error:
        raise SourceFault(_fault_of(error, order.source)) from None
    if order.source is Kind.RTSP:
        raise SourceFault(Fault.STREAM_ENDED)


def _opened(order: ReadOrder) -> InputContainer:
    if order.source is Kind.FILE:
        _check_file(Path(order.address))
        options = {"protocol_whitelist": "file", "format_whitelist": _FILE_FORMATS}
        return av.open(f"file:{order.address}", options=options)
    options = {
        "rtsp_transport": order.transport,
        "protocol_whitelist": _RTSP_PROTOCOLS,
        "allowed_media_types": "video",
        "timeout": str(int(order.timeout_s * 1e6)),
        "analyzeduration": _ANALYSE_US,
    }
    return av.open(order.address, format="rtsp", options=options, timeout=order.timeout_s)


def _check_file(path: Path) -> None:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise SourceFault(Fault.NOT_A_FILE)  # opening a pipe would wait for its writer
    if found.st_size == 0:
        raise SourceFault(Fault.EMPTY)


def _video(container: InputContainer) -> VideoStream:
    if not container.streams.video:
        raise SourceFault(Fault.NO_VIDEO)
    stream = container.streams.video[0]
    # Many cameras share the machine: one thread each, and none of a frame thread's latency.
    stream.codec_context.thread_count = 1
    return stream


def _check_size(stream: VideoStream, order: ReadOrder) -> None:
    if stream.codec_context.width * stream.codec_context.height > order.max_source_px:
        raise SourceFault(Fault.TOO_LARGE)
    # The stream may change its size later: the decoder itself then refuses.
    stream.codec_context.options = {"max_pixels": str(order.max_source_px)}


def _frames(container: InputContainer, stream: VideoStream, order: ReadOrder) -> Iterator[Still]:
    if order.start_s > 0:
        container.seek(int(order.start_s * av.time_base))  # to the key frame before; the rest is skipped
    damaged = in_a_row = 0
    clock = _StreamClock(stream)
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            damaged, in_a_row = damaged + 1, in_a_row + 1
            if in_a_row >= _MAX_DAMAGED_IN_A_ROW:
                raise SourceFault(Fault.UNREADABLE) from None
            continue
        for frame in frames:
            in_a_row = 0
            yield Still(clock.position_s(frame), partial(_converted, frame, order), damaged)
    if damaged and clock.frames == 0:
        raise SourceFault(Fault.UNREADABLE)


class _StreamClock:
    """Positions of frames: their PTS, or where they have none a step on from the last. One thread."""

    def __init__(self, stream: VideoStream) -> None:
        self.frames = 0
        self._step_s = float(1 / (stream.average_rate or stream.guessed_rate or 25))
        self._last_s = 0.0

    def position_s(self, frame: VideoFrame) -> float:
        pts: int | None = frame.pts
        at_s = self._last_s + self._step_s if pts is None else frame.time
        self.frames += 1
        self._last_s = at_s
        return at_s


def _converted(frame: VideoFrame, order: ReadOrder) -> Jpeg:
    if frame.width * frame.height > order.max_source_px:
        raise Flawed(Flaw.PICTURE_TOO_LARGE)
    try:
        return encoded(frame, max_side_px=order.max_side_px, quality=order.jpeg_quality)
    except (ValueError, OSError, MemoryError, av.FFmpegError):
        raise Flawed(Flaw.PICTURE_UNREADABLE) from None


def _fault_of(error: Exception, source: Kind) -> Fault:
    for kind, fault in _FAULTS:
        if isinstance(error, kind):
            return fault
    return Fault.UNREACHABLE if source is Kind.RTSP else Fault.UNREADABLE
