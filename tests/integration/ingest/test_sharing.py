"""Several instances on one deployment's cameras; a Redis that dies."""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import psutil

from console.stack.redis_server import RedisServer
from services.contracts.events import FrameCaptured
from tests.integration.ingest.pictures import write_jpegs
from tests.integration.ingest.world import WITHIN_S, Ingest, IngestWorld, totals
from tests.support import eventually

TTL_S = 3.0
# A free camera is looked for every second; the rest is a busy machine's.
LOOKED_FOR_S = 2.5


def looping_cameras(folder: Path, count: int) -> list[dict[str, object]]:
    pictures = write_jpegs(folder / "pictures", 3)
    return [
        {"id": f"gate-{number}", "source": "folder", "address": str(pictures), "loop": True, "rate_fps": 5.0}
        for number in range(count)
    ]


def leased(ingest: Ingest) -> set[object]:
    return {line["camera"] for line in ingest.logs() if line["message"] == "camera leased"}


def no_frame_twice(frames: list[FrameCaptured]) -> bool:
    return len({frame.event_id for frame in frames}) == len(frames)


def never_two_at_once(frames: list[FrameCaptured]) -> bool:
    """Of each camera, every lease's frames come after all of the lease before it."""
    times: dict[tuple[str, int], list[datetime]] = defaultdict(list)
    for frame in frames:
        times[frame.camera, frame.lease].append(frame.captured_at)
    ordered = sorted(times)
    return all(
        max(times[one]) < min(times[next_one]) for one, next_one in pairwise(ordered) if one[0] == next_one[0]
    )


def test_two_instances_share_the_cameras_and_the_other_takes_over_from_one_that_is_killed(
    world: IngestWorld, tmp_path: Path
) -> None:
    cameras = {f"gate-{number}" for number in range(4)}
    world.deploy(*looping_cameras(tmp_path, 4))
    with world.ingest("ingest-a", max_cameras=2, lease_ttl_s=TTL_S) as victim:
        eventually(lambda: len(leased(victim)) == 2, "the first to take what it may", within_s=WITHIN_S)
        with world.ingest("ingest-b", max_cameras=4, lease_ttl_s=TTL_S) as survivor:
            eventually(lambda: leased(survivor) == cameras - leased(victim), "the rest", within_s=WITHIN_S)
            eventually(
                lambda: {frame.camera for frame in world.frames()} == cameras, "frames of each", within_s=WITHIN_S
            )
            readers = victim.readers()
            assert len(readers) == 2
            killed_at = datetime.now(UTC)
            victim.kill()
            eventually(lambda: not any(_alive(one) for one in readers), "its readers to die with it", within_s=2)
            eventually(
                lambda: leased(survivor) == cameras, "the survivor to hold them all", within_s=TTL_S + LOOKED_FOR_S
            )
            taken_at = datetime.now(UTC)
            eventually(
                lambda: {frame.camera for frame in world.frames() if frame.captured_at > taken_at} == cameras,
                "frames of each again",
                within_s=WITHIN_S,
            )
            assert survivor.stop() == 0
    assert no_frame_twice(world.frames())
    assert never_two_at_once(world.frames())
    gaps = [gap for gap in world.gaps() if gap.reason == "taken_over"]
    assert {gap.camera for gap in gaps} == leased(victim), "each camera of the killed one has its gap"
    assert all(gap.began_at <= killed_at < gap.captured_at for gap in gaps)


def test_an_instance_that_stops_hands_its_cameras_over_at_once(world: IngestWorld, tmp_path: Path) -> None:
    world.deploy(*looping_cameras(tmp_path, 1))
    with world.ingest("ingest-a", lease_ttl_s=30) as first, world.ingest("ingest-b", lease_ttl_s=30) as second:
        eventually(lambda: leased(first) | leased(second), "the camera to be taken", within_s=WITHIN_S)
        eventually(world.frames, "frames", within_s=WITHIN_S)
        holder, heir = (first, second) if leased(first) else (second, first)
        assert holder.stop() == 0
        eventually(lambda: leased(heir), "the other to take it", within_s=LOOKED_FOR_S)
        eventually(lambda: len({frame.lease for frame in world.frames()}) == 2, "its frames", within_s=WITHIN_S)
    assert no_frame_twice(world.frames())
    assert never_two_at_once(world.frames())


