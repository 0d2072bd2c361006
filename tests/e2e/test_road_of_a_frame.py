"""Camera to decision on Apache Kafka, two Redis, Ray, real models and two people in two browsers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import yaml
from playwright.sync_api import Browser

from console.authority import files
from console.ledger import report
from console.run.exercise import Exercise
from console.run.service import ServiceProcess
from console.sample.passages import Passage
from console.sample.sitters import ADMIRAL, ASTRONAUT, FORTY_FOUR, FORTY_SIX
from console.stack.errors import StackUnavailableError
from services.contracts import topics
from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.purging import Holder, PurgeCertificate
from services.contracts.authorisation.signing import SigningKey, take_apart, unchecked_payload
from services.contracts.counts import Count, Stage
from services.contracts.decisions import AlertFolded, AlertJudged, CaseDecided, CaseOpened
from services.contracts.events import CaseOutcome
from tests.e2e.truth import listed
from tests.e2e.world import World, a_setup
from tests.integration.prometheus.server import Prometheus, program
from tests.integration.review.web.desk import AtDesk
from tests.integration.stack import missing_server
from tests.support import eventually

FILM_S = 15.0
# Both listed people pass both cameras at the same time, one of them in the company of strangers, and once more.
SCRIPT = {
    "gate-1": [
        Passage(ASTRONAUT, 0.5),
        Passage(FORTY_FOUR, 2.5, lane=1),
        Passage(ADMIRAL, 4.0, leftwards=True),
        Passage(FORTY_SIX, 7.5, leftwards=True),
        Passage(FORTY_FOUR, 11.5),
    ],
    "gate-2": [
        Passage(FORTY_FOUR, 2.5, leftwards=True),
        Passage(FORTY_SIX, 7.5),
        Passage(ADMIRAL, 8.0, lane=1, leftwards=True),
        Passage(ASTRONAUT, 11.0),
    ],
}
CASES = 2
# The films, and then whatever a busy machine is late by.
PLAYED_WITHIN_S = 60
DECIDED_WITHIN_S = 15
# Records of `authority` after which an ingest would have begun, if it were going to.
_SEEN = 10
# What every service must have had to do, by its own account.
SERIES = (
    "signpost_ingest_published_frames_total",
    "signpost_embed_faces_published_total",
    "signpost_embed_alive_workers",
    "signpost_match_faces_searched_total",
    "signpost_match_alerts_published_total",
    "signpost_match_face_keys_destroyed_total",
    'signpost_review_alerts_total{exit="opened"}',
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The films have been played, every face was searched, and the cases lie before the reviewers."""
    setup = a_setup(
        tmp_path_factory.mktemp("road"),
        SCRIPT,
        seconds=FILM_S,
        ray_workers=2,
        # Nothing ends by itself while tests look at it.
        verification={"decide_within_s": 600, "fold_within_s": 600},
        extra={Stage.EMBED: {"MIN_WORKERS": "2"}},
    )
    try:
        exercise = Exercise(setup).__enter__()
    except StackUnavailableError as missing:
        missing_server(str(missing))
    try:
        exercise.start(Stage.REVIEW, Stage.MATCH, Stage.EMBED)
        exercise.start(Stage.INGEST)
        finished = 'signpost_ingest_state_cameras{state="finished"} 2.0'
        eventually(
            lambda: finished in exercise.services[Stage.INGEST].metrics(),
            "both films to be over",
            within_s=PLAYED_WITHIN_S,
        )
        played = World(exercise, SCRIPT)
        played.settled(within_s=PLAYED_WITHIN_S)
        yield played
    finally:
        exercise.__exit__(None, None, None)


def alerted(world: World) -> set[tuple[str, str]]:
    """Track and subject of every alert."""
    found = world.records(topics.ALERTS.name)
    return {(one.text("track"), one.text("subject")) for one in found}


def test_every_passage_of_a_listed_person_raises_one_alert_and_no_stranger_any(world: World) -> None:
    tracks = alerted(world)
    showings = [world.truth.showing_of(track, subject) for track, subject in sorted(tracks)]
    assert None not in showings, "an alert for somebody who was not there"
    assert Counter(showings) == dict.fromkeys(world.truth.showings(), 1)
    assert len(tracks) == listed(SCRIPT)


def test_alerts_of_one_person_on_two_cameras_are_one_case(world: World) -> None:
    events = world.decisions()
    opened = [event for event in events if isinstance(event, CaseOpened)]
    folded = [event for event in events if isinstance(event, AlertFolded)]
    assert len(opened) == CASES
    assert len({event.subject for event in opened}) == CASES
    sightings = {(event.case, event.track, event.camera) for event in opened}
    sightings |= {(event.case, event.track, event.camera) for event in folded}
    assert len({track for _, track, _ in sightings}) == listed(SCRIPT)
    for case in {event.case for event in opened}:
        assert {camera for its, _, camera in sightings if its == case} == set(SCRIPT)


