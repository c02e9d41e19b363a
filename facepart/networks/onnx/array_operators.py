"""ONNX operators on the values and the layout of arrays, in PyTorch.

The functions are rows of the table in :mod:`facepart.networks.onnx.operators`, which says how inputs and attributes
become arguments.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper
from torch import Tensor
from torch.nn import functional

# The types that Cast can produce. All floats are 32 bits wide here.
_INTEGERS: dict[int, torch.dtype] = {
    TensorProto.BOOL: torch.bool,
    TensorProto.INT8: torch.int8,
    TensorProto.INT16: torch.int16,
    TensorProto.INT32: torch.int32,
    TensorProto.INT64: torch.int64,
    TensorProto.UINT8: torch.uint8,
    TensorProto.UINT16: torch.uint16,
    TensorProto.UINT32: torch.uint32,
    TensorProto.UINT64: torch.uint64,
}
_FLOATS: set[int] = {
    number for name, number in TensorProto.DataType.items() if name.startswith(("FLOAT", "DOUBLE", "BFLOAT"))
}

# ONNX's modes of Pad -> PyTorch's.
_PAD_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}


def to_tensor(stored: onnx.TensorProto) -> Tensor:
    """Read a tensor of an ONNX file; floats of any width become 32 bits wide."""
    values = numpy_helper.to_array(stored)
    # A copy, because a tensor must be able to write to its memory. Everything but integers and booleans is a float,
    # including types that NumPy itself does not know.
    return torch.from_numpy(np.array(values, dtype=values.dtype if values.dtype.kind in "iub" else np.float32))


def require(name: str, value: Any, *supported: Any) -> None:
    """Refuse an attribute whose value is not among `supported`.

    Raises:
        ValueError: it is not.
    """
    if value not in supported:
        raise ValueError(f"{name} {value} is not supported")


def constant(
    *,
    value: Tensor | None = None,
    value_float: float | None = None,
    value_floats: list[float] | None = None,
    value_int: int | None = None,
    value_ints: list[int] | None = None,
) -> Tensor:
    """Constant."""
    if value is not None:
        return value
    given = [each for each in (value_float, value_floats, value_int, value_ints) if each is not None]
    if not given:
        raise ValueError("it has no value")
    return torch.tensor(given[0])


def constant_of_shape(*, shape: list[int], value: Tensor | None = None) -> Tensor:
    """ConstantOfShape."""
    return (torch.zeros(()) if value is None else value.reshape(())).repeat(shape)


def shape_of(x: Tensor, *, start: int = 0, end: int | None = None) -> Tensor:
    """Shape: a tensor on the CPU, whatever the device of the array."""
    return torch.tensor(x.shape[start:end])


def number_range(*, start: float, limit: float, delta: float) -> Tensor:
    """Range."""
    return torch.arange(start, limit, delta)


def cast(x: Tensor, *, to: int, saturate: int = 1) -> Tensor:
    """Cast. `saturate` concerns 8-bit floats only, and is ignored."""
    if to in _INTEGERS:
        return x.to(_INTEGERS[to])
    if to not in _FLOATS:
        raise ValueError(f"to {to} is not supported")
    return x if x.is_floating_point() else x.to(torch.float32)


def reduce_l2(
    x: Tensor, *, axes: list[int] | None = None, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """ReduceL2."""
    return torch.linalg.vector_norm(x, dim=_reduced(x, axes, noop_with_empty_axes), keepdim=bool(keepdims))


def reduce_max(
    x: Tensor, *, axes: list[int] | None = None, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """ReduceMax."""
    return torch.amax(x, dim=_reduced(x, axes, noop_with_empty_axes), keepdim=bool(keepdims))


def reduce_mean(
    x: Tensor, *, axes: list[int] | None = None, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """ReduceMean."""
    return torch.mean(x, dim=_reduced(x, axes, noop_with_empty_axes), keepdim=bool(keepdims))


def reduce_min(
    x: Tensor, *, axes: list[int] | None = None, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """ReduceMin."""
    return torch.amin(x, dim=_reduced(x, axes, noop_with_empty_axes), keepdim=bool(keepdims))


def reduce_sum(
    x: Tensor, *, axes: list[int] | None = None, keepdims: int = 1, noop_with_empty_axes: int = 0
) -> Tensor:
    """ReduceSum."""
    return torch.sum(x, dim=_reduced(x, axes, noop_with_empty_axes), keepdim=bool(keepdims))


def cumulative_sum(x: Tensor, *, axis: int | list[int], exclusive: int = 0, reverse: int = 0) -> Tensor:
    """CumSum."""
    require("exclusive", exclusive, 0)
    require("reverse", reverse, 0)
    return torch.cumsum(x, axis if isinstance(axis, int) else axis[0])


def reshape(x: Tensor, *, shape: Sequence[int], allowzero: int = 0) -> Tensor:
    """Reshape; unless `allowzero`, a length of 0 keeps the length of that axis."""
    if not allowzero:
        shape = [x.shape[axis] if side == 0 else side for axis, side in enumerate(shape)]
    return x.reshape(shape)


def flatten(x: Tensor, *, axis: int = 1) -> Tensor:
    """Flatten, to two axes."""
    return x.reshape(math.prod(x.shape[:axis]), -1)


def squeeze(x: Tensor, *, axes: list[int] | None = None) -> Tensor:
    """Squeeze."""
    return x.squeeze() if axes is None else x.squeeze(tuple(axes))


def unsqueeze(x: Tensor, *, axes: list[int] | None = None) -> Tensor:
    """Unsqueeze; the axes are those of the result."""
    axes = axes or []
    for axis in sorted(axis % (x.ndim + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x


def transpose(x: Tensor, *, perm: list[int] | None = None) -> Tensor:
    """Transpose."""
    return x.permute(perm or tuple(reversed(range(x.ndim))))


def expand(x: Tensor, *, shape: Sequence[int]) -> Tensor:
    """Expand: unlike in PyTorch, a length of 1 keeps the length of that axis, and `shape` may have fewer axes."""
    new = len(shape) - x.ndim
    sides = [-1 if side == 1 and axis >= new else side for axis, side in enumerate(shape)]
    return x.expand([-1] * max(-new, 0) + sides)


def tile(x: Tensor, *, repeats: list[int]) -> Tensor:
    """Tile."""
    return x.repeat(repeats)


def split_array(
    x: Tensor, *, outputs: int, axis: int = 0, num_outputs: int | None = None, split: list[int] | None = None
) -> tuple[Tensor, ...]:
    """Split into parts of the given lengths; without `split`, of equal lengths (the last may be shorter)."""
    require("num_outputs", num_outputs, None, outputs)
    return torch.split(x, -(-int(x.shape[axis]) // outputs) if split is None else list(split), axis)


def slice_axes(
    x: Tensor,
    *,
    starts: list[int] | None = None,
    ends: list[int] | None = None,
    axes: list[int] | None = None,
    steps: list[int] | None = None,
) -> Tensor:
    """Slice."""
    starts, ends = starts or [], ends or []
    along, steps = axes or range(len(starts)), steps or [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, along, steps, strict=True):
        rows = slice(start, end, step)
        if step < 0:
            # PyTorch takes positive steps only: the same rows, out of the flipped array.
            last = int(x.shape[axis]) - 1
            chosen = range(last + 1)[rows]
            rows = slice(last - chosen[0], last - chosen[-1] + 1, -step) if chosen else slice(0, 0)
            x = x.flip(axis)
        x = x[(slice(None),) * (axis % x.ndim) + (rows,)]
    return x


def gather(x: Tensor, indices: Tensor, *, axis: int = 0) -> Tensor:
    """Gather; negative indices count from the end."""
    found = x.index_select(axis, indices.flatten() % x.shape[axis])
    return found.reshape((*x.shape[:axis], *indices.shape, *x.shape[axis % x.ndim + 1 :]))


def pad(
    x: Tensor,
    *,
    mode: str = "constant",
    pads: list[int] | None = None,
    value: float | None = None,
    axes: list[int] | None = None,
) -> Tensor:
    """Pad."""
    require("mode", mode, *_PAD_MODES)
    counts, around = pads or [], [(0, 0)] * x.ndim
    half = len(counts) // 2
    for axis, before, after in zip(axes or range(x.ndim), counts[:half], counts[half:], strict=True):
        around[axis] = (before, after)
    # PyTorch begins at the last axis, and outside mode "constant" accepts only as many axes as it must pad.
    while around and around[0] == (0, 0):
        around.pop(0)
    sides = [count for pair in reversed(around) for count in pair]
    return functional.pad(x, sides, _PAD_MODES[mode], (value or 0.0) if mode == "constant" else None)


def concatenate(*inputs: Tensor, axis: int) -> Tensor:
    """Concat."""
    return torch.cat(inputs, axis)


def _reduced(x: Tensor, axes: list[int] | None, noop_with_empty_axes: int) -> tuple[int, ...]:
    """Return the axes that a reduction removes: all of them unless some are named."""
    require("noop_with_empty_axes", noop_with_empty_axes, 0)
    return tuple(axes or range(x.ndim))
