"""The reader of each topic, as its service reads it: pure handlers and codecs on fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry

from console.audit.export import export
from console.audit.verify import verify_lines
from console.ledger.read import read_statement
from services.contracts import codec, codec_authority, ids, keys, topics
from services.contracts.audit.chain import Audited
from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.purging import Holder, PurgeAnswer, PurgeAnswered
from services.contracts.authorisation.statements import sign
from services.contracts.codec import Sealing
from services.contracts.codec_audit import encode_record, read_record
from services.contracts.counts import Count, Stage
from services.contracts.errors import Foreign, Permanent
from services.contracts.events import CameraGap, DeadLettered, Event, StageCounts
from services.contracts.standing import Standing
from services.review.edges.pictures_sealed import SealedPictures
from services.review.edges.plan import Names
from services.review.metrics import ReviewMetrics
from services.review.pipeline import Ended, Folder, Readable
from services.runtime.authority_watch import AuthorityWatch
from services.runtime.kafka.types import Dropped, Output, Prepared, Record
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.ring import Keyring
from tests.builders import CAMERA, DEPLOYMENT, NOON, a_face, a_frame, an_alert, an_authority_of
from tests.fakes.clock import ManualClock
from tests.fakes.keys import FakeKeys
from tests.fakes.standing import OpenStanding
from tests.fuzz.surface import Surface
from tests.proofs import ROOT_FINGERPRINT, a_record, registry_record
from tests.unit.console.ledger.test_statement import opened
from tests.unit.contracts.audit import builders as audits
from tests.unit.contracts.authorisation import builders as signed
from tests.unit.embed.toys import RED, Person, Street, scene
from tests.unit.match.lists_builder import MODEL, a_subject
from tests.unit.match.rig import Rig
from tests.unit.oversight.edges.test_kafka_answers import AT, registry
from tests.unit.oversight.edges.test_kafka_answers import Desk as Heard
from tests.unit.oversight.edges.test_kafka_chain import Bench
from tests.unit.review.cases import POLICY

CIPHER = AesGcm()
ELSEWHERE = ids.DeploymentId("elsewhere-1")


class _Fresh:
    """A reader that a good input is made for each time it is asked."""

    def __init__(self) -> None:
        self._offset = 0

    def _record(self, topic: str, raw: bytes, *, timestamp_ms: int = 0) -> Record:
        self._offset += 1
        return Record(topic, 0, self._offset, b"k", raw, (), timestamp_ms)

    def close(self) -> None:
        """Nothing is held."""


class Frames(_Fresh):
    """embed's, up to the faces of a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.street = Street()
        self._lease = 1
        self._picture = scene(Person(RED, 100))

    def take(self, raw: bytes) -> None:
        item = self.street.pipeline.prepare(self._record("frames", raw))
        assert isinstance(item, Dropped), "a stranger's frame was opened"

    def goes_on(self) -> bool:
        # A run of its own: whoever walks by begins a new track.
        self._lease += 1
        record = self.street.record(self._picture, lease=self._lease)
        return len(self.street.faces(self.street.handle(record))) == 1


