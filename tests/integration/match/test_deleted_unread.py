"""What Kafka deletes of `faces`, read or not, and what the statement makes of it, on Apache Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.ledger.statement import Line, Statement
from console.stack.kafka import KafkaCluster
from services.contracts import topics
from services.contracts.counts import Count
from tests.builders import a_vector
from tests.integration.deleting import delete, delete_all, ends
from tests.integration.match.lists import searched
from tests.integration.match.world import World
from tests.unit.contracts.sealed.lists_builder import SIZE


@pytest.fixture
def world(kafka: KafkaCluster, redis_volatile: str, redis_durable: str, tmp_path: Path) -> Iterator[World]:
    made = World(kafka.bootstrap, redis_volatile, redis_durable, tmp_path)
    yield made
    made.close()


def feed(world: World, *numbers: int, commit: bool = True) -> None:
    world.feed(*(world.a_face(n, vector=a_vector(size=SIZE, seed=n)) for n in numbers), commit=commit)


def faces(statement: Statement) -> Line:
    return next(line for line in statement.lines if line.arrow.whole is Count.FACES_PUBLISHED)


def told(world: World) -> tuple[int, int, int]:
    """In flight, deleted unread, missing."""
    line = faces(world.statement())
    return line.in_flight, line.deleted, line.gap


def test_faces_deleted_unread_while_match_was_away_are_counted(world: World) -> None:
    """Finding A2: published 8, received 4, and four that nobody ever heard of: no report could be signed."""
    searched(world)
    begin = ends(world.bootstrap, "faces", topics.FACES.partitions)
    feed(world, *range(8))
    delete(world.bootstrap, "faces", {number: begin[number] + 1 for number in range(4)})
    assert told(world) == (4, 4, 0)
    with world.match() as match:
        world.until(Count.FACES_SEARCHED, 4)
        assert match.metric("signpost_match_faces_skipped_total") == 4
    totals = world.totals()
    assert (totals[Count.FACES_RECEIVED], totals[Count.FACES_SKIPPED]) == (4, 4)
    assert told(world) == (0, 0, 0)


def test_faces_that_are_all_deleted_and_followed_by_none_are_named(world: World) -> None:
    """Nobody comes after them to show the hole: the statement says it, and match says it as soon as one comes."""
    searched(world)
    feed(world, *range(4))
    with world.match() as match:
        world.until(Count.FACES_SEARCHED, 4)
        assert match.stop() == 0
    feed(world, *range(4, 12))
    assert told(world) == (8, 0, 0)
    delete_all(world.bootstrap, "faces", topics.FACES.partitions)
    assert told(world) == (0, 8, 0)
    with world.match():
        feed(world, *range(12, 16))
        world.until(Count.FACES_SEARCHED, 8)
    assert world.totals()[Count.FACES_SKIPPED] == 8
    assert told(world) == (0, 0, 0)


def test_a_partition_that_was_quiet_for_longer_than_its_topic_is_kept_adds_up(world: World) -> None:
    """Finding A1: the group stands at a marker that is gone; it counted as a face in flight, by each partition."""
    searched(world)
    feed(world, *range(8))
    with world.match():
        world.until(Count.FACES_SEARCHED, 8)
        delete_all(world.bootstrap, "faces", topics.FACES.partitions)
        assert told(world) == (0, 0, 0)


def test_transactions_that_came_to_nothing_are_no_faces(world: World) -> None:
    searched(world)
    feed(world, 0, 1)
    with world.match():
        world.until(Count.FACES_SEARCHED, 2)
        feed(world, 2, 3, commit=False)
        feed(world, 4, 5, commit=False)
        assert told(world) == (0, 0, 0)
        delete_all(world.bootstrap, "faces", topics.FACES.partitions)
        assert told(world) == (0, 0, 0)


def test_a_match_that_never_came_leaves_faces_in_flight_and_then_deleted(world: World) -> None:
    searched(world)
    feed(world, 0, 1)
    feed(world, 2)
    assert told(world) == (3, 0, 0)
    delete_all(world.bootstrap, "faces", topics.FACES.partitions)
    assert told(world) == (0, 3, 0)
    with world.match():
        feed(world, 4, 5, 6)
        world.until(Count.FACES_SEARCHED, 3)
    assert world.totals()[Count.FACES_SKIPPED] == 3
    assert told(world) == (0, 0, 0)
