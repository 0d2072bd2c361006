"""Ray's head as a process of ours: the roof under which embed's workers live, with a token of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from console.edges.private_file import write_private
from console.stack.child import Child
from console.stack.ports import accepts, free_ports

# Measured: 8 to 10 s on an idle machine.
_READY_WITHIN_S = 90
_STOP_WITHIN_S = 20


class RayHead:
    """A head that dies with us. `settings` are what a supervisor, and the actors, find it by.

    `folder` holds its session, and is removed at `stop`.
    """

    def __init__(self, home: Path, *, max_workers: int) -> None:
        self._home = home
        (self._port,) = free_ports(1)
        # Ray's socket paths may not be longer than 107 characters, so its folder is not below `home`.
        self.folder = Path(f"/tmp/signpost-{secrets.token_hex(4)}")  # noqa: S108
        self._token = home / "ray-token"
        self._child: Child | None = None
        self.settings = {
            "WORKERS": "ray",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self._token),
            "RAY_ADDRESS": f"127.0.0.1:{self._port}",
            "RAY_PORT": str(self._port),
            "RAY_TEMP_DIR": str(self.folder),
            # Ray's own switch, whatever its name: without it Ray takes the machine's outward address for
            # 127.0.0.1, and listens on all of them.
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_CPUS": str(max_workers),
            "MAX_WORKERS": str(max_workers),
        }

    @property
    def pid(self) -> int:
        """The head's process. Only after `start`."""
        if self._child is None:
            raise RuntimeError("Ray's head was not started")
        return self._child.pid

    def start(self, embed_settings: Mapping[str, str]) -> None:
        """Start the head and wait until it listens; the actors take their settings from its environment."""
        write_private(self._token, secrets.token_hex(32))
        environment = {**os.environ, **embed_settings, **self.settings}  # noqa: TID251 - as a shell's children
        self._child = Child(
            "ray-head",
            [sys.executable, "-m", "services.embed.ray_head"],
            cwd=Path.cwd(),
            log=self._home / "logs" / "ray-head.log",
            env=environment,
        )
        self._child.await_ready(lambda: accepts(self._port), within_s=_READY_WITHIN_S)

    def stop(self) -> None:
        """End the head and its actors, and remove what Ray left."""
        if self._child is not None:
            self._child.stop(within_s=_STOP_WITHIN_S)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._token.unlink(missing_ok=True)
