"""The outbox in the durable Redis, as the relay reads it; and the counts that lie beside it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import redis

from services.contracts import codec_audit
from services.contracts.audit.requests import AuditRequested
from services.review.edges.cases_redis import script
from services.review.edges.plan import Names
from services.runtime.redis_client import as_transient

_WHAT = "outbox"
_INCARNATION = "incarnation"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An encoded event that waits for Kafka. `id` is the stream's own: milliseconds first."""

    id: str
    case: str
    event: bytes = field(repr=False)

    @property
    def written_ms(self) -> int:
        return int(self.id.partition("-")[0])


class RedisOutbox:
    """One thread's. Raises Transient."""

    def __init__(self, client: redis.Redis, names: Names) -> None:
        self._client = client
        self._names = names
        self._lease = client.register_script(script("lease"))
        self._minutes = client.register_script(script("minutes"))

    def lease(self, holder: str, *, lasts_s: float) -> bool:
        """Take or keep the relay's lease. Whoever has it works; see relay.py why two at once do no harm."""
        with as_transient(_WHAT):
            return bool(self._lease(keys=[self._names.relay], args=[holder, int(lasts_s * 1000)]))

    def release(self, holder: str) -> None:
        """Let another take over at once."""
        with as_transient(_WHAT):
            if self._client.get(self._names.relay) == holder.encode():
                self._client.delete(self._names.relay)

    def oldest(self, limit: int) -> list[Entry]:
        """The next entries in order."""
        with as_transient(_WHAT):
            found = self._client.xrange(self._names.outbox, count=limit)
        return [_entry(entry, fields) for entry, fields in found or ()]

    def remove(self, entries: list[Entry]) -> None:
        """They are in Kafka."""
        told = [f"{entry.id}/{field}" for entry in entries for field in ("first", "requests")]
        with as_transient(_WHAT), self._client.pipeline(transaction=True) as pipe:
            pipe.xdel(self._names.outbox, *(entry.id for entry in entries))
            pipe.hdel(self._names.minutes, *told)
            pipe.execute()

    def minuted(self, entry: Entry, requests: Sequence[AuditRequested]) -> list[AuditRequested]:
        """The audit requests of the entry, numbered: those of whoever asked first, to all who ask after.

        Empty where it has left the outbox: whoever removed it has sent them.
        """
        raw = codec_audit.encode_contents(requests)
        with as_transient(_WHAT):
            answer = self._minutes(
                keys=[self._names.outbox, self._names.minutes], args=[entry.id, len(requests), raw]
            )
        if not answer:
            return []
        first, said = answer
        found = codec_audit.read_contents(said)
        return [replace(one, sequence=first + place) for place, one in enumerate(found)]

    def incarnation(self) -> str:
        """The store's own name: who numbers by it goes on where the last one was, whatever process that was."""
        return self.counts()[0]

    def waiting(self) -> tuple[int, int | None]:
        """How many entries wait, and when the oldest was written (ms since 1970)."""
        with as_transient(_WHAT):
            entries = self._client.xlen(self._names.outbox)
            first = self._client.xrange(self._names.outbox, count=1)
        return entries, int(_text(first[0][0]).partition("-")[0]) if first else None

    def counts(self) -> tuple[str, Mapping[str, int]]:
        """The deployment's counts in review, and the name of their incarnation: that of the store itself."""
        with as_transient(_WHAT):
            self._client.hsetnx(self._names.counts, _INCARNATION, f"cases-{secrets.token_hex(4)}")
            found = {_text(name): _text(held) for name, held in self._client.hgetall(self._names.counts).items()}
        incarnation = found.pop(_INCARNATION)
        return incarnation, {name: int(held) for name, held in found.items()}


def _entry(entry: object, fields: Mapping[bytes | str, bytes | str] | None) -> Entry:
    held = {_text(name): raw for name, raw in (fields or {}).items()}
    event = held["event"]
    if not isinstance(event, bytes):
        raise TypeError("the client must not decode responses: an event is bytes")
    return Entry(id=_text(entry), case=_text(held["case"]), event=event)


def _text(raw: object) -> str:
    return raw.decode() if isinstance(raw, bytes) else str(raw)
