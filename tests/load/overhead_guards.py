"""The real guards in every other epoch and null ones between, both with their processor time counted.

Which of the two is told from the time of capture alone: so every process decides alike, nothing has to be told to
them, and a frame is opened as it was sealed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from services.contracts.authorisation.gate import Gate
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authority import Retention
from services.contracts.keyspec import KeySpec
from services.contracts.standing import Standing
from services.runtime.clock import Clock
from services.runtime.guards import Guards
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.port import Cipher, KeyStore
from services.runtime.keys.ring import Expired, Found, Keyring, Lost
from tests.fakes.nulls import NULL_KEY, NullCipher, NullRing, NullStanding
from tests.load.meter import Meter, Part

# Frames of one epoch have one key, so nothing finer could be told apart.
WINDOW_S = Retention().frame_epoch_s
METERS = Path(__file__).parents[2] / "build" / "overhead"
_FACE_KEY_LIVES = timedelta(seconds=Retention().frame_s + Retention().face_s)


def is_on(at: datetime) -> bool:
    """Whether what was captured then has the real guards."""
    return int(at.timestamp()) // WINDOW_S % 2 == 0


def alternating(name: str) -> Guards:
    """The guards of one process, whose time is written below METERS."""
    meter = Meter()
    meter.write_on(METERS / f"{name}-{os.getpid()}.jsonl")
    fold = Gate.fold
    # Leases are followed in either epoch: without them nothing would stand when the next one begins.
    patch.object(Gate, "fold", lambda *known: meter.timed(Part.RECORDS, fold, *known)).start()

    def keyring(volatile: KeyStore, store: KeyStore, clock: Clock) -> Keyring:
        return AlternatingRing(volatile, store, clock, meter)

    return Guards(
        cipher=AlternatingCipher(meter),
        keyring=keyring,
        standing=lambda real: AlternatingStanding(real, meter),
    )


class AlternatingCipher:
    """`Cipher`: the null one for the null ring's key."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._on, self._off = AesGcm(), NullCipher()

    def seal(self, key: bytes, plaintext: bytes, aad: bytes) -> bytes:
        return self._meter.timed(Part.CIPHER, self._of(key).seal, key, plaintext, aad)

    def open(self, key: bytes, sealed: bytes, aad: bytes) -> bytes:
        return self._meter.timed(Part.CIPHER, self._of(key).open, key, sealed, aad)

    def _of(self, key: bytes) -> Cipher:
        return self._off if key == NULL_KEY else self._on


class AlternatingRing(Keyring):
    """The null ring for keys of frames, faces and alerts of every other epoch; the real one for all else."""

    def __init__(self, volatile: KeyStore, store: KeyStore, clock: Clock, meter: Meter) -> None:
        super().__init__(volatile, store, clock)
        self._meter = meter
        self._off = NullRing(volatile, store, clock)

    def mint(self, spec: KeySpec) -> bytes:
        return self._meter.timed(Part.KEYS, super().mint if _is_on(spec) else self._off.mint, spec)

    def mint_once(self, specs: Sequence[KeySpec]) -> dict[str, bytes]:
        return self._meter.timed(Part.KEYS, self._mint_once, specs)

    def find(self, spec: KeySpec) -> Found | Expired | Lost:
        return self._meter.timed(Part.KEYS, super().find if _is_on(spec) else self._off.find, spec)

    def find_once(self, specs: Sequence[KeySpec]) -> dict[str, Found | Expired | Lost]:
        return self._meter.timed(Part.KEYS, self._find_once, specs)

    def destroy(self, specs: Sequence[KeySpec]) -> int:
        return self._meter.timed(Part.KEYS, self._destroy, specs)

    def _mint_once(self, specs: Sequence[KeySpec]) -> dict[str, bytes]:
        real = [spec for spec in specs if _is_on(spec)]
        others = self._off.mint_once([spec for spec in specs if not _is_on(spec)])
        return others | (super().mint_once(real) if real else {})

    def _find_once(self, specs: Sequence[KeySpec]) -> dict[str, Found | Expired | Lost]:
        real = [spec for spec in specs if _is_on(spec)]
        others = self._off.find_once([spec for spec in specs if not _is_on(spec)])
        return others | (super().find_once(real) if real else {})

    def _destroy(self, specs: Sequence[KeySpec]) -> int:
        real = [spec for spec in specs if _is_on(spec)]
        return len(specs) - len(real) + (super().destroy(real) if real else 0)


def _is_on(spec: KeySpec) -> bool:
    kind, _, name = spec.id.partition("/")[2].partition("/")
    match kind:
        case "frame":
            return int(name) % 2 == 0
        case "face":
            return is_on(spec.expires_at - _FACE_KEY_LIVES)
        case "alert":
            return is_on(datetime.now(UTC))
    return True


class AlternatingStanding:
    """`Standing`: what is asked of a capture by its time, all else by the time of day."""

    def __init__(self, real: Standing, meter: Meter) -> None:
        self._meter = meter
        self._on, self._off = real, NullStanding()

    def standing(self) -> Refusal | None:
        return self._meter.timed(Part.CHECKS, self._now().standing)

    def refusal(self, camera: str, /, *, deployment: str, at: datetime) -> Refusal | None:
        asked: Standing = self._on if is_on(at) else self._off
        return self._meter.timed(Part.CHECKS, asked.refusal, camera, deployment=deployment, at=at)

    def refusal_of_alert(
        self,
        *,
        deployment: str,
        camera: str,
        captured_at: datetime,
        searched_at: datetime,
        list_digest: str,
        tokens: frozenset[str],
    ) -> Refusal | None:
        return self._on.refusal_of_alert(
            deployment=deployment,
            camera=camera,
            captured_at=captured_at,
            searched_at=searched_at,
            list_digest=list_digest,
            tokens=tokens,
        )

    def revoked(self, list_digest: str, /) -> frozenset[str]:
        return self._meter.timed(Part.CHECKS, self._now().revoked, list_digest)

    def _now(self) -> Standing:
        return self._on if is_on(datetime.now(UTC)) else self._off
