"""What oversight needs of the outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.contracts.audit.chain import SignedTreeHead
from services.contracts.audit.requests import SignedRequest
from services.contracts.authorisation.records import Record
from services.contracts.errors import Transient
from services.contracts.sealed.seal import Seal
from services.oversight.core.clerk import Decision, Entry, Now
from services.oversight.core.commands import Command
from services.oversight.core.register import Register


class NotRecorded(Transient):
    """Nothing of it was recorded, and nothing has changed: try again."""


class Unsettled(Transient):
    """Whether it was recorded is not known here: look, before trying again."""


class LogLost(Unsettled):
    """The log is not ours any more: what is known of it must be read anew. `to_another`: somebody has taken it."""

    def __init__(self, message: str, *, to_another: bool) -> None:
        super().__init__(message)
        self.to_another = to_another


class Unanchored(Transient):
    """A sink has not taken a head; what stands against it, without an address."""


@dataclass(frozen=True)
class Anchored:
    """How a chain stands with one sink: the newest head that it has taken since this instance began, if any."""

    sink: str
    head: SignedTreeHead | None


class AuthorityLog(Protocol):
    """The topic `authority`, of which one process at a time is the writer. One thread owns it."""

    def take(self) -> list[Record]:
        """Become the writer: whoever was it writes nothing from now on. All records, oldest first.

        Blocks. Raises LogLost if Kafka does not answer.
        """
        ...

    def append(self, entries: Sequence[Entry], requests: Sequence[SignedRequest] = ()) -> None:
        """Write all of them or none, and what is to be in the audit chain of them; committed on return. Blocks.

        Raises NotRecorded, or LogLost.
        """
        ...

    def release(self) -> None:
        """Stop being the writer; harmless if it is not."""
        ...


class SealedLists(Protocol):
    """Where sealed lists are loaded."""

    def loaded(self, wanted: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """Those of `wanted`, (deployment, digest), that are there. Blocks for seconds; raises Transient."""
        ...

    def seal(self, deployment: str, digest: str) -> Seal | None:
        """Who signed that list, unchecked and without its leaves; None if it cannot be read. As `loaded`."""
        ...


class Sink(Protocol):
    """Where signed heads of the audit chains are kept for somebody who is not the operator. One thread."""

    @property
    def name(self) -> str:
        """What a report calls it; no secret is in it."""
        ...

    def take(self, signed: SignedTreeHead) -> None:
        """Kept on return. Blocks for seconds; raises Unanchored."""
        ...


class Desk(Protocol):
    """Where people's commands are handed in. Any thread."""

    def ask(self, command: Command, *, within_s: float) -> Decision:
        """Have it decided, and recorded. Blocks.

        Raises NotAuthorised, NotBelieved, NotRecorded, Unsettled.
        """
        ...

    def register(self) -> Register:
        """As it is recorded. Raises NotRecorded where another instance leads."""
        ...

    def now(self) -> Now:
        """The moment, as the next decision would see it."""
        ...
