"""The life of every process, always in the same order.

settings -> logs -> no core dumps, few heaps, all files -> metrics -> health -> build -> signals -> run -> drain
-> exit code
"""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import FrameType
from typing import Protocol, TypeVar

from prometheus_client import CollectorRegistry

from services.contracts.errors import Misconfigured
from services.runtime import logs
from services.runtime.clock import Clock, SystemClock
from services.runtime.doors.files import raise_file_limit
from services.runtime.health import HealthServer, Heartbeat
from services.runtime.metrics import new_registry
from services.runtime.settings import BadSettings, ProcessSettings, load

log = logging.getLogger(__name__)

# What `drain` may overrun its deadline by before the process ends itself; it is asked to keep the
# deadline, so this is only reached if it hangs. At 0 a drain that ends on time would race its end.
_DRAIN_GRACE_S = 2.0
_PR_SET_DUMPABLE = 4
_M_ARENA_MAX = -8
_ARENAS = 2


class Exit(IntEnum):
    """Exit codes of every Signpost process."""

    OK = 0
    BUG = 1
    MISCONFIGURED = 2
    DRAIN_TIMED_OUT = 3
    SECOND_SIGNAL = 130


@dataclass(frozen=True)
class Context:
    """What a process gives to its service beside the settings."""

    clock: Clock
    registry: CollectorRegistry
    heartbeat: Heartbeat
    instance: str


class Service(Protocol):
    """What `build` returns. All but `ready` are called once, on the main thread, in this order."""

    def start(self) -> None:
        """Connect and check what is needed. Raises Misconfigured if the surroundings are not right."""
        ...

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, beating the heartbeat. Returning earlier means: all is done."""
        ...

    def drain(self, within_s: float) -> bool:
        """Finish the work in hand, take none. True if nothing is left; must return within `within_s`."""
        ...

    def close(self) -> None:
        """Let go of everything; also called when `start` or `run` raised. Raises nothing expected."""
        ...

    def ready(self) -> Mapping[str, bool]:
        """Named checks, all true when the service may have work. Health's thread; never blocks."""
        ...


S = TypeVar("S", bound=ProcessSettings)


def run(
    name: str,
    settings_class: type[S],
    build: Callable[[S, Context], Service],
    *,
    environ: Mapping[str, str] | None = None,
) -> int:
    """Live the life of service `name`; returns the exit code (see Exit). Main thread only.

    SIGTERM and SIGINT end `run` and start the drain; a second one ends the process at once.
    """
    try:
        settings = load(settings_class, environ)
    except BadSettings as error:
        sys.stderr.write("".join(f"{name}: {line}\n" for line in error.lines))
        return Exit.MISCONFIGURED
    logs.configure(name, settings.instance, settings.log_level)
    forbid_core_dumps()
    bound_arenas()
    raise_file_limit()
    faulthandler.enable()
    code = _watched(settings, build)
    log.info("process ended", extra={"exit_code": int(code)})
    return code


def forbid_core_dumps() -> None:
    """No memory of this process reaches a disk by a crash, nor another process of its user (Linux)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "PR_SET_DUMPABLE was refused")


def bound_arenas() -> None:
    """Have glibc keep few heaps: with one a thread, those who pass pictures around grow for hours (Linux)."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_ARENA_MAX, _ARENAS)


def _watched(settings: S, build: Callable[[S, Context], Service]) -> Exit:
    """The part of the life that the platform can look at."""
    clock = SystemClock()
    context = Context(clock, new_registry(), Heartbeat(clock), settings.instance)
    stage = _Stage()
    try:
        health = HealthServer(
            settings.http_host,
            settings.http_port,
            heartbeat=context.heartbeat,
            ready=stage.ready,
            registry=context.registry,
        )
    except Misconfigured as error:
        return _refused(error)
    health.start()
    log.info("process started", extra={"http_port": health.port})
    try:
        return _live(lambda: build(settings, context), settings.drain_timeout_s, stage)
    finally:
        health.stop()


class _Stage:
    """Readiness before, during and after the service's own. Set by the main thread, read by health's."""

    def __init__(self) -> None:
        self.service: Service | None = None

    def ready(self) -> Mapping[str, bool]:
        service = self.service
        return {"running": False} if service is None else service.ready()


def _live(build: Callable[[], Service], drain_timeout_s: float, stage: _Stage) -> Exit:
    """Build, run, drain and close; the loop top of the process, where a bug is logged and ends it."""
    stopping = _Stopping()
    try:
        service = build()
        stopping.listen()
        try:
            service.start()
            stage.service = service
            service.run(stopping.event)
            stage.service = None
            drained = _drain(service, drain_timeout_s)
        finally:
            stage.service = None
            service.close()
    except Misconfigured as error:
        return _refused(error)
    except Exception:  # rule: an error without a type of its own is a bug and stops the process
        log.critical("stopped by a bug", exc_info=True)
        return Exit.BUG
    if stopping.by_bug:
        return Exit.BUG
    return Exit.OK if drained else Exit.DRAIN_TIMED_OUT


def _refused(error: Misconfigured) -> Exit:
    log.critical("refused to run", extra={"reason": str(error)})
    return Exit.MISCONFIGURED


class _Stopping:
    """Turns signals, and the death of any thread, into the one stop event."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.by_bug = False
        self._signalled = False

    def listen(self) -> None:
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        threading.excepthook = self._on_dead_thread

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._signalled:
            # Not exit(): what hangs in the drain is what the second signal is there to end.
            os._exit(Exit.SECOND_SIGNAL)
        self._signalled = True
        self.event.set()

    def _on_dead_thread(self, died: threading.ExceptHookArgs) -> None:
        if died.exc_type is SystemExit:
            return
        trace = (died.exc_type, died.exc_value or died.exc_type(), died.exc_traceback)
        log.critical("a thread died of a bug", extra={"thread_name": _name(died.thread)}, exc_info=trace)
        self.by_bug = True
        self.event.set()


def _name(thread: threading.Thread | None) -> str:
    return "unknown" if thread is None else thread.name


def _drain(service: Service, within_s: float) -> bool:
    log.info("draining", extra={"within_s": within_s})
    watch = threading.Timer(within_s + _DRAIN_GRACE_S, _give_up)
    watch.daemon = True
    watch.name = "signpost-drain-watch"
    watch.start()
    try:
        drained = service.drain(within_s)
    finally:
        watch.cancel()
        watch.join()
    if not drained:
        log.error("work was left when the drain's time was up")
    return drained


def _give_up() -> None:
    log.critical("the drain hangs; ending the process")
    os._exit(Exit.DRAIN_TIMED_OUT)
