"""The record that a stage's cumulative counts travel in, for the Kafka loop to write with each transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.contracts import codec, counts, told, topics
from services.contracts.counts import CountKey
from services.contracts.events import StageCounts
from services.contracts.ids import DeploymentId
from services.contracts.told import Told
from services.runtime.clock import Clock
from services.runtime.kafka.types import Output


def output(event: Told) -> Output:
    """What a stage tells, without its proof yet (proofs.py)."""
    return Output(topics.COUNTS.name, told.key_of(event), codec.encode(event, topic=topics.COUNTS.name))


def writer(
    deployment: DeploymentId, stage: counts.Stage, incarnation: str, clock: Clock
) -> Callable[[Mapping[CountKey, int]], Output]:
    """What the loop calls with all its counts, standing ones among them, to have them as one record."""

    def record(cumulative: Mapping[CountKey, int]) -> Output:
        found = counts.split(cumulative)
        return output(
            StageCounts(
                deployment=deployment,
                trace_id="",
                captured_at=clock.now(),
                stage=stage,
                incarnation=incarnation,
                totals={name: value for name, value in found.items() if name[0] not in counts.STANDING},
                standing={name: value for name, value in found.items() if name[0] in counts.STANDING},
            )
        )

    return record
