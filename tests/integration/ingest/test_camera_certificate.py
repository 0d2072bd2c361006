"""The certificate a camera shows, as it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.stack.ports import free_ports
from services.ingest.edges.camera_certificate import shown_at
from tests.integration.ingest.tls_camera import TlsCamera


def test_a_camera_is_known_by_the_certificate_it_shows_now(tmp_path: Path) -> None:
    with TlsCamera(tmp_path) as camera:
        first = camera.certificate_sha256
        assert shown_at(camera.address) == first
        camera.swap()
        assert shown_at(camera.address) == camera.certificate_sha256 != first


def test_without_tls_there_is_no_certificate() -> None:
    assert shown_at("rtsp://127.0.0.1:1/camera") is None


def test_a_camera_that_is_away_shows_none() -> None:
    (port,) = free_ports(1)
    with pytest.raises(OSError, match="refused"):
        shown_at(f"rtsps://127.0.0.1:{port}/camera")
