"""The reviewers' page on uvicorn, in the event loop of its caller."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from services.contracts.errors import Misconfigured
from services.review.edges.web_guest import WebGuest
from services.runtime.addresses import is_loopback
from services.runtime.doors.door import Door, bound
from services.runtime.doors.figures import DoorFigures
from services.runtime.doors.files import affordable
from services.runtime.doors.house import WITHIN_S, House, Left, Limits, Waits
from services.runtime.doors.peers import Proxies, peer_of
from services.runtime.grpc_listen import Tls

App = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]

DOOR = "web"
# Browsers open some each, and a live queue holds one.
_CONNECTIONS = 512
_PER_PEER = 128
_SHARE = 0.4
# A head is cookies and a path. At h11's own 16 KiB a stranger would hold that much for each connection.
_HEAD_BYTES = 16 * 1024
# Live queues never end by themselves: at a stop they are cut after this.
_GRACE_S = 1.0


class WebServer:
    """Serves one app from `start` to `stop`."""

    def __init__(
        self,
        app: App,
        *,
        host: str,
        port: int,
        tls: Tls | None,
        proxies: Proxies | None = None,
        figures: DoorFigures | None = None,
        within_s: Mapping[Waits, float] = WITHIN_S,
    ) -> None:
        """Raises Misconfigured: the address cannot be had, or is served beyond this machine without TLS."""
        if tls is None and not is_loopback(host):
            raise Misconfigured(
                f"WEB_HOST: {host} is beyond this machine: give TLS_CERT and TLS_KEY, or use 127.0.0.1"
            )
        self._config = _config(app, tls)
        self._listener = bound(host, port, variables="WEB_HOST, WEB_PORT")
        self.port = int(self._listener.getsockname()[1])
        self._state = ServerState()
        self._house = House(
            Limits(
                connections=affordable(_CONNECTIONS, files_each=1, share=_SHARE),
                per_peer=_PER_PEER,
                within_s=within_s,
            ),
            now=time.monotonic,
            is_shared=(proxies or Proxies()).trust,
            on_left=lambda why: _count(figures, why),
        )
        if figures is not None:
            figures.follow(DOOR, self._house)
        self._door = Door(self._listener, self._house, self._receive)

    async def start(self) -> None:
        """Returns once requests are answered."""
        self._door.open()

    async def stop(self) -> None:
        """Take no more requests; those in hand have a second."""
        await self._door.close()
        for connection in tuple(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(tuple(self._state.tasks), timeout=_GRACE_S)
        left = tuple(self._state.tasks)
        for task in left:
            task.cancel()
        self._house.close()
        await asyncio.gather(*left, return_exceptions=True)

    def _receive(self, connection: socket.socket, address: str) -> WebGuest:
        return WebGuest(
            connection, peer_of(address), config=self._config, state=self._state, on_end=self._house.gone
        )


def _config(app: App, tls: Tls | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        # An address may carry a ticket to a picture: none is logged.
        access_log=False,
        log_config=None,
        # A stranger's bytes that are no HTTP are no event.
        log_level=logging.ERROR,
        # Whose word about a client is taken stands in our own settings.
        proxy_headers=False,
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        ssl_certfile=None if tls is None else str(tls.cert),
        ssl_keyfile=None if tls is None else str(tls.key),
    )
    config.load()
    return config


def _count(figures: DoorFigures | None, why: Left) -> None:
    if figures is not None:
        figures.left(DOOR, why)
