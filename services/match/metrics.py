"""Every metric of match. What is below threshold shows here as a number of faces, never as a score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from prometheus_client import CollectorRegistry

from services.contracts.authorisation.refusals import Refusal
from services.contracts.counts import Count, CountKey, Expired, split
from services.contracts.sealed.standing import Inert
from services.match.core.admission import ListRefusal
from services.runtime.authority_figures import authority_specs
from services.runtime.kafka.figures import LoopSpecs
from services.runtime.kafka.signals import ResetReason
from services.runtime.metrics import Counter, Gauge, Histogram


class DeadReason(StrEnum):
    """Why a face can never be searched; OTHER is for a reason that is new and not yet named here."""

    UNDECODABLE = "undecodable"
    NOT_AUTHENTIC = "not_authentic"
    UNPROVEN = "unproven"
    COPIED = "copied"
    EXPIRED = "expired"
    OTHER = "other"


# From a microsecond a face to a batch of 32 against 200,000 entries.
_SEARCH_S = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)

FACES_SEARCHED = Counter("signpost_match_faces_searched_total", "Faces searched, once their batch is committed.")
FACES_ALERTED = Counter("signpost_match_faces_alerted_total", "Faces searched that raised at least one alert.")
ALERTS_PUBLISHED = Counter("signpost_match_alerts_published_total", "Alerts published, revisions included.")
FACES_EXPIRED = Counter(
    "signpost_match_faces_expired_total",
    "Faces whose key was gone: late is normal, key_lost means that the volatile Redis lost it.",
    {"reason": Expired},
)
FACES_REFUSED = Counter(
    "signpost_match_faces_refused_total", "Faces outside the deployment's authority.", {"reason": Refusal}
)
INERT_HITS = Counter(
    "signpost_match_inert_hits_total",
    "Faces that reached the threshold of an entry which may raise nothing: it is revoked, expired or stale.",
    {"reason": Inert},
)
SEARCH_SECONDS = Histogram(
    "signpost_match_search_seconds", "One batch of faces against the whole list.", buckets=_SEARCH_S
)
BATCH_FACES = Histogram(
    "signpost_match_batch_faces", "Faces searched together.", buckets=(1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
)
CAPTURE_TO_SEARCH_SECONDS = Histogram(
    "signpost_match_capture_to_search_seconds", "From a face's newest shot to its search."
)
KEYS_DESTROYED = Counter(
    "signpost_match_face_keys_destroyed_total", "Keys of faces destroyed after their search was committed."
)
KEYS_LEFT = Counter(
    "signpost_match_face_keys_left_total",
    "Keys of faces that could not be destroyed at once; their deadline in the store is the backstop.",
)
KEY_LIFE_SECONDS = Histogram(
    "signpost_match_face_key_life_seconds", "Life of a face's key: from its publication to its destruction."
)
FACE_LIFE_SECONDS = Histogram(
    "signpost_match_face_life_seconds", "How long a face could be read: from its newest shot to its key's end."
)
LIST_SUBJECTS = Gauge("signpost_match_list_subjects", "People on the list that is searched.")
LIST_FILLERS = Gauge("signpost_match_list_fillers", "Entries of the list that are nobody and pad the cohort.")
LISTS_LOADED = Counter("signpost_match_lists_loaded_total", "Lists taken into use.")
LISTS_REFUSED = Counter(
    "signpost_match_lists_refused_total",
    "Lists found in Redis and not taken into use; the one before goes on being searched.",
    {"reason": ListRefusal},
)
FACES_DEAD = Counter(
    "signpost_match_faces_dead_lettered_total", "Faces that can never be searched.", {"reason": DeadReason}
)
FACES_SKIPPED = Counter(
    "signpost_match_faces_skipped_total",
    "Faces that Kafka deleted unread: match was away for too long.",
)
LOOP = LoopSpecs(
    lag=Gauge("signpost_match_lag_records", "Faces not yet searched and committed, of the partitions held."),
    assigned=Gauge("signpost_match_assigned_partitions", "Partitions of faces that are this process's."),
    stuck=Gauge("signpost_match_stuck_partitions", "Partitions that do not move; somebody has to look."),
    batch_seconds=Histogram("signpost_match_batch_seconds", "Handling of one batch, sealing included."),
    commit_seconds=Histogram("signpost_match_commit_seconds", "Delivery and commit of one batch."),
    aborts=Counter("signpost_match_aborts_total", "Deliveries refused by the broker, and tried once more."),
    resets=Counter(
        "signpost_match_resets_total", "Everything in flight was given up and read again.", {"reason": ResetReason}
    ),
    retries=Counter("signpost_match_retries_total", "A store did not answer, and the batch was tried again."),
    kafka_errors=Counter(
        "signpost_match_kafka_errors_total", "Errors of Kafka's client; most pass by themselves."
    ),
)
AUTHORITY = authority_specs("match")


class MatchMetrics:
    """The live half of all but the loop's. Any thread; never blocks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._searched = FACES_SEARCHED.on(registry)
        self._alerted = FACES_ALERTED.on(registry)
        self._alerts = ALERTS_PUBLISHED.on(registry)
        self._expired = FACES_EXPIRED.on(registry)
        self._refused = FACES_REFUSED.on(registry)
        self._search_s = SEARCH_SECONDS.on(registry)
        self._inert = INERT_HITS.on(registry)
        self._batch = BATCH_FACES.on(registry)
        self._waited_s = CAPTURE_TO_SEARCH_SECONDS.on(registry)
        self._destroyed = KEYS_DESTROYED.on(registry)
        self._left = KEYS_LEFT.on(registry)
        self._key_life_s = KEY_LIFE_SECONDS.on(registry)
        self._face_life_s = FACE_LIFE_SECONDS.on(registry)
        self._dead = FACES_DEAD.on(registry)
        self._skipped = FACES_SKIPPED.on(registry)
        self._subjects = LIST_SUBJECTS.on(registry)
        self._fillers = LIST_FILLERS.on(registry)
        self._lists = LISTS_LOADED.on(registry)
        self._lists_refused = LISTS_REFUSED.on(registry)

    def expired(self, faces: Mapping[Expired, int]) -> None:
        """So many faces' keys were gone."""
        for why, number in faces.items():
            self._expired.inc(number, reason=why)

    def refused(self, refusal: Refusal, faces: int) -> None:
        """So many faces lay outside the authority."""
        self._refused.inc(faces, reason=refusal)

    def skipped(self, faces: int) -> None:
        """Kafka has deleted so many unread."""
        self._skipped.inc(faces)

    def dead_lettered(self, reason: str) -> None:
        """A face can never be searched."""
        known = reason in DeadReason.__members__.values()
        self._dead.inc(reason=reason if known else DeadReason.OTHER)

    def searched(self, *, seconds: float, waited_s: Iterable[float], inert: Mapping[Inert, int]) -> None:
        """One batch was searched; `waited_s` are its faces' ages, `inert` what reached entries that are."""
        self._search_s.observe(seconds)
        ages = list(waited_s)
        self._batch.observe(len(ages))
        for age_s in ages:
            self._waited_s.observe(age_s)
        for reason, number in inert.items():
            self._inert.inc(number, reason=reason)

    def committed(self, counted: Mapping[CountKey, int]) -> None:
        """A batch's counts are true now."""
        totals = split(counted)
        self._searched.inc(totals.get((Count.FACES_SEARCHED, ""), 0))
        self._alerted.inc(totals.get((Count.FACES_ALERTED, ""), 0))
        self._alerts.inc(totals.get((Count.ALERTS_PUBLISHED, ""), 0))

    def keys_destroyed(self, number: int) -> None:
        """So many keys of faces were there, and are not any more."""
        self._destroyed.inc(number)

    def keys_left(self, number: int) -> None:
        """So many keys are left to their deadline."""
        self._left.inc(number)

    def life(self, *, key_s: float, face_s: float) -> None:
        """One face's key has ended: its age, and that of the face."""
        self._key_life_s.observe(key_s)
        self._face_life_s.observe(face_s)

    def list_loaded(self, *, subjects: int, fillers: int) -> None:
        """A list is in use."""
        self._lists.inc()
        self._subjects.set(subjects)
        self._fillers.set(fillers)

    def list_purged(self) -> None:
        """The list's time is over: none is in use."""
        self._subjects.set(0)
        self._fillers.set(0)

    def list_refused(self, refusal: ListRefusal) -> None:
        """A list is not taken into use."""
        self._lists_refused.inc(reason=refusal)
