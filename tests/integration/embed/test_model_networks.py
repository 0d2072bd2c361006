"""The real networks: against other implementations of them, on other engines, and tampered with.

Needs the weight files of `make models`; without them these tests skip, saying so.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import dlib
import numpy as np
import onnx
import pytest
import torch
from torch import nn

from services.contracts.errors import Misconfigured
from services.embed.core.align import similarity
from services.embed.model.card import ARCFACE_TEMPLATE, ModelCard
from services.embed.model.catalogue import DLIB, SFACE, YUNET
from services.embed.model.compile import RuntimeOptions, compile_network
from services.embed.model.pinned import pinned_chips, pinned_scene
from services.embed.model.recogniser import Recogniser
from services.embed.model.registry import (
    detector_blueprint,
    load_detector,
    load_recogniser,
    recogniser_blueprint,
)
from services.embed.model.warp import align
from services.embed.model.yunet import YuNetDetector

MODELS = Path(__file__).parents[3] / ".cache" / "assets" / "models"

for _card in (SFACE, YUNET):
    if not (MODELS / _card.weights_file).is_file():
        pytest.skip(f"{_card.weights_file} is missing: run `make models`", allow_module_level=True)

needs_dlib = pytest.mark.skipif(
    not (MODELS / DLIB.weights_file).is_file(), reason=f"{DLIB.weights_file} is an extra, and not here"
)

TORCH = RuntimeOptions(engine="torch")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module")
def compiled(cache: Path) -> RuntimeOptions:
    return RuntimeOptions(engine="openvino", cache_dir=cache)


@pytest.fixture(scope="module")
def detector(compiled: RuntimeOptions) -> YuNetDetector:
    return load_detector(MODELS, compiled)


@pytest.fixture(scope="module")
def sface(compiled: RuntimeOptions) -> Recogniser:
    return load_recogniser("sface", MODELS, compiled)


@pytest.fixture(params=["sface", pytest.param("dlib-resnet", marks=needs_dlib)])
def recogniser_name(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param


def chips_of(card: ModelCard) -> np.ndarray:
    return pinned_chips(card.input_size_px, card.template)


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    return np.asarray((a * b).sum(axis=1))


def a_drawn_scene() -> np.ndarray:
    """Two drawn faces that the detector takes for faces, in a 1280x720 picture."""
    scene = np.full((720, 1280, 3), 110, np.uint8)
    for left, size in ((150, 260), (700, 340)):
        face = pinned_chips(size, tuple((x * size / 112, y * size / 112) for x, y in ARCFACE_TEMPLATE))[3]
        scene[150 : 150 + size, left : left + size] = face
    return scene


def test_sface_in_torch_is_sface_in_opencv(tmp_path: Path) -> None:
    model = onnx.load(str(MODELS / SFACE.weights_file))
    picture = [i for i in model.graph.input if i.name == "data"]
    del model.graph.input[:]  # the file lists stale weights as inputs, which OpenCV refuses
    model.graph.input.extend(picture)
    onnx.save(model, str(tmp_path / "sface.onnx"))
    theirs = cv2.FaceRecognizerSF.create(str(tmp_path / "sface.onnx"), "")
    chips = chips_of(SFACE)
    expected = np.concatenate([theirs.feature(chip) for chip in chips])
    ours = load_recogniser("sface", MODELS, TORCH).embed(chips)
    assert cosines(ours, expected).min() > 0.99999


@needs_dlib
def test_dlibs_network_in_torch_is_dlibs() -> None:
    theirs = dlib.face_recognition_model_v1(str(MODELS / DLIB.weights_file))
    chips = chips_of(DLIB)
    rgb = np.ascontiguousarray(chips[..., ::-1])
    expected = np.array([theirs.compute_face_descriptor(chip) for chip in rgb])
    ours = load_recogniser("dlib-resnet", MODELS, TORCH).embed(chips)
    assert cosines(ours, expected).min() > 0.99999


def test_yunet_in_torch_finds_what_opencvs_yunet_finds() -> None:
    scene = a_drawn_scene()
    half = cv2.resize(scene, (640, 360), interpolation=cv2.INTER_AREA)
    padded = np.zeros((384, 640, 3), np.uint8)
    padded[:360] = half
    theirs = cv2.FaceDetectorYN.create(str(MODELS / YUNET.weights_file), "", (640, 384), 0.3, 0.3)
    _, expected = theirs.detect(padded)
    [found] = load_detector(MODELS, TORCH).detect([scene], min_score=0.3)
    assert len(found) == len(expected) > 0
    expected = expected[np.argsort(-expected[:, 14])]
    np.testing.assert_allclose(found.scores, expected[:, 14], atol=1e-3)
    corners = np.column_stack([expected[:, :2], expected[:, :2] + expected[:, 2:4]])
    np.testing.assert_allclose(found.boxes, corners * 2, atol=0.05)
    np.testing.assert_allclose(found.landmarks, expected[:, 4:14].reshape(-1, 5, 2) * 2, atol=0.05)


def test_the_compiled_detector_finds_what_torchs_finds(detector: YuNetDetector) -> None:
    [found] = detector.detect([a_drawn_scene()], min_score=0.3)
    [expected] = load_detector(MODELS, TORCH).detect([a_drawn_scene()], min_score=0.3)
    np.testing.assert_allclose(found.scores, expected.scores, atol=0.05)
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=4)
    np.testing.assert_allclose(found.landmarks, expected.landmarks, atol=4)


def test_faces_are_given_in_the_pixels_of_the_picture_they_are_in(detector: YuNetDetector) -> None:
    scene = a_drawn_scene()
    half = np.asarray(cv2.resize(scene, (640, 360), interpolation=cv2.INTER_AREA), np.uint8)
    whole, halved = detector.detect([scene, half], min_score=0.3)
    assert len(whole) > 0
    np.testing.assert_allclose(whole.boxes, halved.scaled(2).boxes, atol=0.5)


def test_a_picture_leaves_nothing_behind_for_the_next_one(detector: YuNetDetector) -> None:
    empty = np.zeros((200, 300, 3), np.uint8)
    [before] = detector.detect([empty], min_score=0.3)
    detector.detect([a_drawn_scene()], min_score=0.3)
    [after] = detector.detect([empty], min_score=0.3)
    assert len(before) == len(after) == 0


def test_a_drawn_face_is_cut_out_onto_its_template(detector: YuNetDetector) -> None:
    scene = a_drawn_scene()
    [found] = detector.detect([scene], min_score=0.3)
    [again] = detector.detect([align(scene, found.landmarks[:1], SFACE)[0]], min_score=0.3)
    off_px = np.linalg.norm(again.landmarks[0] - np.array(ARCFACE_TEMPLATE), axis=1)
    assert off_px.mean() < 8


def test_the_cut_is_opencvs_own(tmp_path: Path, detector: YuNetDetector) -> None:
    scene = a_drawn_scene()
    [found] = detector.detect([scene], min_score=0.3)
    matrix = similarity(found.landmarks[:1], SFACE.template)[0]
    expected = cv2.warpAffine(scene, matrix, (112, 112))
    np.testing.assert_array_equal(align(scene, found.landmarks[:1], SFACE)[0], expected)


def test_no_faces_give_no_chips_and_no_vectors(sface: Recogniser) -> None:
    chips = align(np.zeros((90, 90, 3), np.uint8), np.empty((0, 5, 2), np.float32), SFACE)
    assert sface.embed(chips).shape == (0, 128)


def test_openvino_gives_torchs_vectors(recogniser_name: str, compiled: RuntimeOptions) -> None:
    ours = load_recogniser(recogniser_name, MODELS, compiled)
    torchs = load_recogniser(recogniser_name, MODELS, TORCH)
    chips = chips_of(ours.card)
    assert ours.info.engine == "openvino"
    assert torchs.info.engine == "torch"
    assert cosines(ours.embed(chips), torchs.embed(chips)).min() > 0.999
    assert ours.model_id == torchs.model_id


def test_vectors_have_length_one_and_do_not_depend_on_their_batch(sface: Recogniser) -> None:
    chips = chips_of(SFACE)[:11]
    together = sface.embed(chips)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.concatenate([sface.embed(chip[None]) for chip in chips])
    assert cosines(together, alone).min() > 0.9999


def test_vectors_given_earlier_are_not_overwritten_by_later_ones(sface: Recogniser) -> None:
    first = sface.embed(chips_of(SFACE)[:4])
    kept = first.copy()
    sface.embed(chips_of(SFACE)[4:8])
    np.testing.assert_array_equal(first, kept)


def test_chips_of_another_size_are_refused(sface: Recogniser) -> None:
    with pytest.raises(ValueError, match="112, 112, 3"):
        sface.embed(np.zeros((1, 150, 150, 3), np.uint8))


def test_without_openvino_torch_runs_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "openvino" else find_spec(name, *rest)
    )
    recogniser = load_recogniser("sface", MODELS, RuntimeOptions())
    assert recogniser.info.engine == "torch"
    assert recogniser.info.precision == "f32"


def test_openvino_asked_for_and_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "openvino" else find_spec(name, *rest)
    )
    with pytest.raises(Misconfigured, match="not installed"):
        load_detector(MODELS, RuntimeOptions(engine="openvino"))


def test_the_second_start_takes_the_compiled_network_from_disk(tmp_path: Path) -> None:
    options = RuntimeOptions(engine="openvino", cache_dir=tmp_path)
    load_detector(MODELS, options)
    [kept] = list(tmp_path.iterdir())
    written = kept.stat().st_mtime_ns
    detector = load_detector(MODELS, options)
    assert detector.info.min_cosine > 0.995
    assert [p.stat().st_mtime_ns for p in tmp_path.iterdir()] == [written]


def test_a_compiled_network_cut_short_on_disk_is_compiled_anew(tmp_path: Path) -> None:
    options = RuntimeOptions(engine="openvino", cache_dir=tmp_path)
    load_detector(MODELS, options)
    [kept] = list(tmp_path.iterdir())
    whole = kept.stat().st_size
    kept.write_bytes(kept.read_bytes()[:1000])
    load_detector(MODELS, options)
    assert kept.stat().st_size == whole


def test_a_compiled_network_of_other_weights_is_refused(tmp_path: Path) -> None:
    """A stale file in the cache, or a wrong compilation, must never give vectors under this model's id."""
    options = RuntimeOptions(engine="openvino", cache_dir=tmp_path)
    right, wrong = (recogniser_blueprint(SFACE, MODELS / SFACE.weights_file) for _ in range(2))
    torch.manual_seed(4)
    with torch.no_grad():
        for weight in wrong.module.parameters():
            weight.add_(torch.randn_like(weight) * weight.abs().mean() * 0.3)
    compile_network(wrong, options, chips_of(SFACE))
    with pytest.raises(Misconfigured, match="strays from torch fp32"):
        compile_network(right, options, chips_of(SFACE))


