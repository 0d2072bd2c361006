"""Carries the fields of a dataclass to and from a protobuf message of the same field names.

One rule a type, no rule an event: `x: datetime` is `x_us`, a Vector is little-endian float32 bytes, a tuple of
dataclasses is a repeated message, the counts of a stage are repeated `Count`.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, NewType, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from google.protobuf.message import DecodeError, Message

from services.contracts.errors import Undecodable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Deadlines are counted on from what stands in a record: no sum of ours may leave the calendar.
_YEAR_9000 = (datetime(9000, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND


M = TypeVar("M", bound=Message)


def parsed(message: M, raw: bytes) -> M:
    """The message, filled from its bytes. Raises Undecodable."""
    try:
        message.ParseFromString(raw)
    except DecodeError as error:
        raise Undecodable(f"not a {message.DESCRIPTOR.name}") from error
    return message


def micros(at: datetime) -> int:
    """Whole microseconds since the epoch, exact (a float of seconds is not)."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """Raises Undecodable for a time before 1970 or beyond the year 9000: nobody wrote that."""
    if not 0 <= value < _YEAR_9000:
        raise Undecodable("a record holds a time that cannot be true")
    return _EPOCH + timedelta(microseconds=value)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _names(kind: type) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind))


def _attribute(field_name: str) -> str:
    return field_name.removesuffix("_us")


def write(value: Any, message: Message) -> None:  # noqa: ANN401 - any of our dataclasses
    """Fill `message` from the equally named fields of `value`; fields the message lacks are left out."""
    for field in message.DESCRIPTOR.fields:
        _write_field(message, field.name, getattr(value, _attribute(field.name)))


def _write_field(message: Message, name: str, held: Any) -> None:  # noqa: ANN401
    if isinstance(held, Mapping):
        target = getattr(message, name)
        for (count_name, reason), count in sorted(held.items()):
            target.add(name=count_name, reason=reason, value=count)
    elif isinstance(held, tuple):
        target = getattr(message, name)
        for item in held:
            if is_dataclass(item):
                write(item, target.add())
            else:
                target.append(item)
    elif is_dataclass(held):
        write(held, getattr(message, name))
    else:
        setattr(message, name, _scalar(held))


def _scalar(held: Any) -> Any:  # noqa: ANN401
    match held:
        case datetime():
            return micros(held)
        case np.ndarray():
            return held.astype("<f4").tobytes()
        case StrEnum():
            return held.value
    return held


def read(kind: type, *messages: Message) -> dict[str, Any]:
    """The constructor arguments of `kind` that `messages` hold.

    Raises ValueError for a value its type cannot take (an unknown enum member, a torn vector).
    """
    hints, names = _hints(kind), _names(kind)
    found: dict[str, Any] = {}
    for message in messages:
        for field in message.DESCRIPTOR.fields:
            name = _attribute(field.name)
            if name in names:
                found[name] = _read_value(hints[name], getattr(message, field.name))
    return found


def _read_value(hint: Any, raw: Any) -> Any:  # noqa: ANN401, PLR0911 - one return a rule
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    origin = get_origin(hint)
    if origin is tuple:
        item = get_args(hint)[0]
        return tuple(_read_value(item, one) for one in raw)
    if origin is np.ndarray:
        return np.frombuffer(raw, dtype="<f4").astype(np.float32)
    if origin is not None and issubclass(origin, Mapping):
        return types.MappingProxyType({(one.name, one.reason): one.value for one in raw})
    if hint is datetime:
        return from_micros(raw)
    if is_dataclass(hint):
        assert isinstance(hint, type)  # noqa: S101 - is_dataclass also takes instances; narrows for the checker
        return hint(**read(hint, raw))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(raw)
    return raw
