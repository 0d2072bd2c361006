"""A line that does not fit, and what it turns out to be once the rest of the file has been looked through."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from console.audit.verdict import Fault, Kind
from services.contracts.audit.lines import Line, decode_line
from services.contracts.errors import Undecodable


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """The first line that does not fit. It is `fault`, unless the rest of the file tells more.

    `wanted` knows the line that should have stood here; if it follows, the fault is of the kind `if_wanted`, or
    `if_copied` where this very line follows too.
    """

    fault: Fault
    raw: bytes = field(default=b"", repr=False)
    wanted: Callable[[Line], bool] | None = None
    if_wanted: Kind | None = None
    if_copied: Kind | None = None


def settle(suspect: Suspect, rest: Iterable[bytes]) -> Fault:
    """Name the fault. Reads `rest` once and keeps none of it."""
    if suspect.wanted is None or suspect.if_wanted is None:
        return suspect.fault
    wanted = copied = False
    for raw in rest:
        copied = copied or raw == suspect.raw
        wanted = wanted or _is(raw, suspect.wanted)
    kind = suspect.fault.kind
    if wanted:
        kind = suspect.if_copied if copied and suspect.if_copied else suspect.if_wanted
    fault = suspect.fault
    return Fault(kind=kind, line=fault.line, entry=fault.entry, detail=fault.detail)


def _is(raw: bytes, wanted: Callable[[Line], bool]) -> bool:
    try:
        line = decode_line(raw)
    except Undecodable:
        return False
    return wanted(line)
