"""What review needs of the outside, and what it offers to those who speak with people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.contracts.audit.requests import Action
from services.contracts.events import AlertRaised
from services.contracts.ids import SubjectToken
from services.review.core.case import Case
from services.review.core.change import Change, Passed
from services.review.core.folding import Seen
from services.review.core.listed import Listed
from services.review.core.people import Credentials, Person, Session, SignedIn
from services.review.core.signing_in import Try
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
    """What people do with cases: the one service layer under gRPC and the page.

    Every method checks the person's roles and raises a `core.errors.MoveRefused`, or returns; Transient when a
    store is away. A move that returned is outboxed and fsynced. Event loop.
    """

    def watch(self, person: Person) -> AsyncIterator[CaseSummary]:
        """Every case this person has to do with, now; then each change, closed cases included. Never ends.

        Reviewers: open cases. Supervisors: closed ones too. Engagement officers: agreed matches. A case that
        leaves somebody's queue is told to them once more, as it is then. No pixels.
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
        """Fill the seat; the same judgement again is answered again.

        Raises NotYours, Stale (another digest than the view last given), Gone.
        """
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
    """Signing in and out; the page keeps the token in its cookie, gRPC in `authorization: Bearer`. Event loop."""

    async def sign_in(self, credentials: Credentials) -> Session:
        """Raises NotSignedIn, the same for an unknown user and a wrong password, after about the same time.

        Raises TooOften without a look at the password.
        """
        ...

    async def person(self, token: str) -> Person:
        """Whose token this is. Raises NotSignedIn."""
        ...

    async def sign_out(self, token: str) -> None:
        """End the session; no error if it has ended."""
        ...


class Trail(Protocol):
    """The audit chain. People and subjects are given by their tokens, and go in as salted commitments."""

    async def chained(
        self, what: Action, *, who: str = "", subject: str = "", about: str = "", seen: str = ""
    ) -> None:
        """Have it recorded; chained on return, so what depends on it may be done. `seen` is a SHA-256 in hex.

        Raises Transient, and then nothing may be done. Event loop; waits some seconds at most.
        """
        ...


class Identities(Protocol):
    """Who there is: a file of people today, OIDC behind the same door."""

    def authenticate(self, credentials: Credentials) -> Person | None:
        """The person these credentials are of. Blocks for about 0.1 s, as long for an unknown user."""
        ...

    def find(self, user: str) -> Person | None:
        """A person by user name, with the roles they have now. Never blocks."""
        ...


class PeopleListed(Identities, Protocol):
    """Identities that can be told one by one."""

    def everybody(self) -> Sequence[Person]:
        """All who are listed now. Never blocks."""
        ...


class SessionStore(Protocol):
    """Where sign-ins are kept, by the hash of their token. Raises Transient. Event loop."""

    async def put(self, token_hash: str, who: SignedIn, *, until: datetime) -> None: ...

    async def found(self, token_hash: str) -> SignedIn | None: ...

    async def remove(self, token_hash: str) -> None: ...


class Tries(Protocol):
    """How often one has tried to sign in. Raises Transient. Event loop."""

    async def count(self, tried: Try) -> float:
        """Count this try, in one step, before anything else is done; 0, or the seconds until one is heard.

        A try that has to wait is counted nowhere.
        """
        ...

    async def succeeded(self, tried: Try) -> None:
        """It was right: forgive what is this account's own, and know the place."""
        ...


class CaseStore(Protocol):
    """Cases in the durable Redis, for the event loop. Raises Transient."""

    async def case(self, case: str) -> Case | None: ...

    async def open_cases(self) -> list[Case]: ...

    async def closed_cases(self) -> list[Case]: ...

    async def contents(self, names: Sequence[str]) -> list[bytes | None]:
        """Sealed pictures, None for what is gone."""
        ...

    async def apply(self, change: Change) -> bool:
        """Write all of it; False, and nothing written, if somebody was faster."""
        ...

    def changes(self) -> AsyncIterator[str]:
        """Ids of cases as they change; some may be missed. Raises Transient when the connection is lost."""
        ...


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the store holds that concerns an arriving alert; `subject_version` is 0 if it knows none."""

    seen: Seen | None
    own: Case | None
    window: Case | None
    subject_version: int


class AlertStore(Protocol):
    """The same store for the threads that fold, sweep and relay. Raises Transient; blocks."""

    def known(self, alert: str, subject: str) -> Known: ...

    def case(self, case: str) -> Case | None: ...

    def open_cases(self) -> list[Case]: ...

    def apply(self, change: Change) -> bool:
        """Write all of it; False, and nothing written, if somebody was faster."""
        ...

    def has_passed(self, passed: Passed) -> bool:
        """Whether an alert of that lane with this number, or a larger one, was handled. The folding thread's."""
        ...

    def renew(self) -> None:
        """Partitions have come: what others passed of them is read before the next alert counts."""
        ...

    def forget_closed(self, before: datetime) -> None:
        """Drop closed cases from the index; the cases themselves go by their own deadline."""
        ...

    def drop_faded(self, now: datetime) -> None:
        """Have pictures whose deadline has passed go now: by itself the server takes its time, and with it memory.

        Asks for each, which is what makes Redis let go of it; deletes nothing whose deadline has not passed.
        """
        ...


class Pictures(Protocol):
    """Seals and opens what reviewers see, by the name of the content (the alert event's id).

    Any thread; blocks on the key store. Raises Transient, Tampered.
    """

    def seal(self, alert: AlertRaised) -> bytes:
        """Under the hour's alert key. Raises DeadlinePassed."""
        ...

    def hold(self, content: str, sealed: bytes) -> bytes | None:
        """The same under the evidence key; None if the key it lies under is dead."""
        ...

    def open(self, content: str, sealed: bytes) -> AlertRaised | None:
        """The alert; None if its key is dead."""
        ...


class References(Protocol):
    """What the list says of a subject, with its pictures. Any thread; blocks. Raises Transient, Tampered."""

    def of(self, list_digest: str, subject: SubjectToken) -> Listed | None:
        """None if the list or its key is gone."""
        ...
