"""Where anything might be left: files, folders, and the memory of live processes, as streams of bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_CHUNK = 8 * 1024 * 1024
_REGION = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+)\s*(.*)")
_PAGE = 4096


@dataclass
class Place:
    """A name in the report, and what belongs to it: files, memory of processes, or what a server tells when asked.
    `bytes_read` grows as it is read; `none` says why there may be nothing to read."""

    name: str
    files: list[Path] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)
    told: list[bytes] = field(default_factory=list, repr=False)
    none: str = ""
    bytes_read: int = 0
    parts: int = 0

    def streams(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        """One stream of chunks a file or region of memory, and which file, or whose memory, it is."""
        for text in self.told:
            self.parts += 1
            yield self.name, self._counted([text])
        for path in self.files:
            self.parts += 1
            yield path.name, self._counted(_of_file(path))
        for pid in self.pids:
            self.parts += 1
            who = name_of(pid)
            for chunks in memory_of(pid):
                yield who, self._counted(chunks)

    def _counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.bytes_read += len(chunk)
            yield chunk


def below(folder: Path, *, but: Iterable[Path] = ()) -> list[Path]:
    """Every file below a folder; no sockets, no pipes, no links."""
    left_out = [one.resolve() for one in but]
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not any(path.resolve().is_relative_to(one) for one in left_out)
    ]


def family(pids: Iterable[int]) -> list[int]:
    """These processes and all below them, as far as they live."""
    found: list[int] = []
    for pid in pids:
        try:
            process = psutil.Process(pid)
            found += [pid, *(child.pid for child in process.children(recursive=True))]
        except psutil.NoSuchProcess:
            continue
    return list(dict.fromkeys(found))


def name_of(pid: int) -> str:
    """What a process is, by its program and first words; never more, for words may hold settings."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:3]
    return " ".join(Path(word.decode(errors="replace")).name for word in words).strip()


def swap_files() -> list[Path]:
    lines = Path("/proc/swaps").read_text().splitlines()[1:]
    return [Path(line.split()[0]) for line in lines]


def memory_of(pid: int) -> Iterator[Iterator[bytes]]:
    """Every region that the process can have written to and that has a page in memory. Raises OSError."""
    regions = [
        (int(found[1], 16), int(found[2], 16))
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines()
        if (found := _REGION.match(line)) and _may_hold(found[3], int(found[4]), found[5])
    ]
    for start, end in regions:
        yield _of_region(pid, start, end)


def _may_hold(rights: str, inode: int, path: str) -> bool:
    """Programs and libraries, read from their files and never written to, hold nobody."""
    if rights[0] != "r" or path in ("[vvar]", "[vsyscall]", "[vdso]"):
        return False
    return "w" in rights or inode == 0


def _of_region(pid: int, start: int, end: int) -> Iterator[bytes]:
    with (
        Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory,
        Path(f"/proc/{pid}/pagemap").open("rb") as map_,
    ):
        for at in range(start, end, _CHUNK):
            length = min(_CHUNK, end - at)
            map_.seek(at // _PAGE * 8)
            # Pages that were never touched need no look (and a look would make them).
            if not any(map_.read(length // _PAGE * 8)[7::8]):
                continue
            try:
                memory.seek(at)
                yield memory.read(length)
            except (OSError, ValueError, OverflowError):
                return


def _of_file(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except FileNotFoundError:
        return
