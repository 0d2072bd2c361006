"""Actors on a real Ray: adopted, replaced, drained; and nothing of a frame or a face in Ray's store."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.run.service import ServiceProcess
from console.sample.sitters import FORTY_FOUR
from console.stack.child import Child
from console.stack.ports import free_ports
from services.contracts.counts import Count
from tests.integration.embed.street import Street, picture
from tests.support import eventually


@dataclass
class Ray:
    """A head of this test's own, and the settings of a supervisor on it."""

    head: Child
    temp: Path
    settings: dict[str, str]

    def supervisor(self, street: Street) -> ServiceProcess:
        return ServiceProcess("supervisor", ["services.embed"], home=street.home, settings=self.settings)


@contextmanager
def ray_on(street: Street, *, max_workers: int = 1) -> Iterator[Ray]:
    (port,) = free_ports(1)
    temp = Path(f"/tmp/sp-{secrets.token_hex(4)}")  # noqa: S108 - sockets need a short path
    token = street.home / "ray-token"
    token.write_text(secrets.token_hex(32))
    token.chmod(0o600)
    settings = street.settings(
        WORKERS="ray",
        RAY_AUTH_MODE="token",
        RAY_AUTH_TOKEN_PATH=str(token),
        RAY_ADDRESS=f"127.0.0.1:{port}",
        RAY_PORT=str(port),
        RAY_TEMP_DIR=str(temp),
        MAX_WORKERS=str(max_workers),
    )
    head = Child(
        "ray-head",
        [sys.executable, "-m", "services.embed.ray_head"],
        cwd=Path.cwd(),
        log=street.home / "logs" / "ray-head.log",
        env={**os.environ, **settings},  # noqa: TID251 - a child's surroundings, as a shell gives them
    )
    try:
        head.await_ready(lambda: _listens(port), within_s=60)
        yield Ray(head, temp, settings)
    finally:
        head.stop(within_s=20)
        shutil.rmtree(temp, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def actor_pids(ray: Ray) -> set[int]:
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                name = (folder / "cmdline").read_bytes()
                environment = (folder / "environ").read_bytes() if b"SlotActor" in name else b""
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if str(ray.temp).encode() in environment:
                found.add(int(folder.name))
    return found


@pytest.fixture
def street(make_street: Callable[..., Street]) -> Street:
    return make_street(cameras=2)


def decoded(street: Street) -> int:
    return street.totals()[Count.FRAMES_DECODED]


def test_an_actor_that_dies_is_replaced_and_a_supervisor_that_dies_leaves_its_actors_at_work(
    street: Street,
) -> None:
    with ray_on(street) as ray:
        supervisor = ray.supervisor(street)
        supervisor.start()
        supervisor.await_ready()
        street.walk([0, 1], [FORTY_FOUR], 6)
        eventually(lambda: decoded(street) == 12, "the first actor's frames", within_s=40)
        (first,) = actor_pids(ray)

        os.kill(first, signal.SIGKILL)
        street.walk([0, 1], [FORTY_FOUR], 6, lease=2)
        eventually(lambda: decoded(street) == 24, "the second actor's frames", within_s=60)
        (second,) = actor_pids(ray)
        assert second != first
        eventually(supervisor.ready, "the supervisor to be ready again", within_s=10)
        assert "signpost_embed_worker_restarts_total 1.0" in supervisor.metrics()

        supervisor.kill()
        street.walk([0, 1], [FORTY_FOUR], 6, lease=3)
        eventually(lambda: decoded(street) == 36, "frames without a supervisor", within_s=40)
        assert actor_pids(ray) == {second}

        supervisor.start()
        supervisor.await_ready()
        assert actor_pids(ray) == {second}
        eventually(
            lambda: 'signpost_embed_frames_total{exit="with_face",worker="0"}' in supervisor.metrics(),
            "the adopted actor's metrics",
            within_s=15,
        )
        supervisor.stop()
        eventually(lambda: not actor_pids(ray), "the actors to be drained", within_s=10)
    assert street.totals()[Count.FRAMES_DECODED] == 36


def test_no_byte_of_a_frame_or_a_face_enters_rays_object_store(street: Street) -> None:
    """Every frame carries a canary in its JPEG comment; after the walk it is nowhere in Ray's shared memory,
    session folder or logs, and the store has held not one object."""
    canary = secrets.token_hex(16).encode()
    with ray_on(street) as ray:
        supervisor = ray.supervisor(street)
        supervisor.start()
        supervisor.await_ready()
        for step in range(20):
            jpeg = picture([FORTY_FOUR], step)
            comment = b"\xff\xfe" + (len(canary) + 2).to_bytes(2, "big") + canary
            street.show(0, jpeg[:2] + comment + jpeg[2:])
        eventually(lambda: decoded(street) == 20, "20 frames counted", within_s=40)
        faces = street.faces()
        crops = [shot.jpeg[200:232] for face in faces for shot in face.shots]
        assert crops
        needles = [canary, *crops, *(face.vector.tobytes() for face in faces)]
        assert not found_in_store(ray, needles)
        assert ray_stored(ray).startswith("Plasma memory usage 0 MiB, 0 objects")
        with stored(ray, b"put here on purpose, to see that the search finds what is there"):
            assert found_in_store(ray, [b"put here on purpose"])
        supervisor.stop()


PUT = """
import os, sys, ray
ray.init(address=sys.argv[1], log_to_driver=False, configure_logging=False)
ref = ray.put(sys.argv[2].encode() * 100)
print("put", flush=True)
sys.stdin.read()
"""


@contextmanager
def stored(ray: Ray, content: bytes) -> Iterator[None]:
    """While inside, Ray's store holds `content`."""
    driver = subprocess.Popen(
        [sys.executable, "-c", PUT, ray.settings["RAY_ADDRESS"], content.decode()],
        env={**os.environ, **ray.settings},  # noqa: TID251
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"put\n"
        yield
        driver.communicate(timeout=30)


def found_in_store(ray: Ray, needles: Sequence[bytes]) -> list[Path]:
    """Where in Ray's shared memory, session folder and logs any of `needles` is."""
    contents = ((path, path.read_bytes()) for path in _store_files(ray))
    return [path for path, content in contents if any(needle in content for needle in needles)]


def _store_files(ray: Ray) -> list[Path]:
    """What Ray's own processes map of shared memory, and every file of the session."""
    mapped = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if str(ray.temp).encode() not in (folder / "cmdline").read_bytes():
                continue
            mapped |= {f for f in (folder / "map_files").iterdir() if "plasma" in os.readlink(f)}
        except (FileNotFoundError, ProcessLookupError, PermissionError, OSError):
            continue
    return [*mapped, *(p for p in ray.temp.rglob("*") if p.is_file() and not p.is_symlink())]


def ray_stored(ray: Ray) -> str:
    """How much the object store holds, as Ray itself tells."""
    told = subprocess.run(
        [
            sys.executable,
            "-m",
            "ray.scripts.scripts",
            "memory",
            "--stats-only",
            "--address",
            ray.settings["RAY_ADDRESS"],
        ],
        env={**os.environ, **ray.settings},  # noqa: TID251
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return next(line for line in told.stdout.splitlines() if line.startswith("Plasma memory usage"))
