"""The record that one which can never be handled leaves behind, and how it is counted, for the Kafka loop."""

from __future__ import annotations

from collections.abc import Mapping

from services.contracts import codec, counts
from services.contracts.counts import Count, CountKey
from services.contracts.events import DeadLettered
from services.contracts.ids import DeploymentId
from services.contracts.topics import Topic
from services.runtime.clock import Clock
from services.runtime.kafka.dead_letter import DeadLetters
from services.runtime.kafka.types import DeadLetter, Output


def writer(
    deployment: DeploymentId, topic: Topic, clock: Clock, *, received: Count, dead: Count, foreign: Count
) -> DeadLetters:
    """Dead letters to `topic`: where each record stood and why, never what was in it.

    Each is counted as `received` and, by its reason, as `dead`, under this deployment. One that anybody could have
    written is counted as `foreign` alone: it was never published, so no sum of ours may hold it.
    """

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
        return Output(topic.name, event.event_id.encode(), codec.encode(event, topic=topic.name))

    def counted(letter: DeadLetter) -> Mapping[CountKey, int]:
        if letter.foreign:
            return {counts.key(deployment, foreign, letter.reason): 1}
        return {counts.key(deployment, received): 1, counts.key(deployment, dead, letter.reason): 1}

    return DeadLetters(record, counted)