def test_a_compiled_detector_with_right_boxes_and_wrong_scores_is_refused(tmp_path: Path) -> None:
    options = RuntimeOptions(engine="openvino", cache_dir=tmp_path)
    right, wrong = (detector_blueprint(YUNET, MODELS / YUNET.weights_file) for _ in range(2))
    with torch.no_grad():
        for call in wrong.module.modules():
            if isinstance(call, nn.Conv2d) and call.out_channels == 1 and call.bias is not None:
                call.bias.add_(0.5)  # only the heads of scores have one channel
    scene = pinned_scene(YUNET.input_width_px, YUNET.input_height_px)
    compile_network(wrong, options, scene)
    with pytest.raises(Misconfigured, match="strays from torch fp32"):
        compile_network(right, options, scene)


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    for card in (SFACE, YUNET):
        shutil.copy(MODELS / card.weights_file, tmp_path)
    return tmp_path


def test_weights_with_one_bit_changed_are_refused(models_dir: Path) -> None:
    path = models_dir / SFACE.weights_file
    weights = bytearray(path.read_bytes())
    weights[5_000_000] ^= 1
    path.write_bytes(weights)
    with pytest.raises(Misconfigured, match=f"{SFACE.weights_sha256} is expected"):
        load_recogniser("sface", models_dir, TORCH)


