"""A recogniser that is small enough to be opened dozens of times: a random projection of the shrunk face."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Pixels on a side of a face, and values of an embedding.
SIDE = 112
LENGTH = 64


def save_small_network(path: Path) -> Path:
    weight = np.random.default_rng(0).normal(size=(3 * 14 * 14, LENGTH)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["face"], ["small"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Flatten", ["small"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["embedding"]),
    ]
    face = helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", LENGTH])
    graph = helper.make_graph(nodes, "small", [face], [embedding], [numpy_helper.from_array(weight, "weight")])
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path
