"""What is said to others about shares: never more than the register can know."""

from __future__ import annotations

from datetime import date

from services.contracts.sharing.register import Found

NOT_COVERED = "shares made outside this system are not covered"


def wording(found: Found, party: str | None, since: date) -> str:
    """The one sentence of an answer."""
    about = f"with {party}" if party else "with anybody"
    if not found.shares:
        return f"Shared {about} since {since}: 0 recorded here; {NOT_COVERED}."
    entered = sum(one.said.way.value != "system" for one in found.shares)
    own = f", {entered} of them entered afterwards" if entered else ""
    counted = f"{len(found.shares)} shares of {found.pictures} pictures recorded here{own}"
    return f"Shared {about} since {since}: {counted}; {NOT_COVERED}."
