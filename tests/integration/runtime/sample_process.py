"""A whole process around a small service, for the tests of `process`; behaves as its settings say."""

from __future__ import annotations

import resource
import sys
import threading
import time
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from services.contracts.errors import Misconfigured
from services.runtime import process
from services.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    behaviour: Literal["good", "done", "refuse", "raise", "raise_in_thread", "leave_work", "hang_in_drain"] = (
        Field("good", description="What the service does.")
    )


class Sample:
    """Tells what it does on stdout, a word a line."""

    def __init__(self, settings: Settings, context: process.Context) -> None:
        self._behaviour = settings.behaviour
        self._context = context
        self._running = False

    def start(self) -> None:
        tell("start")
        if self._behaviour == "refuse":
            raise Misconfigured("the list at redis://:sesame@127.0.0.1 is not sealed")

    def run(self, stop: threading.Event) -> None:
        if self._behaviour == "raise":
            raise RuntimeError("a bug")
        if self._behaviour == "raise_in_thread":
            threading.Thread(target=lambda: 1 // 0, name="signpost-sample").start()
        self._running = True
        tell("run")
        tell(f"core={resource.getrlimit(resource.RLIMIT_CORE)[0]}")
        while self._behaviour != "done" and not stop.wait(0.02):
            self._context.heartbeat.beat()

    def drain(self, within_s: float) -> bool:
        tell("drain")
        if self._behaviour == "hang_in_drain":
            time.sleep(60)
        return self._behaviour != "leave_work"

    def close(self) -> None:
        tell("close")

    def ready(self) -> Mapping[str, bool]:
        return {"loop": self._running}


def tell(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(process.run("sample", Settings, Sample))
