"""Signed heads, handed to a folder that is meant for somebody who is not the operator."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from services.contracts.audit.chain import SignedTreeHead
from services.contracts.audit.lines import encode_line
from services.contracts.errors import Misconfigured

log = logging.getLogger(__name__)

_MODE = 0o640


class HeadsFolder:
    """One file a chain, only ever appended to: what `signpost audit verify --head` reads. One thread's.

    A head that could not be written is made good by the next: each is over everything before it.
    """

    def __init__(self, folder: Path, *, on_failed: Callable[[], None]) -> None:
        """Raises Misconfigured, naming the setting."""
        if not folder.is_dir():
            raise Misconfigured(f"AUDIT_HEADS_DIR: {folder} is no folder")
        self._folder = folder
        self._on_failed = on_failed

    def __call__(self, heads: Sequence[SignedTreeHead]) -> None:
        """On disk on return, unless it failed, which is counted."""
        for signed in heads:
            try:
                self._append(self._folder / f"{signed.head.chain}.heads", encode_line(signed))
            except OSError as failed:
                self._on_failed()
                log.warning("signed head not anchored", extra={"kind": type(failed).__name__})

    def _append(self, path: Path, line: bytes) -> None:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)
        try:
            os.write(file, line)
            os.fsync(file)
        finally:
            os.close(file)
