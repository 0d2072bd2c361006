"""`signpost audit`: take a chain out of Kafka, and tell whether one that somebody was given is whole."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from console.audit.collect import collect
from console.audit.leaving import exported, write_recorded
from console.audit.told import alert, entries, told
from console.audit.verify import read_head, verify
from console.edges.grpc_oversight import OversightClient
from console.edges.kafka_read import KafkaReader
from console.options import Oversight
from console.refusals import refusals
from services.contracts.audit.sequencer import Stray
from services.contracts.errors import Misconfigured
from services.runtime.signing_key import read_signing_key

app = typer.Typer(help="The audit chain: export it, verify it.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The exported chain.")]
Root = Annotated[
    str, typer.Option(envvar="AUTHORITY_ROOT", help="The root's fingerprint, as printed in every report.")
]


@app.command("export")
def export_command(
    file: File,
    *,
    chain: Annotated[str, typer.Option(help="A deployment's, or `system` for what belongs to none.")],
    key: Annotated[
        Path, typer.Option(help="Your own key, PEM: an auditor's, a supervisor's or an authorising officer's.")
    ],
    oversight: Oversight,
    bootstrap: Annotated[str, typer.Option(envvar="KAFKA_BOOTSTRAP", help="Kafka's first brokers, host:port.")],
    root: Root,
) -> None:
    """Write a chain, its signed heads and the registry of keys to a new file, once that is in the chain itself.

    What no sequencer signed is left out. Whether the chain is whole is for `verify` to say.
    """
    with refusals(), closing(KafkaReader(bootstrap)) as reader, OversightClient(oversight) as client:
        passed_over: Counter[Stray] = Counter()
        content = b"".join(collect(reader, chain, root_fingerprint=root, passed_over=passed_over))
        own = read_signing_key(key, variable="--key")
        token = exported(chain, content, own, at=datetime.now(UTC))
        write_recorded(file, content, lambda: client.export(token))
    if passed_over:
        told = ", ".join(f"{count} {reason}" for reason, count in sorted(passed_over.items()))
        typer.echo(f"left out, because no sequencer put them into a chain: {told}", err=True)
    typer.echo(f"wrote {file}; whoever gets it checks it with `signpost audit verify {file} --root {root}`")


@app.command("verify")
def verify_command(
    file: File,
    *,
    root: Root,
    head: Annotated[
        Path | None, typer.Option(help="A signed head from a report or a sink: a file, its last line.")
    ] = None,
) -> None:
    """Whether an exported chain is whole, offline. Exits 1 where it is not, naming the first bad entry."""
    with refusals():
        try:
            verdict = verify(file, root, read_head(head) if head else None)
        except OSError as error:
            raise Misconfigured(f"{error.filename} cannot be read ({type(error).__name__})") from error
    for line in verdict.lines():
        typer.echo(line)
    if not verdict.ok:
        raise typer.Exit(1)


@app.command("entries")
def entries_command(
    file: File,
    *,
    root: Root,
    alerts: Annotated[
        bool, typer.Option("--alerts", help="Only the row of each alert (EU AI Act 12(3)): one an alert.")
    ] = False,
) -> None:
    """Print a whole chain's entries, one JSON object a line. Exits 1, printing none, where it is not whole."""
    with refusals():
        try:
            verdict = verify(file, root)
            if verdict.ok:
                with file.open("rb") as opened:
                    for entry in entries(opened):
                        row = entry.request.content.alert_row
                        if row or not alerts:
                            typer.echo(json.dumps(alert(row) if alerts and row else told(entry)))
        except OSError as error:
            raise Misconfigured(f"{error.filename} cannot be read ({type(error).__name__})") from error
    if not verdict.ok:
        typer.echo("\n".join(verdict.lines()), err=True)
        raise typer.Exit(1)
