"""From a draft to a sealed list: two people sign what they have looked at, the list's manager seals."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from console.authority.draft import SealedFacts
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.signing import SigningKey
from services.contracts.codec import Sealing
from services.contracts.scoring import raw_scores
from services.contracts.sealed.bundle.read import Contents, draft_of
from services.contracts.sealed.bundle.write import write_sealed
from services.contracts.sealed.draft import draft_faults
from services.contracts.sealed.faults import refuse
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.seal import seal, sign


@dataclass(frozen=True)
class Sealed:
    """A sealed list's files: the bundle, and in clear text of opaque references what outlives its purge."""

    bundle: bytes = field(repr=False)
    manifest: bytes = field(repr=False)
    seal: bytes = field(repr=False)
    facts: SealedFacts


def approved(contents: Contents, sealing: Sealing, key: SigningKey, *, at: datetime) -> str:
    """One person's token under the list. Raises Refused if it breaks a rule: nobody signs such a list."""
    contents.check()
    draft = draft_of(contents, sealing)
    refuse(draft_faults(draft, similarity=raw_scores, at=at))
    return sign(draft.manifest, key, at=at)


def sealed(
    contents: Contents,
    sealing: Sealing,
    signatures: list[str],
    manager: SigningKey,
    *,
    registry: Registry,
    now: datetime,
) -> Sealed:
    """The draft with its two signatures. `registry` must be the root's, in force. Raises Refused, Altered."""
    contents.check()
    draft = draft_of(contents, sealing)
    made = seal(draft, signatures, similarity=raw_scores, registry=registry, now=now)
    bundle = write_sealed(contents, made, manager, at=now)
    return Sealed(bundle, draft.manifest.to_bytes(), made.to_bytes(), facts(draft.manifest))


def facts(of: Manifest) -> SealedFacts:
    """What the authority's document must name."""
    head = of.head
    return SealedFacts(
        deployment=head.deployment,
        id=head.name,
        digest=of.digest,
        model=head.model_id,
        score_kind=head.score_kind,
        thresholds={one.shots: one.score for one in head.thresholds},
    )
