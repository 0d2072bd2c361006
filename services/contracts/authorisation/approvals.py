"""Is this document authorised? Everybody who acts on one asks here, and trusts nobody's word for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from services.contracts.authorisation import rules
from services.contracts.authorisation.canonical import digest_of
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.authorisation.registry import RegisteredKey, Registry, in_force
from services.contracts.authorisation.separation import OTHER_SIDE_OF_AUTHORISING
from services.contracts.authorisation.signing import SigningKey
from services.contracts.authorisation.statements import Approval, NotBelieved, open_as, sign

_SOURCE = "C-18, controls B 3.13: separation of duties"
_QUORUM = "issue 4.1: quorum"


class Quorum(StrEnum):
    """FULL: approved. URGENT: may begin, and must be approved in full by the document's urgent deadline."""

    FULL = "full"
    URGENT = "urgent"


@dataclass(frozen=True)
class Verified:
    """A document that its approvers signed and that keeps every rule. Made by `verify` only.

    `holds_until`: by then it must be verified again (registry ends, key is revoked, urgent deadline passes).
    """

    document: Document
    digest: str
    quorum: Quorum
    approvers: frozenset[str] = field(repr=False)
    root_fingerprint: str
    registry_sequence: int
    holds_until: datetime


def approve(document: Document, key: SigningKey, *, role: Role, person: str, at: datetime) -> str:
    """One approver's token, made with their own key."""
    approval = Approval(
        deployment=document.id,
        organisation=document.organisation,
        serial=document.serial,
        version=document.version,
        digest=document.digest,
        role=role,
        person=person,
        signed_at=at,
    )
    return sign(approval, key)


def verify(
    document: bytes | Document,
    approvals: Iterable[str],
    registry: Registry,
    *,
    root_fingerprint: str,
    now: datetime,
) -> Verified:
    """The document, read or in canonical bytes, if enough of the right people approved exactly it, under the root.

    An approval that does not count is as if it were not there, so that nobody can undo an approval by adding one.
    Raises NotAuthorised with all that is wrong: field, rule and the rule's source.
    """
    unfit = in_force(registry, root_fingerprint=root_fingerprint, now=now)
    if unfit:
        raise NotAuthorised("registry", unfit)
    approvals = tuple(approvals)
    named_by_any(document, approvals, registry, now=now)
    found = document if isinstance(document, Document) else _parsed(document)
    if found.organisation != registry.organisation:
        raise NotAuthorised("registry", [Finding("organisation", "is not the registry's", "issue 4.1: trust")])
    counted, discounted = _sorted_out(found, approvals, registry, now)
    quorum = _quorum(found, counted)
    if quorum is None:
        raise NotAuthorised("not_approved", (*_missing(found, counted), *discounted))
    if quorum is Quorum.URGENT and found.urgent is not None and now >= found.urgent.deadline:
        late = Finding("urgent.deadline", "has passed without full approval", "C-38")
        raise NotAuthorised("not_approved", (late, *_missing(found, counted), *discounted))
    broken = rules.broken(found)
    if broken:
        raise NotAuthorised("rules", broken)
    return Verified(
        document=found,
        digest=found.digest,
        quorum=quorum,
        approvers=frozenset(approval.person for approval, _ in counted if approval.role is not Role.AUTHOR),
        root_fingerprint=root_fingerprint,
        registry_sequence=registry.sequence,
        holds_until=min(_ends(found, quorum, registry, counted)),
    )


# Pure, and the dear part: an unapproved document waits, and is judged again with every lease.
_parsed = lru_cache(maxsize=8)(Document.from_canonical)


def named_by_any(
    document: bytes | Document, approvals: Sequence[str], registry: Registry, *, now: datetime
) -> None:
    """A document is read once anybody of the registry has signed its digest: reading a large one takes seconds.

    Raises NotAuthorised where nobody has.
    """
    digest = document.digest if isinstance(document, Document) else digest_of(document)
    why: list[Finding] = []
    for index, token in enumerate(approvals):
        try:
            if open_as(Approval, token, registry=registry, now=now).statement.digest == digest:
                return
            rule, source = "is of another document, version or deployment", "issue 4.1: attacks, replay"
        except NotBelieved as error:
            rule, source = str(error), "issue 4.1: trust"
        why.append(Finding(f"approvals.{index}", rule, source))
    none = Finding("approvals", "nobody of the registry has signed this document", _QUORUM)
    raise NotAuthorised("not_approved", (none, *why))


