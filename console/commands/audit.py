"""`signpost audit`: take a chain out of Kafka, and tell whether one that somebody was given is whole."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from console.audit.collect import collect
from console.audit.verify import read_head, verify
from console.edges.kafka_read import KafkaReader
from console.refusals import refusals
from services.contracts.errors import Misconfigured

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
    bootstrap: Annotated[str, typer.Option(envvar="KAFKA_BOOTSTRAP", help="Kafka's first brokers, host:port.")],
    root: Root,
) -> None:
    """Write a chain, its signed heads and the registry of keys to a new file. Checks nothing: that is `verify`."""
    with refusals(), closing(KafkaReader(bootstrap)) as reader:
        lines = b"".join(collect(reader, chain, root_fingerprint=root))
        try:
            with file.open("xb") as opened:
                opened.write(lines)
        except OSError as error:
            raise Misconfigured(f"{file} cannot be written ({type(error).__name__})") from error
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
