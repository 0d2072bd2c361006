"""What a person says of a new draft's cameras, checked as ingest will check it."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.authority.first_draft import FirstCamera
from services.contracts.authority import SourceKind
from services.contracts.camera_address import BadAddress, parse_address
from services.contracts.errors import Misconfigured
from services.contracts.file_names import is_system

_PLAYED = {"file": SourceKind.FILE, "folder": SourceKind.FOLDER}
_RATE_FPS = 5.0


@dataclass(frozen=True)
class Told:
    """A camera as its document knows it, and as it is read."""

    camera: FirstCamera
    address: str

    def as_read(self) -> dict[str, Any]:
        return {
            "id": self.camera.id,
            "source": self.camera.source.value,
            "address": self.address,
            "rate_fps": _RATE_FPS,
        }


def told(name: str, answer: str) -> Told:
    """From `rtsp://...`, `file:PATH` or `folder:PATH`. Raises Misconfigured; never shows an address."""
    kind, colon, rest = answer.strip().partition(":")
    source = _PLAYED.get(kind.lower()) if colon else None
    if source is None:
        return _streamed(name, answer.strip())
    path = _place(name, rest.removeprefix("//"))
    _check_played(name, source, path)
    return Told(FirstCamera(name, source), str(path))


def played(name: str, answer: str) -> Told:
    """As `told`, from a command line: anybody on the machine may read it, so no stream's address stands there."""
    if answer.strip().partition(":")[0].lower() not in _PLAYED:
        raise Misconfigured(
            f"--source of {name}: must be file:PATH or folder:PATH; a stream's address may carry a password, and "
            f"is asked for where --source is left out"
        )
    return told(name, answer)


def _streamed(name: str, answer: str) -> Told:
    try:
        address = parse_address(answer)
    except BadAddress as bad:
        raise Misconfigured(f"the address of {name} {bad}") from None
    return Told(FirstCamera(name, SourceKind.RTSP, str(address.place)), answer)


def _place(name: str, said: str) -> Path:
    try:
        return Path(said).expanduser().absolute()
    except RuntimeError:
        raise Misconfigured(f"{name}: ~ stands for no folder here: write the path from / on") from None


def _check_played(name: str, source: SourceKind, path: Path) -> None:
    try:
        found = path.stat()
        empty = not any(_pictures(path)) if stat.S_ISDIR(found.st_mode) else found.st_size == 0
    except OSError as error:
        raise Misconfigured(f"{name}: {path} cannot be read ({type(error).__name__})") from None
    if source is SourceKind.FOLDER and not stat.S_ISDIR(found.st_mode):
        raise Misconfigured(f"{name}: {path} is no folder; a video is given as file:PATH")
    if source is SourceKind.FILE and not stat.S_ISREG(found.st_mode):
        raise Misconfigured(f"{name}: {path} is no file; a folder of pictures is given as folder:PATH")
    if empty:
        raise Misconfigured(f"{name}: {path} has nothing in it")


def _pictures(folder: Path) -> list[Path]:
    """What ingest would play: files, but hidden and system ones."""
    return [path for path in folder.iterdir() if path.is_file() and not is_system(path.name)]
