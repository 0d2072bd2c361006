"""The settings of a local Kafka node: a pure rendering, every choice with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Room for a 720p crop with its context; the topic table's largest max.message.bytes must stay below.
MESSAGE_MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class NodeAddress:
    """Where one node listens on 127.0.0.1."""

    node_id: int
    broker_port: int
    controller_port: int


def server_properties(node: NodeAddress, nodes: Sequence[NodeAddress], log_dir: Path) -> dict[str, str]:
    """Return the settings of `node` in the cluster `nodes`, its data under `log_dir`."""
    copies = str(len(nodes))
    in_sync = str(max(1, len(nodes) - 1))
    return {
        **_identity(node, nodes, log_dir),
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        # Whoever may write to a topic can leave a transaction open there, and no reader sees what is behind it
        # until this runs out: a quarter of an hour by default. Ours last 15 s at most.
        "transaction.max.timeout.ms": "60000",
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        "default.replication.factor": copies,
        **_GROUPS,
        **_SMALL,
        **_PROMPT_DELETION,
        "message.max.bytes": str(MESSAGE_MAX_BYTES),
        "replica.fetch.max.bytes": str(MESSAGE_MAX_BYTES),
        # Topics are made by `signpost topics apply` from the one table, never by a typing error.
        "auto.create.topics.enable": "false",
    }


def render(properties: Mapping[str, str]) -> str:
    """Return the text of a server.properties file."""
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def _identity(node: NodeAddress, nodes: Sequence[NodeAddress], log_dir: Path) -> dict[str, str]:
    voters = ",".join(f"{each.node_id}@127.0.0.1:{each.controller_port}" for each in nodes)
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.node_id),
        "controller.quorum.voters": voters,
        "listeners": (f"PLAINTEXT://127.0.0.1:{node.broker_port},CONTROLLER://127.0.0.1:{node.controller_port}"),
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{node.broker_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(log_dir),
    }


# KIP-848 groups: the broker, not the client, says when a member counts as gone. A killed worker's
# partitions move after about 5 s with these, after 45 s with the defaults.
_GROUPS = {
    "group.consumer.session.timeout.ms": "6000",
    "group.consumer.min.session.timeout.ms": "3000",
    "group.consumer.heartbeat.interval.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
}

# One machine, few topics: internal topics and threads for that, not for a data centre.
_SMALL = {
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
    # The cleaner takes this from the heap at start; 128 MB is its default, our heap is 512.
    "log.cleaner.dedupe.buffer.size": "16777216",
    # Sparse files, but 10 MB each looks like a disk filled by an idle broker.
    "log.index.size.max.bytes": "1048576",
    # A killed broker's partitions get a new leader after this; 9 s is the default.
    "broker.session.timeout.ms": "6000",
    "broker.heartbeat.interval.ms": "1000",
}

# Two-minute topics have to go after two minutes, so that tests can see it and a laptop stays empty.
_PROMPT_DELETION = {
    "log.retention.check.interval.ms": "1000",
    "log.initial.task.delay.ms": "1000",
    "log.segment.delete.delay.ms": "1000",
    # A dead transactional producer hides what comes after its open transaction until it is aborted.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
}

LOG4J = """\
status = error
appender.file.type = RollingFile
appender.file.name = FILE
appender.file.fileName = ${sys:signpost.log}
appender.file.filePattern = ${sys:signpost.log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{ISO8601} %-5p %m (%c{1})%n
appender.file.policies.type = SizeBasedTriggeringPolicy
appender.file.policies.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = info
rootLogger.appenderRef.file.ref = FILE
"""
