"""Whether a list may be searched at all: an authority names it, and bounds it."""

from __future__ import annotations

from enum import StrEnum

from services.contracts.authority import Watchlist
from services.contracts.lists import Gallery


class ListRefusal(StrEnum):
    """Why a list that lies in Redis is not searched; a metric label."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    OTHER_NAME = "other_name"
    OTHER_DIGEST = "other_digest"
    OTHER_MODEL = "other_model"
    OTHER_SCORE_KIND = "other_score_kind"
    TOO_MANY_ENTRIES = "too_many_entries"


def refuses_list(watchlist: Watchlist, gallery: Gallery) -> ListRefusal | None:
    """Why the authority's `watchlist` is not this list, or None.

    The cap is on people: fillers can raise no alert and do not count.
    """
    if gallery.name != watchlist.name:
        return ListRefusal.OTHER_NAME
    if watchlist.digest not in (None, gallery.digest):
        return ListRefusal.OTHER_DIGEST
    if watchlist.model not in (None, gallery.model_id):
        return ListRefusal.OTHER_MODEL
    if gallery.score_kind is not watchlist.score_kind:
        return ListRefusal.OTHER_SCORE_KIND
    if gallery.subjects > watchlist.max_entries:
        return ListRefusal.TOO_MANY_ENTRIES
    return None
