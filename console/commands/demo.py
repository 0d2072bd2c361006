"""`signpost demo`: the sample exercise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from console.demo.play import FIGURES, play, write_figures
from console.edges.signals import end_as_by_ctrl_c
from console.refusals import by_system
from console.stack.errors import StackError
from services.contracts.errors import SignpostError


def command(
    home: Annotated[Path, typer.Option(help="Where films, keys, data and logs go.")] = Path("data/demo"),
    ray_workers: Annotated[int, typer.Option(min=0, help="Ray's actors; 0 runs embed as a plain process.")] = 2,
) -> None:
    """Play the sample exercise of about a minute, on real parts.

    Exits 1 where the counts do not reconcile, the audit chain is not whole or the purge is not certified, 2
    where a part could not be started.
    """
    end_as_by_ctrl_c()
    console = Console()
    try:
        figures = play(home, console=console, ray_workers=ray_workers)
    except (StackError, SignpostError, OSError) as error:
        console.print(by_system(error) if isinstance(error, OSError) else str(error), style="red", markup=False)
        raise typer.Exit(2) from error
    write_figures(figures)
    audit = "the audit chain is whole" if figures.audit_whole else "the audit chain is NOT whole"
    verdict = "every arrow reconciles" if figures.reconciles else "the counts do NOT reconcile"
    console.print(
        f"{figures.alerts} alerts, {figures.cases} cases, {figures.decided} decided; {verdict}, {audit}; "
        f"see {FIGURES}"
    )
    if figures.missing:
        console.print(f"not done at the end: {', '.join(figures.missing)}", markup=False)
    if figures.missing or not (figures.reconciles and figures.audit_whole):
        raise typer.Exit(1)