class Faces(_Fresh):
    """match's, up to the alert."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        self._revision = 10

    def take(self, raw: bytes) -> None:
        record = self._record("faces", raw)
        item = self.rig.matcher.prepare(record)
        if not isinstance(item, Dropped):
            outcome = self.rig.matcher.handle([Prepared(record, item)])
            assert not outcome.outputs, "a stranger's face raised an alert"

    def goes_on(self) -> bool:
        self._revision += 1
        face = a_face(model_id=MODEL, vector=a_subject().vector, revision=self._revision)
        return len(self.rig.matcher.handle([self.rig.prepared(face)]).outputs) == 1


REVIEWED = """
deployment: oxford-street-1
use_case: live
purpose: find people recalled to prison
cameras: [{id: gate-1, source: rtsp, address: "rtsp://gate-1/live"}]
window: {start: 2026-06-01T08:00:00Z, end: 2026-06-01T20:00:00Z}
watchlist: {name: blue-list, max_entries: 100, score_kind: raw, thresholds: {1: 0.5, 3: 0.6}}
"""


class Alerts(_Fresh):
    """review's, up to what is kept of an alert."""

    def __init__(self) -> None:
        super().__init__()
        self.authority = an_authority_of(REVIEWED)
        self.clock = ManualClock(an_alert().searched_at)
        self.ring = Keyring(FakeKeys(self.clock), FakeKeys(self.clock), self.clock)
        self.folder = Folder(
            authority=self.authority,
            standing=OpenStanding(self.authority, self.clock.now),
            policy=POLICY,
            store=None,  # type: ignore[arg-type]  # of `handle`, which is not asked
            pictures=SealedPictures(self.authority, Names(DEPLOYMENT), self.ring, CIPHER),
            ring=self.ring,
            cipher=CIPHER,
            metrics=ReviewMetrics(CollectorRegistry()),
            on_copy=lambda: None,
            clock=self.clock,
        )

    def take(self, raw: bytes) -> None:
        item = self.folder.prepare(self._now(raw))
        assert isinstance(item, Dropped | Ended), "a stranger's alert was opened"

    def goes_on(self) -> bool:
        return isinstance(self.folder.prepare(self._now(self.good())), Readable)

    def good(self) -> bytes:
        alert = an_alert()
        spec = keys.alert(self.authority, alert.searched_at)
        sealing = Sealing(spec.id, self.ring.mint(spec), CIPHER)
        return codec.encode_sealed(alert, topic="alerts", sealing=sealing)

    def _now(self, raw: bytes) -> Record:
        return self._record("alerts", raw, timestamp_ms=round(self.clock.now().timestamp() * 1000))


_KEY = f"{DEPLOYMENT}/{Stage.INGEST}/gate-1.1.1".encode()


@dataclass
class Ledger:
    """The console's of `counts` and `decisions`: a statement over what lies there."""

    topic: str
    good: bytes
    told: Count
    _taken: list[bytes] = field(default_factory=list)

    def values(self, topic: str) -> Iterable[bytes]:
        if topic == topics.AUTHORITY.name:
            return [registry_record()]
        return [*self._taken, self.good] if topic == self.topic else []

    def records(self, topic: str) -> Iterable[Record]:
        """Under the key of what is good, each signed by nobody and by its service, which may write anything."""
        outputs = [Output(topic, _KEY, value) for value in self.values(topic)]
        return [a_record(output, by=by) for output in outputs for by in (None, "ingest")]

    def unread(self, topic: str, group: str) -> int:
        return 0

    def stands(self, topic: str, group: str) -> dict[int, int | None]:
        return {}

    def ahead(self, topic: str, stands: object) -> Any:
        return {}, []

    def take(self, raw: bytes) -> None:
        self._taken = [raw]
        read_statement(self, DEPLOYMENT, root=ROOT_FINGERPRINT)

    def goes_on(self) -> bool:
        return read_statement(self, DEPLOYMENT, root=ROOT_FINGERPRINT).totals.get(self.told, 0) > 0

    def close(self) -> None:
        """Nothing is held."""


class _Topic:
    """`authority` as its follower gives it out."""

    def __init__(self) -> None:
        self.fold: Callable[[bytes], None] = lambda value: None
        self.looked: Callable[[], None] = lambda: None

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def caught_up(self) -> bool:
        return True

    def is_alive(self) -> bool:
        return True


DOCUMENT = signed.a_document()


class Authority(_Fresh):
    """Every service's: what is believed of what people signed."""

    def __init__(self) -> None:
        super().__init__()
        self._at = signed.NOON
        self._leases = 1
        self._topic = _Topic()
        self._watch = AuthorityWatch(
            self._follow,
            deployment=DOCUMENT.id,
            root_fingerprint=signed.ROOT.kid,
            clock=self,
            on_rejected=lambda reason: None,
        )
        for record in signed.running(DOCUMENT):
            self._topic.fold(codec_authority.encode(record))
        verified = self._watch.verified()
        assert verified is not None
        self._standing: Standing = self._watch.built_for(verified, self._replaced)

    def reading(self) -> ClockReading:
        return signed.a_reading(self._at)

    def take(self, raw: bytes) -> None:
        self._topic.fold(raw)

    def goes_on(self) -> bool:
        self._at += timedelta(seconds=0.5)
        self._leases += 1
        self._topic.looked()
        self._topic.fold(codec_authority.encode(signed.a_lease(DOCUMENT, self._leases, self._at)))
        return self._standing.standing() is None

    def _follow(self, fold: Callable[[bytes], None], looked: Callable[[], None]) -> _Topic:
        self._topic.fold, self._topic.looked = fold, looked
        return self._topic

    def _replaced(self) -> None:
        raise AssertionError("a stranger's record put another authority in force")


