"""ONNX graphs in torch against ONNX's own reference evaluator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from services.contracts.errors import Misconfigured
from services.embed.model.onnx_graph import OnnxGraph, read_onnx

RNG = np.random.default_rng(3)


def some(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def a_model(
    nodes: list[onnx.NodeProto],
    weights: dict[str, np.ndarray],
    *,
    shape: tuple[int, ...],
    outputs: tuple[str, ...] = ("y",),
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def written(model: onnx.ModelProto, folder: Path) -> Path:
    path = folder / "model.onnx"
    onnx.save(model, str(path))
    return path


def both(model: onnx.ModelProto, x: np.ndarray, folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    with torch.inference_mode():
        ours = read_onnx(written(model, folder))(torch.from_numpy(x))
    theirs = ReferenceEvaluator(model).run(None, {"x": x})
    return [(a.numpy(), b) for a, b in zip(ours, theirs, strict=True)]


node = helper.make_node

ONE_OP = {
    "conv, strided, padded, in groups": (
        [node("Conv", ["x", "w", "b"], ["y"], strides=[2, 2], pads=[1, 1, 1, 1], group=2)],
        {"w": some(6, 2, 3, 3), "b": some(6)},
    ),
    "conv without a bias": ([node("Conv", ["x", "w"], ["y"])], {"w": some(3, 4, 1, 1)}),
    "batch norm alone": (
        [node("BatchNormalization", ["x", "g", "b", "m", "v"], ["y"], epsilon=1e-3)],
        {"g": some(4), "b": some(4), "m": some(4), "v": np.abs(some(4)) + 0.5},
    ),
    "prelu": ([node("PRelu", ["x", "s"], ["y"])], {"s": some(4, 1, 1)}),
    "leaky relu": ([node("LeakyRelu", ["x"], ["y"], alpha=0.2)], {}),
    "relu then sigmoid": ([node("Relu", ["x"], ["h"]), node("Sigmoid", ["h"], ["y"])], {}),
    "a constant taken off": ([node("Sub", ["x", "c"], ["y"])], {"c": np.array([127.5], np.float32)}),
    "taken off a constant": ([node("Sub", ["c", "x"], ["y"])], {"c": np.array([127.5], np.float32)}),
    "divided by a channel's constant": ([node("Div", ["x", "c"], ["y"])], {"c": some(1, 4, 1, 1) + 5}),
    "max pool": ([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])], {}),
    "average pool": ([node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])], {}),
    "global average pool": ([node("GlobalAveragePool", ["x"], ["y"])], {}),
    "resize": (
        [
            node(
                "Resize",
                ["x", "", "s"],
                ["y"],
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        ],
        {"s": np.array([1, 1, 2, 2], np.float32)},
    ),
    "transpose and reshape": (
        [node("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]), node("Reshape", ["t", "s"], ["y"])],
        {"s": np.array([1, -1, 2], np.int64)},
    ),
    "two branches joined": (
        [node("Relu", ["x"], ["r"]), node("Concat", ["x", "r"], ["c"], axis=1), node("Identity", ["c"], ["i"]),
         node("Add", ["i", "i"], ["y"])],
        {},
    ),
    "flattened into a matrix": (
        [node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "w", "b"], ["y"], transB=1)],
        {"w": some(5, 4 * 8 * 6), "b": some(5)},
    ),
    "flattened into a product": (
        [node("Flatten", ["x"], ["f"]), node("MatMul", ["f", "w"], ["y"])],
        {"w": some(4 * 8 * 6, 5)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ONE_OP)
def test_an_op_does_what_onnx_says(case: str, tmp_path: Path) -> None:
    nodes, weights = ONE_OP[case]
    for ours, theirs in both(a_model(nodes, weights, shape=(1, 4, 8, 6)), some(1, 4, 8, 6), tmp_path):
        np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=1e-4)


def a_conv_with_batch_norm() -> onnx.ModelProto:
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("BatchNormalization", ["c", "g", "b", "m", "v"], ["n"]),
        node("Dropout", ["n"], ["y"]),
    ]
    weights = {"w": some(4, 3, 3, 3), "g": some(4), "b": some(4), "m": some(4), "v": np.abs(some(4)) + 1}
    return a_model(nodes, weights, shape=(1, 3, 8, 8))


def test_a_batch_norm_is_folded_into_the_convolution_before_it(tmp_path: Path) -> None:
    model = a_conv_with_batch_norm()
    graph = read_onnx(written(model, tmp_path))
    assert [type(call).__name__ for call in graph.calls] == ["Conv2d"]
    [(ours, theirs)] = both(model, some(1, 3, 8, 8), tmp_path)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_batch_norm_is_not_folded_where_the_convolution_is_read_twice(tmp_path: Path) -> None:
    model = a_conv_with_batch_norm()
    model.graph.node[2].CopyFrom(node("Add", ["n", "c"], ["y"]))
    assert len(read_onnx(written(model, tmp_path)).calls) == 3
    [(ours, theirs)] = both(model, some(1, 3, 8, 8), tmp_path)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_block_quantised_weights_are_expanded_at_load(tmp_path: Path) -> None:
    weights = {
        "q": RNG.integers(-127, 127, (6, 36)).astype(np.int8),
        "scale": np.abs(some(6, 4)),
        "zero": np.zeros((6, 4), np.int8),
        "shape": np.array([6, 4, 3, 3], np.int64),
    }
    nodes = [
        node("DequantizeLinear", ["q", "scale", "zero"], ["d"], axis=1, block_size=9),
        node("Reshape", ["d", "shape"], ["w"]),
        node("Conv", ["x", "w"], ["y"]),
    ]
    [(ours, theirs)] = both(a_model(nodes, weights, shape=(1, 4, 5, 5)), some(1, 4, 5, 5), tmp_path)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def test_a_batch_of_one_written_into_the_file_is_not_kept_to(tmp_path: Path) -> None:
    nodes, weights = ONE_OP["transpose and reshape"]
    graph = read_onnx(written(a_model(nodes, weights, shape=(1, 4, 8, 6)), tmp_path))
    x = torch.from_numpy(some(3, 4, 8, 6))
    together = graph(x)[0]
    torch.testing.assert_close(together, torch.cat([graph(x[i : i + 1])[0] for i in range(3)]))


def test_all_outputs_come_in_the_graphs_order(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], ["b"]), node("Sigmoid", ["b"], ["a"])]
    graph: OnnxGraph = read_onnx(written(a_model(nodes, {}, shape=(1, 2, 4, 4), outputs=("a", "b")), tmp_path))
    assert graph.outputs == ("a", "b")


def test_an_op_that_is_not_supported_is_named_with_its_node(tmp_path: Path) -> None:
    model = a_model([node("Einsum", ["x"], ["y"], name="mixer_7", equation="ab->a")], {}, shape=(1, 2, 4, 4))
    with pytest.raises(Misconfigured, match=r"'mixer_7' is a Einsum, which is not supported"):
        read_onnx(written(model, tmp_path))


def test_a_form_of_an_op_that_is_not_supported_is_named_with_its_node(tmp_path: Path) -> None:
    conv = node("Conv", ["x", "w"], ["y"], name="first", pads=[0, 0, 1, 1])
    model = a_model([conv], {"w": some(3, 2, 3, 3)}, shape=(1, 2, 4, 4))
    with pytest.raises(Misconfigured, match=r"'first' \(Conv\): unequal padding"):
        read_onnx(written(model, tmp_path))


def test_a_file_that_is_no_onnx_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"\xff not an onnx file")
    with pytest.raises(Misconfigured, match=r"broken\.onnx"):
        read_onnx(path)
