"""Reads the topics while everything around it dies: clear parts only, in no group, committed records."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from services.contracts import codec, topics
from services.contracts.codec_fields import from_micros
from services.contracts.decisions import AlertFolded, CaseOpened
from tests.e2e.truth import FrameSeen, frame_seen

_WATCHED = (topics.FRAMES, topics.FACES, topics.ALERTS, topics.DECISIONS)
_POLL_S = 0.2


@dataclass(frozen=True)
class FaceSeen:
    """A record of `faces`. `track` names its first frame."""

    track: str
    captured_at: datetime
    partition: int
    offset: int


@dataclass(frozen=True)
class AlertSeen:
    """A record of `alerts`; `id` has the revision."""

    id: str
    track: str
    subject: str
    searched_at: datetime


class Observer:
    """Collects from a thread of its own; read the collections once it has stopped, or take what is there."""

    def __init__(self, bootstrap: str, deployment: str) -> None:
        self._deployment = deployment
        self.frames: dict[str, FrameSeen] = {}
        self.frame_records = 0
        self.faces: list[FaceSeen] = []
        self.alerts: list[AlertSeen] = []
        self.opened: dict[str, CaseOpened] = {}
        self.folded: dict[str, AlertFolded] = {}
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": f"observer-{uuid.uuid4()}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "reconnect.backoff.max.ms": 1000,
                "log_level": 0,
            }
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read, name="observer", daemon=True)

    def start(self) -> None:
        places = [
            TopicPartition(topic.name, number, OFFSET_BEGINNING)
            for topic in _WATCHED
            for number in range(topic.partitions)
        ]
        self._consumer.assign(places)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def _read(self) -> None:
        while not self._stopping.is_set():
            for message in self._consumer.consume(200, _POLL_S):
                # Brokers come and go here: librdkafka reads on by itself.
                if message.error() is None:
                    self._take(message)

    def _take(self, message: Message) -> None:
        value, topic = message.value(), message.topic() or ""
        peeked = codec.peek(value or b"", topic=topic)
        if peeked.deployment != self._deployment:
            return
        partition, offset = message.partition() or 0, message.offset() or 0
        if topic == topics.FRAMES.name:
            self.frame_records += 1
            self.frames[peeked.event_id] = frame_seen(peeked, partition=partition, offset=offset)
        elif topic == topics.FACES.name:
            self.faces.append(FaceSeen(peeked.text("track"), peeked.captured_at, partition, offset))
        elif topic == topics.ALERTS.name:
            searched_at = from_micros(getattr(peeked.body, "searched_at_us", 0))
            alert = AlertSeen(peeked.event_id, peeked.text("track"), peeked.text("subject"), searched_at)
            self.alerts.append(alert)
        else:
            # The relay may repeat an event; the first of an id counts.
            event = codec.open_clear(peeked)
            if isinstance(event, CaseOpened):
                self.opened.setdefault(event.event_id, event)
            elif isinstance(event, AlertFolded):
                self.folded.setdefault(event.event_id, event)
