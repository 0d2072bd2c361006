"""A listening socket on an event loop that takes connections one by one and shows out who keeps it waiting."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from services.contracts.errors import Misconfigured
from services.runtime.doors.house import Guest, House

# Connections that wait in the kernel: a burst of strangers must not make a client's first packet be dropped.
_BACKLOG = 1024
# Taken in one turn: more would open that many files before the first of them is looked at.
_AT_ONCE = 16
# Between two looks for what has been waited for too long.
_SWEEP_S = 0.5
# No file could be opened though somebody was shown out: the kernel needs a moment.
_PAUSE_S = 0.05
_SHORT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Visitor(Guest, Protocol):
    """A guest that begins once it has its place; one that has none is told to leave without."""

    def begin(self) -> None: ...


def bound(host: str, port: int, *, variables: str) -> socket.socket:
    """A socket that listens. Raises Misconfigured if the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), backlog=_BACKLOG, family=family)
    except OSError as error:
        raise Misconfigured(f"{variables}: cannot listen on {host}:{port}: {error.strerror or error}") from error


class Door:
    """Takes connections from `open` to `close`, each as the guest that `receive` makes of it. One loop's."""

    def __init__(
        self, listener: socket.socket, house: House, receive: Callable[[socket.socket, str], Visitor]
    ) -> None:
        self._listener = listener
        self._house = house
        self._receive = receive
        self._sweeping: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._listener.setblocking(False)
        self._listen()
        self._sweeping = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Take nobody more; those who are here stay until the house is closed."""
        if self._sweeping is not None:
            asyncio.get_running_loop().remove_reader(self._listener.fileno())
            self._sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeping
            self._sweeping = None
        self._listener.close()

    def _listen(self) -> None:
        asyncio.get_running_loop().add_reader(self._listener.fileno(), self._take)

    def _take(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _SHORT_OF_FILES:
                    raise
                self._short_of_files()
                return
            self._admit(connection, str(address[0]))

    def _admit(self, connection: socket.socket, address: str) -> None:
        connection.setblocking(False)
        guest = self._receive(connection, address)
        if self._house.enter(guest):
            guest.begin()
        else:
            guest.leave()

    def _short_of_files(self) -> None:
        self._house.make_room()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listener.fileno())
        loop.call_later(_PAUSE_S, self._listen_again)

    def _listen_again(self) -> None:
        if self._sweeping is not None:
            self._listen()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            self._house.sweep()
