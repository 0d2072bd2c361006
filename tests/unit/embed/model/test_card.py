"""Model cards: what a model id stands for, and which cards are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.contracts.errors import Misconfigured
from services.embed.model.card import ARCFACE_TEMPLATE, read_card
from services.embed.model.catalogue import DLIB, RECOGNISERS, SFACE

A_CARD = """
licence: licensed to us
source: bought
training_data: not documented
weights_file: mine.onnx
weights_sha256: %s
input_size_px: 112
colour: BGR
mean: 127.5
scale: 0.0078125
vector_length: 512
thresholds:
  - {score_kind: raw, shots: 1, fpir: 0.001, gallery_size: "500", value: 0.5}
""" % ("ab" * 32)


def a_card_file(folder: Path, text: str = A_CARD) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def test_a_model_id_starts_with_its_name_and_stays_the_same() -> None:
    assert SFACE.model_id == "sface-ba08dc057f72cd2d"
    assert DLIB.model_id.startswith("dlib-resnet-")


@pytest.mark.parametrize(
    "change",
    [
        {"weights_sha256": "0" * 64},
        {"colour": "BGR"},
        {"scale": 0.5},
        {"mean": (1.0, 0.0, 0.0)},
        {"template": DLIB.template},
        {"input_size_px": 128},
    ],
)
def test_whatever_changes_the_vectors_changes_the_model_id(change: dict[str, Any]) -> None:
    assert replace(SFACE, **change).model_id != SFACE.model_id


def test_what_is_only_said_about_a_model_does_not_change_its_id() -> None:
    assert replace(SFACE, licence="read again", training_data="found out").model_id == SFACE.model_id


def test_a_card_beside_an_onnx_file_is_read(tmp_path: Path) -> None:
    card = read_card(a_card_file(tmp_path))
    assert (card.name, card.format, card.vector_length) == ("mine", "onnx", 512)
    assert card.mean == (127.5, 127.5, 127.5)
    assert card.template == ARCFACE_TEMPLATE
    assert card.thresholds[0].value == 0.5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (A_CARD.replace("colour: BGR", "colour: CMYK"), "colour: RGB or BGR"),
        (A_CARD.replace("licence: licensed to us", ""), "licence"),
        (A_CARD + "licnce: typo\n", "licnce"),
        (A_CARD.replace("mine.onnx", "../../mine.onnx"), "a name, not a path"),
        (A_CARD.replace("ab" * 32, "abc"), "64 lower-case hex digits"),
        ("- a list", "a mapping of fields"),
        ("a: [", "not YAML"),
    ],
)
def test_a_wrong_card_is_refused_saying_what_is_wrong(tmp_path: Path, wrong: str, message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        read_card(a_card_file(tmp_path, wrong))


def test_every_model_of_the_catalogue_says_its_licence_and_training_data() -> None:
    for name, card in RECOGNISERS.items():
        assert card.name == name
        assert card.licence
        assert card.training_data
        assert card.source


def test_a_start_threshold_rises_with_the_shots_fused_into_a_template() -> None:
    points: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for threshold in SFACE.thresholds:
        place = threshold.score_kind.value, threshold.gallery_size
        points.setdefault(place, []).append((threshold.shots, threshold.value))
    assert points
    for by_shots in points.values():
        assert [shots for shots, _ in by_shots][:1] == [1]
        assert by_shots == sorted(by_shots, key=lambda point: point[1])
