"""Ids derive from their cause; keys have the deadlines of the design's table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import ids, keys
from services.contracts.keyspec import Where
from tests.builders import CAMERA
from tests.unit.contracts.test_authority import START, parsed


@given(st.lists(st.text(max_size=6), max_size=4), st.lists(st.text(max_size=6), max_size=4))
def test_different_causes_never_share_an_id(one: list[str], other: list[str]) -> None:
    assert (ids.derived(*one) == ids.derived(*other)) == (one == other)


def test_a_subject_has_another_token_in_every_deployment() -> None:
    assert ids.subject_token(b"a" * 32, "REF-1") != ids.subject_token(b"b" * 32, "REF-1")
    assert ids.subject_token(b"a" * 32, "REF-1") == ids.subject_token(b"a" * 32, "REF-1")


def test_the_same_track_list_and_subject_raise_the_same_alert() -> None:
    track = ids.track_id(ids.frame_id(CAMERA, 1, 1, 7), 0)
    token = ids.SubjectToken("0" * 32)
    assert ids.alert_id(track, "d1", token) == ids.alert_id(track, "d1", token)
    assert ids.alert_id(track, "d1", token) != ids.alert_id(track, "d2", token)


@pytest.mark.parametrize("text", ["", "Gate", "-gate", "gate 1", "gate/1", "g" * 64])
def test_what_could_break_a_key_or_a_topic_is_no_name(text: str) -> None:
    assert not ids.is_name(text)


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_a_frame_key_outlives_its_frame_by_its_retention_and_at_most_an_epoch_more(at: datetime) -> None:
    retention = parsed().retention
    lives = keys.frame(parsed(), at).parts[0].expires_at - at
    assert timedelta(seconds=retention.frame_s) < lives
    assert lives <= timedelta(seconds=retention.frame_s + retention.frame_epoch_s)


def test_a_frame_key_needs_a_part_that_no_disk_ever_held() -> None:
    parts = keys.frame(parsed(), START).parts
    assert [part.where for part in parts] == [Where.VOLATILE, Where.STORE]


def test_all_frames_of_an_epoch_share_its_key_and_the_next_epoch_does_not() -> None:
    assert keys.frame(parsed(), START) == keys.frame(parsed(), START + timedelta(seconds=14.9))
    assert keys.frame(parsed(), START).id != keys.frame(parsed(), START + timedelta(seconds=15)).id


def test_the_last_alert_of_an_hour_lives_its_whole_retention() -> None:
    spec = keys.alert(parsed(), START + timedelta(minutes=59, seconds=59))
    assert spec.expires_at == START + timedelta(hours=25)


def test_the_list_dies_a_day_after_the_window_and_evidence_in_31() -> None:
    end = parsed().window.end
    assert keys.watchlist(parsed()).expires_at == end + timedelta(hours=24)
    assert keys.evidence(parsed()).expires_at == end + timedelta(days=31)