class Purges:
    """oversight's: who has answered an order to purge."""

    def __init__(self) -> None:
        self._heard = Heard()
        self._registry = registry()
        self._order = 0

    def take(self, raw: bytes) -> None:
        self._heard.heard.take(raw)
        self._heard.heard.answers(self._registry, AT)

    def goes_on(self) -> bool:
        self._order += 1
        self._heard.say(signed_holder(), order=self._order)
        return self._order in self._heard.orders(by=self._registry)

    def close(self) -> None:
        """Nothing is held."""


class DeadLettersOf:
    """Whoever looks into `frames.dead` and `faces.dead`."""

    def take(self, raw: bytes) -> None:
        codec.open_clear(codec.peek(raw, topic=topics.FRAMES_DEAD.name))

    def goes_on(self) -> bool:
        letter = codec.open_clear(codec.peek(a_dead_letter(), topic=topics.FRAMES_DEAD.name))
        return isinstance(letter, DeadLettered)

    def close(self) -> None:
        """Nothing is held."""


class AuditRequests(_Fresh):
    """The sequencer's: what becomes an entry of the chain."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = 0
        self._bench = Bench()
        self._bench.transactions.init(1)

    def take(self, raw: bytes) -> None:
        self._appended(raw)

    def goes_on(self) -> bool:
        self._asked += 1
        raw = audits.signed(audits.a_request(sequence=self._asked)).raw
        return raw in self._appended(raw)

    def _appended(self, raw: bytes) -> list[bytes]:
        """The requests that became entries."""
        record, writer = self._record("audit_requests", raw), self._bench.writer
        outcome = writer.handle([Prepared(record, writer.prepare(record))])
        entries = [read_record(output.value) for output in outcome.outputs]
        return [entry.request.raw for entry in entries if isinstance(entry, Audited)]


class Audit(_Fresh):
    """Who recovers the chain, and who exports it: from all that lies there."""

    def __init__(self) -> None:
        super().__init__()
        self._lies: list[bytes] = []

    def take(self, raw: bytes) -> None:
        self._lies = [raw]
        self._exported()

    def goes_on(self) -> bool:
        verdict = verify_lines(self._exported(), audits.root_fingerprint())
        return verdict.fault is None and verdict.entries == ENTRIES

    def _exported(self) -> list[bytes]:
        """A stranger writes before, between and behind what the sequencer wrote."""
        lies = [*self._lies, *chained()[:3], *self._lies, *chained()[3:], *self._lies]
        keys_then, root = audits.signed_keys(), audits.root_fingerprint()
        return list(export(lies, audits.CHAIN, keys_then, root_fingerprint=root))


ENTRIES = 4


@cache
def chained() -> tuple[bytes, ...]:
    """A chain as its sequencer wrote it: its term, a head, entries, heads."""
    sequencer = audits.a_sequencer()
    records = list(audits.sequenced(audits.requests(ENTRIES), by=sequencer))
    return tuple(encode_record(record) for record in (audits.begun(sequencer), *records))


def signed_holder() -> Holder:
    return Holder.MATCH


def a_dead_letter() -> bytes:
    letter = DeadLettered(
        deployment=DEPLOYMENT, trace_id="", captured_at=NOON, topic="frames", partition=1, offset=7, reason="x"
    )
    return codec.encode(letter, topic=topics.FRAMES_DEAD.name)


def counts(deployment: ids.DeploymentId = DEPLOYMENT) -> bytes:
    told = {(str(Count.FRAMES_READ), ""): 9, (str(Count.FRAMES_DROPPED), "queue_full"): 2}
    event = StageCounts(
        deployment=deployment,
        trace_id="",
        captured_at=NOON,
        stage=Stage.INGEST,
        incarnation="gate-1.1.1",
        totals=told,
        standing={},
    )
    return codec.encode(event, topic=topics.COUNTS.name)


def a_gap() -> bytes:
    gap = CameraGap(
        deployment=DEPLOYMENT,
        trace_id="",
        captured_at=NOON,
        camera=CAMERA,
        run="gate-1.1.1",
        began_at=NOON,
        reason="stalled",
    )
    return codec.encode(gap, topic=topics.COUNTS.name)


def a_case(deployment: ids.DeploymentId = DEPLOYMENT) -> bytes:
    return codec.encode(replace(opened(), deployment=deployment), topic=topics.DECISIONS.name)


def sealed(event: Event, topic: str, *, key_id: str = "some/key", key: bytes = bytes(32)) -> bytes:
    return codec.encode_sealed(event, topic=topic, sealing=Sealing(key_id, key, CIPHER))


@cache
def own_frame() -> bytes:
    """Under a key that the reader's stores do not have."""
    street = Street()
    return street.record(scene(Person(RED, 100))).value


