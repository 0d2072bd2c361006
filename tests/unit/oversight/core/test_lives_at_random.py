"""Whatever is asked in whatever order: a successor recovers all of it, and every service believes all of it."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import cache

import pytest

from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, State
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.gate import Gate
from services.contracts.authorisation.registry import sign_registry
from services.contracts.authorisation.statements import Lease, NotBelieved, Rejection, StateChanged
from services.oversight.core.commands import Conclude, PutRegistry
from services.oversight.core.recovery import recover
from tests.unit.contracts.authorisation import builders as b
from tests.unit.oversight.desk import Desk

SEEDS = range(16)
STEPS = 100
FIRST = b.a_document()
DOCUMENTS = (
    FIRST,
    b.a_document(version=2, supersedes=FIRST.digest, fpir_budget=0.0005),
    b.a_document(id="oxford-street-2", serial=2, assembly=True),
)
ORDERS = (Move.REFUSE, Move.CANCEL, Move.SUSPEND, Move.RESUME, Move.STOP, Move.REVIEW)
PEOPLE = ("ann", "olu", "pat", "sam", "aud")


def a_step(desk: Desk, chance: random.Random) -> None:
    """Something, sensible or not."""
    document = chance.choice(DOCUMENTS)
    person = chance.choice(PEOPLE)
    match chance.randrange(9):
        case 0:
            desk.submitted(document, *chance.choice([("ann",), ("ann", "olu"), ("olu",)]))
        case 1:
            desk.approve(document, chance.choice(["olu", "pat", "ann"]))
        case 2:
            desk.attested(document)
        case 3:
            order_of(desk, document, chance.choice(ORDERS), person)
        case 4:
            desk.revoke(document, chance.choice(b.TOKENS), by=chance.choice(["liz", "olu", "rex"]))
        case 5:
            desk.tell(PutRegistry(sign_registry(b.a_registry(sequence=chance.randrange(1, 5)), b.ROOT)))
        case 6:
            desk.tell(Conclude(document.id, document.version, Move.PURGE, b.sha("evidence")))
        case _:
            # Now and then the clock is set back.
            desk.at += timedelta(minutes=chance.choice([0, 0, 1, 10, 20, -5]))
            desk.beat()


def order_of(desk: Desk, document: Document, move: Move, person: str) -> None:
    if desk.register.version(document.id, document.version) is not None:
        desk.give(document, move, person, evidence=b.sha("evidence"))


@cache
def a_life(seed: int) -> Desk:
    """To be looked at only."""
    chance = random.Random(seed)
    desk = Desk(at=b.START - timedelta(minutes=20)).begun()
    for _ in range(STEPS):
        try:
            a_step(desk, chance)
        except (NotAuthorised, NotBelieved):
            continue
    return desk


@pytest.mark.parametrize("seed", SEEDS)
def test_a_successor_recovers_all_of_it(seed: int) -> None:
    desk = a_life(seed)
    found = recover(desk.records, organisation="city-police", root_fingerprint=b.ROOT.kid)
    assert found.register == desk.register
    assert not found.rejected


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_are_gapless_and_leases_only_go_forward(seed: int) -> None:
    desk = a_life(seed)
    for deployment in desk.register.deployments:
        leases = [said for said in desk.said if isinstance(said, Lease) and said.deployment == deployment]
        assert [lease.sequence for lease in leases] == list(range(1, len(leases) + 1))
        versions = [lease.version for lease in leases]
        assert versions == sorted(versions)
    for version in desk.register.versions():
        moves = [
            said for said in desk.said if isinstance(said, StateChanged) and said.digest == version.document.digest
        ]
        assert [move.sequence for move in moves] == list(range(1, len(moves) + 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_service_believes_every_record_and_searches_only_what_is_active(seed: int) -> None:
    desk = a_life(seed)
    signed = [said.signed_at for said in desk.said if isinstance(said, StateChanged | Lease)]
    reading = b.a_reading(max([desk.at, *signed]))
    for deployment, known in desk.register.deployments.items():
        gate = Gate.shut(deployment, root_fingerprint=b.ROOT.kid)
        rejected: set[Rejection | None] = set()
        for record in desk.records:
            folded = gate.fold(record, reading)
            gate, rejected = folded.gate, rejected | {folded.rejected}
        # What is not approved yet may wait; nothing is forked, illegal or of the wrong role.
        assert rejected <= {None, Rejection.OTHER_DEPLOYMENT, Rejection.NOT_APPROVED}
        if gate.standing(reading) is None:
            active = [version for version in known.versions.values() if version.state is State.ACTIVE]
            assert [version.number for version in active] == [
                gate.beliefs.held.lease.version if gate.beliefs.held else 0
            ]


def test_the_lives_reach_every_state_that_a_search_depends_on() -> None:
    reached = {said.after for seed in SEEDS for said in a_life(seed).said if isinstance(said, StateChanged)}
    assert reached >= {State.SUBMITTED, State.AUTHORISED, State.ACTIVE, State.SUSPENDED, State.ENDED}
