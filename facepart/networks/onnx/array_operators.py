"""ONNX's operators on what arrays hold and how they lie, in PyTorch.

As in :mod:`facepart.networks.onnx.operators`, whose table these are part of, each takes a node's attributes by the
names and with the defaults of the ONNX operator specification, and returns the function of the inputs. What is an
attribute in older versions of an operator (the axes of a Squeeze) and an input in newer ones is an argument of both.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor
from torch.nn import functional

from facepart.networks.graph_network import Function

Numbers = Sequence[int] | None


def to_tensor(stored: onnx.TensorProto) -> Tensor:
    """Read a tensor of an ONNX file; floats of any width become 32 bits wide."""
    values = numpy_helper.to_array(stored)
    # A copy, because a tensor must be able to write to its memory. What is neither whole numbers nor truth values is
    # floats, among them kinds that NumPy itself does not know.
    return torch.from_numpy(np.array(values, dtype=values.dtype if values.dtype.kind in "iub" else np.float32))


def require(name: str, value: Any, *supported: Any) -> None:
    """Refuse an attribute's value that is none of `supported`.

    Raises:
        ValueError: it is not.
    """
    if value not in supported:
        raise ValueError(f"{name} {value} is not supported")


def constant(
    value: onnx.TensorProto | None = None,
    value_float: float | None = None,
    value_floats: list[float] | None = None,
    value_int: int | None = None,
    value_ints: list[int] | None = None,
) -> Function:
    """Constant."""
    plain = [each for each in (value_float, value_floats, value_int, value_ints) if each is not None]
    if value is None and not plain:
        raise ValueError("there is no value")
    tensor = torch.tensor(plain[0]) if value is None else to_tensor(value)
    return lambda: tensor


def constant_of_shape(value: onnx.TensorProto | None = None) -> Function:
    """ConstantOfShape."""
    filling = torch.zeros(()) if value is None else to_tensor(value).reshape(())
    return lambda shape: filling.repeat(shape)


def shape_of(start: int = 0, end: int | None = None) -> Function:
    """Shape: numbers on the CPU, wherever the array is."""
    return lambda x: torch.tensor(x.shape[start:end])


def cast(to: int, saturate: int = 1) -> Function:
    """Cast; `saturate` is of floats of 8 bits."""
    kind = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(to))
    if kind.kind in "iub":
        wanted = torch.from_numpy(np.empty(0, kind)).dtype
        return lambda x: x.to(wanted)
    # All floats are of one width here.
    return lambda x: x if x.is_floating_point() else x.to(torch.float32)


def reduction(function: Callable[..., Tensor]) -> Callable[..., Function]:
    """Make ReduceMean and its like from PyTorch's function of (x, dim, keepdim)."""

    def build(axes: list[int] | None = None, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Function:
        require("noop_with_empty_axes", noop_with_empty_axes, 0)

        def apply(x: Tensor, along: Numbers = axes) -> Tensor:
            return function(x, dim=tuple(along or range(x.ndim)), keepdim=bool(keepdims))

        return apply

    return build


def cumulative_sum(exclusive: int = 0, reverse: int = 0) -> Function:
    """CumSum."""
    require("exclusive", exclusive, 0)
    require("reverse", reverse, 0)
    return lambda x, axis: torch.cumsum(x, axis if isinstance(axis, int) else axis[0])


def reshape(allowzero: int = 0) -> Function:
    """Reshape; unless `allowzero`, 0 is the length that there is."""

    def apply(x: Tensor, shape: Sequence[int]) -> Tensor:
        if not allowzero:
            shape = [x.shape[axis] if side == 0 else side for axis, side in enumerate(shape)]
        return x.reshape(shape)

    return apply


def flatten(axis: int = 1) -> Function:
    """Flatten, to two axes."""
    return lambda x: x.reshape(math.prod(x.shape[:axis]), -1)


def squeeze(axes: list[int] | None = None) -> Function:
    """Squeeze."""
    return lambda x, along=axes: x.squeeze() if along is None else x.squeeze(tuple(along))


def unsqueeze(axes: list[int] | None = None) -> Function:
    """Unsqueeze; the axes are those of the result."""

    def apply(x: Tensor, along: Numbers = axes) -> Tensor:
        along = along or ()
        for axis in sorted(axis % (x.ndim + len(along)) for axis in along):
            x = x.unsqueeze(axis)
        return x

    return apply


def transpose(perm: list[int] | None = None) -> Function:
    """Transpose."""
    return lambda x: x.permute(perm or tuple(reversed(range(x.ndim))))


def expand(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Expand: unlike in PyTorch, a length of 1 is any that there is, and `shape` may have fewer axes than `x`."""
    new = len(shape) - x.ndim
    sides = [-1 if side == 1 and axis >= new else side for axis, side in enumerate(shape)]
    return x.expand([-1] * max(-new, 0) + sides)


def split(outputs: int, axis: int = 0, num_outputs: int | None = None, split: list[int] | None = None) -> Function:
    """Split: into parts of given lengths, else of one length, of which the last may fall short."""
    require("num_outputs", num_outputs, None, outputs)

    def apply(x: Tensor, lengths: Numbers = split) -> tuple[Tensor, ...]:
        return torch.split(x, -(-int(x.shape[axis]) // outputs) if lengths is None else list(lengths), axis)

    return apply


def cut(starts: list[int] | None = None, ends: list[int] | None = None, axes: list[int] | None = None) -> Function:
    """Slice."""

    def apply(
        x: Tensor, begins: Numbers = starts, stops: Numbers = ends, along: Numbers = axes, steps: Numbers = None
    ) -> Tensor:
        begins, stops = begins or (), stops or ()
        along, steps = along or range(len(begins)), steps or [1] * len(begins)
        for begin, stop, axis, step in zip(begins, stops, along, steps, strict=True):
            rows = slice(begin, stop, step)
            if step < 0:
                # PyTorch only goes forwards: the same rows, of the array turned round.
                last = int(x.shape[axis]) - 1
                wanted = range(last + 1)[rows]
                rows = slice(last - wanted[0], last - wanted[-1] + 1, -step) if wanted else slice(0, 0)
                x = x.flip(axis)
            x = x[(slice(None),) * (axis % x.ndim) + (rows,)]
        return x

    return apply


def gather(axis: int = 0) -> Function:
    """Gather; negative indices count from the end."""

    def apply(x: Tensor, indices: Tensor) -> Tensor:
        found = x.index_select(axis, indices.flatten() % x.shape[axis])
        return found.reshape((*x.shape[:axis], *indices.shape, *x.shape[axis % x.ndim + 1 :]))

    return apply


def pad(mode: str = "constant", pads: list[int] | None = None, value: float = 0.0) -> Function:
    """Pad."""
    modes = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}
    require("mode", mode, *modes)

    def apply(x: Tensor, counts: Numbers = pads, filling: float | None = value, axes: Numbers = None) -> Tensor:
        counts, around = counts or (), [(0, 0)] * x.ndim
        half = len(counts) // 2
        for axis, before, after in zip(axes or range(x.ndim), counts[:half], counts[half:], strict=True):
            around[axis] = (before, after)
        # PyTorch begins at the last axis, and where it does not fill with a number takes no axis without need.
        while around and around[0] == (0, 0):
            around.pop(0)
        sides = [count for pair in reversed(around) for count in pair]
        return functional.pad(x, sides, modes[mode], (filling or 0.0) if mode == "constant" else None)

    return apply


def concatenate(axis: int) -> Function:
    """Concat."""
    return lambda *inputs: torch.cat(inputs, axis)
