"""What the page answers when a move is refused: one table from the service layer's errors to HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from starlette.responses import JSONResponse

from services.contracts.errors import Transient
from services.review.core import errors

_STATUS: Mapping[type[errors.MoveRefused], tuple[HTTPStatus, str]] = MappingProxyType(
    {
        errors.TooOften: (HTTPStatus.TOO_MANY_REQUESTS, "too_often"),
        errors.TooMany: (HTTPStatus.TOO_MANY_REQUESTS, "too_many"),
        errors.NotSignedIn: (HTTPStatus.UNAUTHORIZED, "not_signed_in"),
        errors.NotAllowed: (HTTPStatus.FORBIDDEN, "not_allowed"),
        errors.NotFound: (HTTPStatus.NOT_FOUND, "not_found"),
        errors.Taken: (HTTPStatus.CONFLICT, "taken"),
        errors.NotYours: (HTTPStatus.CONFLICT, "not_yours"),
        errors.Stale: (HTTPStatus.PRECONDITION_FAILED, "stale"),
        errors.Gone: (HTTPStatus.GONE, "gone"),
        errors.BadInput: (HTTPStatus.UNPROCESSABLE_ENTITY, "bad_input"),
    }
)


class ForgedRequest(errors.NotAllowed):
    """The request does not carry what only our own page knows."""


def answer(refused: errors.MoveRefused | Transient) -> JSONResponse:
    """`refused` is from a closed set, for the page's code; `text` is for the person."""
    if isinstance(refused, Transient):
        text = "The store of cases cannot be reached. It is not certain that this was recorded."
        return JSONResponse({"refused": "unavailable", "text": text}, HTTPStatus.SERVICE_UNAVAILABLE)
    if isinstance(refused, ForgedRequest):
        return JSONResponse({"refused": "forged", "text": str(refused)}, HTTPStatus.FORBIDDEN)
    status, word = _STATUS[_kind(refused)]
    return JSONResponse({"refused": word, "text": str(refused)}, status)


def _kind(refused: errors.MoveRefused) -> type[errors.MoveRefused]:
    """The nearest class of the table; a subclass of a refusal is answered as what it is one of."""
    return next(kind for kind in type(refused).__mro__ if kind in _STATUS)
