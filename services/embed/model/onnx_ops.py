"""The ONNX ops that face networks are made of, each as a torch module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Attributes = dict[str, Any]
# What a node reads, in order: the value where it is a constant, None where it comes at run time.
Constants = Sequence[Tensor | None]


class Affine(nn.Module):
    """y = x * scale + shift over the channels: a batch norm that could not be folded."""

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)

    scale: Tensor
    shift: Tensor

    def forward(self, x: Tensor) -> Tensor:
        shape = (1, -1) + (1,) * (x.dim() - 2)
        return x * self.scale.to(x.dtype).view(shape) + self.shift.to(x.dtype).view(shape)


class Binary(nn.Module):
    """A two-sided operation; `left` or `right` is held when the graph has it as a constant."""

    def __init__(self, op: Callable[[Tensor, Tensor], Tensor], left: Tensor | None, right: Tensor | None) -> None:
        super().__init__()
        self.op = op
        self.register_buffer("left", None if left is None else left.float())
        self.register_buffer("right", None if right is None else right.float())

    left: Tensor | None
    right: Tensor | None

    def forward(self, *values: Tensor) -> Tensor:
        left = values[0] if self.left is None else self.left
        right = values[-1] if self.right is None else self.right
        return self.op(left, right)


class Reshape(nn.Module):
    """A reshape to a fixed shape whose leading 1, if it has one, stands for the batch."""

    def __init__(self, shape: list[int]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        sizes = [x.shape[i] if size == 0 else size for i, size in enumerate(self.shape)]
        if sizes and sizes[0] == 1:
            sizes[0] = x.shape[0]
        return x.reshape(sizes)


class Shaped(nn.Module):
    """A function of one tensor with its parameters bound."""

    def __init__(self, function: Callable[..., Tensor], **bound: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.function = function
        self.bound = bound

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, **self.bound)


class Concat(nn.Module):
    """Joins its inputs along one axis."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, *values: Tensor) -> Tensor:
        return torch.cat(values, self.axis)


def dequantise(inputs: Sequence[Tensor], attributes: Attributes) -> Tensor:
    """(q - zero point) * scale, the scales standing for one axis position or a block of them."""
    quantised, scale = inputs[0].float(), inputs[1].float()
    zero = inputs[2].float() if len(inputs) > 2 else torch.zeros_like(scale)
    axis, block = int(attributes.get("axis", 1)), int(attributes.get("block_size", 0))
    if block:
        length = quantised.shape[axis]
        scale = scale.repeat_interleave(block, axis).narrow(axis, 0, length)
        zero = zero.repeat_interleave(block, axis).narrow(axis, 0, length)
    elif scale.dim() == 1:
        shape = [1] * quantised.dim()
        shape[axis] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return (quantised - zero) * scale


def fold_affine(affine: Affine, into: nn.Module) -> bool:
    """Work `affine` into the convolution or matrix before it; False if `into` is neither."""
    if not isinstance(into, nn.Conv2d | nn.Linear):
        return False
    scale, shift = affine.scale.double(), affine.shift.double()
    weight = into.weight.detach().double()
    bias = torch.zeros_like(shift) if into.bias is None else into.bias.detach().double()
    into.weight = _frozen(weight * scale.reshape(-1, *[1] * (weight.dim() - 1)))
    into.bias = _frozen(bias * scale + shift)
    return True


def _frozen(value: Tensor) -> nn.Parameter:
    return nn.Parameter(value.float(), requires_grad=False)


def _held(constants: Constants, index: int, what: str) -> Tensor:
    value = constants[index] if index < len(constants) else None
    if value is None:
        raise NotImplementedError(f"its {what} must be a constant")
    return value


def _optional(constants: Constants, index: int) -> Tensor | None:
    return constants[index] if index < len(constants) else None


def _symmetric_pads(attributes: Attributes) -> tuple[int, int]:
    if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise NotImplementedError("auto_pad is not supported")
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    if (top, left) != (bottom, right):
        raise NotImplementedError("unequal padding is not supported")
    return int(top), int(left)


def _pair(values: Sequence[int]) -> tuple[int, int]:
    first, second = values
    return int(first), int(second)


