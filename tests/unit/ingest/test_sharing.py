"""Leases taken, kept, lost and given up; readings that break and come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.contracts.authorisation.refusals import Refusal
from services.contracts.authority import Authority
from services.ingest.cameras import Tools
from services.ingest.core.backoff import Backoff
from services.ingest.core.readings import Ended, Looped, Reading
from services.ingest.core.reasons import Fault
from services.ingest.metrics import CameraState, IngestMetrics
from services.ingest.outbox import Outbox, Outgoing
from services.ingest.sharing import Sharing
from services.runtime.metrics import new_registry
from tests.conftest import ExpectedErrors
from tests.fakes.clock import A_MORNING, ManualClock
from tests.fakes.ingest import FakeLeases, FakeLeaseStore, FakeSources
from tests.fakes.standing import OpenStanding
from tests.support import eventually
from tests.unit.ingest.builders import DEPLOYMENT, a_camera, a_picture, an_authority

TTL_S = 8.0


@dataclass
class Town:
    """One deployment, one lease store, any number of instances; time is the test's."""

    authority: Authority = field(default_factory=an_authority)

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.standing = OpenStanding(self.authority, self.clock.now)
        self.store = FakeLeaseStore(self.clock)
        self.sources = FakeSources(self._reading_waits)
        # A reading that waits for its source: the test's own time decides, the thread only yields.
        self.pace_s = 0.0

    def _reading_waits(self, timeout_s: float) -> None:
        eventually_yield()
        if self.pace_s:
            self.clock.advance(self.pace_s)

    def plays(self, camera: str, *scripts: Sequence[Reading | None]) -> None:
        self.sources.scripts[camera] = deque(scripts)

    def rate_share(self, camera: str) -> float | None:
        """What the newest instance says that a camera gives of its rate."""
        return self.registry.get_sample_value("signpost_ingest_camera_rate_ratio", {"camera": camera})

    @contextmanager
    def instance(self, name: str = "ingest-a", *, max_cameras: int = 9) -> Iterator[tuple[Sharing, Outbox]]:
        self.registry = new_registry()
        live = IngestMetrics(self.registry, tuple(camera.id for camera in self.authority.cameras))
        outbox = Outbox(frames_a_camera=50, metrics=live)
        tools = Tools(
            deployment=DEPLOYMENT,
            sources=self.sources,
            outbox=outbox,
            metrics=live,
            clock=self.clock,
            stall_timeout_s=10.0,
            backoff=Backoff(0.001, 0.002),
        )
        leases = FakeLeases(self.store, holder=name, ttl_s=TTL_S)
        sharing = Sharing(
            self.authority,
            self.standing,
            leases,
            tools,
            ttl_s=TTL_S,
            max_cameras=max_cameras,
            shuffle=lambda cameras: None,
        )
        try:
            yield sharing, outbox
        finally:
            sharing.stop_readings()


def eventually_yield() -> None:
    """A moment for other threads, as a real source's wait gives them."""
    eventually(lambda: True, "nothing", within_s=0)


def taken(outbox: Outbox) -> Outgoing | None:
    outbox.wait(5)
    return outbox.take()


def held(sharing: Sharing) -> set[str]:
    return {reading.camera.id for reading in sharing.readings}


def four_gates() -> Authority:
    return an_authority(*(a_camera(f"gate-{number}") for number in range(1, 5)))


def test_instances_take_what_is_free_up_to_their_number() -> None:
    town = Town(four_gates())
    with town.instance("ingest-a", max_cameras=3) as (first, _), town.instance("ingest-b") as (second, _):
        first.turn()
        second.turn()
        assert held(first) == {"gate-1", "gate-2", "gate-3"}
        assert held(second) == {"gate-4"}


def test_a_holder_that_renews_keeps_its_cameras_and_one_that_does_not_loses_them() -> None:
    town = Town()
    with town.instance("ingest-a") as (first, _), town.instance("ingest-b") as (second, _):
        first.turn()
        for _ in range(4):
            town.clock.advance(TTL_S / 2)
            first.turn()
            second.turn()
        assert (held(first), held(second)) == ({"gate-1"}, set())
        town.clock.advance(TTL_S)
        second.turn()
        assert held(second) == {"gate-1"}
        first.turn()
        assert held(first) == set(), "it learns that another has it now"


def test_without_the_store_a_camera_is_left_before_its_ttl_is_over() -> None:
    town = Town()
    with town.instance() as (sharing, outbox):
        sharing.turn()
        (reading,) = sharing.readings
        town.store.away = True
        town.clock.advance(TTL_S * 0.7)
        sharing.turn()
        assert held(sharing) == {"gate-1"}, "an answer that fails is tried again while there is time"
        town.clock.advance(TTL_S * 0.06)
        assert not reading.holding.holds(town.clock.monotonic()), "nothing is published from here on"
        town.clock.advance(TTL_S * 0.2)
        sharing.turn()
        assert held(sharing) == set()
        assert not sharing.store_answers
        (gap,) = outbox.take_gaps()
        assert (gap.camera, gap.reason) == ("gate-1", "lease_lost")


