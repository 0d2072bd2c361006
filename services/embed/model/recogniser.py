"""Chips in, vectors out: the small interface that every recogniser stands behind."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.embed.model.card import ModelCard
from services.embed.model.compile import Network, RuntimeInfo

# Larger batches fall out of the cache of a CPU: measured, 8 beats 32.
BATCH_CHIPS = 8


class Recogniser(Protocol):
    """What the pipeline knows of a recogniser. One thread at a time."""

    @property
    def card(self) -> ModelCard: ...

    @property
    def model_id(self) -> str: ...

    @property
    def info(self) -> RuntimeInfo: ...

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Vectors of length 1, float32 [n, vector_length], of `chips` uint8 [n, size, size, 3] BGR
        aligned to the card's template. Any n, 0 too. Blocks. Raises ValueError on another shape."""
        ...


class NetworkRecogniser:
    """A `Recogniser` over one compiled network, fed in batches of `BATCH_CHIPS`."""

    def __init__(self, card: ModelCard, network: Network, info: RuntimeInfo) -> None:
        self._card = card
        self._model_id = card.model_id
        self._network = network
        self._info = info

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def model_id(self) -> str:
        return self._model_id

    @property
    def info(self) -> RuntimeInfo:
        return self._info

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Recogniser.embed`."""
        size = self._card.input_size_px
        if chips.shape[1:] != (size, size, 3) or chips.dtype != np.uint8:
            raise ValueError(f"uint8 [n, {size}, {size}, 3] is expected, not {chips.dtype} {chips.shape}")
        vectors = np.empty((len(chips), self._card.vector_length), np.float32)
        for start in range(0, len(chips), BATCH_CHIPS):
            batch = np.ascontiguousarray(chips[start : start + BATCH_CHIPS])
            vectors[start : start + len(batch)] = self._network.run(batch)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
