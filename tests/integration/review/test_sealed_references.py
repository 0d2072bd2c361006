"""What a sealed list says of a subject, at the desk: pictures, look-alikes, and nothing once they are off it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from services.contracts import keys, lists
from services.contracts.codec import Sealing
from services.contracts.errors import Tampered, Transient
from services.contracts.ids import SubjectToken, subject_token
from services.contracts.sealed.bundle import frame
from services.contracts.sealed.entry import Related, Relation, RiskFlag, SecondApproval
from services.review.casework import CaseDesk
from services.review.core.errors import Gone
from services.review.core.views import CaseView, Claim, FaceFeature, Judgement, Likeness, PictureKind, Resemblance
from tests import sealed
from tests.builders import DEPLOYMENT, a_vector
from tests.integration.match.lists import put_in_place_of
from tests.integration.review.rig import ANN, CIPHER, DIGEST, Rig, an_alert_of
from tests.unit.contracts.sealed.lists_builder import SIZE, jpeg

BROTHERS = ("e-1", "e-2")


class Shelf:
    """A sealed list of three, two of them brothers, one to be met with care."""

    def __init__(self, rig: Rig) -> None:
        self.rig, now = rig, rig.clock.now()
        entries = [sealed.a_listed(name, now=now) for name in ("e-1", "e-2", "e-3")]
        brother = Related(subject_ref=entries[1].subject_ref, relation=Relation.SIBLING)
        entries[0] = sealed.a_listed("e-1", now=now, related_subjects=(brother,))
        entries[2] = sealed.a_listed(
            "e-3",
            now=now,
            risk_flags=(RiskFlag.VULNERABLE,),
            handling_instruction="Speak slowly; call the carer.",
            second_approval=SecondApproval(by="p-inspector", rationale="Needed for their own safety."),
        )
        rows = {one.entry_id: np.stack([a_vector(size=SIZE, seed=n)]) for n, one in enumerate(entries, 70)}
        draft = sealed.a_current_draft(rows, now=now, entries=entries, deployment=DEPLOYMENT)
        spec = keys.watchlist(rig.authority)
        self.sealing = Sealing(spec.id, rig.ring.mint(spec), CIPHER)
        key = rig.ring.mint(keys.deployment(rig.authority))
        self.tokens = {one.entry_id: subject_token(key, one.subject_ref) for one in entries}
        assert rig.root_registry is not None
        bundle = sealed.sealed_up(draft, sealing=self.sealing, registry=rig.root_registry, at=now)
        self.digest = sealed.load(rig.client, bundle, until=rig.authority.purge_at)

    def case_of(self, entry: str) -> str:
        """An alert for an entry arrives; its case."""
        token = self.tokens[entry]
        alert = an_alert_of("gate-1.1.1.7.0", at=self.rig.clock.now(), subject=token, list_digest=self.digest)
        self.rig.arrive(self.rig.record(alert))
        found = self.rig.cases.known("", token).window
        assert found is not None
        return found.id

    def part(self, name: str) -> str:
        return lists.part(DEPLOYMENT, self.digest, name)


@pytest.fixture
def shelf(rig: Rig) -> Shelf:
    return Shelf(rig)


async def viewed(desk: CaseDesk, case: str) -> tuple[Claim, CaseView]:
    claim = await desk.claim(ANN, case)
    return claim, await desk.view(ANN, case, claim.fence)


def test_the_pictures_and_the_category_are_those_of_the_entry(rig: Rig, shelf: Shelf) -> None:
    case = shelf.case_of("e-3")

    async def look(desk: CaseDesk) -> None:
        claim, view = await viewed(desk, case)
        assert view.category == "consenting_volunteer"
        assert view.handling == "Speak slowly; call the carer."
        assert view.risk_flags == ("vulnerable",)
        (reference,) = view.of(PictureKind.REFERENCE)
        assert reference.taken_on == "2024-05-01"
        assert await desk.picture(ANN, case, claim.fence, reference.name) == jpeg("e-3 0")

    rig.at_desk(look)


@pytest.mark.parametrize("entry", BROTHERS)
def test_whoever_of_two_brothers_is_seen_the_other_is_warned_of(rig: Rig, shelf: Shelf, entry: str) -> None:
    (other,) = set(BROTHERS) - {entry}
    case = shelf.case_of(entry)

    async def look(desk: CaseDesk) -> None:
        _, view = await viewed(desk, case)
        assert view.resembles == (Resemblance(likeness=Likeness.SIBLING, other=shelf.tokens[other]),)

    rig.at_desk(look)


def test_no_template_is_ever_opened(rig: Rig, shelf: Shelf) -> None:
    for name in (*(frame.templates(entry) for entry in shelf.tokens), frame.FILLERS):
        assert rig.client.delete(shelf.part(name)) == 1
    assert rig.references().of(shelf.digest, shelf.tokens["e-1"]) is not None


@pytest.mark.parametrize("name", ["pictures e-1", "entry e-1", "cohort"])
def test_an_altered_part_shows_nothing(rig: Rig, shelf: Shelf, name: str) -> None:
    found = rig.client.get(shelf.part(name))
    assert isinstance(found, bytes)
    rig.client.set(shelf.part(name), found[:-1] + bytes([found[-1] ^ 1]))
    with pytest.raises(Tampered, match=name):
        rig.references().of(shelf.digest, shelf.tokens["e-1"])


def test_another_list_in_its_place_shows_nothing(rig: Rig, shelf: Shelf) -> None:
    """Rightly sealed, for this deployment; but not the one that was searched."""
    put_in_place_of(rig.client, DIGEST, shelf.digest)
    with pytest.raises(Tampered, match="another list"):
        rig.references().of(shelf.digest, shelf.tokens["e-1"])


def test_who_is_not_on_the_list_and_what_has_no_key_any_more_has_no_pictures(rig: Rig, shelf: Shelf) -> None:
    references = rig.references()
    assert references.of(shelf.digest, SubjectToken("0" * 32)) is None
    assert references.of(shelf.digest, shelf.tokens["e-1"]) is not None
    rig.ring.destroy([keys.watchlist(rig.authority)])
    assert references.of(shelf.digest, shelf.tokens["e-1"]) is None


def test_a_list_under_a_key_that_was_lost_and_made_anew_has_no_pictures(rig: Rig, shelf: Shelf) -> None:
    rig.ring.destroy([keys.watchlist(rig.authority)])
    rig.ring.mint(keys.watchlist(rig.authority))
    assert rig.references().of(shelf.digest, shelf.tokens["e-1"]) is None


def test_a_list_whose_sealers_key_is_revoked_shows_nothing(rig: Rig, shelf: Shelf) -> None:
    references = rig.references()
    assert references.of(shelf.digest, shelf.tokens["e-1"]) is not None
    assert rig.root_registry is not None
    rig.root_registry = rig.root_registry.model_copy(
        update={
            "sequence": 2,
            "keys": tuple(
                one.model_copy(update={"revoked_at": rig.clock.now() - timedelta(seconds=1)})
                if one.person == "liz"
                else one
                for one in rig.root_registry.keys
            ),
        }
    )
    with pytest.raises(Tampered):
        references.of(shelf.digest, shelf.tokens["e-1"])
    rig.root_registry = None
    with pytest.raises(Transient):
        references.of(shelf.digest, shelf.tokens["e-1"])


def test_once_the_person_is_off_the_list_nothing_of_the_case_is_shown_to_anybody(rig: Rig, shelf: Shelf) -> None:
    """The revocation comes while a case is open and its pictures are on a screen."""
    case = shelf.case_of("e-1")

    async def look(desk: CaseDesk) -> None:
        claim, view = await viewed(desk, case)
        rig.standing.off = frozenset({shelf.tokens["e-1"]})
        for picture in view.pictures:
            with pytest.raises(Gone, match="taken off the list"):
                await desk.picture(ANN, case, claim.fence, picture.name)
        with pytest.raises(Gone, match="taken off the list"):
            await desk.view(ANN, case, claim.fence)
        with pytest.raises(Gone, match="taken off the list"):
            await desk.claim(ANN, case)
        with pytest.raises(Gone, match="taken off the list"):
            await desk.judge(
                ANN,
                case,
                claim.fence,
                judgement=Judgement.MATCH,
                features=(FaceFeature.EARS,),
                displayed_digest=view.displayed_digest,
            )

    rig.at_desk(look)
