"""The input and the output of an ONNX recogniser, read from its graph without running it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from facepart.errors import FacepartError

# Landmark and gender networks, which are also in insightface's packs, have shorter outputs.
_SHORTEST_EMBEDDING = 64
# A factor near 1/128 brings values of 0..255 to about -1..1; for values of 0..1 the factor is above 1.
_RAW_SLOPE = 0.1


@dataclass(frozen=True)
class OnnxRecogniser:
    """An ONNX recogniser.

    Attributes:
        height: rows of its input; None for any number.
        width: columns of its input; None for any number.
        batch: the number of faces it takes at once; None for any number.
        dimension: length of the embedding, its first output.
        normalises: whether its first nodes are a subtraction and a multiplication (or similar) that normalise values
            of 0..255, so that its input must be raw values.
    """

    height: int | None
    width: int | None
    batch: int | None
    dimension: int
    normalises: bool


def describe_onnx(path: Path) -> OnnxRecogniser:
    """Describe an ONNX recogniser.

    Raises:
        FacepartError: the file cannot be read, is not an ONNX file, or is not a recogniser: its only input must be
            float32 (n, 3, height, width), and its first output embeddings, (n, d).
    """
    graph = _read(path)
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1 or not graph.output:
        raise FacepartError(f"{path}: is not a recogniser: it has {len(inputs)} inputs, expected one (a face)")
    taken, returned = _shape(inputs[0]), _shape(graph.output[0])
    if inputs[0].type.tensor_type.elem_type != onnx.TensorProto.FLOAT or len(taken) != 4 or taken[1] not in (3, None):
        raise FacepartError(
            f"{path}: its input is {_format_shape(taken)}, expected faces as 32-bit floats (n, 3, height, width)"
        )
    if len(returned) != 2 or (returned[1] or 0) < _SHORTEST_EMBEDDING:
        shape = _format_shape(returned)
        raise FacepartError(f"{path}: is not a recogniser: its output is {shape}, expected embeddings (n, length)")
    return OnnxRecogniser(
        height=taken[2],
        width=taken[3],
        batch=taken[0],
        dimension=returned[1] or 0,
        normalises=_normalises(graph, inputs[0].name),
    )


def _read(path: Path) -> onnx.GraphProto:
    try:
        model = onnx.load(path)
        # Not every exporter writes the output's shape.
        if model.graph.output and not any(_shape(model.graph.output[0])[1:]):
            model = onnx.shape_inference.infer_shapes(model)
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:
        # Protobuf's own errors have no common base that can be imported without it.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FacepartError(f"{path}: is damaged or not an ONNX file ({reason})") from error
    return model.graph


def _shape(value: onnx.ValueInfoProto) -> tuple[int | None, ...]:
    """Return a value's shape; None for a dimension of any length."""
    return tuple(each.dim_value or None for each in value.type.tensor_type.shape.dim)


def _format_shape(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("n" if each is None else str(each) for each in shape) + ")"


def _normalises(graph: onnx.GraphProto, name: str) -> bool:
    """Check whether the arithmetic with constants at the beginning of a graph scales values of 0..255 down."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = node.attribute[0].t
    slope = 1.0
    for node in graph.node:
        if name not in node.input:
            continue
        if node.op_type in ("Mul", "Div"):
            others = [constants[each] for each in node.input if each in constants]
            if len(others) != 1:
                break
            factor = float(np.abs(numpy_helper.to_array(others[0])).mean())
            slope = slope * factor if node.op_type == "Mul" else slope / (factor or 1.0)
        elif node.op_type not in ("Sub", "Add", "Identity", "Cast"):
            break
        name = node.output[0]
    return slope < _RAW_SLOPE
