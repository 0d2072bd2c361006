"""match on Apache Kafka and two Redis servers: the expected alerts and no other, keys gone, counts that add up."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.stack.kafka import KafkaCluster
from services.contracts import ids, keys, lists
from services.contracts.authorisation.enums import Move, Role
from services.contracts.authorisation.lease import MAX_AGE_S
from services.contracts.codec import Sealing
from services.contracts.counts import ARROWS, Count
from services.contracts.events import ScoreKind
from services.contracts.sealed.bundle.write import write_draft
from services.contracts.sealed.manifest import Threshold
from services.runtime.keys.cipher import AesGcm
from tests.builders import a_vector
from tests.integration.match.lists import PEOPLE, SealedList, put_in_place_of, searched, signed_for
from tests.integration.match.world import World
from tests.integration.running import WITHIN_S, Running
from tests.integration.signed import write_key
from tests.support import eventually
from tests.unit.contracts.sealed.lists_builder import SIZE, pictures
from tests.unit.match.lists_builder import near

ANNA, BERTA = PEOPLE["anna"], PEOPLE["berta"]
OURS = [arrow for arrow in ARROWS if arrow.whole in (Count.FACES_RECEIVED, Count.FACES_SEARCHED)]


@pytest.fixture
def make_world(
    kafka: KafkaCluster, redis_volatile: str, redis_durable: str, tmp_path: Path
) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(**watchlist: Any) -> World:
        world = World(kafka.bootstrap, redis_volatile, redis_durable, tmp_path, watchlist)
        made.append(world)
        return world

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


def adds_up(world: World) -> bool:
    totals = world.totals()
    return all(arrow.gap(totals) == 0 for arrow in OURS)


def test_listed_faces_raise_exactly_their_alerts_and_no_face_can_be_read_after(world: World) -> None:
    listed = searched(world)
    strangers = [world.a_face(n, vector=a_vector(size=SIZE, seed=1000 + n)) for n in range(40)]
    known = [
        world.a_face(100, vector=near(ANNA, 0.8, seed=1)),
        world.a_face(101, vector=near(BERTA, 0.7, seed=2)),
        world.a_face(102, vector=near(ANNA, 0.6, seed=3)),
    ]
    faces = [*strangers[:20], *known, *strangers[20:]]
    with world.match() as match:
        world.feed(*faces)
        world.until(Count.FACES_SEARCHED, 43)
        eventually(lambda: world.faces_left(*faces) == 0, "every face's key to be gone", within_s=WITHIN_S)
        assert match.metric("signpost_match_face_keys_destroyed_total") == 43
        assert match.metric("signpost_match_faces_alerted_total") == 3
        assert match.stop() == 0
    names = ("anna", "berta", "anna")
    expected = {(face.track, listed.token(name)) for face, name in zip(known, names, strict=True)}
    alerts = world.alerts()
    assert {(alert.track, alert.subject) for alert in alerts} == expected
    assert len(alerts) == 3
    assert world.totals()[Count.FACES_BELOW_THRESHOLD] == 40
    assert adds_up(world)


def test_normalised_scores_are_what_the_threshold_is_compared_with(make_world: Callable[..., World]) -> None:
    world = make_world(score_kind="gallery_normalised", thresholds={1: 0.4})
    normalised: dict[str, Any] = {"score_kind": ScoreKind.GALLERY_NORMALISED, "fillers": 40}
    listed = searched(world, thresholds=(Threshold(shots=1, score=0.4),), **normalised)
    with world.match():
        world.feed(world.a_face(1, vector=near(ANNA, 0.8)), world.a_face(2, vector=listed.draft.fillers[3]))
        world.until(Count.FACES_SEARCHED, 2)
    (alert,) = world.alerts()
    assert alert.subject == listed.token("anna")
    assert alert.score < alert.raw_score
    assert alert.score_kind is ScoreKind.GALLERY_NORMALISED


def test_late_lost_and_refused_faces_are_counted_apart(world: World) -> None:
    searched(world)
    now = datetime.now(UTC)
    late = world.a_face(1, captured_at=now - timedelta(minutes=10), first_seen_at=now - timedelta(minutes=10))
    lost = [world.a_face(n, vector=a_vector(size=SIZE, seed=n)) for n in (2, 3)]
    world.feed(late, *lost)
    world.lose_face_keys()
    world.feed(
        world.a_face(4, model_id="dlib-resnet-0123"),
        world.a_face(5, camera=ids.CameraId("gate-9")),
        world.a_face(6, deployment=ids.DeploymentId("elsewhere-1")),
        world.a_face(7, vector=near(ANNA, 0.9)),
    )
    with world.match() as match:
        world.until(Count.FACES_RECEIVED, 6)
        assert match.metric('signpost_match_faces_refused_total{reason="other_deployment"}') >= 1
    assert world.reasons() == {
        (Count.FACES_EXPIRED, "late"): 1,
        (Count.FACES_EXPIRED, "key_lost"): 2,
        (Count.FACES_REFUSED, "model_not_admitted"): 1,
        (Count.FACES_REFUSED, "unknown_camera"): 1,
    }
    assert len(world.alerts()) == 1
    assert adds_up(world)


def test_without_a_list_no_face_is_taken_until_one_comes(world: World) -> None:
    listed = signed_for(world)
    world.feed(world.a_face(1, vector=near(ANNA, 0.9)))
    with world.match(ready=False) as match:
        eventually(lambda: "no list to search" in match.log.read_text(), "it to say so", within_s=WITHIN_S)
        assert not match.ready()
        listed.load(world.signed.registry)
        eventually(match.ready, "match to be ready", within_s=WITHIN_S)
        world.until(Count.FACES_ALERTED, 1)


def test_a_matcher_whose_key_is_not_enrolled_searches_nothing_until_it_is(world: World) -> None:
    searched(world)
    world.feed(world.a_face(1, vector=near(ANNA, 0.9)))
    key_file = write_key(world.folder / "new.pem", "a new key")
    with world.match(ready=False, settings={"SERVICE_KEY_FILE": str(key_file)}) as match:
        eventually(lambda: "waits to be enrolled" in match.log.read_text(), "it to say so", within_s=WITHIN_S)
        assert match.metric("signpost_match_usable_keys") == 0
        assert not match.ready()
        assert world.totals()[Count.FACES_RECEIVED] == 0
        world.signed.enrol(world.signed.registered("match", secret="a new key", role=Role.SERVICE))
        world.until(Count.FACES_ALERTED, 1)
        assert match.metric("signpost_match_usable_keys") == 1


def refused(match: Running, why: str) -> bool:
    return match.metric(f'signpost_match_lists_refused_total{{reason="{why}"}}') == 1 and not match.ready()


def test_a_list_that_was_swapped_for_another_is_not_searched(world: World) -> None:
    listed, other = signed_for(world), SealedList(world, {"anna": ANNA})
    other.load(world.signed.registry)
    put_in_place_of(world.durable, other.digest, listed.digest)
    with world.match(ready=False) as match:
        eventually(lambda: refused(match, "other_digest"), "the refusal", within_s=WITHIN_S)


def test_a_list_that_nobody_sealed_is_not_searched(world: World) -> None:
    """As lists were before they were sealed: templates under the list's key, put where a list is looked for."""
    listed = signed_for(world)
    spec = keys.watchlist(world.authority)
    sealing = Sealing(spec.id, world.ring.mint(spec), AesGcm())
    draft = write_draft(listed.draft, pictures(listed.draft), sealing=sealing)
    world.durable.set(lists.front(world.deployment, listed.digest), draft)
    with world.match(ready=False) as match:
        eventually(lambda: refused(match, "altered"), "the refusal", within_s=WITHIN_S)


