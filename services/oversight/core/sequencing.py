"""What becomes of requests to be recorded: entries, and the heads over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.contracts.audit.chain import Audited, SignedTreeHead
from services.contracts.audit.requests import Action, SignedRequest
from services.contracts.audit.sequencer import BadSignature, Conflict, Duplicate, Gap, Sequencer
from services.contracts.audit.signing import Signer

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


@dataclass(frozen=True)
class Chained:
    """What requests became. Nobody waits behind one that is in neither of the others.

    `disbelieved` are those that anybody may have written: whoever has a revoked key, or none, would stop the
    chain. `unchained` are genuine and cannot follow their producer's last: its service has lost count, or its key.
    Waiting would not mend it, and whoever has the key of one service would stop the others.
    """

    records: tuple[Record, ...]
    disbelieved: tuple[BadSignature, ...] = ()
    unchained: tuple[Gap | Conflict, ...] = ()


def chained(sequencer: Sequencer, requests: Iterable[SignedRequest], signer: Signer, *, now: datetime) -> Chained:
    """The records that `requests` become, in order; one that is repeated, or passed over, becomes none."""
    records: list[Record] = []
    disbelieved: list[BadSignature] = []
    unchained: list[Gap | Conflict] = []
    for request in requests:
        answer = sequencer.append(request, signer, now=now)
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
                unchained.append(answer)
    return Chained(tuple(records), tuple(disbelieved), tuple(unchained))


def heads(sequencer: Sequencer, signer: Signer, *, now: datetime) -> list[SignedTreeHead]:
    """A head of each chain that has grown since its last."""
    return [sequencer.head(chain, signer, now=now) for chain in sequencer.beyond_their_heads]
