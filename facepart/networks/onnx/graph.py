"""An ONNX graph, read and reduced to what its first output needs.

Files may list inputs that no node uses, hold nodes of other outputs, and store weights as integers that a
DequantizeLinear at the beginning turns into floats, in blocks with a scale each (operator set 21). Runtimes differ in
what they make of these. Here they are gone: what the first output does not need is left out, and stored weights are
computed once.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from facepart.errors import FacepartError, one_line

_DOMAINS = ("", "ai.onnx")
_DEQUANTIZE = "DequantizeLinear"


def read_model(path: Path) -> onnx.ModelProto:
    """Read an ONNX file, with the weights in files beside it.

    Raises:
        FacepartError: the file cannot be read, or is not an ONNX file.
    """
    try:
        return onnx.load(path)
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror or one_line(error)}") from error
    except Exception as error:
        # Protobuf's own errors have no common base that can be imported without it.
        raise FacepartError(f"{path}: is damaged or not an ONNX file ({one_line(error)})") from error


def reduce_graph(model: onnx.ModelProto) -> bool:
    """Leave only what the first output needs in a graph, and compute weights that are stored as integers.

    Returns:
        Whether other runtimes may take the graph differently than before: it had unused inputs, several outputs, or
        weights in blocks.

    Raises:
        FacepartError: stored weights do not fit their scales. The message names no file.
    """
    graph = model.graph
    if not graph.output:
        return False
    before = len(graph.input), len(graph.output)
    needed = {graph.output[0].name}
    nodes = []
    for node in reversed(graph.node):
        if not needed.isdisjoint(node.output):
            nodes.append(node)
            needed.update(read_names(node))
    nodes.reverse()
    stored = {tensor.name for tensor in graph.initializer}
    # An initializer among the inputs is a default of an input that nobody gives.
    given = [value for value in graph.input if value.name not in stored]
    inputs = [value for value in given if value.name in needed] or given
    outputs = list(graph.output[:1])
    nodes, in_blocks = _dequantize_stored(nodes, graph)
    for field, values in ((graph.node, nodes), (graph.input, inputs), (graph.output, outputs)):
        copies = [type(value).FromString(value.SerializeToString()) for value in values]
        del field[:]
        field.extend(copies)
    wanted = {name for node in graph.node for name in read_names(node)} | {graph.output[0].name}
    unused = [at for at, tensor in enumerate(graph.initializer) if tensor.name not in wanted]
    for at in reversed(unused):
        del graph.initializer[at]
    return in_blocks or (len(graph.input), len(graph.output)) != before


def refuse_unreadable_nodes(model: onnx.ModelProto) -> None:
    """Refuse a graph that ends the process of a runtime which trusts it: OpenVINO looks at inputs that are not there.

    Raises:
        FacepartError: the file names no operator set or an impossible one, or a node lacks inputs that its operator
            needs. The message names no file.
    """
    versions = {each.domain: each.version for each in model.opset_import}
    if not versions:
        raise FacepartError("is damaged: it names no operator set")
    for node in model.graph.node:
        domain = "" if node.domain in _DOMAINS else node.domain
        version = next((versions[each] for each in (node.domain, *_DOMAINS) if each in versions), 0)
        try:
            schema = onnx.defs.get_schema(node.op_type, max_inclusive_version=version, domain=domain)
        except onnx.defs.SchemaError:
            continue  # the runtime says whether it knows it
        except TypeError as error:
            operator = one_line(node.op_type)
            raise FacepartError(f"is damaged: {operator} of operator set {version} cannot be") from error
        given = [*node.input, *[""] * schema.min_input]
        needed = [each for each in schema.inputs if each.option == onnx.defs.OpSchema.FormalParameterOption.Single]
        if len(node.input) < schema.min_input or any(not name for name, _ in zip(given, needed, strict=False)):
            name = one_line(node.name or node.op_type)
            raise FacepartError(f"is damaged: its node {name}, {one_line(node.op_type)}, lacks an input")


def photo_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Return the inputs that a caller has to give: those that are not stored in the file."""
    stored = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in stored]


