"""What keeps records shut and searches within their authority: handed to `build`, and chosen by no setting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from services.contracts.standing import Standing
from services.runtime.clock import Clock
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.port import Cipher, KeyStore
from services.runtime.keys.ring import Keyring


def _itself(standing: Standing) -> Standing:
    return standing


@dataclass(frozen=True)
class Guards:
    """The real ones. Only a benchmark under tests/ makes others, to hold these against; no service does."""

    cipher: Cipher = field(default_factory=AesGcm)
    keyring: Callable[[KeyStore, KeyStore, Clock], Keyring] = Keyring
    standing: Callable[[Standing], Standing] = _itself


REAL = Guards()
