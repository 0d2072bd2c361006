"""Documents that an operator writes and a process reads once, at its start."""

from __future__ import annotations

from pathlib import Path

from services.contracts.errors import Misconfigured


def read_text(path: Path, *, variable: str) -> str:
    """A document's text. Raises Misconfigured naming the setting and the file."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{variable}: {path} cannot be read ({type(error).__name__})") from error
