"""The service layer's values as messages, and requests' words as values."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from services.contracts.codec_fields import micros
from services.review.core.errors import BadInput
from services.review.core.people import Person, Session
from services.review.core.views import CaseStatus, CaseSummary, CaseView, Claim, Judged, PictureRef
from signpost.v1 import review_pb2

S = TypeVar("S", bound=StrEnum)


def word(kind: type[S], text: str, field: str) -> S:
    """`text` as one of a closed set. Raises BadInput naming the field and the set, not the text."""
    try:
        return kind(text)
    except ValueError:
        raise BadInput(f"{field}: one of {', '.join(kind)}") from None


def session(found: Session) -> review_pb2.SignInResponse:
    return review_pb2.SignInResponse(
        token=found.token,
        expires_at_us=micros(found.expires_at),
        roles=sorted(found.person.roles),
        device=found.device,
    )


def person(found: Person) -> review_pb2.WhoAmIResponse:
    return review_pb2.WhoAmIResponse(
        user=found.user, name=found.name, roles=sorted(found.roles), scripted=found.scripted
    )


def summary(line: CaseSummary) -> review_pb2.CaseSummary:
    """Without the version: it would tell one reviewer that another has done something."""
    return review_pb2.CaseSummary(
        case=line.case,
        state=line.state,
        camera=line.camera,
        captured_at_us=micros(line.captured_at),
        expires_at_us=micros(line.expires_at),
        alerts=line.alerts,
        claimable=line.claimable,
        round=line.round,
        opened_at_us=micros(line.opened_at),
        mine=None if line.mine is None else claim(line.mine),
    )


def claim(found: Claim) -> review_pb2.Claim:
    return review_pb2.Claim(case=found.case, fence=found.fence, expires_at_us=micros(found.expires_at))


def view(found: CaseView) -> review_pb2.CaseView:
    return review_pb2.CaseView(
        case=found.case,
        camera=found.camera,
        captured_at_us=micros(found.captured_at),
        pictures=[_picture(one) for one in found.pictures],
        category=found.category,
        displayed_digest=found.displayed_digest,
        claim_expires_at_us=micros(found.claim.expires_at),
        round=found.round,
        expires_at_us=micros(found.expires_at),
        resembles=[review_pb2.Resemblance(likeness=one.likeness, other=one.other) for one in found.resembles],
        handling_instruction=found.handling,
        risk_flags=found.risk_flags,
    )


def judged(found: Judged) -> review_pb2.JudgeResponse:
    return review_pb2.JudgeResponse(state=state(found.status), score=found.score, threshold=found.threshold)


def state(found: CaseStatus) -> review_pb2.CaseState:
    return review_pb2.CaseState(
        case=found.case,
        state=found.state,
        outcome=found.outcome or "",
        round=found.round,
        camera=found.camera,
        captured_at_us=micros(found.captured_at),
        alerts=found.alerts,
        engagements=found.engagements,
        outcomes=found.outcomes,
    )


def _picture(one: PictureRef) -> review_pb2.PictureRef:
    return review_pb2.PictureRef(
        name=one.name,
        captured_at_us=0 if one.captured_at is None else micros(one.captured_at),
        taken_on=one.taken_on,
        kind=one.kind,
        sha256=one.sha256,
        camera=one.camera,
    )
