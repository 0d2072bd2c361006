"""What match needs of the world outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.contracts.counts import Expired
from services.contracts.keyspec import KeySpec
from services.match.core.matrix import ListMatrix


class Keys(Protocol):
    """The keys of faces and alerts. Any thread; each call may block on a store, and raises Transient with it."""

    def find(self, spec: KeySpec) -> bytes | Expired:
        """The key to open with, or why it is gone."""
        ...

    def find_once(self, specs: Sequence[KeySpec]) -> Mapping[str, bytes | Expired]:
        """As `find` for each, by the specs' ids, in one call a store: keys to open one thing each with."""
        ...

    def mint(self, spec: KeySpec) -> bytes:
        """The key to seal with, made if nobody has. Raises Permanent when its time is over."""
        ...

    def destroy(self, specs: Sequence[KeySpec]) -> int:
        """Destroy these, in one call a store; how many were there."""
        ...


class CurrentList(Protocol):
    """The list that is searched now."""

    def current(self) -> ListMatrix | None:
        """The list, once it was admitted and while it stands. Never blocks; any thread."""
        ...


class ListStore(Protocol):
    """Where the one list lies sealed that the authority names. Every call may block and raise Transient."""

    def there(self) -> bool:
        """Whether the authority's list lies there."""
        ...

    def load(self) -> ListMatrix:
        """That list, opened and checked. Raises NotAdmitted, or Permanent if it is not there or cannot be read."""
        ...

    def recheck(self) -> None:
        """Whether those who sealed a loaded list still count. Raises NotAdmitted when one does not any more."""
        ...
