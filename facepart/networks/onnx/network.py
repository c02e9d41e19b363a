"""An ONNX file -> a PyTorch module, by interpreting the graph.

What does not depend on the photos is done when the graph is read. Their size is given, so that constants and all
arithmetic on shapes are gone then, and the layers remain. Only the batch is free:
:mod:`~facepart.networks.onnx.nodes` says how, also where the file is of a fixed batch of 1. Whether photos in a batch
are treated like photos alone is tried on random ones before a network is given out.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import onnx
import torch
from torch import Tensor, nn

from facepart.errors import FacepartError
from facepart.networks.graph_network import GraphNetwork, Step
from facepart.networks.onnx.array_operators import to_tensor
from facepart.networks.onnx.nodes import BATCHES, DOMAINS, MISFITS, Value, follow, repeat_in_batch, tell

# Before that, arithmetic stretched arrays by other rules.
_OLDEST = 7
# By how much answers in a batch and alone may differ, in parts of the largest number in them.
_TOLERANCE = 1e-4

_Item = TypeVar("_Item")


def load_onnx(path: Path, height: int, width: int) -> nn.Module:
    """Load an ONNX network for photos of one size, any number of them at once.

    Args:
        path: a graph with one input, float32 (n, 3, height, width); its n may be free or 1, its height and width
            free or those asked for.
        height: rows of the photos.
        width: columns of the photos.

    Returns:
        A module in evaluation mode: float32 (n, 3, height, width) -> the graph's first output, (n, ...).

    Raises:
        FacepartError: the file cannot be read, does not take such photos, has an operator or an attribute that is
            not supported, or does not treat photos in a batch as it treats them alone.
    """
    model = _read(path)
    try:
        network = _build(model, height, width)
        _try_batch(network, height, width)
    except FacepartError as error:
        raise FacepartError(f"{path}: {error}") from error
    except MISFITS as error:
        raise FacepartError(f"{path}: does not run on photos of {height}x{width}: {tell(error)}") from error
    return network


def _read(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path)
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:
        # Protobuf's own errors have no common base that can be imported without it.
        raise FacepartError(f"{path}: is not a whole ONNX file ({tell(error)})") from error


def _build(model: onnx.ModelProto, height: int, width: int) -> GraphNetwork:
    graph = model.graph
    opset = max((each.version for each in model.opset_import if each.domain in DOMAINS), default=0)
    if opset < _OLDEST:
        raise FacepartError(f"is of ONNX operator set {opset}, supported are those from {_OLDEST} on")
    source, of_one = _input(graph, height, width)
    two, three = (torch.empty(batch, 3, height, width, device="meta") for batch in BATCHES)
    values: dict[str, Value] = {source: (two, three)}
    for stored in graph.initializer:
        tensor = to_tensor(stored)
        values[stored.name] = tensor, tensor
    result = graph.output[0].name if graph.output else ""
    steps: list[Step] = []
    for node in _needed([(node, node.input, node.output) for node in graph.node], result):
        steps += follow(node, opset, of_one, source, values)
    if result not in values or not values[result][0].is_meta:
        raise FacepartError("gives the same whatever the photo, as far as its first output goes")
    # Some steps have only served to tell the shape of what they give.
    steps = _needed([(step, step.inputs, step.outputs) for step in steps], result)
    constants: dict[str, Tensor] = {}
    for name in dict.fromkeys(name for step in steps for name in step.inputs):
        one, other = values[name]
        if one is other:
            constants[name] = one
        elif not one.is_meta:
            constants[name], function = repeat_in_batch(name, one, other)
            steps.insert(0, Step(function, (source, name), (name,)))
    return GraphNetwork(steps, constants, source, result)


def _input(graph: onnx.GraphProto, height: int, width: int) -> tuple[str, bool]:
    """Return the name of the input, and whether it is of a fixed batch of 1."""
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in stored]
    if len(inputs) != 1:
        raise FacepartError(f"takes {len(inputs)} inputs, not one, a photo")
    kind = inputs[0].type.tensor_type
    sides = [side.dim_value for side in kind.shape.dim]
    if kind.elem_type != onnx.TensorProto.FLOAT or len(sides) != 4:
        raise FacepartError("does not take photos as 32-bit floats (n, 3, height, width)")
    # A side that is free has the value 0.
    if any(side not in (0, wanted) for side, wanted in zip(sides[1:], (3, height, width), strict=True)):
        raise FacepartError(f"takes {sides[1]}x{sides[2]}x{sides[3]}, not photos of 3x{height}x{width}")
    return inputs[0].name, sides[0] == 1


def _needed(items: Sequence[tuple[_Item, Iterable[str], Iterable[str]]], name: str) -> list[_Item]:
    """Of items with their inputs and outputs, return those that a value depends on, in their order."""
    wanted, found = {name}, []
    for item, inputs, outputs in reversed(items):
        if not wanted.isdisjoint(outputs):
            found.append(item)
            wanted.update(inputs)
    return found[::-1]


def _try_batch(network: GraphNetwork, height: int, width: int) -> None:
    """Refuse a network that treats two photos at once other than one after the other."""
    photos = 2 * torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0)) - 1
    with torch.inference_mode():
        together = network(photos)
        alone = torch.cat([network(photo[None]) for photo in photos])
    allowed = _TOLERANCE * float(alone.abs().max())
    if together.shape != alone.shape or not torch.allclose(together, alone, rtol=0, atol=allowed, equal_nan=True):
        raise FacepartError(
            f"answers otherwise for two photos at once, {tuple(together.shape)}, than for each alone, "
            f"{tuple(alone.shape)}; use --device cpu"
        )
