"""A service that cannot be built before its authority is known, as the service that a process runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from services.contracts.authorisation.approvals import Verified
from services.contracts.standing import Standing
from services.runtime.authority_watch import AuthorityWatch
from services.runtime.health import Heartbeat
from services.runtime.process import Service

log = logging.getLogger(__name__)

Build = Callable[[Verified, Standing], Service]


class UnderAuthority:
    """`Service` around another: waits in `run` for the authority, then builds, starts and runs the other one.

    When another document comes into force the service is drained and the process ends with OK: what it knows of
    the old one went into how it was built, and who runs it starts it anew.
    """

    def __init__(self, watch: AuthorityWatch, build: Build, heartbeat: Heartbeat) -> None:
        self._watch = watch
        self._build = build
        self._heartbeat = heartbeat
        self._inner: Service | None = None
        self._running = False

    def start(self) -> None:
        self._watch.start()

    def run(self, stop: threading.Event) -> None:
        verified = self._watch.wait(stop, self._heartbeat.beat)
        if verified is None:
            return
        document = verified.document
        log.info("built on an authority", extra={"version": document.version, "digest": verified.digest})
        self._heartbeat.begin_again()
        self._inner = self._build(verified, self._watch.built_for(verified, stop.set))
        self._inner.start()
        self._running = True
        self._inner.run(stop)
        self._running = False

    def drain(self, within_s: float) -> bool:
        return self._inner is None or self._inner.drain(within_s)

    def close(self) -> None:
        if self._inner is not None:
            self._inner.close()
        self._watch.stop()

    def ready(self) -> Mapping[str, bool]:
        inner, running = self._inner, self._running
        checks = inner.ready() if inner is not None and running else {"running": False}
        return {"authority": self._watch.ready(), **checks}
