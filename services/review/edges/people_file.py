"""Named people in a file: the sign-in of a development deployment, behind the door OIDC will use.

`python -m services.review.edges.people_file` asks for a password and answers with the line for the file.
"""

from __future__ import annotations

import getpass
import hashlib
import logging
import secrets
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.contracts import yaml_text
from services.contracts.authorisation.fields import PersonId
from services.contracts.errors import Misconfigured
from services.review.core.people import Credentials, Person, Role
from services.review.core.registered import contradiction
from services.runtime.documents import read_text
from services.runtime.passwords import hashed, matches

__all__ = ["PeopleFile", "hashed"]


log = logging.getLogger(__name__)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Entry(_Part):
    name: str = Field(min_length=1, max_length=100)
    person: PersonId
    roles: frozenset[Role] = Field(min_length=1)
    password: str = Field(repr=False, pattern=r"^scrypt\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+$")
    scripted: bool = False


class _File(_Part):
    people: Mapping[Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")], _Entry]


class PeopleFile:
    """`PeopleListed` from a YAML file, read again when it changes. Any thread.

    A changed file that is no good is refused, and the one before stays, until the file is good again.
    """

    def __init__(self, path: Path) -> None:
        """Raises Misconfigured naming the file, entry, field and rule; never a value."""
        self._path = path
        self._lock = threading.Lock()
        self._seen = _mark(path)
        self._people = _read(path)
        self._refused = False
        self._nobody = hashed(secrets.token_urlsafe())

    def authenticate(self, credentials: Credentials) -> Person | None:
        found = self._now().get(credentials.user)
        # An unknown user costs as much time as a known one.
        right = matches(credentials.password, self._nobody if found is None else found[1])
        return found[0] if found is not None and right else None

    def find(self, user: str) -> Person | None:
        found = self._now().get(user)
        return None if found is None else found[0]

    def everybody(self) -> Sequence[Person]:
        return [person for person, _ in self._now().values()]

    def is_refused(self) -> bool:
        """Whether the file as it lies there now is no good, and an earlier one is in use."""
        self._now()
        return self._refused

    def _now(self) -> Mapping[str, Listed]:
        """As the file says now: one look at its times, and a reading only if they changed."""
        with self._lock:
            mark = _mark(self._path)
            if mark != self._seen:
                self._seen = mark
                self._read_again()
            return self._people

    def _read_again(self) -> None:
        try:
            self._people = _read(self._path)
        except Misconfigured as no_good:
            self._refused = True
            log.error("people file refused: the one before stays", extra={"why": str(no_good)})  # noqa: TRY400
        else:
            self._refused = False
            log.info("people file read again", extra={"people": len(self._people)})


Listed = tuple[Person, str]
"""A person, and the hash of their password."""


def _mark(path: Path) -> tuple[int, ...]:
    """What changes with the file, also if another is put in its place or a link is turned."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _read(path: Path) -> Mapping[str, Listed]:
    origin = f"PEOPLE_FILE: {path}"
    text = read_text(path, variable="PEOPLE_FILE")
    try:
        document = yaml_text.loaded(text)
    except yaml_text.NotYaml as refused:
        raise Misconfigured(f"{origin}: {refused}") from None
    try:
        entries = _File.model_validate(document).people
    except ValidationError as error:
        found = "; ".join(
            f"{_where(one['loc'], document)}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise Misconfigured(f"{origin}: {found}") from None
    for number, entry in enumerate(entries.values(), start=1):
        apart = contradiction(entry.roles)
        if apart is not None:
            raise Misconfigured(
                f"{origin}: people, entry {number}: nobody is {apart[0]} and {apart[1]}: two sides of one decision"
            )
    _each_once(entries, origin)
    return {
        user: (
            Person(
                user=user,
                name=entry.name,
                roles=entry.roles,
                scripted=entry.scripted,
                person=entry.person,
                credential=hashlib.sha256(entry.password.encode()).hexdigest(),
            ),
            entry.password,
        )
        for user, entry in entries.items()
    }


def _each_once(entries: Mapping[str, _Entry], origin: str) -> None:
    """One person under two names could decide twice."""
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries.values(), start=1):
        before = seen.setdefault(entry.person.casefold(), number)
        if before != number:
            raise Misconfigured(f"{origin}: people, entries {before} and {number} are one person")


def _where(steps: tuple[int | str, ...], document: object) -> str:
    """A user's name is personal: an entry goes by its place in the file."""
    if len(steps) < 2 or not isinstance(document, dict):
        return ".".join(str(step) for step in steps) or "document"
    people = document.get("people")
    users = [str(user) for user in people] if isinstance(people, dict) else []
    number = users.index(str(steps[1])) + 1 if str(steps[1]) in users else 0
    field = "its user name" if "[key]" in steps else ".".join(str(step) for step in steps[2:3])
    return f"people, entry {number}" + (f": {field}" if field else "")


if __name__ == "__main__":
    sys.stdout.write(f"password: {hashed(getpass.getpass())}\n")
