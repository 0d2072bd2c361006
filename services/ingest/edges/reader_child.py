"""A camera read by processes of its own, from ingest's side: one decodes; for a network camera one connects."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import subprocess
import sys
import time
from dataclasses import replace

from services.contracts.authority import Camera, Pace
from services.ingest.core import wire
from services.ingest.core.camera_link import LOCAL
from services.ingest.core.order import Kind, LinkOrder, ReadOrder
from services.ingest.core.readings import Ended, Reading
from services.ingest.core.reasons import Fault

_READER = "services.ingest.edges.reader_main"
_LINK = "services.ingest.edges.link_main"
# Room for a few pictures, so that a reader need not be woken for every 64 KiB of one.
_PIPE_BYTES = 1024 * 1024
_PIECE_BYTES = 256 * 1024
# A killed process is gone in a moment; one in an unkillable read of a dead disk is left to the system.
_REAP_S = 2.0
# A link ends as soon as its reader has; it then has said why, if it was its doing.
_VERDICT_S = 1.0


class ReaderProcesses:
    """`Sources`: each camera in child processes that are killed on stop and die with the calling thread."""

    def __init__(self, *, timeout_s: float, max_source_px: int) -> None:
        self._timeout_s = timeout_s
        self._max_source_px = max_source_px

    def open(
        self, camera: Camera, *, start_s: float = 0.0, certificate_sha256: str | None = None
    ) -> ReaderProcess:
        kind = Kind(camera.source.value)
        order = ReadOrder(
            parent=os.getpid(),
            source=kind,
            address=LOCAL if kind is Kind.RTSP else camera.address,
            transport=camera.transport,
            rate_fps=camera.rate_fps,
            max_side_px=camera.max_side_px,
            jpeg_quality=camera.jpeg_quality,
            loop=camera.loop,
            start_s=start_s,
            real_time=camera.pace is Pace.REAL_TIME,
            timeout_s=self._timeout_s,
            max_source_px=self._max_source_px,
            rotate=camera.rotate,
        )
        if kind is not Kind.RTSP:
            return ReaderProcess(order)
        link = _Link(
            camera.address,
            certificate_sha256=certificate_sha256,
            udp=camera.transport == "udp",
            timeout_s=self._timeout_s,
        )
        return ReaderProcess(order, link)


class ReaderProcess:
    """`Source` over a pipe. Read by the thread that made it; the system kills it when that thread ends."""

    def __init__(self, order: ReadOrder, link: _Link | None = None) -> None:
        self._link = link
        inherited = () if link is None else (link.for_decoder.fileno(),)
        self._process = _started(_READER, inherited)
        assert self._process.stdout  # noqa: S101 - PIPE was asked for; narrows for the checker
        self._pipe = self._process.stdout
        fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._decoder = wire.Decoder()
        self._ready: list[Reading] = []
        _tell(self._process, replace(order, held=inherited[0] if inherited else None).to_line())
        if link is not None:
            link.for_decoder.close()  # or it would not end when its two processes have

    def next(self, timeout_s: float) -> Reading | None:
        until_s = time.monotonic() + timeout_s
        while not self._ready:
            left_s = max(0.0, until_s - time.monotonic())
            if not select.select([self._pipe], [], [], left_s)[0]:
                return None
            self._ready = self._received()[::-1]
        reading = self._ready.pop()
        return self._explained(reading) if isinstance(reading, Ended) else reading

    def stop(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.kill()
        self._pipe.close()
        if self._link is not None:
            self._link.close()
        _reap(self._process)

    def _explained(self, ended: Ended) -> Ended:
        """Why it ended: what the connection came to, where that was it."""
        fault = self._link.fault() if self._link is not None else None
        return ended if fault is None else Ended(fault)

    def _received(self) -> list[Reading]:
        piece = os.read(self._pipe.fileno(), _PIECE_BYTES)
        if not piece:
            return [Ended(Fault.READER_DIED)]
        try:
            return self._decoder.feed(piece)
        except wire.Garbled:
            self.stop()
            return [Ended(Fault.READER_DIED)]


class _Link:
    """The process that connects to a camera. `for_decoder` is the other end of what it passes on."""

    def __init__(self, address: str, *, certificate_sha256: str | None, udp: bool, timeout_s: float) -> None:
        own, self.for_decoder = socket.socketpair()
        with own:
            self._process = _started(_LINK, (own.fileno(),))
            order = LinkOrder(
                parent=os.getpid(),
                address=address,
                certificate_sha256=certificate_sha256,
                udp=udp,
                timeout_s=timeout_s,
                decoder=own.fileno(),
            )
            _tell(self._process, order.to_line())

    def fault(self) -> Fault | None:
        """Why there is no connection, once its reader has ended; None if it was not its doing."""
        assert self._process.stdout  # noqa: S101
        if not select.select([self._process.stdout], [], [], _VERDICT_S)[0]:
            return None
        try:
            said = wire.Decoder().feed(os.read(self._process.stdout.fileno(), _PIECE_BYTES))
        except wire.Garbled:
            return Fault.READER_DIED
        if not said and _reap(self._process) != 0:
            return Fault.READER_DIED
        return next((one.fault for one in said if isinstance(one, Ended)), None)

    def close(self) -> None:
        self._process.kill()
        if self._process.stdout:
            self._process.stdout.close()
        _reap(self._process)


def _started(module: str, inherited: tuple[int, ...]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own module, no shell, nothing of a user in it
        (sys.executable, "-m", module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # libav writes addresses there.
        stderr=subprocess.DEVNULL,
        pass_fds=inherited,
        # It reads what strangers send: it gets the way to our code, and none of our addresses and secrets.
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


def _tell(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin  # noqa: S101
    try:
        with process.stdin as stdin:
            stdin.write(line)
    except BrokenPipeError:
        return  # it died at once; the end of its output says so


def _reap(process: subprocess.Popen[bytes]) -> int | None:
    """How it ended; None if it has not."""
    try:
        return process.wait(_REAP_S)
    except subprocess.TimeoutExpired:
        return None
