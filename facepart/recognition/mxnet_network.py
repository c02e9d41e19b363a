"""An MXNet symbol and its parameters -> a PyTorch module, by interpreting the graph."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facepart.errors import FacepartError
from facepart.recognition.mxnet_format import Node
from facepart.recognition.mxnet_operators import OPERATORS, Function

# The node that the original programs, and insightface's, take the embedding from; a training head may follow it.
EMBEDDING_NODE = "fc1"
INPUT_NODE = "data"

# Values of 0..255 are brought to about -1..1 by a factor near 1/128, values of 0..1 by one above 1.
_RAW_SLOPE = 0.1


class _Step(NamedTuple):
    """One node of the graph: what to call, on which values, and which of them nobody needs afterwards."""

    node: int
    function: Function
    inputs: tuple[int, ...]
    finished: tuple[int, ...]


class MXNetNetwork(nn.Module):
    """A symbol up to its embedding, as a module: float32, evaluation mode, (n, 3, height, width) -> (n, d)."""

    def __init__(self, nodes: Sequence[Node], parameters: Mapping[str, NDArray[Any]]) -> None:
        """Build the module from a symbol's nodes and the arrays of its parameter file.

        Raises:
            FacepartError: the symbol has no node ``fc1`` or no input ``data``, needs an operator or a setting that
                is not supported, or names a parameter that is missing. The message names no file.
        """
        super().__init__()
        needed = _ancestors(nodes, EMBEDDING_NODE)
        # The last step that takes a value lets it go: a deep network's values do not fit in memory together.
        last_use = {source: index for index in needed for source in nodes[index].inputs}
        self._output = needed[-1]
        self._steps: list[_Step] = []
        self._parameter_nodes: list[int] = []
        self._input = -1
        tensors: list[nn.Parameter] = []
        for index in needed:
            node = nodes[index]
            if node.operator != "null":
                finished = tuple(source for source in set(node.inputs) if last_use[source] == index)
                self._steps.append(_Step(index, _function(node), node.inputs, finished))
            elif node.name == INPUT_NODE:
                self._input = index
            elif node.name in parameters:
                # A copy, because a tensor must be able to write to its memory.
                values = torch.from_numpy(np.array(parameters[node.name], dtype=np.float32))
                self._parameter_nodes.append(index)
                tensors.append(nn.Parameter(values, requires_grad=False))
            else:
                raise FacepartError(f"the parameters lack {node.name}, which the symbol needs")
        if self._input < 0:
            raise FacepartError(f"the symbol has no input named {INPUT_NODE}")
        self._tensors = nn.ParameterList(tensors)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Compute the embeddings, not normalised: (n, 3, height, width) -> (n, d)."""
        values: dict[int, Tensor] = dict(zip(self._parameter_nodes, self._tensors, strict=True))
        values[self._input] = x
        for step in self._steps:
            values[step.node] = step.function(*[values[source] for source in step.inputs])
            for source in step.finished:
                del values[source]
        return values[self._output]


def _ancestors(nodes: Sequence[Node], name: str) -> list[int]:
    """Return the indices of a node and all it depends on, in the order of the graph."""
    ends = [index for index, node in enumerate(nodes) if node.name == name and node.operator != "null"]
    if not ends:
        raise FacepartError(f"the symbol has no node {name}, where a recogniser gives its embedding")
    needed = {ends[-1]}
    for index in range(ends[-1], -1, -1):
        if index in needed:
            needed.update(nodes[index].inputs)
    return sorted(needed)


def _function(node: Node) -> Function:
    if node.operator not in OPERATORS:
        raise FacepartError(f"the symbol's node {node.name} is a {node.operator}, an operator that is not supported")
    try:
        return OPERATORS[node.operator](node.attributes)
    except (ValueError, KeyError) as error:
        raise FacepartError(f"the symbol's node {node.name} ({node.operator}): {error}") from error


def normalises_itself(nodes: Sequence[Node]) -> bool:
    """Tell whether a symbol takes raw values of 0..255: it begins with a BatchNorm or with arithmetic that shrinks.

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
