"""What is captured in one epoch has the real guards, in the next null ones, and all processes decide alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from services.contracts import keys
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authority import Authority
from services.contracts.errors import Tampered
from services.contracts.keyspec import KeySpec
from services.runtime.keys.ring import Found
from tests.builders import an_authority_of
from tests.fakes.clock import A_MORNING, ManualClock
from tests.fakes.keys import FakeKeys
from tests.fakes.nulls import NULL_KEY
from tests.fakes.standing import OpenStanding
from tests.load.meter import Meter
from tests.load.overhead_guards import WINDOW_S, AlternatingCipher, AlternatingRing, AlternatingStanding, is_on

AUTHORITY = an_authority_of(f"""
deployment: high-street
use_case: exercise
purpose: a test
cameras: [{{id: gate-1, source: folder, address: /dev/null}}]
window: {{start: "{A_MORNING - timedelta(hours=1)}", end: "{A_MORNING + timedelta(hours=1)}"}}
watchlist: {{name: blue, max_entries: 10, score_kind: raw, thresholds: {{1: 0.5}}}}
""")
ON = A_MORNING + timedelta(seconds=1)
OFF = ON + timedelta(seconds=WINDOW_S)


def frame(authority: Authority, at: datetime) -> KeySpec:
    return keys.frame(authority, at)


def face(authority: Authority, at: datetime) -> KeySpec:
    return keys.face(authority, "face-1", at)


@pytest.fixture
def volatile() -> FakeKeys:
    return FakeKeys(ManualClock())


def a_ring(volatile: FakeKeys) -> AlternatingRing:
    """A process' own, over the store that all share."""
    return AlternatingRing(volatile, volatile, ManualClock(), Meter())


def test_a_window_is_as_long_as_an_epoch_of_the_frames_and_on_and_off_in_turn() -> None:
    assert AUTHORITY.retention.frame_epoch_s == WINDOW_S
    found = [is_on(ON + timedelta(seconds=WINDOW_S * number)) for number in range(4)]
    assert found == [True, False, True, False]


@pytest.mark.parametrize("spec", [frame, face])
def test_keys_are_real_in_one_epoch_and_null_in_the_next(
    volatile: FakeKeys, spec: Callable[[Authority, datetime], KeySpec]
) -> None:
    on, off = spec(AUTHORITY, ON), spec(AUTHORITY, OFF)
    minted = a_ring(volatile).mint(on)

    assert minted != NULL_KEY
    assert a_ring(volatile).find(on) == Found(minted)
    assert a_ring(volatile).mint(off) == NULL_KEY
    assert a_ring(volatile).find(off) == Found(NULL_KEY)


def test_only_real_keys_are_destroyed_in_their_store(volatile: FakeKeys) -> None:
    a_ring(volatile).mint(face(AUTHORITY, ON))

    assert a_ring(volatile).destroy([face(AUTHORITY, ON), face(AUTHORITY, OFF)]) == 2

    assert volatile.lives_s("") == []


def test_the_list_is_opened_by_its_real_key_in_any_epoch(volatile: FakeKeys) -> None:
    assert a_ring(volatile).mint(keys.watchlist(AUTHORITY)) != NULL_KEY


def test_the_cipher_hides_what_has_a_real_key_and_only_that() -> None:
    cipher, key = AlternatingCipher(Meter()), bytes([1] * 32)
    sealed = cipher.seal(key, b"a face", b"")

    assert b"a face" not in sealed
    assert cipher.open(key, sealed, b"") == b"a face"
    with pytest.raises(Tampered):
        cipher.open(key, sealed, b"moved")
    assert cipher.seal(NULL_KEY, b"a face", b"") == b"a face"
    assert cipher.open(NULL_KEY, b"a face", b"moved") == b"a face"


def test_the_authority_is_asked_about_captures_of_one_epoch_and_not_of_the_next() -> None:
    real = OpenStanding(AUTHORITY, lambda: A_MORNING)
    real.why = Refusal.LEASE_STALE
    standing = AlternatingStanding(real, Meter())

    assert standing.refusal("gate-1", deployment="high-street", at=ON) is Refusal.LEASE_STALE
    assert standing.refusal("gate-1", deployment="high-street", at=OFF) is None
