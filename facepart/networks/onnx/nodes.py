"""One node of an ONNX graph: a value that is known at once, or a step that waits for the photos.

Shapes are traced through the graph for batches of two sizes. A number that is the same in both is a constant. One
that differs, such as a length in the shape of a Reshape, grows linearly with the batch, as all lengths do.

A graph with a fixed batch of 1 may have a Reshape to fixed numbers. Where the first axis of its input, the slowest
one, grows with the batch, photos follow each other in memory; they do so in its output, too, if the first of its
numbers is multiplied by the batch. Nothing else is changed: a graph that mixes photos otherwise, or joins them with
something made for one photo, does not fit together for other batches, or its answers differ.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import onnx
import torch
from torch import Tensor

from facepart.errors import FacepartError, one_line
from facepart.networks.graph_network import Function, GrowingNumbers, Step
from facepart.networks.onnx.array_operators import to_tensor
from facepart.networks.onnx.operators import ONNX_OPERATORS, OnnxOperator

DOMAINS = ("", "ai.onnx")
# The batch sizes that shapes are traced for, one apart. Not 1, because an axis of length 1 is broadcast where a
# growing one would not be.
PROBE_BATCHES = (2, 3)

# What PyTorch, onnx and this package raise where numbers and shapes do not fit together.
SHAPE_ERRORS = (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError)

# A value at either batch size. A value that depends on the photos is on PyTorch's device `meta`, which stores shapes
# only; a value that does not depend on the batch is the same tensor twice.
Value = tuple[Tensor, Tensor]


def trace_node(node: onnx.NodeProto, opset: int, batch_of_one: bool, values: dict[str, Value]) -> list[Step]:
    """Run a node at both probe batch sizes, and add its outputs to the values.

    Args:
        node: the node.
        opset: the version of ONNX's operators.
        batch_of_one: whether the graph has a fixed batch of 1.
        values: the values of the nodes before this one, by name; the outputs are added.

    Returns:
        The node's step, if its outputs depend on the photos; otherwise nothing.

    Raises:
        FacepartError: the node cannot be run, or has an attribute that is not supported. The message names no file.
    """
    try:
        operator = _operator(node)
        attributes = _attributes(node, operator, opset)
        inputs = [_find(name, values) for name in node.input]
        if batch_of_one and node.op_type == "Reshape":
            inputs[1] = _for_any_batch(*inputs)
        settings = {key: inputs[place] for place, key in operator.settings.items() if place < len(inputs)}
        names, tensors = _tensors(node.input, inputs, operator)
        function = partial(operator.function, **attributes)
        outputs = _run_probes(function, tensors, settings)
        for name, one, other in zip(node.output, *outputs, strict=False):
            values[name] = (one, one) if not one.is_meta and torch.equal(one, other) else (one, other)
        if not outputs[0][0].is_meta:
            return []
        numbers = {key: _numbers(each) for key, each in settings.items()}
        growing = {key: each for key, each in numbers.items() if isinstance(each, GrowingNumbers)}
        fixed = {key: each for key, each in numbers.items() if key not in growing}
        return [Step(partial(function, **fixed), names, tuple(node.output), growing)]
    except SHAPE_ERRORS as error:
        name = one_line(node.name or next(iter(node.output), ""))
        raise FacepartError(f"its node {name}, a {one_line(node.op_type)}: {one_line(error)}") from error


def repeat_in_batch(name: str, one: Tensor, other: Tensor) -> tuple[Tensor, Step]:
    """Make a constant of a value that is the same for each photo, but has a copy per photo.

    Args:
        name: of the value.
        one: the value at the first of the probe batch sizes.
        other: the value at the second.

    Returns:
        The value for a batch of 1, and the step that repeats it for the batch of the photos.

    Raises:
        FacepartError: it depends on the batch in another way.
    """
    growing = [axis for axis, sides in enumerate(zip(one.shape, other.shape, strict=False)) if sides == PROBE_BATCHES]
    if one.ndim == other.ndim and len(growing) == 1:
        (axis,) = growing
        single = one.narrow(axis, 0, 1)
        if all(torch.allclose(each.double(), single.double()) for each in (one, other)):
            # -1 keeps the length of an axis.
            start, growth = [-1] * one.ndim, [0] * one.ndim
            start[axis], growth[axis] = 0, 1
            return single.clone(), Step(_repeat, (name,), (name,), {"shape": GrowingNumbers(start, growth)})
    raise FacepartError(f"its value {name} depends on the batch size in a way that is not supported")


def _repeat(value: Tensor, *, shape: Sequence[int]) -> Tensor:
    # Not the operator Expand, which compares lengths with 1: a trace for one photo would then hold for one only.
    return value.expand(shape)


def _operator(node: onnx.NodeProto) -> OnnxOperator:
    if node.domain not in DOMAINS or node.op_type not in ONNX_OPERATORS:
        raise ValueError("the operator is not supported")
    return ONNX_OPERATORS[node.op_type]


def _attributes(node: onnx.NodeProto, operator: OnnxOperator, opset: int) -> dict[str, Any]:
    """Return the keyword arguments that a node's attributes mean, and what else its function asks for."""
    known = operator.attributes
    attributes = {}
    for each in node.attribute:
        if each.name not in known:
            raise ValueError(f"the attribute {each.name} is not supported")
        value = onnx.helper.get_attribute_value(each)
        if isinstance(value, bytes):
            value = value.decode()
        attributes[each.name] = to_tensor(value) if isinstance(value, onnx.TensorProto) else value
    context = {"opset": opset, "outputs": len(node.output)}
    return attributes | {key: context[key] for key in operator.context}


