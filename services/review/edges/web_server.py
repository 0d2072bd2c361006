"""The reviewers' page on uvicorn, in the event loop of its caller."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

from services.contracts.errors import Misconfigured
from services.runtime.addresses import is_loopback
from services.runtime.grpc_listen import Tls

App = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]

_BACKLOG = 128
# Live queues never end by themselves: at a stop they are cut after this.
_GRACE_S = 1
_LOOK_S = 0.02


class WebServer:
    """Serves one app from `start` to `stop`."""

    def __init__(self, app: App, *, host: str, port: int, tls: Tls | None) -> None:
        """Raises Misconfigured: the address cannot be had, or is served beyond this machine without TLS."""
        if tls is None and not is_loopback(host):
            raise Misconfigured(
                f"WEB_HOST: {host} is beyond this machine: give TLS_CERT and TLS_KEY, or use 127.0.0.1"
            )
        try:
            self._socket = socket.create_server(
                (host, port), backlog=_BACKLOG, family=socket.AF_INET6 if ":" in host else socket.AF_INET
            )
        except OSError as error:
            raise Misconfigured(f"WEB_HOST, WEB_PORT: cannot listen on {host}:{port}: {error.strerror}") from error
        self.port = int(self._socket.getsockname()[1])
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                lifespan="off",
                ws="none",
                # An address may carry a ticket to a picture: none is logged.
                access_log=False,
                log_config=None,
                server_header=False,
                ssl_certfile=None if tls is None else str(tls.cert),
                ssl_keyfile=None if tls is None else str(tls.key),
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns once requests are answered."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started and not self._serving.done():
            await asyncio.sleep(_LOOK_S)

    async def stop(self) -> None:
        """Take no more requests; those in hand have a second."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        self._socket.close()
