"""Everything that the audit chain can record is asked for by somebody: no action without a producer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.contracts.audit.requests import Action

SERVICES = Path(__file__).parents[2] / "services"
CONTRACTS = SERVICES / "contracts"


def asked_for(source: str) -> set[str]:
    """The names of the members of Action that a module mentions."""
    return {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Action"
    }


def producers() -> Iterator[Path]:
    """Every module of a service that may ask; what is head-worthy is no request (core/sequencing.py)."""
    for path in SERVICES.rglob("*.py"):
        if CONTRACTS not in path.parents and path.name != "sequencing.py":
            yield path


@pytest.mark.parametrize("action", Action)
def test_an_action_has_a_producer(action: Action) -> None:
    asking = [path for path in producers() if action.name in asked_for(path.read_text())]
    assert asking, f"nobody asks for {action}: an entry that the chain promises and never has"


def test_a_mention_is_found_and_a_likeness_is_not() -> None:
    assert asked_for("Deed(what=Action.STOPPED)\nOther.ENDED") == {"STOPPED"}
