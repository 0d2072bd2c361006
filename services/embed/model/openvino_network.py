"""A torch module compiled by OpenVINO for this CPU, and kept on disk."""

from __future__ import annotations

import io
import os
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.embed.model.compile import Blueprint, Engine, RuntimeOptions, fingerprint
from services.embed.model.openvino_door import ov

if TYPE_CHECKING:
    from torch import Tensor

# Part of the cache key: raise it when the conversion below changes.
_CONVERSION = "3"


class OpenVinoNetwork:
    """`compile.Network` on OpenVINO. Owns one inference request: one thread at a time."""

    engine: Engine = "openvino"
    version: str = ov.get_version().split("-")[0]
    device: str = "cpu"

    def __init__(self, compiled: ov.CompiledModel, precision: str) -> None:
        self.precision = precision
        self._request = compiled.create_infer_request()

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Network.run`."""
        results = self._request.infer([images], share_inputs=True, share_outputs=True)
        out: NDArray[np.float32] = results[0]
        return out


def compile_openvino(blueprint: Blueprint, options: RuntimeOptions) -> OpenVinoNetwork:
    """Compile, or take the compiled network from `options.cache_dir`.

    The cache is named by weights, preprocessing, shape, precision, OpenVINO and CPU features. A
    file in it that OpenVINO refuses is compiled anew.
    """
    core = ov.Core()
    precision = _precision(core, options)
    config: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": precision,
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": options.intra_op_threads,
        "PERFORMANCE_HINT": "LATENCY",
        # OpenVINO pins from the first core on, in every process anew: workers side by side would share one core.
        "ENABLE_CPU_PINNING": False,
    }
    if options.cache_dir is None:
        return OpenVinoNetwork(core.compile_model(_convert(blueprint), "CPU", config), precision)
    path = options.cache_dir / f"{blueprint.name}-{_cache_key(core, blueprint, config)}.ovc"
    compiled = _import(core, path, config)
    if compiled is None:
        compiled = core.compile_model(_convert(blueprint), "CPU", config)
        _write_whole(path, compiled.export_model())
    return OpenVinoNetwork(compiled, precision)


def _precision(core: ov.Core, options: RuntimeOptions) -> str:
    capable = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bf16" if capable and options.precision == "auto" else "f32"


def _convert(blueprint: Blueprint) -> ov.Model:
    shape = (blueprint.height_px, blueprint.width_px, 3)
    example: Tensor = torch.zeros((min(2, blueprint.max_batch), *shape), dtype=torch.uint8)
    with warnings.catch_warnings():
        # Tracing warns of Python values it freezes (fixed shapes): that is what is wanted here.
        warnings.simplefilter("ignore")
        # Frozen first: constants folded by torch, and converted in a quarter of the time.
        trace = torch.jit.trace(blueprint.module.eval(), example)  # type: ignore[no-untyped-call]
        traced = torch.jit.freeze(trace)
        model = ov.convert_model(traced, example_input=example)
    batch = 1 if blueprint.max_batch == 1 else ov.Dimension(1, blueprint.max_batch)
    model.reshape(ov.PartialShape([batch, *shape]))
    return model


def _cache_key(core: ov.Core, blueprint: Blueprint, config: dict[str, Any]) -> str:
    return fingerprint(
        _CONVERSION,
        blueprint.key,
        f"{blueprint.max_batch}x{blueprint.height_px}x{blueprint.width_px}",
        str(sorted(config.items())),
        ov.get_version(),
        core.get_property("CPU", "FULL_DEVICE_NAME"),
        str(sorted(torch.cpu.get_capabilities().items())),
    )


def _import(core: ov.Core, path: Path, config: dict[str, Any]) -> ov.CompiledModel | None:
    try:
        blob = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return core.import_model(io.BytesIO(blob), "CPU", config)
    except RuntimeError:
        return None


def _write_whole(path: Path, stream: io.BytesIO) -> None:
    # Several workers may start at once: each writes a file of its own and moves it into place.
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(stream.getbuffer())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
