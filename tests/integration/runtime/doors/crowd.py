"""Connections that a test opens and leaves as they are."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"

# Settings that leave us not one byte to answer with.
_NO_WINDOW = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + b"\x00\x04\x00\x00\x00\x00"
ANSWERED_WITHIN_S = 2.0


@contextmanager
def crowd(port: int, number: int, said: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections, each of which has said this much."""
    with ExitStack() as stack:
        here = []
        for _ in range(number):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            here.append(one)
            try:
                one.sendall(said)
            except OSError:
                continue  # shown out already: that is the other side's right
        yield here


def is_closed(connection: socket.socket, *, within_s: float) -> bool:
    """Whether the other side closes it in time."""
    ends_s = time.monotonic() + within_s
    while (left_s := ends_s - time.monotonic()) > 0:
        connection.settimeout(left_s)
        try:
            if not connection.recv(65536):
                return True
        except TimeoutError:
            return False
        except OSError:
            return True
    return False


def closed_of(connections: list[socket.socket]) -> int:
    """How many of them the other side has closed by now."""
    return sum(is_closed(one, within_s=0.01) for one in connections)


def unread_calls(method: str, number: int) -> bytes:
    """What an HTTP/2 client says that makes so many gRPC calls and lets none be answered."""
    said = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", _NO_WINDOW]
    for stream in range(1, 2 * number, 2):
        said += [_frame(1, 4, stream, _headers(method)), _frame(0, 1, stream, b"\x00\x00\x00\x00\x01x")]
    return b"".join(said)


def _headers(method: str) -> bytes:
    """HPACK, each field literal and in plain."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": method,
        ":authority": "localhost",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    return b"".join(
        b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields.items()
    )


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
