"""What can be known before a picture is enrolled: whether the list can be built, kept and sealed at all.

Enrolment takes a second a picture. Who has waited for it must not hear then that a folder's mode is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from console.edges.writable import no_file_at, no_folder_at
from console.watchlist.build import MAX_PICTURE_BYTES, Plan, sealed_bounds, too_few
from console.watchlist.folder import Enrolled, SubjectFolder
from services.contracts.authority import Authority
from services.contracts.errors import Misconfigured
from services.contracts.sealed.faults import Fault
from services.contracts.sealed.manifest import file_sha256
from services.contracts.sealed.rules import bounds_faults, entry_faults
from services.runtime.clock import SystemClock
from services.runtime.keys.folder import FolderKeys


def check_places(out: Path, keys_dir: Path, bounds: Authority, *, now: datetime) -> None:
    """That what is built can be written. Raises Misconfigured with a line for each thing that is wrong."""
    wrong = [*no_file_at("--out", out), *_no_keys_in(keys_dir)]
    if bounds.purge_at <= now:
        wrong.append(f"{bounds.deployment}: its window and purge are over; nothing may be built for it")
    if wrong:
        raise Misconfigured("\n".join(wrong))


def faults(folders: Sequence[SubjectFolder], plan: Plan) -> Iterator[Fault]:
    """Every rule that cards and numbers break already, whatever enrolment finds; none of an entry that expired:
    it will not be on the list. Raises Misconfigured where there are too few for the kind of score."""
    too_few(len(folders), plan)
    bounds = sealed_bounds(plan)
    yield from bounds_faults(bounds)
    if len(folders) > bounds.max_entries:
        yield Fault("", "entries", f"must be at most {bounds.max_entries}, are {len(folders)}", "B 3.13")
    for folder in folders:
        for one in _faults(folder, plan):
            yield Fault(one.entry, folder.field(one.field), one.rule, one.control)


def _faults(folder: SubjectFolder, plan: Plan) -> Iterator[Fault]:
    """Each picture alone: how many are kept, enrolment will say."""
    stand_ins = [_stand_in(folder, number) for number in range(len(folder.pictures))]
    entry = folder.entry(stand_ins)
    if entry.expires_at <= plan.built_at:
        return
    many = {"pictures"}
    yield from (one for one in entry_faults(entry, sealed_bounds(plan), at=plan.built_at) if one.field not in many)


def _stand_in(folder: SubjectFolder, number: int) -> Enrolled:
    """In place of what enrolment finds out; it breaks no rule."""
    return Enrolled(folder.pictures[number].name, *(f"{number:064x}",) * 3, 1.0)


@dataclass(frozen=True)
class Twice:
    """The same bytes, or a link to them, in two people's folders."""

    one: Path
    other: Path

    def __str__(self) -> str:
        return f"look at {self.one} and {self.other}: they are the same picture, in the folders of two people"


def copies(folders: Sequence[SubjectFolder]) -> Mapping[Path, Path]:
    """Files of one folder that are copies of an earlier one in it, or links to it, each with that one."""
    found: dict[Path, Path] = {}
    for folder in folders:
        first: dict[str, Path] = {}
        for path in folder.pictures:
            earlier = first.setdefault(_sha256(path), path)
            if earlier is not path:
                found[path] = earlier
    return found


def in_two_folders(folders: Sequence[SubjectFolder]) -> Iterator[Twice]:
    """Pictures that two people have: at most one of them is shown."""
    first: dict[str, tuple[Path, Path]] = {}
    for folder in folders:
        for path in folder.pictures:
            holder, earlier = first.setdefault(_sha256(path), (folder.path, path))
            if holder != folder.path:
                yield Twice(earlier, path)


def _sha256(path: Path) -> str:
    """Of a file that cannot be read, its path: it is like no other."""
    try:
        if path.stat().st_size <= MAX_PICTURE_BYTES:
            return file_sha256(path.read_bytes())
    except OSError:
        pass
    return str(path)


def _no_keys_in(keys_dir: Path) -> Iterator[str]:
    try:
        FolderKeys(keys_dir, SystemClock())
    except Misconfigured as error:
        yield str(error)
    except OSError as error:
        yield f"--keys-dir: {keys_dir}: {error.strerror}"
    else:
        yield from no_folder_at("--keys-dir", keys_dir)
