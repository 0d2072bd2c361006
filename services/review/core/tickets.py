"""What the one-time address of a picture stands for."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

_TOKEN_BYTES = 24


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A picture of a claim, to be had until `expires_at`."""

    case: str
    fence: int
    picture: str
    expires_at: datetime


def new_token() -> str:
    """For an address: nobody guesses it, and it tells nothing."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def place(session: str, token: str) -> str:
    """Under which a ticket lies: without the session nobody finds it, and nobody can use it up."""
    return hashlib.sha256(f"{session}\n{token}".encode()).hexdigest()
