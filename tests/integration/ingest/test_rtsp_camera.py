"""A live camera over RTSP that is killed, hangs and wants a password."""

from __future__ import annotations

import signal
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.integration.ingest.rtsp import PASSWORD, RtspCamera, camera, rtsp_camera
from tests.integration.ingest.world import WITHIN_S, Ingest, IngestWorld, adds_up, totals
from tests.support import eventually

__all__ = ["camera"]


def a_live_camera(address: str, **changes: object) -> dict[str, object]:
    return {"id": "gate-1", "source": "rtsp", "address": address, **changes}


def epochs(world: IngestWorld) -> set[int]:
    return {frame.epoch for frame in world.frames()}


def no_frame_twice(world: IngestWorld) -> bool:
    ids = [frame.event_id for frame in world.frames()]
    return len(ids) == len(set(ids))


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_camera_that_dies_and_comes_back_leaves_a_gap_and_begins_a_new_epoch(
    world: IngestWorld, camera: RtspCamera, transport: str
) -> None:
    world.deploy(a_live_camera(camera.address, transport=transport), use_case="crime_hotspot")
    with world.ingest() as ingest:
        eventually(lambda: len(world.frames()) >= 5, "frames of the first epoch", within_s=WITHIN_S)
        camera.kill()
        (gap,) = eventually(world.gaps, "the gap to be recorded", within_s=WITHIN_S)
        assert gap.camera == "gate-1"
        assert gap.run.endswith(".1")
        assert gap.reason in {"stream_ended", "timed_out", "stalled", "unreachable"}
        camera.start()
        eventually(lambda: 2 in epochs(world), "the second epoch", within_s=WITHIN_S)
        assert ingest.stop() == 0
    assert no_frame_twice(world)
    first, second = ([frame.captured_at for frame in world.frames() if frame.epoch == epoch] for epoch in (1, 2))
    (gap,) = world.gaps()
    assert abs((gap.began_at - max(first)).total_seconds()) < 1.0, "the gap begins with the last frame"
    assert max(first) < gap.captured_at
    assert abs((gap.captured_at - min(second)).total_seconds()) < 1.0, "and ends with the next"
    counts = world.counts()
    assert all(adds_up(one) and one.final for one in counts.values())
    assert totals(counts[gap.run])[f"camera_gaps:{gap.reason}"] == 1
    published = [totals(one)["frames_published"] for one in counts.values()]
    assert sum(published) == len(world.frames())


def test_frames_are_sampled_at_the_cameras_rate_and_the_rest_is_counted(
    world: IngestWorld, camera: RtspCamera
) -> None:
    world.deploy(a_live_camera(camera.address, rate_fps=5))
    with world.ingest() as ingest:
        eventually(lambda: len(world.frames()) >= 20, "four seconds of frames", within_s=WITHIN_S)
        assert ingest.stop() == 0
    (counts,) = world.counts().values()
    found = totals(counts)
    assert found["frames_sampled"] * 3 == pytest.approx(found["frames_read"], abs=4), "5 of 15 frames a second"
    assert adds_up(counts)


def test_a_server_that_hangs_is_noticed_and_read_anew(world: IngestWorld, camera: RtspCamera) -> None:
    world.deploy(a_live_camera(camera.address))
    with world.ingest():
        eventually(lambda: len(world.frames()) >= 3, "frames", within_s=WITHIN_S)
        camera.hang()
        (gap,) = eventually(world.gaps, "the gap to be recorded", within_s=WITHIN_S)
        assert gap.reason in {"timed_out", "stalled"}
        camera.go_on()
        eventually(lambda: len(epochs(world)) >= 2, "a new epoch", within_s=WITHIN_S)
    assert no_frame_twice(world)


@pytest.mark.parametrize(("blow", "reason"), [(signal.SIGSTOP, "stalled"), (signal.SIGKILL, "reader_died")])
def test_a_reader_that_hangs_or_dies_costs_its_own_camera_a_gap_and_no_other_anything(
    world: IngestWorld, camera: RtspCamera, blow: signal.Signals, reason: str
) -> None:
    world.deploy(a_live_camera(camera.address), {**a_live_camera(f"{camera.address}-2"), "id": "gate-2"})
    with world.ingest() as ingest:
        for name in ("gate-1", "gate-2"):
            eventually(partial(world.frames, name), f"frames of {name}", within_s=WITHIN_S)
        victim = ingest.readers()[0]
        victim.send_signal(blow)
        (gap,) = eventually(world.gaps, "the gap to be recorded", within_s=WITHIN_S)
        assert gap.reason == reason
        other = "gate-2" if gap.camera == "gate-1" else "gate-1"
        seen = len(world.frames(other))
        eventually(
            lambda: 2 in {frame.epoch for frame in world.frames(gap.camera)}, "a new epoch", within_s=WITHIN_S
        )
        assert len(world.frames(other)) > seen
        assert {frame.epoch for frame in world.frames(other)} == {1}
        eventually(
            lambda: not victim.is_running(), "the reader to be gone, no zombie left of it", within_s=WITHIN_S
        )


def test_a_password_in_an_address_is_shown_nowhere(world: IngestWorld, tmp_path: Path) -> None:
    with rtsp_camera(login=True) as camera:
        wrong = camera.address.replace(PASSWORD, f"not-{PASSWORD}")
        nowhere = camera.address.replace(str(camera.port), "1")
        world.deploy(
            a_live_camera(camera.address),
            {**a_live_camera(wrong), "id": "gate-2"},
            {**a_live_camera(nowhere), "id": "gate-3"},
        )
        with world.ingest(log_level="DEBUG") as ingest:
            eventually(lambda: world.frames("gate-1"), "frames: the password is the right one", within_s=WITHIN_S)
            eventually(
                lambda: (
                    ingest.logged("source broke off", camera="gate-2", reason="unauthorised")
                    and ingest.logged("source broke off", camera="gate-3", reason="unreachable")
                ),
                "the others to fail",
                within_s=WITHIN_S,
            )
            shown = _all_processes_show(ingest)
            shown["metrics"] = ingest.metrics().encode()
            assert ingest.stop() == 0
        shown["log"] = ingest.log.read_bytes()
        shown["counts"] = b"".join(world.raw_accounts)
        assert world.gaps()
    shown["redis"] = b"".join(world.client.scan_iter())
    assert [where for where, content in shown.items() if PASSWORD.encode() in content] == []


def _all_processes_show(ingest: Ingest) -> dict[str, bytes]:
    """Command line and environment of ingest and its readers, which anybody on the machine may list."""
    found = {}
    for process in [psutil.Process(ingest.process.pid), *ingest.children()]:
        for name in ("cmdline", "environ"):
            path = Path(f"/proc/{process.pid}/{name}")
            with suppress(FileNotFoundError, ProcessLookupError):  # a camera's that was refused ends by itself
                found[str(path)] = path.read_bytes()
    assert any("reader_main" in content.decode() for content in found.values())
    return found
