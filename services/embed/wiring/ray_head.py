"""How Ray's head is started: with a token, without spilling, dashboard, statistics or copies of logs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import NoReturn

from services.embed.settings import RayHeadSettings

# The least Ray takes: nothing of ours goes through the store but a few numbers.
_STORE_BYTES = 78_643_200
_CONFIG = {
    # The store's content must never reach a disk.
    "automatic_object_spilling_enabled": False,
    # Workers are started when an actor comes; idle ones in store cost 70 MB each.
    "prestart_worker_first_driver": False,
    # Nobody reads Ray's record of every call, and the head would keep the last hundred thousand.
    "task_events_report_interval_ms": 0,
}


def become_head(settings: RayHeadSettings) -> NoReturn:
    """Replace this process by Ray's head; its children end with it. The environment goes on to the actors,
    who read their settings from it."""
    shutil.rmtree(settings.ray_temp_dir, ignore_errors=True)
    settings.ray_temp_dir.mkdir(mode=0o700, parents=True)
    os.execv(sys.executable, head_command(settings))  # noqa: S606 - an argument list of ours, no shell


def head_command(settings: RayHeadSettings) -> list[str]:
    """The command line of Ray's head; holds no secret."""
    options = {
        "port": settings.ray_port,
        "node-ip-address": "127.0.0.1",
        "num-cpus": settings.ray_cpus,
        "object-store-memory": _STORE_BYTES,
        "temp-dir": settings.ray_temp_dir,
        "include-dashboard": "false",
        "include-log-monitor": "false",
        "system-config": json.dumps(_CONFIG),
        "log-style": "record",
        "log-color": "false",
    }
    named = [f"--{name}={value}" for name, value in options.items()]
    return [
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        "--head",
        "--block",
        "--disable-usage-stats",
        *named,
    ]
