"""The story of a face in match.

Reads: faces. Writes: alerts, counts, faces.dead. Next stop: services/review/pipeline.py
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.contracts import codec, counts, keys, topics
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authority import Authority
from services.contracts.codec import Cipher, Peeked, Sealing
from services.contracts.counts import Count, CountKey, Expired
from services.contracts.errors import Tampered, Transient, Undecodable
from services.contracts.events import AlertRaised, FaceObserved
from services.contracts.keyspec import KeySpec
from services.contracts.standing import PASSING, Standing
from services.match.core.alert import alert
from services.match.core.matrix import ListMatrix
from services.match.core.search import search
from services.match.metrics import MatchMetrics
from services.match.ports import CurrentList, Keys
from services.runtime.clock import Clock
from services.runtime.kafka.types import NOTHING, DeadLetter, Dropped, Outcome, Output, Partition, Prepared, Record
from services.runtime.keys.port import OtherKey

# A template of the list's own model, yet of another length.
_TORN = "undecodable"


@dataclass(frozen=True, slots=True)
class Read:
    """A face whose search has been settled, so that its key may go; `published_at` is the broker's time."""

    key: KeySpec
    captured_at: datetime
    published_at_s: float


@dataclass(frozen=True, slots=True)
class Searched(Outcome):
    """What a batch led to, and the faces that nobody needs any more once it is committed."""

    done: tuple[Read, ...] = ()


