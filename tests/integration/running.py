"""A service as a process of a test: on its own port, with its own log, killed when the test is done."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Until a process is ready, and until it has ended after SIGTERM.
WITHIN_S = 40.0


@dataclass
class Running:
    """One process; `port` is that of its health and metrics."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def ready(self) -> bool:
        """Whether /readyz says so."""
        return answer(self.port, "/readyz")[0] == 200

    def metric(self, name: str) -> float:
        """A sample by its whole name, labels included; 0 if it is not there."""
        for line in answer(self.port, "/metrics")[1].splitlines():
            if line.rpartition(" ")[0] == name:
                return float(line.rpartition(" ")[2])
        return 0.0

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.process.wait(WITHIN_S)


def answer(port: int, path: str) -> tuple[int, str]:
    """Status and text; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as got:
            return int(got.status), got.read().decode()
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code, ""
    except (urllib.error.URLError, ConnectionError):
        return 0, ""


@contextmanager
def process_of(
    module: Sequence[str], *, log: Path, settings: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m module ...` with these settings and no other; killed at the end if it still runs."""
    environ = {
        "PATH": os.environ["PATH"],  # noqa: TID251 - a child's surroundings
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'proto' / 'gen'}",
        **settings,
    }
    command = [sys.executable, "-m", *module]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=out) as process,
    ):
        try:
            yield process
        finally:
            process.kill()
