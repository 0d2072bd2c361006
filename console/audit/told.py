"""The entries of an audit file in words that other programs read: one JSON object an entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from services.contracts.audit.chain import Audited
from services.contracts.audit.lines import decode_line
from services.contracts.audit.requests import AlertRow


def entries(lines: Iterable[bytes]) -> Iterator[Audited]:
    """Those of a file that was verified. Raises Undecodable."""
    for raw in lines:
        line = decode_line(raw)
        if isinstance(line, Audited):
            yield line


def told(entry: Audited) -> dict[str, Any]:
    """Who (a commitment), what, when, under which authority, and the digest of what was seen."""
    content = entry.request.content
    found = {
        "number": entry.number,
        "at": content.at.isoformat(),
        "what": content.what.value,
        "by": content.producer,
        "who": content.who.hex(),
        "subject": content.subject.hex(),
        "authority": content.authority,
        "version": content.authority_version,
        "about": content.about,
        "seen_sha256": content.seen_sha256.hex(),
    }
    row = content.alert_row
    return {name: value for name, value in found.items() if value} | ({"alert": alert(row)} if row else {})


def alert(row: AlertRow) -> dict[str, Any]:
    """What EU AI Act 12(3) (a) to (d) wants of a search that led to a match."""
    return {
        "alert": row.alert,
        "period": row.period,
        "period_began_at": row.period_began_at.isoformat(),
        "period_ends_at": row.period_ends_at.isoformat(),
        "reference_database_sha256": row.list_sha256.hex(),
        "input_sha256": row.probe_sha256.hex(),
        "outcome": row.outcome.value,
        "verified_by": [person.hex() for person in row.verified_by],
    }
