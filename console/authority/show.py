"""How authorities stand, for a person to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from console.authority.standing import Standing

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
