"""An ONNX graph as a torch module: what torch runs, traces and hands to OpenVINO."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from torch import Tensor, nn

from services.contracts.errors import Misconfigured
from services.embed.model.onnx_ops import OPS, Affine, dequantise, fold_affine

_PASS_THROUGH = ("Dropout", "Identity")


@dataclass(frozen=True)
class Step:
    """One call: the names of the values it reads and of the value it makes."""

    inputs: tuple[str, ...]
    output: str


class OnnxGraph(nn.Module):
    """Float NCHW in, one tensor for each output of the graph, in the graph's order.

    Any batch size and, where the graph is convolutional, any picture size: a batch of 1 written
    into the file is not kept to. Block-quantised weights are expanded, batch norms folded.
    """

    def __init__(
        self, input_name: str, outputs: tuple[str, ...], steps: list[Step], modules: list[nn.Module]
    ) -> None:
        super().__init__()
        self.input_name = input_name
        self.outputs = outputs
        self.steps = steps
        self.calls = nn.ModuleList(modules)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        values = {self.input_name: x}
        for step, call in zip(self.steps, self.calls, strict=True):
            values[step.output] = call(*(values[name] for name in step.inputs))
        return tuple(values[name] for name in self.outputs)


def read_onnx(path: Path) -> OnnxGraph:
    """Build the module. Raises Misconfigured when the file is no ONNX graph of one picture input, or
    naming the node and the op that is not supported."""
    try:
        model = onnx.load(str(path))
    except (DecodeError, OSError) as error:
        raise Misconfigured(f"{path} is not a readable ONNX file: {type(error).__name__}") from error
    return _Builder(model.graph, str(path)).build()


class _Builder:
    """Walks the nodes once, in the file's order (ONNX keeps them sorted). Used by one thread, once."""

    def __init__(self, graph: onnx.GraphProto, path: str) -> None:
        self._graph = graph
        self._path = path
        self._constants: dict[str, Tensor] = {
            i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer
        }
        self._alias: dict[str, str] = {}
        self._steps: list[Step] = []
        self._modules: list[nn.Module] = []
        self._reads: dict[str, int] = {}
        for node in graph.node:
            for name in node.input:
                self._reads[name] = self._reads.get(name, 0) + 1

    def build(self) -> OnnxGraph:
        for node in self._graph.node:
            self._add(node)
        outputs = tuple(self._name(o.name) for o in self._graph.output)
        made = {step.output for step in self._steps}
        if missing := [name for name in outputs if name not in made]:
            raise Misconfigured(f"{self._path}: no node makes the output {missing[0]!r}")
        graph = OnnxGraph(self._input_name(), outputs, self._steps, self._modules)
        return graph.float().eval()

    def _input_name(self) -> str:
        # Exporters list weights among the inputs too; the picture is the one a live node reads.
        read = {name for step in self._steps for name in step.inputs}
        names = [i.name for i in self._graph.input if i.name in read]
        if len(names) != 1:
            raise Misconfigured(f"{self._path}: one input is expected, the graph reads {names}")
        return names[0]

    def _add(self, node: onnx.NodeProto) -> None:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        inputs = [self._name(name) for name in node.input]
        if node.op_type in _PASS_THROUGH:
            self._alias[node.output[0]] = inputs[0]
        elif self._fold_constant(node, attributes, inputs):
            return
        elif node.op_type in OPS:
            self._call(node, attributes, inputs)
        else:
            known = ", ".join(sorted({*OPS, *_PASS_THROUGH, "Constant", "DequantizeLinear"}))
            raise Misconfigured(
                f"{self._path}: node {node.name or node.output[0]!r} is a {node.op_type}, "
                f"which is not supported (supported: {known})"
            )

    def _fold_constant(self, node: onnx.NodeProto, attributes: dict[str, Any], inputs: list[str]) -> bool:
        if node.op_type == "Constant":
            value = torch.from_numpy(numpy_helper.to_array(attributes["value"]).copy())
        elif not all(name in self._constants for name in inputs if name):
            return False
        elif node.op_type == "DequantizeLinear":
            value = dequantise([self._constants[name] for name in inputs], attributes)
        elif node.op_type == "Reshape":
            value = self._constants[inputs[0]].reshape(self._constants[inputs[1]].tolist())
        else:
            return False
        self._constants[node.output[0]] = value
        return True

    def _call(self, node: onnx.NodeProto, attributes: dict[str, Any], inputs: list[str]) -> None:
        constants = [self._constants.get(name) for name in inputs]
        try:
            module = OPS[node.op_type](attributes, constants)
        except (NotImplementedError, KeyError, IndexError, AttributeError) as error:
            raise Misconfigured(
                f"{self._path}: node {node.name or node.output[0]!r} ({node.op_type}): {error}"
            ) from error
        live = tuple(name for name in inputs if name and name not in self._constants)
        if isinstance(module, Affine) and self._fold_into_last(module, live):
            self._alias[node.output[0]] = live[0]
            return
        self._steps.append(Step(live, node.output[0]))
        self._modules.append(module)

    def _fold_into_last(self, affine: Affine, live: tuple[str, ...]) -> bool:
        if not self._steps or self._steps[-1].output != live[0] or self._reads[live[0]] != 1:
            return False
        return fold_affine(affine, self._modules[-1])

    def _name(self, name: str) -> str:
        return self._alias.get(name, name)
