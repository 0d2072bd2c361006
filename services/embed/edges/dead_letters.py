"""How a frame that can never be handled leaves: where it stood and why, never what it showed."""

from __future__ import annotations

from collections.abc import Mapping

from services.contracts import codec, counts, topics
from services.contracts.counts import Count, CountKey
from services.contracts.events import DeadLettered
from services.contracts.ids import DeploymentId
from services.runtime.clock import Clock
from services.runtime.kafka.dead_letter import DeadLetters
from services.runtime.kafka.types import DeadLetter, Output


def dead_letters(deployment: DeploymentId, clock: Clock) -> DeadLetters:
    """The dead letters of `frames`, counted under this deployment: nobody could read whose they were."""

    def record(letter: DeadLetter) -> Output:
        event = DeadLettered(
            deployment=deployment,
            trace_id=letter.ids.get("trace", ""),
            captured_at=clock.now(),
            topic=letter.position.topic,
            partition=letter.position.partition,
            offset=letter.position.offset,
            reason=letter.reason,
        )
        topic = topics.FRAMES_DEAD.name
        return Output(topic, event.event_id.encode(), codec.encode(event, topic=topic))

    def counted(letter: DeadLetter) -> Mapping[CountKey, int]:
        return {
            counts.key(deployment, Count.FRAMES_RECEIVED): 1,
            counts.key(deployment, Count.FRAMES_DEAD, letter.reason): 1,
        }

    return DeadLetters(record, counted)
