"""`signpost deployment`: what it did, in figures that add up."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from console.audit.leaving import write_recorded
from console.edges.grpc_oversight import OversightClient
from console.edges.kafka_read import KafkaReader
from console.ledger.read import read_statement
from console.ledger.report import Report, lines
from console.ledger.report import as_json as report_json
from console.ledger.reporting import gathered, ordered
from console.ledger.statement import Statement
from console.ledger.table import as_json, as_table
from console.options import Oversight, Root
from console.refusals import refusals
from services.contracts.errors import Misconfigured
from services.contracts.sealed.manifest import Manifest, parse
from services.runtime.signing_key import read_signing_key

app = typer.Typer(help="A deployment: what it did.", no_args_is_help=True)

_WRITES = "Take the right to write `counts` from who has it beside the services (docs/operations.md)"
_SHOWN = 10
_LOST = "deleted by Kafka before review read them (docs/runbooks/SignpostAlertsLost.md)"

Bootstrap = Annotated[str, typer.Option(envvar="KAFKA_BOOTSTRAP", help="Kafka's first brokers, host:port.")]


@app.command("counts")
def counts_command(
    deployment: Annotated[str, typer.Argument(help="The deployment's id.")],
    bootstrap: Bootstrap,
    root: Root,
    machine: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Print every count and arrow; exit 1 naming what is missing: an arrow that does not add up, a lost alert."""
    with refusals(), closing(KafkaReader(bootstrap)) as reader:
        statement = read_statement(reader, deployment, root=root)
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
    _say_what_is_not_ours(statement)
    if statement.alerts_lost:
        typer.echo(f"alerts lost: {statement.alerts_lost:,}, {_LOST}", err=True)
    if not statement.reconciles or statement.alerts_lost:
        raise typer.Exit(1)


@app.command("report")
def report_command(
    deployment: Annotated[str, typer.Argument(help="The deployment's id.")],
    bootstrap: Bootstrap,
    *,
    oversight: Oversight,
    root: Root,
    manifest: Annotated[
        list[Path] | None,
        typer.Option(help="A kept manifest, once for each list that was in use at once: adds up who was on them."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the report here, as JSON.")] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="Sign it: a supervisor's or authorising officer's key, PEM. Once purged, and with --out."
        ),
    ] = None,
) -> None:
    """Print what it was bound to, what was recorded, and every figure. Exit 1 where they do not add up."""
    with refusals(), closing(KafkaReader(bootstrap)) as reader, OversightClient(oversight) as client:
        found = gathered(deployment, client, reader, root=root, manifests=_manifests(manifest or []))
        for line in lines(found):
            typer.echo(line)
        Console().print(as_table(found.statement))
        _say_what_is_not_ours(found.statement)
        if found.statement.alerts_lost:
            typer.echo(f"alerts lost: {found.statement.alerts_lost:,}, {_LOST}", err=True)
        if out is not None:
            content = json.dumps(report_json(found), indent=2, sort_keys=True).encode() + b"\n"
            write_recorded(out, content, lambda: _sign(client, found, content, key))
    if not found.statement.reconciles:
        raise typer.Exit(1)


def _say_what_is_not_ours(statement: Statement) -> None:
    if statement.foreign:
        typer.echo(f"not ours: {statement.foreign:,} records on counts, in no figure. {_WRITES}", err=True)
    if statement.overwritten:
        shown = ", ".join(statement.overwritten[:_SHOWN]) + (
            ", ..." if len(statement.overwritten) > _SHOWN else ""
        )
        typer.echo(
            f"overwritten: {shown}. What processes of these names told last may be lost. {_WRITES}", err=True
        )


def _sign(client: OversightClient, report: Report, content: bytes, key: Path | None) -> None:
    if key is not None:
        client.order(ordered(report, content, read_signing_key(key, variable="--key"), at=datetime.now(UTC)))


def _manifests(paths: list[Path]) -> list[Manifest]:
    try:
        return [parse(path.read_bytes()) for path in paths]
    except OSError as error:
        raise Misconfigured(f"{error.filename} cannot be read ({type(error).__name__})") from error
