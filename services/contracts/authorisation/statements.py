"""What is signed about an authority, and by whom: approvals, orders, attestations, states, leases, revocations.

Each is canonical JSON in a JWS whose `typ` names its kind, by a key that the registry gives to a role.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import Field

from services.contracts.authorisation import signing
from services.contracts.authorisation.canonical import digest_of
from services.contracts.authorisation.enums import Move, RevocationReason, Role, State
from services.contracts.authorisation.fields import Address, Moment, Name, Part, PersonId, Prose, Sequence, Sha256
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.registry import RegisteredKey, Registry
from services.contracts.errors import Permanent

# How far two machines' synchronised clocks may lie apart; must stay well below a lease's life.
SKEW = timedelta(seconds=2)
# What a person signed and was refused must not lie about until somebody plays it.
ORDER_LIVES = timedelta(minutes=15)
NOTHING = "0" * 64  # the head of a chain without entries

Token = Annotated[str, Field(max_length=64 * 1024)]
SubjectToken = Annotated[str, Field(pattern=r"^[0-9a-f]{32}\z")]


class Rejection(StrEnum):
    """Why a record of `authority` was not believed; a metric label."""

    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad_signature"
    NO_REGISTRY = "no_registry"
    UNKNOWN_KEY = "unknown_key"
    WRONG_ROLE = "wrong_role"
    KEY_NOT_VALID = "key_not_valid"
    KEY_REVOKED = "key_revoked"
    FUTURE = "future"
    OTHER_DEPLOYMENT = "other_deployment"
    NOT_APPROVED = "not_approved"
    BREAKS_RULES = "breaks_rules"
    ILLEGAL_MOVE = "illegal_move"
    OLD = "old"


class NotBelieved(Permanent):
    """A statement that proves nothing. `why` is the closed reason."""

    def __init__(self, why: Rejection, message: str) -> None:
        super().__init__(why, message)
        self.why = why


class AnyStatement(Part):
    """Something signed at one time, by a key of one of these roles."""

    TYP: ClassVar[str]
    SIGNERS: ClassVar[frozenset[Role]]

    signed_at: Moment

    def is_of(self, at: datetime) -> bool:
        """Whether it was said for `at`, rather than long before or after: for what people hand in at once."""
        return -SKEW <= at - self.signed_at <= ORDER_LIVES


class Statement(AnyStatement):
    """Something signed about one deployment."""

    deployment: Name


class AboutVersion(Statement):
    """Something signed about one version of a deployment's authority, to the letter."""

    version: Sequence
    digest: Sha256


class Approval(AboutVersion):
    """One person's signature under a document. Author: "I wrote this"; officer: "I authorise this"."""

    TYP: ClassVar[str] = "signpost-approval+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.AUTHOR, Role.AUTHORISING_OFFICER, Role.URGENT_OFFICER})

    organisation: Name
    serial: Sequence
    person: PersonId = Field(repr=False)
    role: Role


class Order(AboutVersion):
    """One person's order to move the authority. Valid once: `sequence` is the state change it leads to.

    To set something going it is valid for ORDER_LIVES, too.
    """

    TYP: ClassVar[str] = "signpost-order+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset(Role) - {Role.OVERSIGHT, Role.SERVICE, Role.SHARING_APPROVER}

    sequence: Sequence
    move: Move
    reason: Prose
    evidence: Sha256 | None = Field(default=None, description="digest of the report or review, where it is of one")


class Attestation(AboutVersion):
    """Somebody on the spot: the public notice is out and the signs are up (C-09; issue 4.1)."""

    TYP: ClassVar[str] = "signpost-attestation+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset(
        {Role.SUPERVISOR, Role.ENGAGEMENT_OFFICER, Role.AUTHORISING_OFFICER}
    )

    notice_address: Address
    notice_sha256: Sha256
    notice_published_at: Moment
    signs_up_at: Moment


class StateChanged(AboutVersion):
    """One move, as oversight recorded it; `sequence` is gapless for the version, from 1."""

    TYP: ClassVar[str] = "signpost-state+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.OVERSIGHT})

    sequence: Sequence
    move: Move
    before: State
    after: State
    order: Token | None = Field(default=None, repr=False, description="the person's own, where the move needs one")
    attestation: Token | None = Field(default=None, repr=False)
    evidence: Sha256 | None = Field(default=None, description="digest of certificate, report or review")


class Lease(AboutVersion):
    """Oversight, alive and of this opinion; what it names must have been seen, or nothing is searched."""

    TYP: ClassVar[str] = "signpost-lease+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.OVERSIGHT})

    sequence: Sequence = Field(description="only grows for the deployment, over versions and restarts")
    state: State
    state_sequence: Sequence
    registry_sequence: Sequence
    revocations: int = Field(ge=0, description="how many revocations there are")
    revocations_head: Sha256


class EntriesRevoked(Statement):
    """Entries taken off a sealed list; they never come back. Chained by `previous`."""

    TYP: ClassVar[str] = "signpost-revocation+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.LIST_MANAGER, Role.AUTHORISING_OFFICER})

    list_digest: Sha256
    sequence: Sequence
    previous: Sha256 = Field(description="head of the one before, NOTHING for the first")
    reason: RevocationReason
    tokens: tuple[SubjectToken, ...] = Field(min_length=1, max_length=10_000)

    @property
    def head(self) -> str:
        return digest_of(self.canonical_bytes())


S = TypeVar("S", bound=AnyStatement)


@dataclass(frozen=True)
class Opened(Generic[S]):
    """A statement whose signature, key and role have been checked."""

    statement: S
    key: RegisteredKey


def sign(statement: AnyStatement, key: signing.SigningKey) -> str:
    """The token of a statement. Whether the key may sign it is the reader's to check."""
    return key.sign(statement.canonical_bytes(), typ=statement.TYP)


def open_as(kind: type[S], token: str, *, registry: Registry, now: datetime) -> Opened[S]:
    """The statement in `token`, if a key that may sign it did so, in its term, and is not revoked now.

    Raises NotBelieved, saying why. Does not check which deployment it is about.
    """
    try:
        signed = signing.take_apart(token)
        key = registry.key(signed.kid)
        if key is None:
            raise NotBelieved(Rejection.UNKNOWN_KEY, f"{kind.TYP}: the registry has no such key")
        payload = signing.payload_of(signed, public=key.public, typ=kind.TYP)
        statement = kind.from_canonical(payload)
    except signing.BadSignature as error:
        raise NotBelieved(Rejection.BAD_SIGNATURE, f"{kind.TYP}: {error}") from None
    except NotAuthorised as error:
        raise NotBelieved(Rejection.MALFORMED, f"{kind.TYP}: {error}") from None
    _check_key(statement, key, now)
    return Opened(statement, key)


def _check_key(statement: AnyStatement, key: RegisteredKey, now: datetime) -> None:
    if key.role not in statement.SIGNERS:
        raise NotBelieved(Rejection.WRONG_ROLE, f"{statement.TYP}: a key of role {key.role} may not sign it")
    if not key.valid_at(statement.signed_at):
        raise NotBelieved(Rejection.KEY_NOT_VALID, f"{statement.TYP}: the key was not valid when it signed")
    if key.revoked(now):
        raise NotBelieved(Rejection.KEY_REVOKED, f"{statement.TYP}: the key is revoked")
    if statement.signed_at > now + SKEW:
        raise NotBelieved(Rejection.FUTURE, f"{statement.TYP}: is signed in the future")