@cache
def own_face() -> bytes:
    return Rig().record(a_face(model_id=MODEL)).value


@cache
def own_alert() -> bytes:
    return Alerts().good()


@cache
def envelopes() -> tuple[bytes, ...]:
    """One of each kind, of ours and of another deployment, under keys of nobody's."""
    clear = (counts(), counts(ELSEWHERE), a_gap(), a_dead_letter(), a_case(), a_case(ELSEWHERE))
    held = [
        sealed(event, topic)
        for event in (a_frame(), a_face(), an_alert(), a_frame(deployment=ELSEWHERE), a_face(deployment=ELSEWHERE))
        for topic in ("frames", "faces", "alerts")
    ]
    far = NOON.replace(year=8998)
    dated = [
        sealed(an_alert(searched_at=far, captured_at=far), "alerts"),
        sealed(a_face(captured_at=far), "faces"),
        sealed(a_frame(captured_at=far), "frames"),
    ]
    return (*clear, *held, *dated, own_frame(), own_face(), own_alert(), *others())


@cache
def others() -> tuple[bytes, ...]:
    """Records of the signed topics: another root's, another deployment's, a stranger's."""
    elsewhere = signed.a_document(id="elsewhere-1")
    return (
        *(codec_authority.encode(record) for record in signed.running(elsewhere)),
        codec_authority.encode(signed.a_lease(DOCUMENT, 9_999, signed.NOON, by="mallory")),
        codec_authority.encode(signed.a_change(DOCUMENT, 4, Move.STOP, signed.NOON, by="mallory")),
        audits.signed(audits.a_request(sequence=3), audits.STRANGER).raw,
        audits.signed(audits.a_request(sequence=900)).raw,
        *chained(),
    )


def believed() -> tuple[bytes, ...]:
    return tuple(codec_authority.encode(record) for record in signed.running(DOCUMENT))


def answers() -> tuple[bytes, ...]:
    answer = PurgeAnswer(
        deployment="town", version=1, order=5, holder=Holder.MATCH, instance="one", at=AT, destroyed={}, left={}
    )
    said = PurgeAnswered(deployment="town", signed_at=AT, answer=answer)
    return tuple(sign(said, signed.key(by)).encode() for by in ("match", "review", "a stranger"))


def requested() -> tuple[bytes, ...]:
    return tuple(one.raw for one in audits.requests(4))


SURFACES: Sequence[Surface] = (
    Surface("topic frames", Frames, (Permanent,), lambda: (own_frame(),), envelopes),
    Surface("topic faces", Faces, (Permanent,), lambda: (own_face(),), envelopes),
    Surface("topic alerts", Alerts, (Permanent,), lambda: (own_alert(),), envelopes),
    Surface(
        "topic counts",
        lambda: Ledger(topics.COUNTS.name, counts(), Count.FRAMES_READ),
        (),
        lambda: (counts(), a_gap()),
        envelopes,
    ),
    Surface(
        "topic decisions",
        lambda: Ledger(topics.DECISIONS.name, a_case(), Count.CASES_OPENED),
        (),
        lambda: (a_case(),),
        envelopes,
    ),
    Surface("topic authority", Authority, (), believed, envelopes),
    Surface("topic purges", Purges, (), answers, envelopes),
    Surface("topic audit_requests", AuditRequests, (), requested, envelopes),
    Surface("topic audit", Audit, (), chained, envelopes),
    Surface("topic dead letters", DeadLettersOf, (Foreign,), lambda: (a_dead_letter(),), envelopes),
)
