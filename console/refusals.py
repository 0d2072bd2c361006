"""How a command ends when something is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.errors import SignpostError
from services.contracts.sealed.faults import Altered, Refused


@contextmanager
def refusals() -> Iterator[None]:
    """A rule that is broken exits 1, one line a field with rule and source; any other fault exits 2."""
    try:
        yield
    except NotAuthorised as refused:
        for finding in refused.findings:
            typer.echo(str(finding), err=True)
        raise typer.Exit(1) from refused
    except Refused as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(1) from refused
    except Altered as altered:
        typer.echo(f"ALTERED: {altered}", err=True)
        raise typer.Exit(1) from altered
    except SignpostError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
