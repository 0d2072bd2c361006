"""What is over for good, marked where those who write to the durable Redis cannot reach."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime

from services.contracts import keys
from services.contracts.authority import Authority
from services.runtime.keys.port import DeadlinePassed
from services.runtime.keys.ring import Found, Keyring

# What this process has marked or seen marked: so many need no second look.
_REMEMBERED = 10_000


class Past:
    """Marks in the key store: one that is there says that a value must not be believed again. Any thread; blocks.

    A genuine value of an earlier time opens as well as the newest. So whoever makes a case's next turn, or ends a
    session, leaves a mark, which lives as long as the value could. Raises Transient with the key store.
    """

    def __init__(self, authority: Authority, ring: Keyring) -> None:
        self._authority = authority
        self._ring = ring
        self._end = keys.review_store(authority).expires_at
        self._lock = threading.Lock()
        self._known: OrderedDict[str, None] = OrderedDict()

    def mark(self, what: str, *, until: datetime | None) -> None:
        """From now on `what` is over, until its value ends by itself; None: for as long as any value may last."""
        if self.remembers(what):
            return
        spec = keys.past(self._authority, what, self._end if until is None else until)
        try:
            self._ring.mint_once([spec])
        except DeadlinePassed:
            return  # the value has ended by itself
        self._remember(what)

    def over(self, what: str) -> bool:
        """Whether it is: asked of the store each time, for another instance may have marked it."""
        if self.remembers(what):
            return True
        spec = keys.past(self._authority, what, self._end)
        if not isinstance(self._ring.find_once([spec])[spec.id], Found):
            return False
        self._remember(what)
        return True

    def remembers(self, what: str) -> bool:
        """Whether this process knows that it is; asks no store."""
        with self._lock:
            return what in self._known

    def _remember(self, what: str) -> None:
        with self._lock:
            self._known[what] = None
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


def turn(case: str, number: int) -> str:
    """A case's turn, as it is marked."""
    return f"{case}/{number}"


def session(name: str) -> str:
    """A sign-in, by its name in the store; shortened to what a key's name may hold."""
    return f"session/{name[:32]}"