def _conv(attributes: Attributes, constants: Constants) -> nn.Module:
    weight, bias = _held(constants, 1, "weight"), _optional(constants, 2)
    groups = int(attributes.get("group", 1))
    conv = nn.Conv2d(
        weight.shape[1] * groups,
        weight.shape[0],
        _pair(weight.shape[2:]),
        stride=_pair(attributes.get("strides", [1, 1])),
        padding=_symmetric_pads(attributes),
        dilation=_pair(attributes.get("dilations", [1, 1])),
        groups=groups,
        bias=bias is not None,
    )
    conv.weight = _frozen(weight)
    if bias is not None:
        conv.bias = _frozen(bias)
    return conv


def _gemm(attributes: Attributes, constants: Constants) -> nn.Module:
    if attributes.get("transA", 0) or attributes.get("alpha", 1.0) != 1 or attributes.get("beta", 1.0) != 1:
        raise NotImplementedError("only y = x W + b is supported")
    weight = _held(constants, 1, "weight")
    return _linear(weight if attributes.get("transB", 0) else weight.t(), _optional(constants, 2))


def _matmul(attributes: Attributes, constants: Constants) -> nn.Module:
    return _linear(_held(constants, 1, "right side").t(), None)


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Module:
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    linear.weight = _frozen(weight.contiguous())
    if bias is not None:
        linear.bias = _frozen(bias.reshape(-1))
    return linear


def _batch_norm(attributes: Attributes, constants: Constants) -> nn.Module:
    gamma, beta, mean, variance = (_held(constants, i, "statistics").double() for i in range(1, 5))
    scale = gamma / torch.sqrt(variance + attributes.get("epsilon", 1e-5))
    return Affine(scale.float(), (beta - mean * scale).float())


def _prelu(attributes: Attributes, constants: Constants) -> nn.Module:
    slope = _held(constants, 1, "slope").reshape(-1)
    prelu = nn.PReLU(slope.numel())
    prelu.weight = _frozen(slope)
    return prelu


def _binary(op: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Attributes, Constants], nn.Module]:
    def make(attributes: Attributes, constants: Constants) -> nn.Module:
        return Binary(op, constants[0], constants[1])

    return make


def _max_pool(attributes: Attributes, constants: Constants) -> nn.Module:
    kernel = _pair(attributes["kernel_shape"])
    strides = _pair(attributes.get("strides", [1, 1]))
    ceil = bool(attributes.get("ceil_mode", 0))
    return nn.MaxPool2d(kernel, strides, _symmetric_pads(attributes), ceil_mode=ceil)


def _average_pool(attributes: Attributes, constants: Constants) -> nn.Module:
    kernel = _pair(attributes["kernel_shape"])
    strides = _pair(attributes.get("strides", [1, 1]))
    count_pads = bool(attributes.get("count_include_pad", 0))
    return nn.AvgPool2d(kernel, strides, _symmetric_pads(attributes), count_include_pad=count_pads)


def _resize(attributes: Attributes, constants: Constants) -> nn.Module:
    if attributes.get("mode", b"nearest") != b"nearest":
        raise NotImplementedError("only nearest is supported")
    scales = _held(constants, 2, "scales").tolist()
    if len(scales) != 4 or scales[:2] != [1, 1] or any(s != int(s) for s in scales):
        raise NotImplementedError("only whole scales of height and width are supported")
    return nn.Upsample(scale_factor=(scales[2], scales[3]), mode="nearest")


def _reshape(attributes: Attributes, constants: Constants) -> nn.Module:
    return Reshape([int(size) for size in _held(constants, 1, "shape").tolist()])


def _transpose(attributes: Attributes, constants: Constants) -> nn.Module:
    return Shaped(torch.permute, dims=[int(axis) for axis in attributes["perm"]])


def _flatten(attributes: Attributes, constants: Constants) -> nn.Module:
    if attributes.get("axis", 1) != 1:
        raise NotImplementedError("only axis 1 is supported")
    return nn.Flatten(1)


OPS: dict[str, Callable[[Attributes, Constants], nn.Module]] = {
    "Add": _binary(torch.add),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Concat": lambda attributes, _: Concat(int(attributes["axis"])),
    "Conv": _conv,
    "Div": _binary(torch.div),
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": lambda *_: nn.AdaptiveAvgPool2d(1),
    "LeakyRelu": lambda attributes, _: nn.LeakyReLU(attributes.get("alpha", 0.01)),
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Mul": _binary(torch.mul),
    "PRelu": _prelu,
    "Relu": lambda *_: nn.ReLU(),
    "Reshape": _reshape,
    "Resize": _resize,
    "Sigmoid": lambda *_: nn.Sigmoid(),
    "Sub": _binary(torch.sub),
    "Transpose": _transpose,
}
