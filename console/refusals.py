"""How a command ends when something is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.errors import SignpostError
from services.contracts.file_names import is_one_line
from services.contracts.sealed.faults import Altered, Refused


@contextmanager
def refusals() -> Iterator[None]:
    """A rule that is broken exits 1, one line a field with rule and source; any other fault exits 2, a file that
    the system does not let be read or written among them."""
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
    except BrokenPipeError:  # nobody listens any more, and typer knows what to do
        raise
    except OSError as error:
        typer.echo(by_system(error), err=True)
        raise typer.Exit(2) from error


def by_system(error: OSError) -> str:
    """What the system refused, with the file where it names one: a full disk names none."""
    why = error.strerror or type(error).__name__
    where = "a file cannot be read or written" if error.filename is None else _written(str(error.filename))
    return f"{where}: {why}"


def _written(name: str) -> str:
    return name if is_one_line(name) else ascii(name)
