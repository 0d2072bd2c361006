"""How a network is run: OpenVINO on a CPU, torch on CUDA and where OpenVINO is missing."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from services.contracts.errors import Misconfigured
from services.embed.model.torch_network import TorchNetwork, torch_device

Images = NDArray[np.uint8]
Floats = NDArray[np.float32]
Engine = Literal["openvino", "torch"]

# The compiled network against torch fp32 on pinned pictures: bf16 keeps .9976 at worst on faces, full
# int8 falls to .86. Below these a worker must not start: its vectors would not be the model's.
MIN_COSINE = 0.995
MEAN_COSINE = 0.9995


@dataclass(frozen=True, kw_only=True)
class RuntimeOptions:
    """Where and how networks run. `cache_dir` None compiles anew at each start; it must be writable by the
    worker alone, since what lies in it is run."""

    engine: Literal["auto", "openvino", "torch"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "f32"] = "auto"
    intra_op_threads: int = 1
    cache_dir: Path | None = None


@dataclass(frozen=True, kw_only=True)
class RuntimeInfo:
    """What really runs; recorded with the worker, never part of the model id."""

    engine: Engine
    version: str
    device: str
    precision: str
    intra_op_threads: int
    min_cosine: float
    mean_cosine: float


class Network(Protocol):
    """A network ready to run. One thread at a time may use it."""

    engine: Engine
    version: str
    device: str
    precision: str

    def run(self, images: Images) -> Floats:
        """`images` uint8 [n, h, w, 3] BGR; gives float32 [n, ...]. What it gives may be overwritten by
        the next run. Blocks for the length of one inference."""
        ...


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """A network as torch defines it. `module` takes uint8 [n, h, w, 3] BGR and gives one float tensor.

    `key` names weights and preprocessing: two blueprints of one key compile to the same network.
    """

    name: str
    key: str
    module: nn.Module
    height_px: int
    width_px: int
    max_batch: int
    # The rows [rows, values] of an output that are each compared with torch's: the vectors themselves,
    # unless an output mixes quantities of which the large ones would hide the others.
    compared: Callable[[Floats], Floats] = field(default=lambda out: out.reshape(len(out), -1))


class Preprocessed(nn.Module):
    """A float NCHW network behind the pixels it is fed with, so that the compiler fuses the layout
    change: in numpy it costs more than the convolution after it."""

    def __init__(
        self, net: nn.Module, *, flip_to_rgb: bool, mean: tuple[float, float, float], scale: float
    ) -> None:
        super().__init__()
        self.net = net
        self.flip_to_rgb = flip_to_rgb
        self.register_buffer("mean", _channels(mean) if any(mean) else None)
        self.scale = scale

    mean: Tensor | None

    def forward(self, images: Tensor) -> Tensor:
        x = images.permute(0, 3, 1, 2).float()
        if self.flip_to_rgb:
            x = x.flip(1)
        if self.mean is not None:
            x = x - self.mean
        if self.scale != 1:
            x = x * self.scale
        out = self.net(x)
        result: Tensor = out[0] if isinstance(out, tuple) else out
        return result


def compile_network(blueprint: Blueprint, options: RuntimeOptions, pinned: Images) -> tuple[Network, RuntimeInfo]:
    """Compile for this machine (seconds the first time, then from `cache_dir`) and prove it.

    Raises Misconfigured when the engine asked for is not there, or when the compiled network strays
    from torch fp32 on the `pinned` pictures.
    """
    network = _choose(blueprint, options)
    reference = TorchNetwork(blueprint.module, device="cpu", intra_op_threads=options.intra_op_threads)
    lowest, mean = _agreement(network, reference, pinned, blueprint)
    if lowest < MIN_COSINE or mean < MEAN_COSINE:
        raise Misconfigured(
            f"{blueprint.name} on {network.engine} {network.version} ({network.precision}) strays from "
            f"torch fp32: cosine min {lowest:.4f} (at least {MIN_COSINE}), mean {mean:.5f} (at least "
            f"{MEAN_COSINE}). Remove the compiled network in {options.cache_dir}, or set precision f32"
        )
    return network, RuntimeInfo(
        engine=network.engine,
        version=network.version,
        device=network.device,
        precision=network.precision,
        intra_op_threads=options.intra_op_threads,
        min_cosine=lowest,
        mean_cosine=mean,
    )


def openvino_available() -> bool:
    """Whether OpenVINO is installed here."""
    return importlib.util.find_spec("openvino") is not None


def _choose(blueprint: Blueprint, options: RuntimeOptions) -> Network:
    device = torch_device(options.device)
    if options.engine == "torch" or device == "cuda":
        return TorchNetwork(blueprint.module, device=device, intra_op_threads=options.intra_op_threads)
    if openvino_available():
        from services.embed.model.openvino_network import compile_openvino

        return compile_openvino(blueprint, options)
    if options.engine == "openvino":
        raise Misconfigured("engine openvino is asked for and not installed: install it, or set auto")
    return TorchNetwork(blueprint.module, device=device, intra_op_threads=options.intra_op_threads)


def _agreement(network: Network, reference: Network, pinned: Images, blueprint: Blueprint) -> tuple[float, float]:
    batch, rows = blueprint.max_batch, blueprint.compared
    cosines = np.concatenate(
        [
            _cosines(rows(network.run(chunk)), rows(reference.run(chunk)))
            for chunk in (pinned[i : i + batch] for i in range(0, len(pinned), batch))
        ]
    )
    return float(cosines.min()), float(cosines.mean())


def _cosines(left: Floats, right: Floats) -> NDArray[np.float64]:
    a, b = left.astype(np.float64), right.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    # A network that gives nothing, or no number, agrees with nothing.
    return np.asarray(np.nan_to_num((a * b).sum(axis=1) / np.maximum(norms, 1e-12), nan=-1.0))


def _channels(values: tuple[float, float, float]) -> Tensor:
    return Tensor(values).view(1, 3, 1, 1)


def fingerprint(*parts: str) -> str:
    """A short file name for what `parts` describe."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
