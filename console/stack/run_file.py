"""What runs on a data folder: one JSON file, and a lock that only a living supervisor holds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from console.edges.only_one import only_one
from console.stack.child import ProcessIdentity
from console.stack.errors import StackError

_FORMAT = 1


@dataclass(frozen=True)
class RunProcess:
    """One process of a running stack."""

    name: str
    identity: ProcessIdentity
    log: str


@dataclass(frozen=True)
class StackRun:
    """A stack that was up when this was written, and where its clients reach it."""

    supervisor: ProcessIdentity
    kafka_bootstrap: str
    redis_volatile_url: str
    redis_durable_url: str
    processes: tuple[RunProcess, ...]


def run_file(data_dir: Path) -> Path:
    """Where the run of a data folder is written."""
    return data_dir / "stack.json"


def write_run(data_dir: Path, run: StackRun) -> None:
    """Write the run file, whole or not at all."""
    target = run_file(data_dir)
    partial = target.with_suffix(".json.partial")
    partial.write_text(json.dumps({"format": _FORMAT, **asdict(run)}, indent=2) + "\n")
    partial.replace(target)


def read_run(data_dir: Path) -> StackRun | None:
    """Return what was written last, None if nothing; whether it still runs is another question.

    Raises StackError if the file is not one of ours.
    """
    path = run_file(data_dir)
    try:
        written = json.loads(path.read_text())
        return StackRun(
            supervisor=ProcessIdentity(**written["supervisor"]),
            kafka_bootstrap=written["kafka_bootstrap"],
            redis_volatile_url=written["redis_volatile_url"],
            redis_durable_url=written["redis_durable_url"],
            processes=tuple(
                RunProcess(each["name"], ProcessIdentity(**each["identity"]), each["log"])
                for each in written["processes"]
            ),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as broken:
        raise StackError(
            f"{path} cannot be read as a run file: {broken!r}; remove it if no stack runs"
        ) from broken


@contextmanager
def only_supervisor(data_dir: Path) -> Iterator[None]:
    """Hold the data folder; raises StackError if another process does. The kernel frees it at death."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = StackError(f"a stack already runs on {data_dir}: see `signpost stack status`")
    with only_one(data_dir / "stack.lock", otherwise=held):
        yield


def end_run(run: StackRun, *, within_s: float) -> list[str]:
    """End the processes of a run that still live, the supervisor first; return the names that were ended.

    A pid that belongs to somebody else by now is left alone. Blocks up to `within_s` for each.
    """
    ended = []
    supervisor = RunProcess("supervisor", run.supervisor, "")
    for process in (supervisor, *run.processes):
        if process.identity.alive():
            process.identity.end(within_s=within_s)
            ended.append(process.name)
    return ended


def own_identity() -> ProcessIdentity:
    """The identity of the calling process."""
    return ProcessIdentity.of(os.getpid())
