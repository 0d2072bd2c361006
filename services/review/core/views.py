"""What people see of a case, and what they are told of a move: the values of the service layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.contracts.events import CaseOutcome, Judgement
from services.contracts.sealed.related import Likeness

__all__ = [
    "CaseOutcome",
    "CaseState",
    "CaseStatus",
    "CaseSummary",
    "CaseView",
    "Claim",
    "Engagement",
    "FaceFeature",
    "Judged",
    "Judgement",
    "KnownOutcome",
    "Likeness",
    "PictureKind",
    "PictureRef",
    "ReleaseReason",
    "Resemblance",
    "SupersedeTowards",
]


class CaseState(StrEnum):
    """OPEN until decided; the other three are how it ended (and are the CaseOutcome of that name)."""

    OPEN = "open"
    AGREED_MATCH = "agreed_match"
    NO_ACTION = "no_action"
    EXPIRED = "expired"


class ReleaseReason(StrEnum):
    """PUT_BACK: anybody may take the seat. KNOWS_PERSON: the case is handed on, not to this person again."""

    PUT_BACK = "put_back"
    KNOWS_PERSON = "knows_person"


class FaceFeature(StrEnum):
    """What a judgement is reasoned by; several may be given."""

    FACE_SHAPE = "face_shape"
    HAIRLINE = "hairline"
    FOREHEAD = "forehead"
    EYEBROWS = "eyebrows"
    EYES = "eyes"
    EARS = "ears"
    NOSE = "nose"
    CHEEKS = "cheeks"
    MOUTH = "mouth"
    CHIN_AND_JAW = "chin_and_jaw"
    FACIAL_HAIR = "facial_hair"
    MARKS_AND_SCARS = "marks_and_scars"
    PICTURE_QUALITY = "picture_quality"


class SupersedeTowards(StrEnum):
    """NO_ACTION at once; REOPEN asks for fresh reviewers, the only way towards a match."""

    NO_ACTION = "no_action"
    REOPEN = "reopen"


class Engagement(StrEnum):
    """What came of an agreed match on the ground."""

    ENGAGED = "engaged"
    NOT_FOUND = "not_found"
    NOT_ENGAGED = "not_engaged"


class KnownOutcome(StrEnum):
    """What the engagement showed."""

    CONFIRMED = "confirmed"
    NOT_THE_PERSON = "not_the_person"
    UNRESOLVED = "unresolved"


class PictureKind(StrEnum):
    """PROBE: from a camera. REFERENCE: from the list. CONTEXT: a probe's surroundings, other faces blurred."""

    PROBE = "probe"
    REFERENCE = "reference"
    CONTEXT = "context"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A seat of a case, lent to one person until `expires_at`. `fence` names this lending and no other.

    Which seat it is, and how many claims there were before, its holder does not learn: either would tell whether
    somebody else has judged.
    """

    case: str
    fence: int
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class CaseSummary:
    """A line in the queue, as one person sees it: no pixels, no score, nobody's judgement.

    `claimable`: a seat is free and this person may take it now. `mine`: the claim this person holds.
    `version` counts up with every change of the case.
    """

    case: str
    state: CaseState
    round: int
    camera: str
    captured_at: datetime
    opened_at: datetime
    expires_at: datetime
    alerts: int
    claimable: bool
    mine: Claim | None
    version: int


@dataclass(frozen=True, kw_only=True)
class PictureRef:
    """A picture by its name in its claim ("probe/0", "reference/1", "context/0"), and when it was taken.

    Probes and contexts have `captured_at` and `camera`; references have `taken_on` as the list gives it
    (an ISO date, or empty where unknown).
    """

    name: str
    kind: PictureKind
    sha256: str
    captured_at: datetime | None = None
    camera: str = ""
    taken_on: str = ""


@dataclass(frozen=True, kw_only=True)
class Resemblance:
    """Another person who may be taken for the listed one; `other` is their token, "" if they are not listed."""

    likeness: Likeness
    other: str = ""


@dataclass(frozen=True, kw_only=True)
class CaseView:
    """All that the holder of a claim may see; the pictures themselves come one by one (`picture`).

    Probes best first, then references, then contexts. `resembles` must be read before the pictures are judged.
    `displayed_digest` covers every field and picture here: a judgement must carry the one of the view last given.
    The score comes with the answer to the judgement that closes the case.
    """

    case: str
    round: int
    camera: str
    captured_at: datetime
    category: str
    resembles: tuple[Resemblance, ...] = ()
    handling: str = ""
    risk_flags: tuple[str, ...] = ()
    pictures: tuple[PictureRef, ...]
    displayed_digest: str
    claim: Claim
    expires_at: datetime

    def of(self, kind: PictureKind) -> tuple[PictureRef, ...]:
        """The pictures of one kind, in order."""
        return tuple(picture for picture in self.pictures if picture.kind is kind)


@dataclass(frozen=True, kw_only=True)
class CaseStatus:
    """How a case stands, without its pictures."""

    case: str
    state: CaseState
    round: int
    camera: str
    captured_at: datetime
    alerts: int
    engagements: int
    outcomes: int
    version: int

    @property
    def outcome(self) -> CaseOutcome | None:
        """How it ended, or None while it is open."""
        return None if self.state is CaseState.OPEN else CaseOutcome(self.state.value)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A judgement was recorded. Once the case is closed, the score is for whoever judged it to see.

    None while it is open, and where the pictures' key died in between: the judgement stands all the same.
    """

    status: CaseStatus
    score: float | None = field(repr=False)
    threshold: float | None = field(repr=False)
