"""Children: known by more than a pid, reported when they die, and never left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from console.stack.child import Child, ProcessIdentity, run_to_end
from console.stack.errors import ChildDiedError
from console.stack.ports import accepts, free_ports
from tests.support import eventually

WAIT_FOR_EVER = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]
IGNORE_SIGTERM = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()",
]


def started(tmp_path: Path, argv: list[str]) -> Child:
    child = Child("a server", argv, cwd=tmp_path, log=tmp_path / "server.log")
    child.await_ready(lambda: "up" in child.log.read_text(), within_s=10)
    return child


def test_a_child_that_ends_while_starting_is_reported_with_its_last_words(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "raise SystemExit('no such disk')"]
    child = Child("a server", argv, cwd=tmp_path, log=tmp_path / "server.log")
    with pytest.raises(ChildDiedError, match=r"(?s)a server ended with code 1.*server\.log.*no such disk"):
        child.await_ready(lambda: False, within_s=10)


def test_a_child_that_never_becomes_ready_is_ended(tmp_path: Path) -> None:
    child = started(tmp_path, WAIT_FOR_EVER)
    with pytest.raises(ChildDiedError, match=r"not ready within 0\.1 s"):
        child.await_ready(lambda: False, within_s=0.1)
    assert not child.alive()


def test_a_child_that_ignores_the_request_to_end_is_made_to(tmp_path: Path) -> None:
    child = started(tmp_path, IGNORE_SIGTERM)
    child.stop(within_s=0.2)
    assert not child.alive()


def test_a_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path; from console.stack.child import Child\n"
        f"here = Path({str(tmp_path)!r})\n"
        f"child = Child('c', {WAIT_FOR_EVER!r}, cwd=here, log=here / 'log')\n"
        "print(child.pid, flush=True); input()"
    )
    argv = [sys.executable, "-c", script]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
        eventually(lambda: not child.is_running(), "the child to die with its parent", within_s=10)


def test_a_child_writes_no_core_file(tmp_path: Path) -> None:
    """A core of the volatile Redis would hold every key of the last minutes."""
    child = started(tmp_path, WAIT_FOR_EVER)
    try:
        assert psutil.Process(child.pid).rlimit(psutil.RLIMIT_CORE) == (0, 0)
    finally:
        child.kill()


def test_a_later_process_with_the_same_pid_is_not_taken_for_it(tmp_path: Path) -> None:
    child = started(tmp_path, WAIT_FOR_EVER)
    earlier = ProcessIdentity(child.pid, child.identity.start_ticks - 1)
    try:
        assert child.identity.alive()
        assert not earlier.alive()
        earlier.end(within_s=1)
        assert child.alive()
    finally:
        child.kill()
    assert not child.identity.alive()


def test_a_tool_that_takes_too_long_is_ended_and_named(tmp_path: Path) -> None:
    with pytest.raises(ChildDiedError, match=r"longer than 0\.3 s.*tool\.log"):
        run_to_end(WAIT_FOR_EVER, cwd=tmp_path, log=tmp_path / "tool.log", within_s=0.3)


def test_free_ports_are_different_and_can_be_bound() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert not set(ports) & set(free_ports(20))
    with socket.socket() as server:
        server.bind(("127.0.0.1", ports[0]))
        assert not accepts(ports[0])
        server.listen()
        assert accepts(ports[0])
