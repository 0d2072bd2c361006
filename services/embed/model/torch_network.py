"""A network run by torch itself: fp32, on a CPU or on CUDA."""

from __future__ import annotations

import copy
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from services.contracts.errors import Misconfigured


class TorchNetwork:
    """`compile.Network` on torch. fp32 throughout: on CUDA without TF32, so the model's own numbers."""

    engine: Literal["openvino", "torch"] = "torch"
    version: str = torch.__version__
    precision: str = "f32"

    def __init__(self, module: nn.Module, *, device: str, intra_op_threads: int) -> None:
        self.device = device
        # Process-wide in torch; every network of a worker is given the same number.
        torch.set_num_threads(intra_op_threads)
        # Channels last is a change in place: the blueprint's own module stays as it was read.
        own = copy.deepcopy(module).eval().to(device)
        self._module = own.to(memory_format=torch.channels_last)

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Network.run`."""
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(images)).to(self.device)
            out: NDArray[np.float32] = self._module(batch).float().cpu().numpy()
        return out


def torch_device(wanted: Literal["auto", "cpu", "cuda"]) -> str:
    """cpu or cuda. Raises Misconfigured when cuda is asked for and there is none."""
    if wanted == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise Misconfigured("device cuda is asked for, and torch finds none: set auto or cpu")
    return "cpu"
