"""Whether a list's foreign pictures came by the register: asked by whoever loads it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from services.contracts.sealed.entry import Picture
from services.contracts.sealed.faults import Fault
from services.contracts.sealed.manifest import Manifest
from services.contracts.sharing.register import Share, SharingRegister
from services.contracts.sharing.statements import Direction, Due, Way

SOURCE = "C-20"


def not_shared_in(of: Manifest, known: SharingRegister, now: datetime) -> Iterator[Fault]:
    """Every picture whose `share` is no import of this very file that may still be kept."""
    for entry in of.entries:
        for place, picture in enumerate(entry.pictures):
            if picture.share is not None and (rule := _wrong(picture, known.share(picture.share), now)):
                yield Fault(entry.entry_id, f"pictures.{place}.share", rule, SOURCE)


def _wrong(picture: Picture, share: Share | None, now: datetime) -> str | None:
    if share is None or (share.said.direction, share.said.way) != (Direction.IN, Way.SYSTEM):
        return "must be the serial of a share that `signpost share import` recorded"
    if picture.image_sha256 not in {one.sha256 for one in share.said.pictures}:
        return "is of other pictures: this file did not come by it"
    if Due.DELETION in share.done or now >= share.said.deletion_due:
        return f"is over: its pictures were to be deleted by {share.said.deletion_due:%Y-%m-%d %H:%M} UTC"
    return None