def test_a_camera_given_up_is_free_at_once() -> None:
    town = Town()
    with town.instance("ingest-a") as (first, _), town.instance("ingest-b") as (second, _):
        first.turn()
        first.stop_readings()
        first.release()
        second.turn()
        assert held(second) == {"gate-1"}


def test_a_refused_camera_is_neither_leased_nor_opened() -> None:
    town = Town(an_authority(a_camera("gate-1", source="file"), a_camera("gate-2"), use_case="live"))
    with town.instance() as (sharing, _):
        sharing.turn()
        assert held(sharing) == {"gate-2"}
        eventually(lambda: town.sources.opened, "the admitted camera to be opened", within_s=5)
    assert set(town.sources.opened) == {"gate-2"}


def test_a_camera_that_the_authority_does_not_cover_misses_nothing() -> None:
    """Before each window and in each suspension the alarm for slow cameras rang for all, so people ignore it."""
    town = Town(an_authority(a_camera("gate-1"), a_camera("gate-2")))
    town.standing.why = Refusal.NOT_ACTIVE
    with town.instance(max_cameras=1) as (sharing, _):
        sharing.turn()
        assert [town.rate_share(name) for name in ("gate-1", "gate-2")] == [1, 1]
        town.standing.why = None
        town.clock.advance(2)
        sharing.turn()
        # Nobody else holds the second: somebody should be woken.
        assert town.rate_share("gate-2") == 0


def test_reading_ends_when_the_window_does_and_the_lease_is_given_up() -> None:
    town = Town(an_authority(hours=2 / 3600))
    with town.instance() as (sharing, _):
        sharing.turn()
        town.clock.advance(2)
        sharing.turn()
        assert held(sharing) == set()
        assert town.store.held == {}


def test_a_camera_is_not_opened_once_the_authority_covers_it_no_more() -> None:
    """The look of half a second ago is not enough to begin on."""
    town = Town()
    with town.instance() as (sharing, _):
        town.store.away = True
        for step_s in (0.51, 0.495):
            sharing.turn()
            town.clock.advance(step_s)
        town.store.away = False
        town.standing.why = Refusal.NOT_ACTIVE
        sharing.turn()
        assert held(sharing) == set()


def test_reading_ends_with_the_authority_and_begins_again_with_it() -> None:
    town = Town()
    with town.instance() as (sharing, _):
        sharing.turn()
        town.standing.why = Refusal.NOT_ACTIVE
        town.clock.advance(0.5)
        sharing.turn()
        assert held(sharing) == set()
        assert town.store.held == {}
        town.standing.why = None
        town.clock.advance(2)
        sharing.turn()
        assert held(sharing) == {"gate-1"}


def test_a_camera_is_read_on_while_a_lease_is_late_but_not_for_ever() -> None:
    town = Town()
    with town.instance() as (sharing, _):
        sharing.turn()
        town.standing.why = Refusal.LEASE_STALE
        town.clock.advance(0.5)
        for _turn in range(6):
            sharing.turn()
            assert held(sharing) == {"gate-1"}
            town.clock.advance(3)
        town.clock.advance(3)
        sharing.turn()
        assert held(sharing) == set()


def test_no_camera_is_begun_while_a_lease_is_late() -> None:
    town = Town()
    town.standing.why = Refusal.LEASE_STALE
    with town.instance() as (sharing, _):
        sharing.turn()
        assert held(sharing) == set()
    assert not town.sources.opened


def test_a_source_that_breaks_off_is_read_anew_with_a_gap_and_a_new_epoch() -> None:
    town = Town()
    town.plays("gate-1", [a_picture(1), a_picture(2), Ended(Fault.STREAM_ENDED)], [a_picture(1)])
    with town.instance() as (sharing, outbox):
        sharing.turn()
        frames = [frame for _ in range(3) if (frame := taken(outbox)) is not None]
        assert [(frame.run.epoch, frame.sequence) for frame in frames] == [(1, 1), (1, 2), (2, 1)]
        (gap,) = outbox.take_gaps()
        assert gap.reason == "stream_ended"
        assert gap.run == frames[0].run.id
        assert gap.began_at == A_MORNING
        assert frames[0].run.tally.gaps == {"stream_ended": 1}


