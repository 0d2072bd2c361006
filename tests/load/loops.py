"""What is measured against: the loops a user would pick instead, and our own models without a pipeline.

Each takes a JPEG and gives one template a face, on one thread; `python -m tests.load.loops NAME FACES SECONDS`
runs one for a while and prints frames and faces. The benchmark runs two such processes at once.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import simplejpeg
from onnx import numpy_helper

from tests.load.content import MODELS, clip

DLIB = MODELS
COMPILED = Path(".cache/compiled")

Loop = Callable[[bytes], int]


def dlib_loop() -> Loop:
    """face_recognition's documented loop with the same dlib calls: HOG, upsampled once, 5 points, ResNet."""
    import dlib

    detector: Any = dlib.get_frontal_face_detector()
    pose: Any = dlib.shape_predictor(_model("shape_predictor_5_face_landmarks.dat"))
    encoder: Any = dlib.face_recognition_model_v1(_model("dlib_face_recognition_resnet_model_v1.dat"))

    def one(jpeg: bytes) -> int:
        picture = simplejpeg.decode_jpeg(jpeg)
        boxes = detector(picture, 1)
        for box in boxes:
            np.array(encoder.compute_face_descriptor(picture, pose(picture, box), 1))
        return len(boxes)

    return one


def _model(name: str) -> str:
    # Each folder a fetch may have used; the first that has it.
    for folder in (DLIB, MODELS):
        if (folder / name).exists():
            return str(folder / name)
    raise SystemExit(f"{name} is missing: run `make bench`, or python scripts/fetch_assets.py dlib")


def opencv_loop() -> Loop:
    """OpenCV's own loop over the same two networks: FaceDetectorYN, then FaceRecognizerSF for each face."""
    cv2.setNumThreads(1)
    detector = cv2.FaceDetectorYN.create(
        _expanded("face_detection_yunet_2023mar_int8bq.onnx"), "", (1280, 720), 0.6
    )
    recogniser = cv2.FaceRecognizerSF.create(_expanded("face_recognition_sface_2021dec_int8bq.onnx"), "")

    def one(jpeg: bytes) -> int:
        picture: Any = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        faces: Any = detector.detect(picture)[1]
        for face in faces if faces is not None else ():
            recogniser.feature(recogniser.alignCrop(picture, face))
        return len(faces) if faces is not None else 0

    return one


def _expanded(name: str) -> str:
    """The same network with its int8 weights expanded once, as a user of the fp32 file would have it.

    OpenCV would expand them at every call, which would flatter us.
    """
    target = COMPILED / f"expanded-{name}"
    if target.exists():
        return str(target)
    model = onnx.load(str(MODELS / name))
    constants = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    kept = []
    for node in model.graph.node:
        if node.op_type != "DequantizeLinear" or node.input[0] not in constants:
            kept.append(node)
            continue
        options = {one.name: one.i for one in node.attribute}
        axis, block = options.get("axis", 1), options.get("block_size", 0)
        weights, scale, zero = (constants[one] for one in node.input)
        if block:
            scale, zero = (
                np.repeat(one, block, axis).take(range(weights.shape[axis]), axis) for one in (scale, zero)
            )
        value = (weights.astype(np.float32) - zero.astype(np.float32)) * scale
        model.graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), node.output[0]))
    del model.graph.node[:]
    model.graph.node.extend(kept)
    pictures = [model.graph.input[0]]  # the file lists stale weights as further inputs, which OpenCV refuses
    del model.graph.input[:]
    model.graph.input.extend(pictures)
    COMPILED.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(target))
    return str(target)


def bare_loop() -> Loop:
    """Our own networks in a plain loop: half-size decode, detect, full decode where there is a face, embed all."""
    from services.embed.model.compile import RuntimeOptions
    from services.embed.model.registry import load_detector, load_recogniser
    from services.embed.model.warp import align

    options = RuntimeOptions(cache_dir=COMPILED)
    detector, recogniser = load_detector(MODELS, options), load_recogniser("sface", MODELS, options)
    waiting: list[npt.NDArray[np.uint8]] = []

    def one(jpeg: bytes) -> int:
        half = simplejpeg.decode_jpeg(jpeg, "BGR", min_factor=2, min_width=640)
        (found,) = detector.detect([half], min_score=0.6)
        if len(found):
            full = simplejpeg.decode_jpeg(jpeg, "BGR")
            waiting.extend(align(full, found.scaled(full.shape[1] / half.shape[1]).landmarks, recogniser.card))
        # Batches of 8 across frames: larger ones fall out of cache.
        while len(waiting) >= 8:
            recogniser.embed(np.stack(waiting[:8]))
            del waiting[:8]
        return len(found)

    return one


LOOPS: dict[str, Callable[[], Loop]] = {"dlib": dlib_loop, "opencv": opencv_loop, "bare": bare_loop}


def main(name: str, faces: int, seconds: float) -> None:
    loop = LOOPS[name]()
    frames = clip(faces)
    for jpeg in frames[:3]:
        loop(jpeg)
    # The parent starts the clocks of both processes together.
    print("ready", flush=True)
    sys.stdin.readline()
    done = seen = 0
    began = time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        seen += loop(frames[done % len(frames)])
        done += 1
    print(json.dumps({"frames": done, "faces": seen, "seconds": took}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
