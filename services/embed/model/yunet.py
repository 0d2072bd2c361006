"""The face detector: YuNet on a few canvases of fixed sizes, whatever size the pictures have."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.contracts.errors import Misconfigured
from services.embed.core.canvas import Canvas, CanvasPlan
from services.embed.core.detections import AnchorGrid, Detections, anchor_grid, decode
from services.embed.model.card import DetectorCard
from services.embed.model.compile import Network, RuntimeInfo

log = logging.getLogger(__name__)

Image = NDArray[np.uint8]

STRIDES_PX = (8, 16, 32)
# Networks held, some 30 MB each; one that has not been needed for longest is made anew when it is.
_MOST_PLACES = 8
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


@dataclass
class _Place:
    """A canvas and the network compiled for it. Pictures are laid into the upper left; the rest stays black."""

    network: Network
    info: RuntimeInfo
    grid: AnchorGrid
    pixels: Image


Compiled = Callable[[Canvas], tuple[Network, RuntimeInfo]]
"""Makes and proves the network for one size. Blocks for seconds; raises Misconfigured."""


class YuNetDetector:
    """Finds faces and their five points. One thread at a time: it owns its canvases and their networks."""

    def __init__(self, card: DetectorCard, compiled: Compiled, plan: CanvasPlan) -> None:
        """Compiles the card's own canvas; each other one when the first picture of its shape comes."""
        self.card = card
        self.plan = plan
        self._compiled = compiled
        self._places: OrderedDict[Canvas, _Place] = OrderedDict()
        self.info = self._place(Canvas(card.input_width_px, card.input_height_px)).info

    def detect(
        self, images: Sequence[Image], *, min_score: float, sizes: Sequence[tuple[int, int]] | None = None
    ) -> list[Detections]:
        """Faces of each picture (uint8 [h, w, 3] BGR, any size), in that picture's pixels.

        Where pictures are reduced already, `sizes` (width, height) are those of the pictures they were. A picture
        is scaled down to its canvas (`core/canvas.py`), a small one is not scaled up. One inference a picture:
        batching gains nothing here. Points may lie outside the picture. The first picture of a new shape waits
        for its network: a second from the cache, some without.
        """
        whole = sizes or [(image.shape[1], image.shape[0]) for image in images]
        return [self._detect_one(image, size, min_score) for image, size in zip(images, whole, strict=True)]

    def _detect_one(self, image: Image, size: tuple[int, int], min_score: float) -> Detections:
        laid = self.plan.lay(*size)
        place = self._place(laid.canvas)
        height, width = min(laid.height_px, image.shape[0]), min(laid.width_px, image.shape[1])
        target = place.pixels[0, :height, :width]
        if (height, width) == image.shape[:2]:
            target[:] = image
        else:
            # Area averaging: thinning out pixels loses the small faces this detector can still find.
            target[:] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        raw = place.network.run(place.pixels)[0]
        # Nobody stays on a canvas whose next picture may be hours away.
        target[:] = 0
        return decode(raw, place.grid, min_score=min_score).scaled(image.shape[1] / (size[0] * laid.scale))

    def _place(self, canvas: Canvas) -> _Place:
        place = self._places.pop(canvas, None) or self._made(canvas)
        self._places[canvas] = place  # the newest last
        if len(self._places) > _MOST_PLACES:
            self._places.popitem(last=False)
        return place

    def _made(self, canvas: Canvas) -> _Place:
        network, info = self._compiled(canvas)
        log.info("detector has a canvas", extra={"width_px": canvas.width_px, "height_px": canvas.height_px})
        pixels = np.zeros((1, canvas.height_px, canvas.width_px, 3), np.uint8)
        return _Place(network, info, anchor_grid(canvas.width_px, canvas.height_px, STRIDES_PX), pixels)
