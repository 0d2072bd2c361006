"""Server processes that die with us, are known by more than a pid, and end when told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from console.stack.errors import ChildDiedError

_TETHER = Path(__file__).with_name("tether.py")
# Between two looks at a starting server; Redis is up after 50 ms, Kafka after 1.6 s.
_LOOK_EVERY_S = 0.05
_LOG_TAIL_LINES = 12
# The kernel needs moments; a process stuck in a system call may outlast this, and is not ours to wait for.
_KILLED_WITHIN_S = 5


@dataclass(frozen=True)
class ProcessIdentity:
    """A process that cannot be mistaken for a later one that got the same pid."""

    pid: int
    start_ticks: int  # since boot, from the kernel; 0 where it cannot be read

    @classmethod
    def of(cls, pid: int) -> Self:
        """The process that has `pid` now; raises ProcessLookupError if none has."""
        ticks = _start_ticks(pid)
        if ticks is None:
            raise ProcessLookupError(f"no process has pid {pid}")
        return cls(pid, ticks)

    def alive(self) -> bool:
        """True while exactly this process runs (a zombie does not)."""
        return _start_ticks(self.pid) == self.start_ticks

    def end(self, *, within_s: float) -> None:
        """Ask exactly this process to end; make it end if it has not in time. Blocks until it is gone."""
        for order, patience_s in ((signal.SIGTERM, within_s), (signal.SIGKILL, _KILLED_WITHIN_S)):
            if not self.alive():
                return
            with suppress(ProcessLookupError):
                os.kill(self.pid, order)
            deadline = time.monotonic() + patience_s
            while self.alive() and time.monotonic() < deadline:
                time.sleep(_LOOK_EVERY_S)


def _start_ticks(pid: int) -> int | None:
    if sys.platform != "linux":
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        return 0
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses and may hold spaces.
    fields = stat.rpartition(")")[2].split()
    state, start_ticks = fields[0], fields[19]
    return None if state in "ZX" else int(start_ticks)


class Child:
    """One server process of ours. Any thread may call; not two at once."""

    def __init__(
        self, name: str, argv: Sequence[str], *, cwd: Path, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        """Start `argv` in `cwd`, its output appended to `log`. Does not wait for readiness.

        `env` is the whole environment of the child; without it the child inherits ours.
        """
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._process = _spawn(argv, cwd=cwd, log=log, env=env)
        # Our own child keeps its pid until we wait for it, so this cannot name a stranger.
        self.identity = ProcessIdentity(self._process.pid, _start_ticks(self._process.pid) or 0)

    @property
    def pid(self) -> int:
        """The process id; stays the same through the tether's exec."""
        return self._process.pid

    def alive(self) -> bool:
        """True while the process runs."""
        return self._process.poll() is None

    def await_ready(self, ready: Callable[[], bool], *, within_s: float) -> None:
        """Block until `ready()`; raises ChildDiedError with the log's end if it dies or is too slow.

        A child that did not become ready is not left running, whatever the reason.
        """
        try:
            self._await(ready, within_s)
        except BaseException:
            self.kill()
            raise

    def _await(self, ready: Callable[[], bool], within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while not ready():
            code = self._process.poll()
            if code is not None:
                raise ChildDiedError(f"{self.name} ended with code {code} while starting; {self._log_end()}")
            if time.monotonic() > deadline:
                raise ChildDiedError(f"{self.name} was not ready within {within_s:g} s; {self._log_end()}")
            time.sleep(_LOOK_EVERY_S)

    def terminate(self) -> None:
        """Ask the process to end; returns at once."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def stop(self, *, within_s: float) -> None:
        """Ask the process to end, and make it end if it has not within the time."""
        self.terminate()
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process as a crash would (SIGKILL) and wait until it is gone."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()

    def _log_end(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
        return f"its log is {self.log}, which ends:\n" + "\n".join(f"  {line}" for line in lines)


def run_to_end(
    argv: Sequence[str], *, cwd: Path, log: Path, within_s: float, env: Mapping[str, str] | None = None
) -> int:
    """Run a tool that dies with us, output appended to `log`; return its exit code. `env` as of a `Child`."""
    process = _spawn(argv, cwd=cwd, log=log, env=env)
    try:
        return process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise ChildDiedError(f"{argv[0]} took longer than {within_s:g} s; its log is {log}") from None


# PR_SET_PDEATHSIG follows the thread that forked, not the process. So children come from the main
# thread, or from this one, which lasts as long; it exists only if somebody else asked.
_spawner: ThreadPoolExecutor | None = None
_spawner_lock = threading.Lock()


def _spawn(argv: Sequence[str], *, cwd: Path, log: Path, env: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    if threading.current_thread() is threading.main_thread():
        return _popen(argv, cwd, log, env)
    global _spawner
    with _spawner_lock:
        _spawner = _spawner or ThreadPoolExecutor(1, "stack-spawner")
    return _spawner.submit(_popen, argv, cwd, log, env).result()


def _popen(argv: Sequence[str], cwd: Path, log: Path, env: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    # -I -S: the wrapper needs the standard library only, and starts in half the time.
    tethered = [sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *argv]
    with log.open("ab") as output:
        return subprocess.Popen(
            tethered,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches us alone, and we end them in the right order.
            start_new_session=True,
        )
