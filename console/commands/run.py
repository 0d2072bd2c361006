"""`signpost run`: a deployment of your own on this machine, until Ctrl-C."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from console.authority import files
from console.demo.people import demo_accounts, write_people
from console.edges.signals import end_as_by_ctrl_c
from console.refusals import by_system
from console.run.ending import end
from console.run.exercise import Exercise, Setup
from console.run.home import own_home
from console.stack.errors import StackError
from console.watchlist import folder
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

    Builds the list, has the draft signed by people who are made up, starts everything, stays until Ctrl-C. Then
    all that it had of anybody is destroyed; the counts, the certificate of the purge, the report and what `audit
    verify` says are printed. Keys and data end with the run.

    Exits 1 where the counts do not reconcile, the audit chain is not whole or the purge is not certified, 2 where
    a part could not be started or has ended.
    """
    end_as_by_ctrl_c()
    console = Console()
    try:
        bounds = _read(draft, list_dir)
        with ExitStack() as ended:
            ended.enter_context(own_home(home))
            setup = _setup(bounds, draft, list_dir, home, people_file, ray_workers, console)
            exercise = ended.enter_context(Exercise(setup))
            exercise.start(Stage.REVIEW, Stage.MATCH, Stage.EMBED, Stage.INGEST)
            console.rule(f"{bounds.deployment}: {bounds.use_case.value.upper()}")
            console.print(exercise.bounds(), highlight=False, markup=False, soft_wrap=True)
            console.print(f"Alerts are decided at {exercise.page} until {bounds.window.end}. Ctrl-C ends the run.")
            gone = _stay(exercise, console)
            console.print("ending the run", markup=False)
            ending = end(exercise, console, reason="the run is over")
    except (StackError, SignpostError, OSError) as error:
        console.print(by_system(error) if isinstance(error, OSError) else str(error), style="red", markup=False)
        raise typer.Exit(2) from error
    if gone or not ending.good:
        raise typer.Exit(2 if gone else 1)


def _read(path: Path, list_dir: Path) -> Authority:
    if not path.exists():
        raise Misconfigured(f"{path} is not there; `signpost authority new` writes one")
    bounds = files.read_draft(path).bounds()
    if bounds.use_case is not UseCase.EXERCISE:
        raise Misconfigured(f"{path}: use_case: its approvers would be made up, so it must be `exercise`")
    cameras = files.cameras_path(path)
    parse_cameras(files.read_text(cameras), origin=str(cameras))  # said now, not by a service's log
    folder.read(list_dir)  # and not after all has been started
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
        # Files have any name: nothing in one is markup.
        say=partial(console.print, markup=False, highlight=False, soft_wrap=True),
    )


def _stay(exercise: Exercise, console: Console) -> str:
    """Until Ctrl-C; a service that ends by itself ends the run: its name is returned, its log named."""
    try:
        while True:
            for service in exercise.services.values():
                if not service.alive():
                    said = f"{service.name} has ended; its log is {service.log}"
                    console.print(said, style="red", markup=False, soft_wrap=True)
                    return service.name
            time.sleep(_LOOK_EVERY_S)
    except KeyboardInterrupt:
        return ""
