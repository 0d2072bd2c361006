"""Takes entries off a sealed list: signed by one person, because it only subtracts; nobody puts one back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from console.authority.standing import Revocations
from console.edges.grpc_oversight import OversightClient
from services.contracts.authorisation.enums import RevocationReason
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.signing import SigningKey
from services.contracts.authorisation.statements import sign
from services.contracts.ids import SubjectToken
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.revocations import taken_off

# Somebody else's revocation may take the number in between.
_TRIES = 3


def take_off(
    of: Manifest,
    entry_ids: Iterable[str],
    reason: RevocationReason,
    *,
    token_of: Callable[[str], SubjectToken],
    key: SigningKey,
    oversight: OversightClient,
) -> Revocations:
    """Have oversight record it; on return no alert is raised for them any more, two seconds at most later.

    Raises Refused for an entry that is not on the list, NotAuthorised with oversight's findings, Transient.
    """
    names = tuple(entry_ids)
    for left in reversed(range(_TRIES)):
        known = oversight.revocations(of.head.deployment)
        said = taken_off(
            of,
            names,
            reason,
            token_of=token_of,
            sequence=known.count + 1,
            previous=known.head,
            at=datetime.now(UTC),
        )
        try:
            return oversight.revoke(sign(said, key))
        except NotAuthorised as refused:
            if not left or all(one.field != "revocation.sequence" for one in refused.findings):
                raise
    raise AssertionError
