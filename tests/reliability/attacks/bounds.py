"""Attacks on what an authority allows: its time, its people, its list, its threshold. Each in a town of its own.

The attacker holds oversight's key: moves and leases of his are rightly signed.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from services.contracts.authorisation.approvals import approve
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.records import DocumentPublished
from services.contracts.events import ScoreKind
from tests.builders import a_vector
from tests.integration.match.lists import PEOPLE, SealedList, put_in_place_of
from tests.reliability.attacks.town import DWELL_S, WITHIN_S, Outcome, Servers, Town
from tests.support import eventually
from tests.unit.contracts.authorisation.builders import (
    PEOPLE as ROLES,
)
from tests.unit.contracts.authorisation.builders import (
    a_change,
    a_lease,
    a_registered_key,
    approval,
    approvals,
    key,
)
from tests.unit.contracts.sealed.lists_builder import SIZE
from tests.unit.match.lists_builder import near

_DAY = timedelta(days=1)
DORA = a_vector(size=SIZE, seed=31)
# Time enough to start a matcher and to see it search.
_SOON = timedelta(seconds=20)


def expired(servers: Servers) -> Outcome:
    """The window ends; oversight goes on renewing its lease."""
    end = datetime.now(UTC) + _SOON
    with Town(servers, window={"start": end - timedelta(hours=1), "end": end}) as town:
        town.matcher()
        town.searches()
        town.closes(within_s=0, at=end)
        town.dwell()
        return town.outcome()


def not_yet_valid(servers: Servers) -> Outcome:
    """Activated and leased before its window begins."""
    start = datetime.now(UTC) + _SOON
    with Town(servers, window={"start": start, "end": start + timedelta(hours=1)}) as town:
        town.opens_at(start)
        town.matcher()
        time.sleep(max(0.0, (start - datetime.now(UTC)).total_seconds()))
        town.searches()
        return town.outcome()


def urgent_not_approved(servers: Servers) -> Outcome:
    """Begun on an urgent officer's word; its deadline passes without full approval, and the lease is renewed."""
    now = datetime.now(UTC)
    urgent = {"reason": "a child is missing", "deadline": now + _SOON}
    since = now - timedelta(hours=1)
    with Town(servers, created_at=since, urgent=urgent, approved_by=("ann", "uma")) as town:
        town.matcher()
        town.searches()
        town.closes(within_s=0, at=now + _SOON)
        town.dwell()
        return town.outcome()


def revoked_key(servers: Servers) -> Outcome:
    """An approver's key is revoked; oversight goes on, and it is all approved once more, dated back."""
    with Town(servers) as town:
        town.matcher()
        town.searches()
        at, document = datetime.now(UTC), town.signed.document
        town.signed.enrol(town.signed.registered("olu", revoked_at=at))
        town.closes()
        again = approvals(document, at=at - _DAY)
        town.signed.write(DocumentPublished(document.canonical_bytes(), again))
        town.dwell()
        town.signed.enrol(a_registered_key("olu", secret="olu-2", valid_from=at - _DAY, valid_to=at + _DAY))
        fresh = approve(document, key("olu-2"), role=ROLES["olu"], person="olu", at=datetime.now(UTC))
        authors = approval(document, "ann", at - _DAY)
        town.opens()
        town.signed.write(DocumentPublished(document.canonical_bytes(), (authors, fresh)))
        town.searches()
        return town.outcome()


def threshold_lowered(servers: Servers) -> Outcome:
    """A next version with a lower threshold and the old one's approvals; oversight brings it into force."""
    with Town(servers) as town:
        first = town.matcher()
        town.searches()
        at, old = datetime.now(UTC), town.signed.document
        sealed = old.watchlist.model_dump() | {"thresholds": {1: 0.3}}
        fresh = {"version": 2, "supersedes": old.digest, "watchlist": sealed}
        lowered = Document.read(old.model_dump() | fresh)
        town.signed.write(DocumentPublished(lowered.canonical_bytes(), approvals(old, at=at - _DAY)))
        town.signed.write(
            *(
                a_change(lowered, sequence, move, at)
                for sequence, move in enumerate((Move.SUBMIT, Move.APPROVE, Move.ACTIVATE), start=1)
            ),
            a_lease(lowered, 1, at),
        )
        town.closes()
        assert first.process.wait(WITHIN_S) == 0, "the matcher did not end for another version"
        town.matcher(ready=False)  # as its keeper does
        for sequence in range(2, 8):
            town.signed.write(a_lease(lowered, sequence, datetime.now(UTC)))
            time.sleep(1.0)
        town.dwell()
        return town.outcome()


def list_swapped(servers: Servers) -> Outcome:
    """Another list, rightly sealed, is put under the authorised one's own name."""
    with Town(servers) as town:
        town.matcher()
        town.searches()
        swapped = SealedList(town.world, PEOPLE | {"dora": DORA})
        swapped.load(town.signed.registry)
        put_in_place_of(town.world.durable, swapped.digest, town.listed.digest)
        town.crowd.stranger(near(DORA, 0.9, seed=600))
        time.sleep(DWELL_S)
        town.matcher(ready=False)
        town.searches()
        town.crowd.stranger(near(DORA, 0.9, seed=600))
        time.sleep(DWELL_S)
        return town.outcome()


def list_past_its_cap(servers: Servers) -> Outcome:
    """A list rightly sealed and signed for by its digest, with more people than the authority's cap."""
    return _never_searched(servers, {"max_entries": len(PEOPLE) - 1, "max_templates": len(PEOPLE) - 1})


def score_kind_changed(servers: Servers) -> Outcome:
    """A list sealed for scores of another kind than its threshold was set for."""
    normalised = {"score_kind": ScoreKind.GALLERY_NORMALISED, "fillers": 40}
    return _never_searched(servers, {"score_kind": "raw"}, plan=normalised) + _never_searched(
        servers, {"score_kind": "gallery_normalised"}
    )


def _never_searched(
    servers: Servers, watchlist: dict[str, object], plan: dict[str, object] | None = None
) -> Outcome:
    with Town(servers, watchlist=watchlist, plan=plan) as town:
        town.closes(within_s=-60)  # at no time
        matcher = town.matcher(ready=False)
        eventually(lambda: "list refused" in matcher.log.read_text(), "the refusal", within_s=WITHIN_S)
        time.sleep(DWELL_S)
        return town.outcome()
