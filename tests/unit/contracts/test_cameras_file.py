"""How cameras are read is checked field by field, and what is wrong is said without showing an address."""

from __future__ import annotations

import pytest

from services.contracts.authority import Pace, SourceKind
from services.contracts.cameras_file import parse_cameras
from services.contracts.errors import Misconfigured

TEXT = """
cameras:
  - {id: gate-1, source: rtsp, address: "rtsp://op:sesame@camera.example/1", rate_fps: 8}
  - {id: gate-2, source: file, address: /films/gate.mp4, pace: as_fast_as_taken}
"""


def test_cameras_come_in_their_order_with_what_was_left_out_filled_in() -> None:
    first, second = parse_cameras(TEXT, origin="cameras.yaml")
    assert (first.id, first.source, first.rate_fps, first.transport) == ("gate-1", SourceKind.RTSP, 8, "tcp")
    assert (second.id, second.pace, second.jpeg_quality) == ("gate-2", Pace.AS_FAST_AS_TAKEN, 85)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cameras: [", "not YAML at line"),
        ("- id: gate-1", "must be a mapping"),
        ("cameras: []", "cameras: "),
        (TEXT + "password: sesame", "password: Extra inputs"),
        (TEXT.replace("gate-2", "gate-1"), "two cameras have the same id"),
        (TEXT.replace("rate_fps: 8", "rate_fps: 0"), "cameras.0.rate_fps: "),
        (TEXT.replace("rate_fps: 8", "password: sesame"), "cameras.0.password: "),
    ],
)
def test_what_is_wrong_is_named_and_no_address_is_shown(text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        parse_cameras(text, origin="cameras.yaml")
    assert str(refused.value).startswith("cameras.yaml: ")
    assert said in str(refused.value)
    assert "sesame" not in str(refused.value)
    assert refused.value.__cause__ is None
