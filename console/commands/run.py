"""`signpost run`: a deployment of your own on this machine, until Ctrl-C."""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from console.authority import files
from console.demo.people import demo_accounts, write_people
from console.ledger.table import as_table
from console.run.exercise import Exercise, Setup
from console.stack.errors import StackError
from services.contracts.authority import Authority, UseCase
from services.contracts.cameras_file import parse_cameras
from services.contracts.counts import Stage
from services.contracts.errors import Misconfigured, SignpostError

_LOOK_EVERY_S = 1.0


def command(
    draft: Annotated[Path, typer.Argument(help="The authority's draft, an exercise (docs/deployment.md).")],
    list_dir: Annotated[Path, typer.Argument(help="A folder a subject: pictures and subject.yaml.")],
    *,
    home: Annotated[Path, typer.Option(help="Where keys, data and logs go.")] = Path("data/run"),
    people_file: Annotated[
        Path | None, typer.Option(help="Who may sign in; without it two reviewers are made up for this run.")
    ] = None,
    ray_workers: Annotated[int, typer.Option(min=0, help="Ray's actors; 0 runs embed as a plain process.")] = 0,
) -> None:
    """Run an exercise of your own on this machine.

    Builds the list, has the draft signed by people who are made up, starts everything, stays until Ctrl-C, prints
    the counts. Keys and data end with the run.
    """
    console = Console()
    try:
        bounds = _read(draft)
        with ExitStack() as ended:
            setup = _setup(bounds, draft, list_dir, home, people_file, ray_workers, console)
            ended.callback(_forget, home)
            exercise = ended.enter_context(Exercise(setup))
            exercise.start(Stage.REVIEW, Stage.MATCH, Stage.EMBED, Stage.INGEST)
            console.rule(f"{bounds.deployment}: {bounds.use_case.value.upper()}")
            console.print(exercise.bounds(), highlight=False, markup=False, soft_wrap=True)
            console.print(f"Alerts are decided at {exercise.page} until {bounds.window.end}. Ctrl-C ends the run.")
            _stay(exercise)
            exercise.services[Stage.INGEST].stop()
            statement = exercise.statement()
    except (StackError, SignpostError) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from error
    console.print(as_table(statement))


def _read(path: Path) -> Authority:
    if not path.exists():
        raise Misconfigured(f"{path} is not there; `signpost authority new` writes one")
    bounds = files.read_draft(path).bounds()
    if bounds.use_case is not UseCase.EXERCISE:
        raise Misconfigured(f"{path}: use_case: its approvers would be made up, so it must be `exercise`")
    cameras = files.cameras_path(path)
    parse_cameras(files.read_text(cameras), origin=str(cameras))  # said now, not by a service's log
    return bounds


def _setup(
    bounds: Authority,
    draft: Path,
    list_dir: Path,
    home: Path,
    people_file: Path | None,
    ray_workers: int,
    console: Console,
) -> Setup:
    _forget(home)
    if people_file is None:
        people_file = home / "people.yaml"
        accounts = [account for account in demo_accounts() if not account.scripted]
        write_people(people_file, accounts)
        for account in accounts:
            console.print(f"sign in as [bold]{account.user}[/bold], password [bold]{account.password}[/bold]")
    return Setup(
        deployment=bounds.deployment,
        cameras=(),
        draft=draft,
        fillers=0,
        list_dir=list_dir,
        people_file=people_file,
        home=home,
        ray_workers=ray_workers,
        say=console.print,
    )


def _forget(home: Path) -> None:
    for folder in (home / "stack", home / "keys", home / "authority"):
        shutil.rmtree(folder, ignore_errors=True)


def _stay(exercise: Exercise) -> None:
    """Until Ctrl-C; a service that ends by itself ends the run, naming its log."""
    try:
        while True:
            for service in exercise.services.values():
                if not service.alive():
                    raise StackError(f"{service.name} has ended; its log is {service.log}")
            time.sleep(_LOOK_EVERY_S)
    except KeyboardInterrupt:
        return
