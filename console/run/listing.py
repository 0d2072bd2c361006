"""Builds an exercise's list: embed's own models enrol it, by the operator's own command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence

from console.run.service import ServiceProcess
from console.stack.errors import StackError

_BUILD_WITHIN_S = 120


def build(enrol: ServiceProcess, arguments: Sequence[str], options: Mapping[str, str]) -> str:
    """Start `enrol`, run `signpost watchlist build`, end it. Returns the report; raises StackError."""
    enrol.start()
    try:
        enrol.await_ready()
        words = [word for option in options.items() for word in option]
        command = [sys.executable, "-m", "console", "watchlist", "build", *arguments, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_BUILD_WITHIN_S, check=False)
    finally:
        enrol.stop()
    if done.returncode != 0:
        raise StackError(f"the list was not built:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
