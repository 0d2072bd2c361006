"""A gRPC server behind a door."""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

from services.contracts.errors import Misconfigured
from services.runtime.doors.door import Door, bound
from services.runtime.doors.figures import DoorFigures
from services.runtime.doors.files import affordable
from services.runtime.doors.house import WITHIN_S, House, Left, Limits, Waits
from services.runtime.doors.peers import Proxies, peer_of
from services.runtime.doors.pipe import Pipe
from services.runtime.doors.reception import Reception
from services.runtime.grpc_listen import Tls, credentials, refuse_in_clear

DOOR = "grpc"
# The client's, and both ends of the way to the server behind.
_FILES_EACH = 3
_SHARE = 0.4
_HANDSHAKE_MS = 5_000
# A peer that has gone without a word is found out after the two of them.
_PING_AFTER_MS, _PING_ANSWER_MS = 60_000, 10_000
# A socket's whole name has at most 107 bytes, and gRPC writes other signs as codes: one name would then be two.
_PLAIN = re.compile(r"/[A-Za-z0-9/._-]{0,59}\Z")
_ELSE = "/tmp"  # noqa: S108 - a folder of our own in it


@dataclass(frozen=True, kw_only=True)
class Manners:
    """What a server allows. `streams`: calls at once on one connection; `calls`: worked on at a time, of all."""

    max_request_bytes: int
    connections: int = 192
    per_peer: int = 64
    streams: int = 32
    calls: int = 64
    proxies: Proxies = field(default_factory=Proxies)
    within_s: Mapping[Waits, float] = field(default_factory=lambda: WITHIN_S)


class GrpcServer:
    """From `start` to `stop`, on one loop. The port is known, and taken, once it is made."""

    def __init__(
        self,
        service: str,
        add: Callable[[grpc.aio.Server], None],
        manners: Manners,
        *,
        host: str,
        port: int,
        tls: Tls | None,
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
        figures: DoorFigures | None = None,
    ) -> None:
        """Raises Misconfigured: the address cannot be had, or is served beyond this machine without TLS."""
        refuse_in_clear(host, tls)
        self._credentials = None if tls is None else credentials(tls)
        self._listener: socket = bound(host, port, variables="GRPC_HOST, GRPC_PORT")
        self.port = int(self._listener.getsockname()[1])
        self._service = service
        self._add = add
        self._manners = manners
        self._interceptors = interceptors
        self._house = House(
            Limits(
                connections=affordable(manners.connections, files_each=_FILES_EACH, share=_SHARE),
                per_peer=manners.per_peer,
                within_s=manners.within_s,
            ),
            now=time.monotonic,
            is_shared=manners.proxies.trust,
            on_left=lambda why: _count(figures, why),
        )
        if figures is not None:
            figures.follow(DOOR, self._house)
        self._door = Door(self._listener, self._house, self._receive)
        self._pipes: dict[str, Pipe] = {}
        self._numbers = itertools.count(1)
        self._folder: Path | None = None
        self._server: grpc.aio.Server | None = None
        self._health = health.aio.HealthServicer()

    async def start(self) -> None:
        """Raises Misconfigured: there is no folder in which its sockets could be."""
        self._folder = _folder_of_sockets()
        reception = Reception(self._pipes.get, self._manners.proxies, at_once=self._manners.calls)
        self._server = grpc.aio.server(interceptors=[reception, *self._interceptors], options=self._options())
        self._add(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        address = f"unix:{self._folder / 'server'}"
        if self._credentials is None:
            self._server.add_insecure_port(address)
        else:
            self._server.add_secure_port(address, self._credentials)
        await self._server.start()
        await self._say(health_pb2.HealthCheckResponse.SERVING)
        self._door.open()

    async def stop(self, grace_s: float) -> None:
        """Take no more calls, finish those in hand. Harmless if it never started."""
        await self._door.close()
        if self._server is not None:
            await self._say(health_pb2.HealthCheckResponse.NOT_SERVING)
            await self._server.stop(grace_s)
        self._house.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _options(self) -> list[tuple[str, Any]]:
        return [
            ("grpc.max_receive_message_length", self._manners.max_request_bytes),
            ("grpc.max_concurrent_streams", self._manners.streams),
            ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MS),
            ("grpc.keepalive_time_ms", _PING_AFTER_MS),
            ("grpc.keepalive_timeout_ms", _PING_ANSWER_MS),
            ("grpc.so_reuseport", 0),
        ]

    def _receive(self, connection: socket, address: str) -> Pipe:
        assert self._folder is not None  # noqa: S101 - the door opens after it was made
        pipe = Pipe(
            connection,
            address,
            peer_of(address),
            behind=self._folder / "server",
            name=self._folder / str(next(self._numbers)),
            now=time.monotonic,
            on_end=self._ended,
        )
        self._pipes[f"unix:{pipe.name}"] = pipe
        return pipe

    def _ended(self, pipe: Pipe) -> None:
        self._house.gone(pipe)
        self._pipes.pop(f"unix:{pipe.name}", None)

    async def _say(self, status: Any) -> None:  # noqa: ANN401 - an enum of generated code
        await asyncio.gather(*(self._health.set(name, status) for name in ("", self._service)))


def _folder_of_sockets() -> Path:
    """A new folder, in which nobody but this user reaches anything. Raises Misconfigured."""
    own = tempfile.gettempdir()
    try:
        return Path(tempfile.mkdtemp(prefix="signpost-", dir=own if _PLAIN.match(own) else _ELSE))
    except OSError as error:
        raise Misconfigured(
            f"TMPDIR: {own} cannot hold sockets, and {_ELSE} neither ({error.strerror}): name a folder of at most "
            "60 letters, digits, dots and hyphens"
        ) from error


def _count(figures: DoorFigures | None, why: Left) -> None:
    if figures is not None:
        figures.left(DOOR, why)
