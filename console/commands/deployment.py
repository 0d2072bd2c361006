"""`signpost deployment`: what it did, in figures that add up."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from console.edges.kafka_read import KafkaReader
from console.ledger.read import read_statement
from console.ledger.table import as_json, as_table

app = typer.Typer(help="A deployment: what it did.", no_args_is_help=True)

Bootstrap = Annotated[str, typer.Option(envvar="KAFKA_BOOTSTRAP", help="Kafka's first brokers, host:port.")]


@app.command("counts")
def counts_command(
    deployment: Annotated[str, typer.Argument(help="The deployment's id.")],
    bootstrap: Bootstrap,
    machine: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Print every count and arrow; exit 1 naming those that do not add up."""
    with closing(KafkaReader(bootstrap)) as reader:
        statement = read_statement(reader, deployment)
    if not statement.totals:
        typer.echo(f"no counts of a deployment {deployment} on this Kafka", err=True)
        raise typer.Exit(2)
    if machine:
        typer.echo(json.dumps(as_json(statement), indent=2))
    else:
        Console().print(as_table(statement))
    for line in statement.lines:
        if line.gap:
            typer.echo(f"{line.arrow.whole.value} does not add up, by {line.gap:+,}", err=True)
    if not statement.reconciles:
        raise typer.Exit(1)
