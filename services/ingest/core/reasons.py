"""Why a frame, a picture or a camera was lost: closed sets, because each is a label, a count or a log field."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """Why a source cannot be read, or not any further."""

    UNREACHABLE = "unreachable"
    UNAUTHORISED = "unauthorised"
    NOT_FOUND = "not_found"
    TIMED_OUT = "timed_out"
    EMPTY = "empty"
    NOT_A_FILE = "not_a_file"
    NO_VIDEO = "no_video"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    # A live stream has no end of its own.
    STREAM_ENDED = "stream_ended"
    STALLED = "stalled"
    READER_DIED = "reader_died"
    # Another kind of source, host or certificate than the authority names.
    NOT_AS_AUTHORISED = "not_as_authorised"


class Flaw(StrEnum):
    """Why one sampled picture cannot be used."""

    EMPTY_PICTURE = "empty_picture"
    NOT_A_PICTURE = "not_a_picture"
    PICTURE_TOO_LARGE = "picture_too_large"
    PICTURE_UNREADABLE = "picture_unreadable"


class Loss(StrEnum):
    """Why a sampled, usable frame was not published (the authority's refusals come beside these)."""

    QUEUE_FULL = "queue_full"
    KEY_UNAVAILABLE = "key_unavailable"
    EXPIRED = "expired"
    LEASE_LOST = "lease_lost"
    DELIVERY_FAILED = "delivery_failed"
    # Its record is larger than the topic takes, whatever was done to its picture.
    TOO_LARGE = "too_large"
    STOPPED = "stopped"


class Interruption(StrEnum):
    """Why a camera gave nothing although its source may have been well."""

    LEASE_LOST = "lease_lost"
    TAKEN_OVER = "taken_over"


class ClockFault(StrEnum):
    """How the time that a source stamps on its frames parts from the time in which they come."""

    MISSING = "missing"
    STILL = "still"
    SLOW = "slow"
    FAST = "fast"
    AHEAD = "ahead"
    BACK = "back"
    # Jumps again and again, or runs at the right rate in steps too coarse to sample by.
    ERRATIC = "erratic"
