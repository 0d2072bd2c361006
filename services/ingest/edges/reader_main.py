"""The reader process: reads one source to its end and writes readings to its standard output.

`python -m services.ingest.edges.reader_main`, started by `reader_child`, which also says over standard input
what to read. In a process of its own because a read that hangs in libav can only be killed, because a file that
crashes a decoder shall crash nothing else, and because who takes a decoder over shall find nothing there: before
the first byte of a source is read it gives up every file, every new socket and every program (`confinement.py`).
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from services.ingest.core import order as orders
from services.ingest.core import wire
from services.ingest.core.file_time import FileTime
from services.ingest.core.live_time import LiveTime
from services.ingest.core.moment import Moment
from services.ingest.core.order import Kind, ReadOrder
from services.ingest.core.readings import Ended, Looped, Opening, Parted, Picture, Progress, Reading, Spoilt
from services.ingest.core.reasons import ClockFault, Fault
from services.ingest.core.syscall_filter import LOOKING, OPENING
from services.ingest.edges import child, folder_pictures, video_av
from services.ingest.edges.confinement import available, confine
from services.ingest.edges.local_bridge import LocalBridge
from services.ingest.edges.still import Flawed, SourceFault, Still

# How often life is shown while nothing is sampled; must stay well below the stall timeout (1 s at least).
_PROGRESS_EVERY_S = 0.3
# Where the filter of system calls says that a new socket is.
_ONLY_SOCKET = 0
# Address space, which stops what slips past the size checks: what the libraries map by themselves (0.3 GiB
# measured), and for each admitted pixel what a decoder may hold (H.264 keeps 16 frames of 1.5 bytes).
_OWN_SPACE_BYTES = 1024**3
_SPACE_BYTES_A_PIXEL = 32

_STILLS: dict[Kind, Callable[[ReadOrder], Iterator[Still]]] = {
    Kind.RTSP: video_av.stills,
    Kind.FILE: video_av.stills,
    Kind.FOLDER: folder_pictures.stills,
}


def main() -> None:
    """Read one order, carry it out, end. A full pipe holds the reading up; a closed one ends it."""
    order = orders.from_line(sys.stdin.buffer.readline())
    child.belong_to(order.parent, space_bytes=_OWN_SPACE_BYTES + _SPACE_BYTES_A_PIXEL * order.max_source_px)
    write = _writer()
    write(Opening())
    try:
        video_av.warm_up()
        order = _confine(_held(order))
        _Reader(order, write).play()
    except SourceFault as raised:
        write(Ended(raised.fault))
    else:
        write(Ended())


class _Reader:
    """Plays a source, once or over and over. One thread."""

    def __init__(self, order: ReadOrder, write: Callable[[Reading], None]) -> None:
        self._order = order
        self._write = write
        self._shown_at_s = 0.0
        self._parted: Counter[ClockFault] = Counter()

    def play(self) -> None:
        """Raises SourceFault."""
        self._play_once()
        while self._order.loop:
            self._write(Looped())
            self._play_once()

    def _play_once(self) -> None:
        order = self._order
        pace = _Pace(self._show, rate_fps=order.rate_fps)
        paced = order.real_time and order.source is not Kind.RTSP
        look = _clock(order)
        read = damaged = 0
        position_s: float | None = None
        for still in _STILLS[order.source](order):
            moment = look(still)
            position_s, damaged = moment.position_s, still.damaged
            shown = position_s < order.start_s  # by an earlier holder; it is read all the same
            if paced and not shown:
                pace.wait_for(position_s, read, damaged)
            read += 1
            if moment.parted is not None:
                self._parted[moment.parted] += 1
            if moment.takes and not shown:
                self._write(_sampled(still, position_s, read))
                self._say_parted(position_s)
                self._shown_at_s = time.monotonic()
            else:
                self._show(position_s, read, damaged)
        if position_s is None:
            raise SourceFault(Fault.UNREADABLE)
        if paced:
            pace.wait_out(position_s, read, damaged)
        # The frames read since the last sign of life count too.
        self._write(Progress(position_s, read, damaged))
        self._say_parted(position_s)

    def _say_parted(self, position_s: float) -> None:
        for fault, times in self._parted.items():
            self._write(Parted(position_s, fault, times))
        self._parted.clear()

    def _show(self, position_s: float, read: int, damaged: int) -> None:
        now_s = time.monotonic()
        if now_s - self._shown_at_s >= _PROGRESS_EVERY_S:
            self._shown_at_s = now_s
            self._write(Progress(position_s, read, damaged))
            self._say_parted(position_s)


def _clock(order: ReadOrder) -> Callable[[Still], Moment]:
    """What makes moments of one play's frames, in order: a stream's by arrival too, a file's by its stamps."""
    if order.source is Kind.RTSP:
        live = LiveTime(order.rate_fps)
        return lambda still: live.look(still.position_s if still.stamped else None, time.monotonic())
    file: FileTime | None = None

    def look(still: Still) -> Moment:
        nonlocal file
        if file is None:
            # Where a file is gone on with, its first frame stands at the key frame that was sought.
            start_s = still.position_s if order.start_s > 0 and still.stamped else 0.0
            file = FileTime(order.rate_fps, step_s=still.step_s, start_s=start_s)
        return file.look(still.position_s if still.stamped else None)

    return look


