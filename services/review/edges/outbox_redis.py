"""The outbox in the durable Redis, as the relay reads it; and the counts that lie beside it."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import redis

from services.contracts import codec_audit
from services.contracts.audit.requests import AuditRequested
from services.review.edges.cases_redis import script
from services.review.edges.plan import Names
from services.review.edges.tally import opened
from services.review.edges.vault import HEAD_BYTES, Vault
from services.review.metrics import Stored
from services.runtime.redis_client import as_transient

_WHAT = "outbox"
# What was told and removed is known again for so many events: longer than any replay is worth.
_TOLD = 10_000
_ALL = 1_000_000
# Of what is not ours, kept for whoever looks into it.
_REFUSED = 1_000


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An encoded event that waits for Kafka. `id` is the stream's own: milliseconds first."""

    id: str
    case: str
    event: bytes = field(repr=False)

    @property
    def written_ms(self) -> int:
        return int(self.id.partition("-")[0])

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.event).digest()


class RedisOutbox:
    """One thread's. Raises Transient.

    Numbers of audit requests are this process's own, under a producer's name of its own, and nothing in the store
    can take them back: what lies there is only who asked for what first, so that a relay that takes over sends it
    again to the byte.
    """

    def __init__(self, client: redis.Redis, names: Names, vault: Vault) -> None:
        self._client = client
        self._names = names
        self._vault = vault
        self._lease = client.register_script(script("lease"))
        self._minutes = client.register_script(script("minutes"))
        self._told: OrderedDict[bytes, None] = OrderedDict()
        self._begin()

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
        """The next entries in order. What is not ours, or was told already, is put aside."""
        if not self._vault.knows():
            return []
        with as_transient(_WHAT):
            found = self._client.xrange(self._names.outbox, count=limit) or ()
        read = [(_text(entry), self._read(_text(entry), fields)) for entry, fields in found]
        self._put_aside([(entry, found[at][1]) for at, (entry, ours) in enumerate(read) if ours is None])
        entries = [ours for _, ours in read if ours is not None]
        if not self._asked.keys() <= {entry.id for entry in entries}:
            # One that has its number is gone, told by another relay or deleted: the number may never be sent.
            self._begin()
        return entries

    def remove(self, entries: list[Entry]) -> None:
        """They are in Kafka."""
        with as_transient(_WHAT), self._client.pipeline(transaction=True) as pipe:
            pipe.xdel(self._names.outbox, *(entry.id for entry in entries))
            pipe.hdel(self._names.minutes, *(entry.id for entry in entries))
            pipe.execute()
        for entry in entries:
            self._asked.pop(entry.id, None)
            self._told[entry.digest] = None
        while len(self._told) > _TOLD:
            self._told.popitem(last=False)

    @property
    def producer(self) -> str:
        """Under which this process's next requests are numbered."""
        return self._producer

    def minuted(self, entry: Entry, requests: Sequence[AuditRequested]) -> list[AuditRequested]:
        """The audit requests of the entry, numbered: those of whoever asked first, to all who ask after.

        Empty where it has left the outbox: whoever removed it has sent them.
        """
        if entry.id not in self._asked:
            try:
                self._asked[entry.id] = self._agreed(entry, self._numbered(requests))
            except BaseException:
                # Whether these numbers are taken is not known: nobody can count on from there.
                self._begin()
                raise
        return self._asked[entry.id]

    def waiting(self) -> tuple[int, int | None]:
        """How many entries wait, and when the oldest was written (ms since 1970)."""
        with as_transient(_WHAT):
            entries = self._client.xlen(self._names.outbox)
            first = self._client.xrange(self._names.outbox, count=1)
        return entries, int(_text(first[0][0]).partition("-")[0]) if first else None

    def counts(self) -> tuple[Mapping[str, Mapping[str, int]], int]:
        """What each process has counted here, by its name; and how many events wait at that moment."""
        with as_transient(_WHAT), self._client.pipeline(transaction=True) as pipe:
            pipe.hgetall(self._names.counts)
            pipe.xlen(self._names.outbox)
            found, waiting = pipe.execute()
        sums = {
            _text(writer): opened(self._vault, self._names.counts, _text(writer), raw)
            for writer, raw in found.items()
        }
        return {writer: one.totals for writer, one in sums.items() if one is not None}, waiting

    def refuse_counts(self) -> None:
        """A process's counts went back: an earlier value was put in their place."""
        self._vault.refuse(Stored.COUNTS)

    def _begin(self) -> None:
        """Another producer's name, from number 1: as if this process had just begun."""
        self._producer = f"review/cases-{secrets.token_hex(8)}"
        self._last = 0
        self._asked: dict[str, list[AuditRequested]] = {}

    def _numbered(self, requests: Sequence[AuditRequested]) -> list[AuditRequested]:
        first = self._last + 1
        return [
            replace(one, producer=self._producer, sequence=first + place) for place, one in enumerate(requests)
        ]

    def _agreed(self, entry: Entry, ours: list[AuditRequested]) -> list[AuditRequested]:
        """Ours, or those of who was first; what lies there and is nobody's is written over."""
        name = self._names.requests(entry.id)
        raw = self._vault.seal(name, codec_audit.encode_contents(ours), until=None) if ours else b""
        overruled = b""
        while True:
            with as_transient(_WHAT):
                answer = self._minutes(
                    keys=[self._names.outbox, self._names.minutes], args=[entry.id, raw, overruled]
                )
            if not answer:
                return []
            if answer == raw:
                self._last += len(ours)
                return ours
            found = self._vault.open(Stored.REQUESTS, name, answer)
            if found is not None:
                return codec_audit.read_contents(found.plain)
            overruled = answer[:HEAD_BYTES]

    def _read(self, entry: str, fields: Mapping[bytes | str, bytes | str] | None) -> Entry | None:
        """The entry; None for one that none of us wrote, or that was told and removed before."""
        held = {_text(name): raw for name, raw in (fields or {}).items()}
        case = _text(held.get("case", b""))
        found = self._vault.open(Stored.EVENT, self._names.event(case), held.get("event", b""))
        if found is None:
            return None
        read = Entry(id=entry, case=case, event=found.plain)
        if read.digest in self._told:
            self._vault.refuse(Stored.EVENT)
            return None
        return read

    def _put_aside(self, entries: Sequence[tuple[str, Mapping[bytes | str, bytes | str] | None]]) -> None:
        if not entries:
            return
        with as_transient(_WHAT):
            if not self._refused_takes(entries):
                # Somebody put another type there, or an entry with the highest id: no later one would be taken.
                self._vault.refuse(Stored.INDEX)
                self._client.delete(self._names.refused)
                self._refused_takes(entries)
            self._client.xdel(self._names.outbox, *(entry for entry, _ in entries))

    def _refused_takes(self, entries: Sequence[tuple[str, Mapping[bytes | str, bytes | str] | None]]) -> bool:
        """Whether the refused stream took all of them; it takes none after its end."""
        with self._client.pipeline(transaction=True) as pipe:
            for _, fields in entries:
                pipe.xadd(self._names.refused, dict(fields or {"empty": b""}), maxlen=_REFUSED)  # type: ignore[arg-type]
            try:
                pipe.execute()
            except redis.ResponseError as error:
                if "WRONGTYPE" in str(error) or "exhausted" in str(error):
                    return False
                raise
        return True


def tidy(durable: redis.Redis, names: Names, vault: Vault) -> None:
    """Put aside what is not ours, before a purge takes the key that tells: it must not count as left behind."""
    RedisOutbox(durable, names, vault).oldest(_ALL)


def undelivered(durable: redis.Redis, names: Names) -> int:
    """How many entries the outbox holds; a value of another type is no outbox."""
    with as_transient(_WHAT):
        kind = durable.type(names.outbox)
        return int(durable.xlen(names.outbox)) if kind in (b"stream", "stream") else 0


def _text(raw: object) -> str:
    """Others may have written it: what is no text is nobody's name."""
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
