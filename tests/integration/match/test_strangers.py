"""What somebody without a service's key writes to the topics between stages, on Apache Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.commands.deployment import app
from console.edges.kafka_read import KafkaReader
from console.stack.kafka import KafkaCluster
from services.contracts import topics
from services.contracts.authorisation.enums import Role
from services.contracts.counts import Count
from services.contracts.events import StageCounts
from services.runtime import counts_topic
from services.runtime.kafka.types import Output
from tests.builders import a_vector
from tests.integration.deleting import drop_group
from tests.integration.match.lists import searched
from tests.integration.match.world import World
from tests.integration.running import WITHIN_S
from tests.integration.strangers import forgeries, lying, signed_again, write
from tests.proofs import proving
from tests.support import eventually
from tests.unit.contracts.sealed.lists_builder import SIZE


@pytest.fixture
def world(kafka: KafkaCluster, redis_volatile: str, redis_durable: str, tmp_path: Path) -> Iterator[World]:
    made = World(kafka.bootstrap, redis_volatile, redis_durable, tmp_path)
    yield made
    made.close()


def feed(world: World, *numbers: int) -> None:
    world.feed(*(world.a_face(n, vector=a_vector(size=SIZE, seed=n)) for n in numbers))


def a_count(world: World, stage: str, incarnation: str, totals: dict[str, int]) -> Output:
    """Without a proof."""
    event = StageCounts(
        deployment=world.deployment,
        trace_id="",
        captured_at=datetime.now(UTC),
        stage=stage,
        incarnation=incarnation,
        totals={(name.partition(":")[0], name.partition(":")[2]): value for name, value in totals.items()},
        standing={},
    )
    return counts_topic.output(event)


def own_counts(world: World) -> Output:
    """What match told last, as it lies there."""
    with closing(KafkaReader(world.bootstrap)) as reader:
        key = f"{world.deployment}/match/".encode()
        found = [one for one in reader.records(topics.COUNTS.name) if (one.key or b"").startswith(key)]
    return Output(topics.COUNTS.name, found[-1].key, found[-1].value, headers=found[-1].headers)


def test_no_count_that_a_stranger_writes_is_in_a_figure_and_the_statement_says_how_many(world: World) -> None:
    """Whoever could write to `counts` could make up searches of nobody, in figures that add up."""
    searched(world)
    feed(world, *range(4))
    with world.match() as match:
        world.until(Count.FACES_SEARCHED, 4)
        assert match.stop() == 0
    before, last = world.statement(), own_counts(world)
    assert before.reconciles
    assert (before.totals[Count.FACES_SEARCHED], before.foreign, before.overwritten) == (4, 0, ())
    adds_up = {"faces_received": 9, "faces_searched": 9, "faces_below_threshold": 9, "faces_passed:2-0": 999}
    write(
        world.bootstrap,
        a_count(world, "match", "another", adds_up | {"faces_passed:2-1": 999}),
        proving("stranger")(a_count(world, "match", "a-third", adds_up)),
        proving("embed")(a_count(world, "match", "a-fourth", adds_up)),
        a_count(world, "embed", "another", {"faces_published": 3, "faces_given:2-0": 4}),
        # In the place of what a process that is gone told last; once more as it was, which changes nothing.
        replace(last, value=a_count(world, "match", "another", {"faces_searched": 0}).value, headers=()),
    )
    after = world.statement()
    assert (after.totals, after.lines) == (before.totals, before.lines)
    assert after.foreign == 5
    own_name = (last.key or b"").decode().removeprefix(f"{world.deployment}/")
    assert set(after.overwritten) == {own_name, "embed/another", *(f"match/{n}" for n in NAMES)}
    write(world.bootstrap, last)
    assert own_name not in world.statement().overwritten
    said = CliRunner().invoke(
        app,
        [
            "counts",
            str(world.deployment),
            *("--bootstrap", world.bootstrap, "--root", world.signed.root_fingerprint),
        ],
    )
    assert said.exit_code == 0, said.output
    assert "not ours: 4 records on counts" in said.output, (
        "the fifth lies behind what its owner wrote, and says less"
    )
    assert "match/a-third" in said.output


NAMES = ("another", "a-third", "a-fourth")


def test_no_copy_and_no_forgery_of_a_face_is_received_and_no_loss_is_told(world: World) -> None:
    """Each was received once more, and a made-up number was a loss that was none: the statement said NO."""
    searched(world)
    feed(world, *range(4))
    with world.match() as match:
        world.until(Count.FACES_SEARCHED, 4)
        genuine = lying(world.bootstrap, "faces", world.deployment)
        world.signed.enrol(
            world.signed.registered(
                "embed", secret="a revoked key", role=Role.SERVICE, revoked_at=datetime.now(UTC)
            )
        )
        revoked = signed_again(genuine[0], proving("a revoked key"))
        forged = [one for face in genuine for one in forgeries(face, other_service="match")]
        write(world.bootstrap, *genuine, *forged, revoked, *genuine)
        feed(world, *range(4, 8))
        world.until(Count.FACES_SEARCHED, 8)
        eventually(lambda: not in_flight(world), "all of it to be passed over", within_s=WITHIN_S)
        assert match.metric("signpost_match_faces_skipped_total") == 0
    totals, reasons = world.totals(), world.reasons()
    assert totals[Count.FACES_RECEIVED] == totals[Count.FACES_SEARCHED] == 8
    assert reasons[Count.FACES_FOREIGN, "copied"] == 2 * len(genuine)
    # The topic is shared: what strangers wrote in other tests is passed over here too.
    assert reasons[Count.FACES_FOREIGN, "unproven"] >= len(forged) + 1
    statement = world.statement()
    assert statement.reconciles
    assert statement.totals[Count.FACES_SKIPPED] == 0


def test_faces_that_are_read_again_where_the_groups_mark_is_gone_are_not_received_again(world: World) -> None:
    """An offset that a tool has put back, or lost: all that lies there was received once more."""
    searched(world)
    feed(world, *range(4))
    with world.match() as match:
        world.until(Count.FACES_SEARCHED, 4)
        assert match.stop() == 0
    # Far behind what match itself told: nothing that a stranger tells is a mark.
    write(world.bootstrap, *(a_count(world, "match", f"s-{n}", {f"faces_passed:2-{n}": 999}) for n in range(4)))
    drop_group(world.bootstrap, f"signpost-match-{world.deployment}")
    feed(world, *range(4, 8))
    with world.match():
        world.until(Count.FACES_SEARCHED, 8)
        eventually(lambda: not in_flight(world), "all of it to be read", within_s=WITHIN_S)
    assert world.totals()[Count.FACES_RECEIVED] == 8
    assert world.reasons()[Count.FACES_FOREIGN, "copied"] == 4
    statement = world.statement()
    assert statement.reconciles
    assert statement.totals[Count.FACES_SKIPPED] == 0


def in_flight(world: World) -> int:
    """Of what lies on `faces`, whoever wrote it: records behind where match stands."""
    with closing(KafkaReader(world.bootstrap)) as reader:
        stands = reader.stands("faces", f"signpost-match-{world.deployment}")
        return len(list(reader.ahead("faces", stands)[1]))


def test_another_root_is_told_that_it_has_no_registry_here(world: World) -> None:
    searched(world)
    feed(world, 0)
    asked = ["counts", str(world.deployment), "--bootstrap", world.bootstrap, "--root", "A" * 43]
    said = CliRunner().invoke(app, asked)
    assert said.exit_code == 2
    assert "no registry that this root has signed" in said.output
