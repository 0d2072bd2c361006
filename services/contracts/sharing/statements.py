"""What people sign in the sharing register. Neither biometrics nor anybody's name: pictures by digest, people and
bodies by what the organisation's own records call them."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from services.contracts.authorisation.canonical import digest_of
from services.contracts.authorisation.enums import Purpose, Role
from services.contracts.authorisation.fields import Moment, Name, Prose, Sequence, Sha256
from services.contracts.authorisation.fields import Part as SignedPart
from services.contracts.authorisation.statements import AnyStatement

Mark = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}\z")]
# A mark has room for so many.
MOST_SHARES = 2**20 - 1
MOST_PICTURES = 200
# What a body that got pictures may be given at most, to delete them and to say what came of it.
MOST_KEPT_D = 31
MOST_OUTCOME_D = 90
MOST_AGREED_D = 366


class Direction(StrEnum):
    """Whose pictures they were."""

    OUT = "out"
    IN = "in"


class Way(StrEnum):
    """How a share was made. The last two are entered afterwards, as what they are."""

    SYSTEM = "system"  # by `signpost share export` or `import`
    LEGACY = "legacy"  # before there was this register
    OUT_OF_BAND = "out_of_band"  # beside it


class Due(StrEnum):
    """What is waited for after a share."""

    DELETION = "deletion"
    OUTCOME = "outcome"


class Outcome(StrEnum):
    """What came of a share."""

    NOT_USED = "not_used"
    NO_MATCH = "no_match"
    MATCH_NO_ACTION = "match_no_action"
    MATCH_AND_ACTION = "match_and_action"
    NOT_TOLD = "not_told"  # asked, and the other party would or could not say


class SharingStatement(AnyStatement):
    """One line of the register. Numbered for the organisation without gaps; `previous` is the line before."""

    organisation: Name
    number: Sequence
    previous: Sha256 = Field(description="digest of the line before, NOTHING for the first")

    @property
    def head(self) -> str:
        """What the next line names as its previous."""
        return digest_of(self.canonical_bytes())


class AgreementMade(SharingStatement):
    """An agreement with another body, approved centrally: who approves one shares nothing (C-20)."""

    TYP: ClassVar[str] = "signpost-sharing-agreement+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.SHARING_APPROVER})

    agreement: Name
    party: Name
    party_entity: Prose = Field(description="the legal entity, as it is registered")
    party_contact: Prose = Field(description="a post there, not a person")
    legal_basis: Prose
    purpose: Purpose
    grounds: Prose
    directions: tuple[Direction, ...] = Field(min_length=1, max_length=2)
    begins_at: Moment
    expires_at: Moment
    kept_d: int = Field(ge=1, le=MOST_KEPT_D, description="the recipient deletes within")
    outcome_d: int = Field(ge=1, le=MOST_OUTCOME_D, description="the recipient says what came of it within")


class AgreementEnded(SharingStatement):
    """An agreement is withdrawn before it expires."""

    TYP: ClassVar[str] = "signpost-sharing-agreement-end+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.SHARING_APPROVER})

    agreement: Name
    reason: Prose


class SharedPicture(SignedPart):
    """One picture. `entry` is the list entry's id, which says nothing about the subject."""

    sha256: Sha256 = Field(description="of the file as it was before it was marked, or as it came")
    entry: Name | None = None


class ShareMade(SharingStatement):
    """Pictures left, or came. The one role that may sign it is the one that answers for lists."""

    TYP: ClassVar[str] = "signpost-share+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.LIST_MANAGER})

    serial: int = Field(ge=1, le=MOST_SHARES, description="gapless for the organisation")
    direction: Direction
    way: Way
    agreement: Name | None = Field(description="none for what was shared without one, and is entered afterwards")
    party: Name
    shared_at: Moment
    deployment: Name | None = Field(default=None, description="whose list it was")
    list_digest: Sha256 | None = None
    pictures: tuple[SharedPicture, ...] = Field(max_length=MOST_PICTURES)
    amount: int = Field(ge=1, description="how many pictures; those not known by digest are counted too")
    mark: Mark | None = Field(default=None, description="what each exported picture carries")
    reason: Prose
    method: Prose
    deletion_due: Moment
    outcome_due: Moment


class FollowedUp(SharingStatement):
    """What the other party (or we, for what came in) has done since."""

    TYP: ClassVar[str] = "signpost-share-follow-up+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.LIST_MANAGER, Role.SHARING_APPROVER})

    serial: Sequence
    what: Due
    done_at: Moment
    outcome: Outcome | None = None
    evidence: Sha256 = Field(description="digest of the letter that says so")


class AnswerPublished(SharingStatement):
    """What was told to somebody outside about shares. A wrong one is superseded, never changed."""

    TYP: ClassVar[str] = "signpost-sharing-answer+jws"
    SIGNERS: ClassVar[frozenset[Role]] = frozenset({Role.SHARING_APPROVER, Role.AUDITOR})

    answer: Sequence = Field(description="gapless for the organisation")
    party: Name | None = Field(description="about shares with whom; none: with anybody")
    since: date
    shares: int = Field(ge=0)
    pictures: int = Field(ge=0)
    text: Prose = Field(description="as it was published")
    asked_by: Prose = Field(description="a body or a reference of its question, no person")
    supersedes: Sequence | None = None
    reason: Prose | None = Field(default=None, description="why the earlier one was wrong")


KINDS: tuple[type[SharingStatement], ...] = (
    AgreementMade,
    AgreementEnded,
    ShareMade,
    FollowedUp,
    AnswerPublished,
)


def kind_of(typ: str) -> type[SharingStatement] | None:
    """The kind of statement that a token's `typ` names."""
    return next((kind for kind in KINDS if typ == kind.TYP), None)


def mark_of(organisation: str, party: str, serial: int) -> str:
    """What a share's pictures carry: 20 bits of its serial, 12 that bind it to whom it went."""
    bound = hashlib.sha256(f"{organisation}/{party}/{serial}".encode()).hexdigest()[:3]
    return f"{serial:05x}{bound}"


def due(agreement: AgreementMade, shared_at: datetime) -> tuple[datetime, datetime]:
    """By when a share under the agreement must be deleted, and answered for."""
    return shared_at + timedelta(days=agreement.kept_d), shared_at + timedelta(days=agreement.outcome_d)
