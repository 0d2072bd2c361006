"""The leader's work: written first and believed after, leases on the beat, an end when it is overtaken."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.records import LeaseRenewed, RegistryIssued
from services.contracts.authorisation.registry import Registry, sign_registry
from services.oversight.core.clerk import Clerk, Now
from services.oversight.core.commands import Attest, Give, PutRegistry, Read, Submit
from services.oversight.core.minutes import Minutes
from services.oversight.core.reading import read
from services.oversight.metrics import OversightMetrics
from services.oversight.office import Office, Standby
from services.oversight.ports import LogLost, NotRecorded, Unsettled
from tests.fakes.oversight import FakeAuthorityLog, FakeClock
from tests.support import eventually
from tests.unit.contracts.audit.builders import SEQUENCER
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.desk import attestation

DOCUMENT = b.a_document()
LIST = frozenset({(DOCUMENT.id, DOCUMENT.watchlist.digest)})
WITHIN_S = 5.0
BEAT = timedelta(seconds=2)


class Rig:
    """An office on its thread, with the clock at the window's start."""

    def __init__(self) -> None:
        self.clock = FakeClock(b.START)
        self.log = FakeAuthorityLog()
        self.office = Office(
            authority=self.log,
            clerk=Clerk(b.key("oversight")),
            minutes=lambda: Minutes(SEQUENCER),
            moment=lambda reading: Now(reading, LIST),
            organisation="city-police",
            root_fingerprint=b.ROOT.kid,
            clock=self.clock,
            metrics=OversightMetrics(CollectorRegistry()),
        )
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self.office.run, args=(self.stop,), name="signpost-office")
        self._thread.start()

    def close(self) -> None:
        self.stop.set()
        self._thread.join()

    def leading(self) -> Rig:
        self.office.lead()
        eventually(self.office.leads, "the office to lead", within_s=WITHIN_S)
        return self

    def put_registry(self) -> None:
        self.office.ask(PutRegistry(sign_registry(b.a_registry(), b.ROOT)), within_s=WITHIN_S)

    def submit(self) -> None:
        submitted = Submit(DOCUMENT.canonical_bytes(), b.approvals(DOCUMENT, at=b.START))
        self.office.ask(submitted, within_s=WITHIN_S)

    def active(self) -> Rig:
        self.leading().put_registry()
        self.submit()
        self.office.ask(Attest(attestation(DOCUMENT, b.START)), within_s=WITHIN_S)
        eventually(lambda: self.state() is State.ACTIVE, "ACTIVE", within_s=WITHIN_S)
        return self

    def stop_order(self) -> Give:
        return Give(b.an_order(DOCUMENT, 4, Move.STOP, "sam", b.START))

    def state(self) -> State | None:
        version = self.office.register().version(DOCUMENT.id, 1)
        return version.state if version else None

    def leases(self) -> int:
        return sum(isinstance(record, LeaseRenewed) for record in self.log.records)

    def until_leases(self, number: int) -> None:
        eventually(lambda: self.leases() >= number, f"{number} leases", within_s=WITHIN_S)
        assert self.leases() == number


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


def test_a_standby_takes_no_command_and_shows_no_register(rig: Rig) -> None:
    with pytest.raises(Standby):
        rig.put_registry()
    with pytest.raises(Standby):
        rig.office.register()
    assert rig.office.settled()
    assert rig.log.taken == 0


def test_a_leader_is_settled_once_it_has_read_the_log(rig: Rig) -> None:
    rig.leading()
    assert rig.office.settled()
    assert rig.log.taken == 1


def test_an_answered_command_is_in_the_log(rig: Rig) -> None:
    rig.leading().put_registry()
    assert [type(record).__name__ for record in rig.log.records] == ["RegistryIssued"]


def test_a_refused_command_writes_nothing(rig: Rig) -> None:
    rig.leading()
    with pytest.raises(NotAuthorised):
        rig.submit()
    assert rig.log.records == []


def test_what_a_command_sets_going_does_not_wait_for_the_next_beat(rig: Rig) -> None:
    rig.active()


def test_a_lease_is_renewed_every_two_seconds(rig: Rig) -> None:
    rig.active()
    before = rig.leases()
    for beats in range(1, 4):
        rig.clock.advance(BEAT)
        rig.until_leases(before + beats)


