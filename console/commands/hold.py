"""`signpost hold`: keep one case's evidence past the purge."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from console.edges.grpc_oversight import OversightClient
from console.options import Oversight
from console.refusals import refusals
from services.contracts.authorisation.purging import CaseHeld
from services.contracts.authorisation.statements import sign
from services.runtime.signing_key import read_signing_key


def command(
    case: Annotated[str, typer.Argument(help="The case's id.")],
    *,
    deployment: Annotated[str, typer.Option(help="Whose case it is.")],
    key: Annotated[Path, typer.Option(help="Your own key, PEM: an authorising officer's or a supervisor's.")],
    reason: Annotated[str, typer.Option(help="Why, in writing; it is kept.")],
    until: Annotated[datetime, typer.Option(help="Until when (UTC); then it goes, too.")],
    oversight: Oversight,
) -> None:
    """Sign that a case's evidence is kept past the purge. Must be said before the purge is ordered."""
    with refusals(), OversightClient(oversight) as client:
        held = CaseHeld.read(
            {
                "deployment": deployment,
                "signed_at": datetime.now(UTC),
                "case": case,
                "reason": reason,
                "until": until.replace(tzinfo=UTC),
            }
        )
        client.hold(sign(held, read_signing_key(key, variable="--key")))
    typer.echo(f"case {case} is held until {until:%Y-%m-%d %H:%M} UTC")
