"""Review on a real Redis, with alerts handed in as Kafka would, and people at its desk."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import redis.asyncio
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from services.contracts import codec, ids, keys, lists, topics
from services.contracts.authorisation.registry import Registry
from services.contracts.codec import Sealing
from services.contracts.decisions import CaseEvent
from services.contracts.events import AlertRaised
from services.review.casework import CaseDesk, Desk
from services.review.core.keeping import policy_of
from services.review.core.people import Person, PersonTokens, Role
from services.review.edges.cases_redis import Held, LoopCases, ThreadCases
from services.review.edges.outbox_redis import RedisOutbox
from services.review.edges.past import Past
from services.review.edges.pictures_sealed import SealedPictures
from services.review.edges.plan import Names
from services.review.edges.references_redis import RedisReferences
from services.review.edges.sessions_redis import RedisSessions
from services.review.edges.vault import Vault
from services.review.feed import Feed
from services.review.metrics import ReviewMetrics, Stored
from services.review.pipeline import Folder, Item
from services.review.showing import Showing
from services.review.sweeper import Sweeper
from services.runtime.kafka.types import Dropped, Prepared, Record
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.ring import Keyring
from services.runtime.redis_client import connect, connect_async
from tests import sealed
from tests.builders import DEPLOYMENT, an_alert, an_authority_of
from tests.fakes.clock import ManualClock
from tests.fakes.keys import FakeKeys
from tests.fakes.standing import OpenStanding
from tests.fakes.trail import FakeTrail
from tests.integration.review.drawing import drawing
from tests.unit.contracts.authorisation.builders import PEOPLE, a_registered_key, a_registry
from tests.unit.contracts.sealed.lists_builder import rows

_NOW = datetime.now(UTC)
# Redis keeps its own time for deadlines, so the deployment runs now.
DOCUMENT = f"""
deployment: oxford-street-1
use_case: exercise
purpose: find people recalled to prison
cameras:
  - {{id: gate-1, source: rtsp, address: "rtsp://gate-1/live"}}
  - {{id: gate-2, source: rtsp, address: "rtsp://gate-2/live"}}
window: {{start: {(_NOW - timedelta(hours=2)).isoformat()}, end: {(_NOW + timedelta(hours=8)).isoformat()}}}
watchlist:
  name: blue-list
  max_entries: 100
  score_kind: raw
  thresholds: {{1: 0.3}}
"""
CIPHER = AesGcm()
CLOSED_PICTURES = timedelta(seconds=200)
REFERENCE = drawing(240, 300, 4)
# The list, its one subject, and the key that the subject is known by.
LISTED = sealed.showing(
    sealed.a_current_draft({"e-1": rows(5, 1)}, now=_NOW, deployment=DEPLOYMENT), "e-1", REFERENCE
)
DIGEST = LISTED.manifest.digest
DEPLOYMENT_KEY = bytes(range(32))
SUBJECT = ids.subject_token(DEPLOYMENT_KEY, LISTED.manifest.by_id["e-1"].subject_ref)
_NOT_BELIEVED = "signpost_review_values_not_believed"
T = TypeVar("T")


def a_person(user: str, *roles: Role, scripted: bool = False) -> Person:
    held = frozenset(roles or (Role.REVIEWER,))
    return Person(user=user, name=user.title(), roles=held, scripted=scripted)


ANN, BEN, CAT = a_person("ann"), a_person("ben"), a_person("cat", scripted=True)
SUE = a_person("sue", Role.SUPERVISOR)
OLA = a_person("ola", Role.ENGAGEMENT_OFFICER)


def an_alert_of(track: str, *, at: datetime, **changes: Any) -> AlertRaised:
    """An alert of `track` on the subject, searched `at`."""
    camera = ids.CameraId(track.partition(".")[0])
    values: dict[str, Any] = {
        "camera": camera,
        "track": ids.TrackId(track),
        "alert": ids.alert_id(ids.TrackId(track), DIGEST, SUBJECT),
        "subject": SUBJECT,
        "list_digest": DIGEST,
        "captured_at": at - timedelta(milliseconds=300),
        "searched_at": at,
    }
    return an_alert(**(values | changes))


def a_registry_around(now: datetime) -> Registry:
    """Of the builders' people, who may sign now."""
    since, until = now - timedelta(days=1), now + timedelta(days=1)
    return a_registry(
        issued_at=since,
        valid_until=until,
        keys=tuple(a_registered_key(person, valid_from=since, valid_to=until) for person in PEOPLE),
    )


