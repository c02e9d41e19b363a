"""A network as a list of steps, as which other frameworks' graphs are run in PyTorch."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor, nn

# From tensors to a tensor, or to several.
Function = Callable[..., Tensor | tuple[Tensor, ...]]


class Step(NamedTuple):
    """One operator of a graph.

    Attributes:
        function: what to call.
        inputs: the names of the values that it takes.
        outputs: the names of the values that it gives; of several, those at the end may be left out.
    """

    function: Function
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class GraphNetwork(nn.Module):
    """Steps, done one after another, as a module in evaluation mode: one input, one output.

    The constants are its parameters, so that ``to``, ``half`` and the like move them. Which steps are done depends on
    no value, so that it can be traced and compiled.
    """

    def __init__(self, steps: Sequence[Step], constants: Mapping[str, Tensor], source: str, result: str) -> None:
        """Build the module.

        Args:
            steps: in an order in which each finds its inputs.
            constants: the values that are there from the start, by name.
            source: the name of the value that is the input.
            result: the name of the value that is the output.
        """
        super().__init__()
        self._source = source
        self._result = result
        self._names = tuple(constants)
        self._constants = nn.ParameterList(nn.Parameter(each, requires_grad=False) for each in constants.values())
        # The last step that has to do with a value lets it go: a deep network's values do not fit in memory together.
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
            given = step.function(*[values[name] for name in step.inputs])
            values.update(zip(step.outputs, (given,) if isinstance(given, Tensor) else given, strict=False))
            for name in finished:
                del values[name]
        return values[self._result]
