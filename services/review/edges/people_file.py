"""Named people in a file: the sign-in of a development deployment, behind the door OIDC will use.

`python -m services.review.edges.people_file` asks for a password and answers with the line for the file.
"""

from __future__ import annotations

import base64
import binascii
import getpass
import hashlib
import hmac
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.contracts.errors import Misconfigured
from services.review.core.people import Credentials, Person, Role

# scrypt: 16 MiB and about 50 ms a guess.
_N, _R, _P = 2**14, 8, 1
_SALT_BYTES = 16
_HASH_BYTES = 32
_PREFIX = "scrypt"


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
        self._nobody = hashed(base64.b64encode(os.urandom(_SALT_BYTES)).decode())

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


def hashed(password: str) -> str:
    """The password as it stands in the file: scrypt$salt$hash."""
    salt = os.urandom(_SALT_BYTES)
    return "$".join((_PREFIX, _text(salt), _text(_scrypt(password, salt))))


def matches(password: str, kept: str) -> bool:
    """Whether `kept` is of this password. Blocks for about 50 ms."""
    try:
        _, salt, wanted = kept.split("$")
        raw_salt, raw_wanted = base64.b64decode(salt, validate=True), base64.b64decode(wanted, validate=True)
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(_scrypt(password, raw_salt), raw_wanted)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=_HASH_BYTES)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _read(path: Path) -> _File:
    origin = f"PEOPLE_FILE: {path}"
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{origin} cannot be read ({type(error).__name__})") from error
    except yaml.YAMLError as error:
        raise Misconfigured(f"{origin}: not YAML") from error
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
