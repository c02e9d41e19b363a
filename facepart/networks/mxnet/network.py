"""An MXNet symbol and its parameters -> a PyTorch module, by interpreting the graph."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facepart.errors import FacepartError
from facepart.networks.graph_network import Function, GraphNetwork, Step
from facepart.networks.mxnet.checkpoint import SymbolNode
from facepart.networks.mxnet.operators import bind_attributes

# The node whose output is the embedding, in the original programs and in insightface; a training head may follow it.
EMBEDDING_NODE = "fc1"
INPUT_NODE = "data"

# A factor near 1/128 brings values of 0..255 to about -1..1; for values of 0..1 the factor is above 1.
_RAW_SLOPE = 0.1


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
                raise FacepartError(f"the parameter {node.name} of the symbol is missing")
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
        raise FacepartError(f"the symbol's node {node.name} ({node.operator}): {error}") from error


def normalises_itself(nodes: Sequence[SymbolNode]) -> bool:
    """Return whether a symbol takes raw values of 0..255: it begins with a BatchNorm or scales its input down.

    insightface's symbols begin with ``_minus_scalar`` 127.5 and ``_mul_scalar`` 0.0078125.
    """
    current = next((index for index, node in enumerate(nodes) if node.name == INPUT_NODE), -1)
    slope = 1.0
    for index, node in enumerate(nodes):
        if node.inputs[:1] != (current,):
            continue
        if node.operator == "_mul_scalar":
            slope *= abs(float(node.attributes["scalar"]))
        elif node.operator == "_div_scalar":
            slope /= abs(float(node.attributes["scalar"])) or 1.0
        elif node.operator not in ("_copy", "identity", "_minus_scalar", "_plus_scalar"):
            return node.operator == "BatchNorm" or slope < _RAW_SLOPE
        current = index
    return slope < _RAW_SLOPE