def test_a_list_that_has_grown_past_its_cap_is_not_searched(make_world: Callable[..., World]) -> None:
    world = make_world(max_entries=1)
    searched(world)
    with world.match(ready=False) as match:
        eventually(lambda: refused(match, "too_many_entries"), "the refusal", within_s=WITHIN_S)


def test_a_stop_ends_the_search_within_seconds_and_every_face_is_accounted_for(world: World) -> None:
    searched(world)
    with world.match():
        world.feed(world.a_face(1, vector=near(ANNA, 0.9)))
        world.until(Count.FACES_ALERTED, 1)
        world.signed.move(Move.STOP)
        stopped_at = datetime.now(UTC)
        for number in range(2, 42):
            world.feed(world.a_face(number, vector=near(ANNA, 0.9)))
        world.until(Count.FACES_RECEIVED, 41)
    assert world.reasons()[Count.FACES_REFUSED, "not_active"] > 0
    assert all(alert.searched_at < stopped_at + timedelta(seconds=2) for alert in world.alerts())
    assert adds_up(world)


def test_without_a_lease_nothing_is_searched_and_nothing_is_lost_when_it_comes_back(world: World) -> None:
    searched(world)
    with world.match() as match:
        world.signed.close()
        age = "signpost_match_authority_lease_age_seconds"
        eventually(lambda: match.metric(age) > MAX_AGE_S, "the lease to run out", within_s=WITHIN_S)
        faces = [world.a_face(number, vector=near(ANNA, 0.9)) for number in range(5)]
        world.feed(*faces)
        waits = "signpost_match_retries_total"
        eventually(lambda: match.metric(waits) > 3, "the faces to wait", within_s=WITHIN_S)
        assert world.totals()[Count.FACES_RECEIVED] == 0
        renewed_at = datetime.now(UTC)
        world.signed.renew()
        world.until(Count.FACES_ALERTED, 5)
    assert all(alert.searched_at >= renewed_at for alert in world.alerts())
    assert world.reasons() == {}
    assert adds_up(world)


