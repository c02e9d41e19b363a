"""An MXNet symbol and its parameters -> a PyTorch module, by interpreting the graph."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facepart.errors import FacepartError, one_line
from facepart.networks.graph_network import Function, GraphNetwork, Step
from facepart.networks.mxnet.checkpoint import SymbolNode
from facepart.networks.mxnet.operators import bind_attributes

# The node whose output is the embedding, in the original programs and in insightface; a training head may follow it.
EMBEDDING_NODE = "fc1"
INPUT_NODE = "data"

# Operators that scale and shift values, with one tensor that depends on the photo.
_ARITHMETIC = {
    "_copy",
    "identity",
    "Dropout",
    "_plus_scalar",
    "_minus_scalar",
    "_mul_scalar",
    "_div_scalar",
    "elemwise_add",
    "_plus",
    "_Plus",
    "broadcast_add",
    "elemwise_mul",
    "_mul",
    "broadcast_mul",
    "BatchNorm",
}


class MXNetNetwork(GraphNetwork):
    """A symbol up to its embedding, as a module: float32, evaluation mode, (n, 3, height, width) -> (n, d).

    The embeddings are not normalised.
    """

    def __init__(self, nodes: Sequence[SymbolNode], parameters: Mapping[str, NDArray[Any]]) -> None:
        """Build the module from a symbol's nodes and the arrays of its parameter file.

        Raises:
            FacepartError: the symbol has no node ``fc1`` or no input ``data``, needs an operator or an attribute
                that is not supported, or names a parameter that is missing. The message names no file.
        """
        steps: list[Step] = []
        constants: dict[str, Tensor] = {}
        source = ""
        needed = _ancestors(nodes, EMBEDDING_NODE)
        # Two nodes may have the same name: values are named by the number of the node.
        for index in needed:
            node = nodes[index]
            if node.operator != "null":
                steps.append(Step(_function(node), tuple(map(str, node.inputs)), (str(index),)))
            elif node.name == INPUT_NODE:
                source = str(index)
            elif node.name in parameters:
                # A copy, because a tensor must be able to write to its memory.
                constants[str(index)] = torch.from_numpy(np.array(parameters[node.name], dtype=np.float32))
            else:
                raise FacepartError(f"the parameter {one_line(node.name)} of the symbol is missing")
        if not source:
            raise FacepartError(f"the symbol has no input named {INPUT_NODE}")
        super().__init__(steps, constants, source, str(needed[-1]))


def _ancestors(nodes: Sequence[SymbolNode], name: str) -> list[int]:
    """Return the indices of a node and all it depends on, in the order of the graph."""
    ends = [index for index, node in enumerate(nodes) if node.name == name and node.operator != "null"]
    if not ends:
        raise FacepartError(f"the symbol has no node {name}, whose output is the embedding in a recogniser")
    needed = {ends[-1]}
    for index in range(ends[-1], -1, -1):
        if index in needed:
            needed.update(nodes[index].inputs)
    return sorted(needed)


def _function(node: SymbolNode) -> Function:
    try:
        return bind_attributes(node.operator, node.attributes)
    except ValueError as error:
        named = f"{one_line(node.name)} ({one_line(node.operator)})"
        raise FacepartError(f"the symbol's node {named}: {one_line(error)}") from error


class MXNetArithmetic:
    """The beginning of a symbol; a :class:`facepart.networks.input_range.FirstArithmetic`."""

    def __init__(self, nodes: Sequence[SymbolNode], parameters: Mapping[str, NDArray[Any]]) -> None:
        """Find the beginning of a symbol whose network :class:`MXNetNetwork` runs."""
        values = {
            index: torch.from_numpy(np.array(parameters[node.name], dtype=np.float32))
            for index, node in enumerate(nodes)
            if node.operator == "null" and node.name in parameters
        }
        self._steps: list[tuple[Function, list[Tensor]]] = []
        current = next((index for index, node in enumerate(nodes) if node.name == INPUT_NODE), -1)
        needed = _ancestors(nodes, EMBEDDING_NODE)
        while True:
            users = [index for index in needed if current in nodes[index].inputs]
            if len(users) != 1:
                return
            node = nodes[users[0]]
            others = [values[index] for index in node.inputs[1:] if index in values]
            if (
                node.operator not in _ARITHMETIC
                or node.inputs[:1] != (current,)
                or len(others) < len(node.inputs) - 1
            ):
                return
            self._steps.append((_function(node), others))
            current = users[0]

    def __call__(self, pixel: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """See :class:`facepart.networks.input_range.FirstArithmetic`.

        Raises:
            FacepartError: the parameters do not fit three channels.
        """
        value: Any = torch.from_numpy(np.array(pixel)).reshape(1, 3, 1, 1)
        try:
            with torch.inference_mode():
                for function, constants in self._steps:
                    value = function(value, *constants)
        except RuntimeError as error:
            raise FacepartError(f"the beginning of its symbol cannot be computed: {one_line(error)}") from error
        return [value.numpy()]
