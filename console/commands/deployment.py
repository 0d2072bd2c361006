"""`signpost deployment`: its document, and what it did in figures that add up."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console

from console.edges.kafka_read import KafkaReader
from console.edges.private_file import write_private
from console.ledger.read import read_statement
from console.ledger.table import as_json, as_table
from console.run.deployment import first_document
from services.contracts import authority
from services.contracts.authority import UseCase
from services.contracts.errors import Misconfigured

app = typer.Typer(help="A deployment: its document, and what it did.", no_args_is_help=True)

Bootstrap = Annotated[str, typer.Option(envvar="KAFKA_BOOTSTRAP", help="Kafka's first brokers, host:port.")]


@app.command("new")
def new_command(
    deployment: Annotated[str, typer.Argument(help="Its id: a-z, 0-9, hyphen.")],
    *,
    camera: Annotated[list[str], typer.Option(help="Id of an RTSP camera; its address is asked for.")],
    out: Annotated[Path, typer.Option(help="The file to write; nobody else may read it.")],
    live: Annotated[bool, typer.Option("--live", help="Use case live; without it, an exercise.")] = False,
    purpose: Annotated[str, typer.Option(help="What it is for.")] = "Exercise with consenting subjects.",
    hours: Annotated[float, typer.Option(min=0.1, max=24, help="How long it may run, from now.")] = 4.0,
) -> None:
    """Write a document to begin with. An address may carry a password, so it is asked for, not an argument."""
    addresses = {name: typer.prompt(f"address of {name} (rtsp://...)") for name in camera}
    document = first_document(
        deployment,
        addresses,
        use_case=(UseCase.LIVE if live else UseCase.EXERCISE).value,
        purpose=purpose,
        now=datetime.now(UTC),
        lasts=timedelta(hours=hours),
    )
    text = yaml.safe_dump(document, sort_keys=False)
    try:
        authority.parse(text, origin="the new document")
    except Misconfigured as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    write_private(out, text)
    typer.echo(f"wrote {out}: look at it before it runs, docs/deployment.md tells every field")


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
