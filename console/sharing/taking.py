"""The one way by which another body's pictures come: recorded first, and only then put beside a list's others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from console.authority import files
from console.edges.private_file import write_private_bytes
from services.contracts.errors import Misconfigured
from services.contracts.sealed.manifest import file_sha256
from services.contracts.sharing.statements import SharedPicture


def read(paths: Sequence[Path]) -> dict[str, bytes]:
    """The files by name. Raises Misconfigured for one that cannot be read, or a name that stands there twice."""
    found: dict[str, bytes] = {}
    for path in paths:
        if path.name in found:
            raise Misconfigured(f"{path}: another file is called so, too")
        found[path.name] = files.read_bytes(path)
    return found


def fields(pictures: Mapping[str, bytes]) -> dict[str, object]:
    """What the register says of them."""
    told = [SharedPicture(sha256=file_sha256(content)) for content in pictures.values()]
    return {"pictures": told, "amount": len(told)}


def take(pictures: Mapping[str, bytes], *, record: Callable[[], None], into: Path) -> list[Path]:
    """Have the share recorded; then write the files. Raises what `record` raises, and then nothing is written."""
    for name in pictures:
        if (into / name).exists():
            raise Misconfigured(f"{into / name}: is there already")
    record()
    for name, content in pictures.items():
        write_private_bytes(into / name, content)
    return [into / name for name in pictures]
