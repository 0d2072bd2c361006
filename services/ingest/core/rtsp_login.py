"""Answers to a camera's question who is there: Basic (RFC 7617) and Digest (RFC 7616)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

# The best first. MD5 is what most cameras know; its weakness is not in what it is used for here.
_HASHES: Mapping[str, str] = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
_SESSION = "-SESS"
_WIRE = "latin-1"
_STEP = re.compile(
    r"""[\s,]*(?:
        (?P<name>[\w!#$%&'*+.^`|~-]++)\s*+=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"]*))
        |(?P<scheme>[\w-]+)
    )""",
    re.VERBOSE,
)


class CannotAnswer(Exception):
    """None of the ways in which the camera asks is known here."""


@dataclass(frozen=True)
class Login:
    """Who we are to a camera."""

    user: str = field(repr=False)
    password: str = field(repr=False)


class Answering:
    """The answer to a camera's newest question, request by request: a counter in it may not come twice."""

    def __init__(self, login: Login, asked: Iterable[str], *, chance: Callable[[], str]) -> None:
        """`asked` are the values of its WWW-Authenticate headers. Raises CannotAnswer."""
        # UTF-8 as everything is held here: one character a byte.
        self._login = Login(_as_sent(login.user), _as_sent(login.password))
        self._chance = chance
        self._scheme, self._fields = _best(asked)
        self._count = 0

    @property
    def stale(self) -> bool:
        """Whether the camera says that only its question had grown old."""
        return self._fields.get("stale", "").lower() == "true"

    def header(self, method: str, uri: str) -> str:
        """The value of Authorization for one request."""
        if self._scheme == "basic":
            return f"Basic {base64.b64encode(f'{self._login.user}:{self._login.password}'.encode(_WIRE)).decode()}"
        self._count += 1
        return _digest(self._login, self._fields, method, uri, count=self._count, chance=self._chance())


def _digest(login: Login, asked: Mapping[str, str], method: str, uri: str, *, count: int, chance: str) -> str:
    name = asked.get("algorithm", "MD5")
    hashed = _hash(name.upper().removesuffix(_SESSION))
    realm, nonce = asked.get("realm", ""), asked["nonce"]
    secret = hashed(f"{login.user}:{realm}:{login.password}")
    if name.upper().endswith(_SESSION):
        secret = hashed(f"{secret}:{nonce}:{chance}")
    what = hashed(f"{method}:{uri}")
    said = [f'username="{_quoted(login.user)}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"']
    if "qop" in asked:
        times = f"{count:08x}"
        said += ["qop=auth", f"nc={times}", f'cnonce="{chance}"']
        answer = hashed(f"{secret}:{nonce}:{times}:{chance}:auth:{what}")
    else:
        said += [f'cnonce="{chance}"'] if name.upper().endswith(_SESSION) else []
        answer = hashed(f"{secret}:{nonce}:{what}")
    said.append(f'response="{answer}"')
    said += [f"algorithm={name}"] if "algorithm" in asked else []
    said += [f'opaque="{asked["opaque"]}"'] if "opaque" in asked else []
    return f"Digest {', '.join(said)}"


def _hash(name: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(_HASHES[name], text.encode(_WIRE), usedforsecurity=False).hexdigest()


def _as_sent(text: str) -> str:
    return text.encode("utf-8").decode(_WIRE)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _best(asked: Iterable[str]) -> tuple[str, Mapping[str, str]]:
    """The strongest way we know, of all that are offered."""
    offered = [one for value in asked for one in _challenges(value)]
    known = sorted((rank, at) for at, one in enumerate(offered) if (rank := _rank(*one)) is not None)
    if not known:
        raise CannotAnswer
    return offered[known[0][1]]


def _rank(scheme: str, fields: Mapping[str, str]) -> int | None:
    """0 for the best; None for what we cannot answer."""
    if scheme == "basic":
        return len(_HASHES)
    name = fields.get("algorithm", "MD5").upper().removesuffix(_SESSION)
    ways = [way.strip().lower() for way in fields.get("qop", "auth").split(",")]
    if scheme != "digest" or name not in _HASHES or "nonce" not in fields or "auth" not in ways:
        return None
    return list(_HASHES).index(name) if _HASHES[name] in hashlib.algorithms_available else None


def _challenges(value: str) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    for step in _STEP.finditer(value):
        if step["scheme"]:
            found.append((step["scheme"].lower(), {}))
        elif found and step["name"]:
            given = step["quoted"] if step["quoted"] is not None else step["bare"]
            found[-1][1].setdefault(step["name"].lower(), given)
    return found
