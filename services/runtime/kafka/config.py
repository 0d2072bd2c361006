"""librdkafka's options, each with the reason it is not left at its default."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from services.contracts import topics
from services.contracts.topics import Topic
from services.runtime.kafka.broker import Reset

Options = dict[str, object]

# How long the broker waits for a revoking member, and librdkafka for a poll. The loop's own deadlines
# (Deadlines.revoke_drain_s) stay well below it; at a few seconds a slow machine would look dead.
MAX_POLL_INTERVAL_MS = 60_000

# A producer killed inside a transaction holds up every read_committed reader until this runs out (a
# successor with its transactional id ends it at once). Must stay above the slowest delivery.
TRANSACTION_TIMEOUT_MS = 15_000

# After this long without the broker's answer a record has failed, its batch is given up and read again.
DELIVERY_TIMEOUT_MS = 10_000


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the brokers are and how to speak to them; `security` are librdkafka's ssl.* and sasl.* options."""

    bootstrap: str
    client_id: str
    security: Mapping[str, str] = field(default_factory=dict, repr=False)

    def options(self) -> Options:
        """What every client of this connection has in common."""
        return {
            "bootstrap.servers": self.bootstrap,
            "client.id": self.client_id,
            # A broker that comes back is found again within this, not within 10 s.
            "reconnect.backoff.max.ms": 1_000,
            # Lost connections come as errors to the error callback; the log line would say it twice.
            "log.connection.close": False,
            **self.security,
        }


def consumer_options(
    connection: Connection,
    *,
    group: str,
    reset: Reset,
    queued_kbytes: int = 16_384,
    max_poll_interval_ms: int = MAX_POLL_INTERVAL_MS,
) -> Options:
    """A member of `group`: broker-side rebalances (KIP-848), committed records only, no commit of its own."""
    return {
        **connection.options(),
        "group.id": group,
        "group.protocol": "consumer",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "auto.offset.reset": reset.value,
        "max.poll.interval.ms": max_poll_interval_ms,
        # The default is 64 MB a partition queue; a full one then waits a second by default: x4 in throughput.
        "queued.max.messages.kbytes": queued_kbytes,
        "fetch.queue.backoff.ms": 10,
        # A topic made after its reader is found within this, not after 5 minutes.
        "topic.metadata.refresh.interval.ms": 10_000,
    }


# librdkafka's own; a smaller topic's limit goes before it.
_BATCH_BYTES = 1_000_000


def producer_options(connection: Connection, *, writes: Collection[Topic] = topics.ALL) -> Options:
    """An idempotent producer of these topics: all in-sync replicas, no doubles and no reordering by retries."""
    limits = [topic.max_message_bytes for topic in writes]
    return {
        **connection.options(),
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": 5,
        "message.max.bytes": max(limits),
        # Both hold for every topic that the client writes, and the broker refuses a whole batch that is larger
        # than its topic takes: so no batch of several is larger than the smallest takes. One alone may be.
        "batch.size": min(_BATCH_BYTES, *limits),
        "delivery.timeout.ms": DELIVERY_TIMEOUT_MS,
    }


def transactional_options(
    connection: Connection,
    *,
    transactional_id: str,
    writes: Collection[Topic] = topics.ALL,
    timeout_ms: int = TRANSACTION_TIMEOUT_MS,
) -> Options:
    """A transactional producer. A worker that restarts keeps its id: so it ends at once what it left."""
    return {
        **producer_options(connection, writes=writes),
        "transactional.id": transactional_id,
        "transaction.timeout.ms": timeout_ms,
        # The commit flushes by itself, so lingering would only delay it.
        "linger.ms": 0,
        # The coordinator answers "concurrent transactions" now and then; at the default each costs 100 ms.
        "retry.backoff.ms": 5,
        # Offsets for a group coordinator that has died are asked of the next one only when some connection of
        # this client changes its state; otherwise the call waits without end (librdkafka 2.16, issue 5511). An
        # idle one that is closed is such a change. Above the pause between two commits (Shape.tick_s), or it is
        # opened anew for each; well below Shape.hung_s and TRANSACTION_TIMEOUT_MS.
        "connections.max.idle.ms": 4_000,
    }
