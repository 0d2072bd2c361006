"""Who acts, and what they may do."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.contracts import ids


class Role(StrEnum):
    """What a person is here for. Nobody holds two sides of one decision."""

    REVIEWER = "reviewer"
    SUPERVISOR = "supervisor"
    ENGAGEMENT_OFFICER = "engagement_officer"
    WATCHLIST_MANAGER = "watchlist_manager"
    AUTHORISING_OFFICER = "authorising_officer"
    AUDITOR = "auditor"


@dataclass(frozen=True, kw_only=True)
class Person:
    """A signed-in person. `user` and `name` go into no event, log or metric: events carry a token.

    `person` is who they are in the registry of keys. `credential` is a digest of what they sign in
    with: another one after every change of it.
    """

    user: str = field(repr=False)
    name: str = field(repr=False)
    roles: frozenset[Role]
    scripted: bool = False
    person: str = field(default="", repr=False)
    credential: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a person signs in with; an OIDC sign-in will bring another kind.

    `peer`: from where, as the door has it. `device`: what a client kept of an earlier sign-in, if anything.
    """

    user: str = field(repr=False)
    password: str = field(repr=False)
    peer: str = field(default="unknown", repr=False)
    device: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Session:
    """A sign-in that worked. The token is shown once; only its hash is kept. The client keeps `device`."""

    token: str = field(repr=False)
    person: Person
    expires_at: datetime
    device: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """What is kept of a session. `account` is `PersonTokens.account` as it was at the sign-in."""

    user: str = field(repr=False)
    account: str = field(repr=False)


class PersonTokens:
    """The only name a person has in events: an HMAC under the deployment's own key, as subjects have."""

    def __init__(self, deployment_key: bytes) -> None:
        self._key = deployment_key

    def of(self, person: Person) -> str:
        # The prefix keeps a person and a subject of the same name apart.
        return ids.subject_token(self._key, f"person:{person.user}")

    def account(self, person: Person) -> str:
        """Whose account it is and what opens it: another token once either is another."""
        parts = json.dumps(["account", person.user, person.person, person.credential])
        return hmac.new(self._key, parts.encode(), hashlib.sha256).hexdigest()