def test_missing_weights_say_how_to_get_them(models_dir: Path) -> None:
    (models_dir / YUNET.weights_file).unlink()
    with pytest.raises(Misconfigured, match="make models"):
        load_detector(models_dir, TORCH)


def test_an_unknown_recogniser_is_refused_naming_those_there_are(models_dir: Path) -> None:
    with pytest.raises(Misconfigured, match="known are dlib-resnet, sface"):
        load_recogniser("../sface", models_dir, TORCH)


def a_card_of_our_own(folder: Path, **change: object) -> None:
    fields = {
        "licence": "Apache-2.0",
        "source": "a test",
        "training_data": "not documented",
        "weights_file": SFACE.weights_file,
        "weights_sha256": SFACE.weights_sha256,
        "input_size_px": 112,
        "colour": "RGB",
        "vector_length": 128,
        **change,
    }
    (folder / "ours.yaml").write_text("\n".join(f"{key}: {value}" for key, value in fields.items()))


def test_an_onnx_with_a_card_beside_it_drops_in(models_dir: Path) -> None:
    a_card_of_our_own(models_dir)
    ours = load_recogniser("ours", models_dir, TORCH)
    named = load_recogniser("sface", models_dir, TORCH)
    np.testing.assert_allclose(ours.embed(chips_of(SFACE)), named.embed(chips_of(SFACE)), atol=1e-5)


