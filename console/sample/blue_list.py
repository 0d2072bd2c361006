"""The sample's list as an operator would prepare it: a folder a subject, with pictures and a subject.yaml."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from console.sample.sitters import LISTED, Sitter
from console.watchlist import cards
from console.watchlist.cards import Common
from console.watchlist.contents import CARD
from services.contracts.sealed.entry import Relation


def write_blue_list(
    folder: Path,
    pictures: Path,
    *,
    now: datetime,
    sitters: Sequence[Sitter] = LISTED,
    relation: Relation = Relation.LOOK_ALIKE,
) -> None:
    """Write the listed sitters' folders below `folder`, pictures copied from `pictures`; good from now on.

    `relation` is what they are to each other: made up, as all of it is, so that the page has somebody to warn of.
    """
    at = now.replace(microsecond=0)
    common = Common("sample-clerk", "sample-sergeant", checked_at=at, expires_at=at + timedelta(days=1))
    for number, sitter in enumerate(sitters, 1):
        subject = folder / sitter.reference.lower()
        subject.mkdir(parents=True, exist_ok=True)
        for portrait in sitter.listed_with:
            shutil.copyfile(pictures / portrait.file, subject / portrait.file)
        taken = {portrait.file: date.fromisoformat(portrait.taken_on) for portrait in sitter.listed_with}
        others = [{"subject_ref": one.reference, "relation": relation.value} for one in sitters]
        related = [one for one in others if one["subject_ref"] != sitter.reference]
        card = cards.volunteer(f"e-{number}", sitter.reference, taken, common, related=related)
        cards.write(subject / CARD, card)
