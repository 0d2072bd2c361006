"""A match process on a sealed list: who is on it is found, until they are taken off or the seal is void."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.stack.kafka import KafkaCluster
from services.contracts import lists
from services.contracts.counts import Count
from services.contracts.sealed.entry import Status
from tests import sealed
from tests.integration.match.lists import PEOPLE, searched
from tests.integration.match.world import World
from tests.support import eventually
from tests.unit.match.lists_builder import near


def pass_by(world: World, number: int, who: str) -> None:
    world.feed(world.a_face(number, vector=near(PEOPLE[who], 0.8)))


@pytest.fixture
def world(kafka: KafkaCluster, redis_volatile: str, redis_durable: str, tmp_path: Path) -> Iterator[World]:
    with closing(World(kafka.bootstrap, redis_volatile, redis_durable, tmp_path)) as world:
        yield world


def test_who_is_on_a_sealed_list_is_found_until_they_are_taken_off(world: World) -> None:
    listed = searched(world)
    with world.match() as match:
        pass_by(world, 1, "anna")
        pass_by(world, 2, "berta")
        world.until(Count.ALERTS_PUBLISHED, 2)
        assert {(one.subject, one.list_digest) for one in world.alerts()} == {
            (listed.token("anna"), listed.digest),
            (listed.token("berta"), listed.digest),
        }
        world.signed.revoke(listed.token("anna"))
        began = datetime.now(UTC)
        number = 10
        # Until one raises nothing any more.
        while world.totals()[Count.FACES_BELOW_THRESHOLD] < 1:
            pass_by(world, number, "anna")
            number += 1
            world.until(Count.FACES_SEARCHED, number - 8)
        assert datetime.now(UTC) - began < timedelta(seconds=10)
        pass_by(world, number, "berta")
        world.until(Count.FACES_SEARCHED, number - 7)
        assert [one.subject for one in world.alerts()].count(listed.token("berta")) == 2
        assert match.metric('signpost_match_inert_hits_total{reason="revoked"}') >= 1


def test_an_entry_grows_stale_by_itself_while_the_process_runs(world: World) -> None:
    now = datetime.now(UTC)
    # Asked about an hour ago but for some seconds.
    status = Status(
        checked_at=now - timedelta(hours=1) + timedelta(seconds=12), max_age_h=1, system="forms", reference="form"
    )
    searched(world, entries=[sealed.a_listed("anna", now=now, status=status)])
    with world.match() as match:
        pass_by(world, 1, "anna")
        world.until(Count.ALERTS_PUBLISHED, 1)
        eventually(lambda: datetime.now(UTC) > status.stale_at, "the status to be too old", within_s=20)
        pass_by(world, 2, "anna")
        world.until(Count.FACES_SEARCHED, 2)
        assert world.totals()[Count.ALERTS_PUBLISHED] == 1
        assert match.metric('signpost_match_inert_hits_total{reason="stale"}') == 1


@pytest.mark.parametrize("part", ["templates berta", "entry berta", "head"])
def test_a_list_with_one_altered_byte_is_not_searched_and_said_so(world: World, part: str) -> None:
    listed = searched(world)
    name = lists.part(world.deployment, listed.digest, part)
    found = world.durable.get(name)
    assert isinstance(found, bytes)
    world.durable.set(name, found[:20] + bytes([found[20] ^ 1]) + found[21:])
    with world.match(ready=False) as match:
        eventually(lambda: "list refused" in match.log.read_text(), "the refusal to be said", within_s=30)
        assert not match.ready()
        assert part in match.log.read_text()