def test_without_redis_publishing_stops_before_the_lease_could_be_anothers_and_numbers_never_go_back(
    world: IngestWorld, tmp_path: Path
) -> None:
    world.deploy(*looping_cameras(tmp_path, 1))
    redis = RedisServer("volatile", tmp_path / "redis")
    redis.start()
    try:
        world.use_redis(redis.url)
        with world.ingest(redis_volatile_url=redis.url, lease_ttl_s=TTL_S) as ingest:
            eventually(world.frames, "frames", within_s=WITHIN_S)
            redis.kill()
            killed_at = datetime.now(UTC)
            eventually(
                lambda: ingest.logged("lease lost", camera="gate-0"), "the camera to be left", within_s=WITHIN_S
            )
            assert not ingest.ready()
            redis.restart()
            eventually(lambda: len(leased_numbers(ingest)) == 2, "a new lease", within_s=WITHIN_S)
            back_at = datetime.now(UTC)
            world.forget_keys()
            eventually(
                lambda: any(frame.captured_at > back_at for frame in world.frames()),
                "frames again",
                within_s=WITHIN_S,
            )
            eventually(ingest.ready, "readiness", within_s=WITHIN_S)
            assert ingest.stop() == 0
    finally:
        redis.stop()
    before, after = leased_numbers(ingest)
    assert after > before
    old = [frame.captured_at for frame in world.frames() if frame.lease == before]
    assert max(old) < killed_at + timedelta(seconds=TTL_S)
    gap = next(gap for gap in world.gaps() if gap.reason == "lease_lost")
    assert gap.captured_at > killed_at
    assert all(counts.final for counts in world.counts().values())
    assert sum(totals(counts)["frames_published"] for counts in world.counts().values()) == len(
        world.frames()
    ) + len(world.lost_frames)


def leased_numbers(ingest: Ingest) -> list[int]:
    return [int(str(line["lease"])) for line in ingest.logs() if line["message"] == "camera leased"]


def _alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_a_camera_that_is_not_what_was_signed_for_is_never_opened(world: IngestWorld, tmp_path: Path) -> None:
    world.deploy(*looping_cameras(tmp_path, 2))
    text = world.cameras_file.read_text()
    world.cameras_file.write_text(text.replace("source: folder", "source: file", 1))
    with world.ingest() as ingest:
        assert ingest.process.wait(WITHIN_S) == 2
        reason = next(str(line["reason"]) for line in ingest.logs() if line["message"] == "refused to run")
    assert "gate-0: is read as file, authorised as folder" in reason
    assert str(tmp_path) not in reason
    assert not leased(ingest)
    assert not world.frames()


def test_reading_ends_when_the_lease_is_withheld_and_goes_on_when_it_is_renewed(
    world: IngestWorld, tmp_path: Path
) -> None:
    world.deploy(*looping_cameras(tmp_path, 1))
    with world.ingest() as ingest:
        eventually(world.frames, "frames", within_s=WITHIN_S)
        world.signed.close()
        eventually(
            lambda: ingest.logged("camera refused", camera="gate-0", reason="lease_stale"),
            "the lease to run out, and nobody to renew it for a while",
            within_s=2 * WITHIN_S,
        )
        eventually(lambda: not ingest.readers(), "the reader to be gone", within_s=WITHIN_S)
        world.signed.renew()
        eventually(ingest.readers, "a reader again", within_s=WITHIN_S)
        assert ingest.stop() == 0
    assert all(counts.final for counts in world.counts().values())


def test_reading_ends_with_the_authoritys_window(world: IngestWorld, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    end = now + timedelta(seconds=5)
    window = {"start": (now - timedelta(hours=1)).isoformat(), "end": end.isoformat()}
    world.deploy(*looping_cameras(tmp_path, 1), window=window)
    with world.ingest() as ingest:
        eventually(world.frames, "frames inside the window", within_s=WITHIN_S)
        eventually(
            lambda: ingest.logged("camera refused", camera="gate-0", reason="outside_window"),
            "the window to end",
            within_s=WITHIN_S,
        )
        eventually(lambda: not ingest.readers(), "the reader to be gone", within_s=WITHIN_S)
        time_after = time.time()
        assert ingest.stop() == 0
    assert all(frame.captured_at < end for frame in world.frames())
    assert time_after >= end.timestamp()
    assert all(counts.final for counts in world.counts().values())
