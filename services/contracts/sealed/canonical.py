"""One value, one line of bytes: frozen dataclasses to canonical JSON and back, strictly."""

from __future__ import annotations

import json
import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from services.contracts.errors import Undecodable

T = TypeVar("T")

# No line is longer: the header of the largest bundle has some hundred bytes a part.
MAX_LINE_BYTES = 128 * 1024 * 1024


class Unfit(ValueError):
    """A plain value that is not of its type; `path` says where ("pictures.0.quality"), never what it was."""

    def __init__(self, path: str, rule: str) -> None:
        super().__init__(f"{path}: {rule}")
        self.path = path
        self.rule = rule


def encode(value: Any) -> bytes:  # noqa: ANN401 - any frozen dataclass of this package
    """ASCII JSON, keys sorted, no spaces, no line break in it: equal values give equal bytes.

    Raises ValueError for a number that is none, or a time that is not UTC.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def decode(kind: type[T], line: bytes) -> T:
    """The value whose `encode` is exactly `line`. Raises Undecodable for anything else."""
    if len(line) > MAX_LINE_BYTES:
        raise Undecodable(f"a {kind.__name__} is longer than any")
    try:
        value = from_plain(kind, json.loads(line))
    except (ValueError, RecursionError) as error:  # JSON's own errors are ValueErrors
        raise Undecodable(f"not a {kind.__name__}") from error
    if encode(value) != line:
        raise Undecodable(f"a {kind.__name__} is not written in its one form")
    return value


def from_plain(kind: type[T], plain: object, path: str = "") -> T:
    """A `kind` of what JSON or YAML gave, every field checked for its type. Raises Unfit."""
    found: T = _typed(kind, plain, path)
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401, PLR0911 - one line a type
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(value)
    if value is None or isinstance(value, (str, int)):
        return value
    raise ValueError(f"a {type(value).__name__} has no canonical form")


def utc_text(at: datetime) -> str:
    """The one text of an aware time, to the microsecond. Raises ValueError for a naive one."""
    if at.utcoffset() is None:
        raise ValueError("a time must be aware")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _typed(kind: Any, plain: object, path: str) -> Any:  # noqa: ANN401
    if get_origin(kind) is types.UnionType:
        inner = next(one for one in get_args(kind) if one is not types.NoneType)
        return None if plain is None else _typed(inner, plain, path)
    if get_origin(kind) is tuple:
        if not isinstance(plain, (list, tuple)):
            raise Unfit(path, "must be a list")
        return tuple(_typed(get_args(kind)[0], one, _at(path, str(place))) for place, one in enumerate(plain))
    if is_dataclass(kind):
        return _built(kind, plain, path)
    return _scalar(kind, plain, path)


def _built(kind: Any, plain: object, path: str) -> Any:  # noqa: ANN401
    if not isinstance(plain, Mapping):
        raise Unfit(path or "document", "must be a mapping of fields")
    hints = _hints(kind)
    known = {one.name: one for one in fields(kind)}
    for name in plain:
        if name not in known:
            raise Unfit(path or "document", f"has a field that is none; its fields are {', '.join(known)}")
    # A default of None or () may be left out by people; canonical bytes always hold every field.
    missing = [name for name, one in known.items() if name not in plain and one.default not in (None, ())]
    if missing:
        raise Unfit(_at(path, missing[0]), "is missing")
    return kind(**{name: _typed(hints[name], plain[name], _at(path, name)) for name in known if name in plain})


def _scalar(kind: Any, plain: object, path: str) -> Any:  # noqa: ANN401
    if issubclass(kind, StrEnum):
        return _member(kind, plain, path)
    if kind is datetime:
        return _time(plain, path)
    if kind is date:
        return _day(plain, path)
    if kind is float and isinstance(plain, (int, float)) and not isinstance(plain, bool):
        return _finite(plain, path)
    if type(plain) is not kind:
        raise Unfit(path, {str: "must be text", int: "must be a whole number"}.get(kind, "must be a number"))
    return plain


def _member(kind: type[StrEnum], plain: object, path: str) -> StrEnum:
    for one in kind:
        if one.value == plain:
            return one
    raise Unfit(path, f"must be one of {', '.join(kind)}; there is no other")


def _finite(plain: float, path: str) -> float:
    try:
        number = float(plain)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Unfit(path, "must be a number")
    return number


def _time(plain: object, path: str) -> datetime:
    try:
        at = plain if isinstance(plain, datetime) else datetime.fromisoformat(str(plain))
    except ValueError:
        raise Unfit(path, "must be a time such as 2026-06-01T12:00:00Z") from None
    if at.utcoffset() is None:
        raise Unfit(path, "must be a time with its zone, such as 2026-06-01T12:00:00Z")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise Unfit(path, "must be a time between the years 1 and 9999") from None


def _day(plain: object, path: str) -> date:
    if isinstance(plain, date) and not isinstance(plain, datetime):
        return plain
    try:
        return date.fromisoformat(str(plain))
    except ValueError:
        raise Unfit(path, "must be a date such as 2026-06-01") from None


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
