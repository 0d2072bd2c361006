"""The sample authority's people sign what every service believes, for exercises and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.authority.draft import parse
from console.run.sample_authority import SampleAuthority
from services.contracts.authorisation.approvals import Quorum, Verified, verify
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, Role
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.registry import Registry, open_registry
from services.contracts.authorisation.statements import Attestation, Order, open_as
from tests.unit.console.authority.drafts import NOON, digest_of, some_facts, written

LATER = NOON + timedelta(seconds=5)


def a_document() -> Document:
    return parse(written(), digest_of=digest_of).document(some_facts())


def a_sample() -> SampleAuthority:
    return SampleAuthority.begin(organisation="club", author="p-1", now=NOON)


def registry_of(sample: SampleAuthority) -> Registry:
    return open_registry(sample.registry(), root_fingerprint=sample.root_fingerprint)


def verified(sample: SampleAuthority, document: Document, *roles: Role) -> Verified:
    return verify(
        document.canonical_bytes(),
        [sample.approval(document, role, at=LATER) for role in roles],
        registry_of(sample),
        root_fingerprint=sample.root_fingerprint,
        now=LATER,
    )


def test_author_and_officer_authorise_an_exercise_in_full() -> None:
    found = verified(a_sample(), a_document(), Role.AUTHOR, Role.AUTHORISING_OFFICER)
    assert found.quorum is Quorum.FULL
    assert found.holds_until > a_document().window.end


@pytest.mark.parametrize("roles", [(Role.AUTHOR,), (Role.AUTHORISING_OFFICER,), (Role.AUTHOR, Role.REVIEWER)])
def test_fewer_or_others_do_not(roles: tuple[Role, ...]) -> None:
    with pytest.raises(NotAuthorised):
        verified(a_sample(), a_document(), *roles)


def test_nobody_else_s_sample_authorises_it() -> None:
    one, other = a_sample(), a_sample()
    document = a_document()
    with pytest.raises(NotAuthorised):
        verify(
            document.canonical_bytes(),
            [other.approval(document, role, at=LATER) for role in (Role.AUTHOR, Role.AUTHORISING_OFFICER)],
            registry_of(one),
            root_fingerprint=one.root_fingerprint,
            now=LATER,
        )


def test_people_who_are_made_up_sign_exercises_only() -> None:
    sample = a_sample()
    real = a_document().model_copy(update={"use_case": "crime_hotspot"})
    with pytest.raises(NotAuthorised, match="use_case: people who are made up authorise exercises only"):
        sample.approval(real, Role.AUTHORISING_OFFICER, at=LATER)


def test_the_supervisor_attests_and_orders() -> None:
    sample, document = a_sample(), a_document()
    registry = registry_of(sample)
    said = open_as(Attestation, sample.attestation(document, at=LATER), registry=registry, now=LATER)
    token = sample.order(document, Move.STOP, sequence=4, reason="done", at=LATER)
    ordered = open_as(Order, token, registry=registry, now=LATER)
    assert said.statement.digest == ordered.statement.digest == document.digest
    assert (ordered.key.role, ordered.statement.move, ordered.statement.sequence) == (
        Role.SUPERVISOR,
        Move.STOP,
        4,
    )


def test_no_private_key_shows() -> None:
    sample = a_sample()
    assert "secrets" not in repr(sample)
    assert "root" not in repr(sample)
