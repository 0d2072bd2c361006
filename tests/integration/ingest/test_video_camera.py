"""Video files: whole ones, and everything that can be wrong with one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services.ingest.core.readings import Progress
from services.ingest.core.reasons import Fault
from tests.integration.ingest.pictures import write_jpegs, write_streams, write_video
from tests.integration.ingest.recording import record
from tests.integration.ingest.world import WITHIN_S, IngestWorld, adds_up, totals
from tests.support import eventually


def a_file_camera(path: Path, **changes: object) -> dict[str, object]:
    return {"id": "gate-1", "source": "file", "address": str(path), "pace": "as_fast_as_taken", **changes}


def final(world: IngestWorld) -> bool:
    return bool(world.counts()) and all(one.final for one in world.counts().values())


def test_a_video_is_sampled_by_its_own_time_at_the_cameras_rate(world: IngestWorld, tmp_path: Path) -> None:
    world.deploy(a_file_camera(write_video(tmp_path / "walk.mp4", seconds=3), rate_fps=5))
    with world.ingest():
        eventually(lambda: final(world), "the last account", within_s=WITHIN_S)
    frames = world.frames()
    assert [frame.sequence for frame in frames] == list(range(1, 16))
    assert [frame.read for frame in frames] == list(range(1, 75, 5))
    (counts,) = world.counts().values()
    assert totals(counts) == {
        "frames_read": 75,
        "frames_not_sampled": 60,
        "frames_sampled": 15,
        "frames_published": 15,
    }


def test_a_file_played_at_its_own_rate_takes_its_own_time(world: IngestWorld, tmp_path: Path) -> None:
    world.deploy(a_file_camera(write_video(tmp_path / "walk.mp4", seconds=2), pace="real_time"))
    with world.ingest():
        eventually(lambda: final(world), "the last account", within_s=WITHIN_S)
    captured = [frame.captured_at for frame in world.frames()]
    assert (captured[-1] - captured[0]).total_seconds() == pytest.approx(1.8, abs=0.3)


def missing(path: Path) -> None:
    """Nobody has made it."""


def zero_bytes(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 400)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe_nobody_writes_to(path: Path) -> None:
    os.mkfifo(path)


def a_playlist_that_names_another_file(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXTINF:1,\n/etc/hostname\n#EXT-X-ENDLIST\n")


def cut_before_its_index(path: Path) -> None:
    write_video(path)
    path.write_bytes(path.read_bytes()[:4000])


def larger_than_admitted(path: Path) -> None:
    write_video(path, seconds=0.1, width_px=2048, height_px=1024)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (missing, "not_found"),
        (zero_bytes, "empty"),
        (garbage, "unreadable"),
        (a_folder, "not_a_file"),
        (a_pipe_nobody_writes_to, "not_a_file"),
        (a_playlist_that_names_another_file, "unreadable"),
        (cut_before_its_index, "unreadable"),
        (larger_than_admitted, "too_large"),
    ],
)
def test_a_bad_file_is_named_and_counted_and_touches_no_other_camera(
    world: IngestWorld, tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    bad = tmp_path / "bad.mp4"
    make(bad)
    good = write_jpegs(tmp_path / "good", 5)
    world.deploy(a_file_camera(bad), {**a_file_camera(good), "id": "gate-2", "source": "folder"})
    with world.ingest(max_source_mpx=1) as ingest:
        eventually(
            lambda: ingest.logged("source failed and is not read again", camera="gate-1", reason=reason),
            f"the file to be refused as {reason}",
            within_s=WITHIN_S,
        )
        eventually(lambda: len(world.frames("gate-2")) == 5, "the other camera's frames", within_s=WITHIN_S)
        assert ingest.metric(f'signpost_ingest_source_faults_total{{reason="{reason}"}}') == 1
        assert ingest.metric('signpost_ingest_state_cameras{state="failed"}') == 1
        (gap,) = eventually(world.gaps, "the gap to be recorded", within_s=WITHIN_S)
        assert (gap.camera, gap.reason) == ("gate-1", reason)
        assert "bad.mp4" not in ingest.log.read_text(), "an address is named nowhere"
        assert ingest.stop() == 0
    assert not world.frames("gate-1")


def of_an_unknown_codec(path: Path) -> None:
    write_video(path.with_suffix(".mkv"))
    content = path.with_suffix(".mkv").read_bytes()
    path.write_bytes(content.replace(b"V_MPEG4/ISO/AVC", b"V_MPEG9/ISO/XYZ"))


def a_song_with_its_sleeve(path: Path) -> None:
    write_streams(path, sleeve=True)


@pytest.mark.parametrize(
    ("make", "why"), [(of_an_unknown_codec, Fault.UNREADABLE), (a_song_with_its_sleeve, Fault.NO_VIDEO)]
)
def test_a_file_without_a_picture_that_can_be_read_says_which(
    tmp_path: Path, make: Callable[[Path], object], why: Fault
) -> None:
    """A codec that nobody knows ended the reader by a bug, and a song's sleeve was a video of one frame."""
    make(tmp_path / "film.mp4")
    found = record(tmp_path / "film.mp4")
    assert (found.fault, found.pictures) == (why, [])


