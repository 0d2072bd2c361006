"""One browser's connection: uvicorn's protocol, and what it keeps us waiting for."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from services.runtime.doors.house import Waiting, Waits


class WatchedH11(H11Protocol):
    """uvicorn's, which waits for a head, a body or a reader as long as the client likes; it says since when."""

    def __init__(self, config: Config, state: ServerState) -> None:
        super().__init__(config, state, {})
        self._stage: tuple[object, int] = (h11.IDLE, 0)
        self._since_s = time.monotonic()
        self._stuck_since_s: float | None = None

    def waiting(self) -> Waiting | None:
        if self._stuck_since_s is not None:
            return Waiting(Waits.READER, self._stuck_since_s)
        if self.conn.their_state is h11.IDLE or self.transport.is_closing():
            return Waiting(Waits.HEAD, self._since_s)
        if self.conn.their_state is h11.SEND_BODY:
            return Waiting(Waits.BODY, self._since_s)
        return Waiting(Waits.IDLE, self._since_s) if self.cycle.response_complete else None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._note()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._note()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck_since_s = time.monotonic()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stuck_since_s = None

    def _note(self) -> None:
        """A stage begins when the last one ends; what trickles in prolongs none."""
        stage = (self.conn.their_state, self.server_state.total_requests)
        if stage != self._stage:
            self._stage, self._since_s = stage, time.monotonic()


class WebGuest:
    """A guest, from the first packet on: also while it should be shaking hands. One loop's."""

    def __init__(
        self,
        connection: socket.socket,
        peer: str,
        *,
        config: Config,
        state: ServerState,
        on_end: Callable[[WebGuest], None],
    ) -> None:
        self._peer = peer
        self._connection = connection
        self._config = config
        self._state = state
        self._on_end = on_end
        self._since_s = time.monotonic()
        self._protocol: WatchedH11 | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def peer(self) -> str:
        return self._peer

    def begin(self) -> None:
        self._task = asyncio.create_task(self._serve())
        # Not in the task itself: one that is cancelled before its first step runs none of its lines.
        self._task.add_done_callback(lambda _: self._close())

    def waiting(self) -> Waiting | None:
        if self._protocol is None or self._protocol.transport is None:
            return Waiting(Waits.HANDSHAKE, self._since_s)
        return self._protocol.waiting()

    def leave(self) -> None:
        if self._protocol is not None and self._protocol.transport is not None:
            self._protocol.transport.abort()
        # Under TLS the transport is the protocol's only after the handshake: the socket is ours from the start.
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        if self._task is None:
            self._close()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        protocol = _Ending(self._config, self._state, ended)
        with contextlib.suppress(OSError):
            await loop.connect_accepted_socket(lambda: protocol, self._connection, ssl=self._config.ssl)
            self._protocol = protocol
            await ended.wait()

    def _close(self) -> None:
        self._connection.close()
        self._on_end(self)


class _Ending(WatchedH11):
    """Tells when it has ended."""

    def __init__(self, config: Config, state: ServerState, ended: asyncio.Event) -> None:
        super().__init__(config, state)
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._ended.set()
