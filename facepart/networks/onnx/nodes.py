"""One node of an ONNX graph: a value that is known at once, or a step that waits for the photos.

Shapes are followed through the graph for batches of two sizes. A number that is the same in both is a constant; one
that is not, such as a length in the shape of a Reshape, grows evenly with the batch, as all lengths do.

In a graph of a fixed batch of 1 there may be a Reshape to fixed numbers. Where the first axis of its input, the
slowest one, grows with the batch, photos follow each other in memory; they do so in its output, too, if the first of
its numbers is multiplied by the batch. That is done, and nothing else: a graph that mixes photos otherwise, or joins
them with something made for one, does not fit together for other batches, or answers otherwise.
"""

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

import onnx
import torch
from torch import Tensor

from facepart.errors import FacepartError
from facepart.networks.graph_network import Function, Step
from facepart.networks.onnx.operators import OPERATORS, SETTINGS

DOMAINS = ("", "ai.onnx")
# The batches, one apart. Not 1, because an axis of length 1 stretches where one that grows would not.
BATCHES = (2, 3)

# What PyTorch, onnx and this package raise where numbers and shapes do not fit together.
MISFITS = (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError)

# A value in either batch. One that depends on the photos is on PyTorch's device `meta`, which keeps shapes alone; one
# that does not depend on the batch is the same tensor twice.
Value = tuple[Tensor, Tensor]


class _Growing(NamedTuple):
    """Numbers that depend on the batch: ``start + batch * growth``."""

    start: list[int]
    growth: list[int]

    def at(self, batch: int) -> list[int]:
        return [start + batch * growth if growth else start for start, growth in zip(*self, strict=True)]


def follow(node: onnx.NodeProto, opset: int, of_one: bool, source: str, values: dict[str, Value]) -> list[Step]:
    """Put a node's outputs among the values.

    Args:
        node: the node.
        opset: the version of ONNX's operators.
        of_one: whether the graph is of a fixed batch of 1.
        source: the name of the photos.
        values: the values of the nodes before this one, by name; its own are added.

    Returns:
        The node's step, if its outputs depend on the photos; else none.

    Raises:
        FacepartError: the node cannot be run. The message names no file.
    """
    try:
        function = _function(node, opset)
        inputs = [_find(name, values) for name in node.input]
        if of_one and node.op_type == "Reshape":
            inputs[1] = _for_any_batch(*inputs)
        settings = SETTINGS.get(node.op_type, ())
        numbers = {place: each for place, each in enumerate(inputs) if each is None or place in settings}
        tensors = {place: each for place, each in enumerate(inputs) if each is not None and place not in settings}
        ones, others = _run(function, numbers, tensors)
        for name, one, other in zip(node.output, ones, others, strict=False):
            values[name] = (one, one) if not one.is_meta and torch.equal(one, other) else (one, other)
        if not ones[0].is_meta:
            return []
        names = tuple(node.input[place] for place in tensors)
        fixed = {place: _numbers(each) for place, each in numbers.items()}
        if any(isinstance(each, _Growing) for each in fixed.values()):
            return [Step(_bind_growing(function, fixed), (source, *names), tuple(node.output))]
        return [Step(_bind(function, fixed), names, tuple(node.output))]
    except MISFITS as error:
        name = node.name or next(iter(node.output), "")
        raise FacepartError(f"its node {name}, a {node.op_type}: {tell(error)}") from error


