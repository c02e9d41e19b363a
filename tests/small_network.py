"""A recogniser that is small enough to be opened dozens of times: a random projection of the shrunk face."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Pixels on a side of a face, and values of an embedding.
SIDE = 112
LENGTH = 64


def save_small_network(
    path: Path, *, seed: int = 0, side: int = SIDE, length: int = LENGTH, blind_to_black: bool = False
) -> Path:
    """Write a network; one that is blind to black embeds a black photo as zeros."""
    weight = np.random.default_rng(seed).normal(size=(3 * (side // 8) ** 2, length)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["face"], ["small"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Flatten", ["small"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["projected" if blind_to_black else "embedding"]),
    ]
    arrays = [numpy_helper.from_array(weight, "weight")]
    if blind_to_black:  # black is -1
        arrays.append(numpy_helper.from_array(np.ones((1, 1), np.float32), "one"))
        nodes += [
            helper.make_node("ReduceMax", ["flat"], ["brightest"], axes=[1], keepdims=1),
            helper.make_node("Add", ["brightest", "one"], ["light"]),
            helper.make_node("Mul", ["projected", "light"], ["embedding"]),
        ]
    face = helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", 3, side, side])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", length])
    graph = helper.make_graph(nodes, "small", [face], [embedding], arrays)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path
