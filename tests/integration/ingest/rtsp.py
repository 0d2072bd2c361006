"""A live camera to kill: the RTSP server as a process."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.stack.ports import free_ports
from tests.integration.stack import missing_server

_PYTHON = Path("/usr/bin/python3")
_SCRIPT = Path(__file__).with_name("rtsp_server.py")
_NEEDS = "python3-gst-1.0 gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-{base,good,bad,ugly}"
USER, PASSWORD = "operator", "correct-horse-7"


class RtspCamera:
    """rtsp://127.0.0.1:port/camera, 15 frames/s, served by a process that can be killed and hung."""

    def __init__(self, *, login: bool = False) -> None:
        (self.port,) = free_ports(1)
        self._login = (USER, PASSWORD) if login else ()
        self._process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        user = f"{USER}:{PASSWORD}@" if self._login else ""
        return f"rtsp://{user}127.0.0.1:{self.port}/camera"

    def start(self) -> None:
        self._process = subprocess.Popen(  # our own script
            [str(_PYTHON), str(_SCRIPT), str(self.port), *self._login],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            self.kill()
            missing_server(f"no RTSP server: apt-get install {_NEEDS}")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=10)
            self._process = None

    def hang(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def rtsp_camera(*, login: bool = False) -> Iterator[RtspCamera]:
    """A started camera, gone at the end. Skips loudly without the server's packages, fails where CI is set."""
    if not _PYTHON.exists():
        missing_server(f"{_PYTHON} is not there")
    camera = RtspCamera(login=login)
    camera.start()
    try:
        yield camera
    finally:
        camera.kill()


@pytest.fixture
def camera() -> Iterator[RtspCamera]:
    with rtsp_camera() as camera:
        yield camera
