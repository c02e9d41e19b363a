"""The input and the output of an ONNX recogniser, read from its graph without running it."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from facepart.errors import FacepartError, one_line
from facepart.networks.engine import Preprocessing
from facepart.networks.input_range import choose_range, takes_bytes, takes_unit
from facepart.networks.onnx.first_arithmetic import OnnxArithmetic, range_of_mean
from facepart.networks.onnx.graph import photo_inputs, read_model, reduce_graph, refuse_unreadable_nodes

# Landmark and gender networks, which are also in insightface's packs, have shorter outputs.
_SHORTEST_EMBEDDING = 64
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OnnxRecogniser:
    """An ONNX recogniser.

    Attributes:
        height: rows of its input; None for any number.
        width: columns of its input; None for any number.
        batch: the number of faces it takes at once; None for any number.
        dimension: length of the embedding, its first output.
        model: the graph, reduced to what the first output needs.
    """

    height: int | None
    width: int | None
    batch: int | None
    dimension: int
    model: onnx.ModelProto


def describe_onnx(path: Path) -> OnnxRecogniser:
    """Describe an ONNX recogniser.

    Raises:
        FacepartError: the file cannot be read, is not an ONNX file, or is not a recogniser: its only input must be
            float32 (n, 3, height, width), and its first output embeddings, (n, d).
    """
    model = _read(path)
    graph = model.graph
    inputs = photo_inputs(graph)
    if len(inputs) != 1 or not graph.output:
        raise FacepartError(f"{path}: is not a recogniser: it has {len(inputs)} inputs, expected one (a face)")
    taken, returned = _shape(inputs[0]), _shape(graph.output[0])
    kind = inputs[0].type.tensor_type.elem_type
    if kind != onnx.TensorProto.FLOAT or len(taken) != 4 or taken[1] not in (3, None):
        raise FacepartError(
            f"{path}: its input is {_format_shape(taken)}{_type_name(kind)}, expected faces as 32-bit floats "
            "(n, 3, height, width)"
        )
    # Exporters leave the two last axes of a pooling or a convolution, which are of length 1.
    if len(returned) < 2 or (returned[1] or 0) < _SHORTEST_EMBEDDING or any(each != 1 for each in returned[2:]):
        shape = _format_shape(returned)
        raise FacepartError(
            f"{path}: is not a recogniser: its output is {shape}, expected embeddings (n, length) of at least "
            f"{_SHORTEST_EMBEDDING} values"
        )
    return OnnxRecogniser(
        height=taken[2],
        width=taken[3],
        batch=taken[0],
        dimension=returned[1] or 0,
        model=model,
    )


def choose_parser_input(path: Path, usual: Preprocessing, *, known: bool = False) -> Preprocessing:
    """Deduce the values that an ONNX face parser takes, as :func:`choose_input` does, and the size of its input.

    Args:
        path: the file.
        usual: what it takes if the file says nothing else.
        known: see :func:`choose_input`.

    Raises:
        FacepartError: the file cannot be read or is not an ONNX file.
    """
    model = _read(path)
    inputs = photo_inputs(model.graph)
    # A file with other inputs is refused where it is opened.
    if len(inputs) != 1 or len(_shape(inputs[0])) != 4:
        return usual
    height, width = _shape(inputs[0])[2:]
    fitting = replace(usual, height=height or usual.height, width=width or usual.width)
    return choose_input(path, model, fitting, known=known)


def choose_input(path: Path, model: onnx.ModelProto, usual: Preprocessing, known: bool) -> Preprocessing:
    """Deduce the values that an ONNX network takes; see :mod:`facepart.networks.input_range`.

    Args:
        path: the file, for messages.
        model: its graph, reduced by :func:`facepart.networks.onnx.graph.reduce_graph`.
        usual: what it takes if it does not normalise; its height and width are those of the faces.
        known: whether `usual` is known for this network, so that it holds unless the graph says otherwise.

    Raises:
        FacepartError: it cannot be told what the network takes, and nothing is known of it.
    """
    try:
        refuse_unreadable_nodes(model)
        arithmetic = OnnxArithmetic(model, usual.height, usual.width)
        if not arithmetic.is_empty:
            return choose_range(arithmetic, usual)
        folded = "" if known else range_of_mean(arithmetic.folded_mean())
    except FacepartError as error:
        if known:
            return usual
        raise FacepartError(f"{path}: {error}") from error
    if not folded:
        return usual
    values = "0..255" if folded == "bytes" else "0..1"
    _logger.warning("%s: its first convolution takes off the mean of values of %s: it gets these", path, values)
    return takes_bytes(usual) if folded == "bytes" else takes_unit(usual)


def _read(path: Path) -> onnx.ModelProto:
    model = read_model(path)
    try:
        reduce_graph(model)
        # Not every exporter writes the output's shape.
        if model.graph.output and not any(_shape(model.graph.output[0])[1:]):
            model = onnx.shape_inference.infer_shapes(model)
    except FacepartError as error:
        raise FacepartError(f"{path}: {error}") from error
    except Exception as error:
        # Protobuf's own errors have no common base that can be imported without it.
        raise FacepartError(f"{path}: is damaged or not an ONNX file ({one_line(error)})") from error
    return model


def _shape(value: onnx.ValueInfoProto) -> tuple[int | None, ...]:
    """Return a value's shape; None for a dimension of any length."""
    return tuple(each.dim_value or None for each in value.type.tensor_type.shape.dim)


def _format_shape(shape: tuple[int | None, ...]) -> str:
    return one_line("(" + ", ".join("n" if each is None else str(each) for each in shape) + ")")


def _type_name(kind: int) -> str:
    if kind == onnx.TensorProto.FLOAT:
        return ""
    names = {number: name for name, number in onnx.TensorProto.DataType.items()}
    return f" of type {names.get(kind, 'unknown').lower()}"
