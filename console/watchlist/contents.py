"""What lies in a folder of subjects and in a subject's own: pictures, and what is left out, each with its reason.

Nothing is left out without a word, but for hidden and system files: those are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.contracts.file_names import is_one_line, is_system, one_form
from services.contracts.picture_kinds import HEAD_BYTES, kind_of

CARD = "subject.yaml"
RESOLUTIONS = "resolutions.yaml"
# Under such a name something is meant as a picture, whatever it is: it is refused by enrolment, in the report.
_PICTURE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".heic", ".heif", ".avif", ".gif", ".bmp"),
        *(".dib", ".tif", ".tiff", ".jp2", ".j2k", ".jpx", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf"),
        *(".orf", ".rw2", ".psd", ".hif", ".mpo"),
    }
)


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that is nobody's picture; `why` says what it is and what to do."""

    path: Path
    why: str

    def __str__(self) -> str:
        return f"left out: {_written(self.path)}: {self.why}"


@dataclass(frozen=True)
class Contents:
    """`found` are pictures, or subjects' folders; `system` counts hidden and system files."""

    found: tuple[Path, ...]
    left_out: tuple[LeftOut, ...] = ()
    system: int = 0


def of_root(root: Path) -> Contents:
    """The subjects' folders, a link to one among them. Raises OSError."""
    return _sorted_out(root, _why_no_subject, (RESOLUTIONS,))


def of_subject(folder: Path) -> Contents:
    """The subject's pictures; a link to a file is that file. Raises OSError."""
    return _sorted_out(folder, _why_no_picture, (CARD,))


def told(root: Path) -> Iterator[str]:
    """All that is left out below `root`, a line each, for people. Raises OSError."""
    top = of_root(root)
    every = [top, *map(of_subject, top.found)]
    for contents in every:
        yield from map(str, contents.left_out)
    system = sum(contents.system for contents in every)
    if system:
        yield f"left out: {system} hidden and system files (.DS_Store and its like)"


def _sorted_out(folder: Path, why_not: Callable[[Path], str], ours: tuple[str, ...]) -> Contents:
    found: list[Path] = []
    left_out: list[LeftOut] = []
    system = 0
    for path in sorted(folder.iterdir(), key=lambda one: (one_form(one.name), one.name)):
        if path.name in ours:
            continue
        if is_system(path.name):
            system += 1
        elif why := _why_nothing(path) or why_not(path):
            left_out.append(LeftOut(path, why))
        else:
            found.append(path)
    return Contents(tuple(found), tuple(left_out), system)


def _why_nothing(path: Path) -> str:
    if not is_one_line(path.name):
        return "its name cannot be written down: rename it"
    if path.is_symlink() and not path.exists():
        return "a link that leads nowhere: put the picture itself here"
    return ""


def _why_no_subject(path: Path) -> str:
    if path.is_dir():
        return ""
    return "lies beside the people's folders: move it into the folder of whoever it shows"


def _why_no_picture(path: Path) -> str:
    if path.is_dir():
        return "a folder within a person's: move its pictures up, beside subject.yaml"
    if not path.is_file():
        return "no file"
    if path.suffix.lower() in _PICTURE_SUFFIXES:
        return ""
    try:
        with path.open("rb") as opened:
            kind = kind_of(opened.read(HEAD_BYTES))
    except OSError:
        return ""  # the report says so of a picture that cannot be read
    return "" if kind.is_picture else kind.refusal


def _written(path: Path) -> str:
    """As it is; where it has characters that no terminal shows, as Python spells them."""
    return str(path) if is_one_line(str(path)) else ascii(str(path))
