"""Files whose stamps are wrong: every frame is read and counted, and nobody waits for a gap of hours."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from services.ingest.core.reasons import ClockFault
from tests.integration.ingest.pictures import a_picture, write_video
from tests.integration.ingest.recording import record

# Where a transport stream's clock of 33 bits begins anew.
_WRAP_S = 2**33 / 90_000


def write_stream(path: Path, *, begins_s: float, seconds: float = 4.0, fps: int = 25) -> Path:
    """A transport stream whose first frame is stamped with `begins_s`, past the wrap of its clock too."""
    with av.open(str(path), "w", format="mpegts", options={"muxdelay": "0"}) as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": str(fps), "bf": "0"}
        for number in range(int(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(a_picture(number * 3), format="rgb24")
            frame.pts = round(begins_s * fps) + number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize(
    ("starts", "jumps"),
    [
        ([_WRAP_S - 2], 0),
        ([100, 5000], 1),
        ([5000, 100], 1),
        ([100, 100], 1),
        ([_WRAP_S - 10, 1], 0),
        ([30_000, 90_000, 10, 50_000], 3),
    ],
    ids=["wraps", "gap ahead", "gap back", "twice the same", "wraps between", "four recordings"],
)
def test_every_frame_of_a_file_is_read_whatever_is_stamped_on_it(
    tmp_path: Path, starts: list[float], jumps: int
) -> None:
    """A transport stream whose clock wrapped had 494 of its 1000 frames counted: the others were read and left
    out of every figure, and their people were not looked for."""
    parts = [write_stream(tmp_path / f"{place}.ts", begins_s=at_s) for place, at_s in enumerate(starts)]
    found = record(joined(tmp_path / "all.ts", *parts))
    assert found.fault is None
    # What a decoder drops where two recordings meet is not read: at most a frame a joint.
    assert 100 * len(starts) - (len(starts) - 1) <= found.read <= 100 * len(starts)
    assert len(found.pictures) == pytest.approx(20 * len(starts), abs=len(starts))
    # Which way a clock of 33 bits went is a guess of the container's; that it jumped is not.
    assert found.clock_faults[ClockFault.AHEAD] + found.clock_faults[ClockFault.BACK] == jumps
    assert found.clock_faults.total() == jumps


def test_a_joined_file_played_at_its_own_rate_takes_the_time_of_its_frames(tmp_path: Path) -> None:
    """It waited 26 hours at the joint, and the camera said `reading`."""
    parts = [write_stream(tmp_path / f"{at_s}.ts", begins_s=at_s, seconds=1.5) for at_s in (100.0, 95_000.0, 7.0)]
    found = record(joined(tmp_path / "all.ts", *parts), pace="real_time")
    assert found.fault is None
    captured = [picture.captured_at for picture in found.pictures]
    assert (captured[-1] - captured[0]).total_seconds() == pytest.approx(4.3, abs=0.5)


def test_a_file_is_gone_on_with_where_an_earlier_holder_was(tmp_path: Path) -> None:
    path = write_video(tmp_path / "walk.mp4", seconds=8)
    found = record(path, start_s=5.1)
    assert [picture.position_s for picture in found.pictures] == pytest.approx(
        [5.2 + 0.2 * number for number in range(14)], abs=0.05
    )
    assert found.read == 75, "from the key frame before, all counted"


@pytest.mark.parametrize("starts", [[5000, 100], [100, 90_000], [95_400, 3]])
def test_a_joined_file_is_gone_on_with_too(tmp_path: Path, starts: list[float]) -> None:
    parts = [write_stream(tmp_path / f"{place}.ts", begins_s=at_s) for place, at_s in enumerate(starts)]
    found = record(joined(tmp_path / "all.ts", *parts), start_s=6.0)
    assert found.fault is None
    assert found.pictures[0].position_s == pytest.approx(6.0, abs=0.25)
    assert len(found.pictures) == pytest.approx(10, abs=2)
