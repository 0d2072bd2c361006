"""Lists: one digest a content, sealed bytes that open only where they belong, no repr of anybody."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import codec_lists
from services.contracts.codec import Sealing
from services.contracts.errors import Permanent, Tampered
from services.contracts.events import Invalid, ScoreKind
from services.runtime.keys.cipher import AesGcm
from tests.builders import DEPLOYMENT, NOON, a_vector
from tests.unit.match.lists_builder import a_filler, a_gallery, a_subject, some_images, token_of

SEALING = Sealing("oxford-street-1/list/blue-list", bytes(range(32)), AesGcm())
OTHER_KEY_ID = Sealing("oxford-street-2/list/blue-list", bytes(range(32)), AesGcm())


@given(
    references=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4, unique=True),
    weight=st.floats(0, 1),
    kind=st.sampled_from(ScoreKind),
)
def test_a_list_comes_out_as_it_went_in(references: list[str], weight: float, kind: ScoreKind) -> None:
    entries = [*(a_subject(one) for one in references), a_filler(1)]
    gallery = a_gallery(*entries, score_kind=kind, cohort_size=1, cohort_weight=weight)
    sealed = codec_lists.seal_list(gallery, deployment=DEPLOYMENT, sealing=SEALING)
    found = codec_lists.open_list(sealed, deployment=DEPLOYMENT, digest=gallery.digest, sealing=SEALING)
    assert found == gallery
    assert found.digest == gallery.digest
    for one, other in zip(found.entries, gallery.entries, strict=True):
        assert np.array_equal(one.vector, other.vector)


def test_reference_images_come_out_as_they_went_in() -> None:
    images = some_images()
    sealed = codec_lists.seal_images(images, deployment=DEPLOYMENT, digest="d1", sealing=SEALING)
    found = codec_lists.open_images(
        sealed, deployment=DEPLOYMENT, digest="d1", token=images.token, sealing=SEALING
    )
    assert found == images
    assert found.sha256 == images.sha256


@pytest.mark.parametrize(
    "moved",
    [
        {"deployment": "oxford-street-2"},
        {"digest": "0" * 64},
        {"sealing": OTHER_KEY_ID},
    ],
    ids=["another deployment", "another list", "another key id"],
)
def test_a_sealed_list_does_not_open_where_it_does_not_belong(moved: dict[str, Any]) -> None:
    gallery = a_gallery()
    sealed = codec_lists.seal_list(gallery, deployment=DEPLOYMENT, sealing=SEALING)
    place: dict[str, Any] = {"deployment": DEPLOYMENT, "digest": gallery.digest, "sealing": SEALING}
    with pytest.raises(Tampered):
        codec_lists.open_list(sealed, **(place | moved))


def test_one_subjects_pictures_do_not_open_as_anothers() -> None:
    sealed = codec_lists.seal_images(some_images(), deployment=DEPLOYMENT, digest="d1", sealing=SEALING)
    with pytest.raises(Tampered):
        codec_lists.open_images(
            sealed, deployment=DEPLOYMENT, digest="d1", token=token_of("ref-2"), sealing=SEALING
        )


def test_a_list_does_not_open_under_another_key() -> None:
    gallery = a_gallery()
    sealed = codec_lists.seal_list(gallery, deployment=DEPLOYMENT, sealing=SEALING)
    other = Sealing(SEALING.key_id, bytes(32), AesGcm())
    with pytest.raises(Permanent):
        codec_lists.open_list(sealed, deployment=DEPLOYMENT, digest=gallery.digest, sealing=other)


@pytest.mark.parametrize(
    "change",
    [
        {"reference": "ref-7732"},
        {"category": "missing"},
        {"source": "intelligence"},
        {"reason": "bail"},
        {"expires_on": date(2027, 1, 1)},
        {"vector": a_vector(seed=77)},
        {"images_sha256": b"t" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_digest_changes_with_every_part_of_an_entry(change: dict[str, Any]) -> None:
    assert a_gallery(a_subject(**change)).digest != a_gallery(a_subject()).digest


@pytest.mark.parametrize(
    "change",
    [{"name": "red-list"}, {"model_id": "other"}, {"cohort_size": 3}, {"cohort_weight": 0.25}],
    ids=lambda change: next(iter(change)),
)
def test_the_digest_changes_with_every_part_of_the_list(change: dict[str, Any]) -> None:
    assert a_gallery(**change).digest != a_gallery().digest


def test_the_digest_does_not_change_with_when_the_list_was_built() -> None:
    assert a_gallery(built_at=NOON + timedelta(hours=1)).digest == a_gallery().digest


def test_an_entry_may_alert_until_the_end_of_its_day_and_a_filler_never() -> None:
    entry = a_subject(expires_on=NOON.date())
    assert entry.may_alert(NOON.date())
    assert not entry.may_alert(NOON.date() + timedelta(days=1))
    assert not a_filler(1).may_alert(NOON.date())


@pytest.mark.parametrize(
    ("entries", "change"),
    [
        ((a_subject(), a_subject()), {}),
        ((a_subject(), a_subject("ref-2", vector=a_vector(size=64))), {}),
        ((a_subject(),), {"score_kind": ScoreKind.GALLERY_NORMALISED, "cohort_size": 1}),
        ((a_subject(),), {"cohort_weight": 1.5}),
    ],
    ids=["one subject twice", "templates of two lengths", "no cohort", "weight above one"],
)
def test_a_list_cannot_be_built_wrong(entries: tuple[Any, ...], change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        a_gallery(*entries, **change)


def test_no_repr_shows_a_reference_a_reason_a_picture_or_a_vector() -> None:
    text = repr((a_gallery(), a_subject(), some_images()))
    assert "ref-7731" not in text
    assert "a face" not in text
    assert "array" not in text
