"""Documents that an operator writes and a process reads once, at its start."""

from __future__ import annotations

from pathlib import Path

from services.contracts import authority
from services.contracts.authority import Authority
from services.contracts.errors import Misconfigured


def read_authority(path: Path) -> Authority:
    """The deployment's document. Raises Misconfigured naming the file and what is wrong in it."""
    return authority.parse(read_text(path, variable="DEPLOYMENT_FILE"), origin=str(path))


def read_text(path: Path, *, variable: str) -> str:
    """A document's text. Raises Misconfigured naming the setting and the file."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{variable}: {path} cannot be read ({type(error).__name__})") from error
