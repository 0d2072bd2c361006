"""Video files and RTSP streams through PyAV: decoded, not yet converted."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import av
import simplejpeg
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from services.ingest.core.file_time import MOST_GAP_S
from services.ingest.core.order import Kind, ReadOrder
from services.ingest.core.reasons import Fault, Flaw
from services.ingest.edges.frame_orientation import Orientations
from services.ingest.edges.jpeg import Jpeg, encoded
from services.ingest.edges.still import Flawed, SourceFault, Still

# Packets in a row without a picture after which the stream is no video any more (about 20 s at 25 fps):
# lower and a bad radio link would end it, without it a garbage stream would count as alive.
_MAX_DAMAGED_IN_A_ROW = 500
# A playlist or an image pattern could name other files and hosts: only plain containers, only these ways in.
_FILE_FORMATS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,mjpeg,h264,hevc,obu,ivf,ogg,dhav,mxf,dv"
# What is read to know a stream is seen late, in one burst: no more of it than the parameters need.
_ANALYSE_US = "500000"
# Packets that may be waited for when one is missing; those that come in order wait for none.
_REORDERED = "500"
_RTSP_PROTOCOLS = "rtsp,rtp,tcp"

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
        yield from _from_start(order) if order.start_s > 0 else _played(order)
    except (av.FFmpegError, OSError, MemoryError, ValueError) as error:
        raise SourceFault(_fault_of(error, order.source)) from None
    if order.source is Kind.RTSP:
        raise SourceFault(Fault.STREAM_ENDED)


def _from_start(order: ReadOrder) -> Iterator[Still]:
    """From the key frame before `start_s`; from the beginning where the file's clock does not lead there."""
    with closing(_played(order, seek=True)) as frames:
        first = next(frames, None)
        if first is not None and first.stamped and 0 <= first.position_s <= order.start_s + MOST_GAP_S:
            yield first
            yield from frames
            return
    yield from _played(order)


def _played(order: ReadOrder, *, seek: bool = False) -> Generator[Still]:
    with closing(_opened(order)) as container:
        stream = _video(container)
        _check_size(stream, order)
        if seek:
            with suppress(av.FFmpegError):  # a bare stream cannot: the frames then come from the beginning
                container.seek(int(order.start_s * av.time_base) + (container.start_time or 0))
        yield from _frames(container, stream, order)


def _opened(order: ReadOrder) -> InputContainer:
    if order.source is Kind.FILE:
        assert order.held is not None  # noqa: S101 - see reader_main._held; narrows for the checker
        os.lseek(order.held, 0, os.SEEK_SET)  # a loop's next round
        options = {"fd": str(order.held), "protocol_whitelist": "fd", "format_whitelist": _FILE_FORMATS}
        return av.open("fd:", options=options)
    options = {
        # Whichever way they come to the link.
        "rtsp_transport": "tcp",
        "reorder_queue_size": _REORDERED if order.transport == "udp" else "0",
        "protocol_whitelist": _RTSP_PROTOCOLS,
        "allowed_media_types": "video",
        "timeout": str(int(order.timeout_s * 1e6)),
        "analyzeduration": _ANALYSE_US,
    }
    return av.open(order.address, format="rtsp", options=options, timeout=order.timeout_s)


def warm_up() -> None:
    """Once through all of it: what libraries load at their first use cannot be loaded by a confined process."""
    frame = VideoFrame(16, 16, "yuvj420p")
    once = encoded(frame, max_side_px=16, quality=85)
    with av.open(io.BytesIO(once.content), "r", format="mjpeg") as container:
        for found in container.decode(video=0):
            encoded(found, max_side_px=16, quality=85)
    simplejpeg.decode_jpeg(once.content)


def opened_file(path: Path) -> int:
    """The descriptor of a video file. Raises SourceFault."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would wait for its writer
    except OSError as error:
        raise SourceFault(_fault_of(error, Kind.FILE)) from None
    found = os.fstat(opened)
    if not stat.S_ISREG(found.st_mode):
        raise SourceFault(Fault.NOT_A_FILE)
    if found.st_size == 0:
        raise SourceFault(Fault.EMPTY)
    return opened


def _video(container: InputContainer) -> VideoStream:
    """The largest picture that moves: a file may have a title's picture, or a small copy of itself, before it."""
    moving = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    if not moving:
        raise SourceFault(Fault.NO_VIDEO)
    # A codec that is unknown here has no context, whatever the stubs say.
    known = [one for one in moving if getattr(one, "codec_context", None) is not None]
    if not known:
        raise SourceFault(Fault.UNREADABLE)
    stream = max(known, key=lambda one: one.codec_context.width * one.codec_context.height)
    # Many cameras share the machine: one thread each, and none of a frame thread's latency.
    stream.codec_context.thread_count = 1
    return stream


def _check_size(stream: VideoStream, order: ReadOrder) -> None:
    if stream.codec_context.width * stream.codec_context.height > order.max_source_px:
        raise SourceFault(Fault.TOO_LARGE)
    # The stream may change its size later: the decoder itself then refuses.
    stream.codec_context.options = {"max_pixels": str(order.max_source_px)}


def _frames(container: InputContainer, stream: VideoStream, order: ReadOrder) -> Iterator[Still]:
    damaged = in_a_row = 0
    clock, turned = _StreamClock(stream), Orientations()
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except av.FFmpegError:  # each decoder says in its own way that a packet is broken
            damaged, in_a_row = damaged + 1, in_a_row + 1
            if in_a_row >= _MAX_DAMAGED_IN_A_ROW:
                raise SourceFault(Fault.UNREADABLE) from None
            continue
        for frame in frames:
            in_a_row = 0
            position_s, stamped = clock.position_s(frame)
            load = partial(_converted, frame, order, turned, float(stream.sample_aspect_ratio or 1))
            yield Still(position_s, load, damaged, stamped=stamped, step_s=clock.step_s)
    if damaged and clock.frames == 0:
        raise SourceFault(Fault.UNREADABLE)


class _StreamClock:
    """What is stamped on frames: their PTS since the stream's first, or a step on from the last. One thread."""

    def __init__(self, stream: VideoStream) -> None:
        self.frames = 0
        # Of a file whose clock jumps the average is over the jump too: what the codec says comes first.
        self.step_s = float(1 / (stream.guessed_rate or stream.average_rate or 25))
        self._began_s = float((stream.start_time or 0) * (stream.time_base or 0))
        self._last_s = 0.0

    def position_s(self, frame: VideoFrame) -> tuple[float, bool]:
        """The stamp, and whether there was one."""
        stamped = frame.pts is not None and frame.time is not None
        at_s = frame.time - self._began_s if stamped else self._last_s + self.step_s
        self.frames += 1
        self._last_s = at_s
        return at_s, stamped


def _converted(frame: VideoFrame, order: ReadOrder, turned: Orientations, pixel_aspect: float) -> Jpeg:
    if frame.width * frame.height > order.max_source_px:
        raise Flawed(Flaw.PICTURE_TOO_LARGE)
    try:
        return encoded(
            frame,
            max_side_px=order.max_side_px,
            quality=order.jpeg_quality,
            shown=turned.of(frame).then(order.quarters),
            pixel_aspect=pixel_aspect,
        )
    except (ValueError, OSError, MemoryError, av.FFmpegError):
        raise Flawed(Flaw.PICTURE_UNREADABLE) from None


def _fault_of(error: Exception, source: Kind) -> Fault:
    for kind, fault in _FAULTS:
        if isinstance(error, kind):
            return fault
    return Fault.UNREACHABLE if source is Kind.RTSP else Fault.UNREADABLE
