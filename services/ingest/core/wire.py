"""Readings as bytes, for the pipe between a reader process and ingest."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

from services.ingest.core.readings import Ended, Looped, Opening, Parted, Picture, Progress, Reading, Spoilt
from services.ingest.core.reasons import ClockFault, Fault, Flaw

# kind, reason, position (us), captured at (us), read or times, width or damaged, height, length of the JPEG
_HEAD = struct.Struct("!BBqqQIII")
_PICTURE, _SPOILT, _PROGRESS, _LOOPED, _ENDED, _PARTED, _OPENING = range(7)
_FLAWS = tuple(Flaw)
_FAULTS = (None, *Fault)
_CLOCK_FAULTS = tuple(ClockFault)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# A reader that went mad must not make its parent allocate: no JPEG of an admitted size is larger.
MAX_JPEG_BYTES = 32 * 1024 * 1024


class Garbled(Exception):
    """The bytes are no readings: the reader is broken."""


def encode(reading: Reading) -> bytes:  # noqa: PLR0911 - one for each kind
    """One reading as bytes."""
    match reading:
        case Picture():
            captured_us = (reading.captured_at - _EPOCH) // _MICROSECOND
            size = (reading.width_px, reading.height_px, len(reading.jpeg))
            return (
                _HEAD.pack(_PICTURE, 0, _us(reading.position_s), captured_us, reading.read, *size) + reading.jpeg
            )
        case Spoilt():
            flaw = _FLAWS.index(reading.flaw)
            return _HEAD.pack(_SPOILT, flaw, _us(reading.position_s), 0, reading.read, 0, 0, 0)
        case Progress():
            return _HEAD.pack(_PROGRESS, 0, _us(reading.position_s), 0, reading.read, reading.damaged, 0, 0)
        case Parted():
            fault = _CLOCK_FAULTS.index(reading.fault)
            return _HEAD.pack(_PARTED, fault, _us(reading.position_s), 0, reading.times, 0, 0, 0)
        case Opening():
            return _HEAD.pack(_OPENING, 0, 0, 0, 0, 0, 0, 0)
        case Looped():
            return _HEAD.pack(_LOOPED, 0, 0, 0, 0, 0, 0, 0)
        case Ended():
            return _HEAD.pack(_ENDED, _FAULTS.index(reading.fault), 0, 0, 0, 0, 0, 0)


class Decoder:
    """Puts readings together from pieces as they come; owned by the thread that feeds it."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, piece: bytes) -> list[Reading]:
        """The readings completed by `piece`. Raises Garbled."""
        self._held += piece
        found: list[Reading] = []
        while len(self._held) >= _HEAD.size:
            head = _HEAD.unpack_from(self._held)
            length = head[-1]
            if length > MAX_JPEG_BYTES:
                raise Garbled("a picture larger than any admitted")
            end = _HEAD.size + length
            if len(self._held) < end:
                break
            found.append(_reading(head, bytes(self._held[_HEAD.size : end])))
            del self._held[:end]
        return found


def _reading(head: tuple[int, ...], jpeg: bytes) -> Reading:  # noqa: PLR0911 - one for each kind
    kind, reason, position_us, captured_us, read, width, height, _ = head
    position_s = position_us / 1e6
    try:
        match kind:
            case 0:
                captured_at = _EPOCH + timedelta(microseconds=captured_us)
                return Picture(captured_at, position_s, read, width, height, jpeg)
            case 1:
                return Spoilt(position_s, read, _FLAWS[reason])
            case 2:
                return Progress(position_s, read, damaged=width)
            case 3:
                return Looped()
            case 4:
                return Ended(_FAULTS[reason])
            case 6:
                return Opening()
            case 5:
                return Parted(position_s, _CLOCK_FAULTS[reason], times=read)
    except (IndexError, OverflowError) as error:
        raise Garbled("a reading of no known reason or time") from error
    raise Garbled("a reading of no known kind")


def _us(seconds: float) -> int:
    return round(seconds * 1e6)
