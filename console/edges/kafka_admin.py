"""A cluster's topics, group settings and offsets, through Kafka's admin protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

from confluent_kafka.admin import (
    AlterConfigOpType,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from console.topics.plan import AddPartitions, Create, Found, SetConfig
from services.contracts.topics import GroupSessions
from services.runtime.kafka.admin import Admin, answer
from services.runtime.kafka.broker import BrokerError

T = TypeVar("T")

# Long for a cluster that answers, short for a person who waits for one that does not.
_TIMEOUT_S = 10.0
_GROUP_PREFIX = "signpost-"


class KafkaUnreachableError(Exception):
    """The cluster did not answer; the text says where it was looked for."""


def _ms(span: timedelta) -> str:
    return str(span // timedelta(milliseconds=1))


@cache
def _client(bootstrap: str) -> Admin:
    """One client a cluster for the life of the process: see `services.runtime.kafka.admin` for why it is kept."""
    # Errors reach the caller through the calls; librdkafka would print them to stderr as well.
    return Admin({"bootstrap.servers": bootstrap, "log_level": 0})


class KafkaAdmin:
    """Admin calls, each blocking at most 10 s. Raises KafkaUnreachableError, BrokerError."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._client = _client(bootstrap)

    def brokers(self) -> int:
        """How many brokers the cluster has now."""
        return len(self._cluster().brokers)

    def topics(self, names: Iterable[str]) -> dict[str, Found]:
        """Those of `names` that exist."""
        there = self._cluster().topics
        known = [name for name in names if name in there]
        configs = self._configs(ResourceType.TOPIC, known)
        return {
            name: Found(
                partitions=len(there[name].partitions),
                replication_factor=len(there[name].partitions[0].replicas),
                configs=configs[name],
            )
            for name in known
        }

    def active_groups(self) -> list[str]:
        """Our consumer groups that have members now."""
        listed = _answer(self._client.list_consumer_groups(request_timeout=_TIMEOUT_S))
        ours = [group.group_id for group in listed.valid if group.group_id.startswith(_GROUP_PREFIX)]
        if not ours:
            return []
        described = self._client.describe_consumer_groups(ours, request_timeout=_TIMEOUT_S)
        return [name for name, future in described.items() if _answer(future).members]

    def create(self, step: Create) -> None:
        new = NewTopic(
            step.topic.name,
            num_partitions=step.topic.partitions,
            replication_factor=step.replication_factor,
            config=dict(step.configs),
        )
        self._each(self._client.create_topics([new], operation_timeout=_TIMEOUT_S))

    def add_partitions(self, step: AddPartitions) -> None:
        self._each(self._client.create_partitions([NewPartitions(step.topic, step.becomes)]))

    def set_config(self, step: SetConfig) -> None:
        self._alter(ResourceType.TOPIC, step.topic, {step.name: step.becomes})

    def group_sessions(self, group: str) -> dict[str, str]:
        """A group's own heartbeat and session settings."""
        found = self._configs(ResourceType.GROUP, [group])[group]
        return {name: found.get(name, "") for name in session_configs(GroupSessions())}

    def set_group_sessions(self, group: str, sessions: GroupSessions) -> None:
        self._alter(ResourceType.GROUP, group, session_configs(sessions))

    def _cluster(self) -> ClusterMetadata:
        try:
            return self._client.list_topics(timeout=_TIMEOUT_S)
        except BrokerError as error:
            raise KafkaUnreachableError(
                f"no Kafka at {self._bootstrap}: start it (`signpost stack up`) or set KAFKA_BOOTSTRAP"
            ) from error

    def _alter(self, kind: ResourceType, name: str, configs: Mapping[str, str]) -> None:
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in configs.items()
        ]
        resource = ConfigResource(kind, name, incremental_configs=entries)
        self._each(self._client.incremental_alter_configs([resource]))

    def _configs(self, kind: ResourceType, names: list[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        asked = [ConfigResource(kind, name) for name in names]
        answers = self._client.describe_configs(asked, request_timeout=_TIMEOUT_S)
        return {
            resource.name: {entry.name: str(entry.value) for entry in _answer(future).values()}
            for resource, future in answers.items()
        }

    @staticmethod
    def _each(futures: Mapping[Any, Future[Any]]) -> None:
        for future in futures.values():
            _answer(future)


def _answer(future: Future[Any]) -> Any:  # noqa: ANN401 - the client's futures are untyped
    return answer(future, timeout_s=_TIMEOUT_S)


def session_configs(sessions: GroupSessions) -> dict[str, str]:
    """Group sessions as Kafka names and spells them."""
    return {
        "consumer.heartbeat.interval.ms": _ms(sessions.heartbeat),
        "consumer.session.timeout.ms": _ms(sessions.session),
    }


def ignoring_existing(call: Callable[[], T]) -> T | None:
    """Run `call`; None where somebody else was first to create the same thing."""
    try:
        return call()
    except BrokerError as error:
        if error.code == "TOPIC_ALREADY_EXISTS":
            return None
        raise