def test_a_card_with_another_vector_length_than_its_network_is_refused(models_dir: Path) -> None:
    a_card_of_our_own(models_dir, vector_length=512)
    with pytest.raises(Misconfigured, match="vectors of 128, its card says 512"):
        load_recogniser("ours", models_dir, TORCH)


def test_an_onnx_that_is_no_yunet_is_refused_as_a_detector(models_dir: Path) -> None:
    card = replace(YUNET, weights_file=SFACE.weights_file, weights_sha256=SFACE.weights_sha256)
    with pytest.raises(Misconfigured, match="not YuNet"):
        load_detector(models_dir, TORCH, card=card)


def test_the_pinned_scene_makes_the_detector_work(detector: YuNetDetector) -> None:
    """Were the pinned scenes blank to the network, the proof at load would prove nothing."""
    assert any(len(found) for found in detector.detect(list(pinned_scene(640, 384)), min_score=0.3))


def test_compiling_a_network_tells_nobody_and_leaves_nothing_in_the_home_folder(tmp_path: Path) -> None:
    """OpenVINO's converter wrote an identifier and reported each conversion to its maker's analytics."""
    code = (
        "import sys; from pathlib import Path\n"
        "from services.embed.model.compile import RuntimeOptions\n"
        "from services.embed.model.registry import load_detector\n"
        f"load_detector(Path({str(MODELS)!r}), RuntimeOptions(engine='openvino'))\n"
        "assert sys.modules['openvino_telemetry'] is None\n"
        "assert not [name for name in sys.modules if name.startswith('openvino_telemetry.')]\n"
    )
    environment = {**os.environ, "HOME": str(tmp_path)}  # noqa: TID251 - a child's surroundings
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=120)
    assert list(tmp_path.iterdir()) == []
