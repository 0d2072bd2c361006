"""Files that are written whole or not at all; those with addresses, tokens or hashes only their owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_ANYBODY, _OWNER = 0o666, 0o600


def write_whole(path: Path, text: str) -> None:
    """Write `text` in the place of what is at `path`, readable as the shell's umask has it.

    Where the disk is full, or this is ended, what was there before is there still. Raises OSError naming `path`.
    """
    _write(path, text.encode(), _ANYBODY)


def write_private(path: Path, text: str) -> None:
    """As `write_whole`, readable by nobody else, whatever was there before. Makes the folder if need be."""
    write_private_bytes(path, text.encode())


def write_private_bytes(path: Path, content: bytes) -> None:
    """As `write_private`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, content, _OWNER)


def _write(path: Path, content: bytes, mode: int) -> None:
    target = path.resolve()  # a link stays one
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)  # a device, or a pipe, is written to and not replaced
        else:
            _replace(target, content, mode)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _replace(target: Path, content: bytes, mode: int) -> None:
    new = target.parent / f".signpost-{secrets.token_hex(8)}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        new.replace(target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
