"""`signpost stack up|status|down`: Kafka and both Redis servers on this machine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from console.edges.signals import end_as_by_ctrl_c
from console.stack.errors import StackError
from console.stack.local import LocalStack
from console.stack.run_file import (
    RunProcess,
    StackRun,
    end_run,
    only_supervisor,
    own_identity,
    read_run,
    run_file,
    write_run,
)

app = typer.Typer(help="Run Kafka and Redis on this machine, from packages.", no_args_is_help=True)

DataDir = Annotated[Path, typer.Option(help="Folder of all data, logs and the run file.")]
CacheDir = Annotated[Path, typer.Option(help="Folder of Kafka's jars, fetched once.")]
Brokers = Annotated[int, typer.Option(min=1, max=5, help="Kafka nodes; three survive the loss of one.")]

_DATA_DIR = Path("data/stack")
_CACHE_DIR = Path(".cache/kafka")
# Includes the first fetch of 44 MB of jars over a slow line.
_UP_WITHIN_S = 600
# The supervisor gives Kafka 15 s and each Redis 10.
_DOWN_WITHIN_S = 45
_LOOK_EVERY_S = 0.2


@app.command()
def up(
    *,
    data_dir: DataDir = _DATA_DIR,
    cache_dir: CacheDir = _CACHE_DIR,
    brokers: Brokers = 1,
    detach: Annotated[bool, typer.Option("--detach", help="Return once all is usable.")] = False,
) -> None:
    """Start the stack and stay until Ctrl-C, or leave a supervisor with --detach."""
    with _refusals():
        if detach:
            run = _leave_supervisor(data_dir, cache_dir, brokers)
            _show(run)
        else:
            _supervise(data_dir, cache_dir, brokers)


@app.command()
def status(*, data_dir: DataDir = _DATA_DIR) -> None:
    """Say what runs; exit 1 if not all of it does."""
    with _refusals():
        run = read_run(data_dir)
    if run is None:
        _refuse(f"no stack runs on {data_dir}")
    _show(run)
    processes = (RunProcess("supervisor", run.supervisor, ""), *run.processes)
    for process in processes:
        state = "runs" if process.identity.alive() else "is gone"
        typer.echo(f"{process.name} {state} (pid {process.identity.pid}) {process.log}".rstrip())
    if not all(process.identity.alive() for process in processes):
        raise typer.Exit(1)


@app.command()
def down(*, data_dir: DataDir = _DATA_DIR) -> None:
    """End what `up` started on this folder, and nothing else; data stays."""
    with _refusals():
        run = read_run(data_dir)
    if run is None:
        typer.echo(f"no stack runs on {data_dir}")
        return
    ended = end_run(run, within_s=_DOWN_WITHIN_S)
    run_file(data_dir).unlink(missing_ok=True)
    typer.echo(f"stopped: {', '.join(ended)}" if ended else "nothing ran any more")


def _supervise(data_dir: Path, cache_dir: Path, brokers: int) -> None:
    end_as_by_ctrl_c()
    with only_supervisor(data_dir):
        stack = LocalStack(data_dir, cache_dir, brokers=brokers)
        try:
            with stack:
                run = _run_of(stack)
                write_run(data_dir, run)
                _show(run)
                _watch(stack)
        except KeyboardInterrupt:
            typer.echo("stopped")
        finally:
            run_file(data_dir).unlink(missing_ok=True)


def _watch(stack: LocalStack) -> NoReturn:
    while True:
        for part in stack.status():
            if not part.alive:
                raise StackError(f"{part.name} ended by itself; its log is {part.log}")
        time.sleep(_LOOK_EVERY_S)


def _run_of(stack: LocalStack) -> StackRun:
    return StackRun(
        supervisor=own_identity(),
        kafka_bootstrap=stack.kafka.bootstrap,
        redis_volatile_url=stack.redis_volatile.url,
        redis_durable_url=stack.redis_durable.url,
        processes=tuple(RunProcess(part.name, part.process, str(part.log)) for part in stack.status()),
    )


def _leave_supervisor(data_dir: Path, cache_dir: Path, brokers: int) -> StackRun:
    with only_supervisor(data_dir):
        pass  # a clear refusal now, instead of one in a log file
    log = data_dir / "supervisor.log"
    argv = [sys.executable, "-m", "console", "stack", "up", f"--data-dir={data_dir}"]
    argv += [f"--cache-dir={cache_dir}", f"--brokers={brokers}"]
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    deadline = time.monotonic() + _UP_WITHIN_S
    while time.monotonic() < deadline:
        if supervisor.poll() is not None:
            raise StackError(log.read_text().strip() or f"the supervisor ended; its log is {log}")
        run = read_run(data_dir)
        if run is not None and run.supervisor.pid == supervisor.pid:
            return run
        time.sleep(_LOOK_EVERY_S)
    supervisor.terminate()
    raise StackError(f"the stack was not up within {_UP_WITHIN_S} s; its log is {log}")


def _show(run: StackRun) -> None:
    typer.echo(f"KAFKA_BOOTSTRAP={run.kafka_bootstrap}")
    typer.echo(f"REDIS_VOLATILE_URL={run.redis_volatile_url}")
    typer.echo(f"REDIS_DURABLE_URL={run.redis_durable_url}")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except StackError as refusal:
        _refuse(str(refusal))


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(1)
