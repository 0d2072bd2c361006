"""A gRPC server for a process without an event loop: the loop has a thread of its own, the work a few more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from services.runtime.doors.grpc_server import GrpcServer
from services.runtime.loop_thread import LoopThread

# Over what the calls in hand may take, for the loop to end.
_END_S = 2.0

A = TypeVar("A")


class GrpcThread:
    """`server` from `start` to `stop`, for one caller's thread.

    No call holds a thread before its request is there.
    """

    def __init__(self, server: GrpcServer, *, threads: int, name: str) -> None:
        self._server = server
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._loop = LoopThread(self._serve, name=f"{name}-grpc")
        self._grace_s = 0.0
        self.port = server.port

    def start(self) -> None:
        """Returns once calls are answered."""
        self._loop.start()

    def stop(self, grace_s: float) -> bool:
        """Take no more calls, finish those in hand; True if all were. Harmless if it never started."""
        self._grace_s = grace_s
        ended = self._loop.stop(grace_s + _END_S)
        self._threads.shutdown(wait=False)
        return ended

    async def on_thread(self, work: Callable[[], A]) -> A:
        """What `work` returns or raises, done where it may block."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _serve(self, stopping: asyncio.Event, started: Callable[[], None]) -> None:
        await self._server.start()
        started()
        await stopping.wait()
        await self._server.stop(self._grace_s)