def test_a_stream_whose_time_stands_still_is_stalled_though_it_sends() -> None:
    town = Town()
    frozen: list[Reading | None] = [None if turn % 2 else a_picture(1) for turn in range(40)]
    town.plays("gate-1", frozen, [a_picture(1)])
    with town.instance() as (sharing, outbox):
        sharing.turn()
        eventually(lambda: len(town.sources.opened) == 1, "the camera to be opened", within_s=5)
        town.pace_s = 0.6
        eventually(lambda: len(town.sources.opened) >= 2, "it to be read anew", within_s=5)
        town.pace_s = 0.0
        assert {gap.reason for gap in outbox.take_gaps()} == {"stalled"}


def test_a_source_that_never_opens_leaves_one_gap_however_often_it_is_tried() -> None:
    town = Town()
    town.plays("gate-1", *[[Ended(Fault.UNREACHABLE)] for _ in range(5)])
    with town.instance() as (sharing, outbox):
        sharing.turn()
        eventually(lambda: len(town.sources.opened) >= 5, "it to be tried again and again", within_s=5)
        sharing.stop_readings()
        assert len({gap.event_id for gap in outbox.take_gaps()}) == 1
        (report,) = outbox.reports()
        assert report.final
        assert report.totals["camera_gaps", "unreachable"] == 1


def test_a_file_is_played_once_and_never_again_by_whoever_takes_over() -> None:
    town = Town(an_authority(a_camera("gate-1", source="file")))
    town.plays("gate-1", [a_picture(1), Ended()])
    with town.instance("ingest-a") as (first, _), town.instance("ingest-b") as (second, outbox):
        first.turn()
        eventually(
            lambda: [reading.state for reading in first.readings] == [CameraState.FINISHED],
            "the file to end",
            within_s=5,
        )
        town.clock.advance(TTL_S / 2)
        first.turn()
        town.clock.advance(TTL_S)
        second.turn()
        assert [reading.state for reading in second.readings] == [CameraState.FINISHED]
        assert town.sources.opened == ["gate-1"]
        assert outbox.take_gaps() == []


def test_a_file_whose_holder_died_goes_on_where_it_would_be_by_now() -> None:
    town = Town(an_authority(a_camera("gate-1", source="file")))
    town.plays("gate-1", [a_picture(1), a_picture(10)])
    with town.instance("ingest-a") as (first, before), town.instance("ingest-b") as (second, _):
        first.turn()
        assert [frame.picture.position_s for _ in range(2) if (frame := taken(before)) is not None] == [0.2, 2.0]
        town.clock.advance(TTL_S / 2)
        first.turn()
        first.stop_readings()
        town.clock.advance(TTL_S)
        second.turn()
        eventually(lambda: len(town.sources.started_s) == 2, "the heir to open it", within_s=5)
    assert town.sources.started_s == [0.0, 2.0 + TTL_S * 1.5]


def test_a_file_that_fails_is_not_read_again(expected_errors: ExpectedErrors) -> None:
    expected_errors.add("source failed and is not read again")
    town = Town(an_authority(a_camera("gate-1", source="file")))
    town.plays("gate-1", [Ended(Fault.UNREADABLE)])
    with town.instance() as (sharing, _):
        sharing.turn()
        eventually(
            lambda: [reading.state for reading in sharing.readings] == [CameraState.FAILED],
            "it to fail",
            within_s=5,
        )
    assert town.sources.opened == ["gate-1"]


def test_each_round_of_a_loop_is_an_epoch_without_a_gap() -> None:
    town = Town(an_authority(a_camera("gate-1", source="folder", loop=True)))
    rounds: list[Reading | None] = [a_picture(1), a_picture(2), Looped(), a_picture(1), Looped(), a_picture(1)]
    town.plays("gate-1", rounds)
    with town.instance() as (sharing, outbox):
        sharing.turn()
        frames = [frame for _ in range(4) if (frame := taken(outbox)) is not None]
        assert [(frame.run.epoch, frame.sequence) for frame in frames] == [(1, 1), (1, 2), (2, 1), (3, 1)]
        assert outbox.take_gaps() == []


def test_who_takes_over_records_the_gap_since_the_last_frame() -> None:
    town = Town()
    town.plays("gate-1", [a_picture(1)])
    with town.instance("ingest-a") as (first, before), town.instance("ingest-b") as (second, after):
        first.turn()
        assert taken(before) is not None
        town.clock.advance(TTL_S / 2)
        first.turn()
        first.stop_readings()
        town.clock.advance(TTL_S)
        second.turn()
        (gap,) = after.take_gaps()
        assert (gap.reason, gap.began_at) == ("taken_over", A_MORNING)


def test_a_lost_lease_is_followed_by_one_with_a_larger_number() -> None:
    town = Town()
    with town.instance() as (sharing, _):
        sharing.turn()
        (before,) = sharing.readings
        town.store.lose_all()
        town.clock.advance(TTL_S / 2)
        sharing.turn()
        sharing.turn()
        (after,) = sharing.readings
        assert after.holding.number > before.holding.number
