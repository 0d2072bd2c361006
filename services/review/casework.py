"""What people do with cases: the one service layer under gRPC and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from services.review.core.people import Credentials, Person, Session
from services.review.core.views import (
    CaseStatus,
    CaseSummary,
    CaseView,
    Claim,
    Engagement,
    FaceFeature,
    Judged,
    Judgement,
    KnownOutcome,
    ReleaseReason,
    SupersedeTowards,
)


class CaseWork(Protocol):
    """Every method checks the person's roles and raises a `core.errors.MoveRefused`, or returns.

    A move that returned is outboxed and fsynced. StoreUnavailable (a Transient) when Redis is away.
    """

    def watch(self, person: Person) -> AsyncIterator[CaseSummary]:
        """Every case this person has to do with, now; then each change, closed cases included. Never ends.

        Reviewers: open cases. Supervisors: those and recently closed ones. Engagement officers: agreed matches.
        A case that has just closed is told once to everybody who saw it open. No pixels.
        """
        ...

    async def claim(self, person: Person, case: str) -> Claim:
        """Take a free seat; again by the same person: the same claim, renewed. Raises Taken, NotAllowed, Gone."""
        ...

    async def renew(self, person: Person, case: str, fence: int) -> Claim:
        """Hold on to a claim; it ends with the case's time at the latest. Raises NotYours, Gone."""
        ...

    async def release(self, person: Person, case: str, fence: int, *, reason: ReleaseReason) -> None:
        """Give a seat back. Raises NotYours, Gone."""
        ...

    async def view(self, person: Person, case: str, fence: int) -> CaseView:
        """What there is to see now; the judgement must carry its digest. Raises NotYours, Gone."""
        ...

    async def picture(self, person: Person, case: str, fence: int, name: str) -> bytes:
        """The JPEG of a picture of the view last given to this claim. Raises NotYours, NotFound, Gone."""
        ...

    async def judge(
        self,
        person: Person,
        case: str,
        fence: int,
        *,
        judgement: Judgement,
        features: Sequence[FaceFeature],
        displayed_digest: str,
    ) -> Judged:
        """Fill the seat. Raises NotYours, Stale (another digest than the view last given), Gone."""
        ...

    async def supersede(self, person: Person, case: str, *, towards: SupersedeTowards, reason: str) -> CaseStatus:
        """A supervisor's second thought, with a reason. Raises NotAllowed, BadInput, Gone."""
        ...

    async def record_engagement(self, person: Person, case: str, *, result: Engagement) -> CaseStatus:
        """Only after an agreed match. Raises NotAllowed, Gone."""
        ...

    async def record_outcome(self, person: Person, case: str, *, outcome: KnownOutcome) -> CaseStatus:
        """Only after an agreed match. Raises NotAllowed, Gone."""
        ...

    async def get_case(self, person: Person, case: str) -> CaseStatus:
        """How a case stands. Raises NotFound."""
        ...


class Sessions(Protocol):
    """Signing in and out; the page keeps the token in its cookie, gRPC in `authorization: Bearer`."""

    async def sign_in(self, credentials: Credentials) -> Session:
        """Raises NotSignedIn, the same for an unknown user and a wrong password, after the same time."""
        ...

    async def person(self, token: str) -> Person:
        """Whose token this is. Raises NotSignedIn."""
        ...

    async def sign_out(self, token: str) -> None:
        """End the session; no error if it has ended."""
        ...
