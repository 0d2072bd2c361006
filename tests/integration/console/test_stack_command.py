"""`signpost stack`: up means usable, down means gone, and nobody else's process is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from console.stack.child import ProcessIdentity
from console.stack.run_file import StackRun, read_run, write_run
from tests.integration.stack import KAFKA_CACHE
from tests.support import eventually


def signpost(*arguments: str, **shell: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "console", *arguments]
    env = {**os.environ, **shell}  # noqa: TID251 - as a shell's children
    return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, env=env)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "stack"
    signpost("stack", "down", f"--data-dir={tmp_path / 'stack'}")


def up_detached(data_dir: Path, **shell: str) -> StackRun:
    done = signpost("stack", "up", "--detach", f"--data-dir={data_dir}", f"--cache-dir={KAFKA_CACHE}", **shell)
    assert done.returncode == 0, done.stderr
    run = read_run(data_dir)
    assert run is not None
    return run


def all_gone(run: StackRun) -> bool:
    identities = [run.supervisor, *(process.identity for process in run.processes)]
    return not any(identity.alive() for identity in identities)


def test_up_status_down_on_one_folder(data_dir: Path) -> None:
    run = up_detached(data_dir)
    with redis.Redis.from_url(run.redis_volatile_url) as client:
        assert client.ping()
    status = signpost("stack", "status", f"--data-dir={data_dir}")
    assert status.returncode == 0
    assert f"KAFKA_BOOTSTRAP={run.kafka_bootstrap}" in status.stdout
    assert status.stdout.count(" runs (pid ") == 4

    again = signpost("stack", "up", f"--data-dir={data_dir}", f"--cache-dir={KAFKA_CACHE}")
    assert again.returncode == 1
    assert "already runs" in again.stderr

    assert "stopped: supervisor" in signpost("stack", "down", f"--data-dir={data_dir}").stdout
    assert all_gone(run)
    assert signpost("stack", "status", f"--data-dir={data_dir}").returncode == 1


def test_a_folder_may_be_called_anything_and_all_data_is_in_it(tmp_path: Path) -> None:
    """Of a comma Kafka made two folders, one of them wherever the shell stood: no purge would have found it. Where
    the shell's language was C, a folder with an umlaut ended in Java's own words; Redis took a backslash away."""
    data_dir = tmp_path / "it's a,b \u00e9 \\x $y %s"
    scratch = tmp_path / "for a while"
    scratch.mkdir()
    try:
        up_detached(data_dir, LC_ALL="C", LANG="C", HOME="/nowhere", TMPDIR=str(scratch))
        assert (data_dir / "kafka" / "node-1" / "data" / "meta.properties").exists()
        assert (data_dir / "redis-durable" / "appendonlydir").is_dir()
        assert sorted(tmp_path.iterdir()) == sorted([data_dir, scratch])
    finally:
        signpost("stack", "down", f"--data-dir={data_dir}")


def test_a_killed_supervisor_takes_all_with_it_and_the_folder_can_be_used_again(data_dir: Path) -> None:
    run = up_detached(data_dir)
    os.kill(run.supervisor.pid, signal.SIGKILL)
    eventually(lambda: all_gone(run), "every process of the stack to be gone", within_s=10)
    assert "is gone" in signpost("stack", "status", f"--data-dir={data_dir}").stdout
    assert up_detached(data_dir).supervisor != run.supervisor


def test_a_server_that_dies_ends_the_stack_with_its_name(data_dir: Path) -> None:
    run = up_detached(data_dir)
    durable = next(process for process in run.processes if "durable" in process.name)
    psutil.Process(durable.identity.pid).kill()
    eventually(lambda: all_gone(run), "the rest to be stopped", within_s=30)
    assert "durable Redis ended by itself" in (data_dir / "supervisor.log").read_text()


def test_down_leaves_a_stranger_alone_that_got_an_old_pid(tmp_path: Path) -> None:
    mine = ProcessIdentity.of(os.getpid())
    reused = ProcessIdentity(mine.pid, mine.start_ticks - 1)
    write_run(tmp_path, StackRun(reused, "127.0.0.1:1", "redis://127.0.0.1:2", "redis://127.0.0.1:3", ()))
    done = signpost("stack", "down", f"--data-dir={tmp_path}")
    assert "nothing ran any more" in done.stdout
    assert mine.alive()


def test_up_until_interrupted_stops_in_order(data_dir: Path) -> None:
    argv = [sys.executable, "-m", "console", "stack", "up", f"--data-dir={data_dir}", f"--cache-dir={KAFKA_CACHE}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as attached:
        run = eventually(lambda: read_run(data_dir), "the stack to be up", within_s=90)
        attached.send_signal(signal.SIGINT)
        output, _ = attached.communicate(timeout=60)
    assert attached.returncode == 0
    assert run is not None
    assert output.endswith("stopped\n")
    assert all_gone(run)
