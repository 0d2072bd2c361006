"""A match process on a sealed list: who is on it is found, until they are taken off or the seal is void."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from console.stack.kafka import KafkaCluster
from services.contracts import keys, lists
from services.contracts.codec import Sealing
from services.contracts.counts import Count
from services.contracts.events import ScoreKind, Vector
from services.contracts.ids import SubjectToken, subject_token
from services.contracts.sealed.draft import Draft
from services.contracts.sealed.entry import Entry, Status
from services.contracts.sealed.manifest import Limits, Threshold
from services.runtime.keys.cipher import AesGcm
from services.runtime.redis_client import connect
from tests import sealed
from tests.builders import a_vector
from tests.integration.match.world import World
from tests.integration.signed import SignedAuthority
from tests.support import eventually
from tests.unit.contracts.authorisation.builders import a_camera, a_list
from tests.unit.contracts.sealed.lists_builder import SIZE
from tests.unit.match.lists_builder import MODEL, near

PEOPLE: dict[str, Vector] = {f"e-{n}": a_vector(size=SIZE, seed=n) for n in (1, 2, 3)}


class Searched:
    """The world, with a sealed list of three under an authority that names it."""

    def __init__(self, world: World, **entries: Entry) -> None:
        self.world, self.now = world, datetime.now(UTC)
        self.draft: Draft = sealed.a_current_draft(
            {name: np.stack([row]) for name, row in PEOPLE.items()},
            now=self.now,
            entries=list(entries.values()),
            fillers=0,
            deployment=world.deployment,
            score_kind=ScoreKind.RAW,
            thresholds=(Threshold(shots=1, score=0.5),),
            limits=Limits(same_person=0.4, alike=0.45),
        )
        self.signed = SignedAuthority(
            world.bootstrap,
            id=world.deployment,
            cameras=[a_camera(f"gate-{n}", source="folder", host=None) for n in range(4)],
            watchlist=a_list(
                id="blue-list",
                digest=self.digest,
                categories=["consenting_volunteer"],
                model=MODEL,
                thresholds={1: 0.5},
            ),
        )
        world.adopt(self.signed)
        self.signed.run()

    @property
    def digest(self) -> str:
        return self.draft.manifest.digest

    def load(self) -> None:
        spec = keys.watchlist(self.world.authority)
        bundle = sealed.sealed_up(
            self.draft,
            sealing=Sealing(spec.id, self.world.ring.mint(spec), AesGcm()),
            registry=self.signed.registry,
            at=datetime.now(UTC),
        )
        with connect(SecretStr(self.world.durable_url), client_name="test") as client:
            sealed.load(client, bundle, until=self.world.authority.purge_at)

    def token(self, entry: str) -> SubjectToken:
        key = self.world.ring.mint(keys.deployment(self.world.authority))
        return subject_token(key, self.draft.manifest.by_id[entry].subject_ref)

    def pass_by(self, number: int, entry: str) -> None:
        self.world.feed(self.world.a_face(number, vector=near(PEOPLE[entry], 0.8)))


@pytest.fixture
def world(kafka: KafkaCluster, redis_volatile: str, redis_durable: str, tmp_path: Path) -> Iterator[World]:
    with closing(World(kafka.bootstrap, redis_volatile, redis_durable, tmp_path)) as world:
        yield world


def test_who_is_on_a_sealed_list_is_found_until_they_are_taken_off(world: World) -> None:
    searched = Searched(world)
    searched.load()
    with world.match() as match:
        searched.pass_by(1, "e-1")
        searched.pass_by(2, "e-2")
        world.until(Count.ALERTS_PUBLISHED, 2)
        assert {(one.subject, one.list_digest) for one in world.alerts()} == {
            (searched.token("e-1"), searched.digest),
            (searched.token("e-2"), searched.digest),
        }
        searched.signed.revoke(searched.token("e-1"))
        began = datetime.now(UTC)
        number = 10
        # Until one raises nothing any more.
        while world.totals()[Count.FACES_BELOW_THRESHOLD] < 1:
            searched.pass_by(number, "e-1")
            number += 1
            world.until(Count.FACES_SEARCHED, number - 8)
        assert datetime.now(UTC) - began < timedelta(seconds=10)
        searched.pass_by(number, "e-2")
        world.until(Count.FACES_SEARCHED, number - 7)
        assert [one.subject for one in world.alerts()].count(searched.token("e-2")) == 2
        assert match.metric('signpost_match_inert_hits_total{reason="revoked"}') >= 1


def test_an_entry_grows_stale_by_itself_while_the_process_runs(world: World) -> None:
    now = datetime.now(UTC)
    # Asked about an hour ago but for some seconds.
    status = Status(
        checked_at=now - timedelta(hours=1) + timedelta(seconds=12), max_age_h=1, system="forms", reference="form"
    )
    searched = Searched(world, one=sealed.a_listed("e-1", now=now, status=status))
    searched.load()
    with world.match() as match:
        searched.pass_by(1, "e-1")
        world.until(Count.ALERTS_PUBLISHED, 1)
        eventually(lambda: datetime.now(UTC) > status.stale_at, "the status to be too old", within_s=20)
        searched.pass_by(2, "e-1")
        world.until(Count.FACES_SEARCHED, 2)
        assert world.totals()[Count.ALERTS_PUBLISHED] == 1
        assert match.metric('signpost_match_inert_hits_total{reason="stale"}') == 1


@pytest.mark.parametrize("part", ["templates e-2", "entry e-2", "head"])
def test_a_list_with_one_altered_byte_is_not_searched_and_said_so(world: World, part: str) -> None:
    searched = Searched(world)
    searched.load()
    name = lists.part(world.deployment, searched.digest, part)
    with connect(SecretStr(world.durable_url), client_name="test") as client:
        found = client.get(name)
        assert isinstance(found, bytes)
        client.set(name, found[:20] + bytes([found[20] ^ 1]) + found[21:])
    with world.match(ready=False) as match:
        eventually(lambda: "list refused" in match.log.read_text(), "the refusal to be said", within_s=30)
        assert not match.ready()
        assert part in match.log.read_text()
