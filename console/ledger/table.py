"""A statement as people read it, and as machines do."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from console.ledger.statement import Line, Statement
from services.contracts.counts import Count


def _words(count: Count) -> str:
    return count.value.replace("_", " ")


def _split(statement: Statement, count: Count) -> str:
    found = {why: value for (name, why), value in sorted(statement.reasons.items()) if name is count and value}
    return ", ".join(f"{why} {value:,}" for why, value in found.items())


def _rows(statement: Statement, line: Line) -> list[tuple[str, str, str]]:
    whole = line.arrow.whole
    rows = [(_words(whole), f"{statement.totals.get(whole, 0):,}", _split(statement, whole))]
    rows += [
        (f"  {_words(part)}", f"{statement.totals.get(part, 0):,}", _split(statement, part))
        for part in line.arrow.parts
    ]
    between = {"in flight": line.in_flight, "deleted unread": line.deleted, "moving": line.moving}
    rows += [(f"  {name}", f"{number:,}", "") for name, number in between.items() if number]
    return rows


def as_table(statement: Statement) -> Table:
    """One block an arrow: the whole, its parts, and whether they add up."""
    table = Table(title=f"Deployment {statement.deployment}", title_justify="left")
    table.add_column("count")
    table.add_column("", justify="right")
    table.add_column("by reason")
    table.add_column("adds up")
    for line in statement.lines:
        for index, row in enumerate(_rows(statement, line)):
            verdict = ("yes" if line.gap == 0 else f"NO, by {line.gap:+,}") if index == 0 else ""
            table.add_row(*row, verdict)
        table.add_section()
    for reason, number in sorted(statement.gaps.items()):
        table.add_row("camera gaps", f"{number:,}", reason, "")
    if statement.foreign:
        table.add_row("not ours, passed over", f"{statement.foreign:,}", "", "")
    return table


def as_json(statement: Statement) -> dict[str, Any]:
    """The same figures, for machines."""
    return {
        "deployment": statement.deployment,
        "reconciles": statement.reconciles,
        "alerts_lost": statement.alerts_lost,
        "foreign": statement.foreign,
        "overwritten": list(statement.overwritten),
        "counts": {count.value: value for count, value in sorted(statement.totals.items())},
        "reasons": {f"{count.value}:{why}": value for (count, why), value in sorted(statement.reasons.items())},
        "camera_gaps": dict(sorted(statement.gaps.items())),
        "arrows": [
            {
                "whole": line.arrow.whole.value,
                "parts": [part.value for part in line.arrow.parts],
                "in_flight": line.in_flight,
                "deleted_unread": line.deleted,
                "moving": line.moving,
                "gap": line.gap,
            }
            for line in statement.lines
        ],
    }
