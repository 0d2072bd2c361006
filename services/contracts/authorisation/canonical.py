"""One value, one sequence of bytes: RFC 8785 (JSON Canonicalization Scheme), so that a digest means something.

The whole rule: UTF-8 without a byte order mark; no white space; members of an object ordered by the UTF-16 code
units of their names; strings escaped only where JSON demands it (`\\b \\t \\n \\f \\r \\" \\\\`, else `\\u00xx` in
lower case); numbers as ECMAScript prints the IEEE 754 double (so 1.0 is `1`); integers beyond +-(2^53 - 1), NaN,
infinities and lone surrogates are refused. Strings are not normalised: what was signed is what was written.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal

_MAX_SAFE = 2**53 - 1  # I-JSON: what every reader's number can hold


def canonical(value: object) -> bytes:
    """The one encoding of a JSON value. Raises ValueError or TypeError for what JSON, or a double, cannot hold."""
    return _text(value).encode("utf-8")


def digest(value: object) -> str:
    """SHA-256 of the canonical bytes, in hex."""
    return digest_of(canonical(value))


def digest_of(raw: bytes) -> str:
    """SHA-256 of bytes that are canonical already, in hex."""
    return hashlib.sha256(raw).hexdigest()


def _text(value: object) -> str:
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            if abs(value) > _MAX_SAFE:
                raise ValueError("an integer beyond 2^53 - 1 has no single encoding")
            return str(int(value))
        case float():
            return _number(value)
        case Mapping():
            members = sorted(((_name(name), item) for name, item in value.items()), key=_utf16)
            return "{" + ",".join(f"{_text(name)}:{_text(item)}" for name, item in members) + "}"
        case list() | tuple():
            return "[" + ",".join(_text(item) for item in value) + "]"
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON value")


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError("a member's name must be a string")
    return name


def _utf16(member: tuple[str, object]) -> bytes:
    return member[0].encode("utf-16-be")


def _number(value: float) -> str:
    """ECMAScript's Number::toString; Python's repr has the same (shortest) digits, only other exponents."""
    if not math.isfinite(value):
        raise ValueError("a number must be finite")
    if value == 0:
        return "0"  # -0 too
    _, figures, exponent = Decimal(repr(abs(value))).as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - finite, so never the letter of a NaN
    whole = "".join(map(str, figures)).lstrip("0")
    digits = whole.rstrip("0")
    point = len(whole) + exponent
    return ("-" if value < 0 else "") + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    """`digits` with the decimal point after `point` of them; an exponent beyond 21 places or below 1e-6."""
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"
