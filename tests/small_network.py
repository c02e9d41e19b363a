"""Networks small enough for hundreds of photos: a random projection of the face, and a parser that finds one face."""

from pathlib import Path

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

# Pixels on a side of a face, and values of an embedding.
SIDE = 112
LENGTH = 64
# Classes of a face parser, the background among them.
CLASSES = 19
EYES = (4, 5)
# The mean of a photo, normalised by ImageNet's statistics, below which it is dark: 0.2 of white.
DARK = -1.2


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


def draw_labels(side: int) -> NDArray[np.uint8]:
    """Draw the classes of a face, (side, side): an oval of skin below hair, brows, eyes, a nose and a mouth."""
    labels = np.zeros((512, 512), np.uint8)
    cv2.ellipse(labels, (256, 200), (190, 195), 0, 0, 360, 17, -1)
    cv2.ellipse(labels, (256, 290), (150, 200), 0, 0, 360, 1, -1)
    for way, brow, eye in ((-1, 2, 4), (1, 3, 5)):
        cv2.ellipse(labels, (256 + way * 75, 205), (42, 8), 0, 0, 360, brow, -1)
        cv2.ellipse(labels, (256 + way * 70, 240), (28, 11), 0, 0, 360, eye, -1)
    cv2.ellipse(labels, (256, 300), (35, 60), 0, 0, 360, 10, -1)
    cv2.ellipse(labels, (256, 410), (60, 24), 0, 0, 360, 12, -1)
    return labels[:: 512 // side, :: 512 // side]


def save_small_parser(path: Path) -> Path:
    """Write a face parser that finds the drawn face on every photo; on dark ones, without eyes."""
    labels = draw_labels(128)
    drawn = (np.arange(CLASSES)[:, None, None] == labels).astype(np.float32)[None]
    weight, bias = np.zeros((CLASSES, 3, 1, 1), np.float32), np.zeros(CLASSES, np.float32)
    weight[list(EYES)], bias[list(EYES)] = -10, 30 * DARK
    arrays = [numpy_helper.from_array(each, name) for each, name in ((drawn, "drawn"), (weight, "w"), (bias, "b"))]
    nodes = [
        helper.make_node("GlobalAveragePool", ["photo"], ["mean"]),
        helper.make_node("Conv", ["mean", "w", "b"], ["darkness"]),
        helper.make_node("Relu", ["darkness"], ["doubt"]),
        helper.make_node("Sub", ["drawn", "doubt"], ["scores"]),
    ]
    photo = helper.make_tensor_value_info("photo", TensorProto.FLOAT, ["n", 3, 512, 512])
    answer = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", CLASSES, *labels.shape])
    graph = helper.make_graph(nodes, "drawn", [photo], [answer], arrays)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path
