"""One Signpost service as a process of ours: its settings, its readiness, its end."""

from __future__ import annotations

import os
import sys
import urllib.error
from collections.abc import Mapping, Sequence
from pathlib import Path

from console.stack.child import Child
from console.stack.ports import free_ports
from services.runtime.http_client import direct

# A first start compiles the networks; later ones read them from the cache.
_READY_WITHIN_S = 180
_STOP_WITHIN_S = 30
_ASK_TIMEOUT_S = 2.0


class ServiceProcess:
    """A service run as `python -m module`. Any thread may call; not two at once."""

    def __init__(self, name: str, module: Sequence[str], *, home: Path, settings: Mapping[str, str]) -> None:
        """`module` is the module and its arguments; `settings` are environment variables, by name."""
        self.name = name
        self._module = tuple(module)
        self._home = home
        self._settings = dict(settings)
        self._child: Child | None = None
        (self._http_port,) = free_ports(1)
        self._opener = direct()

    @property
    def log(self) -> Path:
        return self._home / "logs" / f"{self.name}.log"

    @property
    def http(self) -> str:
        """Where health and metrics are served."""
        return f"http://127.0.0.1:{self._http_port}"

    @property
    def pid(self) -> int:
        if self._child is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._child.pid

    def start(self) -> None:
        """Start the process; returns at once. A second call starts it anew, as a supervisor would."""
        # The children stand on our environment, as a shell's do; what we settle wins.
        environment = {**os.environ, **self._settings, "HTTP_PORT": str(self._http_port)}  # noqa: TID251
        argv = [sys.executable, "-m", *self._module]
        self._child = Child(self.name, argv, cwd=Path.cwd(), log=self.log, env=environment)

    def await_ready(self, *, within_s: float = _READY_WITHIN_S) -> None:
        """Block until /readyz says yes; raises ChildDiedError with the log's end."""
        if self._child is None:
            raise RuntimeError(f"{self.name} was not started")
        self._child.await_ready(self.ready, within_s=within_s)

    def ready(self) -> bool:
        """Whether /readyz says yes now."""
        try:
            with self._opener.open(f"{self.http}/readyz", timeout=_ASK_TIMEOUT_S) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def metrics(self) -> str:
        """The metrics as they are now, in Prometheus' text format."""
        with self._opener.open(f"{self.http}/metrics", timeout=_ASK_TIMEOUT_S) as answer:
            return bytes(answer.read()).decode()

    def alive(self) -> bool:
        return self._child is not None and self._child.alive()

    def terminate(self) -> None:
        """Ask the process to drain and end; returns at once."""
        if self._child is not None:
            self._child.terminate()

    def stop(self, *, within_s: float = _STOP_WITHIN_S) -> None:
        """Ask the process to drain and end, and wait; end it if it does not."""
        if self._child is not None:
            self._child.stop(within_s=within_s)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._child is not None:
            self._child.kill()