def test_of_several_pictures_that_move_the_largest_is_read(tmp_path: Path) -> None:
    """A recorder's preview stood before its picture, and its 160 x 120 pixels were searched for faces."""
    path = write_streams(tmp_path / "two.mkv", widths_px=(160, 320))
    found = record(path)
    assert {(one.width_px, one.height_px) for one in found.pictures} == {(320, 240)}
    assert found.read == 50


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [("a.ivf", "libvpx-vp9", "yuv420p"), ("a.m2v", "mpeg2video", "yuv420p"), ("a.obu", "libsvtav1", "yuv420p")],
)
def test_a_bare_stream_is_read_as_well(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    found = record(write_video(tmp_path / name, codec=codec, pixels=pixels))
    assert (found.fault, found.read) == (None, 50)


def test_a_frame_that_cannot_be_decoded_costs_itself_whatever_its_decoder_says(tmp_path: Path) -> None:
    """Each decoder has its own word for a broken packet: one of PNG's ended the file after a fifth of it."""
    path = write_video(tmp_path / "film.mov", codec="png", pixels="rgb24")
    content, at = bytearray(path.read_bytes()), 0
    for _ in range(10):
        at = content.index(b"IDAT", at + 1)
    content[at + 4 : at + 40] = bytes(36)
    path.write_bytes(content)
    found = record(path)
    assert (found.fault, found.read) == (None, 49)
    assert max(one.damaged for one in found.readings if isinstance(one, Progress)) == 1


def test_a_video_with_a_torn_middle_gives_what_can_be_read_and_adds_up(world: IngestWorld, tmp_path: Path) -> None:
    path = write_video(tmp_path / "torn.ts", seconds=3)
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = os.urandom(third)
    path.write_bytes(content)
    world.deploy(a_file_camera(path))
    with world.ingest() as ingest:
        eventually(lambda: final(world), "the last account", within_s=WITHIN_S)
        assert ingest.metric("signpost_ingest_damaged_packets_total") >= 0
        assert ingest.stop() == 0
    assert 0 < len(world.frames()) <= 15
    assert all(adds_up(counts) for counts in world.counts().values())


def test_a_file_whose_holder_is_killed_goes_on_and_shows_nothing_twice(world: IngestWorld, tmp_path: Path) -> None:
    world.deploy(a_file_camera(write_video(tmp_path / "walk.mp4", seconds=12), pace="real_time"))
    with world.ingest("ingest-a") as first:
        eventually(lambda: len(world.frames()) >= 12, "two seconds of it", within_s=WITHIN_S)
        first.kill()
    with world.ingest("ingest-b"):
        eventually(lambda: any(one.final for one in world.counts().values()), "its end", within_s=WITHIN_S)
    runs = {frame.run for frame in world.frames()}
    assert len(runs) == 2
    captured = [frame.captured_at for frame in world.frames()]
    assert (captured[-1] - captured[0]).total_seconds() == pytest.approx(11.8, abs=1.0), "it took its own time"
    (gap,) = world.gaps()
    assert gap.reason == "taken_over"
    missed = (gap.captured_at - gap.began_at).total_seconds() * 5
    assert len(captured) == pytest.approx(60 - missed, abs=12), "what the gap does not hold was shown once"


def test_a_reader_holds_no_picture_that_it_has_given(tmp_path: Path) -> None:
    """Each frame was held by what had been read beside it: after some 120 pictures the reader had as many scalers,
    with their threads, as it may have, and stood still. Every camera stalled every 25 seconds."""
    path = write_video(tmp_path / "walk.mp4", seconds=20, width_px=640, height_px=480)
    found = record(path, rate_fps=25, loop=True, most=1500)
    assert len(found.pictures) == 1500


def test_a_reader_of_large_pictures_stays_within_its_memory(tmp_path: Path) -> None:
    path = write_video(tmp_path / "wide.mp4", seconds=12, width_px=1920, height_px=1080)
    found = record(path, rate_fps=25, max_side_px=640)
    assert (found.fault, len(found.pictures)) == (None, 300)
