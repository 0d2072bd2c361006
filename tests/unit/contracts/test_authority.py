"""The deployment document: what it admits, and how it says no."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from services.contracts import authority
from services.contracts.authority import Authority, Refusal
from services.contracts.errors import Misconfigured

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def a_document(**changes: object) -> dict[str, object]:
    return {
        "deployment": "oxford-street-1",
        "use_case": "live",
        "purpose": "find the people on list bravo",
        "cameras": [
            {"id": "gate-1", "source": "rtsp", "address": "rtsp://viewer:hunter2@camera.example/1"},
            {"id": "gate-2", "source": "file", "address": "/media/gate-2.mp4"},
        ],
        "window": {"start": "2026-06-01T12:00:00+00:00", "end": "2026-06-01T16:00:00+00:00"},
        "watchlist": {
            "name": "bravo",
            "max_entries": 1000,
            "score_kind": "raw",
            "thresholds": {1: 0.5, 3: 0.55},
        },
    } | changes


def parsed(**changes: object) -> Authority:
    return authority.parse(yaml.safe_dump(a_document(**changes)), origin="deployment.yaml")


def refused(**changes: object) -> str:
    with pytest.raises(Misconfigured) as caught:
        parsed(**changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("camera", "deployment", "at", "why"),
    [
        ("gate-1", "oxford-street-1", START, None),
        ("gate-1", "oxford-street-1", START - timedelta(microseconds=1), Refusal.OUTSIDE_WINDOW),
        ("gate-1", "oxford-street-1", START + timedelta(hours=4), Refusal.OUTSIDE_WINDOW),
        ("gate-1", "oxford-street-2", START, Refusal.OTHER_DEPLOYMENT),
        ("gate-9", "oxford-street-1", START, Refusal.UNKNOWN_CAMERA),
        ("gate-2", "oxford-street-1", START, Refusal.SOURCE_NOT_ADMITTED),
    ],
)
def test_a_live_deployment_admits_its_live_cameras_in_its_window_and_nothing_else(
    camera: str, deployment: str, at: datetime, why: Refusal | None
) -> None:
    assert parsed().refuses_camera(camera, deployment=deployment, at=at) is why


def test_an_exercise_admits_files() -> None:
    exercise = parsed(use_case="exercise")
    assert exercise.refuses_camera("gate-2", deployment="oxford-street-1", at=START) is None


@pytest.mark.parametrize(("shots", "threshold"), [(1, 0.5), (2, 0.5), (3, 0.55), (5, 0.55)])
def test_the_threshold_follows_the_number_of_shots(shots: int, threshold: float) -> None:
    assert parsed().watchlist.threshold(shots) == threshold


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"use_case": "retrospective"}, "use_case", "'live' or 'exercise'"),
        ({"window": {"start": "2026-06-01T12:00:00", "end": "2026-06-01T16:00:00"}}, "window.start", "timezone"),
        (
            {"window": {"start": "2026-06-01T12:00:00Z", "end": "2026-06-01T12:00:00Z"}},
            "window",
            "end must be later than start",
        ),
        ({"surprise": 1}, "surprise", "Extra inputs are not permitted"),
        ({"cameras": []}, "cameras", "at least 1"),
        ({"verification": {"reviewers": 1}}, "verification", "needs single_reviewer_reason"),
        ({"retention": {"alert_h": 48}}, "retention.alert_h", "less than or equal to 24"),
        (
            {"watchlist": {"name": "b", "max_entries": 1, "score_kind": "raw", "thresholds": {3: 0.5}}},
            "watchlist.thresholds",
            "must have an entry for 1",
        ),
    ],
)
def test_a_bad_document_is_refused_naming_file_field_and_rule(
    changes: dict[str, object], field: str, rule: str
) -> None:
    message = refused(**changes)
    assert message.startswith("deployment.yaml: ")
    assert field in message
    assert rule in message


def test_two_cameras_of_one_id_are_refused() -> None:
    camera = {"id": "gate-1", "source": "rtsp", "address": "rtsp://camera.example/1"}
    assert "two cameras have the same id" in refused(cameras=[camera, camera])


def test_a_password_in_an_address_is_in_no_repr_and_no_refusal() -> None:
    assert "hunter2" not in repr(parsed())
    camera = {"id": "gate-1", "source": "rtsp", "address": "rtsp://viewer:hunter2@camera.example/1", "rate_fps": 0}
    message = refused(cameras=[camera])
    assert "cameras.0.rate_fps" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("text", ["a: [", "- just\n- a list\n", "", "start: 2026-13-45"])
def test_what_is_not_a_document_is_refused_with_a_pointer_to_an_example(text: str) -> None:
    with pytest.raises(Misconfigured, match=r"docs/deployment\.md"):
        authority.parse(text, origin="deployment.yaml")


def test_a_password_beside_broken_yaml_is_in_no_traceback() -> None:
    text = "cameras:\n- address: rtsp://viewer:hunter2@camera.example/1: no\n"
    with pytest.raises(Misconfigured) as refusal:
        authority.parse(text, origin="deployment.yaml")
    shown = "".join(traceback.format_exception(refusal.value, chain=True))
    assert "line" in shown
    assert "hunter2" not in shown
