"""The purge, from its order to its certificate: whom it waits for, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.findings import Finding
from services.contracts.authorisation.purging import SERVICES, Holder, PurgeAnswer, PurgeCertificate, missing
from services.contracts.authorisation.statements import StateChanged
from services.oversight.core.register import Version

# The first of a service's instances to answer is not the last: so long the others have.
SETTLE = timedelta(seconds=5)


def purge_at(document: Document) -> datetime:
    """When it is ordered by itself."""
    return document.window.end + timedelta(hours=document.retention.list_h)


def order_of(version: Version) -> StateChanged | None:
    """The newest."""
    orders = (move.said for move in version.moves if move.said.move is Move.ORDER_PURGE)
    return max(orders, key=lambda said: said.sequence, default=None)


def is_due(version: Version, now: datetime) -> bool:
    """Whether time asks for an order. What was begun in urgency and never approved has no retention at all."""
    if version.state is not State.ENDED or order_of(version) is not None:
        return False
    lapsed = any(move.said.move is Move.LAPSE for move in version.moves)
    return lapsed or now >= purge_at(version.document)


def waits_for(
    version: Version, answers: Iterable[PurgeAnswer], later: Iterable[Version] = ()
) -> tuple[Finding, ...]:
    """Whoever has not answered, or has something left; nothing before it is ordered.

    What is destroyed is the whole deployment's: who obeys the order of a `later` version has obeyed this one.
    """
    order = order_of(version)
    if order is None or version.state is not State.ENDED:
        return ()
    wanted = SERVICES | {Holder.CONSOLE} if order.order is not None else SERVICES
    return tuple(
        Finding("purge", f"waits for {one}", "G3: the certificate waits for all")
        for one in missing(_to(order, answers, later), wanted)
    )


def certificate(
    version: Version, answers: Iterable[PurgeAnswer], now: datetime, later: Iterable[Version] = ()
) -> PurgeCertificate | None:
    """Once nobody is waited for any more."""
    order, told, later = order_of(version), tuple(answers), tuple(later)
    if order is None or now < order.signed_at + SETTLE or waits_for(version, told, later):
        return None
    document = version.document
    return PurgeCertificate(
        deployment=document.id,
        signed_at=now,
        version=document.version,
        digest=document.digest,
        order=order.sequence,
        ordered_at=order.signed_at,
        list_digest=document.watchlist.digest,
        answers=tuple(sorted(_to(order, told, later), key=lambda one: (one.holder, one.instance))),
    )


def _to(order: StateChanged, answers: Iterable[PurgeAnswer], later: Iterable[Version]) -> list[PurgeAnswer]:
    """Those that obey this very order, or the newest of a later version."""
    orders = [order, *filter(None, map(order_of, later))]
    asked = {(one.deployment, one.version, one.sequence) for one in orders}
    return [one for one in answers if (one.deployment, one.version, one.order) in asked]
