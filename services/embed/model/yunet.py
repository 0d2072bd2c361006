"""The face detector: YuNet at one fixed input size, whatever size the pictures have."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.contracts.errors import Misconfigured
from services.embed.core.detections import Detections, anchor_grid, decode
from services.embed.model.card import DetectorCard
from services.embed.model.compile import Network, RuntimeInfo

Image = NDArray[np.uint8]

STRIDES_PX = (8, 16, 32)
_HEADS = tuple(f"{head}_{stride}" for head in ("cls", "obj", "bbox", "kps") for stride in STRIDES_PX)


class YuNetHeads(nn.Module):
    """YuNet's twelve outputs as one [n, cells, 15]: score, box, points; the finest level first."""

    def __init__(self, net: nn.Module, outputs: Sequence[str]) -> None:
        super().__init__()
        if set(outputs) != set(_HEADS):
            raise Misconfigured(f"this is not YuNet: its outputs are {sorted(outputs)}")
        self.net = net
        self.order = [list(outputs).index(name) for name in _HEADS]

    def forward(self, x: Tensor) -> Tensor:
        out = self.net(x)
        classes, objects, boxes, points = (
            torch.cat([out[i] for i in self.order[start : start + 3]], dim=1) for start in (0, 3, 6, 9)
        )
        scores = torch.sqrt(classes.clamp(0, 1) * objects.clamp(0, 1))
        return torch.cat([scores, boxes, points], dim=2)


def quantities(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """Raw output [n, cells, 15] as one row a quantity, [n * 15, cells]: among boxes and points in one row,
    scores that went wrong would not be seen."""
    return np.moveaxis(raw, 2, 1).reshape(-1, raw.shape[1])


class YuNetDetector:
    """Finds faces and their five points. One thread at a time: it owns its canvas and its network."""

    def __init__(self, card: DetectorCard, network: Network, info: RuntimeInfo) -> None:
        self.card = card
        self.info = info
        self._network = network
        self._grid = anchor_grid(card.input_width_px, card.input_height_px, STRIDES_PX)
        # Pictures are laid into its upper left; what they do not cover stays black.
        self._canvas = np.zeros((1, card.input_height_px, card.input_width_px, 3), np.uint8)
        self._covered: tuple[int, int] = (0, 0)

    def detect(self, images: Sequence[Image], *, min_score: float) -> list[Detections]:
        """Faces of each picture (uint8 [h, w, 3] BGR, any size), in that picture's pixels.

        A picture larger than the network's input is scaled down to fit, a smaller one is not scaled
        up. One inference a picture: batching gains nothing here. Points may lie outside the picture.
        """
        return [self._detect_one(image, min_score) for image in images]

    def _detect_one(self, image: Image, min_score: float) -> Detections:
        fit = self._lay(image)
        raw = self._network.run(self._canvas)[0]
        return decode(raw, self._grid, min_score=min_score).scaled(1 / fit)

    def _lay(self, image: Image) -> float:
        height, width = image.shape[:2]
        fit = float(min(self.card.input_width_px / width, self.card.input_height_px / height, 1.0))
        size = (max(1, round(height * fit)), max(1, round(width * fit)))
        if size != self._covered:
            self._canvas[:] = 0
            self._covered = size
        target = self._canvas[0, : size[0], : size[1]]
        if fit == 1:
            target[:] = image
        else:
            # Area averaging: thinning out pixels loses the small faces this detector can still find.
            target[:] = cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA)
        return fit
