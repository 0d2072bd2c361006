"""The one place that takes out of a text what no log, error or page may show."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Set
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from uuid import UUID

from pydantic import SecretBytes, SecretStr

# Greedy to the last "@" of the word: a password may itself hold "@", "/" or a quote. Showing too
# little of an address is cheap, showing part of a password is not.
_USERINFO = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)\S*@")
# Makers of devices and stores also put them into the path or query: `?password=...`, `/user=a_password=b`.
_PARAMETER = re.compile(r"((?:pass(?:word|wd|w)?|pwd|token|secret|api_?key)=)[^\s&;]+", re.IGNORECASE)
# Contents that slip into an exception's text as a repr.
_BYTES_REPR = re.compile(r"""\bb(?:'(?:[^'\\]|\\.){9,}'|"(?:[^"\\]|\\.){9,}")""")
_ARRAY_REPR = re.compile(r"\barray\(\[.*?\](?:,[^)]*)?\)", re.DOTALL)

_MASK = "***"


def text(raw: str) -> str:
    """`raw` without the userinfo of any address in it, password parameters and reprs of contents."""
    shown = _USERINFO.sub(r"\1", raw)
    shown = _PARAMETER.sub(rf"\1{_MASK}", shown)
    shown = _BYTES_REPR.sub("<bytes>", shown)
    return _ARRAY_REPR.sub("<array>", shown)


def value(raw: object) -> object:
    """`raw` as something JSON can hold and anybody may read.

    Bytes and arrays become "<n bytes>", secrets the mask; a type not known to be harmless becomes
    its name, because its repr might hold anything.
    """
    if isinstance(raw, Mapping):
        return {text(str(name)): value(item) for name, item in raw.items()}
    if isinstance(raw, list | tuple | Set):
        return [value(item) for item in raw]
    if isinstance(raw, SecretStr | SecretBytes):
        return _MASK
    return _scalar(raw.value if isinstance(raw, Enum) else raw)


def _scalar(raw: object) -> object:
    match raw:
        case None | bool() | int():
            return raw
        case float():
            return raw if math.isfinite(raw) else str(raw)
        case datetime() | date():
            return raw.isoformat()
        case str() | PurePath() | UUID() | BaseException():
            return text(str(raw))
        case bytes() | bytearray():
            return f"<{len(raw)} bytes>"
    return _by_shape(raw)


def _by_shape(raw: object) -> object:
    size = getattr(raw, "nbytes", None)
    if not isinstance(size, int):
        return f"<{type(raw).__name__}>"
    if getattr(raw, "shape", None) == () and (item := getattr(raw, "item", None)) is not None:
        return value(item())  # a numpy scalar is a number, not a picture
    return f"<{size} bytes>"
