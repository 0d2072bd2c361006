"""Files that only their owner may read: documents with cameras' addresses, tokens, password hashes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write `text`, readable by nobody else, whatever the file's mode was before. Makes the folder if need be.

    All of it or nothing: where the disk is full, what was there before is there still. Raises OSError.
    """
    write_private_bytes(path, text.encode())


def write_private_bytes(path: Path, content: bytes) -> None:
    """As `write_private`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()  # a link stays one
    if target.exists() and not target.is_file():
        target.write_bytes(content)  # a device, or a pipe, is written to and not replaced
        return
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".signpost-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
