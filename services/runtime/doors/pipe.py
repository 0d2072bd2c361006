"""One connection, carried as it is to a server that listens behind the door.

gRPC's own server takes any number of connections from anybody and says of none who waits for whom; so it listens
on a socket that only this process can reach, and what may come in is decided in front of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from services.runtime.doors.house import Waiting, Waits

_CHUNK_BYTES = 64 * 1024


class Pipe:
    """A guest. Which of its calls are in hand it is told by the server behind. One loop's."""

    def __init__(
        self,
        connection: socket.socket,
        address: str,
        peer: str,
        *,
        behind: Path,
        name: Path,
        now: Callable[[], float],
        on_end: Callable[[Pipe], None],
    ) -> None:
        """`behind`: where the server listens; `name`: the path by which it knows this connection."""
        self.address = address
        self.name = name
        self._peer = peer
        self._connection = connection
        self._behind = behind
        self._now = now
        self._on_end = on_end
        self._waits, self._since_s = Waits.HEAD, now()
        self._calls = 0
        self._stuck_since_s: float | None = None
        self._carrying: asyncio.Task[None] | None = None
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def peer(self) -> str:
        return self._peer

    def begin(self) -> None:
        self._carrying = asyncio.create_task(self._carry())
        # Not in the task itself: one that is cancelled before its first step runs none of its lines.
        self._carrying.add_done_callback(lambda _: self._close())

    def waiting(self) -> Waiting | None:
        if self._stuck_since_s is not None:
            return Waiting(Waits.READER, self._stuck_since_s)
        return None if self._calls else Waiting(self._waits, self._since_s)

    def leave(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        if self._carrying is None:
            self._close()
        else:
            self._carrying.cancel()

    @contextlib.contextmanager
    def in_hand(self) -> Iterator[None]:
        """A call of this connection is worked on. After it the connection is idle, until the next."""
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1
            self._waits, self._since_s = Waits.IDLE, self._now()

    def _close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._connection.close()
        self._on_end(self)

    async def _carry(self) -> None:
        # One of the two is gone; which of them, and how, is nobody's concern.
        with contextlib.suppress(OSError):
            await self._carry_both_ways()

    async def _carry_both_ways(self) -> None:
        reader, writer = await self._opened(self._connection)
        behind_reader, behind_writer = await self._opened(await self._reach())
        inwards = asyncio.create_task(self._pump(reader, behind_writer, is_client=False))
        outwards = asyncio.create_task(self._pump(behind_reader, writer, is_client=True))
        try:
            await asyncio.wait((inwards, outwards), return_when=asyncio.FIRST_COMPLETED)
        finally:
            inwards.cancel()
            outwards.cancel()
            await asyncio.gather(inwards, outwards, return_exceptions=True)

    async def _opened(self, connection: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(sock=connection, limit=_CHUNK_BYTES)
        self._writers.append(writer)
        return reader, writer

    async def _reach(self) -> socket.socket:
        behind = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            behind.setblocking(False)
            behind.bind(str(self.name))
            # The name stays the connection's; the file is needed no longer.
            self.name.unlink()
            await asyncio.get_running_loop().sock_connect(behind, str(self._behind))
        except BaseException:
            behind.close()
            raise
        return behind

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_client: bool) -> None:
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            if is_client:
                self._stuck_since_s = self._now()
            await writer.drain()
            if is_client:
                self._stuck_since_s = None
        if is_client:
            # What was said last reaches the client.
            writer.close()
            await writer.wait_closed()
