"""dlib's CC0 face ResNet: its weight file read without dlib, its network in torch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from services.contracts.errors import Misconfigured

# dlib writes a layer as its length-prefixed kind and then its numbers. The prefixes are looked for
# instead of parsing the C++ template nesting around them. Longer kinds first: "fc_2" holds "fc_".
_KINDS = (b"con_4", b"con_5", b"affine_", b"fc_2")
_TENSOR_VERSION = 2

# Channels, blocks, and whether the first block of the group halves the picture.
_GROUPS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
_STEM_CHANNELS = 32
_VECTOR_LENGTH = 128


class DlibResNet(nn.Module):
    """Float NCHW 150x150 in (mean taken off, scaled), [n, 128] out; not normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, _STEM_CHANNELS, 7, stride=2)
        blocks, width = [], _STEM_CHANNELS
        for channels, count, halves in _GROUPS:
            for i in range(count):
                blocks.append(_Block(width, channels, halves=halves and i == 0))
                width = channels
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(width, _VECTOR_LENGTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(functional.relu(self.stem(x)), 3, 2)
        pooled: Tensor = self.head(self.blocks(x).mean((2, 3)))
        return pooled


class _Block(nn.Module):
    """Two convolutions and a short cut. dlib pads a halving block by nothing, and its sum extends
    the smaller side with zeros, in channels and at the lower right."""

    def __init__(self, width: int, channels: int, *, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.first = nn.Conv2d(width, channels, 3, 2 if halves else 1, 0 if halves else 1)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(functional.relu(self.first(x)))
        if self.halves:
            x = functional.avg_pool2d(x, 2, 2)
            shape = [max(a, b) for a, b in zip(x.shape[1:], y.shape[1:], strict=True)]
            x, y = _extend(x, shape), _extend(y, shape)
        return functional.relu(y + x)


def _extend(x: Tensor, shape: list[int]) -> Tensor:
    channels, height, width = (want - have for want, have in zip(shape, x.shape[1:], strict=True))
    return functional.pad(x, (0, width, 0, height, 0, channels))


def read_dlib(path: Path) -> DlibResNet:
    """Read `dlib_face_recognition_resnet_model_v1.dat`, its affine layers folded in.

    Raises Misconfigured when the file is not that network.
    """
    try:
        net = _network(_layers(path.read_bytes()))
    except (OSError, ValueError, IndexError, StopIteration) as error:
        raise Misconfigured(f"{path} is not dlib's face ResNet: {error}") from error
    return net.eval()


def _network(layers: Iterator[_Layer]) -> DlibResNet:
    net = DlibResNet()
    _fill_conv(net.stem, layers)
    for block in cast(Iterator[_Block], iter(net.blocks)):
        _fill_conv(block.first, layers)
        _fill_conv(block.second, layers)
    head = _expect(layers, "fc_2").values.reshape(-1, _VECTOR_LENGTH)
    net.head.weight = _frozen(head.T)
    if (rest := next(layers, None)) is not None:
        raise ValueError(f"a layer too many: {rest.kind}")
    return net


@dataclass(frozen=True)
class _Layer:
    kind: str
    values: NDArray[np.float32]


def _layers(data: bytes) -> Iterator[_Layer]:
    marks = [(bytes([1, len(kind)]) + kind, kind.decode()) for kind in _KINDS]
    at = 0
    while True:
        found = [(data.find(mark, at), len(mark), kind) for mark, kind in marks]
        found = [f for f in found if f[0] >= 0]
        if not found:
            return
        start, length, kind = min(found)
        at = start + length
        if kind == "fc_2":  # two counts stand before its tensor
            _, at = _integer(data, at)
            _, at = _integer(data, at)
        values, at = _tensor(data, at)
        yield _Layer(kind, values)


def _integer(data: bytes, at: int) -> tuple[int, int]:
    # One control byte: the sign in bit 7, the number of bytes in the low four.
    control = data[at]
    size = control & 0x0F
    value = int.from_bytes(data[at + 1 : at + 1 + size], "little")
    return (-value if control & 0x80 else value), at + 1 + size


def _tensor(data: bytes, at: int) -> tuple[NDArray[np.float32], int]:
    version, at = _integer(data, at)
    if version != _TENSOR_VERSION:
        raise ValueError(f"tensor version {version}, {_TENSOR_VERSION} is expected")
    shape = []
    for _ in range(4):
        size, at = _integer(data, at)
        shape.append(size)
    count = math.prod(shape)
    return np.frombuffer(data, "<f4", count, at), at + 4 * count


def _expect(layers: Iterator[_Layer], kind: str) -> _Layer:
    layer = next(layers)
    if not layer.kind.startswith(kind):
        raise ValueError(f"a {layer.kind} where a {kind} is expected")
    return layer


def _fill_conv(conv: nn.Conv2d, layers: Iterator[_Layer]) -> None:
    kernel = _expect(layers, "con_").values
    gamma, beta = np.split(_expect(layers, "affine_").values, 2)
    weights, bias = np.split(kernel, [conv.weight.numel()])
    weights = weights.reshape(conv.weight.shape)
    conv.weight = _frozen(weights * gamma[:, None, None, None])
    conv.bias = _frozen(bias * gamma + beta)


def _frozen(values: NDArray[np.float32]) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(np.ascontiguousarray(values)), requires_grad=False)
