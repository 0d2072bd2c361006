"""A copy of a chain leaves only after that is recorded: who took it, and which bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from services.contracts.authorisation.exporting import ChainExported
from services.contracts.authorisation.signing import SigningKey
from services.contracts.authorisation.statements import sign
from services.contracts.errors import Misconfigured


def write_recorded(file: Path, content: bytes, record: Callable[[], None]) -> None:
    """A new file, written once `record` has returned. Raises Misconfigured, and what `record` raises."""
    try:
        with file.open("xb") as opened:
            try:
                record()
            except BaseException:
                file.unlink()
                raise
            opened.write(content)
    except OSError as error:
        raise Misconfigured(f"{file} cannot be written ({type(error).__name__})") from error


def exported(chain: str, content: bytes, key: SigningKey, *, at: datetime) -> str:
    """That person's word for it."""
    digest = hashlib.sha256(content).hexdigest()
    return sign(ChainExported(deployment=chain, signed_at=at, sha256=digest), key)
