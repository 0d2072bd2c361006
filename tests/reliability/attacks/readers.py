"""Attacks on ingest: a camera that is not the one that was authorised. What is not read is never searched.

An ingest process reads a film under an authority, and must read nothing once the camera, or what it is said to be,
was swapped: each frame that it publishes then counts as a search outside.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from services.runtime.process import Exit
from tests.integration.ingest.pictures import write_jpegs, write_video
from tests.integration.ingest.tls_camera import TlsCamera
from tests.integration.ingest.world import IngestWorld
from tests.reliability.attacks.judge import Verdict
from tests.reliability.attacks.town import DWELL_S, WITHIN_S, Outcome, Servers
from tests.support import eventually
from tests.unit.contracts.authorisation.builders import a_camera

_FOUND_OUT = re.compile(r'^signpost_ingest_source_faults_total\{reason="not_as_authorised"\} ([2-9]|\d\d)', re.M)


def camera_swapped(servers: Servers) -> Outcome:
    """Another host is read in the camera's place; then another camera answers at its address."""
    with _world(servers) as world:
        world.deploy(_camera("rtsp", "rtsp://127.0.0.1:9/camera"))
        _swap(world, _camera("rtsp", "rtsp://127.0.0.1:10/camera"))
        _refuses_to_run(world)
        outside = _published(world)
    with _world(servers) as world, TlsCamera(world.folder) as camera:
        world.deploy(_camera("rtsp", camera.address))
        host = camera.address.split("/")[2]
        named = a_camera("gate-1", host=host, certificate_sha256=camera.certificate_sha256)
        world.signed.supersede(cameras=[named])
        camera.swap()
        with world.ingest() as ingest:
            eventually(lambda: _FOUND_OUT.search(ingest.metrics()), "it to be found out twice", within_s=WITHIN_S)
        outside += _published(world)
    return Outcome(Verdict(0, outside), "ingest refused to run; not_as_authorised at each opening")


def source_kind_swapped(servers: Servers) -> Outcome:
    """A film is read in a live camera's place, then a folder of pictures in a film's."""
    with _world(servers) as world:
        film = write_video(world.folder / "walk.mp4")
        world.deploy(_camera("rtsp", "rtsp://127.0.0.1:9/camera"))
        _swap(world, _camera("file", str(film)))
        _refuses_to_run(world)
        outside = _published(world)
    with _world(servers) as world:
        film = write_video(world.folder / "walk.mp4")
        world.deploy(_camera("file", str(film)))
        with world.ingest("ingest-before"):
            eventually(world.frames, "frames of what was authorised", within_s=WITHIN_S)
        before = len(world.frames())
        _swap(world, _camera("folder", str(write_jpegs(world.folder / "pictures", 20))))
        _refuses_to_run(world)
        after = (*outside, *_published(world)[before:])
        return Outcome(Verdict(0, after), f"ingest refused to run; {before} frames of what was authorised")


def _camera(source: str, address: str) -> dict[str, object]:
    return {"id": "gate-1", "source": source, "address": address, "rate_fps": 5}


def _swap(world: IngestWorld, camera: dict[str, object]) -> None:
    """How it is read is what the operator writes down; what it is was signed."""
    world.cameras_file.write_text(yaml.safe_dump({"cameras": [camera]}))


def _refuses_to_run(world: IngestWorld) -> None:
    with world.ingest() as ingest:
        assert ingest.process.wait(WITHIN_S) == Exit.MISCONFIGURED, "it ran with a camera that is not authorised"


def _published(world: IngestWorld) -> tuple[str, ...]:
    time.sleep(DWELL_S / 3)
    return tuple("a frame of a swapped camera" for _ in world.frames())


@contextmanager
def _world(servers: Servers) -> Iterator[IngestWorld]:
    folder = Path(servers.folder / f"ingest-{secrets.token_hex(4)}")
    folder.mkdir()
    world = IngestWorld(servers.bootstrap, servers.volatile_url, folder, folder.name)
    try:
        yield world
    finally:
        world.close()
