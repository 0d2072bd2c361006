"""How often one may try to sign in, and how a browser is known again: limits that no stranger can turn on others.

A try is counted before its password is looked at, in each of these:

- the account at this place: who guesses one person's password from one address;
- the place: who guesses many people's;
- the account, at places that it has not been signed in at: who guesses from many addresses.

A place where the account was signed in lately is under the first alone. A browser that was is under a limit of its
own, wherever it is: what others try counts for nothing there.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_DEVICE_S = 30 * 24 * 3600


@dataclass(frozen=True)
class Limit:
    """So many tries at once, and one more each `every_s`."""

    at_once: int
    every_s: float


# Twenty in any five minutes, as who has forgotten which of a few passwords it was.
OF_ACCOUNT_HERE = Limit(10, 30.0)
# Those who share an address share this; it bounds what one address costs us, not what one account can take.
OF_PLACE = Limit(100, 1.0)
# From addresses without a number: 100 at most in the first five minutes, then twenty in each.
OF_ACCOUNT_ELSEWHERE = Limit(80, 15.0)
OF_DEVICE = Limit(10, 30.0)


@dataclass(frozen=True)
class Counted:
    """One count that a try goes into. `name` tells neither user nor address."""

    name: str
    limit: Limit


@dataclass(frozen=True)
class Try:
    """What counts for one try, everywhere and only where the place is new to the account."""

    place: str = field(repr=False)
    always: Sequence[Counted]
    where_new: Sequence[Counted] = ()

    def mine(self) -> Sequence[Counted]:
        """What is forgiven when the password was right."""
        return self.always[:1]


def a_try(user: str, peer: str, *, device: str) -> Try:
    """`device`: the id of the browser, where it is known to be this user's."""
    place = _name("place", user, peer)
    if device:
        return Try(place, [Counted(_name("device", user, device), OF_DEVICE)])
    return Try(
        place,
        [Counted(_name("here", user, peer), OF_ACCOUNT_HERE)],
        [Counted(_name("peer", peer), OF_PLACE), Counted(_name("account", user), OF_ACCOUNT_ELSEWHERE)],
    )


class Devices:
    """Browsers that somebody has signed in with: a token that this deployment alone can have made."""

    def __init__(self, deployment_key: bytes) -> None:
        self._key = hmac.digest(deployment_key, b"signpost-device-1", "sha256")

    def token(self, user: str, now: datetime) -> str:
        """For the browser to keep; good for thirty days, for this user."""
        ends = int((now + timedelta(seconds=_DEVICE_S)).timestamp())
        name = secrets.token_hex(16)
        return f"{name}.{ends}.{self._proof(user, name, ends)}"

    def known(self, token: str, user: str, now: datetime) -> str:
        """The browser's id, or nothing: not made here, for somebody else, or too old."""
        name, _, rest = token.partition(".")
        ends, _, proof = rest.partition(".")
        if not (ends.isascii() and ends.isdigit() and len(ends) <= 12):
            return ""
        is_ours = hmac.compare_digest(proof.encode(), self._proof(user, name, int(ends)).encode())
        return name if is_ours and now.timestamp() < int(ends) else ""

    def _proof(self, user: str, name: str, ends: int) -> str:
        return hmac.new(self._key, f"{name}.{ends}.{user}".encode(), hashlib.sha256).hexdigest()


def _name(kind: str, *parts: str) -> str:
    """Each part is hashed by itself: together they could be read two ways."""
    inner = "".join(hashlib.sha256(part.encode()).hexdigest() for part in parts)
    return f"{kind}:{hashlib.sha256(inner.encode()).hexdigest()}"