class Matcher:
    """The handler of `faces`. Holds no state between batches: what a crash repeats has the same ids."""

    def __init__(
        self,
        *,
        authority: Authority,
        standing: Standing,
        lists: CurrentList,
        face_keys: Keys,
        cipher: Cipher,
        metrics: MatchMetrics,
        clock: Clock,
    ) -> None:
        self._authority = authority
        self._standing = standing
        self._lists = lists
        self._keys = face_keys
        self._cipher = cipher
        self._metrics = metrics
        self._clock = clock

    def prepare(self, record: Record) -> FaceObserved | Dropped:
        """Refuse what the authority does not cover, unread; else decrypt. Pool threads.

        Raises Transient while the authority does not stand and may stand again by itself: the face waits, sealed.
        """
        peeked = codec.peek(record.value, topic=topics.FACES.name)
        if peeked.kind is not FaceObserved:
            raise Undecodable(f"{topics.FACES.name} holds a {peeked.kind.__name__}")
        refusal = self._refuses(peeked)
        if refusal in PASSING:
            raise Transient(f"the authority does not stand: {refusal}")
        if refusal is not None:
            return self._refused(refusal)
        spec = keys.face(self._authority, peeked.event_id, peeked.captured_at)
        if peeked.key_id != spec.id:
            raise Tampered("a face names a key that is not its own")
        key = self._keys.find(spec)
        if isinstance(key, Expired):
            return self._expired(key)
        try:
            opened = codec.open_sealed(peeked, key=key, cipher=self._cipher)
        except OtherKey:
            return self._expired(Expired.KEY_LOST)
        return codec.expect(opened, FaceObserved)

    def handle(self, items: Sequence[Prepared[FaceObserved]]) -> Searched:
        """Search the batch against the list as it is now; alerts for what reaches its threshold."""
        searched_at = self._clock.now()
        refusal = self._standing.standing()
        if refusal is not None:
            return self._unsearched(items, refusal, searched_at)
        matrix = self._lists.current()
        if matrix is None:
            raise Transient("no list is loaded")
        ours = [one for one in items if one.item.model_id == matrix.model_id]
        admitted = [one.item for one in ours if one.item.vector.size == matrix.rows.shape[1]]
        torn = [one for one in ours if one.item.vector.size != matrix.rows.shape[1]]
        refused = len(items) - len(ours)
        alerts = self._search(admitted, matrix, searched_at)
        refusal = self._standing.standing()
        if refusal is not None:  # while it was searched
            return self._unsearched(items, refusal, searched_at)
        outputs = tuple(self._sealed(one) for found in alerts for one in found)
        totals = _totals(searched=len(admitted), alerts=alerts, refused=refused)
        _wipe(items)
        self._metrics.refused(Refusal.MODEL_NOT_ADMITTED, refused)
        return Searched(
            outputs,
            self._counted(totals),
            dead=tuple(DeadLetter(_TORN, one.record.position) for one in torn),
            done=tuple(self._read(one) for one in items),
        )

    def assigned(self, partitions: Collection[Partition]) -> None:
        """Nothing to prepare."""

    def revoked(self, partitions: Collection[Partition]) -> None:
        """Nothing to drop."""

    def delivered(self, outcome: Outcome) -> None:
        """The searches are committed: end the life of their faces. Delivery thread.

        A failure leaves the keys to their deadline, and is counted.
        """
        if not isinstance(outcome, Searched) or not outcome.done:
            return
        self._metrics.committed(outcome.counts)
        try:
            destroyed = self._keys.destroy([one.key for one in outcome.done])
        except Transient:
            self._metrics.keys_left(len(outcome.done))
            raise
        now_s = self._clock.now().timestamp()
        self._metrics.keys_destroyed(destroyed)
        for one in outcome.done:
            self._metrics.life(key_s=now_s - one.published_at_s, face_s=now_s - one.captured_at.timestamp())

    def tick(self) -> Outcome:
        """Time brings nothing."""
        return NOTHING

    def _unsearched(self, items: Sequence[Prepared[FaceObserved]], why: Refusal, now: datetime) -> Searched:
        """The authority has ended while these waited: what came of them would come of no authority.

        Raises Transient for what may pass while all their keys live: they wait.
        """
        if why in PASSING and all(self._read(one).key.expires_at > now for one in items):
            raise Transient(f"the authority does not stand: {why}")
        _wipe(items)
        faces = len(items)
        self._metrics.refused(why, faces)
        totals = {(Count.FACES_RECEIVED, ""): faces, (Count.FACES_REFUSED, why): faces}
        return Searched(counts=self._counted(totals), done=tuple(self._read(one) for one in items))

    def _refuses(self, peeked: Peeked) -> Refusal | None:
        """Asked of the clear part, which decryption then authenticates."""
        refusal = self._standing.refusal(
            peeked.text("camera"), deployment=peeked.deployment, at=peeked.captured_at
        )
        if refusal is None and self._authority.watchlist.model not in (None, peeked.text("model_id")):
            return Refusal.MODEL_NOT_ADMITTED
        return refusal

    def _refused(self, refusal: Refusal) -> Dropped:
        self._metrics.refused(refusal, 1)
        if refusal is Refusal.OTHER_DEPLOYMENT:
            # Not a face of ours: its own deployment's match receives and counts it.
            return Dropped({})
        return Dropped(self._counted({(Count.FACES_RECEIVED, ""): 1, (Count.FACES_REFUSED, refusal): 1}))

    def _expired(self, why: Expired) -> Dropped:
        self._metrics.expired(why)
        return Dropped(self._counted({(Count.FACES_RECEIVED, ""): 1, (Count.FACES_EXPIRED, why): 1}))

    def _search(
        self, faces: Sequence[FaceObserved], matrix: ListMatrix, searched_at: datetime
    ) -> list[list[AlertRaised]]:
        if not faces:
            return []
        thresholds = [self._authority.watchlist.threshold(len(face.shots)) for face in faces]
        began = self._clock.monotonic()
        found = search(
            matrix,
            [face.vector for face in faces],
            thresholds,
            at=searched_at,
            revoked=self._standing.revoked(matrix.digest),
        )
        self._metrics.searched(
            seconds=self._clock.monotonic() - began,
            waited_s=[(searched_at - face.captured_at).total_seconds() for face in faces],
            inert=found.inert,
        )
        return [
            [alert(face, hit, matrix=matrix, authority=self._authority, searched_at=searched_at) for hit in hits]
            for face, hits in zip(faces, found.hits, strict=True)
        ]

    def _sealed(self, raised: AlertRaised) -> Output:
        spec = keys.alert(self._authority, raised.searched_at)
        sealing = Sealing(spec.id, self._keys.mint(spec), self._cipher)
        return Output(
            topics.ALERTS.name,
            f"{raised.deployment}/{raised.subject}".encode(),
            codec.encode_sealed(raised, topic=topics.ALERTS.name, sealing=sealing),
        )

    def _read(self, one: Prepared[FaceObserved]) -> Read:
        face = one.item
        spec = keys.face(self._authority, face.event_id, face.captured_at)
        return Read(spec, face.captured_at, one.record.timestamp_ms / 1000)

    def _counted(self, totals: Mapping[tuple[Count, str], int]) -> dict[CountKey, int]:
        return {
            counts.key(self._authority.deployment, name, reason): value
            for (name, reason), value in totals.items()
            if value
        }


def _wipe(items: Sequence[Prepared[FaceObserved]]) -> None:
    """Nobody reads these vectors again: a retry or a replay decrypts anew."""
    for one in items:
        one.item.vector.fill(0)


def _totals(
    *, searched: int, alerts: Sequence[Sequence[AlertRaised]], refused: int
) -> Mapping[tuple[Count, str], int]:
    alerted = sum(bool(found) for found in alerts)
    return Counter(
        {
            (Count.FACES_RECEIVED, ""): searched + refused,
            (Count.FACES_REFUSED, Refusal.MODEL_NOT_ADMITTED): refused,
            (Count.FACES_SEARCHED, ""): searched,
            (Count.FACES_ALERTED, ""): alerted,
            (Count.FACES_BELOW_THRESHOLD, ""): searched - alerted,
            (Count.ALERTS_PUBLISHED, ""): sum(len(found) for found in alerts),
        }
    )
