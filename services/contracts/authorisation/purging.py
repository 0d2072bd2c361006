"""The purge of a deployment: what each holder answers, and the certificate over all of them.

The order itself is a move of the authority (ORDER_PURGE). It may be given again: an answer names the order that it
obeys, and only answers to the newest count.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from services.contracts.authorisation.canonical import digest_of
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.fields import Moment, Name, Part, Prose, Sequence, Sha256
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.statements import AboutVersion, NotBelieved, Rejection, Statement, open_as
from services.contracts.names import PROCESS_PATTERN


class Holder(StrEnum):
    """Who holds something that a purge destroys."""

    INGEST = "ingest"
    EMBED = "embed"
    MATCH = "match"
    REVIEW = "review"
    CONSOLE = "console"  # the operator's own look at the key store and the list; only where a person ordered


SERVICES = frozenset(Holder) - {Holder.CONSOLE}


class What(StrEnum):
    """What is counted: of keys, how many there were; of the rest, how many values or cached keys."""

    EPOCH_KEYS = "epoch_keys"
    FACE_KEYS = "face_keys"
    ALERT_KEYS = "alert_keys"
    EVIDENCE_KEYS = "evidence_keys"
    LIST_KEYS = "list_keys"
    OTHER_KEYS = "other_keys"
    LIST_PARTS = "list_parts"
    PICTURES = "pictures"
    UNDELIVERED = "undelivered"  # decisions not yet published: never destroyed, so never left behind either


Case = Annotated[str, StringConstraints(pattern=r"^[0-9a-z][0-9a-z._-]{0,63}\z")]
Amounts = dict[What, int]


class PurgeAnswer(Part):
    """One process has destroyed what it held, and has looked what is left. `held`: kept under hold orders."""

    deployment: Name
    version: Sequence
    order: Sequence = Field(description="the move that it obeys")
    holder: Holder
    instance: str = Field(pattern=rf"^{PROCESS_PATTERN}\z")
    at: Moment
    destroyed: Amounts
    left: Amounts
    held: int = Field(default=0, ge=0)

    @property
    def clean(self) -> bool:
        return not any(self.left.values())


class PurgeAnswered(Statement):
    """An answer under its holder's name: a service's own key, or for the console that of who may order a purge."""

    TYP: ClassVar[str] = "signpost-purge-answer+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset(
        {Role.SERVICE, Role.SUPERVISOR, Role.AUTHORISING_OFFICER, Role.URGENT_OFFICER, Role.LIST_MANAGER}
    )

    answer: PurgeAnswer


class PurgeCertificate(AboutVersion):
    """Oversight: every holder has answered, and nothing is left but what is held."""

    TYP: ClassVar[str] = "signpost-purge-certificate+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.OVERSIGHT})

    order: Sequence
    ordered_at: Moment
    list_digest: Sha256
    answers: tuple[PurgeAnswer, ...] = Field(min_length=len(SERVICES))

    @property
    def canonical_digest(self) -> str:
        """What the move to PURGED names as its evidence."""
        return digest_of(self.canonical_bytes())


class CaseHeld(Statement):
    """One case's evidence is kept past the purge: by whose word, why, until when (C-02)."""

    TYP: ClassVar[str] = "signpost-hold+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.AUTHORISING_OFFICER, Role.SUPERVISOR})

    case: Case
    reason: Prose
    until: Moment


def answered(token: str, *, registry: Registry, now: datetime) -> PurgeAnswer:
    """The answer in `token`, if its holder signed it. Raises NotBelieved."""
    opened = open_as(PurgeAnswered, token, registry=registry, now=now)
    said, key = opened.statement, opened.key
    own = key.person == said.answer.holder if key.role is Role.SERVICE else said.answer.holder is Holder.CONSOLE
    if not own or said.deployment != said.answer.deployment:
        raise NotBelieved(Rejection.WRONG_ROLE, f"{said.TYP}: is not signed by the holder that answers")
    return said.answer


def key_of(answer: PurgeAnswer) -> bytes:
    """What the answer is written under on `purges`."""
    return f"{answer.deployment}/{answer.holder}/{answer.instance}".encode()


def missing(answers: Iterable[PurgeAnswer], wanted: Iterable[Holder]) -> tuple[str, ...]:
    """Who has not answered yet, and whose answer says that something is left. Empty: all is done."""
    told: dict[Holder, list[PurgeAnswer]] = {}
    for answer in answers:
        told.setdefault(answer.holder, []).append(answer)
    return tuple(
        sorted(
            holder if holder not in told else f"{holder}: {_rest(told[holder])} left"
            for holder in wanted
            if holder not in told or not all(answer.clean for answer in told[holder])
        )
    )


def _rest(answers: Iterable[PurgeAnswer]) -> str:
    left = {what: number for answer in answers for what, number in answer.left.items() if number}
    return ", ".join(f"{number} {what}" for what, number in sorted(left.items()))
