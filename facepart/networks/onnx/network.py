"""An ONNX file -> a PyTorch module, by interpreting the graph.

Everything that does not depend on the photos is computed when the graph is read. The size of the photos is fixed, so
that constants and all arithmetic on shapes are gone then, and the layers remain. Only the batch size is free:
:mod:`~facepart.networks.onnx.nodes` explains how, also for files with a fixed batch of 1. Each network is tested on
random photos when it is loaded: its answers for a batch must be those for each photo alone.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import onnx
import torch
from torch import Tensor, nn

from facepart.errors import FacepartError, one_line
from facepart.networks.graph_network import GraphNetwork, Step
from facepart.networks.onnx.array_operators import to_tensor
from facepart.networks.onnx.graph import photo_inputs, read_model, reduce_graph
from facepart.networks.onnx.nodes import (
    DOMAINS,
    PROBE_BATCHES,
    SHAPE_ERRORS,
    Value,
    repeat_in_batch,
    trace_node,
)

# Before that, arithmetic had other rules for broadcasting.
_OLDEST = 7
# The allowed difference between answers in a batch and alone, relative to the largest number in them.
_TOLERANCE = 1e-4

_Item = TypeVar("_Item")


def load_onnx(path: Path, height: int, width: int) -> nn.Module:
    """Load an ONNX network for photos of one size, any number of them at once.

    Args:
        path: a graph with one input, float32 (n, 3, height, width); its n may be free or 1, its height and width
            free or equal to `height` and `width`.
        height: rows of the photos.
        width: columns of the photos.

    Returns:
        A module in evaluation mode: float32 (n, 3, height, width) -> the graph's first output, (n, ...).

    Raises:
        FacepartError: the file cannot be read, does not take such photos, has an operator or an attribute that is
            not supported, or its answers for a batch are not those for each photo alone.
    """
    model = read_model(path)
    try:
        reduce_graph(model)
        network = _build(model, height, width)
        _try_batch(network, height, width)
    except FacepartError as error:
        raise FacepartError(f"{path}: {error}") from error
    except SHAPE_ERRORS as error:
        raise FacepartError(f"{path}: does not run on photos of {height}x{width}: {one_line(error)}") from error
    return network


def _build(model: onnx.ModelProto, height: int, width: int) -> GraphNetwork:
    graph = model.graph
    opset = max((each.version for each in model.opset_import if each.domain in DOMAINS), default=0)
    if opset < _OLDEST:
        raise FacepartError(f"uses ONNX operator set {opset}; operator sets from {_OLDEST} on are supported")
    source, batch_of_one = _input(graph, height, width)
    two, three = (torch.empty(batch, 3, height, width, device="meta") for batch in PROBE_BATCHES)
    values: dict[str, Value] = {source: (two, three)}
    for stored in graph.initializer:
        tensor = to_tensor(stored)
        values[stored.name] = tensor, tensor
    result = graph.output[0].name if graph.output else ""
    steps: list[Step] = []
    for node in _needed([(node, node.input, node.output) for node in graph.node], result):
        steps += trace_node(node, opset, batch_of_one, values)
    if result not in values or not values[result][0].is_meta:
        raise FacepartError("its first output does not depend on the photo")
    # The outputs of some steps were only needed for their shapes.
    steps = _needed([(step, step.inputs, step.outputs) for step in steps], result)
    constants: dict[str, Tensor] = {}
    for name in dict.fromkeys(name for step in steps for name in step.inputs):
        one, other = values[name]
        if one is other:
            constants[name] = one
        elif not one.is_meta:
            constants[name], step = repeat_in_batch(name, one, other)
            steps.insert(0, step)
    return GraphNetwork(steps, constants, source, result)


def _input(graph: onnx.GraphProto, height: int, width: int) -> tuple[str, bool]:
    """Return the name of the input, and whether it has a fixed batch of 1."""
    inputs = photo_inputs(graph)
    if len(inputs) != 1:
        raise FacepartError(f"has {len(inputs)} inputs, expected one (a photo)")
    kind = inputs[0].type.tensor_type
    sides = [side.dim_value for side in kind.shape.dim]
    if kind.elem_type != onnx.TensorProto.FLOAT or len(sides) != 4:
        raise FacepartError("its input is not photos as 32-bit floats (n, 3, height, width)")
    # The length of a free side is 0.
    if any(side not in (0, expected) for side, expected in zip(sides[1:], (3, height, width), strict=True)):
        raise FacepartError(f"its input is {sides[1]}x{sides[2]}x{sides[3]}, not photos of 3x{height}x{width}")
    return inputs[0].name, sides[0] == 1


def _needed(items: Sequence[tuple[_Item, Iterable[str], Iterable[str]]], name: str) -> list[_Item]:
    """Return the items that a value depends on, in their order, given each item's inputs and outputs."""
    names, found = {name}, []
    for item, inputs, outputs in reversed(items):
        if not names.isdisjoint(outputs):
            found.append(item)
            names.update(inputs)
    return found[::-1]


def _try_batch(network: GraphNetwork, height: int, width: int) -> None:
    """Refuse a network whose answers for two photos at once are not those for each photo alone."""
    photos = 2 * torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0)) - 1
    with torch.inference_mode():
        together = network(photos)
        alone = torch.cat([network(photo[None]) for photo in photos])
    allowed = _TOLERANCE * float(alone.abs().max())
    if together.shape != alone.shape or not torch.allclose(together, alone, rtol=0, atol=allowed, equal_nan=True):
        raise FacepartError(
            f"its outputs for two photos at once, {tuple(together.shape)}, differ from those for each photo alone, "
            f"{tuple(alone.shape)}; use --device cpu"
        )
