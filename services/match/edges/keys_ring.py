"""The keys port on the keyring: why a key is gone becomes one of the two words that are counted."""

from __future__ import annotations

from collections.abc import Sequence

from services.contracts import counts
from services.contracts.keyspec import KeySpec
from services.runtime.keys.ring import Expired, Found, Keyring, Lost


class RingKeys:
    """`Keys` over a Keyring. Any thread."""

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring

    def find(self, spec: KeySpec) -> bytes | counts.Expired:
        return _counted(self._ring.find(spec))

    def find_once(self, specs: Sequence[KeySpec]) -> dict[str, bytes | counts.Expired]:
        return {key_id: _counted(found) for key_id, found in self._ring.find_once(specs).items()}

    def mint(self, spec: KeySpec) -> bytes:
        return self._ring.mint(spec)

    def destroy(self, specs: Sequence[KeySpec]) -> int:
        return self._ring.destroy(specs)


def _counted(found: Found | Expired | Lost) -> bytes | counts.Expired:
    match found:
        case Found(key):
            return key
        case Expired():
            return counts.Expired.LATE
        case Lost():
            return counts.Expired.KEY_LOST
