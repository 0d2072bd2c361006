"""How authorities stand, for a person to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from console.authority.standing import Standing
from services.contracts.authorisation.document import Document

_TIME = "%Y-%m-%d %H:%M:%S UTC"


def as_lines(standing: Standing) -> Iterator[str]:
    """One version, a line a fact."""
    yield f"{standing.deployment} version {standing.version}, serial {standing.serial}: {standing.state.upper()}"
    yield f"digest    {standing.digest}"
    yield f"window    {standing.window_start.strftime(_TIME)} to {standing.window_end.strftime(_TIME)}"
    yield f"approved  {standing.quorum or 'no'}"
    yield f"attested  {'yes' if standing.attested else 'no'}"
    for finding in standing.waits_for:
        yield f"waits for {finding}"


def bounds(document: Document, *, root: str) -> Iterator[str]:
    """What a deployment is bound to, a line each."""
    sealed, window = document.watchlist, document.window
    thresholds = ", ".join(f"{value:.3f} from {shots} shots" for shots, value in sealed.thresholds.items())
    clock = ", ".join(document.clock.accepts)
    yield f"use case   {document.use_case}, purpose {document.purpose}"
    yield f"authority  {document.id} version {document.version}"
    yield f"serial     {document.serial} of {document.organisation}"
    yield f"digest     {document.digest}"
    yield f"root       {root}"
    yield f"window     {window.start.strftime(_TIME)} to {window.end.strftime(_TIME)}"
    for camera in document.cameras:
        zone = " ".join(f"({east:g}, {north:g})" for east, north in camera.zone)
        yield f"camera     {camera.id}: {camera.source}, in {document.site.name}, zone {zone} m east, north"
    caps = f"at most {sealed.max_entries} entries, {sealed.max_templates} templates"
    yield f"list       {sealed.id}, {caps}, {sealed.digest}"
    yield f"model      {sealed.model}"
    yield f"threshold  {thresholds} ({sealed.score_kind})"
    yield f"clock      {clock}" + (f": {document.clock.reason}" if document.clock.reason else "")


def as_table(authorities: Sequence[Standing]) -> Table:
    """Every version of every deployment."""
    table = Table()
    for heading in ("serial", "deployment", "version", "state", "from", "to", "waits for"):
        table.add_column(heading, justify="right" if heading in ("serial", "version") else "left")
    for one in authorities:
        table.add_row(
            str(one.serial),
            one.deployment,
            str(one.version),
            one.state,
            one.window_start.strftime(_TIME),
            one.window_end.strftime(_TIME),
            ", ".join(sorted({finding.field for finding in one.waits_for})),
        )
    return table