def test_two_reviewers_who_are_told_of_the_brother_decide_every_case_in_two_browsers(
    world: World, browser: Browser
) -> None:
    cases = {event.case for event in world.decisions() if isinstance(event, CaseOpened)}
    people = [AtDesk(browser, world.exercise.page, name).sign_in() for name in ("ann", "ben")]
    for case in sorted(cases):
        for person in people:
            person.sees(case)
            person.take(case)
            assert "a brother or sister, who is on this list too" in person.text("#cautions")
            person.judge("m")
        assert "Two people agree" in people[-1].text("#done-text")
        for person in people:
            person.back()
    complaints = [error for person in people for error in person.errors]
    for person in people:
        person.close()
    assert not complaints

    def decided() -> list[CaseDecided]:
        found = [event for event in world.decisions() if isinstance(event, CaseDecided)]
        return found if len(found) == CASES else []

    outcomes = eventually(decided, "the decisions to be recorded", within_s=DECIDED_WITHIN_S)
    assert {(event.case, event.outcome) for event in outcomes} == {
        (case, CaseOutcome.AGREED_MATCH) for case in cases
    }
    judged = [event for event in world.decisions() if isinstance(event, AlertJudged)]
    assert len(judged) == 2 * CASES
    assert all(len({event.reviewer for event in judged if event.case == case}) == 2 for case in cases)
    assert world.settled(within_s=DECIDED_WITHIN_S).reasons[Count.CASES_DECIDED, CaseOutcome.AGREED_MATCH] == CASES


def test_the_counts_add_up_to_what_was_played(world: World) -> None:
    totals = world.settled(within_s=DECIDED_WITHIN_S).totals
    frames = len(SCRIPT) * round(FILM_S * 10)
    assert totals[Count.FRAMES_READ] == frames
    assert totals[Count.FRAMES_SAMPLED] == totals[Count.FRAMES_DECODED] == frames / 2
    assert totals[Count.FRAMES_DROPPED] == totals[Count.FRAMES_EXPIRED] == totals[Count.FRAMES_DEAD] == 0
    assert totals[Count.TRACKS_CUT_SHORT] == totals[Count.TRACKS_PENDING] == 0
    assert totals[Count.TRACKS_USABLE] >= sum(len(passages) for passages in SCRIPT.values())
    assert totals[Count.FACES_SEARCHED] == totals[Count.FACES_PUBLISHED]
    assert totals[Count.CASES_OPENED] == CASES


def test_a_real_prometheus_sees_every_service_at_work(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    binary = program("prometheus")
    if binary is None:
        missing_server("prometheus is not installed: apt-get install prometheus")
    services = world.exercise.services
    targets = {f"signpost-{stage}": urlsplit(services[stage].http).port or 0 for stage in Stage}
    with Prometheus(binary, tmp_path_factory.mktemp("prometheus"), targets) as server:
        eventually(lambda: len(server.query("up == 1")) == len(targets), "every service scraped", within_s=30)
        for series in SERIES:
            eventually(lambda: any(value > 0 for _, value in server.query(series)), series, within_s=30)  # noqa: B023


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("nobody-authorised-it", {"DEPLOYMENT": "nobody-authorised-it"}),
        ("under-another-root", {"AUTHORITY_ROOT": SigningKey(b"r" * 32).kid}),
    ],
    ids=["a deployment that nobody authorised reads no camera", "an authority under another root is none"],
)
def test_ingest_reads_nothing_without_an_authority(world: World, name: str, settings: dict[str, str]) -> None:
    world.exercise.add(name, Stage.INGEST, **settings)
    ingest = world.exercise.services[name]
    ingest.start()
    try:
        eventually(
            lambda: serves(ingest) and rejected(ingest.metrics()) >= _SEEN,
            "it to have seen leases that are not for it",
            within_s=30,
        )
        assert not ingest.ready()
        assert "waiting for the authority" in ingest.log.read_text("utf-8")
        assert "built on an authority" not in ingest.log.read_text("utf-8")
    finally:
        ingest.stop()


def test_ingest_does_not_start_with_another_kind_of_source_than_was_authorised(world: World) -> None:
    swapped = yaml.safe_load(files.cameras_path(world.exercise.draft).read_text("utf-8"))
    swapped["cameras"][0]["source"] = "folder"
    path = world.exercise.home / "swapped.cameras.yaml"
    files.write_cameras(path, swapped["cameras"])
    world.exercise.add("swapped", Stage.INGEST, CAMERAS_FILE=str(path))
    ingest = world.exercise.services["swapped"]
    ingest.start()
    eventually(lambda: not ingest.alive(), "it to refuse to start", within_s=30)
    assert "gate-1: is read as folder, authorised as file" in ingest.log.read_text("utf-8")


def test_at_the_end_all_of_it_is_purged_and_its_audit_chain_is_whole(world: World) -> None:
    """As `make demo` ends. Last, for every service ends with it."""
    exercise = world.exercise
    exercise.order(Move.STOP, reason="the films are over")
    certificate = exercise.purge(reason="the exercise is over")
    said = PurgeCertificate.from_canonical(unchecked_payload(take_apart(certificate)))
    assert {answer.holder for answer in said.answers} == {*Holder}
    assert all(answer.clean for answer in said.answers)
    assert not [*(exercise.home / "keys").glob("*.key")]

    def anchored() -> bool:
        verdict = exercise.chain()
        assert verdict.ok, [*verdict.lines()]
        return verdict.agreed is not None and verdict.agreed.head.size == verdict.entries

    eventually(anchored, "a signed head over the whole chain", within_s=20)
    assert "state      purged" in [*report.lines(exercise.report())]


def rejected(metrics: str) -> float:
    """How many records of `authority` it has not believed."""
    name = "signpost_ingest_authority_rejected_records_total{"
    return sum(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith(name))


def serves(service: ServiceProcess) -> bool:
    """Whether it has got so far as to show metrics."""
    assert service.alive()
    try:
        service.metrics()
    except OSError:
        return False
    return True
