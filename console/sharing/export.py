"""The one way by which a list's pictures leave: picked, recorded, and only then opened, marked and written.

No template ever leaves: there is no code that writes one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from console.edges.private_file import write_private_bytes
from console.sharing.mark import Label, marked
from services.contracts.codec import Sealing
from services.contracts.sealed.bundle.read import Contents
from services.contracts.sealed.entry import Entry
from services.contracts.sealed.faults import Fault, refuse
from services.contracts.sealed.manifest import Manifest
from services.contracts.sharing.statements import SharedPicture, ShareMade, mark_of


def picked(of: Manifest, entries: Sequence[str], *, now: datetime) -> tuple[Entry, ...]:
    """These entries of the list. Raises Refused for one that is not on it, or is over."""
    unknown = (Fault(name, "entry_id", "is not on the list", "C-20") for name in entries if name not in of.by_id)
    refuse(
        (
            *unknown,
            *(_over(of.by_id[name]) for name in entries if name in of.by_id and _is_over(of.by_id[name], now)),
        )
    )
    return tuple(of.by_id[name] for name in dict.fromkeys(entries))


def fields(
    of: Manifest, entries: Sequence[Entry], *, organisation: str, party: str, serial: int
) -> dict[str, object]:
    """What the register says of them: hashes and opaque ids. Opens no picture."""
    pictures = [
        SharedPicture(sha256=picture.shown_sha256, entry=entry.entry_id)
        for entry in entries
        for picture in entry.pictures
    ]
    return {
        "deployment": of.head.deployment,
        "list_digest": of.digest,
        "pictures": pictures,
        "amount": len(pictures),
        "mark": mark_of(organisation, party, serial),
    }


def export(
    contents: Contents,
    entries: Sequence[Entry],
    sealing: Sealing,
    line: ShareMade,
    *,
    record: Callable[[], None],
    out: Path,
) -> list[Path]:
    """Have the share recorded; then write each picture, marked, into `out`. The files, readable by their owner.

    Raises what `record` raises, and then nothing was opened. Whatever fails afterwards leaves a share on record of
    which not all was written: the register rather says too much than too little. Raises Altered.
    """
    record()
    label, written = Label(line.organisation, line.party, line.serial), []
    for entry in entries:
        for place, jpeg in enumerate(contents.pictures(entry, sealing)):
            path = out / f"share-{line.serial}-{entry.entry_id}-{place}.jpg"
            write_private_bytes(path, marked(jpeg, str(line.mark), label))
            written.append(path)
    return written


def _is_over(entry: Entry, now: datetime) -> bool:
    return now >= entry.expires_at


def _over(entry: Entry) -> Fault:
    return Fault(entry.entry_id, "expires_at", "has passed: it is not shared any more", "C-24")