Counted = tuple[Approval, RegisteredKey]


def _sorted_out(
    document: Document, approvals: Iterable[str], registry: Registry, now: datetime
) -> tuple[list[Counted], list[Finding]]:
    counted, discounted = [], []
    for index, token in enumerate(approvals):
        field_name = f"approvals.{index}"
        try:
            opened = open_as(Approval, token, registry=registry, now=now)
        except NotBelieved as error:
            discounted.append(Finding(field_name, str(error), "issue 4.1: trust"))
            continue
        against = list(_against(document, opened.statement, opened.key, registry, field_name))
        if against:
            discounted += against
        else:
            counted.append((opened.statement, opened.key))
    return counted, discounted


def _against(
    document: Document, approval: Approval, key: RegisteredKey, registry: Registry, field_name: str
) -> Iterator[Finding]:
    """Why an approval whose signature is right still does not count for this document."""
    same = ("organisation", "serial", "version", "digest")
    if approval.deployment != document.id or any(getattr(approval, n) != getattr(document, n) for n in same):
        yield Finding(field_name, "is of another document, version or deployment", "issue 4.1: attacks, replay")
    if (approval.role, approval.person) != (key.role, key.person):
        yield Finding(field_name, "names another role or person than its key's", "issue 4.1: trust")
    if not document.created_at <= approval.signed_at < _signed_by(document):
        yield Finding(field_name, "was not signed between the document's writing and its window's end", "C-29")
    if approval.role is Role.AUTHOR:
        if approval.person != document.author:
            yield Finding(field_name, "is an author's, but not this document's author's", _SOURCE)
        return
    if approval.person == document.author:
        yield Finding(field_name, "who authorises may not be the author", _SOURCE)
    # From the first word of it to the last case that its alerts can become.
    last = document.window.end + timedelta(hours=document.retention.alert_h)
    roles = registry.roles_of(approval.person, start=document.created_at, end=last)
    for role in sorted(roles & OTHER_SIDE_OF_AUTHORISING):
        yield Finding(field_name, f"who authorises may not be a {role.replace('_', ' ')}", _SOURCE)
    if document.urgent is not None and approval.signed_at > document.urgent.deadline:
        yield Finding(field_name, "was signed after the urgent deadline", "C-38")


def _signed_by(document: Document) -> datetime:
    """An urgent one may be over before its day to be approved is."""
    end = document.window.end
    return max(end, document.urgent.deadline) if document.urgent else end


def _quorum(document: Document, counted: Sequence[Counted]) -> Quorum | None:
    if not _people(counted, Role.AUTHOR):
        return None
    needed = _approvers_needed(document)
    if len(_people(counted, Role.AUTHORISING_OFFICER)) >= needed:
        return Quorum.FULL
    urgent = _people(counted, Role.AUTHORISING_OFFICER, Role.URGENT_OFFICER)
    return Quorum.URGENT if document.urgent is not None and len(urgent) >= needed else None


def _missing(document: Document, counted: Sequence[Counted]) -> Iterator[Finding]:
    if not _people(counted, Role.AUTHOR):
        yield Finding("approvals", "the author's own signature is missing", _QUORUM)
    officers = len(_people(counted, Role.AUTHORISING_OFFICER))
    needed = _approvers_needed(document)
    if officers < needed:
        why = ", one more because of the assembly" if document.assembly else ""
        yield Finding("approvals", f"{officers} of {needed} authorising officers have signed{why}", _QUORUM)


def _approvers_needed(document: Document) -> int:
    return 2 if document.assembly else 1


def _people(counted: Sequence[Counted], *roles: Role) -> frozenset[str]:
    return frozenset(approval.person for approval, _ in counted if approval.role in roles)


def _ends(
    document: Document, quorum: Quorum, registry: Registry, counted: Sequence[Counted]
) -> Iterator[datetime]:
    yield registry.valid_until
    if quorum is Quorum.URGENT and document.urgent is not None:
        yield document.urgent.deadline
    yield from (key.revoked_at for _, key in counted if key.revoked_at is not None)
