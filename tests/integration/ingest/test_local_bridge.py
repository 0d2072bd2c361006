"""The way to a camera where the kernel filters no system calls."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import av
import pytest

from services.contracts.camera_address import parse_address
from services.ingest.edges.link_main import carry
from services.ingest.edges.local_bridge import LocalBridge
from tests.integration.ingest.scripted_camera import ScriptedCamera
from tests.integration.ingest.test_camera_link import fault


def test_a_camera_is_read_on_a_machine_whose_calls_are_not_filtered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import platform\nplatform.machine = lambda: 'riscv64'\n")
    monkeypatch.syspath_prepend(tmp_path)  # a reader's path is ours
    with ScriptedCamera() as camera:
        assert fault(camera) is None
        assert camera.connections == 1


def test_a_stream_comes_through_a_port_that_one_connection_finds_open() -> None:
    own, far = socket.socketpair()
    with ScriptedCamera() as camera, far:
        host, _, port = camera.place.partition(":")
        with own, socket.create_connection((host, int(port))) as connection:
            bridge = LocalBridge(far.fileno())
            link = threading.Thread(target=carry, args=(parse_address(camera.address()), connection, own))
            link.start()
            with av.open(bridge.begin(), "r", format="rtsp", options={"rtsp_transport": "tcp"}) as container:
                assert next(container.decode(video=0)).width == 160
            link.join(10)
            assert not link.is_alive()
        assert camera.connections == 1