def _find(name: str, values: Mapping[str, Value]) -> Value | None:
    """Return a value; None for an input that is left out, which has no name."""
    if not name:
        return None
    if name not in values:
        raise ValueError(f"no node before it computes its input {name}")
    return values[name]


def _tensors(
    names: Sequence[str], inputs: Sequence[Value | None], operator: OnnxOperator
) -> tuple[tuple[str, ...], list[Value]]:
    """Return the names and the values of a node's inputs that are not settings, without trailing ones left out."""
    places = [place for place in range(len(inputs)) if place not in operator.settings]
    while places and inputs[places[-1]] is None:
        places.pop()
    tensors = [each for place in places if (each := inputs[place]) is not None]
    if len(tensors) < len(places):
        raise ValueError("an input other than the last is left out")
    return tuple(names[place] for place in places), tensors


def _for_any_batch(x: Value | None, shape: Value | None) -> Value | None:
    """Free the shape of a Reshape from a fixed batch of 1; see the module's docstring."""
    if x is None or shape is None or shape[0] is not shape[1] or not x[0].ndim or not shape[0].numel():
        return shape
    slowest = [each.shape[0] for each in x]
    first = int(shape[0][0])
    # 0 and -1 stand for a length that grows with the input.
    if (
        slowest[0] * PROBE_BATCHES[1] != slowest[1] * PROBE_BATCHES[0]
        or x[0].shape[1:] != x[1].shape[1:]
        or first < 1
    ):
        return shape
    one, other = (torch.cat([torch.tensor([first * batch]), shape[0][1:]]) for batch in PROBE_BATCHES)
    return one, other


def _run_probes(
    function: Function, tensors: Sequence[Value], settings: Mapping[str, Value | None]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Return a function's outputs at either batch size."""
    if any(each is not None and each[0].is_meta for each in settings.values()):
        raise ValueError("a setting, which must be known before the network runs, depends on the photos")
    inputs = [*tensors, *(each for each in settings.values() if each is not None)]
    first = _run(function, tensors, settings, 0)
    return first, first if all(one is other for one, other in inputs) else _run(function, tensors, settings, 1)


def _run(
    function: Function, tensors: Sequence[Value], settings: Mapping[str, Value | None], probe: int
) -> tuple[Tensor, ...]:
    """Run a function at one of the batch sizes; on shapes only, if an input depends on the photos."""
    on_photos = any(each[0].is_meta for each in tensors)
    arguments = [each[probe].to("meta") if on_photos else each[probe] for each in tensors]
    numbers = {key: None if each is None else each[probe].tolist() for key, each in settings.items()}
    output = function(*arguments, **numbers)
    return (output,) if isinstance(output, Tensor) else tuple(output)


def _numbers(value: Value | None) -> Any:
    """Return the numbers in a value, or how they grow with the batch."""
    if value is None:
        return None
    one, other = value
    if one is other:
        return one.tolist()
    if one.ndim != 1 or one.shape != other.shape or one.is_floating_point():
        raise ValueError("a setting depends on the batch size in a way that is not supported")
    growth = other - one
    return GrowingNumbers((one - PROBE_BATCHES[0] * growth).tolist(), growth.tolist())
