"""The demo from the first film frame to the last count; reads top to bottom."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from console.demo.people import Account, demo_accounts, write_people
from console.demo.scripted import ScriptedReviewer
from console.run.deployment import ExerciseCamera
from console.run.ending import Ending, end
from console.run.exercise import Exercise, Setup
from console.run.home import own_home
from console.sample import film, passages
from console.sample.blue_list import write_blue_list
from services.contracts.counts import Count, Stage

ASSETS = Path(".cache/assets/pictures")
FIGURES = Path("build/demo.json")

_NOTE = "Public-domain portraits stand in for people; nobody shown has to do with Signpost."

# After the films' end: the last passage's better shots, and whoever sits at the keyboard.
_SETTLE_S = 10.0
_DECIDE_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Figures:
    """What a run of the demo came to; written as JSON."""

    seconds_to_first_alert: float | None
    alerts: int
    cases: int
    decided: int
    reconciles: bool
    purged_s: float | None
    audit_entries: int
    audit_whole: bool
    missing: tuple[str, ...] = ()


def play(home: Path, *, console: Console, ray_workers: int) -> Figures:
    """Play the sample exercise; blocks for about a minute, or until Ctrl-C, and prints its counts either way."""
    accounts = demo_accounts()
    with ExitStack() as ended:
        ended.enter_context(own_home(home))
        setup = _prepare(home, accounts, console, ray_workers)
        exercise = ended.enter_context(Exercise(setup))
        console.print("starting the services")
        exercise.start(Stage.REVIEW, Stage.MATCH, Stage.EMBED)
        _tell(console, exercise, accounts)
        began, film_began = time.monotonic(), datetime.now(UTC)
        exercise.start(Stage.INGEST)
        first_alert_s: float | None = None
        try:
            first_alert_s = _watch(exercise, console, began)
            _decide_the_rest(exercise, accounts, film_began, console)
        except KeyboardInterrupt:
            console.print("\nstopping early: what follows is how far it came")
        ending = end(exercise, console, reason="the films are over")
    return _figures(ending, first_alert_s)


def _prepare(home: Path, accounts: list[Account], console: Console, ray_workers: int) -> Setup:
    cameras = []
    for seed, (camera, walks) in enumerate(passages.DEMO.items(), start=1):
        path = home / "media" / f"{camera}.mp4"
        if not path.exists():
            console.print(f"filming {camera}: {len(walks)} people walk past")
            film.write_film(path, ASSETS, walks, seconds=passages.DEMO_S, seed=seed)
        cameras.append(ExerciseCamera(camera, path))
    write_blue_list(home / "list", ASSETS, now=datetime.now(UTC))
    people = home / "people.yaml"
    write_people(people, accounts)
    return Setup(
        # A name of its own each time: counts of two runs are never added up.
        deployment=f"demo-{int(time.time())}",
        cameras=cameras,
        list_dir=home / "list",
        people_file=people,
        home=home,
        ray_workers=ray_workers,
        extra={Stage.REVIEW: {"PAGE_NOTE": _NOTE}},
        say=console.print,
    )


def _tell(console: Console, exercise: Exercise, accounts: list[Account]) -> None:
    console.rule("EXERCISE: public-domain portraits stand in for people")
    console.print(exercise.bounds(), highlight=False, markup=False, soft_wrap=True)
    console.print(f"Decide alerts yourself: open {exercise.page}")
    for account in accounts:
        if not account.scripted:
            console.print(f"  sign in as [bold]{account.user}[/bold], password [bold]{account.password}[/bold]")
    console.print("A match needs two reviewers. What is open at the end is decided by two scripted ones.")


def _watch(exercise: Exercise, console: Console, began: float) -> float | None:
    """Show how far the films are; returns the seconds until the first alert was published."""
    first_alert_s: float | None = None
    lasts_s = passages.DEMO_S + _SETTLE_S
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("playing", total=lasts_s)
        while (elapsed := time.monotonic() - began) < lasts_s:
            alerts = exercise.alerts_published()
            if alerts and first_alert_s is None:
                first_alert_s = elapsed
                console.print(f"first alert after {elapsed:.1f} s")
            progress.update(task, completed=elapsed, description=f"playing, {alerts} alerts so far")
            time.sleep(_LOOK_EVERY_S)
    return first_alert_s


def _decide_the_rest(exercise: Exercise, accounts: list[Account], film_began: datetime, console: Console) -> None:
    scripted = [
        ScriptedReviewer(
            f"127.0.0.1:{exercise.review_grpc_port}",
            account.user,
            account.password,
            script=passages.DEMO,
            film_began=film_began,
        )
        for account in accounts
        if account.scripted
    ]
    console.print("the films are over: two scripted reviewers decide what is still open")
    for reviewer in scripted:
        reviewer.start()
    _until(lambda: exercise.statement().totals.get(Count.CASES_OPEN, 0) == 0, within_s=_DECIDE_WITHIN_S)
    for reviewer in scripted:
        reviewer.finish(within_s=10.0)
    console.print(f"scripted judgements: {sum(reviewer.decided for reviewer in scripted)}")


def _until(check: Callable[[], bool], *, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not check() and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)


def _figures(ending: Ending, first_alert_s: float | None) -> Figures:
    totals = ending.statement.totals if ending.statement else {}
    return Figures(
        seconds_to_first_alert=None if first_alert_s is None else round(first_alert_s, 2),
        alerts=totals.get(Count.ALERTS_PUBLISHED, 0),
        cases=totals.get(Count.CASES_OPENED, 0),
        decided=totals.get(Count.CASES_DECIDED, 0),
        reconciles=ending.statement is not None and ending.statement.reconciles,
        purged_s=None if ending.purged_s is None else round(ending.purged_s, 2),
        audit_entries=ending.verdict.entries if ending.verdict else 0,
        audit_whole=ending.audit_whole,
        missing=tuple(ending.missing),
    )


def write_figures(figures: Figures, path: Path = FIGURES) -> None:
    """Write the figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(figures), indent=2) + "\n")
