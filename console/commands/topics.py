"""`signpost topics`: the table of topics against a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from console.edges.kafka_admin import KafkaAdmin, KafkaUnreachableError
from console.topics.apply import apply, check, describe
from console.topics.groups import groups_of

app = typer.Typer(help="Create and check every column of the table of topics.", no_args_is_help=True)

Bootstrap = Annotated[str, typer.Option(envvar="KAFKA_BOOTSTRAP", help="Kafka's first brokers, host:port.")]
Deployments = Annotated[
    list[str] | None, typer.Option("--deployment", help="Also set the sessions of this deployment's groups.")
]


@app.command("check")
def check_command(bootstrap: Bootstrap) -> None:
    """Say what differs; change nothing. Exits 1 where something does."""
    try:
        steps = check(KafkaAdmin(bootstrap))
    except KafkaUnreachableError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    for step in steps:
        typer.echo(describe(step))
    if steps:
        raise typer.Exit(1)
    typer.echo("every column as in the table")


@app.command("apply")
def apply_command(bootstrap: Bootstrap, deployments: Deployments = None) -> None:
    """Mend what differs; nothing at all, and exit 1, where a step would lose data."""
    try:
        report = apply(KafkaAdmin(bootstrap), groups=groups_of(deployments or []))
    except KafkaUnreachableError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    for line in report.lines:
        typer.echo(line)
    if report.refused:
        typer.echo("nothing was changed", err=True)
        raise typer.Exit(1)
    if not report.changed:
        typer.echo("every column as in the table")
