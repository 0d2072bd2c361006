"""The `signpost` command: one file of console/commands for each word.

A file has an `app` (a group: `signpost topics apply`) or a `command` (`signpost demo`).
"""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

from console import commands


def build(groups: list[str]) -> typer.Typer:
    """Return the command with these groups; imports their modules."""
    app = typer.Typer(name="signpost", no_args_is_help=True, pretty_exceptions_enable=False)
    # A callback keeps the group's name in the command line when there is only one group.
    app.callback()(_signpost)
    for group in groups:
        module = import_module(f"console.commands.{group}")
        name = group.replace("_", "-")
        if hasattr(module, "command"):
            app.command(name)(module.command)
        else:
            app.add_typer(module.app, name=name)
    return app


def main() -> None:
    """Run the command line."""
    groups = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    # Only what was asked for is imported: `stack status` has no use for video and gRPC, `--version` for nothing.
    asked = [group for group in groups if [group.replace("_", "-")] == sys.argv[1:2]]
    needed = [] if sys.argv[1:2] == ["--version"] else asked or groups
    build(needed)(prog_name="signpost")


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"signpost {version('signpost')}")
        raise typer.Exit


def _signpost(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version and end.")
    ] = False,
) -> None:
    """Run Signpost on this machine and speak to its services."""


if __name__ == "__main__":
    main()
