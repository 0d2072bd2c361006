"""What a film showed and what came of it: passages by run, told from the clear parts of records alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.sample.passages import Passage
from services.contracts import ids
from services.contracts.codec import Peeked

# Every film here is written so; a frame's place in it follows from how many frames were read before.
FILM_FPS = 10
# A cut-out is in view from its passage's first frame to its last; detection may begin a sample later.
_SLACK_S = 0.35

Script = Mapping[str, Sequence[Passage]]


@dataclass(frozen=True)
class FrameSeen:
    """A record of `frames`, without its picture. `run` is one uninterrupted showing of the camera's film."""

    id: str
    camera: str
    run: str
    sequence: int
    at_s: float
    captured_at: datetime
    partition: int = 0
    offset: int = 0


@dataclass(frozen=True, order=True)
class Showing:
    """One passage in one run of a camera: what must be alerted, once, if somebody listed walks."""

    camera: str
    run: str
    place: int


def frame_seen(peeked: Peeked, *, partition: int = 0, offset: int = 0) -> FrameSeen:
    """The frame of a record of `frames`."""
    body = peeked.body
    names = ("camera", "lease", "epoch", "sequence", "read")
    camera, lease, epoch, sequence, read = (getattr(body, name) for name in names)
    return FrameSeen(
        id=peeked.event_id,
        camera=camera,
        run=ids.run_id(camera, lease, epoch),
        sequence=sequence,
        at_s=(read - 1) / FILM_FPS,
        captured_at=peeked.captured_at,
        partition=partition,
        offset=offset,
    )


class Truth:
    """Where tracks belong. Owns nothing; `frames` by id may grow while it is asked."""

    def __init__(self, script: Script, tokens: Mapping[str, str], frames: Mapping[str, FrameSeen]) -> None:
        """`tokens` is the subject token of each list reference."""
        self._script = script
        self._reference = {token: reference for reference, token in tokens.items()}
        self._frames = frames

    def showing_of(self, track: str, subject: str) -> Showing | None:
        """The passage of `subject` in which this track began, or None: nobody of that name was there."""
        first = self._frames[track.rpartition(".")[0]]
        return self._there(first, self._reference[subject])

    def _there(self, frame: FrameSeen, reference: str) -> Showing | None:
        for place, passage in enumerate(self._script[frame.camera]):
            inside = passage.start_s - _SLACK_S <= frame.at_s <= passage.end_s + _SLACK_S
            if inside and passage.sitter.reference == reference:
                return Showing(frame.camera, frame.run, place)
        return None

    def showings(self) -> dict[Showing, list[FrameSeen]]:
        """Every passage of somebody listed of which a frame was published, with its frames in order."""
        found: dict[Showing, list[FrameSeen]] = {}
        for frame in sorted(self._frames.values(), key=lambda one: (one.run, one.sequence)):
            for place, passage in enumerate(self._script[frame.camera]):
                if passage.sitter.reference and passage.start_s <= frame.at_s < passage.end_s:
                    found.setdefault(Showing(frame.camera, frame.run, place), []).append(frame)
        return found


def listed(script: Script) -> int:
    """How many passages of one showing of every film are of somebody listed."""
    return sum(bool(passage.sitter.reference) for passages in script.values() for passage in passages)


def references(script: Script) -> Iterable[str]:
    """The list references of those who walk."""
    walking = (passage.sitter.reference for passages in script.values() for passage in passages)
    return sorted({reference for reference in walking if reference})
