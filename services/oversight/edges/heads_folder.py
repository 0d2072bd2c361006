"""Signed heads in a folder that is meant for somebody who is not the operator."""

from __future__ import annotations

import os
from pathlib import Path

from services.contracts.audit.chain import SignedTreeHead
from services.contracts.audit.lines import encode_line
from services.contracts.errors import Misconfigured
from services.oversight.ports import Unanchored

_MODE = 0o640


class HeadsFolder:
    """A `Sink`: one file a chain, only appended to: what `signpost audit verify --head` reads. One thread's."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        """Raises Misconfigured, naming the setting."""
        if not folder.is_dir():
            raise Misconfigured(f"AUDIT_HEADS_DIR: {folder} is no folder")
        self._folder = folder

    def take(self, signed: SignedTreeHead) -> None:
        """On disk on return. One that is the file's last already is not written again."""
        path, line = self._folder / f"{signed.head.chain}.heads", encode_line(signed)
        try:
            file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _MODE)
            try:
                if _ends_with(file, line):
                    return
                os.write(file, line)
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as failed:
            raise Unanchored(type(failed).__name__) from failed


def _ends_with(file: int, line: bytes) -> bool:
    size = os.fstat(file).st_size
    return size >= len(line) and os.pread(file, len(line), size - len(line)) == line
