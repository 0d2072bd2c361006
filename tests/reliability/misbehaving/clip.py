"""A short H.264 clip of nobody, and its pictures as RTP packets."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import av
from av.video.stream import VideoStream

from tests.integration.ingest.pictures import a_picture

FPS = 15
TICKS_A_SECOND = 90_000
_SECONDS = 4
_PAYLOAD_BYTES = 1400
_FRAGMENT = 28
_SPS, _PPS = 7, 8
_START_CODE = re.compile(b"\x00\x00\x00?\x01")


@dataclass(frozen=True)
class Unit:
    """One picture as the encoder gave it, in decoding order: its NAL units, and when it is to be shown."""

    nals: tuple[bytes, ...]
    shown_s: float
    is_key: bool


@dataclass(frozen=True)
class Clip:
    """Pictures that can be played over and over."""

    units: tuple[Unit, ...]

    @property
    def seconds(self) -> float:
        return len(self.units) / FPS

    def parameter_sets(self) -> str:
        """As an SDP carries them."""
        first = self.units[0].nals
        return ",".join(base64.b64encode(nal).decode() for nal in first if nal[0] & 31 in (_SPS, _PPS))


@cache
def clip(*, width_px: int = 320, height_px: int = 240, b_frames: int = 0) -> Clip:
    """Encoded once; a key frame each second."""
    with av.open("/dev/null", "w", format="h264") as nowhere:
        stream = nowhere.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": str(FPS), "bf": str(b_frames)}
        packets = [
            packet
            for number in range(_SECONDS * FPS)
            for packet in stream.encode(
                av.VideoFrame.from_ndarray(a_picture(number * 4, width_px, height_px), format="rgb24")
            )
        ]
        packets += stream.encode()
        return Clip(tuple(_unit(packet) for packet in packets))


def _unit(packet: av.Packet[VideoStream]) -> Unit:
    nals = tuple(nal for nal in _START_CODE.split(bytes(packet)) if nal)
    shown_s = float((packet.pts or 0) * packet.time_base)
    return Unit(nals, shown_s, packet.is_keyframe)


class RtpWriter:
    """Numbers packets; one viewer's."""

    def __init__(self, channel: int) -> None:
        self._channel = channel
        self._sequence = 1

    def packets(self, unit: Unit, ticks: int) -> Iterator[bytes]:
        """`unit` in interleaved packets, stamped with `ticks`."""
        for place, nal in enumerate(unit.nals):
            last = place == len(unit.nals) - 1
            yield from self._nal(nal, ticks, last=last)

    def raw(self, payload: bytes, ticks: int, *, marked: bool) -> bytes:
        """One packet of any payload."""
        kind = 96 | (0x80 if marked else 0)
        head = struct.pack(">BBHII", 0x80, kind, self._sequence & 0xFFFF, ticks & 0xFFFFFFFF, 0x1234)
        self._sequence += 1
        return b"$" + struct.pack(">BH", self._channel, len(head) + len(payload)) + head + payload

    def _nal(self, nal: bytes, ticks: int, *, last: bool) -> Iterator[bytes]:
        if len(nal) <= _PAYLOAD_BYTES:
            yield self.raw(nal, ticks, marked=last)
            return
        kind, body = nal[0], nal[1:]
        for start in range(0, len(body), _PAYLOAD_BYTES):
            end = start + _PAYLOAD_BYTES >= len(body)
            flags = (0x80 if start == 0 else 0) | (0x40 if end else 0) | (kind & 31)
            piece = bytes([(kind & 0xE0) | _FRAGMENT, flags]) + body[start : start + _PAYLOAD_BYTES]
            yield self.raw(piece, ticks, marked=last and end)
