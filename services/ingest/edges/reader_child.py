"""A camera read by a process of its own, from ingest's side."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import sys
import time

from services.contracts.authority import Camera, Pace
from services.ingest.core import wire
from services.ingest.core.order import Kind, ReadOrder
from services.ingest.core.readings import Ended, Reading
from services.ingest.core.reasons import Fault

_COMMAND = (sys.executable, "-m", "services.ingest.edges.reader_main")
# Room for a few pictures, so that a reader need not be woken for every 64 KiB of one.
_PIPE_BYTES = 1024 * 1024
_PIECE_BYTES = 256 * 1024
# A killed process is gone in a moment; one in an unkillable read of a dead disk is left to the system.
_REAP_S = 2.0


class ReaderProcesses:
    """`Sources`: each camera in a child process that is killed on stop and dies with the calling thread."""

    def __init__(self, *, timeout_s: float, max_source_px: int) -> None:
        self._timeout_s = timeout_s
        self._max_source_px = max_source_px

    def open(self, camera: Camera, *, start_s: float = 0.0) -> ReaderProcess:
        return ReaderProcess(
            ReadOrder(
                parent=os.getpid(),
                source=Kind(camera.source.value),
                address=camera.address,
                transport=camera.transport,
                rate_fps=camera.rate_fps,
                max_side_px=camera.max_side_px,
                jpeg_quality=camera.jpeg_quality,
                loop=camera.loop,
                start_s=start_s,
                real_time=camera.pace is Pace.REAL_TIME,
                timeout_s=self._timeout_s,
                max_source_px=self._max_source_px,
            )
        )


class ReaderProcess:
    """`Source` over a pipe. Read by the thread that made it; the system kills it when that thread ends."""

    def __init__(self, order: ReadOrder) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell, nothing of a user in it
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # libav writes addresses there.
            stderr=subprocess.DEVNULL,
            # It reads what strangers send: it gets the way to our code, and none of our addresses and secrets.
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        assert self._process.stdin and self._process.stdout  # noqa: S101 - PIPE was asked for; narrows for the checker
        self._pipe = self._process.stdout
        fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._decoder = wire.Decoder()
        self._ready: list[Reading] = []
        self._send(order)

    def next(self, timeout_s: float) -> Reading | None:
        until_s = time.monotonic() + timeout_s
        while not self._ready:
            left_s = max(0.0, until_s - time.monotonic())
            if not select.select([self._pipe], [], [], left_s)[0]:
                return None
            self._ready = self._received()[::-1]
        return self._ready.pop()

    def stop(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.kill()
        self._pipe.close()
        try:
            self._process.wait(_REAP_S)
        except subprocess.TimeoutExpired:
            return

    def _send(self, order: ReadOrder) -> None:
        assert self._process.stdin  # noqa: S101
        try:
            with self._process.stdin as stdin:
                stdin.write(order.to_line())
        except BrokenPipeError:
            return  # it died at once; the end of its output says so

    def _received(self) -> list[Reading]:
        piece = os.read(self._pipe.fileno(), _PIECE_BYTES)
        if not piece:
            return [Ended(Fault.READER_DIED)]
        try:
            return self._decoder.feed(piece)
        except wire.Garbled:
            self.stop()
            return [Ended(Fault.READER_DIED)]