class Rig:
    """One instance of review's parts; a second Rig on the same `keys` and Redis is a second instance."""

    def __init__(
        self,
        url: str,
        *,
        clock: ManualClock,
        store: FakeKeys,
        more: str = "",
        closed_pictures: timedelta = CLOSED_PICTURES,
    ) -> None:
        self.url = SecretStr(url)
        self.clock = clock
        self.store = store
        self.authority = an_authority_of(DOCUMENT + more)
        named = keys.deployment(self.authority)
        store.put(named.id, DEPLOYMENT_KEY, expires_at=named.expires_at)
        self.standing = OpenStanding(self.authority, clock.now)
        self.names = Names(DEPLOYMENT)
        self.client = connect(self.url, client_name="test")
        self.registry = CollectorRegistry()
        self.metrics = ReviewMetrics(self.registry)
        self.ring = Keyring(FakeKeys(clock), store, clock)
        self.vault = Vault(self.authority, self.ring, CIPHER, clock, refused=self.metrics.not_believed)
        self.past = Past(self.authority, self.ring)
        self.held = Held(self.names, self.vault, self.past)
        self.cases = ThreadCases(self.client, self.held)
        self.pictures = SealedPictures(self.authority, self.names, self.ring, CIPHER)
        self.outbox = RedisOutbox(self.client, self.names, self.vault)
        self.policy = policy_of(self.authority, closed_pictures=closed_pictures)
        self.sweeper = Sweeper(self.authority, self.policy, self.cases, self.metrics, clock)
        self.copies: list[None] = []
        self.folder = Folder(
            authority=self.authority,
            standing=self.standing,
            policy=self.policy,
            store=self.cases,
            pictures=self.pictures,
            ring=self.ring,
            cipher=CIPHER,
            metrics=self.metrics,
            on_copy=lambda: self.copies.append(None),
            clock=clock,
        )
        self.trail = FakeTrail()
        self.root_registry: Registry | None = a_registry_around(clock.now())
        self._offset = -1

    def tokens(self) -> PersonTokens:
        return PersonTokens(self.ring.mint(keys.deployment(self.authority)))

    def references(self) -> RedisReferences:
        return RedisReferences(
            self.client,
            self.authority,
            self.ring,
            CIPHER,
            registry=lambda: self.root_registry,
            clock=self.clock,
        )

    def close(self) -> None:
        self.client.close()

    def list_subject(self) -> None:
        """Load the list, as its manager does."""
        assert self.root_registry is not None
        spec, at = keys.watchlist(self.authority), self.clock.now()
        bundle = sealed.sealed_up(
            LISTED,
            sealing=Sealing(spec.id, self.ring.mint(spec), CIPHER),
            registry=self.root_registry,
            at=at,
            shown={"e-1": (REFERENCE,)},
        )
        sealed.load(self.client, bundle, until=self.authority.purge_at)

    def record(
        self, alert: AlertRaised, *, offset: int | None = None, under_way: timedelta = timedelta(0)
    ) -> Record:
        """As match publishes it; the next offset if none is given."""
        if offset is None:
            self._offset += 1
            offset = self._offset
        spec = keys.alert(self.authority, alert.searched_at)
        sealing = Sealing(spec.id, self.ring.mint(spec), CIPHER)
        raw = codec.encode_sealed(alert, topic=topics.ALERTS.name, sealing=sealing)
        appended_ms = round((alert.searched_at + under_way).timestamp() * 1000)
        return Record(topics.ALERTS.name, 0, offset, alert.subject.encode(), raw, (), appended_ms)

    def arrive(self, *records: Record) -> None:
        """Hand records in, as one batch of the loop."""
        items: list[Prepared[Item]] = []
        for record in records:
            item = self.folder.prepare(record)
            assert not isinstance(item, Dropped), "the alert was dropped"
            items.append(Prepared(record, item))
        self.folder.handle(items)

    def raise_alert(self, track: str = "gate-1.1.1.7.0", **changes: Any) -> str:
        """An alert arrives now; the id of the newest case of its subject."""
        self.arrive(self.record(an_alert_of(track, at=self.clock.now(), **changes)))
        newest = self.cases.known("", SUBJECT).window
        assert newest is not None
        return newest.id

    def not_believed(self) -> dict[str, int]:
        """How many values were not believed, by kind."""
        found = {kind: self.registry.get_sample_value(f"{_NOT_BELIEVED}_total", {"kind": kind}) for kind in Stored}
        return {kind: int(value) for kind, value in found.items() if value}

    def sessions(self, client: redis.asyncio.Redis) -> RedisSessions:
        return RedisSessions(client, self.names, self.vault, self.past)

    def events(self) -> list[CaseEvent]:
        """What the outbox holds, decoded."""
        found = [codec.open_clear(codec.peek(one.event, topic="decisions")) for one in self.outbox.oldest(1000)]
        return [event for event in found if isinstance(event, CaseEvent)]

    def all_bytes(self) -> bytes:
        """Everything the server holds beside the sealed list, names and values."""
        read: dict[str, Callable[[bytes], object]] = {
            "string": self.client.get,
            "hash": self.client.hgetall,
            "stream": self.client.xrange,
            "zset": lambda name: self.client.zrange(name, 0, -1),
        }
        held: list[object] = []
        for name in self.client.scan_iter():
            if name.startswith(lists.everything(DEPLOYMENT).encode()):
                continue
            kind = self.client.type(name)
            held += [name, read[kind.decode() if isinstance(kind, bytes) else kind](name)]
        return repr(held).encode()

    def counts(self) -> dict[str, int]:
        totals = Counter[str]()
        for one in self.outbox.counts()[0].values():
            totals.update(one)
        return dict(totals)

    def pictures_until(self, content: str) -> datetime | None:
        """When the store drops these pictures; None if it has none."""
        until = self.client.pexpiretime(self.names.content(content))
        assert isinstance(until, int)
        assert until != -1, "pictures without an end"
        return None if until < 0 else datetime.fromtimestamp(until / 1000, UTC)

    def at_desk(self, work: Callable[[CaseDesk], Awaitable[T]]) -> T:
        """Run `work` with a desk on an event loop of its own."""

        async def run() -> T:
            async with self.desk() as desk:
                return await work(desk)

        return asyncio.run(run())

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[CaseDesk]:
        client = connect_async(self.url, client_name="test-people")
        store = LoopCases(client, self.held)
        references = self.references()
        feed = Feed(store)
        parts = Desk(
            store=store,
            showing=Showing(store, self.pictures, references, self.standing, refused=self.metrics.not_believed),
            trail=self.trail,
            tokens=self.tokens(),
            feed=feed,
            metrics=self.metrics,
            clock=self.clock,
        )
        try:
            async with feed.running():
                yield CaseDesk(self.authority, self.policy, parts)
        finally:
            await client.aclose()


def a_clock() -> ManualClock:
    """Stands at the real time: what is written must not be past its deadline for the server."""
    return ManualClock(datetime.now(UTC))


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
