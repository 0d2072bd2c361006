"""A purge leaves the evidence of a case that is held, under a key of its own, and nothing of any other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.contracts import keys
from services.contracts.authorisation.purging import CaseHeld
from services.contracts.events import Judgement
from services.review.core.case import contents_of
from services.review.edges.held_evidence import bring_away
from services.review.edges.pictures_sealed import is_held
from services.review.edges.vault import Vault
from services.runtime.keys.ring import Keyring
from tests.builders import DEPLOYMENT
from tests.fakes.keys import FakeKeys
from tests.integration.review.rig import CIPHER, Rig
from tests.integration.review.test_pictures_kept import decide, held

MATCH = Judgement.MATCH


def a_hold(rig: Rig, case: str, *, lasts: timedelta = timedelta(days=7)) -> CaseHeld:
    now = rig.clock.now().astimezone(UTC).replace(microsecond=0)
    return CaseHeld(
        deployment=DEPLOYMENT, signed_at=now, case=case, reason="a complaint was made", until=now + lasts
    )


def bring(rig: Rig, *holds: CaseHeld) -> int:
    ring = Keyring(FakeKeys(rig.clock), rig.store, rig.clock)
    return bring_away(
        holds,
        rig.authority,
        durable=rig.client,
        names=rig.names,
        ring=ring,
        clock=rig.clock,
        vault=Vault(rig.authority, ring, CIPHER, rig.clock, refused=rig.metrics.not_believed),
    )


def purge_keys(rig: Rig) -> None:
    for _, _, prefix in keys.purged(DEPLOYMENT):
        rig.store.destroy_prefix(prefix)


def opens(rig: Rig, case: str) -> bool:
    """Whether anybody with every key that is left could look at the case's pictures."""
    (content,) = contents_of(held(rig, case))
    sealed = rig.client.get(rig.names.content(content))
    assert isinstance(sealed, bytes)
    rig.ring = Keyring(FakeKeys(rig.clock), rig.store, rig.clock)
    pictures = type(rig.pictures)(rig.authority, rig.names, rig.ring, rig.pictures._cipher)
    return pictures.open(content, sealed) is not None


def test_only_what_is_held_opens_after_the_keys_are_purged(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.at_desk(lambda desk: decide(desk, case, MATCH, MATCH))
    rig.clock.advance(1000)
    other = rig.raise_alert("gate-2.1.1.9.0")
    assert other != case
    rig.at_desk(lambda desk: decide(desk, other, MATCH, MATCH))
    assert bring(rig, a_hold(rig, case)) == 1
    purge_keys(rig)
    assert opens(rig, case)
    assert not opens(rig, other)


def test_what_is_held_stays_until_the_hold_ends(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.at_desk(lambda desk: decide(desk, case, MATCH, MATCH))
    hold = a_hold(rig, case, lasts=timedelta(days=3))
    bring(rig, hold)
    (content,) = contents_of(held(rig, case))
    assert rig.pictures_until(content) == hold.until
    sealed = rig.client.get(rig.names.content(content))
    assert isinstance(sealed, bytes)
    assert is_held(sealed)
    purge_keys(rig)
    rig.clock.advance(timedelta(days=3).total_seconds())
    assert not opens(rig, case)


def test_bringing_it_away_twice_changes_nothing_and_a_longer_hold_counts(rig: Rig) -> None:
    case = rig.raise_alert()
    rig.at_desk(lambda desk: decide(desk, case, MATCH, MATCH))
    short, long = a_hold(rig, case, lasts=timedelta(days=1)), a_hold(rig, case, lasts=timedelta(days=5))
    assert bring(rig, short) == bring(rig, short) == 1
    assert bring(rig, long, short) == 1
    purge_keys(rig)
    (content,) = contents_of(held(rig, case))
    assert rig.pictures_until(content) == long.until
    assert opens(rig, case)


def test_a_hold_on_a_case_that_nobody_knows_keeps_nothing(rig: Rig) -> None:
    assert bring(rig, a_hold(rig, "unknown")) == 0


def test_a_key_that_is_no_holds_is_not_taken_for_one(rig: Rig) -> None:
    until = datetime(2026, 12, 1, tzinfo=UTC)
    spec = keys.held(rig.authority, "c0ffee", until)
    assert keys.held_by_id(rig.authority, spec.id) == spec
    for other in ("evidence", "held/c0ffee", "held/c0ffee/soon"):
        assert keys.held_by_id(rig.authority, f"{DEPLOYMENT}/{other}") is None
