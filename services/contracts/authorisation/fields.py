"""The kinds of field that everything signed is made of, and the one way it becomes bytes and back."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)

from services.contracts.authorisation.canonical import canonical
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.names import LABEL_PATTERN

Place = tuple[int | str, ...]
SHAPE = "the document's shape"
_MAX_BYTES = 1024 * 1024


def _utc(at: datetime) -> datetime:
    # Far from the calendar's ends, so that no sum of a time and a term can overflow.
    if not 2000 <= at.year < 2200:
        raise ValueError("must lie in the years 2000 to 2199")
    return at.astimezone(UTC)


def _stamp(at: datetime) -> str:
    return at.isoformat().removesuffix("+00:00") + "Z"


def _written(text: str) -> str:
    if not text.strip():
        raise ValueError("must say something")
    # What is approved must be what was read: no text that turns round, hides or overwrites other text.
    if any(unicodedata.category(sign) in _UNSEEN and sign not in "\n\t" for sign in text):
        raise ValueError("must hold no control, direction, zero-width or unassigned characters")
    return text


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


Name = Annotated[str, StringConstraints(pattern=rf"^{LABEL_PATTERN}\z")]
# A person's number in the organisation's own records, or an id within a system of theirs; never their name.
PersonId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]
Thumbprint = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}\z")]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}\z")]
Address = Annotated[str, StringConstraints(pattern=r"^https?://[!-?A-~]{1,1000}\z")]  # ASCII: no look-alikes
# Counts from 1; no more than every reader's number can hold.
Sequence = Annotated[int, Field(ge=1, le=2**53 - 1)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=20_000), AfterValidator(_written)]
# An instant, whatever zone it was written in, is kept and signed in UTC.
Moment = Annotated[AwareDatetime, AfterValidator(_utc), PlainSerializer(_stamp, when_used="json")]


class Part(BaseModel):
    """Frozen; a field nobody knows is refused; a value has exactly one encoding."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    def canonical_bytes(self) -> bytes:
        """What is signed: RFC 8785 of every field, defaults included. Raises ValueError for a lone surrogate."""
        return canonical(self.model_dump(mode="json"))

    @classmethod
    def from_canonical(cls, raw: bytes) -> Self:
        """The value whose `canonical_bytes` are `raw`, to the byte. Raises NotAuthorised naming fields only."""
        if len(raw) > _MAX_BYTES:
            raise _shapeless("must be at most 1 MiB")
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            raise _shapeless("must be JSON") from None
        found = cls.read(value)
        try:
            again = found.canonical_bytes()
        except ValueError:
            raise _shapeless("has an integer beyond 2^53 - 1 or half a character: no canonical form") from None
        # Or one text could mean two things: a doubled member, `1` for true, a number with more digits than it has.
        if again != raw:
            raise _shapeless("must be in its canonical form (RFC 8785, every field present, times in UTC)")
        return found

    @classmethod
    def read(cls, value: object) -> Self:
        """From what a person wrote (parsed YAML or JSON). Raises NotAuthorised naming fields, never values."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            # Values stay out: they may be personal, and a log is no place for a document.
            wrong = error.errors(include_input=False, include_url=False, include_context=False)
            places = [one["loc"] for one in wrong]
            raise NotAuthorised(
                "malformed",
                (
                    Finding(".".join(map(_shown, one["loc"])) or "document", one["msg"], SHAPE)
                    for one in wrong[:100]
                    if not _only_follows(one["type"], one["loc"], places)
                ),
            ) from None


def _only_follows(kind: str, place: Place, places: list[Place]) -> bool:
    """A list counts as too short by the items of it that are wrong, which are told themselves."""
    return kind == "too_short" and any(
        len(other) > len(place) and other[: len(place)] == place for other in places
    )


def _shown(step: int | str) -> str:
    """A name that nobody knows is text by whoever wrote the document: shown only where it looks like a field."""
    return str(step) if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", str(step)) else "?"


def _shapeless(rule: str) -> NotAuthorised:
    return NotAuthorised("malformed", [Finding("document", rule, SHAPE)])
