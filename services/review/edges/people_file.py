"""Named people in a file: the sign-in of a development deployment, behind the door OIDC will use.

`python -m services.review.edges.people_file` asks for a password and answers with the line for the file.
"""

from __future__ import annotations

import getpass
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.contracts.errors import Misconfigured
from services.review.core.people import Credentials, Person, Role
from services.runtime.documents import read_text
from services.runtime.passwords import hashed, matches

__all__ = ["PeopleFile", "hashed"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Entry(_Part):
    name: str = Field(min_length=1, max_length=100)
    roles: frozenset[Role] = Field(min_length=1)
    password: str = Field(repr=False, pattern=r"^scrypt\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+$")
    scripted: bool = False


class _File(_Part):
    people: Mapping[Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")], _Entry]


class PeopleFile:
    """`Identities` from a YAML file, read once. Any thread."""

    def __init__(self, path: Path) -> None:
        """Raises Misconfigured naming the file, field and rule; never a value."""
        self._entries = _read(path).people
        self._nobody = hashed(secrets.token_urlsafe())

    def authenticate(self, credentials: Credentials) -> Person | None:
        entry = self._entries.get(credentials.user)
        # An unknown user costs as much time as a known one.
        right = matches(credentials.password, self._nobody if entry is None else entry.password)
        return self.find(credentials.user) if right else None

    def find(self, user: str) -> Person | None:
        entry = self._entries.get(user)
        if entry is None:
            return None
        return Person(user=user, name=entry.name, roles=entry.roles, scripted=entry.scripted)


def _read(path: Path) -> _File:
    origin = f"PEOPLE_FILE: {path}"
    text = read_text(path, variable="PEOPLE_FILE")
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # ValueError: what looks like a date and is none
        # Not chained: YAML's own words show the lines around, and they name people.
        raise Misconfigured(f"{origin}: not YAML") from None
    try:
        return _File.model_validate(document)
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(str(step) for step in one['loc']) or 'document'}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise Misconfigured(f"{origin}: {found}") from None


if __name__ == "__main__":
    sys.stdout.write(f"password: {hashed(getpass.getpass())}\n")
