"""Reads a folder of subjects: a folder each, with pictures and a `subject.yaml`.

The card is the part of an entry that people write, in the entry's own words: there is no second schema. Enrolment
adds what only it can know of each picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.watchlist.contents import CARD, RESOLUTIONS, of_root, of_subject
from services.contracts import yaml_text
from services.contracts.errors import Misconfigured
from services.contracts.file_names import one_form
from services.contracts.sealed.canonical import Unfit, from_plain
from services.contracts.sealed.entry import Entry, from_document
from services.contracts.sealed.faults import Refused
from services.contracts.sealed.manifest import Resolution

# What all pictures of a card share.
_SHARED = "all_pictures"
# In place of what enrolment finds out, to see whether the rest of a card is an entry.
_NOTHING = "0" * 64


@dataclass(frozen=True)
class Enrolled:
    """What enrolment found out of one picture file: hashes in hex, the model's quality."""

    file: str
    image_sha256: str
    shown_sha256: str
    template_sha256: str
    quality: float


@dataclass(frozen=True)
class SubjectFolder:
    """One subject as found on disk; `name` is the folder's."""

    path: Path
    card: Mapping[str, Any] = field(repr=False)
    pictures: tuple[Path, ...]

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def named(self) -> Mapping[str, Any]:
        """What the card says of each picture, by its file's name. Raises Misconfigured."""
        return _mapping(self.path, self.card.get("pictures", {}), "pictures")

    def field(self, path: str) -> str:
        """A field's path in this folder's entry with a picture's file in place of its number."""
        head, _, rest = path.partition(".")
        place, _, name = rest.partition(".")
        if head != "pictures" or not place.isdigit() or int(place) >= len(self.pictures):
            return path
        file = self.pictures[int(place)].name
        new = "" if one_form(file) in self.named else " (the card does not name this file)"
        return f"pictures.{file}.{name}{new}"

    def entry(self, found: Sequence[Enrolled]) -> Entry:
        """The entry with these pictures, in their order. Raises Refused."""
        shared = _mapping(self.path, self.card.get(_SHARED, {}), _SHARED)
        own = self.named
        pictures = [
            {
                **shared,
                **_mapping(self.path, own.get(one_form(one.file), {}), f"pictures.{one.file}"),
                "image_sha256": one.image_sha256,
                "shown_sha256": one.shown_sha256,
                "template_sha256": one.template_sha256,
                "quality": one.quality,
            }
            for one in found
        ]
        fields = {name: value for name, value in self.card.items() if name != _SHARED}
        return from_document({**fields, "pictures": pictures}, origin=str(self.path / CARD))


def read(root: Path) -> list[SubjectFolder]:
    """Every subject under `root`, by folder name. Opens no picture.

    Raises Misconfigured with one line for each thing that is wrong, naming file, field and rule: nothing is
    built from half of what somebody meant.
    """
    if not root.is_dir():
        raise Misconfigured(f"{root}: is no folder")
    found: list[SubjectFolder] = []
    wrong: list[str] = []
    for path in of_root(root).found:
        try:
            found.append(_subject(path))
        except Misconfigured as error:
            wrong.append(str(error))
    for name in ("entry_id", "subject_ref"):
        wrong += _doubled(found, name)
    if wrong:
        raise Misconfigured("\n".join(wrong))
    if not found:
        raise Misconfigured(f"{root}: holds no folder of a subject")
    return found


def read_resolutions(root: Path) -> tuple[Resolution, ...]:
    """What somebody found out about entries that are alike: a list in `resolutions.yaml`, if it is there."""
    path = root / RESOLUTIONS
    if not path.exists():
        return ()
    try:
        return from_plain(tuple[Resolution, ...], _loaded(path))
    except Unfit as unfit:
        raise Misconfigured(f"{path}: {unfit}") from None


def _subject(path: Path) -> SubjectFolder:
    contents = of_subject(path)
    found = SubjectFolder(path, _mapping(path, _loaded(path / CARD), "card"), contents.found)
    if not found.pictures:
        left_out = "".join(f"\n{one}" for one in contents.left_out)
        raise Misconfigured(f"{path}: holds no picture{left_out}")
    wrong = list(_names(found))
    if wrong:
        raise Misconfigured("\n".join(f"{path / CARD}: pictures: {one}" for one in wrong))
    try:
        found.entry([Enrolled(one.name, _NOTHING, _NOTHING, _NOTHING, 0.0) for one in found.pictures])
    except Refused as refused:
        lines = (f"{path / CARD}: {found.field(one.field)}: {one.rule} [{one.control}]" for one in refused.faults)
        raise Misconfigured("\n".join(lines)) from None
    return found


def _names(of: SubjectFolder) -> Iterator[str]:
    """Where the card and the folder do not name the same pictures."""
    files = [one_form(one.name) for one in of.pictures]
    for name in sorted({name for name in files if files.count(name) > 1}):
        yield f"two files are called {name}, in two spellings of one name: rename one"
    for name in of.named:
        if name not in files:
            yield f"names {name}, which is not there"


def _loaded(path: Path) -> object:
    try:
        # One spelling of each name, whichever the editor or the file system has: they are compared.
        return yaml_text.loaded(one_form(path.read_text("utf-8")))
    except FileNotFoundError as missing:
        raise Misconfigured(
            f"{path}: is missing; `signpost watchlist cards` writes one to begin with"
        ) from missing
    except yaml_text.NotYaml as refused:
        raise Misconfigured(f"{path}: {refused}") from None
    except ValueError:  # no text
        raise Misconfigured(f"{path}: not YAML, nor any text in UTF-8") from None


def _mapping(path: Path, found: object, what: str) -> Mapping[str, Any]:
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise Misconfigured(f"{path / CARD}: {what}: must be a mapping of fields")
    return found


def _doubled(found: list[SubjectFolder], name: str) -> list[str]:
    first: dict[object, str] = {}
    return [
        f"{one.path / CARD}: {name}: the same as in {earlier}"
        for one in found
        if (earlier := first.setdefault(one.card[name], one.name)) != one.name
    ]
