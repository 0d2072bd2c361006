"""From a name to a network that may be trusted: card, checked weights, compiled, proved."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
from torch import nn

from services.contracts.errors import Misconfigured
from services.embed.core.canvas import Canvas, CanvasPlan
from services.embed.core.quality import LIVE_LIMITS
from services.embed.model.card import DetectorCard, ModelCard, read_card
from services.embed.model.catalogue import RECOGNISERS, YUNET
from services.embed.model.compile import (
    Blueprint,
    Network,
    Preprocessed,
    RuntimeInfo,
    RuntimeOptions,
    compile_network,
)
from services.embed.model.dlib_resnet import read_dlib
from services.embed.model.memory import give_back
from services.embed.model.onnx_graph import read_onnx
from services.embed.model.pinned import pinned_chips, pinned_scene
from services.embed.model.recogniser import BATCH_CHIPS, NetworkRecogniser, Recogniser
from services.embed.model.yunet import YuNetDetector, YuNetHeads, quantities


def load_recogniser(name: str, models_dir: Path, options: RuntimeOptions) -> Recogniser:
    """The recogniser called `name`: one of the catalogue's, or `models_dir/<name>.yaml` beside its ONNX.

    Blocks for seconds, longer at the first start. Raises Misconfigured if the card or the weights are
    missing, wrong, not what the card's sha256 says, or do not compile to the model's own numbers.
    """
    card = find_card(name, models_dir)
    weights = checked_weights(models_dir, card.weights_file, card.weights_sha256)
    blueprint = recogniser_blueprint(card, weights)
    pinned = pinned_chips(card.input_size_px, card.template)
    network, info = compile_network(blueprint, options, pinned)
    del blueprint
    give_back()
    length = network.run(pinned[:1]).shape[-1]
    if length != card.vector_length:
        raise Misconfigured(f"{weights} gives vectors of {length}, its card says {card.vector_length}")
    return NetworkRecogniser(card, network, info)


def load_detector(
    models_dir: Path,
    options: RuntimeOptions,
    *,
    card: DetectorCard = YUNET,
    min_inter_eye_px: float = LIVE_LIMITS.min_inter_eye_px,
) -> YuNetDetector:
    """The face detector, for faces of `min_inter_eye_px` and more in pictures of any format.

    Blocks and raises as `load_recogniser` does; so does its first picture of a new shape.
    """
    weights = checked_weights(models_dir, card.weights_file, card.weights_sha256)
    blueprint = detector_blueprint(card, weights)
    # OpenCV resizes on threads of its own, unless told the worker's share of the CPU. Process-wide.
    cv2.setNumThreads(options.intra_op_threads)

    def compiled(canvas: Canvas) -> tuple[Network, RuntimeInfo]:
        sized = replace(blueprint, width_px=canvas.width_px, height_px=canvas.height_px)
        network, info = compile_network(sized, options, pinned_scene(*canvas))
        give_back()
        return network, info

    return YuNetDetector(card, compiled, CanvasPlan(min_inter_eye_px=min_inter_eye_px))


def find_card(name: str, models_dir: Path) -> ModelCard:
    """The card of `name`. Raises Misconfigured listing the names there are."""
    if name in RECOGNISERS:
        return RECOGNISERS[name]
    path = models_dir / f"{name}.yaml"
    if Path(name).name == name and path.is_file():
        return read_card(path)
    known = sorted({*RECOGNISERS, *(p.stem for p in models_dir.glob("*.yaml"))})
    raise Misconfigured(f"no recogniser {name!r}: known are {', '.join(known)}; a model of your own needs {path}")


def checked_weights(models_dir: Path, file: str, sha256: str) -> Path:
    """The path of a weight file whose content is the expected one, else Misconfigured."""
    path = models_dir / file
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError as error:
        raise Misconfigured(
            f"{path} is missing: run `make models` (dlib's: `python scripts/fetch_assets.py dlib`)"
        ) from error
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}") from error
    if found != sha256:
        raise Misconfigured(
            f"{path} is not the expected file: sha256 {sha256} is expected, {found} was found. "
            f"Delete it and run `make models`; if the change is meant, give the model a card of its own"
        )
    return path


def recogniser_blueprint(card: ModelCard, weights: Path) -> Blueprint:
    """A recogniser as torch defines it: chips in, vectors out."""
    net: nn.Module = read_dlib(weights) if card.format == "dlib" else read_onnx(weights)
    return Blueprint(
        name=card.name,
        key=card.model_id,
        module=Preprocessed(net, flip_to_rgb=card.colour == "RGB", mean=card.mean, scale=card.scale),
        height_px=card.input_size_px,
        width_px=card.input_size_px,
        max_batch=BATCH_CHIPS,
    )


def detector_blueprint(card: DetectorCard, weights: Path) -> Blueprint:
    """A detector as torch defines it: one picture in, its grid out. It wants BGR as it is."""
    graph = read_onnx(weights)
    heads = YuNetHeads(graph, graph.outputs)
    return Blueprint(
        name=card.name,
        key=card.weights_sha256,
        module=Preprocessed(heads, flip_to_rgb=False, mean=(0.0, 0.0, 0.0), scale=1.0),
        height_px=card.input_height_px,
        width_px=card.input_width_px,
        max_batch=1,
        compared=quantities,
    )
