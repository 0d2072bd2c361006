"""What becomes of requests to be recorded: entries, and the heads over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.contracts.audit.chain import Audited, SignedTreeHead
from services.contracts.audit.requests import Action, SignedRequest
from services.contracts.audit.sequencer import BadSignature, Conflict, Duplicate, Gap, Sequencer
from services.contracts.audit.signing import Signer
from services.contracts.errors import Permanent

Record = Audited | SignedTreeHead

# A head at once: reports and certificates speak of how the chain stood then.
HEADED_AT_ONCE = frozenset(
    {
        Action.AUTHORITY_ACTIVATED,
        Action.STOPPED,
        Action.AUTHORITY_ENDED,
        Action.PURGED,
        Action.REPORT_SIGNED,
    }
)


class Unchained(Permanent):
    """A genuine request that cannot follow its producer's last: its partition waits for somebody to look."""


@dataclass(frozen=True)
class Chained:
    """What requests became. `disbelieved` are those that anybody may have written: nobody waits behind them, or
    whoever has a revoked key, or none, would stop the chain."""

    records: tuple[Record, ...]
    disbelieved: tuple[BadSignature, ...] = ()


def chained(sequencer: Sequencer, requests: Iterable[SignedRequest], signer: Signer, *, now: datetime) -> Chained:
    """The records that `requests` become, in order; one that is repeated or not believed becomes none.

    Raises Unchained at the first that cannot be taken; what came before it is in the state of `sequencer`.
    """
    records: list[Record] = []
    disbelieved: list[BadSignature] = []
    for request in requests:
        answer = sequencer.append(request, now=now)
        match answer:
            case Audited():
                records.append(answer)
                if request.content.what in HEADED_AT_ONCE:
                    records.append(sequencer.head(answer.chain, signer, now=now))
            case Duplicate():
                pass
            case BadSignature():
                disbelieved.append(answer)
            case Gap() | Conflict():
                raise _unchained(answer)
    return Chained(tuple(records), tuple(disbelieved))


def heads(sequencer: Sequencer, signer: Signer, *, now: datetime) -> list[SignedTreeHead]:
    """A head of each chain that has grown since its last."""
    return [sequencer.head(chain, signer, now=now) for chain in sequencer.beyond_their_heads]


def _unchained(answer: Gap | Conflict) -> Unchained:
    match answer:
        case Gap(producer, expected, got):
            return Unchained("audit_gap", f"{producer} sends its {got} where its {expected} should be")
        case Conflict(producer, sequence):
            return Unchained("audit_conflict", f"{producer} has used its number {sequence} for another request")
