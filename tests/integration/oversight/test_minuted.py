"""An authority's whole life is in the audit chain, exported, verified, and held against heads from a sink."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.audit.collect import collect
from console.audit.verify import read_head, verify
from console.commands import audit
from console.edges.kafka_read import KafkaReader
from console.stack.kafka import KafkaCluster
from services.contracts.audit.requests import SYSTEM
from services.contracts.authorisation.enums import Move
from tests.integration.oversight.world import World
from tests.integration.stack import KAFKA_CACHE
from tests.support import eventually


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaCluster]:
    """A chain has one root: the shared broker has those of other tests' organisations."""
    with KafkaCluster(tmp_path / "kafka", KAFKA_CACHE) as cluster:
        yield cluster


def test_a_life_over_a_takeover_is_one_whole_chain_with_anchored_heads(
    own_kafka: KafkaCluster, redis_durable: str, tmp_path: Path
) -> None:
    world = World(own_kafka.bootstrap, redis_durable, tmp_path)
    document, file = world.document(), tmp_path / "chain.jsonl"
    with world.leader_and_standby() as (leader, standby):
        world.begin(leader, document)
        leader.process.kill()
        eventually(standby.leads, "the standby to lead", within_s=20)
        world.order(standby, document, Move.STOP, "sam")
        eventually(lambda: entries(own_kafka, world, document.id, file) == 4, "its four steps", within_s=20)
        head = tmp_path / "heads" / f"{document.id}.heads"
        verdict = verify(file, world.root_fingerprint, read_head(head))
        assert verdict.ok, verdict.fault
        assert verdict.agreed is not None
        words = ["--bootstrap", own_kafka.bootstrap, "--root", world.root_fingerprint]
        exported = tmp_path / "exported.jsonl"
        for code in (0, 2):  # never over a file that is there
            said = CliRunner().invoke(audit.app, ["export", str(exported), "--chain", document.id, *words])
            assert said.exit_code == code, said.output
        assert exported.read_bytes() == file.read_bytes()
        assert entries(own_kafka, world, SYSTEM, file) > 0
        assert verify(file, world.root_fingerprint).ok


def entries(kafka: KafkaCluster, world: World, chain: str, file: Path) -> int:
    with closing(KafkaReader(kafka.bootstrap)) as reader:
        file.write_bytes(b"".join(collect(reader, chain, root_fingerprint=world.root_fingerprint)))
    return verify(file, world.root_fingerprint).entries
