"""What became of every passage of somebody listed: found, in a gap that is accounted for, or lost; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from services.contracts.decisions import AlertFolded, CaseOpened
from tests.e2e.truth import FrameSeen, Showing, Truth
from tests.reliability.observer import AlertSeen, FaceSeen

# A second of a face in view: fewer published frames than this may all have been turned or cut off.
USABLE_FRAMES = 5


@dataclass(frozen=True)
class KeysLost:
    """One death of the volatile Redis. What was not yet committed then (offsets by partition) and captured before
    new keys were in use can be read by nobody."""

    until: datetime
    frames_from: Mapping[int, int]
    faces_from: Mapping[int, int]

    def frame(self, frame: FrameSeen) -> bool:
        return frame.captured_at <= self.until and frame.offset >= self.frames_from.get(frame.partition, 0)

    def face(self, face: FaceSeen) -> bool:
        return face.captured_at <= self.until and face.offset >= self.faces_from.get(face.partition, 0)


@dataclass(frozen=True)
class Fold:
    """The verification policy's two times."""

    decide_within: timedelta
    fold_within: timedelta


@dataclass(frozen=True)
class Verdict:
    """`in_gaps` by reason: too few frames were published, or their keys died. `straddled`: the two parts of a
    passage that a crash has split lie in two folding windows, so they are two cases by policy. `wrong`: an alert
    for somebody who was not there. `repeated`: records of an alert and revision that was there before."""

    passages: int
    found: int
    lost: tuple[Showing, ...]
    in_gaps: Mapping[str, int]
    split: int
    doubled: tuple[Showing, ...]
    straddled: int
    wrong: tuple[str, ...]
    repeated: int


def judge(
    truth: Truth,
    *,
    faces: Iterable[FaceSeen],
    alerts: Sequence[AlertSeen],
    opened: Collection[CaseOpened],
    folded: Iterable[AlertFolded],
    losses: Sequence[KeysLost],
    fold: Fold,
) -> Verdict:
    """Compare what was shown with what was raised and with what cases were made of it."""
    belongs = {alert.track: truth.showing_of(alert.track, alert.subject) for alert in alerts}
    found = {showing for showing in belongs.values() if showing is not None}
    unread = {face.track.rpartition(".")[0] for face in faces if any(loss.face(face) for loss in losses)}
    lost: list[Showing] = []
    in_gaps: Counter[str] = Counter()
    showings = truth.showings()
    for showing, frames in showings.items():
        if showing in found:
            continue
        why = _gap(frames, unread, losses)
        if why is None:
            lost.append(showing)
        else:
            in_gaps[why] += 1
    tracks = Counter(belongs.values())
    doubled, straddled = _doubled(belongs, opened, folded, fold)
    return Verdict(
        passages=len(showings),
        found=len(found & set(showings)),
        lost=tuple(lost),
        in_gaps=dict(in_gaps),
        split=sum(number > 1 for showing, number in tracks.items() if showing is not None),
        doubled=tuple(doubled),
        straddled=straddled,
        wrong=tuple(track for track, showing in belongs.items() if showing is None),
        repeated=len(alerts) - len({alert.id for alert in alerts}),
    )


def _gap(frames: Sequence[FrameSeen], unread: Collection[str], losses: Sequence[KeysLost]) -> str | None:
    """Which gap excuses that nothing was raised, or None if nothing does."""
    if len(frames) < USABLE_FRAMES:
        return "not_published"
    readable = [frame for frame in frames if not any(loss.frame(frame) for loss in losses)]
    if len(readable) < USABLE_FRAMES or any(frame.id in unread for frame in frames):
        return "key_lost"
    return None


def _doubled(
    belongs: Mapping[str, Showing | None],
    opened: Collection[CaseOpened],
    folded: Iterable[AlertFolded],
    fold: Fold,
) -> tuple[list[Showing], int]:
    """Passages with two cases of one subject, and how many more have two by policy."""
    cases: dict[str, CaseOpened] = {event.case: event for event in opened}
    by_showing: defaultdict[tuple[Showing, str], set[str]] = defaultdict(set)
    for case, track in [(e.case, e.track) for e in opened] + [(e.case, e.track) for e in folded]:
        showing = belongs.get(track)
        if showing is not None:
            by_showing[showing, cases[case].subject].add(case)
    doubled, straddled = [], 0
    for (showing, _), its in by_showing.items():
        searched = sorted(cases[case].expires_at - fold.decide_within for case in its)
        apart = all(later - one >= fold.fold_within for one, later in pairwise(searched))
        if len(its) > 1 and apart:
            straddled += 1
        elif len(its) > 1:
            doubled.append(showing)
    return doubled, straddled
