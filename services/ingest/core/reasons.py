"""Why a frame, a picture or a camera was lost: closed sets, because each is a label, a count or a log field."""

from __future__ import annotations

from collections.abc import Mapping
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
    # What a camera answers instead of a stream.
    REDIRECTED = "redirected"
    CAMERA_BUSY = "camera_busy"
    TRANSPORT_REFUSED = "transport_refused"
    LOGIN_UNKNOWN = "login_unknown"
    CAMERA_REFUSES = "camera_refuses"
    NO_TLS = "no_tls"
    NOT_RTSP = "not_rtsp"


WHAT_TO_DO: Mapping[Fault, str] = {
    Fault.UNREACHABLE: "nobody answers there: check the host, its port, power and network, and what lies between",
    Fault.UNAUTHORISED: "the camera wants another user or password: change them in the file of cameras",
    Fault.NOT_FOUND: "there is nothing under this path: look the stream's path up in the camera's manual",
    Fault.TIMED_OUT: "it took the connection and then said nothing: restart it; try the other transport",
    Fault.EMPTY: "there is nothing in the file or folder",
    Fault.NOT_A_FILE: "a pipe, a device or a folder is no video file",
    Fault.NO_VIDEO: "its stream holds no video: choose another stream or file",
    Fault.TOO_LARGE: "its picture is larger than MAX_SOURCE_MPX, or needs more memory than a reader may take",
    Fault.UNREADABLE: "what it sends is no video that is known here: set the camera to H.264 or H.265; "
    "save a file anew as MP4 (`ffmpeg -i OLD NEW.mp4`)",
    Fault.STREAM_ENDED: "the camera ended its stream; it is read anew",
    Fault.STALLED: "the stream's time stood still for STALL_TIMEOUT_S; it is read anew",
    Fault.READER_DIED: "the process that decodes it ended; it is read anew",
    Fault.NOT_AS_AUTHORISED: "another kind of source, host or certificate than the authority names [C-28]",
    Fault.REDIRECTED: "the camera sends its readers to another address: if that is right, have it authorised",
    Fault.CAMERA_BUSY: "the camera has no stream left to give (RTSP 453 or 503): end another reader of it, raise "
    "its limit of viewers, or read its smaller stream",
    Fault.TRANSPORT_REFUSED: "the camera does not send this way (RTSP 461): set `transport` to the other one",
    Fault.LOGIN_UNKNOWN: "the camera asks for a login that is not known here: set it to Digest (MD5 or SHA-256)",
    Fault.CAMERA_REFUSES: "the camera ended the connection, or refused for a reason that is not known here: look "
    "at its own log",
    Fault.NO_TLS: "the camera does not speak TLS 1.2 or later there: check the port; without TLS write rtsp://",
    Fault.NOT_RTSP: "what answers there speaks no RTSP: check the port (554 as a rule; the camera's web page has "
    "another), and write rtsps:// where the camera wants TLS",
}
"""What an operator can do about a source that cannot be read; logged beside the reason."""


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
