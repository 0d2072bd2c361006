"""Who writes before the stage under test: records numbered and counted, in transactions, as embed and match do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

from services.contracts import counts
from services.contracts.counts import Count, CountKey, Lane, Stage
from services.contracts.ids import DeploymentId
from services.contracts.places import Place
from services.runtime import counts_topic
from services.runtime.clock import SystemClock
from services.runtime.kafka.config import Connection, transactional_options
from services.runtime.kafka.marks import placed
from services.runtime.kafka.producer import KafkaTransactionalProducer
from services.runtime.kafka.types import Output
from tests.proofs import proving

WITHIN_S = 20.0
# The partition that it pretends to read.
SOURCE = 2


class Giver:
    """One incarnation of `stage`. One thread's."""

    def __init__(
        self, bootstrap: str, deployment: DeploymentId, stage: Stage, *, published: Count, given: Count
    ) -> None:
        self._deployment = deployment
        self._published = published
        self._given = given
        self._numbers: Counter[int] = Counter()
        self._prove = proving(stage)
        self._counts = counts_topic.writer(deployment, stage, f"giver-{uuid4().hex[:8]}", SystemClock())
        name = f"giver-{uuid4().hex}"
        connection = Connection(bootstrap, name)
        options = transactional_options(connection, transactional_id=name)
        self._producer = KafkaTransactionalProducer(options, lambda code: None)
        self._began = False

    def give(self, outputs: Sequence[Output], *, commit: bool = True) -> None:
        """Write them in one transaction with what they count to; or have it aborted, with its numbers."""
        if not self._began:
            self._producer.init(WITHIN_S)
            self._began = True
        numbers = self._numbers.copy()
        self._producer.begin()
        for output in outputs:
            assert output.partition is not None, "a numbered record needs its partition"
            numbers[output.partition] += 1
            self._producer.send(
                self._prove(placed(output, Place(self._deployment, SOURCE, numbers[output.partition])))
            )
        if not commit:
            self._producer.abort(WITHIN_S)
            return
        self._producer.send(self._prove(self._counts(self._cumulative(numbers))))
        self._producer.commit(WITHIN_S)
        self._numbers = numbers

    def _cumulative(self, numbers: Counter[int]) -> dict[CountKey, int]:
        lanes = {
            counts.key(self._deployment, self._given, str(Lane(SOURCE, home))): number
            for home, number in numbers.items()
        }
        return {counts.key(self._deployment, self._published): numbers.total(), **lanes}
