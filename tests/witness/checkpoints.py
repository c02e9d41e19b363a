"""MXNet checkpoints made for tests: a writer of the parameter format, and the golden answers' random parameters."""

import ast
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.networks.mxnet.checkpoint import SymbolNode

# Version -> the number that begins an array; version 0 is from before there was one.
MAGICS = {1: 0xF993FAC8, 2: 0xF993FAC9, 3: 0xF993FACA}
FLAGS = {"float32": 0, "float64": 1, "float16": 2, "uint8": 3, "int32": 4, "int8": 5, "int64": 6}


def write_parameters(path: Path, arrays: Mapping[str, NDArray[Any]], version: int = 2) -> Path:
    """Write a parameter file; names bear their prefix, ``arg:`` or ``aux:``."""
    with path.open("wb") as stream:
        stream.write(struct.pack("<QQQ", 0x112, 0, len(arrays)))
        for array in arrays.values():
            if version:
                stream.write(struct.pack("<I", MAGICS[version]))
            if version >= 2:
                stream.write(struct.pack("<i", 0))
            stream.write(struct.pack(f"<I{array.ndim}{'q' if version else 'I'}", array.ndim, *array.shape))
            stream.write(struct.pack("<iii", 1, 0, FLAGS[str(array.dtype)]))
            stream.write(array.tobytes())
        stream.write(struct.pack("<Q", len(arrays)))
        for name in arrays:
            stream.write(struct.pack("<Q", len(name.encode())) + name.encode())
    return path


def golden_parameters(nodes: Sequence[SymbolNode]) -> dict[str, NDArray[np.float32]]:
    """Draw the parameters of the golden answers, by the recipe in their README, with the files' prefixes."""
    arrays = {}
    for index, (name, shape) in enumerate(sorted(parameter_shapes(nodes, (3, 112, 112)).items())):
        random = np.random.default_rng(index)
        if name.endswith("_moving_var"):
            values = random.uniform(0.5, 1.5, shape)
        elif name.endswith("_moving_mean"):
            values = random.normal(0, 0.1, shape)
        elif name.endswith("_gamma"):
            values = random.uniform(0, 0.3, shape) if "relu" in name else random.uniform(0.2, 0.6, shape)
        elif name.endswith(("_beta", "_bias")):
            values = random.normal(0, 0.1, shape)
        else:
            values = random.normal(0, math.sqrt(1 / math.prod(shape[1:])), shape)
        arrays[("aux:" if "_moving_" in name else "arg:") + name] = values.astype(np.float32)
    return arrays


def parameter_shapes(nodes: Iterable[SymbolNode], picture: tuple[int, int, int]) -> dict[str, tuple[int, ...]]:
    """Infer the shapes of a symbol's parameters from that of its input, one picture (channels, rows, columns)."""
    nodes = list(nodes)
    outputs: list[tuple[int, ...]] = []
    parameters: dict[str, tuple[int, ...]] = {}
    for node in nodes:
        if node.operator == "null":
            outputs.append(picture if node.name == "data" else ())
            continue
        shape = outputs[node.inputs[0]]
        shapes: list[tuple[int, ...]] = []
        if node.operator == "Convolution":
            kernel, stride, pad = (
                ast.literal_eval(node.attributes.get(name, default))
                for name, default in (("kernel", ""), ("stride", "(1, 1)"), ("pad", "(0, 0)"))
            )
            width = int(node.attributes["num_filter"])
            shapes = [(width, shape[0] // int(node.attributes.get("num_group", 1)), *kernel), (width,)]
            sides = zip(shape[1:], kernel, stride, pad, strict=True)
            shape = (width, *((size + 2 * border - side) // step + 1 for size, side, step, border in sides))
        elif node.operator == "FullyConnected":
            width = int(node.attributes["num_hidden"])
            shapes = [(width, math.prod(shape)), (width,)]
            shape = (width,)
        elif node.operator in ("BatchNorm", "LeakyReLU"):
            shapes = [shape[:1]] * 4
        if shapes:
            parameters |= {nodes[source].name: each for source, each in zip(node.inputs[1:], shapes, strict=False)}
        outputs.append(shape)
    return parameters


def cosines(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Return the cosine between the rows of two matrices, in double precision."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    products: NDArray[np.float64] = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return products
