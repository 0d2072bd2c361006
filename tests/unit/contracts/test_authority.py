"""A deployment's bounds: what they may be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from services.contracts.authority import Authority

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
    return Authority.model_validate(a_document(**changes))


def refused(**changes: object) -> str:
    with pytest.raises(ValidationError) as caught:
        parsed(**changes)
    return str(caught.value)


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
def test_bad_bounds_are_refused_naming_field_and_rule(changes: dict[str, object], field: str, rule: str) -> None:
    message = refused(**changes)
    assert field in message
    assert rule in message


def test_two_cameras_of_one_id_are_refused() -> None:
    camera = {"id": "gate-1", "source": "rtsp", "address": "rtsp://camera.example/1"}
    assert "two cameras have the same id" in refused(cameras=[camera, camera])


def test_a_password_in_an_address_is_in_no_repr() -> None:
    assert "hunter2" not in repr(parsed())
