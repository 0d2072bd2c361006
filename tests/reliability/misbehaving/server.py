"""An RTSP server on loopback, a port for each mode; all of them on one thread of its own."""

from __future__ import annotations

import asyncio
import random
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count

from tests.reliability.misbehaving.clip import FPS, RtpWriter, Unit
from tests.reliability.misbehaving.modes import Mode

_HOST = "127.0.0.1"
_STARTS_WITHIN_S = 30.0
_ENDLESS_PIECE = b"X-Header: " + b"a" * 8000
# An endless answer is sent as fast as a slow link would: the machine is not what is tested.
_ENDLESS_EVERY_S = 0.05
_INTERLEAVED = re.compile(r"interleaved=(\d+)-(\d+)")


@contextmanager
def cameras(modes: Mapping[str, Mode]) -> Iterator[dict[str, str]]:
    """The address of a camera of each mode, while the context lasts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="misbehaving-cameras", daemon=True)
    thread.start()
    starting = asyncio.run_coroutine_threadsafe(_listening(modes), loop)
    servers = starting.result(_STARTS_WITHIN_S)
    try:
        yield {
            name: f"rtsp://{_HOST}:{server.sockets[0].getsockname()[1]}/{name}" for name, server in servers.items()
        }
    finally:
        asyncio.run_coroutine_threadsafe(_ended(servers), loop).result(_STARTS_WITHIN_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_STARTS_WITHIN_S)
        loop.close()


async def _listening(modes: Mapping[str, Mode]) -> dict[str, asyncio.Server]:
    return {name: await asyncio.start_server(_Serve(mode), _HOST, 0) for name, mode in modes.items()}


async def _ended(servers: Mapping[str, asyncio.Server]) -> None:
    for server in servers.values():
        server.close()
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class _Serve:
    """What a port does with who connects."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A viewer that leaves is no fault of the camera's.
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._greeted(reader, writer)
        writer.close()

    async def _greeted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self._mode.greeting:
            case "closes":
                return
            case "silent":
                await reader.read()
            case "endless_header":
                writer.write(b"RTSP/1.0 200 OK\r\n")
                await _poured(writer, lambda: _ENDLESS_PIECE)
            case "noise":
                await _poured(writer, lambda: random.randbytes(8000))
            case _:
                await _Viewer(self._mode, reader, writer).answer()


async def _poured(writer: asyncio.StreamWriter, piece: Callable[[], bytes]) -> None:
    while True:
        writer.write(piece())
        await writer.drain()
        await asyncio.sleep(_ENDLESS_EVERY_S)


class _Viewer:
    """One connection of a client that is answered."""

    def __init__(self, mode: Mode, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._mode = mode
        self._reader = reader
        self._writer = writer
        self._channel = 0
        self._playing: asyncio.Task[None] | None = None

    async def answer(self) -> None:
        """Until the client leaves, or we do."""
        try:
            while (head := await self._request()) is not None:
                self._reply(head)
                await self._writer.drain()
                if head.startswith("PLAY ") and self._playing is None and not self._refuses("PLAY"):
                    self._playing = asyncio.create_task(self._play())
        finally:
            if self._playing is not None:
                self._playing.cancel()
                await asyncio.gather(self._playing, return_exceptions=True)

    async def _request(self) -> str | None:
        """The next request's head; what the client sends of RTCP is passed over."""
        while (first := await self._reader.read(1)) == b"$":
            length = int.from_bytes((await self._reader.readexactly(3))[1:], "big")
            await self._reader.readexactly(length)
        if not first:
            return None
        return (first + await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")

    def _refuses(self, method: str) -> bool:
        return self._mode.refusal is not None and self._mode.refusal.method == method

    def _reply(self, head: str) -> None:
        method, address = head.split(" ")[:2]
        sequence = re.search(r"CSeq: *(\d+)", head, re.IGNORECASE)
        number = sequence[1] if sequence else "1"
        status, headers, body = self._content(method, address, head)
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self._writer.write(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{headers}{length}\r\n{body}".encode())

    def _content(self, method: str, address: str, head: str) -> tuple[str, str, str]:
        refusal = self._mode.refusal
        if refusal is not None and refusal.method == method:
            return refusal.status, refusal.headers, ""
        match method:
            case "OPTIONS":
                return "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", ""
            case "DESCRIBE":
                base = f"Content-Base: {address.rstrip('/')}/\r\nContent-Type: application/sdp\r\n"
                return "200 OK", base, self._sdp()
            case "SETUP":
                return self._set_up(head)
        return "200 OK", "Session: 1\r\n", ""

    def _set_up(self, head: str) -> tuple[str, str, str]:
        channels = _INTERLEAVED.search(head)
        if channels is None:
            return "461 Unsupported Transport", "", ""
        self._channel = int(channels[1])
        transport = f"RTP/AVP/TCP;unicast;interleaved={channels[1]}-{channels[2]};ssrc=00001234"
        return "200 OK", f"Transport: {transport}\r\nSession: 1;timeout=60\r\n", ""

    def _sdp(self) -> str:
        sets = self._mode.clips[0]().parameter_sets() if self._mode.parameter_sets else ""
        lines = [
            *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=camera", "t=0 0", "a=range:npt=now-"),
            *(f"a=x-{number}:nothing" for number in range(self._mode.sdp_lines)),
            *("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000"),
            "a=fmtp:96 packetization-mode=1" + (f";sprop-parameter-sets={sets}" if sets else ""),
            "a=control:track1",
        ]
        return "".join(f"{line}\r\n" for line in lines)

    async def _play(self) -> None:
        mode, loop = self._mode, asyncio.get_running_loop()
        rtp, began_s = RtpWriter(self._channel), loop.time()
        with suppress(ConnectionError):
            for number, unit, shown_s in _timed(mode):
                due_s = number * (mode.step_s or 1 / FPS)
                if due_s >= mode.plays_s:
                    return
                if due_s >= mode.leaves_after_s:
                    self._writer.close()
                    return
                if mode.burst_s:
                    due_s = (due_s // mode.burst_s + 1) * mode.burst_s
                await asyncio.sleep(max(0.0, began_s + due_s - loop.time()))
                for packet in rtp.packets(unit, mode.clock(shown_s)):
                    self._send(packet)
                await self._writer.drain()

    def _send(self, packet: bytes) -> None:
        mode = self._mode
        if mode.lost and random.random() < mode.lost:
            return
        if mode.garbage and random.random() < mode.garbage:
            head = packet[:16]
            packet = head + random.randbytes(len(packet) - len(head))
        self._writer.write(packet)


def _timed(mode: Mode) -> Iterator[tuple[int, Unit, float]]:
    """The pictures of the mode's clips over and over, numbered, with the seconds at which each is shown."""
    number, begins_s = 0, 0.0
    for round_number in count():
        one = mode.clips[round_number % len(mode.clips)]()
        for unit in one.units:
            if mode.key_frames or not unit.is_key:
                yield number, unit, begins_s + unit.shown_s
            number += 1
        begins_s += one.seconds
