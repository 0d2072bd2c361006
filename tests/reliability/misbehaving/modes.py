"""The ways in which a camera misbehaves."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.reliability.misbehaving.clip import TICKS_A_SECOND, Clip, clip

Clock = Callable[[float], int]
"""RTP ticks of a picture that is shown so many seconds after the first."""

_ORIGIN = 90_000 * 3600 * 6
_FIVE_HOURS_S = 5 * 3600.0
_JUMPS_AT_S = 5.0


def by_seconds(seconds: Callable[[float], float]) -> Clock:
    """A clock of the right unit that shows `seconds` of the true time."""
    return lambda at_s: _ORIGIN + round(seconds(at_s) * TICKS_A_SECOND)


TRUE = by_seconds(lambda at_s: at_s)


def constant(at_s: float) -> int:
    return 12_345


def milliseconds(at_s: float) -> int:
    """A clock of 1 kHz, called 90 kHz."""
    return _ORIGIN + round(at_s * 1000)


def wraps_soon(at_s: float) -> int:
    return 2**32 - 3 * TICKS_A_SECOND + round(at_s * TICKS_A_SECOND)


def at_random(at_s: float) -> int:
    return random.Random(round(at_s * 1000)).randrange(2**32)


def jumps(by_s: float) -> Clock:
    return by_seconds(lambda at_s: at_s + (by_s if at_s >= _JUMPS_AT_S else 0.0))


@dataclass(frozen=True)
class Refusal:
    """The answer to `method`, whole but for its sequence number."""

    method: str
    status: str
    headers: str = ""


@dataclass(frozen=True, kw_only=True)
class Mode:
    """One way to misbehave; the defaults are a good camera."""

    clock: Clock = TRUE
    clips: tuple[Callable[[], Clip], ...] = (clip,)
    step_s: float | None = None  # between pictures, instead of the clip's own
    plays_s: float = float("inf")  # then nothing more comes, and the connection stays
    leaves_after_s: float = float("inf")  # then the connection is closed
    burst_s: float = 0.0  # pictures are held back and sent together so often
    garbage: float = 0.0  # this share of the packets is noise of the same length
    lost: float = 0.0  # this share of the packets is not sent
    key_frames: bool = True
    parameter_sets: bool = True
    refusal: Refusal | None = None
    greeting: str = ""  # silent, closes, endless_header, noise: instead of any answer
    sdp_lines: int = 0  # more lines in the SDP
    # What the camera should come to at the least, as a share of its rate; None where nothing can come of it.
    gives: float | None = field(default=0.8)


_NOTHING = None
_REDIRECT = "Location: rtsp://127.0.0.1:1/elsewhere\r\n"

MODES: dict[str, Mode] = {
    "good": Mode(),
    "clock-constant": Mode(clock=constant),
    "clock-tenth": Mode(clock=by_seconds(lambda at_s: at_s / 10)),
    "clock-half": Mode(clock=by_seconds(lambda at_s: at_s / 2)),
    "clock-ten-times": Mode(clock=by_seconds(lambda at_s: at_s * 10)),
    "clock-ms": Mode(clock=milliseconds),
    "clock-whole-seconds": Mode(clock=by_seconds(lambda at_s: float(int(at_s)))),
    "clock-backwards": Mode(clock=by_seconds(lambda at_s: -at_s)),
    "clock-jump-forward": Mode(clock=jumps(_FIVE_HOURS_S)),
    "clock-jump-back": Mode(clock=jumps(-_FIVE_HOURS_S)),
    "clock-random": Mode(clock=at_random),
    "clock-wraps": Mode(clock=wraps_soon),
    "b-frames": Mode(clips=(lambda: clip(b_frames=2),)),
    "changes-size": Mode(clips=(clip, lambda: clip(width_px=480, height_px=360)), gives=0.6),
    "bursts": Mode(burst_s=1.0),
    "no-parameter-sets-in-sdp": Mode(parameter_sets=False, gives=0.6),
    "slow": Mode(step_s=3.0, gives=_NOTHING),
    "stalls": Mode(plays_s=4.0, gives=_NOTHING),
    "leaves": Mode(leaves_after_s=4.0, gives=_NOTHING),
    "garbage": Mode(garbage=1.0, gives=_NOTHING),
    "some-garbage": Mode(garbage=0.02, gives=_NOTHING),
    "half-frames": Mode(lost=0.5, gives=_NOTHING),
    "no-key-frames": Mode(key_frames=False, gives=_NOTHING),
    "setup-453": Mode(refusal=Refusal("SETUP", "453 Not Enough Bandwidth"), gives=_NOTHING),
    "describe-404": Mode(refusal=Refusal("DESCRIBE", "404 Not Found"), gives=_NOTHING),
    "describe-401": Mode(
        refusal=Refusal("DESCRIBE", "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"\r\n'),
        gives=_NOTHING,
    ),
    "describe-redirect": Mode(refusal=Refusal("DESCRIBE", "302 Moved", _REDIRECT), gives=_NOTHING),
    "setup-redirect": Mode(refusal=Refusal("SETUP", "302 Moved", _REDIRECT), gives=_NOTHING),
    "play-500": Mode(refusal=Refusal("PLAY", "500 Internal Server Error"), gives=_NOTHING),
    "silent": Mode(greeting="silent", gives=_NOTHING),
    "closes-at-once": Mode(greeting="closes", gives=_NOTHING),
    "endless-header": Mode(greeting="endless_header", gives=_NOTHING),
    "noise": Mode(greeting="noise", gives=_NOTHING),
    "huge-sdp": Mode(sdp_lines=200_000, gives=_NOTHING),
}
