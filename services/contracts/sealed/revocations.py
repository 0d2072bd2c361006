"""Takes entries off a sealed list without touching it. `authorisation.EntriesRevoked` is how it is said; here
stands which entries it is about, because only the list knows whose token is whose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from services.contracts.authorisation.enums import RevocationReason
from services.contracts.authorisation.statements import EntriesRevoked
from services.contracts.ids import SubjectToken
from services.contracts.sealed.faults import Fault, refuse
from services.contracts.sealed.manifest import Manifest

TokenOf = Callable[[str], SubjectToken]


def tokens(of: Manifest, token_of: TokenOf) -> Mapping[SubjectToken, str]:
    """The entry of each subject token, by id. `token_of` is the deployment's, over a subject's reference."""
    return {token_of(entry.subject_ref): entry.entry_id for entry in of.entries}


def revoked(of: Manifest, off: Collection[str], token_of: TokenOf) -> frozenset[str]:
    """The ids of the entries whose tokens are `off` (`Gate.revoked`); what is not on the list changes nothing."""
    return frozenset(entry_id for token, entry_id in tokens(of, token_of).items() if token in off)


def taken_off(
    of: Manifest,
    entry_ids: Iterable[str],
    reason: RevocationReason,
    *,
    token_of: TokenOf,
    sequence: int,
    previous: str,
    at: datetime,
) -> EntriesRevoked:
    """The statement that takes these entries off; sequence and head are the register's. One person may subtract.

    Raises Refused naming entries that are not on the list, or the list if there is no entry at all.
    """
    names = sorted(set(entry_ids))
    refuse(Fault(name, "entry_id", "is not on the list", "G10") for name in names if name not in of.by_id)
    if not names:
        refuse([Fault("", "entries", "must be at least one to be taken off", "G10")])
    return EntriesRevoked(
        deployment=of.head.deployment,
        signed_at=at,
        list_digest=of.digest,
        sequence=sequence,
        previous=previous,
        reason=reason,
        tokens=tuple(token_of(of.by_id[name].subject_ref) for name in names),
    )
