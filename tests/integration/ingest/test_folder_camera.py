"""A folder of pictures, from the file system to the topic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import simplejpeg

from services.contracts import topics
from tests.integration.ingest.pictures import write_jpegs, write_png
from tests.integration.ingest.world import WITHIN_S, IngestWorld, adds_up, totals
from tests.support import eventually


def a_folder_camera(folder: Path, **changes: object) -> dict[str, object]:
    return {"id": "gate-1", "source": "folder", "address": str(folder), "pace": "as_fast_as_taken", **changes}


def final(world: IngestWorld) -> bool:
    return bool(world.counts()) and all(one.final for one in world.counts().values())


def test_every_picture_arrives_once_in_order_sealed_and_accounted_for(world: IngestWorld, tmp_path: Path) -> None:
    folder = write_jpegs(tmp_path / "pictures", 7)
    write_png(folder / "007.png", width_px=64, height_px=48)
    for name in (".DS_Store", "._001.jpg", "Thumbs.db", "desktop.ini", "001.jpg~"):
        (folder / name).write_bytes(b"what systems leave is no frame, and no flaw")
    world.deploy(a_folder_camera(folder))
    with world.ingest() as ingest:
        eventually(lambda: final(world), "the run's last account", within_s=WITHIN_S)
        frames = world.frames()
        assert [frame.sequence for frame in frames] == [1, 2, 3, 4, 5, 6, 7, 8]
        assert len({(frame.lease, frame.epoch) for frame in frames}) == 1
        assert [(frame.width_px, frame.height_px) for frame in frames] == [(320, 240)] * 7 + [(64, 48)]
        pixels = simplejpeg.decode_jpeg(frames[3].jpeg)
        assert abs(int(np.median(pixels)) - 30) <= 2, "the picture is the one of the file, in its brightness"
        (counts,) = world.counts().values()
        assert counts.incarnation == frames[0].run
        assert totals(counts) == {
            "frames_read": 8,
            "frames_not_sampled": 0,
            "frames_sampled": 8,
            "frames_published": 8,
        }
        assert adds_up(counts)
        assert ingest.ready()
        assert ingest.metric('signpost_ingest_state_cameras{state="finished"}') == 1
        assert ingest.stop() == 0
    assert not world.gaps()


def test_bad_pictures_are_named_and_counted_each_by_its_reason_and_the_rest_goes_on(
    world: IngestWorld, tmp_path: Path
) -> None:
    folder = write_jpegs(tmp_path / "pictures", 3)
    whole = (folder / "000.jpg").read_bytes()
    (folder / "010.jpg").write_bytes(b"")
    (folder / "011.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "012.txt").write_text("no picture")
    # A PNG of 60000 x 60000 in a few bytes: refused before anything is allocated.
    bomb = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    (folder / "013.png").write_bytes(bomb)
    (folder / "014.jpg").write_bytes(whole)
    world.deploy(a_folder_camera(folder))
    with world.ingest() as ingest:
        eventually(lambda: final(world), "the run's last account", within_s=WITHIN_S)
        (counts,) = world.counts().values()
        assert totals(counts) == {
            "frames_read": 8,
            "frames_not_sampled": 0,
            "frames_sampled": 8,
            "frames_published": 4,
            "frames_dropped:empty_picture": 1,
            "frames_dropped:picture_unreadable": 1,
            "frames_dropped:not_a_picture": 1,
            "frames_dropped:picture_too_large": 1,
        }
        arrived = [(frame.sequence, frame.dropped_before) for frame in world.frames()]
        assert arrived == [(1, 0), (2, 0), (3, 0), (8, 4)]
        for reason in ("empty_picture", "picture_unreadable", "not_a_picture", "picture_too_large"):
            assert ingest.logged("frame dropped", camera="gate-1", reason=reason)
            assert ingest.metric(f'signpost_ingest_dropped_frames_total{{reason="{reason}"}}') == 1


def test_a_picture_that_does_not_compress_is_made_to_fit_and_the_other_cameras_go_on(
    world: IngestWorld, tmp_path: Path
) -> None:
    """2,090,804 bytes of noise: Kafka's client refused it, ingest ended for every camera, and so did the next one
    that took the camera over. Whoever watches the other cameras sees nothing any more."""
    noise = np.random.default_rng(0).integers(0, 256, (1440, 1920, 3), dtype=np.uint8)
    loud, quiet = tmp_path / "loud", write_jpegs(tmp_path / "quiet", 3)
    loud.mkdir()
    for place, quality in enumerate((85, 100)):
        content = simplejpeg.encode_jpeg(noise, quality=quality)
        assert len(content) > 2_090_000
        (loud / f"{place}.jpg").write_bytes(content)
    world.deploy(
        a_folder_camera(loud), a_folder_camera(quiet, id="gate-2", loop=True, pace="real_time", rate_fps=5)
    )
    with world.ingest() as ingest:
        eventually(lambda: len(world.frames("gate-1")) == 2, "the loud camera's pictures", within_s=WITHIN_S)
        seen = len(world.frames("gate-2"))
        eventually(lambda: len(world.frames("gate-2")) > seen + 5, "the quiet camera to go on", within_s=WITHIN_S)
        assert ingest.stop() == 0
    for frame in world.frames("gate-1"):
        assert len(frame.jpeg) < topics.FRAMES.max_value_bytes
        assert simplejpeg.decode_jpeg(frame.jpeg).shape == (1440, 1920, 3)
    assert all(adds_up(one) for one in world.counts().values())


def test_each_round_of_a_loop_is_an_epoch_of_its_own(world: IngestWorld, tmp_path: Path) -> None:
    folder = write_jpegs(tmp_path / "pictures", 3)
    world.deploy(a_folder_camera(folder, loop=True, pace="real_time", rate_fps=30))
    with world.ingest() as ingest:
        eventually(lambda: len({frame.epoch for frame in world.frames()}) >= 3, "three rounds", within_s=WITHIN_S)
        assert ingest.stop() == 0
    frames = world.frames()
    assert len({frame.event_id for frame in frames}) == len(frames)
    assert {frame.sequence for frame in frames} == {1, 2, 3}
    assert all(adds_up(counts) and counts.final for counts in world.counts().values())
    assert sum(totals(counts)["frames_published"] for counts in world.counts().values()) == len(frames)


def test_larger_pictures_are_scaled_to_the_cameras_limit(world: IngestWorld, tmp_path: Path) -> None:
    folder = write_jpegs(tmp_path / "pictures", 1, width_px=801, height_px=403)
    world.deploy(a_folder_camera(folder, max_side_px=400))
    with world.ingest():
        eventually(world.frames, "the frame", within_s=WITHIN_S)
    (frame,) = world.frames()
    assert (frame.width_px, frame.height_px) == (400, 200)
    assert simplejpeg.decode_jpeg(frame.jpeg).shape == (200, 400, 3)


def test_a_source_as_fast_as_taken_waits_for_who_reads_the_frames_and_drops_none(
    world: IngestWorld, tmp_path: Path
) -> None:
    """Without the wait a fast source outruns embed, and its frames' keys die before they are read."""
    folder = write_jpegs(tmp_path / "pictures", 20)
    world.deploy(a_folder_camera(folder, loop=True))
    with world.ingest(MAX_BACKLOG_FRAMES="30") as ingest:
        eventually(lambda: len(world.frames()) >= 30, "the backlog to fill", within_s=WITHIN_S)
        queued = "signpost_ingest_queued_frames"
        eventually(lambda: ingest.metric(queued) == 0, "what was let in to be sent", within_s=WITHIN_S)
        # Nobody reads: what one look at the backlog let through is all there will be.
        stood_at = len(world.frames())
        world.read_all_frames_as_embed()
        eventually(lambda: len(world.frames()) > stood_at, "more once they have been read", within_s=WITHIN_S)
        assert ingest.metric('signpost_ingest_dropped_frames_total{reason="queue_full"}') == 0
