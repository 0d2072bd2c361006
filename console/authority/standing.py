"""What oversight tells about authorities, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.contracts.audit.chain import SignedTreeHead
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.findings import Finding
from services.contracts.authorisation.states import HAS_RUN, TABLE


@dataclass(frozen=True)
class Standing:
    """One version of a deployment's authority. `waits_for` is what still keeps it from its next state."""

    deployment: str
    version: int
    serial: int
    digest: str
    state: str
    state_sequence: int
    window_start: datetime
    window_end: datetime
    quorum: str
    attested: bool
    waits_for: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Version:
    """A version with its document, whose digest was computed here, not told; once purged, its certificate."""

    standing: Standing
    document: Document = field(repr=False)
    approvals: tuple[str, ...] = field(repr=False)
    certificate: str = field(default="", repr=False)

    def can(self, move: Move) -> bool:
        """Whether the move leads somewhere from here."""
        return (self.standing.state, move) in TABLE


def movable(versions: Sequence[Version], move: Move) -> Version:
    """The newest of them, oldest first, that the move leads somewhere from; the newest of all where it does from
    none. A version that waits, or was cancelled, hides none that ran before it."""
    return next((one for one in reversed(versions) if one.can(move)), versions[-1])


def ran_last(versions: Sequence[Version]) -> Version:
    """The newest of them, oldest first, that has begun; the newest of all where none has."""
    return next((one for one in reversed(versions) if one.standing.state in HAS_RUN), versions[-1])


@dataclass(frozen=True)
class RegistryStanding:
    """Which registry oversight goes by, and whether its own key is in it."""

    sequence: int
    valid_until: datetime
    oversight_may_sign: bool


@dataclass(frozen=True)
class Revocations:
    """How many there are, and what the next one names as `previous`."""

    count: int
    head: str


@dataclass(frozen=True)
class Anchor:
    """How an audit chain stands with one sink; `head` is unchecked, None while it has taken none."""

    sink: str
    head: SignedTreeHead | None
