"""Somebody who may read and write the topics between stages, and has no service's key."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from console.edges.kafka_read import KafkaReader
from services.contracts import codec
from services.contracts.proof import HEADER as PROOF
from services.runtime.kafka.config import Connection, producer_options
from services.runtime.kafka.producer import KafkaProducer
from services.runtime.kafka.types import Output
from services.runtime.proofs import Prove
from tests.contracts.broker import send
from tests.proofs import proving


def write(bootstrap: str, *outputs: Output) -> None:
    """As anybody may who is let in; returns once the broker has them."""
    send(KafkaProducer(producer_options(Connection(bootstrap, "stranger")), lambda code: None), *outputs)


def lying(bootstrap: str, topic: str, deployment: str) -> list[Output]:
    """The deployment's records on a topic, each to be written again exactly as it lies there."""
    with closing(KafkaReader(bootstrap)) as reader:
        return [
            Output(one.topic, one.key, one.value, one.partition, one.headers)
            for one in reader.records(topic)
            if codec.peek(one.value, topic=topic).deployment == deployment
        ]


def unsigned(output: Output) -> Output:
    """Without its proof."""
    return replace(output, headers=tuple(header for header in output.headers if header[0] != PROOF))


def signed_again(output: Output, prove: Prove) -> Output:
    """With somebody else's proof."""
    return prove(unsigned(output))


def renumbered(output: Output, *, by: int) -> Output:
    """Its number moved, its proof as it was."""

    def moved(name: str, value: bytes) -> bytes:
        if name == PROOF:
            return value
        scope, source, number = value.decode().split("/")
        return f"{scope}/{source}/{int(number) + by}".encode()

    return replace(output, headers=tuple((name, moved(name, value)) for name, value in output.headers))


def renamed(output: Output) -> Output:
    """Under an invented id, which no key is there for; its proof as it was."""
    peeked = codec.peek(output.value, topic=output.topic)
    invented = "f" * len(peeked.event_id)
    return replace(output, value=output.value.replace(peeked.event_id.encode(), invented.encode()))


def forgeries(output: Output, *, other_service: str) -> Sequence[Output]:
    """All that can be made of a genuine record but an exact copy: none of it is its writer's."""
    elsewhere = replace(output, partition=((output.partition or 0) + 1) % 8)
    ahead = renumbered(output, by=5)
    return (
        unsigned(output),
        renamed(output),
        renamed(unsigned(ahead)),
        signed_again(renamed(ahead), proving("a stranger")),
        signed_again(renamed(ahead), proving(other_service)),
        elsewhere,
        # Without numbers beside them, as frames are, these are what is there already.
        *([ahead, unsigned(ahead)] if ahead != output else []),
    )
