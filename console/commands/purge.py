"""`signpost purge`: destroy all that a deployment has of anybody, and certify it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from console.authority.standing import Standing, ran_last
from console.edges.grpc_oversight import OversightClient
from console.edges.writable import no_file_at
from console.options import KeysDir, Oversight
from console.purge import lines, purge, share
from console.refusals import refusals
from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.signing import SigningKey
from services.contracts.authorisation.statements import Order, sign
from services.contracts.errors import Misconfigured
from services.runtime.clock import SystemClock
from services.runtime.kafka.config import Connection
from services.runtime.keys.folder import FolderKeys
from services.runtime.keys.volatile import VolatileKeys
from services.runtime.purging import Purge, Stores, look, publish
from services.runtime.redis_client import connect
from services.runtime.signing_key import read_signing_key

_NAME = "console"


def command(  # noqa: PLR0913 - one an option
    deployment: Annotated[str, typer.Argument(help="The deployment's id; it must have ended.")],
    *,
    oversight: Oversight,
    keys_dir: KeysDir,
    redis_volatile_url: Annotated[str, typer.Option(envvar="REDIS_VOLATILE_URL", help="redis://...")],
    redis_durable_url: Annotated[str, typer.Option(envvar="REDIS_DURABLE_URL", help="redis://...")],
    bootstrap: Annotated[str, typer.Option(envvar="KAFKA_BOOTSTRAP", help="Kafka's first brokers.")],
    key: Annotated[Path | None, typer.Option(help="Your own key, PEM; not needed for a dry run.")] = None,
    reason: Annotated[str, typer.Option(help="Why now, in writing; it is kept.")] = "the deployment has ended",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is there, and destroy nothing.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the signed certificate here.")] = None,
    within_s: Annotated[float, typer.Option(min=1, help="How long to wait for every holder.")] = 120.0,
) -> None:
    """Order every holder to destroy what it has, wait for all, and print the signed certificate.

    Exit 1 names who has not answered. What is held under `signpost hold` stays. Harmless if done twice.
    """
    with refusals(), OversightClient(oversight) as client:
        clock = SystemClock()
        connection = Connection(bootstrap, _NAME)
        volatile = VolatileKeys(connect(SecretStr(redis_volatile_url), client_name=_NAME), clock)
        durable = connect(SecretStr(redis_durable_url), client_name=_NAME)
        stores = Stores(volatile, FolderKeys(keys_dir, clock), durable)
        part = share(deployment, instance=_NAME)
        if dry_run:
            for what, number in look(part, stores).items():
                typer.echo(f"{number} {what}")
            ran = ran_last(client.versions(deployment))
            typer.echo(f"nothing destroyed; the authority is {ran.standing.state}")
            return
        if key is None:
            raise Misconfigured("--key: an order to purge is signed by who gives it")
        if out is not None and (wrong := list(no_file_at("--out", out))):
            raise Misconfigured("\n".join(wrong))
        signer = read_signing_key(key, variable="--key")
        own = Purge(part, stores, lambda output: publish(connection, output), clock, key=signer)
        found = purge(client, deployment, own, order=lambda now: order(now, signer, reason), within_s=within_s)
        if out is not None:
            out.write_text(found.certificate)
        for line in lines(found.certificate):
            typer.echo(line)


def order(standing: Standing, key: SigningKey, reason: str) -> str:
    """The signed order to purge it as it stands."""
    said = Order.read(
        {
            "deployment": standing.deployment,
            "version": standing.version,
            "digest": standing.digest,
            "signed_at": datetime.now(UTC),
            "sequence": standing.state_sequence + 1,
            "move": Move.ORDER_PURGE,
            "reason": reason,
        }
    )
    return sign(said, key)
