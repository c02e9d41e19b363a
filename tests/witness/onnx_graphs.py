"""ONNX graphs made for tests, and ONNX Runtime's answers to them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

PHOTO = "photo"


def write_graph(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, NDArray[Any]] | None = None,
    shape: Sequence[int | str] = ("n", 3, 8, 6),
    opset: int = 17,
    outputs: Sequence[str] = ("answer",),
    kind: int = TensorProto.FLOAT,
) -> Path:
    """Write a graph from the input ``photo`` to `outputs`, of shapes that are left open."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(PHOTO, kind, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    # A version of the file format that every ONNX Runtime of the last years reads.
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", opset)]), path)
    return path


def export(
    path: Path, network: torch.nn.Module, shape: Sequence[int], opset: int, free: Sequence[int] = (0,)
) -> Path:
    """Write a network as PyTorch exports it; the axes `free` of its input may have any length."""
    axes = {PHOTO: {axis: f"axis{axis}" for axis in free}} if free else None
    torch.onnx.export(
        network,
        (torch.zeros(*shape),),
        path,
        dynamo=False,
        opset_version=opset,
        input_names=[PHOTO],
        dynamic_axes=axes,
    )
    return path


def photos(count: int, height: int = 8, width: int = 6) -> NDArray[np.float32]:
    """Make photos of noise, float32 (count, 3, height, width), -1..1."""
    return np.random.default_rng(5).uniform(-1, 1, (count, 3, height, width)).astype(np.float32)


def onnxruntime_answer(path: Path, pictures: NDArray[np.float32]) -> NDArray[Any]:
    """Ask ONNX Runtime for a graph's first output; one photo at a time if the graph is of a fixed batch."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (source,) = session.get_inputs()
    batches = [pictures] if isinstance(source.shape[0], str) else [photo[None] for photo in pictures]
    return np.concatenate([session.run(None, {source.name: batch})[0] for batch in batches])
