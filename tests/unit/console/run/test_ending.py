"""How an exercise ends: all is done and printed, what fails is named, and the rest is done all the same."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from console import purge
from console.audit.verdict import Verdict
from console.ledger.report import Report
from console.ledger.statement import Read, Statement, state
from console.run import ending
from console.run.ending import Ending, end
from console.stack.errors import StackError
from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.counts import Stage
from services.contracts.errors import SignpostError, Transient
from tests.unit.console.ledger.test_report import a_report
from tests.unit.contracts.audit.builders import heads

CERTIFICATE = "certificate: nothing left"


class Service:
    def __init__(self, name: str, did: list[str]) -> None:
        self._name, self._did, self._alive = name, did, True

    def start(self) -> None:
        self._did.append(f"start {self._name}")
        self._alive = True

    def stop(self) -> None:
        self._did.append(f"stop {self._name}")
        self._alive = False

    def alive(self) -> bool:
        return self._alive


class Exercise:
    """Does what it is told, and tells in which order. `fails` by the name of a deed."""

    home = Path("/data/run")

    def __init__(self, *, over: bool = False, fails: dict[str, BaseException] | None = None) -> None:
        self.did: list[str] = []
        self.services: dict[str, Service] = {stage: Service(stage, self.did) for stage in Stage}
        self._over = over
        self._fails = fails or {}

    def can(self, move: Move) -> bool:
        return not self._over

    def order(self, move: Move, *, reason: str) -> None:
        self._do(f"order {move}")

    def purge(self, *, reason: str) -> str:
        self._do("purge")
        return CERTIFICATE

    def statement(self) -> Statement:
        self._do("statement")
        return state("north-1", Read(counted=(), ahead={}, decided=(), later=()))

    def report(self) -> Report:
        self._do("report")
        return a_report()

    def chain(self) -> Verdict:
        self._do("chain")
        return whole()

    def _do(self, deed: str) -> None:
        self.did.append(deed)
        if deed in self._fails:
            raise self._fails[deed]


def whole() -> Verdict:
    head = heads(1)[0]
    return Verdict(
        chain="north-1",
        entries=head.head.size,
        registry_version=1,
        complete_to=head,
        agreed=head,
        fault=None,
    )


@pytest.fixture(autouse=True)
def told_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that is one says more than this test needs."""
    monkeypatch.setattr(purge, "lines", lambda certificate: [certificate])
    monkeypatch.setattr(ending, "_SETTLE_WITHIN_S", 0.0)


def ended(exercise: Exercise) -> tuple[Ending, str]:
    out = io.StringIO()
    return end(exercise, Console(file=out, width=200), reason="the run is over"), out.getvalue()


def test_it_is_counted_stopped_purged_verified_and_reported_on_in_this_order() -> None:
    """`signpost run` ended in the table alone: no certificate, no report, no word on the audit chain."""
    exercise = Exercise()
    found, text = ended(exercise)
    assert exercise.did == [
        *("stop ingest", "statement", "start ingest", f"order {Move.STOP}", "purge", "chain", "report"),
    ]
    assert found.good
    assert found.missing == []
    assert found.purged_s is not None
    for said in (
        "frames published",
        CERTIFICATE,
        "signpost deployment report",
        "signpost audit verify",
        "whole: ",
    ):
        assert said in text
    assert "not certified" not in text


def test_a_service_that_is_gone_is_started_again_to_answer_for_what_it_holds() -> None:
    exercise = Exercise()
    exercise.services[Stage.MATCH].stop()
    found, _ = ended(exercise)
    assert found.good
    assert exercise.did.index("start match") < exercise.did.index("purge")


def test_an_exercise_whose_time_is_over_is_purged_without_an_order_to_stop() -> None:
    """Ctrl-C after the window's end: an order to stop is refused then, and the purge is owed all the same."""
    exercise = Exercise(over=True)
    found, text = ended(exercise)
    assert found.good
    assert f"order {Move.STOP}" not in exercise.did
    assert CERTIFICATE in text


WAITS = NotAuthorised("purge", [Finding("purge", "waits for embed", "C-03")])


@pytest.mark.parametrize(
    ("deed", "error", "missing"),
    [
        ("statement", Transient("Kafka does not answer"), "counts"),
        ("purge", WAITS, "purge"),
        ("purge", StackError("embed does not start"), "purge"),
        (f"order {Move.STOP}", Transient("oversight does not answer"), "purge"),
        ("chain", SignpostError("no head yet"), "audit verify"),
        ("report", SignpostError("nothing to report on"), "report"),
    ],
    ids=str,
)
def test_what_fails_is_named_with_its_reason_and_the_rest_is_done(
    deed: str, error: Exception, missing: str
) -> None:
    exercise = Exercise(fails={deed: error})
    found, text = ended(exercise)
    assert (found.missing, found.good) == ([missing], False)
    assert f"{missing}: not done: {error}" in text
    assert exercise.did[-1] == "report"
    assert ("The purge is not certified" in text) is (missing == "purge")


def test_a_purge_that_failed_says_what_is_deleted_and_how_it_is_done_later() -> None:
    _, text = ended(Exercise(fails={"purge": WAITS}))
    assert "waits for embed" in text
    assert "/data/run/keys, /data/run/stack or /data/run/authority is still there afterwards, delete it" in text
    assert "signpost purge ID" in text


@pytest.mark.parametrize(
    ("deed", "purged"), [("statement", False), ("purge", False), ("chain", True), ("report", True)]
)
def test_ctrl_c_while_it_ends_ends_it_at_once_and_says_what_is_not_done(deed: str, purged: bool) -> None:
    exercise = Exercise(fails={deed: KeyboardInterrupt()})
    found, text = ended(exercise)
    assert exercise.did[-1] == deed
    assert (found.missing, found.good) == (["interrupted"], False)
    assert "what is not printed above was not done" in text
    assert ("The purge is not certified" in text) is not purged


def test_figures_that_do_not_reconcile_are_no_good_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Statement, "reconciles", property(lambda statement: False))
    found, _ = ended(Exercise())
    assert (found.missing, found.good) == ([], False)
