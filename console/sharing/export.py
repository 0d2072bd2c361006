"""The one way by which a list's pictures leave: picked, recorded, and only then opened, marked and written.

No template ever leaves: there is no code that writes one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path

from console.edges.private_file import write_private_bytes
from console.sharing.mark import Label, marked
from services.contracts.codec import Sealing
from services.contracts.sealed.bundle.read import Contents
from services.contracts.sealed.entry import Entry, control_of
from services.contracts.sealed.faults import Fault, refuse
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.standing import Inert, inert
from services.contracts.sharing.statements import SharedPicture, ShareMade, mark_of

_NOT_SHARED = {
    Inert.REVOKED: ("entry_id", "was taken off the list", "G10"),
    Inert.EXPIRED: ("expires_at", "has passed", control_of("expires_at")),
    Inert.STALE: ("status", "is stale: ask its source again, and seal the list anew", control_of("status")),
    Inert.NOT_YET_CHECKED: ("status", "is of a time to come: a clock is wrong", control_of("status")),
}


def picked(of: Manifest, entries: Sequence[str], *, revoked: Collection[str], now: datetime) -> tuple[Entry, ...]:
    """These entries of the list; `revoked` are the ids of all that were taken off it.

    Raises Refused for one that is not on the list, or that nobody may be searched by any more.
    """
    names, reasons = tuple(dict.fromkeys(entries)), inert(of, revoked, now)
    refuse(
        (
            *(Fault(name, "entry_id", "is not on the list", "C-20") for name in names if name not in of.by_id),
            *(Fault(name, *_NOT_SHARED[reasons[name]]) for name in names if name in reasons),
        )
    )
    return tuple(of.by_id[name] for name in names)


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
