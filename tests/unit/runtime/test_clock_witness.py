"""A machine's wrong clock is told by each service, once until it was right, and never so that others wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from services.contracts import topics
from services.contracts.audit.registry import keys_of
from services.contracts.audit.requests import Action, AuditRequested, SignedRequest
from services.contracts.audit.sequencer import Sequencer
from services.contracts.authorisation.approvals import Verified, verify
from services.contracts.authorisation.clock import ClockReading
from services.contracts.authorisation.enums import ClockState
from services.contracts.authorisation.registry import Registry
from services.contracts.codec_audit import read_request
from services.contracts.errors import Transient
from services.runtime.clock_witness import ClockWitness
from services.runtime.kafka.types import Output
from services.runtime.keys.ed25519 import Ed25519Signer
from services.runtime.keys.ed25519 import verify as signed
from tests.unit.contracts.authorisation import builders as b

DOCUMENT = b.a_document()


def verified() -> Verified:
    approvals = b.approvals(DOCUMENT, "ann", "olu", at=b.APPROVED)
    known = b.a_registry()
    return verify(DOCUMENT.canonical_bytes(), approvals, known, root_fingerprint=b.ROOT.kid, now=b.START)


@dataclass
class Rig:
    """A witness of `review` beside a clock and a Kafka under the test's hand."""

    now: ClockReading = field(default_factory=lambda: b.a_reading(b.START))
    authority: Verified | None = field(default_factory=verified)
    registry: Registry | None = field(default_factory=b.a_registry)
    away: bool = False
    sent: list[Output] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.witness = ClockWitness(
            "review",
            Ed25519Signer(b.secret("review")),
            verified=lambda: self.authority,
            registry=lambda: self.registry,
            send=self._send,
            clock=self,
        )

    def reading(self) -> ClockReading:
        return self.now

    def look(
        self, after_s: float = 0.0, *, state: ClockState = ClockState.SYNCHRONISED, skew_s: float = 0.0
    ) -> None:
        self.now = b.a_reading(b.START + timedelta(seconds=after_s), state=state, monotonic_skew_s=skew_s)
        self.witness.tell()

    def told(self) -> list[str]:
        return [self._content(one).about for one in self.sent]

    def requests(self) -> list[SignedRequest]:
        return [read_request(one.value) for one in self.sent]

    def _content(self, output: Output) -> AuditRequested:
        assert output.topic == topics.AUDIT_REQUESTS.name
        return read_request(output.value).content

    def _send(self, output: Output) -> None:
        if self.away:
            raise Transient("away")
        self.sent.append(output)


def test_a_right_clock_is_no_news() -> None:
    rig = Rig()
    rig.look()
    rig.look(1)
    assert rig.sent == []


def test_each_fault_is_told_once_until_it_has_passed() -> None:
    rig = Rig()
    for after_s, state in enumerate(
        [ClockState.UNKNOWN, ClockState.UNKNOWN, ClockState.SYNCHRONISED, ClockState.UNKNOWN]
    ):
        rig.look(after_s, state=state)
    assert rig.told() == ["unknown", "unknown"]
    rig.look(5, skew_s=-30)
    assert rig.told()[2:] == ["stepped"]


def test_what_is_told_is_believed_and_chained_under_the_authority() -> None:
    rig = Rig()
    rig.look(state=ClockState.UNSYNCHRONISED)
    rig.look(1)
    rig.look(2, state=ClockState.UNSYNCHRONISED)
    sequencer = Sequencer(keys_of(b.a_registry()), signed)
    own = Ed25519Signer(b.secret("oversight"))
    sequencer.begin(own, now=b.START)
    entries = [sequencer.append(one, own, now=b.START) for one in rig.requests()]
    assert sequencer.sizes == {DOCUMENT.id: 2}
    contents = [one.content for one in rig.requests()]
    assert {(one.what, one.service, one.authority) for one in contents} == {
        (Action.CLOCK_FAULT, "review", DOCUMENT.id)
    }
    assert len(entries) == 2


def test_one_that_was_not_believed_holds_up_none_after_it() -> None:
    """Behind a gap in a producer's numbers nothing of it is chained any more."""
    rig = Rig()
    rig.look(state=ClockState.UNKNOWN)
    rig.look(1)
    rig.look(2, state=ClockState.UNKNOWN)
    assert [one.content.sequence for one in rig.requests()] == [1, 1]
    assert len({one.content.producer for one in rig.requests()}) == 2


def test_while_kafka_is_away_the_same_word_waits() -> None:
    rig = Rig(away=True)
    with pytest.raises(Transient):
        rig.look(state=ClockState.UNKNOWN)
    rig.away = False
    rig.look(1)
    assert rig.told() == ["unknown"]
    assert rig.requests()[0].content.at == b.START


@pytest.mark.parametrize("missing", ["authority", "registry", "key"])
def test_nothing_is_told_that_nobody_would_believe(missing: str) -> None:
    rig = Rig()
    if missing == "authority":
        rig.authority = None
    rig.registry = None if missing == "registry" else b.a_registry(without=["review"] if missing == "key" else [])
    rig.look(state=ClockState.UNKNOWN)
    assert rig.sent == []
    rig.authority, rig.registry = verified(), b.a_registry()
    rig.look(1, state=ClockState.UNKNOWN)
    assert rig.told() == ["unknown"]
