"""Pairs of UDP ports for streams and their reports, opened before their process may open nothing any more."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

# A camera's streams of pictures: one, seldom two.
_PAIRS = 4
_ATTEMPTS = 100
# Taken at once from one port: more wait their turn, so that whoever sends without end fills no memory of ours.
_AT_ONCE = 64


class UdpPorts:
    """One thread owns it. Only what comes from the camera's own address is taken."""

    def __init__(self, camera: socket.socket) -> None:
        """Beside the connection to `camera`. Raises OSError."""
        self._at = camera.getpeername()
        here = camera.getsockname()
        self._sockets: dict[int, socket.socket] = {}
        self._free = [self._pair(camera.family, here) for _ in range(_PAIRS)]

    @property
    def sockets(self) -> list[socket.socket]:
        return list(self._sockets.values())

    def take(self) -> tuple[int, int] | None:
        """Two ports that nobody has taken yet."""
        return self._free.pop() if self._free else None

    def send(self, port: int, to: int, content: bytes) -> None:
        """From a port of ours to one of the camera's; what cannot be sent is lost, as datagrams are."""
        where = (self._at[0], to, *self._at[2:])
        try:
            self._sockets[port].sendto(content, where)
        except OSError:
            return

    def received(self, ready: socket.socket) -> Iterator[tuple[int, bytes]]:
        """What has come from the camera, with the port of ours it came to; the rest waits for the next call."""
        for _ in range(_AT_ONCE):
            try:
                content, where = ready.recvfrom(65_535)
            except OSError:  # nothing more, or a port of the camera's that is closed
                return
            if where[0] == self._at[0]:
                yield ready.getsockname()[1], content

    def _pair(self, family: int, here: tuple[object, ...]) -> tuple[int, int]:
        """An even port and the next: what RTP asks for (RFC 3550)."""
        for _ in range(_ATTEMPTS):
            with ExitStack() as opened:
                first = opened.enter_context(socket.socket(family, socket.SOCK_DGRAM))
                first.bind((here[0], 0, *here[2:]))
                port = int(first.getsockname()[1])
                second = opened.enter_context(socket.socket(family, socket.SOCK_DGRAM))
                try:
                    second.bind((here[0], port + 1, *here[2:]))
                except OSError:
                    continue
                if port % 2 == 0:
                    opened.pop_all()
                    self._keep(first, second)
                    return port, port + 1
        raise OSError("no two free UDP ports beside each other")

    def _keep(self, *made: socket.socket) -> None:
        for one in made:
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 * 1024 * 1024)
            self._sockets[one.getsockname()[1]] = one
