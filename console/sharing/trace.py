"""Whose copy a picture is: its mark, held against every share of the register."""

from __future__ import annotations

from console.sharing.mark import marks
from services.contracts.sharing.register import Share, SharingRegister


def traced(picture: bytes, known: SharingRegister) -> Share | None:
    """The share that the picture was given out under; None if it bears no mark that was ever given.

    Raises Misconfigured for what is no picture.
    """
    given = {share.said.mark: share for share in known.shares if share.said.mark is not None}
    return next((given[mark] for mark in marks(picture) if mark in given), None)
