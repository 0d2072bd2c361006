"""The keys a process has in hand: minted or found in their stores, kept until their deadline."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.contracts.keyspec import KeySpec, Where
from services.runtime.clock import Clock
from services.runtime.keys.cipher import Key
from services.runtime.keys.derive import derive
from services.runtime.keys.port import DeadlinePassed, KeyStore

# How long a writer goes on with a cached key before asking its store again. A store that lost its
# keys costs what was sealed meanwhile; at 0 each message costs a round trip.
CONFIRM_EVERY_S = 1.0


@dataclass(frozen=True)
class Found:
    """The key is there."""

    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Expired:
    """Its deadline has passed: a normal outcome."""


@dataclass(frozen=True)
class Lost:
    """Its deadline has not passed and yet it is gone: destroyed on purpose, or lost with its store."""

    where: Where


@dataclass
class _Held:
    key: bytes = field(repr=False)
    expires_at_s: float
    confirmed_s: float


class Keyring:
    """Keys by spec, over the two stores. Any thread: a lock guards the cache, never held over a store.

    A cached key is dropped at its deadline by the next call of any method; an idle process calls
    `drop_expired`. Blocks only on the stores, and raises Transient with them.
    """

    def __init__(
        self,
        volatile: KeyStore,
        store: KeyStore,
        clock: Clock,
        *,
        max_cached: int = 4096,
    ) -> None:
        self._stores: Mapping[Where, KeyStore] = {Where.VOLATILE: volatile, Where.STORE: store}
        self._clock = clock
        self._max_cached = max_cached
        self._lock = threading.Lock()
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._earliest_s = math.inf  # no held key expires before; spares a look at each of them

    def mint(self, spec: KeySpec) -> bytes:
        """The key to seal with, made if nobody has; every process that asks gets the same one.

        A cached key is confirmed with its stores every second. Raises DeadlinePassed.
        """
        now_s = self._now_s()
        if now_s >= spec.expires_at.timestamp():
            raise DeadlinePassed
        held = self._cached(spec, now_s)
        if held and now_s - held.confirmed_s < CONFIRM_EVERY_S:
            return held.key
        parts = [
            self._stores[part.where].get_or_create(part.id, expires_at=part.expires_at) for part in spec.parts
        ]
        key = _whole(spec, parts)
        self._keep(spec, key, now_s)
        return key

    def mint_once(self, specs: Sequence[KeySpec]) -> dict[str, bytes]:
        """Keys to seal one thing each with, by their specs' ids: minted together, and not kept here.

        A spec whose deadline has passed is left out.
        """
        wanted: dict[Where, dict[str, datetime]] = {}
        for part in (part for spec in specs for part in spec.parts):
            wanted.setdefault(part.where, {})[part.id] = part.expires_at
        made: dict[str, bytes] = {}
        for where, ids in wanted.items():
            made |= self._stores[where].get_or_create_many(ids)
        return {
            spec.id: _whole(spec, [made[part.id] for part in spec.parts])
            for spec in specs
            if all(part.id in made for part in spec.parts)
        }

    def find(self, spec: KeySpec) -> Found | Expired | Lost:
        """The key to open with; makes none."""
        now_s = self._now_s()
        if now_s >= spec.expires_at.timestamp():
            return Expired()
        held = self._cached(spec, now_s)
        if held:
            return Found(held.key)
        read = {part.id: self._stores[part.where].get(part.id) for part in spec.parts}
        # Asked again: the deadline may have passed, and the store kept it, while we asked.
        now_s = self._now_s()
        found = _told(spec, read, now_s)
        if isinstance(found, Found):
            self._keep(spec, found.key, now_s)
        return found

    def find_once(self, specs: Sequence[KeySpec]) -> dict[str, Found | Expired | Lost]:
        """As `find` for each, by the specs' ids: asked together, to open one thing with, and not kept here."""
        now_s = self._now_s()
        wanted: dict[Where, list[str]] = {}
        for part in (part for spec in specs if now_s < spec.expires_at.timestamp() for part in spec.parts):
            wanted.setdefault(part.where, []).append(part.id)
        read: dict[str, bytes] = {}
        for where, ids in wanted.items():
            read |= self._stores[where].get_many(ids)
        now_s = self._now_s()
        return {spec.id: _told(spec, read, now_s) for spec in specs}

    def destroy(self, specs: Sequence[KeySpec]) -> int:
        """Destroy these keys in their stores and here; how many were there.

        Of several parts the one with the earliest deadline goes: the others may belong to more keys.
        """
        self.forget(specs)
        by_store: dict[Where, list[str]] = {}
        for spec in specs:
            part = min(spec.parts, key=lambda part: part.expires_at)
            by_store.setdefault(part.where, []).append(part.id)
        return sum(self._stores[where].destroy(*ids) for where, ids in by_store.items())

    def forget(self, specs: Sequence[KeySpec]) -> None:
        """Drop these from the cache only: the next call asks the stores. Call it after OtherKey."""
        with self._lock:
            for spec in specs:
                self._held.pop(spec.id, None)

    def drop_expired(self) -> None:
        """Drop every cached key whose deadline has passed. For a loop with nothing to do."""
        now_s = self._now_s()
        with self._lock:
            self._drop_expired(now_s)

    def _now_s(self) -> float:
        return self._clock.now().timestamp()

    def _cached(self, spec: KeySpec, now_s: float) -> _Held | None:
        """What is in hand and not past its deadline."""
        with self._lock:
            self._drop_expired(now_s)
            held = self._held.get(spec.id)
            if held:
                self._held.move_to_end(spec.id)
            return held

    def _drop_expired(self, now_s: float) -> None:
        if now_s < self._earliest_s:
            return
        for key_id in [key_id for key_id, held in self._held.items() if now_s >= held.expires_at_s]:
            del self._held[key_id]
        self._earliest_s = min((held.expires_at_s for held in self._held.values()), default=math.inf)

    def _keep(self, spec: KeySpec, key: bytes, now_s: float) -> None:
        with self._lock:
            self._held[spec.id] = _Held(key, spec.expires_at.timestamp(), now_s)
            self._held.move_to_end(spec.id)
            self._earliest_s = min(self._earliest_s, spec.expires_at.timestamp())
            while len(self._held) > self._max_cached:
                self._held.popitem(last=False)


def _told(spec: KeySpec, read: Mapping[str, bytes | None], now_s: float) -> Found | Expired | Lost:
    """The key of these parts as the stores gave them, or why there is none."""
    if now_s >= spec.expires_at.timestamp():
        return Expired()
    parts: list[bytes] = []
    for part in spec.parts:
        found = read.get(part.id)
        if found is None:
            return Lost(part.where)
        parts.append(found)
    return Found(_whole(spec, parts))


def _whole(spec: KeySpec, parts: Sequence[bytes]) -> Key:
    return Key(parts[0] if len(parts) == 1 else derive(*parts, info=spec.id))
