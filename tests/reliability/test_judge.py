"""The judge of a fault run finds what it is there to find."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from console.sample.passages import Passage
from console.sample.sitters import FORTY_FOUR
from services.contracts import ids
from services.contracts.decisions import AlertFolded, CaseOpened
from tests.e2e.truth import FrameSeen, Showing, Truth
from tests.reliability.judge import Fold, KeysLost, Verdict, judge
from tests.reliability.observer import AlertSeen, FaceSeen

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOLD = Fold(decide_within=timedelta(seconds=60), fold_within=timedelta(seconds=30))
SHOWN = Showing("gate-1", "gate-1.7.1", 0)
FRAMES = [
    FrameSeen(f"gate-1.7.1.{n}", "gate-1", "gate-1.7.1", n, n * 0.2, BEGAN + timedelta(seconds=n * 0.2), 0, n)
    for n in range(1, 16)
]


def an_alert(frame: int, *, at_s: float = 1.0) -> AlertSeen:
    return AlertSeen(f"a{frame}.r1", f"gate-1.7.1.{frame}.0", "tok-44", BEGAN + timedelta(seconds=at_s))


def a_case(name: str, frame: int, *, at_s: float = 1.0) -> CaseOpened:
    at = BEGAN + timedelta(seconds=at_s)
    return CaseOpened(
        deployment=ids.DeploymentId("gate"),
        trace_id="t",
        captured_at=at,
        case=ids.CaseId(name),
        alert=ids.AlertId(f"a{frame}"),
        subject=ids.SubjectToken("tok-44"),
        camera=ids.CameraId("gate-1"),
        track=ids.TrackId(f"gate-1.7.1.{frame}.0"),
        list_digest="d",
        opened_at=at,
        expires_at=at + FOLD.decide_within,
    )


def judged(
    *,
    frames: Sequence[FrameSeen] = FRAMES,
    faces: Sequence[FaceSeen] = (),
    alerts: Sequence[AlertSeen] = (),
    opened: Sequence[CaseOpened] = (),
    folded: Sequence[AlertFolded] = (),
    losses: Sequence[KeysLost] = (),
) -> Verdict:
    truth = Truth({"gate-1": [Passage(FORTY_FOUR, 0.2)]}, {"BLUE-044": "tok-44"}, {one.id: one for one in frames})
    return judge(truth, faces=faces, alerts=alerts, opened=opened, folded=folded, losses=losses, fold=FOLD)


def test_a_passage_that_was_published_and_raised_nothing_is_lost() -> None:
    assert judged().lost == (SHOWN,)
    assert judged(alerts=[an_alert(2)]).lost == ()


def test_a_passage_of_which_next_to_nothing_was_published_lies_in_a_gap() -> None:
    verdict = judged(frames=FRAMES[:4])
    assert (verdict.lost, verdict.in_gaps) == ((), {"not_published": 1})


def test_frames_that_died_with_their_keys_excuse_only_their_own_passage() -> None:
    before = KeysLost(BEGAN + timedelta(seconds=10), {0: 1}, {})
    assert judged(losses=[before]).in_gaps == {"key_lost": 1}
    read_already = KeysLost(BEGAN + timedelta(seconds=10), {0: 16}, {})
    assert judged(losses=[read_already]).lost == (SHOWN,)
    long_ago = KeysLost(BEGAN - timedelta(seconds=1), {0: 1}, {})
    assert judged(losses=[long_ago]).lost == (SHOWN,)


def test_a_face_that_died_with_its_key_excuses_its_passage() -> None:
    face = FaceSeen("gate-1.7.1.3.0", BEGAN, 0, 5)
    assert judged(faces=[face], losses=[KeysLost(BEGAN, {0: 99}, {0: 5})]).in_gaps == {"key_lost": 1}
    assert judged(faces=[face], losses=[KeysLost(BEGAN, {0: 99}, {0: 6})]).lost == (SHOWN,)


def test_two_cases_of_one_passage_within_a_folding_window_are_a_double() -> None:
    alerts = [an_alert(2), an_alert(9)]
    twice = judged(alerts=alerts, opened=[a_case("c1", 2), a_case("c2", 9, at_s=20.0)])
    assert (twice.doubled, twice.straddled, twice.split) == ((SHOWN,), 0, 1)
    apart = judged(alerts=alerts, opened=[a_case("c1", 2), a_case("c2", 9, at_s=31.0)])
    assert (apart.doubled, apart.straddled) == ((), 1)


def test_an_alert_when_nobody_of_that_name_was_there_is_wrong() -> None:
    late = FrameSeen("gate-1.7.1.40", "gate-1", "gate-1.7.1", 40, 8.0, BEGAN, 0, 40)
    assert judged(frames=[*FRAMES, late], alerts=[an_alert(2), an_alert(40)]).wrong == ("gate-1.7.1.40.0",)


def test_a_record_that_comes_twice_is_told() -> None:
    assert judged(alerts=[an_alert(2), an_alert(2)]).repeated == 1
