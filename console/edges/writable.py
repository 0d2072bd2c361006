"""Whether a file can be written, asked before the work whose outcome goes into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def no_file_at(option: str, path: Path) -> Iterator[str]:
    """Why not, naming the option; nothing if it can."""
    if path.is_dir():
        yield f"{option}: {path} is a folder: name a file in it"
    elif path.exists() and not os.access(path, os.W_OK):
        yield f"{option}: {path} is there and cannot be written over"
    else:
        yield from no_folder_at(option, path.parent)


def no_folder_at(option: str, folder: Path) -> Iterator[str]:
    """Why nothing can be put into it, or it cannot be made."""
    nearest = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    if not nearest.is_dir():
        yield f"{option}: {nearest} is no folder"
    elif not os.access(nearest, os.W_OK | os.X_OK):
        yield f"{option}: {nearest} cannot be written to"
