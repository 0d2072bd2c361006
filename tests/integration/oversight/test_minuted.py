"""An authority's whole life is in the audit chain, exported, verified, and held against heads from a sink."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.audit.collect import collect
from console.audit.verify import read_head, verify
from console.authority.key_file import write_key
from console.commands import audit
from console.edges.kafka_read import KafkaReader
from console.stack.kafka import KafkaCluster
from services.contracts.audit.lines import decode_line
from services.contracts.audit.requests import SYSTEM
from services.contracts.authorisation.enums import Move
from signpost.v1 import oversight_pb2 as pb
from tests.integration.oversight.world import Oversight, World
from tests.integration.stack import KAFKA_CACHE
from tests.support import eventually
from tests.unit.contracts.authorisation import builders as b


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
        eventually(lambda: entries(own_kafka, world, document.id, file) == 8, "its eight steps", within_s=20)
        head = tmp_path / "heads" / f"{document.id}.heads"
        verdict = verify(file, world.root_fingerprint, read_head(head))
        assert verdict.ok, verdict.fault
        assert verdict.agreed is not None
        anchors = standby.call("Show", pb.ShowRequest(deployment=document.id)).anchors
        assert [(one.sink, decode_line(one.head)) for one in anchors] == [("folder", read_head(head))]
        exported = tmp_path / "exported.jsonl"
        for code in (0, 2):  # never over a file that is there, and then nothing is recorded
            said = CliRunner().invoke(audit.app, export_of(own_kafka, world, standby, document.id, exported))
            assert said.exit_code == code, said.output
        assert exported.read_bytes() == file.read_bytes()
        eventually(lambda: entries(own_kafka, world, document.id, file) == 9, "the export itself", within_s=20)
        told = CliRunner().invoke(audit.app, ["entries", str(file), "--root", world.root_fingerprint])
        last = json.loads(told.output.splitlines()[-1])
        assert (last["what"], last["seen_sha256"]) == ("exported", sha256(exported.read_bytes()).hexdigest())
        assert entries(own_kafka, world, SYSTEM, file) > 0
        assert verify(file, world.root_fingerprint).ok


def export_of(kafka: KafkaCluster, world: World, oversight: Oversight, chain: str, file: Path) -> list[str]:
    key = file.with_suffix(".pem")
    if not key.exists():
        write_key(key, b.secret("aud"))
    words = ["--bootstrap", kafka.bootstrap, "--root", world.root_fingerprint, "--key", str(key)]
    return ["export", str(file), "--chain", chain, "--oversight", f"127.0.0.1:{oversight.grpc_port}", *words]


def entries(kafka: KafkaCluster, world: World, chain: str, file: Path) -> int:
    with closing(KafkaReader(kafka.bootstrap)) as reader:
        file.write_bytes(b"".join(collect(reader, chain, root_fingerprint=world.root_fingerprint)))
    return verify(file, world.root_fingerprint).entries
