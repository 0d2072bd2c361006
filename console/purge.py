"""The purge of a deployment, as its operator has it done: ordered, waited for, certified."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from console.authority.standing import Standing, Version, ran_last
from console.edges.grpc_oversight import OversightClient
from services.contracts import lists
from services.contracts.authorisation.enums import State
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.purging import Holder, PurgeCertificate, What
from services.contracts.authorisation.signing import take_apart, unchecked_payload
from services.contracts.errors import Transient
from services.runtime.purging import Purge, Share, Values

PURGED = frozenset({State.PURGED, State.REPORTED, State.REVIEWED})
_LOOK_EVERY_S = 0.5


def share(deployment: str, *, instance: str) -> Share:
    """What the operator answers for: the key store, and the list."""
    return Share(Holder.CONSOLE, deployment, instance, [Values(What.LIST_PARTS, lists.everything(deployment))])


def purge(
    client: OversightClient, deployment: str, own: Purge, *, order: Callable[[Standing], str], within_s: float
) -> Version:
    """Have it purged; the version with its certificate. Blocks. A deployment that is purged stays as it is.

    Raises NotAuthorised where it may not be ordered, and where somebody has not answered in time: it names them,
    and whoever answers later is not lost.
    """
    ran = ran_last(client.versions(deployment))
    if ran.standing.state in PURGED:
        return ran
    standing = client.order(order(ran.standing))
    ends_s = time.monotonic() + within_s
    _await(client, deployment, lambda version: _only_us(version.standing), ends_s)
    # Last, for everybody else has stopped minting by now.
    own.obey(standing.version, standing.state_sequence)
    purged = _await(
        client, deployment, lambda version: version.standing.state in PURGED, max(ends_s, time.monotonic() + 15)
    )
    if purged.standing.state not in PURGED:
        raise NotAuthorised("purge", purged.standing.waits_for)
    return purged


def lines(certificate: str) -> Iterator[str]:
    """A certificate for a person; its signature was checked by who gave it."""
    said = PurgeCertificate.from_canonical(unchecked_payload(take_apart(certificate)))
    yield f"purge certificate {said.canonical_digest}"
    yield f"  deployment {said.deployment}, version {said.version}, list {said.list_digest}"
    yield f"  ordered {said.ordered_at:%Y-%m-%d %H:%M:%S} UTC, signed {said.signed_at:%Y-%m-%d %H:%M:%S} UTC"
    for answer in said.answers:
        counts = ", ".join(f"{number} {what}" for what, number in sorted(answer.destroyed.items()))
        held = f", {answer.held} held" if answer.held else ""
        yield f"  {answer.holder}/{answer.instance}: {counts or 'nothing'} destroyed, nothing left{held}"


def _only_us(standing: Standing) -> bool:
    return standing.state in PURGED or all(
        finding.rule == f"waits for {Holder.CONSOLE}" for finding in standing.waits_for
    )


def _await(client: OversightClient, deployment: str, check: Callable[[Version], bool], ends_s: float) -> Version:
    """The version that ran last, once `check` holds for it, or as it is at the end."""
    while True:
        try:
            found = ran_last(client.versions(deployment))
        except Transient:
            if time.monotonic() >= ends_s:
                raise
            continue
        if check(found) or time.monotonic() >= ends_s:
            return found
        time.sleep(_LOOK_EVERY_S)
