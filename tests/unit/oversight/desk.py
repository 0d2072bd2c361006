"""A register under a test's hand: commands in, the clock where the test puts it, every record kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import ClockState, Move, RevocationReason, State
from services.contracts.authorisation.gate import Gate
from services.contracts.authorisation.purging import PurgeAnswer
from services.contracts.authorisation.records import Record
from services.contracts.authorisation.registry import sign_registry
from services.contracts.authorisation.statements import Attestation, EntriesRevoked, Lease, StateChanged, sign
from services.contracts.sealed.seal import Seal
from services.oversight.core.clerk import Clerk, Decision, Now
from services.oversight.core.clockwork import keep
from services.oversight.core.commands import (
    Approve,
    Attest,
    Command,
    Give,
    PutRegistry,
    Revoke,
    Submit,
)
from services.oversight.core.register import Register, Version
from services.oversight.core.registrar import Registrar
from tests.unit.contracts.authorisation import builders as b

BEAT = timedelta(seconds=2)


@dataclass
class Desk:
    """Owned by its test. `at` is the time of the next decision."""

    at: datetime = b.APPROVED
    clock: ClockState = ClockState.SYNCHRONISED
    lists: frozenset[tuple[str, str]] | None = None
    answers: tuple[PurgeAnswer, ...] = ()
    seals: dict[tuple[str, str], Seal] = field(default_factory=dict)
    register: Register = field(default_factory=lambda: Register("city-police", b.ROOT.kid))
    records: list[Record] = field(default_factory=list)
    said: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clerk = Clerk(b.key("oversight"))

    @property
    def now(self) -> Now:
        every = frozenset(
            (version.document.id, version.document.watchlist.digest) for version in self.register.versions()
        )
        lists = every if self.lists is None else self.lists
        return Now(b.a_reading(self.at, state=self.clock), lists, self.answers, self.seals)

    def tell(self, command: Command) -> Decision:
        return self._take(Registrar(self.clerk).decide(self.register, command, self.now))

    def beat(self) -> Decision:
        return self._take(keep(self.clerk, self.register, self.now))

    def _take(self, decision: Decision) -> Decision:
        self.register = decision.after
        self.records += [entry.record for entry in decision.entries]
        self.said += [entry.said for entry in decision.entries]
        return decision

    # The steps of an authority's life.

    def begun(self) -> Desk:
        self.tell(PutRegistry(sign_registry(b.a_registry(), b.ROOT)))
        return self

    def submitted(self, document: Document, *people: str) -> Desk:
        self.tell(Submit(document.canonical_bytes(), b.approvals(document, *(people or ("ann",)), at=self.at)))
        return self

    def authorised(self, document: Document, *people: str) -> Desk:
        return self.submitted(document, *(people or ("ann", "olu")))

    def attested(self, document: Document) -> Desk:
        self.tell(Attest(attestation(document, self.at)))
        return self

    def active(self, document: Document) -> Desk:
        self.authorised(document)
        self.at = document.window.start
        self.attested(document)
        self.beat()
        return self

    def give(self, document: Document, move: Move, by: str, *, evidence: str | None = None) -> Decision:
        version = self.version(document)
        order = b.an_order(document, len(version.moves) + 1, move, by, self.at, evidence=evidence)
        return self.tell(Give(order))

    def approve(self, document: Document, person: str) -> Decision:
        return self.tell(Approve(b.approval(document, person, self.at)))

    def revoke(self, document: Document, *tokens: str, by: str = "liz", **changes: object) -> Decision:
        known = self.register.deployment(document.id).revocations
        said = EntriesRevoked.model_validate(
            {
                "deployment": document.id,
                "signed_at": self.at,
                "list_digest": document.watchlist.digest,
                "sequence": len(known.heads),
                "previous": known.heads[-1],
                "reason": RevocationReason.LOCATED,
                "tokens": tokens,
            }
            | changes
        )
        return self.tell(Revoke(sign(said, b.key(by))))

    # What it has come to.

    def version(self, document: Document) -> Version:
        found = self.register.version(document.id, document.version)
        assert found is not None, "no such version"
        return found

    def state(self, document: Document) -> State:
        return self.version(document).state

    def leases(self) -> list[Lease]:
        return [said for said in self.said if isinstance(said, Lease)]

    def moves(self) -> list[Move]:
        return [said.move for said in self.said if isinstance(said, StateChanged)]

    def gate(self, deployment: str) -> Gate:
        """What a service believes that has read every record."""
        gate = Gate.shut(deployment, root_fingerprint=b.ROOT.kid)
        for record in self.records:
            gate = gate.fold(record, b.a_reading(self.at, state=self.clock)).gate
        return gate


def attestation(document: Document, at: datetime, *, by: str = "eve", **changes: object) -> str:
    said: Attestation = b.an_attestation(document, at, **changes)
    return sign(said, b.key(by))
