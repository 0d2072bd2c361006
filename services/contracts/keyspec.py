"""How a key is described, whatever it protects: its id, where its parts lie, when it must be gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Where(StrEnum):
    """VOLATILE: the Redis that never persists. STORE: the key folder, Kubernetes secrets or a KMS."""

    VOLATILE = "volatile"
    STORE = "store"


@dataclass(frozen=True)
class KeyPart:
    """One random part; the store that holds it enforces `expires_at`."""

    id: str
    where: Where
    expires_at: datetime


@dataclass(frozen=True)
class KeySpec:
    """A key: one part, or several that are combined (HKDF) so that losing any one destroys it."""

    id: str
    parts: tuple[KeyPart, ...]

    @property
    def expires_at(self) -> datetime:
        return min(part.expires_at for part in self.parts)
