"""A PyTorch module that runs a list of steps: how the graphs of other frameworks are run."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

# From tensors to one tensor or several.
Function = Callable[..., Tensor | tuple[Tensor, ...]]

# Functions whose constants stay in float32 in a network of 16 bits.
_WITH_STATISTICS: set[Function] = set()


def with_statistics(function: Function) -> Function:
    """Mark a function whose tensors after the first are statistics, such as those of a BatchNorm."""
    _WITH_STATISTICS.add(function)
    return function


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
        # The last step with constants, and the constants that no step before it takes.
        self._last = max(
            (at for at, step in enumerate(steps) if not constants.keys().isdisjoint(step.inputs)), default=0
        )
        before = {name for step in steps[: self._last] for name in step.inputs}
        self._names = sorted(constants, key=before.__contains__, reverse=True)
        count = len(before.intersection(constants))
        parameters = [nn.Parameter(constants[name], requires_grad=False) for name in self._names]
        self._constants = nn.ParameterList(parameters[:count])
        self._last_constants = nn.ParameterList(parameters[count:])
        # Constants that are statistics, and nothing else.
        takers = [(name, _has_statistics(step) and name != step.inputs[0]) for step in steps for name in step.inputs]
        others = {name for name, as_statistic in takers if not as_statistic}
        self._exact = [each for name, each in zip(self._names, parameters, strict=True) if name not in others]
        # A value is dropped after the last step that uses it: all values of a deep network do not fit in memory.
        last = {name: index for index, step in enumerate(steps) for name in (*step.inputs, *step.outputs)}
        last.pop(result, None)
        finished: list[list[str]] = [[] for _ in steps]
        for name, index in last.items():
            finished[index].append(name)
        self._steps = [(step, tuple(names)) for step, names in zip(steps, finished, strict=True)]
        self.eval()

    @property
    def exact(self) -> Sequence[nn.Parameter]:
        """The constants that stay in float32 when the others are rounded to 16 bits."""
        return self._exact

    @property
    def scorer(self) -> nn.Module:
        """The constants of the last step that has any; see :class:`facepart.networks.engine.ClassNetwork`."""
        return self._last_constants

    def forward(self, x: Tensor) -> Tensor:
        """Run the network on (n, 3, height, width)."""
        constants = [*self._constants, *self._last_constants]
        values: dict[str, Tensor] = dict(zip(self._names, constants, strict=True))
        values[self._source] = x
        precision = x.dtype
        for number, (step, finished) in enumerate(self._steps):
            if number == self._last and (last := self._precision_of_last()) not in (None, precision):
                precision = last
                values = {name: _in_precision(each, precision) for name, each in values.items()}
            numbers = {name: each.at(x.shape[0]) for name, each in step.growing.items()}
            output = step.function(*[values[name] for name in step.inputs], **numbers)
            outputs = (output,) if isinstance(output, Tensor) else output
            # A cast from whole numbers, for one, makes 32 bits, whatever the precision of the network.
            found = [_in_precision(each, precision) for each in outputs]
            values.update(zip(step.outputs, found, strict=False))
            for name in finished:
                del values[name]
        return values[self._result]

    def _precision_of_last(self) -> torch.dtype | None:
        """Return the precision of the last constants; None if they have several, or none."""
        wanted = {each.dtype for each in self._last_constants if each.is_floating_point()}
        return wanted.pop() if len(wanted) == 1 else None


def _in_precision(value: Tensor, precision: torch.dtype) -> Tensor:
    """Convert floats to a precision; whole numbers and booleans stay as they are."""
    return value.to(precision) if value.is_floating_point() else value


def _has_statistics(step: Step) -> bool:
    return getattr(step.function, "func", step.function) in _WITH_STATISTICS
