"""A submission's document, read and held against every rule beside the leader's thread, not on it.

Reading the largest document takes a second, and whoever reaches the door can bring one. So it is read by who
brings it, one at a time, and only once somebody of the registry has signed its digest; what it costs is bounded by
its shape (contracts/authorisation/document.py). The leader's thread, which renews every lease, gets it read.
"""

from __future__ import annotations

from datetime import datetime

from services.contracts.authorisation import approvals, rules
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.registry import Registry
from services.oversight.core.clerk import refused
from services.oversight.core.commands import Read, Submit

# Each is checked again with every lease: more than any organisation has signers for one document.
MOST_APPROVALS = 64


def require_signed(command: Submit, registry: Registry, now: datetime) -> None:
    """Raises NotAuthorised: too many signatures, or none of the registry's under these bytes. Milliseconds."""
    if len(command.approvals) > MOST_APPROVALS:
        raise too_many_approvals()
    approvals.named_by_any(command.document, command.approvals, registry, now=now)


def read(command: Submit, registry: Registry, now: datetime) -> Read:
    """The submission with its document read. Raises NotAuthorised: as `require_signed`, or it is no document."""
    require_signed(command, registry, now)
    document = Document.from_canonical(command.document)
    # Remembered: the leader asks for them with every move.
    rules.broken(document)
    return Read(document, command.approvals)


def too_many_approvals() -> NotAuthorised:
    """The refusal of more than a document may have."""
    return refused("requirements", "approvals", f"there are too many: {MOST_APPROVALS} at most", "issue 12.2")
