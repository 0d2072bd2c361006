"""The story of a face in match.

Reads: faces. Writes: alerts, counts, faces.dead. Next stop: services/review/pipeline.py
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from services.contracts import codec, counts, keys, topics
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authority import Authority
from services.contracts.codec import Cipher, Peeked, Sealing
from services.contracts.counts import Count, CountKey, Expired
from services.contracts.errors import Permanent, Tampered, Transient, Undecodable
from services.contracts.events import AlertRaised, FaceObserved
from services.contracts.keyspec import KeySpec
from services.contracts.standing import PASSING, Standing
from services.match.core.alert import alert
from services.match.core.matrix import ListMatrix
from services.match.core.search import search
from services.match.metrics import MatchMetrics
from services.match.ports import CurrentList, Keys
from services.runtime.clock import Clock
from services.runtime.kafka.types import (
    NOTHING,
    DeadLetter,
    Dropped,
    Outcome,
    Output,
    Partition,
    Position,
    Prepared,
    Record,
)
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
class SealedFace:
    """A face that the authority covers, and the key that opens it; its clear part is not authenticated yet."""

    peeked: Peeked
    key: KeySpec


@dataclass(frozen=True, slots=True)
class OpenFace:
    """A face in clear, for as long as its batch is searched."""

    observed: FaceObserved = field(repr=False)
    position: Position
    read: Read


@dataclass(frozen=True, slots=True)
class Opened:
    """A batch in clear, and the ends of those that could not be opened."""

    faces: list[OpenFace] = field(default_factory=list, repr=False)
    expired: Counter[Expired] = field(default_factory=Counter)
    dead: list[DeadLetter] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a batch: how many were searched and what they raised, and how each of the others ended."""

    searched: int = 0
    alerts: Sequence[Sequence[AlertRaised]] = field(default=(), repr=False)
    refused: Counter[Refusal] = field(default_factory=Counter)
    expired: Counter[Expired] = field(default_factory=Counter)
    dead: Sequence[DeadLetter] = ()
    done: Sequence[Read] = ()


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

    def prepare(self, record: Record) -> SealedFace | Dropped:
        """Refuse what the authority does not cover; the rest stays sealed until it is searched. Pool threads.

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
        return SealedFace(peeked, spec)

    def handle(self, items: Sequence[Prepared[SealedFace]]) -> Searched:
        """Search the batch against the list as it is now; alerts for what reaches its threshold."""
        # One round trip for all, and before the authority is asked: a store may keep us waiting.
        found = self._keys.find_once([one.item.key for one in items])
        while True:
            # Each face is asked for again, by its own moment: since it was prepared the authority may have been
            # suspended and have come back, and then it stands now and did not when the face was taken.
            refusals = self._refusals(items)
            self._wait_for_what_passes(items, refusals)
            outcome = self._judged(items, refusals, found)
            if self._refusals(items) == refusals:
                return self._told(outcome)
            # While it was searched a move came that is about one of these: none of it leaves.

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

    def skipped(self, faces: int) -> None:
        """Kafka has deleted so many unread."""
        self._metrics.skipped(faces)

    def tick(self) -> Outcome:
        """Time brings nothing."""
        return NOTHING

    def _refusals(self, items: Sequence[Prepared[SealedFace]]) -> list[Refusal | None]:
        return [self._refuses(one.item.peeked) for one in items]

    def _wait_for_what_passes(
        self, items: Sequence[Prepared[SealedFace]], refusals: Sequence[Refusal | None]
    ) -> None:
        """Raises Transient while the authority does not stand and may stand again, and all the keys live."""
        passing = next((why for why in refusals if why in PASSING), None)
        now = self._clock.now()
        if passing is not None and all(one.item.key.expires_at > now for one in items):
            raise Transient(f"the authority does not stand: {passing}")

    def _judged(
        self,
        items: Sequence[Prepared[SealedFace]],
        refusals: Sequence[Refusal | None],
        found: Mapping[str, bytes | Expired],
    ) -> Judged:
        """What is refused unread, and what comes of the search of the rest."""
        refused = [(one, why) for one, why in zip(items, refusals, strict=True) if why is not None]
        rest = [one for one, why in zip(items, refusals, strict=True) if why is None]
        unread = Judged(refused=Counter(why for _, why in refused), done=[_read(one) for one, _ in refused])
        if not rest:
            return unread
        matrix = self._lists.current()
        if matrix is None:
            raise Transient("no list is loaded")
        opened = self._opened(rest, found)
        try:
            return self._searched(opened, matrix, unread)
        finally:
            _wipe(opened.faces)

    def _opened(self, items: Sequence[Prepared[SealedFace]], found: Mapping[str, bytes | Expired]) -> Opened:
        opened = Opened()
        for one in items:
            key = found[one.item.key.id]
            if isinstance(key, Expired):
                opened.expired[key] += 1
                continue
            try:
                face = codec.open_sealed(one.item.peeked, key=key, cipher=self._cipher)
                opened.faces.append(OpenFace(codec.expect(face, FaceObserved), one.record.position, _read(one)))
            except OtherKey:
                opened.expired[Expired.KEY_LOST] += 1
            except Permanent as refused:
                opened.dead.append(DeadLetter.of(refused, one.record.position))
        return opened

    def _searched(self, opened: Opened, matrix: ListMatrix, judged: Judged) -> Judged:
        searched_at = self._clock.now()
        admitted: list[FaceObserved] = []
        dead, refused = list(opened.dead), Counter(judged.refused)
        for one in opened.faces:
            why = self._refuses_opened(one.observed, matrix)
            if why is not None:
                refused[why] += 1
            elif one.observed.vector.size != matrix.rows.shape[1]:
                dead.append(DeadLetter(_TORN, one.position))
            else:
                admitted.append(one.observed)
        alerts = self._search(admitted, matrix, searched_at)
        return Judged(
            searched=len(admitted),
            alerts=alerts,
            refused=refused,
            expired=opened.expired,
            dead=dead,
            done=[*judged.done, *(one.read for one in opened.faces)],
        )

    def _refuses_opened(self, face: FaceObserved, matrix: ListMatrix) -> Refusal | None:
        """What the clear part does not tell: the template is of all its shots, and each has its own moment."""
        if face.model_id != matrix.model_id:
            return Refusal.MODEL_NOT_ADMITTED
        moments = {shot.captured_at for shot in face.shots}
        asked = (self._standing.refusal(face.camera, deployment=face.deployment, at=at) for at in moments)
        # What may pass is met again behind the search, and waited for there.
        return next((why for why in asked if why is not None and why not in PASSING), None)

    def _told(self, judged: Judged) -> Searched:
        """As records and counts."""
        outputs = tuple(self._sealed(one) for found in judged.alerts for one in found)
        for why, faces in judged.refused.items():
            self._metrics.refused(why, faces)
        self._metrics.expired(judged.expired)
        return Searched(outputs, self._counted(_totals(judged)), dead=tuple(judged.dead), done=tuple(judged.done))

    def _refuses(self, peeked: Peeked) -> Refusal | None:
        """Asked of the clear part, which decryption then authenticates."""
        refusal = self._standing.refusal(
            peeked.text("camera"), deployment=peeked.deployment, at=peeked.captured_at
        )
        if refusal is None and self._authority.watchlist.model not in (None, peeked.text("model_id")):
            return Refusal.MODEL_NOT_ADMITTED
        return refusal

    def _refused(self, refusal: Refusal) -> Dropped:
        tell = partial(self._metrics.refused, refusal, 1)
        if refusal is Refusal.OTHER_DEPLOYMENT:
            # Not a face of ours: its own deployment's match receives and counts it.
            return Dropped({}, tell=tell)
        counted = self._counted({(Count.FACES_RECEIVED, ""): 1, (Count.FACES_REFUSED, refusal): 1})
        return Dropped(counted, tell=tell)

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
        key = f"{raised.deployment}/{raised.subject}".encode()
        return Output(
            topics.ALERTS.name,
            key,
            codec.encode_sealed(raised, topic=topics.ALERTS.name, sealing=sealing),
            topics.partition_of_key(key, topics.ALERTS),
        )

    def _counted(self, totals: Mapping[tuple[Count, str], int]) -> dict[CountKey, int]:
        return {
            counts.key(self._authority.deployment, name, reason): value
            for (name, reason), value in totals.items()
            if value
        }


def _read(one: Prepared[SealedFace]) -> Read:
    return Read(one.item.key, one.item.peeked.captured_at, one.record.timestamp_ms / 1000)


def _wipe(faces: Sequence[OpenFace]) -> None:
    """Nobody reads these vectors again: a retry or a replay decrypts anew."""
    for one in faces:
        one.observed.vector.fill(0)


def _totals(judged: Judged) -> Mapping[tuple[Count, str], int]:
    alerted = sum(bool(found) for found in judged.alerts)
    totals: dict[tuple[Count, str], int] = {
        (Count.FACES_EXPIRED, why): faces for why, faces in judged.expired.items()
    }
    totals |= {(Count.FACES_REFUSED, why): faces for why, faces in judged.refused.items()}
    return totals | {
        (Count.FACES_RECEIVED, ""): judged.searched + judged.refused.total() + judged.expired.total(),
        (Count.FACES_SEARCHED, ""): judged.searched,
        (Count.FACES_ALERTED, ""): alerted,
        (Count.FACES_BELOW_THRESHOLD, ""): judged.searched - alerted,
        (Count.ALERTS_PUBLISHED, ""): sum(len(found) for found in judged.alerts),
    }
