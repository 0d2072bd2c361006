"""Photographs decoded in a process of their own, from the enrolment server's side."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Self

import numpy as np

from services.contracts.errors import Permanent
from services.embed.core import photo_wire as wire
from services.embed.edges import pictures
from services.embed.ports import Image

_MODULE = "services.embed.edges.photo_main"
# Measured, on a machine busy with five times as much: HEIC of 48 megapixels 14 s, a progressive JPEG of 200 15 s.
_ANSWER_WITHIN_S = 60.0
# What the libraries map by themselves, and what a decoder holds of one pixel: coefficients of a progressive JPEG
# (6), or planes and two copies in colours (8).
_OWN_SPACE_BYTES = 1024**3
_SPACE_BYTES_A_PIXEL = 12
_PIECE_BYTES = 1024 * 1024
_REAP_S = 2.0


class _Lost(Exception):
    """The process has ended, hangs, or answers what is no answer."""


class PhotoProcess:
    """`Photographs`: one process for all, one picture at a time; a new one where it ended, hung or went mad. Any
    thread; a context manager."""

    # Cut and encoded here: these are pixels by now, not a stranger's bytes.
    cut_crop = staticmethod(pictures.cut_crop)
    encode_crop = staticmethod(pictures.encode_crop)

    def __init__(self, *, max_pixels: int, within_s: float = _ANSWER_WITHIN_S, module: str = _MODULE) -> None:
        """Starts nothing yet."""
        self._space_bytes = _OWN_SPACE_BYTES + _SPACE_BYTES_A_PIXEL * max_pixels
        self._within_s = within_s
        self._module = module
        self._one_at_a_time = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def decode_upright(self, picture: bytes, *, max_pixels: int) -> Image:
        """Blocks for as long as `within_s`. Raises Permanent: not_a_picture, too_large."""
        with self._one_at_a_time:
            try:
                return self._asked(picture, max_pixels)
            except (_Lost, wire.Garbled):
                self._end()
                raise Permanent(
                    "not_a_picture", "whatever decodes it crashes or does not end: save the picture anew, as JPEG"
                ) from None

    def close(self) -> None:
        """End the process."""
        with self._one_at_a_time:
            self._end()

    def _asked(self, picture: bytes, max_pixels: int) -> Image:
        until_s = time.monotonic() + self._within_s
        child = self._running()
        assert child.stdin and child.stdout  # noqa: S101 - PIPE was asked for; narrows for the checker
        _send(child.stdin.fileno(), wire.ASK.pack(max_pixels, len(picture)), until_s)
        _send(child.stdin.fileno(), picture, until_s)
        answers = child.stdout.fileno()
        head = wire.head_of(_received(answers, wire.HEAD.size, until_s))
        content = _received(answers, head.length, until_s)
        if head.reason is not None:
            raise Permanent(head.reason, content.decode("utf-8", "replace"))
        return np.frombuffer(content, np.uint8).reshape(head.height, head.width, 3)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            self._child = _started(self._module, self._space_bytes)
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        child.wait(_REAP_S)


def _started(module: str, space_bytes: int) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(  # noqa: S603 - our own module, no shell, nothing of a user in it
        (sys.executable, "-m", module, str(space_bytes)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        # It reads what strangers made: it gets the way to our code, and none of our addresses and secrets.
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OPENBLAS_NUM_THREADS": "1"},
    )
    assert child.stdin  # noqa: S101
    os.set_blocking(child.stdin.fileno(), False)
    return child


def _send(pipe: int, content: bytes, until_s: float) -> None:
    rest = memoryview(content)
    while rest:
        _await([], [pipe], until_s)
        try:
            rest = rest[os.write(pipe, rest[:_PIECE_BYTES]) :]
        except BlockingIOError:
            continue  # room for less than the smallest piece that a pipe takes whole
        except BrokenPipeError:
            raise _Lost from None


def _received(pipe: int, length: int, until_s: float) -> bytearray:
    """Room is made as it comes: what was announced and is not sent takes none."""
    found = bytearray()
    while len(found) < length:
        _await([pipe], [], until_s)
        piece = os.read(pipe, min(_PIECE_BYTES, length - len(found)))
        if not piece:
            raise _Lost
        found += piece
    return found


def _await(readable: list[int], writable: list[int], until_s: float) -> None:
    if not any(select.select(readable, writable, [], max(0.0, until_s - time.monotonic()))):
        raise _Lost
