"""Towns whose authority a real oversight keeps: how fast a stop takes effect, and what its death does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.contracts.authorisation.approvals import verify
from services.contracts.authorisation.bridge import as_authority
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move
from services.contracts.authorisation.registry import Registry, open_registry
from services.contracts.authorisation.statements import sign
from services.contracts.authority import Authority
from signpost.v1 import oversight_pb2 as pb
from tests.integration.oversight.world import Oversight
from tests.integration.oversight.world import World as Bureau
from tests.reliability.attacks.judge import Verdict, last_search
from tests.reliability.attacks.town import (
    CAMERAS,
    LEASE_LIFE_S,
    WITHIN_S,
    Outcome,
    Servers,
    Town,
    pause,
    wake,
)
from tests.support import eventually
from tests.unit.contracts.authorisation import builders

# Faces that are written while both stand still: more than they search in the time that a stop takes.
BACKLOG = 2_000
# How long the paused matcher goes on standing after the stop; less than the group takes to give it up.
_WAKES_AFTER_S = 3.0
# What waits in its hands is searched within this, if it is searched at all.
_AWAKE_S = 3.0


@dataclass(frozen=True)
class Stop:
    """One stop under load; `last_search_ms` counts from when the order was given, `backlog` what waited then."""

    last_search_ms: float
    backlog: int
    verdict: Verdict


class Governed(Town):
    """Its authority is submitted to, activated and leased by `oversight`."""

    def __init__(self, servers: Servers, bureau: Bureau, oversight: Oversight, *, serial: int) -> None:
        super().__init__(servers)
        self._bureau = bureau
        self._oversight = oversight
        self._serial = serial
        self.document: Document

    def authorise(self) -> None:
        bureau, oversight, at = self._bureau, self._oversight, datetime.now(UTC)
        self.document = self._drafted()
        approvals = builders.approvals(self.document, "ann", "olu", at=at)
        self.world.adopt(_Governance(bureau, self.document, approvals))
        self.listed.load(registry_of(bureau))
        if self._serial == 1:
            oversight.call("PutRegistry", pb.PutRegistryRequest(registry=bureau.registry()))
        request = pb.SubmitRequest(document=self.document.canonical_bytes(), approvals=approvals)
        oversight.call("Submit", request)
        attested = sign(builders.an_attestation(self.document, datetime.now(UTC)), builders.key("eve"))
        oversight.call("Attest", pb.AttestRequest(attestation=attested))
        eventually(lambda: bureau.state(oversight, self.document) == "active", "ACTIVE", within_s=WITHIN_S)

    def stop(self) -> datetime:
        """The supervisor orders the stop; returns when that was, before oversight had it."""
        ordered_at = datetime.now(UTC)
        self._bureau.order(self._oversight, self.document, Move.STOP, "sam")
        self.closes(at=ordered_at)
        return ordered_at

    def _drafted(self) -> Document:
        owner = {"owner": self._bureau.organisation, "controller": self._bureau.organisation}
        cameras = [builders.a_camera(name, source="folder", host=None, **owner) for name in CAMERAS]
        changes = {
            "id": self.deployment,
            "serial": self._serial,
            "cameras": cameras,
            "watchlist": self.world.list_of(self.listed.digest),
        }
        return Document.read(self._bureau.document().model_dump() | changes)


class _Governance:
    """`Signed`: what the matchers are told of it."""

    def __init__(self, bureau: Bureau, document: Document, approvals: tuple[str, ...]) -> None:
        self._bureau = bureau
        self._document = document
        self._approvals = approvals

    @property
    def settings(self) -> dict[str, str]:
        return {"DEPLOYMENT": self._document.id, "AUTHORITY_ROOT": self._bureau.root_fingerprint}

    @property
    def authority(self) -> Authority:
        verified = verify(
            self._document.canonical_bytes(),
            self._approvals,
            registry_of(self._bureau),
            root_fingerprint=self._bureau.root_fingerprint,
            now=datetime.now(UTC),
        )
        return as_authority(verified)

    def close(self) -> None:
        """Oversight ends by itself."""


def registry_of(bureau: Bureau) -> Registry:
    return open_registry(bureau.registry(), root_fingerprint=bureau.root_fingerprint)


@contextmanager
def bureau_of(servers: Servers) -> Iterator[tuple[Bureau, Oversight]]:
    """An organisation with one oversight, which leads."""
    folder = servers.folder / f"bureau-{time.monotonic_ns()}"
    folder.mkdir()
    bureau = Bureau(servers.bootstrap, servers.durable_url, folder, services=["embed", "match"])
    with bureau.oversight() as oversight:
        eventually(oversight.leads, "oversight to lead", within_s=WITHIN_S)
        yield bureau, oversight


def stopped(servers: Servers, bureau: Bureau, oversight: Oversight, *, serial: int) -> Stop:
    """Two matchers with a backlog, one of them paused when the stop is ordered and woken some seconds later."""
    with Governed(servers, bureau, oversight, serial=serial) as town:
        busy, paused = (town.matcher(ready=False) for _ in range(2))
        for matcher in (busy, paused):
            eventually(matcher.ready, "both matchers to be ready", within_s=WITHIN_S)
        town.searches()
        for matcher in (busy, paused):
            pause(matcher)
        since = datetime.now(UTC)  # what they had in hand before is no sign that they are at it again
        town.crowd.burst(BACKLOG)
        for matcher in (busy, paused):
            wake(matcher)
        eventually(lambda: bool(town.sightings(since=since)), "them to be at it again", within_s=WITHIN_S)
        pause(paused)
        backlog = town.backlog()
        ordered_at = town.stop()
        time.sleep(_WAKES_AFTER_S)
        wake(paused)
        time.sleep(_AWAKE_S)
        outcome = town.outcome()
        last = last_search(town.sightings())
        assert last is not None, "nothing was ever searched"
        return Stop(max(0.0, (last - ordered_at) / timedelta(milliseconds=1)), backlog, outcome.verdict)


def oversight_dead(servers: Servers) -> Outcome:
    """Oversight is killed while faces flow, and comes back when every lease has run out."""
    with bureau_of(servers) as (bureau, oversight), Governed(servers, bureau, oversight, serial=1) as town:
        town.matcher()
        town.searches()
        oversight.process.kill()
        oversight.process.wait(WITHIN_S)
        town.closes(within_s=LEASE_LIFE_S)
        town.dwell()
        town.opens()
        with bureau.oversight("two"):
            town.searches()
            return town.outcome()