def _sampled(still: Still, position_s: float, read: int) -> Picture | Spoilt:
    captured_at = datetime.now(UTC)
    try:
        jpeg = still.load()
    except Flawed as flawed:
        return Spoilt(position_s, read, flawed.flaw)
    return Picture(captured_at, position_s, read, jpeg.width_px, jpeg.height_px, jpeg.content)


class _Pace:
    """Holds a file or folder to its own time, showing life while it waits."""

    def __init__(self, show: Callable[[float, int, int], None], *, rate_fps: float) -> None:
        self._show = show
        self._least_step_s = 1 / rate_fps
        self._began_s: float | None = None
        self._last_s = self._step_s = 0.0

    def wait_for(self, position_s: float, read: int, damaged: int) -> None:
        """Block until the source's time is `position_s`."""
        if self._began_s is None:
            self._began_s = time.monotonic() - position_s
        self._last_s, self._step_s = position_s, max(0.0, position_s - self._last_s)
        while (left_s := self._began_s + position_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _PROGRESS_EVERY_S))
            self._show(min(position_s, time.monotonic() - self._began_s), read, damaged)

    def wait_out(self, position_s: float, read: int, damaged: int) -> None:
        """Block until the last frame has been shown as long as the one before it."""
        self.wait_for(position_s + (self._step_s or self._least_step_s), read, damaged)


def _held(order: ReadOrder) -> ReadOrder:
    """The order with its source open. Raises SourceFault."""
    if order.source is Kind.FILE:
        return replace(order, held=video_av.opened_file(Path(order.address)))
    if order.held is not None:  # the way to a camera
        os.dup2(order.held, _ONLY_SOCKET)
        os.close(order.held)
    return order


def _confine(order: ReadOrder) -> ReadOrder:
    """Keep nothing but what is open, and a folder's pictures; the order as it is carried out then."""
    if order.source is Kind.FOLDER:
        confine(readable=folder_pictures.readable(Path(order.address)), besides=OPENING)
    elif order.source is Kind.FILE:
        confine(besides=LOOKING)
    elif available().calls:
        confine(one_socket=True)
    else:
        bridge = LocalBridge(_ONLY_SOCKET)
        confine(tcp=True)
        order = replace(order, address=bridge.begin())
    return order


def _writer() -> Callable[[Reading], None]:
    """Writes to what was standard output; whatever else writes there goes nowhere from now on."""
    pipe = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)

    def write(reading: Reading) -> None:
        rest = memoryview(wire.encode(reading))
        while rest:
            rest = rest[pipe.write(rest) :]

    return write


if __name__ == "__main__":
    main()
