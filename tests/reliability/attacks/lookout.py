"""Reads what matchers publish as it becomes readable, and notes when: alerts and counts, in no group."""

from __future__ import annotations

import threading
import uuid
from collections import Counter, defaultdict
from datetime import UTC, datetime

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from services.contracts import codec, counts, topics
from services.contracts.codec_fields import from_micros
from services.contracts.counts import Count, Stage
from services.contracts.events import AlertRaised, StageCounts
from tests.reliability.attacks.judge import Sighting

_WATCHED = (topics.ALERTS, topics.COUNTS)
_POLL_S = 0.02


class Lookout:
    """Looks from `start` to `stop`, from a thread of its own; any thread may ask, by deployment."""

    def __init__(self, bootstrap: str) -> None:
        self._sightings: defaultdict[str, list[Sighting]] = defaultdict(list)
        self._counts: dict[str, dict[str, StageCounts]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": f"lookout-{uuid.uuid4()}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
                "log_level": 0,
            }
        )
        self._thread = threading.Thread(target=self._look, name="lookout", daemon=True)

    def start(self) -> None:
        self._consumer.assign(
            [
                TopicPartition(topic.name, number, OFFSET_BEGINNING)
                for topic in _WATCHED
                for number in range(topic.partitions)
            ]
        )
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def sightings(self, deployment: str) -> list[Sighting]:
        """Every alert of the deployment so far."""
        with self._lock:
            return list(self._sightings[deployment])

    def totals(self, deployment: str) -> Counter[Count]:
        """What its matchers have counted so far."""
        with self._lock:
            records = list(self._counts.get(deployment, {}).values())
        return counts.tally(records).totals

    def _look(self) -> None:
        while not self._stopping.is_set():
            for message in self._consumer.consume(200, _POLL_S):
                if message.error() is None:  # librdkafka reads on by itself
                    self._take(message, datetime.now(UTC))

    def _take(self, message: Message, now: datetime) -> None:
        peeked = codec.peek(message.value() or b"", topic=message.topic() or "")
        with self._lock:
            if peeked.kind is AlertRaised:
                self._sightings[peeked.deployment].append(_sighting(peeked, now))
            elif peeked.kind is StageCounts:
                event = codec.expect(codec.open_clear(peeked), StageCounts)
                if event.stage == Stage.MATCH:
                    self._counts.setdefault(peeked.deployment, {})[event.incarnation] = event


def _sighting(peeked: codec.Peeked, now: datetime) -> Sighting:
    body = peeked.body
    return Sighting(
        track=peeked.text("track"),
        camera=peeked.text("camera"),
        subject=peeked.text("subject"),
        list_digest=peeked.text("list_digest"),
        score_kind=peeked.text("score_kind"),
        version=int(getattr(body, "authority_version", 0)),
        searched_at=from_micros(getattr(body, "searched_at_us", 0)),
        seen_at=now,
    )
