"""What services themselves have told on `counts`, and what somebody else has written there; pure.

Each record on `counts` has a key that says whose it is, and is signed by that service (proof.py). What is not is
passed over, whatever it says, and counted. It never hides what is genuine: of each key the newest genuine record
holds. But Kafka compacts the topic by key, and knows nothing of signatures. What somebody writes under the key of
a process that still runs is followed by what that process writes next. Under the key of one that is gone it stays
the newest, and Kafka deletes the genuine one. So a key whose newest record is not genuine is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from services.contracts import codec, topics
from services.contracts.audit.registry import CLOCKS_APART
from services.contracts.counts import Stage, by_name
from services.contracts.errors import SignpostError
from services.contracts.events import CameraGap, Event, StageCounts
from services.contracts.proof import Proof, Written

# Records that are held until it is looked at who wrote them: the newest of each key are checked first, and most of
# the others then need no check. So many are a few megabytes.
_HELD = 4096

_AS_EMBEDDED = "/as-embedded"
# As keys of ours are; a stranger's key is shown to people, too.
_SHOWN = re.compile(r"[A-Za-z0-9._/-]{1,300}")

Name = TypeVar("Name")
Told = StageCounts | CameraGap
Proven = Callable[[Written, str], Proof | None]
"""The proof of a record, if that service wrote it."""


def key_of(event: Told) -> bytes:
    """The key that an event is written under by who counted it: one an incarnation, so that compaction keeps the
    newest; one a gap."""
    if isinstance(event, CameraGap):
        return f"{event.deployment}/gap/{event.event_id}".encode()
    return f"{event.deployment}/{event.stage}/{event.incarnation}".encode()


def key_as_embedded(event: StageCounts) -> bytes:
    """The key for what embed tells of an ingest: it must not take the place of ingest's own word."""
    return key_of(event) + _AS_EMBEDDED.encode()


def writer_of(event: Told, key: bytes | None) -> str | None:
    """The service that alone may tell this under this key; None if nobody may."""
    stage = Stage.INGEST if isinstance(event, CameraGap) else event.stage
    if stage not in set(Stage):
        return None
    if key == key_of(event):
        return str(stage)
    told_of = isinstance(event, StageCounts) and stage == Stage.INGEST and key == key_as_embedded(event)
    return str(Stage.EMBED) if told_of else None


class _Held(NamedTuple):
    """A record that is not yet looked at; `order` is its place among all that was taken."""

    order: int
    written: Written
    event: Told | None


class _Genuine(NamedTuple):
    order: int
    event: Told
    proof: Proof


class Telling:
    """Of all that lies on `counts`, what the services of one deployment have told. One thread's.

    Take the records in the order of their topic, tombstones among them.
    """

    def __init__(self, deployment: str, proven: Proven) -> None:
        self._deployment = deployment
        self._ours = f"{deployment}/".encode()
        self._proven = proven
        self._taken = 0
        self._held: dict[bytes, list[_Held]] = {}
        self._genuine: dict[bytes, list[_Genuine]] = {}
        self._overwritten: set[bytes] = set()
        self._waiting = 0
        self._foreign = 0

    def take(self, written: Written) -> None:
        """One record; those of other deployments are nothing to us."""
        self._taken += 1
        event = _opened(written.value)
        key = written.key or b""
        if not key.startswith(self._ours):
            self._foreign += event is not None and event.deployment == self._deployment
            return
        self._held.setdefault(key, []).append(_Held(self._taken, written, event))
        self._waiting += 1
        if self._waiting >= _HELD:
            self._settle()

    def events(self) -> list[Told]:
        """What was told, in the order of the topic: of each key the newest, and of the older ones those that say
        more. It adds up to what all of them do."""
        self._settle()
        found = (one for told in self._genuine.values() for one in told)
        return [one.event for one in sorted(found, key=lambda one: one.order)]

    def foreign(self) -> int:
        """Records in our name that no service of ours wrote, of those that could have changed a figure."""
        self._settle()
        return self._foreign

    def overwritten(self) -> Sequence[str]:
        """The keys, without the deployment, whose newest record is not genuine, or is older than one before it."""
        self._settle()
        names = (key[len(self._ours) :].decode(errors="replace") for key in self._overwritten)
        return sorted(name for name in names if _SHOWN.fullmatch(name))

    def _settle(self) -> None:
        held, self._held, self._waiting = self._held, {}, 0
        for key, records in held.items():
            self._take_over(key, records)

    def _take_over(self, key: bytes, records: Sequence[_Held]) -> None:
        """Newest first; what is behind a genuine one and says no more is not checked."""
        before = self._genuine.get(key, [])
        found: list[_Genuine] = []
        newest_is_ours = False
        for one in reversed(records):
            if found and (one.event is None or not _adds(one.event, found)):
                continue
            proof = self._proof(one)
            if proof is None or one.event is None:
                self._foreign += 1
                continue
            newest_is_ours = newest_is_ours or one is records[-1]
            found.append(_Genuine(one.order, one.event, proof))
        kept = [*found, *(one for one in reversed(before) if not found or _adds(one.event, found))]
        if kept:
            self._genuine[key] = kept[::-1]
        # Two processes may write under one key, one after the other, each by its own clock.
        if newest_is_ours and kept[0].proof.at + CLOCKS_APART >= max(one.proof.at for one in (*kept, *before)):
            self._overwritten.discard(key)
        else:
            self._overwritten.add(key)

    def _proof(self, one: _Held) -> Proof | None:
        writer = writer_of(one.event, one.written.key) if one.event is not None else None
        return self._proven(one.written, writer) if writer is not None else None


def _adds(event: Told, to: Iterable[_Genuine]) -> bool:
    """Whether it says anything that the others do not, for who takes the largest of each count."""
    if not isinstance(event, StageCounts):
        return False
    others = [one.event for one in to if isinstance(one.event, StageCounts)]
    if event.final and not any(one.final for one in others):
        return True
    if _exceeds(event.totals, [one.totals for one in others]):
        return True
    # What no single count of several others is above, their sum by name may be.
    return len(others) > 1 and _exceeds(by_name(event.totals), [by_name(one.totals) for one in others])


def _exceeds(counts: Mapping[Name, int], others: Sequence[Mapping[Name, int]]) -> bool:
    return any(value > max((other.get(name, 0) for other in others), default=0) for name, value in counts.items())


def _opened(value: bytes) -> Told | None:
    try:
        event: Event | None = codec.open_clear(codec.peek(value, topic=topics.COUNTS.name)) if value else None
    except SignpostError:
        return None
    return event if isinstance(event, StageCounts | CameraGap) else None
