"""What the page may ask: request bodies, checked field by field."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import Request

from services.review.core.errors import BadInput
from services.review.core.views import (
    Engagement,
    FaceFeature,
    Judgement,
    KnownOutcome,
    ReleaseReason,
    SupersedeTowards,
)

# The longest is a reason of 2000 characters.
_BODY_BYTES = 16 * 1024


class Ask(BaseModel):
    """Root of all bodies: unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Nothing(Ask):
    """No fields."""


class OfClaim(Ask):
    """The claim that the page shows."""

    fence: int = Field(ge=1)


class GiveBack(OfClaim):
    reason: ReleaseReason


class Decide(OfClaim):
    """One judgement, its reasons, and the digest of what was on the screen."""

    judgement: Judgement
    features: Annotated[tuple[FaceFeature, ...], Field(max_length=len(FaceFeature))] = ()
    displayed_digest: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Supersede(Ask):
    towards: SupersedeTowards
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Engaged(Ask):
    result: Engagement


class CameOut(Ask):
    outcome: KnownOutcome


A = TypeVar("A", bound=Ask)


async def read(request: Request, kind: type[A]) -> A:
    """The body as `kind`. Raises BadInput; its text names fields, never what was in them."""
    raw = await limited_body(request)
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        fields = sorted({".".join(map(str, one["loc"])) or "body" for one in error.errors(include_input=False)})
        raise BadInput(f"missing or outside its closed set: {', '.join(fields)}") from None


async def limited_body(request: Request) -> bytes:
    """The whole body. Raises BadInput beyond 16 KiB, however it is sent."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _BODY_BYTES:
            raise BadInput("the request is too large")
    return bytes(raw)
