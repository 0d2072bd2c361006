"""A throwaway authority for an exercise on one machine: a root, a key for every role, and what they sign.

All of it is made up when the exercise begins and gone when it ends. Nobody authorised anything: that is why it is
good for use case `exercise` and nothing else.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from console.authority import keys
from console.authority.key_file import write_key
from services.contracts.authorisation.approvals import approve
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, Role, UseCase
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.authorisation.registry import RegisteredKey, sign_registry
from services.contracts.authorisation.signing import SigningKey
from services.contracts.authorisation.statements import Attestation, Order, sign

NOTICE = "EXERCISE. Faces of consenting volunteers are searched here; nobody else's, and nobody is stopped.\n"
SERVICES = ("ingest", "embed", "match", "review")
_NOTICE_ADDRESS = "https://example.org/exercise/notice"
# Keys and registry must outlast the window and what is owed after it.
_TERM = timedelta(days=60)
_BEFORE = timedelta(minutes=5)


@dataclass(frozen=True)
class SampleAuthority:
    """Made-up people and their keys; `begin` makes it. Pure but for chance."""

    organisation: str
    author: str
    began: datetime
    root: SigningKey = field(repr=False)
    secrets: Mapping[Role, bytes] = field(repr=False)
    services: Mapping[str, bytes] = field(repr=False)
    people: tuple[RegisteredKey, ...] = ()

    @classmethod
    def begin(
        cls, *, organisation: str, author: str, now: datetime, people: Sequence[tuple[str, Role]] = ()
    ) -> Self:
        """A root and a fresh key for every role; the author goes by the number that the draft gives them.

        `people` sign in to review in these roles: they are registered, each under a key that nobody keeps.
        """
        made = {role: secrets.token_bytes(32) for role in Role}
        enrolled = tuple(
            keys.registered(
                SigningKey(secrets.token_bytes(32)).public,
                person=person,
                role=role,
                valid_from=now - _BEFORE,
                lasts=_TERM,
            )
            for person, role in people
        )
        services = {name: secrets.token_bytes(32) for name in SERVICES}
        return cls(organisation, author, now, SigningKey(secrets.token_bytes(32)), made, services, enrolled)

    @property
    def root_fingerprint(self) -> str:
        """What every service is given as AUTHORITY_ROOT."""
        return self.root.kid

    def key(self, role: Role) -> SigningKey:
        return SigningKey(self.secrets[role])

    def person(self, role: Role) -> str:
        return self.author if role is Role.AUTHOR else f"sample-{role.replace('_', '-')}"

    def registry(self) -> str:
        """The registry's token: everybody, signed by the root."""
        since = self.began - _BEFORE
        registry = keys.enrolled(
            keys.begun(self.organisation, self.root.public, now=since, lasts=_TERM),
            *(
                keys.registered(
                    self.key(role).public, person=self.person(role), role=role, valid_from=since, lasts=_TERM
                )
                for role in Role
                if role is not Role.SERVICE
            ),
            *(
                keys.registered(
                    SigningKey(secret).public, person=name, role=Role.SERVICE, valid_from=since, lasts=_TERM
                )
                for name, secret in self.services.items()
            ),
            *self.people,
            now=since,
            lasts=_TERM,
        )
        return sign_registry(registry, self.root)

    def write_oversight_key(self, path: Path) -> None:
        """What oversight signs with."""
        write_key(path, self.secrets[Role.OVERSIGHT])

    def write_service_key(self, service: str, path: Path) -> None:
        """What a service asks for audit entries with."""
        write_key(path, self.services[service])

    def approval(self, document: Document, role: Role, *, at: datetime) -> str:
        """The approval of one of them. Raises NotAuthorised for anything but an exercise."""
        if document.use_case is not UseCase.EXERCISE:
            rule = "people who are made up authorise exercises only: submit it to an oversight of your own"
            raise NotAuthorised("rules", [Finding("use_case", rule, "architecture, What it refuses")])
        return approve(document, self.key(role), role=role, person=self.person(role), at=at)

    def attestation(self, document: Document, *, at: datetime) -> str:
        """That the notice is out and the signs are up."""
        said = Attestation(
            deployment=document.id,
            version=document.version,
            digest=document.digest,
            signed_at=at,
            notice_address=_NOTICE_ADDRESS,
            notice_sha256=hashlib.sha256(NOTICE.encode()).hexdigest(),
            notice_published_at=at,
            signs_up_at=at,
        )
        return sign(said, self.key(Role.SUPERVISOR))

    def order(
        self,
        document: Document,
        move: Move,
        *,
        sequence: int,
        reason: str,
        at: datetime,
        by: Role = Role.SUPERVISOR,
    ) -> str:
        """An order; `sequence` is that of the move it leads to."""
        said = Order(
            deployment=document.id,
            version=document.version,
            digest=document.digest,
            signed_at=at,
            sequence=sequence,
            move=move,
            reason=reason,
        )
        return sign(said, self.key(by))
