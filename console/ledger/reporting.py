"""What a report is made of, gathered from oversight and Kafka."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from console.audit.collect import newest_keys
from console.authority.standing import Anchor, Standing, Version, movable, ran_last
from console.ledger.read import Reader, read_statement
from console.ledger.report import COUNTED, Report, beside, incidents
from console.sharing.book import Book
from services.contracts import topics
from services.contracts.audit.chain import Audited
from services.contracts.audit.recorded import recorded
from services.contracts.audit.requests import AuditRequested
from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.signing import SigningKey
from services.contracts.authorisation.statements import Order, sign
from services.contracts.errors import Misconfigured
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.overlap import Caps, Totals, counted, totals
from services.contracts.sharing.answers import wording
from services.runtime.keys.ed25519 import verify


class Oversight(Protocol):
    """`OversightClient`, as a report needs it."""

    def authorities(self) -> list[Standing]: ...
    def versions(self, deployment: str) -> list[Version]: ...
    def anchors(self, deployment: str) -> list[Anchor]: ...
    def sharing(self) -> Book: ...


def gathered(
    deployment: str, oversight: Oversight, reader: Reader, *, root: str, manifests: Iterable[Manifest] = ()
) -> Report:
    """The report as things stand now, of the newest version that owes one, or else of that which ran last.

    `manifests` of lists, whoever's. Raises as both readers do.
    """
    versions = oversight.versions(deployment)
    owing = movable(versions, Move.REPORT)
    own = owing if owing.can(Move.REPORT) else ran_last(versions)
    names = {one.deployment for one in oversight.authorities() if one.state in COUNTED}
    others = [version for name in sorted(names) for version in oversight.versions(name)]
    overlap, since = beside(own, others), own.document.window.start.date()
    return Report(
        root=root,
        version=own,
        overlap=overlap,
        sealed=as_sealed(overlap, own, others, {one.digest: one for one in manifests}),
        anchors=oversight.anchors(deployment),
        incidents=incidents(_requested(reader, root), own.document),
        shares=wording(oversight.sharing().known.found(None, since), None, since),
        statement=read_statement(reader, deployment, root=root),
    )


def ordered(report: Report, content: bytes, key: SigningKey, *, at: datetime) -> str:
    """That person's order to take it for the report: to take `content`, whose digest it names.

    Raises Misconfigured for one that does not add up.
    """
    if not report.statement.reconciles:
        raise Misconfigured("its figures do not add up: a report that does not reconcile is not signed")
    standing = report.version.standing
    said = Order(
        deployment=standing.deployment,
        version=standing.version,
        digest=standing.digest,
        signed_at=at,
        sequence=standing.state_sequence + 1,
        move=Move.REPORT,
        reason="the report of this deployment",
        evidence=hashlib.sha256(content).hexdigest(),
    )
    return sign(said, key)


def as_sealed(
    overlap: Caps, own: Version, others: Iterable[Version], manifests: Mapping[str, Manifest]
) -> Totals | None:
    """The lists that may have been searched at once, added up; None unless the manifest of each is there.

    A manifest is known by its digest, which the authority's approvers signed.
    """
    # The tokens are compared here and nowhere else.
    key, found = secrets.token_bytes(32), {}
    for one in sorted((*others, own), key=lambda one: one.document.version):
        document = one.document
        of = manifests.get(document.watchlist.digest)
        if of is not None:
            window = document.window
            found[document.id] = counted(of, authority=document.id, start=window.start, end=window.end, key=key)
        else:
            found.pop(document.id, None)
    if not set(overlap.authorities) <= found.keys():
        return None
    return totals(found[own.document.id], found.values())


def _requested(reader: Reader, root: str) -> Iterator[AuditRequested]:
    """What is in the chains; what somebody else wrote to the topic is no incident."""
    values = list(reader.values(topics.AUDIT.name))
    keys = newest_keys(reader.values(topics.AUTHORITY.name), root).opened(root)
    for record in recorded(values, keys, verify):
        if isinstance(record, Audited):
            yield record.request.content
