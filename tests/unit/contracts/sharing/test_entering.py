"""Another body's picture is on a list under the serial of its share, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.contracts.sealed.entry import SourceType
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.rules import entry_faults
from services.contracts.sharing.entering import not_shared_in
from tests.unit.contracts.authorisation.builders import NOON
from tests.unit.contracts.sealed.lists_builder import a_draft, a_picture, an_entry, bounds
from tests.unit.contracts.sharing.builders import Clerk

FOREIGN: dict[str, Any] = {"source_type": SourceType.PARTNER_AGENCY, "source_care": "their custody vouches for it"}


@pytest.mark.parametrize("source", [SourceType.PARTNER_AGENCY, SourceType.THIRD_PARTY])
def test_a_picture_that_another_body_gave_names_its_share(source: SourceType) -> None:
    given = a_picture(**(FOREIGN | {"source_type": source}))
    assert [one.field for one in entry_faults(an_entry(pictures=(given,)), bounds(), at=NOON)] == [
        "pictures.0.share"
    ]
    named = a_picture(**(FOREIGN | {"source_type": source, "share": 1}))
    assert not list(entry_faults(an_entry(pictures=(named,)), bounds(), at=NOON))


@pytest.mark.parametrize("changes", [{"share": 1}, FOREIGN | {"share": 0}])
def test_a_serial_is_one_and_only_for_those(changes: dict[str, Any]) -> None:
    entry = an_entry(pictures=(a_picture(**changes),))
    assert [one.field for one in entry_faults(entry, bounds(), at=NOON)] == ["pictures.0.share"]


def a_list(share: int) -> Manifest:
    of = a_draft(an_entry()).manifest
    (entry,) = of.entries
    foreign = replace(entry, pictures=tuple(replace(one, share=share, **FOREIGN) for one in entry.pictures[:1]))
    return replace(of, entries=(foreign,))


def imported(of: Manifest, **changes: Any) -> Clerk:
    values = {
        "direction": "in",
        "deployment": None,
        "list_digest": None,
        "mark": None,
        "pictures": [{"sha256": of.entries[0].pictures[0].image_sha256}],
    }
    return Clerk().agreed().shared(**(values | changes))


def test_it_is_loaded_while_its_import_says_that_it_may_be_kept() -> None:
    of = a_list(1)
    known = imported(of).known
    assert not list(not_shared_in(of, known, NOON))
    over = list(not_shared_in(of, known, NOON + timedelta(days=14)))
    assert [one.field for one in over] == ["pictures.0.share"]


def test_a_serial_that_is_none_or_of_other_pictures_is_refused() -> None:
    assert list(not_shared_in(a_list(2), imported(a_list(1)).known, NOON))
    other = imported(a_list(1), pictures=[{"sha256": "0" * 64}])
    assert list(not_shared_in(a_list(1), other.known, NOON))
    left = Clerk().agreed().shared()
    assert list(not_shared_in(a_list(1), left.known, NOON))


def test_once_its_deletion_is_recorded_it_is_not_loaded_again() -> None:
    of = a_list(1)
    clerk = imported(of)
    assert not clerk.enter(clerk.heard(1, "deletion"), "liz")
    assert list(not_shared_in(of, clerk.known, NOON))