def stored_values(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    """Return the tensors that a graph stores: initializers, and the values of Constant nodes."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            stored[node.output[0]] = node.attribute[0].t
    return stored


def read_names(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the names of all values that a node reads, those that its subgraphs take from outside among them."""
    yield from filter(None, node.input)
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                yield from read_names(inner)
            yield from (value.name for value in graph.output)


def _dequantize_stored(nodes: list[onnx.NodeProto], graph: onnx.GraphProto) -> tuple[list[onnx.NodeProto], bool]:
    """Replace the nodes that dequantize stored weights by initializers.

    Returns:
        The other nodes, and whether weights in blocks were replaced.
    """
    stored = stored_values(graph)
    found = [
        node
        for node in nodes
        if node.op_type == _DEQUANTIZE
        and node.domain in _DOMAINS
        and all(name in stored for name in read_names(node))
    ]
    for node in found:
        try:
            inputs = [numpy_helper.to_array(stored[name]) for name in node.input if name]
            values = dequantize(*inputs, axis=_integer(node, "axis", 1), block=_integer(node, "block_size", 0))
        except (ValueError, IndexError, TypeError) as error:
            name = one_line(node.name or node.output[0])
            raise FacepartError(f"its node {name}, a {_DEQUANTIZE}: {one_line(error)}") from error
        graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
    done = {node.output[0] for node in found}
    in_blocks = any(_integer(node, "block_size", 0) for node in found)
    return [node for node in nodes if node.output[0] not in done], in_blocks


def dequantize(
    quantized: NDArray[Any],
    scale: NDArray[Any],
    zero_point: NDArray[Any] | None = None,
    *,
    axis: int = 1,
    block: int = 0,
) -> NDArray[Any]:
    """Compute DequantizeLinear: (quantized - zero_point) * scale.

    Source: the ONNX operator specification, DequantizeLinear, operator sets 10 to 23.

    Args:
        quantized: integers or 8-bit floats of any shape.
        scale: one number; one for each position along `axis`; or, with `block`, the shape of `quantized` but with one
            number for each `block` positions along `axis`, the last of which may be incomplete.
        zero_point: of the shape of `scale`; None for 0.
        axis: see `scale`.
        block: see there; 0 for none.

    Returns:
        Of the shape of `quantized` and the type of `scale`.

    Raises:
        ValueError: the shapes do not go together.
    """
    wide = np.float64
    scales, zeros = scale.astype(wide), np.zeros(scale.shape) if zero_point is None else zero_point.astype(wide)
    if zeros.shape != scales.shape:
        raise ValueError(f"zero points {_shape(zeros)} beside scales {_shape(scales)}")
    if block:
        length = quantized.shape[axis]
        expected = list(quantized.shape)
        expected[axis] = -(-length // block)
        if list(scales.shape) != expected:
            raise ValueError(f"scales {_shape(scales)} of blocks of {block} along axis {axis} of {_shape(quantized)}")
        positions = np.arange(length) // block
        scales, zeros = scales.take(positions, axis), zeros.take(positions, axis)
    elif scales.size == 1:
        scales, zeros = scales.reshape(()), zeros.reshape(())
    else:
        if scales.ndim != 1 or len(scales) != quantized.shape[axis]:
            raise ValueError(f"scales {_shape(scales)} along axis {axis} of {_shape(quantized)}")
        shape = [1] * quantized.ndim
        shape[axis] = -1
        scales, zeros = scales.reshape(shape), zeros.reshape(shape)
    return ((quantized.astype(wide) - zeros) * scales).astype(scale.dtype)


def _integer(node: onnx.NodeProto, name: str, default: int) -> int:
    return next((int(each.i) for each in node.attribute if each.name == name), default)


def _shape(array: NDArray[Any]) -> str:
    return "(" + ", ".join(map(str, array.shape)) + ")"
