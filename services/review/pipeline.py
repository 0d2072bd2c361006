"""The story of an alert in review.

Reads: alerts. Writes: cases, and through their outbox decisions and counts. Next stop: people (casework.py).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.contracts import codec, keys, topics
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authority import Authority
from services.contracts.codec import Cipher, Peeked
from services.contracts.codec_fields import from_micros
from services.contracts.counts import Count, Expired, Lane
from services.contracts.errors import Tampered, Transient, Undecodable
from services.contracts.events import AlertRaised
from services.contracts.ids import AlertId
from services.contracts.places import place_of
from services.contracts.standing import Standing
from services.review.core.case import Case, Policy, Sighting
from services.review.core.change import AlertAfter, Change, Content, Passed, SubjectAfter, Upkeep
from services.review.core.folding import Arrival, Exit, Folding, Seen, fold
from services.review.core.keeping import Keeping
from services.review.metrics import ReviewMetrics
from services.review.ports import AlertStore, Known, Pictures
from services.runtime.clock import Clock
from services.runtime.kafka.types import NOTHING, Dropped, Outcome, Partition, Prepared, Record
from services.runtime.keys.port import DeadlinePassed, OtherKey
from services.runtime.keys.ring import Found, Keyring, Lost

log = logging.getLogger(__name__)

# From its search to the broker's log. Whoever has an hour's alert key may date a search back to before a stop, but
# only by so much; match itself ends after 20 s in which it could not deliver, and searches anew.
_MOST_UNDER_WAY = timedelta(minutes=2)
# The other way round: what two clocks that are in order may differ by, many times over.
_MOST_AHEAD = timedelta(seconds=10)
# Only another alert of the same subject, or a person's move on its case, comes in between.
_TRIES = 100


@dataclass(frozen=True, kw_only=True)
class Ended:
    """An alert that nobody can look at: outside the authority, or its key is gone."""

    alert: AlertId
    exit: Exit
    reason: str


@dataclass(frozen=True, kw_only=True)
class Readable:
    """An alert, and its pictures sealed again for the store."""

    alert: AlertRaised = field(repr=False)
    sealed: bytes = field(repr=False)


Item = Ended | Readable


class Folder:
    """The handler of `alerts`: at least once from Kafka, once in the store.

    What a record led to is remembered with its position in the same step that changes the case and the counts,
    so a record that comes again changes nothing. Nor does a copy that somebody has written behind it: its number
    was passed in that step. Holds no state between batches.
    """

    def __init__(  # noqa: PLR0913 - what an alert needs on its way, each named once in wiring
        self,
        *,
        authority: Authority,
        standing: Standing,
        policy: Policy,
        store: AlertStore,
        pictures: Pictures,
        ring: Keyring,
        cipher: Cipher,
        metrics: ReviewMetrics,
        on_copy: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._authority = authority
        self._standing = standing
        self._policy = policy
        self._keeping = Keeping(authority)
        self._store = store
        self._pictures = pictures
        self._ring = ring
        self._cipher = cipher
        self._metrics = metrics
        self._on_copy = on_copy
        self._clock = clock

    def prepare(self, record: Record) -> Item | Dropped:
        """Refuse what the authority does not cover, unread; else decrypt, and seal for the store. Pool threads."""
        peeked = codec.peek(record.value, topic=topics.ALERTS.name)
        if peeked.kind is not AlertRaised:
            raise Undecodable(f"{topics.ALERTS.name} holds a {peeked.kind.__name__}")
        if peeked.deployment != self._authority.deployment:
            # Not an alert of ours: its own deployment's review receives and counts it.
            return Dropped({})
        ahead = _searched_at(peeked) - _appended_at(record)
        if max(ahead, peeked.captured_at - _appended_at(record)) > _MOST_AHEAD:
            # Whoever may write here could date an alert so that its partition waits for that day.
            raise Undecodable("an alert from the future")
        refusal = self._standing.refusal_of_alert(
            deployment=peeked.deployment,
            camera=peeked.text("camera"),
            captured_at=peeked.captured_at,
            searched_at=_searched_at(peeked),
            list_digest=peeked.text("list_digest"),
            tokens=frozenset({peeked.text("subject")}),
        )
        if refusal is None and -ahead > _MOST_UNDER_WAY:
            refusal = Refusal.BACKDATED
        if refusal is not None:
            return _ended(peeked, Exit.REFUSED, refusal)
        opened = self._open(peeked)
        if isinstance(opened, Expired):
            return _ended(peeked, Exit.EXPIRED, opened)
        try:
            return Readable(alert=opened, sealed=self._pictures.seal(opened))
        except DeadlinePassed:
            return _ended(peeked, Exit.EXPIRED, Expired.LATE)

    def handle(self, items: Sequence[Prepared[Item]]) -> Outcome:
        """Each alert to its case, in order; the store's own step is what counts, Kafka gets only the offsets."""
        for one in items:
            position = (one.record.partition, one.record.offset)
            passed = self._passed(one.record)
            if isinstance(one.item, Ended):
                self._end(one.item, position, passed)
            else:
                self._fold(one.item, position, passed)
        return NOTHING

    def assigned(self, partitions: Collection[Partition]) -> None:
        """Another process may have read them until now."""
        self._store.renew()

    def revoked(self, partitions: Collection[Partition]) -> None:
        """Nothing to drop."""

    def delivered(self, outcome: Outcome) -> None:
        """Nothing waits for the commit."""

    def tick(self) -> Outcome:
        """The sweeper has its own thread: cases expire also where no alert is read."""
        return NOTHING

    def _open(self, peeked: Peeked) -> AlertRaised | Expired:
        spec = keys.alert(self._authority, _searched_at(peeked))
        if peeked.key_id != spec.id:
            raise Tampered("an alert names a key that is not its hour's")
        found = self._ring.find(spec)
        if not isinstance(found, Found):
            return Expired.KEY_LOST if isinstance(found, Lost) else Expired.LATE
        try:
            event = codec.open_sealed(peeked, key=found.key, cipher=self._cipher)
        except OtherKey:
            self._ring.forget([spec])
            return Expired.KEY_LOST
        return codec.expect(event, AlertRaised)

    def _passed(self, record: Record) -> Passed | None:
        place = place_of(record.headers)
        if place is None or place.scope != self._authority.deployment:
            return None
        return Passed(lane=str(Lane(place.source, record.partition)), number=place.number)

    def _is_copy(self, passed: Passed | None) -> bool:
        """Asked where its position was not seen: then its number alone was, and somebody has written it again."""
        if passed is None or not self._store.has_passed(passed):
            return False
        self._on_copy()
        log.warning("alert passed over", extra={"reason": "copied", "lane": passed.lane})
        return True

    def _fold(self, item: Readable, position: tuple[int, int], passed: Passed | None) -> None:
        arrival = _arrival(item.alert, position)
        for _ in range(_TRIES):
            known = self._store.known(item.alert.alert, item.alert.subject)
            now = self._clock.now()
            found = fold(
                arrival, seen=known.seen, own=known.own, window=known.window, now=now, policy=self._policy
            )
            if found.exit is not Exit.REPLAYED and self._is_copy(passed):
                return
            if found.exit is Exit.REPLAYED or self._store.apply(
                replace(self._change(item, arrival, known, found, now), passed=passed)
            ):
                waited = now - item.alert.searched_at
                self._metrics.alert(found.exit, waited_s=waited.total_seconds())
                return
        raise Transient("a case changed faster than an alert could be folded")

    def _change(self, item: Readable, arrival: Arrival, known: Known, found: Folding, now: datetime) -> Change:
        case, keeping = found.case, self._keeping
        opened = case is not None and found.exit is Exit.OPENED
        sealed = Content(
            name=item.alert.event_id, sealed=item.sealed, keep_until=keeping.pictures(arrival.sighting)
        )
        return Change(
            case=None if case is None else keeping.after(case, now, before=_before(known, case)),
            subject=SubjectAfter(case=case, version=known.subject_version, keep_until=keeping.tombstone(now))
            if case is not None and opened
            else None,
            alert=AlertAfter(
                alert=item.alert.alert,
                seen=_seen(known.seen, arrival, found.belongs_to),
                keep_until=keeping.tombstone(now),
            ),
            events=found.events,
            contents=(sealed,) if found.keep_pictures else (),
            upkeep=self._upkeep(known, case, now),
            counts=_counts(found.exit, found.reason or ""),
        )

    def _upkeep(self, known: Known, after: Case | None, now: datetime) -> Upkeep:
        """An alert that opens a case, or changes none, leaves all pictures as they are."""
        before = None if after is None else _before(known, after)
        return Upkeep() if after is None or before is None else self._keeping.upkeep(before, after, now)

    def _end(self, ended: Ended, position: tuple[int, int], passed: Passed | None) -> None:
        for _ in range(_TRIES):
            seen = self._store.known(ended.alert, "").seen
            if seen is not None and seen.covers(position):
                self._metrics.alert(Exit.REPLAYED, waited_s=0.0)
                return
            if self._is_copy(passed):
                return
            after = Seen(
                version=1 if seen is None else seen.version + 1,
                revision=0 if seen is None else seen.revision,
                case="" if seen is None else seen.case,
                position=position,
            )
            remembered = AlertAfter(
                alert=ended.alert, seen=after, keep_until=self._keeping.tombstone(self._clock.now())
            )
            counted = _counts(ended.exit, ended.reason)
            if self._store.apply(Change(alert=remembered, counts=counted, passed=passed)):
                self._metrics.alert(ended.exit, waited_s=0.0)
                return
        raise Transient("an alert was remembered faster than it could be read")