def test_another_version_in_force_ends_the_process_in_good_order(world: World) -> None:
    searched(world)
    with world.match() as match:
        world.signed.supersede()
        assert match.process.wait(WITHIN_S) == 0
    with world.match("two"):
        world.feed(world.a_face(1, vector=near(ANNA, 0.9)))
        world.until(Count.FACES_ALERTED, 1)
    assert [alert.authority_version for alert in world.alerts()] == [2]


@pytest.mark.parametrize("point", ["before_produce", "after_produce", "before_commit", "after_commit"])
def test_a_kill_at_any_point_loses_and_doubles_no_alert(world: World, point: str) -> None:
    searched(world, {"anna": ANNA})
    faces = [world.a_face(n, vector=near(ANNA, 0.8, seed=2000 + n)) for n in range(120)]
    world.feed(*faces)
    with world.match("one", point, "2", ready=False) as victim:
        assert victim.process.wait(WITHIN_S) == -signal.SIGKILL
    with world.match("one"):
        world.until(Count.FACES_RECEIVED, 120)
    # What a killed producer left open holds up every reader until the broker ends it, within 15 s.
    eventually(lambda: len(world.alerts()) >= 120, "every alert to be readable", within_s=WITHIN_S)
    alerts = [alert.event_id for alert in world.alerts()]
    assert len(set(alerts)) == len(alerts) == 120
    assert world.totals()[Count.FACES_EXPIRED] == 0
    assert adds_up(world)


def test_two_instances_share_the_faces(world: World) -> None:
    searched(world, {"anna": ANNA})
    with world.match("one") as one, world.match("two") as two:
        both: tuple[Running, Running] = (one, two)
        name = "signpost_match_assigned_partitions"
        eventually(
            lambda: [each.metric(name) for each in both] == [4, 4], "four partitions each", within_s=WITHIN_S
        )
        world.feed(*(world.a_face(n, vector=near(ANNA, 0.8, seed=2000 + n)) for n in range(40)))
        world.until(Count.FACES_ALERTED, 40)
    alerts = [alert.event_id for alert in world.alerts()]
    assert len(set(alerts)) == len(alerts) == 40
