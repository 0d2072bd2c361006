"""The demo's people: two for whoever sits at the keyboard, a supervisor, an officer, two that follow a script."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from console.edges.private_file import write_private
from services.contracts.authorisation.enums import Role
from services.contracts.errors import Misconfigured
from services.runtime.passwords import hashed

# The registry's word for it is another.
_REGISTERED = {"watchlist_manager": Role.LIST_MANAGER}


@dataclass(frozen=True)
class Account:
    """A made-up person who may sign in for as long as the demo runs."""

    user: str
    name: str
    role: str
    password: str = field(repr=False)
    scripted: bool = False


def demo_accounts() -> list[Account]:
    """Everybody, with fresh passwords."""
    shown = [
        ("reviewer-a", "Reviewer A", "reviewer"),
        ("reviewer-b", "Reviewer B", "reviewer"),
        ("supervisor", "Supervisor", "supervisor"),
        ("officer", "Engagement officer", "engagement_officer"),
    ]
    accounts = [Account(user, name, role, secrets.token_hex(3)) for user, name, role in shown]
    for number in (1, 2):
        name = f"Scripted reviewer {number}"
        accounts.append(Account(f"scripted-{number}", name, "reviewer", secrets.token_urlsafe(24), scripted=True))
    return accounts


def people_of(path: Path) -> list[tuple[str, Role]]:
    """Who a people file names in which role of the registry. Raises Misconfigured."""
    try:
        listed = yaml.safe_load(path.read_text("utf-8"))["people"].values()
        return [
            (str(one["person"]), _REGISTERED.get(role) or Role(role)) for one in listed for role in one["roles"]
        ]
    except (OSError, yaml.YAMLError, LookupError, TypeError, AttributeError, ValueError):
        # Not chained: the words of some of these would show what stands in it.
        raise Misconfigured(
            f"PEOPLE_FILE: {path} does not list people, each with name, person, roles and password: "
            "services/review/README.md shows one"
        ) from None


def write_people(path: Path, accounts: list[Account]) -> None:
    """Write the people file; passwords only as salted hashes."""
    people = {
        account.user: {
            "name": account.name,
            "person": f"sample-{account.user}",
            "roles": [account.role],
            "password": hashed(account.password),
            "scripted": account.scripted,
        }
        for account in accounts
    }
    write_private(path, yaml.safe_dump({"people": people}, sort_keys=False))