def _before(known: Known, after: Case) -> Case | None:
    """The case as it was; None if it is opened."""
    cases = (case for case in (known.own, known.window) if case is not None)
    return next((case for case in cases if case.id == after.id), None)


def _searched_at(peeked: Peeked) -> datetime:
    return from_micros(getattr(peeked.body, "searched_at_us", 0))


def _appended_at(record: Record) -> datetime:
    """By the broker's clock."""
    return from_micros(record.timestamp_ms * 1000)


def _ended(peeked: Peeked, found: Exit, reason: str) -> Ended:
    return Ended(alert=AlertId(peeked.text("alert")), exit=found, reason=reason)


def _arrival(alert: AlertRaised, position: tuple[int, int]) -> Arrival:
    return Arrival(
        deployment=alert.deployment,
        trace_id=alert.trace_id,
        subject=alert.subject,
        list_digest=alert.list_digest,
        sighting=Sighting(
            alert=alert.alert,
            revision=alert.revision,
            track=alert.track,
            camera=alert.camera,
            captured_at=alert.captured_at,
            searched_at=alert.searched_at,
            probe_sha256=hashlib.sha256(
                b"".join(hashlib.sha256(one.jpeg).digest() for one in alert.shots)
            ).hexdigest(),
        ),
        position=position,
    )


def _seen(before: Seen | None, arrival: Arrival, case: str) -> Seen:
    return Seen(
        version=1 if before is None else before.version + 1,
        revision=max(arrival.sighting.revision, 0 if before is None else before.revision),
        case=case,
        position=arrival.position,
    )


_COUNTED: Mapping[Exit, Count] = {
    Exit.OPENED: Count.ALERTS_OPENED_CASE,
    Exit.FOLDED: Count.ALERTS_FOLDED,
    Exit.EXPIRED: Count.ALERTS_EXPIRED,
    Exit.REFUSED: Count.ALERTS_REFUSED,
}


def _counts(found: Exit, reason: str) -> Mapping[str, int]:
    name = f"{_COUNTED[found]}:{reason}" if reason else str(_COUNTED[found])
    return {Count.ALERTS_RECEIVED: 1, name: 1}
