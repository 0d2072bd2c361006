"""A decoder that ends badly: what a stranger's bytes might make of the real one. The picture says how."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from services.contracts.errors import Permanent
from services.embed.core import photo_wire as wire
from services.embed.edges import photo_main
from services.embed.edges.photo_decode import Pixels, decoded


def doomed(picture: bytes, *, max_pixels: int) -> Pixels:
    match picture:
        case b"crash":
            os.abort()
        case b"end":
            os._exit(0)
        case b"hang":
            time.sleep(600)
        case b"lie":
            _written(b"\xff" * 1000)
        case b"boast":
            _written(wire.HEAD.pack(0, 60_000, 60_000, 3 * 60_000 * 60_000))
        case b"stop short":
            _written(wire.picture_head(1000, 1000) + b"\0" * 5000)
        case b"fill":
            held = [bytearray(64 * 1024 * 1024) for _ in range(1000)]
            raise AssertionError(len(held))
        case b"open":
            raise Permanent("not_a_picture", "; ".join((_opened(), _connected(), _ran())))
    return decoded(picture, max_pixels=max_pixels)


def _written(answer: bytes) -> None:
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, answer)
        except OSError:
            continue
    os._exit(0)


def _opened() -> str:
    try:
        Path("/etc/hostname").read_bytes()
    except OSError as error:
        return f"file: {error.strerror}"
    return "file: read"


def _connected() -> str:
    try:
        socket.socket().close()
    except OSError as error:
        return f"socket: {error.strerror}"
    return "socket: made"


def _ran() -> str:
    ours = ("PYTHONPATH", "LC_CTYPE", "OPENBLAS_NUM_THREADS")
    return "secrets: " + ",".join(name for name in os.environ if name not in ours)  # noqa: TID251


if __name__ == "__main__":
    photo_main.main(doomed)
