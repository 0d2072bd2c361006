"""Who is connected, who is waited for, and who has to go so that the next may come in.

A full house refuses nobody who can be given a place: the connection that has kept us waiting longest is closed
for the new one. So a client that speaks is answered, however many there are that say nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol


class Waits(StrEnum):
    """What a connection owes us. One that is being served owes nothing."""

    HANDSHAKE = "handshake"
    HEAD = "head"
    BODY = "body"
    READER = "reader"
    IDLE = "idle"


class Left(StrEnum):
    """Why a connection was closed by us, or never taken."""

    HANDSHAKE = "handshake"
    HEAD = "head"
    BODY = "body"
    READER = "reader"
    IDLE = "idle"
    MADE_ROOM = "made_room"
    REFUSED = "refused"


@dataclass(frozen=True)
class Waiting:
    """For what, and since when (monotonic seconds)."""

    what: Waits
    since_s: float


# Each protects the process from connections that end only when their client wants them to. A browser on a slow
# line sends a head or a body in a second or two; at 0 nobody would get in.
WITHIN_S: Mapping[Waits, float] = MappingProxyType(
    {Waits.HANDSHAKE: 5.0, Waits.HEAD: 10.0, Waits.BODY: 10.0, Waits.READER: 10.0, Waits.IDLE: 300.0}
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Connections at once, in total and of one peer, and for how long each thing is waited for."""

    connections: int
    per_peer: int
    within_s: Mapping[Waits, float] = field(default_factory=lambda: WITHIN_S)


class Guest(Protocol):
    """One connection. All on the thread that owns the house."""

    @property
    def peer(self) -> str:
        """Whose it is: an address, or a network that one party is given."""
        ...

    def waiting(self) -> Waiting | None:
        """What it keeps us waiting for; None while it is being served."""
        ...

    def leave(self) -> None:
        """Close at once, whatever is in hand. Never blocks; harmless if it is closed."""
        ...


class House:
    """The connections of one listening socket. Its owner's thread only."""

    def __init__(
        self,
        limits: Limits,
        *,
        now: Callable[[], float],
        is_shared: Callable[[str], bool] = lambda peer: False,
        on_left: Callable[[Left], None] = lambda why: None,
    ) -> None:
        """`is_shared`: many stand behind this peer (a trusted proxy): it has no limit of its own."""
        self._limits = limits
        self._now = now
        self._is_shared = is_shared
        self._on_left = on_left
        self._guests: set[Guest] = set()

    def __len__(self) -> int:
        return len(self._guests)

    def enter(self, guest: Guest) -> bool:
        """Give it a place, if need be another's; False if all who are here are being served."""
        if not (self._place_for_peer(guest.peer) and self._place()):
            self._on_left(Left.REFUSED)
            return False
        self._guests.add(guest)
        return True

    def gone(self, guest: Guest) -> None:
        """It has ended. Harmless if it was shown out."""
        self._guests.discard(guest)

    def make_room(self) -> bool:
        """Show out whoever has kept us waiting longest, of the peer with the most connections."""
        numbers = Counter(guest.peer for guest in self._guests)
        return self._show_out(self._guests, weight=lambda guest: numbers[guest.peer])

    def sweep(self) -> None:
        """Close what has been waited for too long."""
        now = self._now()
        for guest in tuple(self._guests):
            waiting = guest.waiting()
            if waiting is not None and now - waiting.since_s > self._limits.within_s[waiting.what]:
                self._close(guest, Left(waiting.what))

    def close(self) -> None:
        """Everybody out."""
        for guest in tuple(self._guests):
            self._guests.discard(guest)
            guest.leave()

    def _place_for_peer(self, peer: str) -> bool:
        if self._is_shared(peer):
            return True
        theirs = [guest for guest in self._guests if guest.peer == peer]
        return len(theirs) < self._limits.per_peer or self._show_out(theirs)

    def _place(self) -> bool:
        return len(self._guests) < self._limits.connections or self.make_room()

    def _show_out(self, among: Iterable[Guest], *, weight: Callable[[Guest], int] = lambda guest: 0) -> bool:
        waited = [(weight(guest), -one.since_s, guest) for guest in among if (one := guest.waiting()) is not None]
        if not waited:
            return False
        self._close(max(waited, key=lambda one: one[:2])[2], Left.MADE_ROOM)
        return True

    def _close(self, guest: Guest, why: Left) -> None:
        self._guests.discard(guest)
        self._on_left(why)
        guest.leave()
