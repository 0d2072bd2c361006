"""A run that is told to end, by whatever way, leaves no key behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
import sys, time
from pathlib import Path
from console.edges.signals import end_as_by_ctrl_c
from console.run.home import own_home
end_as_by_ctrl_c()
home = Path(sys.argv[1])
with own_home(home):
    (home / "keys").mkdir()
    print("begun", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_keys_end_with_the_run_however_it_is_told_to_end(tmp_path: Path, told: signal.Signals) -> None:
    """At SIGTERM, or with its terminal, a run ended at once: its keys, its data and its authority stayed."""
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert run.stdout
    assert run.stdout.readline() == b"begun\n"
    run.send_signal(told)
    _, said = run.communicate(timeout=30)
    assert b"KeyboardInterrupt" in said
    assert [one.name for one in tmp_path.iterdir()] == ["run.lock"]
