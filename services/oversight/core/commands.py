"""What oversight can be told to do. Each brings what its person signed; nothing else of it is believed."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move


@dataclass(frozen=True)
class PutRegistry:
    """The root's list of keys."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class Submit:
    """A document in canonical bytes, with the approvals it has; its author's own must be among them."""

    document: bytes = field(repr=False)
    approvals: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Read:
    """A `Submit` whose document has been read (core/reading.py)."""

    document: Document = field(repr=False)
    approvals: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Approve:
    """One more `Approval`."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class Attest:
    """An `Attestation`: the notice is out, the signs are up."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class Give:
    """A person's `Order`."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class Revoke:
    """An `EntriesRevoked`."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class Hold:
    """A `CaseHeld`."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class Export:
    """A `ChainExported`."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class Conclude:
    """Purged: oversight's own word, on the evidence it has collected. No person may send it."""

    deployment: str
    version: int
    move: Move
    evidence: str


@dataclass(frozen=True)
class EnterSharing:
    """The next line of the sharing register."""

    token: str = field(repr=False)


Command = PutRegistry | Submit | Read | Approve | Attest | Give | Revoke | Hold | Export | Conclude | EnterSharing