def tell(error: Exception) -> str:
    """Return an error of another library as part of one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def repeat_in_batch(name: str, one: Tensor, other: Tensor) -> tuple[Tensor, Function]:
    """Make a constant of a value that depends on the batch only by how often it is repeated.

    Returns:
        The value for a batch of 1, and the function that makes it from that for the photos' batch.

    Raises:
        FacepartError: it depends on the batch in another way.
    """
    changing = [axis for axis, sides in enumerate(zip(one.shape, other.shape, strict=False)) if sides == BATCHES]
    if one.ndim == other.ndim and len(changing) == 1:
        (axis,) = changing
        single = one.narrow(axis, 0, 1)
        if all(torch.allclose(each.double(), single.double()) for each in (one, other)):

            def repeat(photos: Tensor, kept: Tensor) -> Tensor:
                return kept.expand(*[photos.shape[0] if each == axis else -1 for each in range(kept.ndim)])

            return single.clone(), repeat
    raise FacepartError(f"its value {name} depends on the batch in a way that is not supported")


def _function(node: onnx.NodeProto, opset: int) -> Function:
    if node.domain not in DOMAINS or node.op_type not in OPERATORS:
        raise ValueError("the operator is not supported")
    build = OPERATORS[node.op_type]
    attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    attributes = {key: value.decode() if isinstance(value, bytes) else value for key, value in attributes.items()}
    known = inspect.signature(build).parameters
    for key in attributes.keys() - known.keys():
        raise ValueError(f"the attribute {key} is not supported")
    more = {"opset": opset, "outputs": len(node.output)}
    return build(**attributes, **{key: value for key, value in more.items() if key in known})


def _find(name: str, values: Mapping[str, Value]) -> Value | None:
    """Return a value; None for an input that is left out, which has no name."""
    if not name:
        return None
    if name not in values:
        raise ValueError(f"takes {name}, which nothing before it gives")
    return values[name]


def _for_any_batch(x: Value | None, shape: Value | None) -> Value | None:
    """Free the shape of a Reshape of a fixed batch of 1, as said above."""
    if x is None or shape is None or shape[0] is not shape[1] or not x[0].ndim or not shape[0].numel():
        return shape
    slowest = [each.shape[0] for each in x]
    first = int(shape[0][0])
    # 0 and -1 stand for a length that grows with the input.
    if slowest[0] * BATCHES[1] != slowest[1] * BATCHES[0] or x[0].shape[1:] != x[1].shape[1:] or first < 1:
        return shape
    one, other = (torch.cat([torch.tensor([first * batch]), shape[0][1:]]) for batch in BATCHES)
    return one, other


def _run(
    function: Function, numbers: Mapping[int, Value | None], tensors: Mapping[int, Value]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Run a node's function in either batch, on shapes alone where it depends on the photos."""
    if any(each is not None and each[0].is_meta for each in numbers.values()):
        raise ValueError("an input that must be known before depends on the photos")
    on_photos = any(each[0].is_meta for each in tensors.values())

    def run(which: int) -> tuple[Tensor, ...]:
        given = {place: None if each is None else each[which].tolist() for place, each in numbers.items()}
        arguments = [each[which].to("meta") if on_photos else each[which] for each in tensors.values()]
        answer = _bind(function, given)(*arguments)
        return (answer,) if isinstance(answer, Tensor) else tuple(answer)

    pairs = [*tensors.values(), *(each for each in numbers.values() if each is not None)]
    first = run(0)
    return first, first if all(one is other for one, other in pairs) else run(1)


def _numbers(value: Value | None) -> Any:
    """Return what a value holds as numbers, or how they grow with the batch."""
    if value is None or value[0] is value[1]:
        return None if value is None else value[0].tolist()
    one, other = value
    if one.ndim != 1 or one.shape != other.shape or one.is_floating_point():
        raise ValueError("what must be known before depends on the batch in a way that is not supported")
    growth = other - one
    return _Growing((one - BATCHES[0] * growth).tolist(), growth.tolist())


def _bind(function: Function, numbers: Mapping[int, Any]) -> Function:
    """Give a function some of its inputs, by their places in ascending order; the others are left."""
    if not numbers:
        return function

    def bound(*tensors: Tensor) -> Tensor | tuple[Tensor, ...]:
        inputs: list[Any] = list(tensors)
        for place, each in numbers.items():
            inputs.insert(place, each)
        return function(*inputs)

    return bound


def _bind_growing(function: Function, numbers: Mapping[int, Any]) -> Function:
    """Do the same where some numbers grow with the batch; the photos become the first input."""

    def bound(photos: Tensor, *tensors: Tensor) -> Tensor | tuple[Tensor, ...]:
        batch = photos.shape[0]
        now = {place: each.at(batch) if isinstance(each, _Growing) else each for place, each in numbers.items()}
        return _bind(function, now)(*tensors)

    return bound