def test_leases_are_renewed_and_orders_answered_while_a_document_is_read(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comb-shaped zone took 30 s on the thread that renews leases: every deployment stopped."""
    rig.active()
    reading, read_on = threading.Event(), threading.Event()

    def slow(command: Submit, registry: Registry, now: datetime) -> Read:
        reading.set()
        assert read_on.wait(WITHIN_S * 4)
        return read(command, registry, now)

    monkeypatch.setattr("services.oversight.office.read", slow)
    other = Submit(DOCUMENT.canonical_bytes(), b.approvals(DOCUMENT, at=b.START))
    asking = threading.Thread(target=rig.office.ask, args=(other,), kwargs={"within_s": WITHIN_S * 4})
    asking.start()
    assert reading.wait(WITHIN_S)
    before = rig.leases()
    for beats in range(1, 4):
        rig.clock.advance(BEAT)
        rig.until_leases(before + beats)
    with pytest.raises(NotRecorded, match="wait to be read"):
        rig.office.ask(other, within_s=0.05)
    rig.office.ask(rig.stop_order(), within_s=WITHIN_S)
    assert rig.state() is State.ENDED
    read_on.set()
    asking.join(WITHIN_S)
    assert not asking.is_alive()


def test_what_was_not_recorded_is_not_believed(rig: Rig) -> None:
    rig.active()
    rig.log.fail_next(NotRecorded("refused"))
    with pytest.raises(NotRecorded):
        rig.office.ask(rig.stop_order(), within_s=WITHIN_S)
    assert rig.state() is State.ACTIVE
    rig.office.ask(rig.stop_order(), within_s=WITHIN_S)
    assert rig.state() is State.ENDED


def test_a_beat_that_was_not_recorded_is_made_good_by_the_next(rig: Rig) -> None:
    rig.active()
    before = rig.leases()
    rig.log.fail_next(NotRecorded("refused"))
    rig.clock.advance(BEAT)
    rig.clock.advance(BEAT)

    def renewed() -> bool:
        rig.clock.advance(BEAT)
        return rig.leases() > before

    eventually(renewed, "a lease after a failed beat", within_s=WITHIN_S)


def test_when_the_end_is_not_known_the_log_is_read_anew_and_tells(rig: Rig) -> None:
    rig.active()
    rig.log.fail_next(LogLost("no answer", to_another=False), yet_written=True)
    with pytest.raises(Unsettled):
        rig.office.ask(rig.stop_order(), within_s=WITHIN_S)

    def led_again() -> bool:
        rig.clock.advance(timedelta(seconds=1))
        return rig.log.taken == 2 and rig.office.leads()

    eventually(led_again, "the office to lead again", within_s=WITHIN_S)
    assert rig.state() is State.ENDED


def test_who_is_overtaken_stands_down_and_gives_the_group_time_to_say_so(rig: Rig) -> None:
    rig.active()
    rig.log.fail_next(LogLost("fenced", to_another=True))
    rig.clock.advance(BEAT)
    eventually(lambda: not rig.office.leads(), "the office to stand down", within_s=WITHIN_S)
    assert not rig.office.settled()
    before = list(rig.log.records)
    with pytest.raises(Standby):
        rig.office.ask(rig.stop_order(), within_s=WITHIN_S)
    rig.office.rest()
    eventually(rig.office.settled, "a settled standby", within_s=WITHIN_S)
    assert (rig.log.records, rig.log.taken) == (before, 1)


def test_who_is_overtaken_and_still_called_upon_leads_again(rig: Rig) -> None:
    rig.active()
    rig.log.fail_next(LogLost("fenced", to_another=True))
    rig.clock.advance(BEAT)
    eventually(lambda: not rig.office.leads(), "the office to stand down", within_s=WITHIN_S)
    rig.clock.advance(timedelta(seconds=8))
    eventually(rig.office.leads, "the office to lead again", within_s=WITHIN_S)


def test_however_short_a_rest_was_the_log_is_taken_anew(rig: Rig) -> None:
    rig.leading()
    rig.office.rest()
    rig.office.lead()
    eventually(lambda: rig.log.taken == 2, "the log to be taken anew", within_s=WITHIN_S)


def test_who_began_on_an_old_registry_reads_the_log_anew_by_the_newest(rig: Rig) -> None:
    rig.active()
    newest = sign_registry(b.a_registry(sequence=2), b.ROOT)
    rig.office.ask(PutRegistry(newest), within_s=WITHIN_S)
    rig.clock.advance(BEAT)
    eventually(lambda: _named(rig, registry=2), "a lease that names it", within_s=WITHIN_S)
    rig.office.rest()
    eventually(lambda: not rig.office.leads(), "the office to rest", within_s=WITHIN_S)
    others = [one for one in rig.log.records if not isinstance(one, RegistryIssued)]
    rig.log.records[:] = [*others, b.a_registry_record()]
    rig.leading()
    assert rig.office.register().registry is None
    rig.office.ask(PutRegistry(newest), within_s=WITHIN_S)
    eventually(lambda: rig.log.taken == 3 and rig.office.leads(), "the log to be read anew", within_s=WITHIN_S)
    assert rig.office.registry().sequence == 2


def _named(rig: Rig, *, registry: int) -> bool:
    lease = rig.office.register().deployment(DOCUMENT.id).lease
    return lease is not None and lease.registry_sequence == registry


def test_at_rest_nothing_is_written(rig: Rig) -> None:
    rig.active()
    rig.office.rest()
    eventually(lambda: not rig.office.leads(), "the office to rest", within_s=WITHIN_S)
    before = len(rig.log.records)
    turned = rig.office.idle_s()
    rig.clock.advance(BEAT)
    eventually(lambda: rig.office.idle_s() <= turned, "the office to come round", within_s=WITHIN_S)
    assert len(rig.log.records) == before
