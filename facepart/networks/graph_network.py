"""A PyTorch module that runs a list of steps: how the graphs of other frameworks are run."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor, nn

# From tensors to one tensor or several.
Function = Callable[..., Tensor | tuple[Tensor, ...]]


class GrowingNumbers(NamedTuple):
    """Numbers that depend on the batch size: ``start + batch * growth``."""

    start: list[int]
    growth: list[int]

    def at(self, batch: int) -> list[int]:
        """Return the numbers for a batch of this size."""
        return [start + batch * growth if growth else start for start, growth in zip(*self, strict=True)]


class Step(NamedTuple):
    """One operator of a graph.

    Attributes:
        function: what to call, with the node's attributes bound by :func:`functools.partial`.
        inputs: the names of the values that it takes.
        outputs: the names of the values that it returns; trailing ones may be omitted.
        growing: keyword arguments that depend on the batch size.
    """

    function: Function
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    growing: Mapping[str, GrowingNumbers] = {}


class GraphNetwork(nn.Module):
    """Steps, run one after another, as a module in evaluation mode: one input, one output.

    The constants are its parameters, so that ``to``, ``half`` and the like move them. The sequence of steps does not
    depend on any value, so the module can be traced and compiled.
    """

    def __init__(self, steps: Sequence[Step], constants: Mapping[str, Tensor], source: str, result: str) -> None:
        """Build the module.

        Args:
            steps: in an order in which the inputs of each are computed before it.
            constants: the values that exist from the start, by name.
            source: the name of the value that is the input.
            result: the name of the value that is the output.
        """
        super().__init__()
        self._source = source
        self._result = result
        self._names = tuple(constants)
        self._constants = nn.ParameterList(nn.Parameter(each, requires_grad=False) for each in constants.values())
        # A value is dropped after the last step that uses it: all values of a deep network do not fit in memory.
        last = {name: index for index, step in enumerate(steps) for name in (*step.inputs, *step.outputs)}
        last.pop(result, None)
        finished: list[list[str]] = [[] for _ in steps]
        for name, index in last.items():
            finished[index].append(name)
        self._steps = [(step, tuple(names)) for step, names in zip(steps, finished, strict=True)]
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Run the network on (n, 3, height, width)."""
        values: dict[str, Tensor] = dict(zip(self._names, self._constants, strict=True))
        values[self._source] = x
        for step, finished in self._steps:
            numbers = {name: each.at(x.shape[0]) for name, each in step.growing.items()}
            output = step.function(*[values[name] for name in step.inputs], **numbers)
            values.update(zip(step.outputs, (output,) if isinstance(output, Tensor) else output, strict=False))
            for name in finished:
                del values[name]
        return values[self._result]
