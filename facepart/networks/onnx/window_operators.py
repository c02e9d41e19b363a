"""ONNX convolution and pooling in PyTorch, with any padding.

The functions are rows of the table in :mod:`facepart.networks.onnx.operators`, which says how inputs and attributes
become arguments. Images are (n, c, h, w): windows over one or three dimensions are refused.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from facepart.networks.onnx.array_operators import require

Sides = tuple[int, int, int, int]  # top, left, bottom, right: the order of ONNX's pads


def convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: list[int] | None = None,
    group: int = 1,
    kernel_shape: list[int] | None = None,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    """Conv. `kernel_shape` repeats the shape of the weights, and is ignored."""
    stride, dilation = _pair("strides", strides), _pair("dilations", dilations)
    top, left, bottom, right = _padding(x, auto_pad, pads, weight.shape[2:], stride, dilation)
    if (top, left) != (bottom, right):
        x, top, left = functional.pad(x, (left, right, top, bottom)), 0, 0
    return functional.conv2d(x, weight, bias, stride, (top, left), dilation, group)


def max_pool(
    x: Tensor,
    *,
    kernel_shape: list[int],
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: list[int] | None = None,
    pads: list[int] | None = None,
    storage_order: int = 0,
    strides: list[int] | None = None,
) -> Tensor:
    """MaxPool. `storage_order` concerns the indices, which are not computed."""
    windows = _windows(x, kernel_shape, strides, dilations, pads, auto_pad, ceil_mode)
    kernel, stride, dilation, (top, left, bottom, right), beyond = windows
    # PyTorch pads opposite sides equally, by at most half the kernel.
    if (top, left) != (bottom, right) or any(beyond) or 2 * top > kernel[0] or 2 * left > kernel[1]:
        x = functional.pad(x, (left, right + beyond[1], top, bottom + beyond[0]), value=-torch.inf)
        top, left = 0, 0
    return functional.max_pool2d(x, kernel, stride, (top, left), dilation)


def average_pool(
    x: Tensor,
    *,
    kernel_shape: list[int],
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    dilations: list[int] | None = None,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    """AveragePool. The part of a window beyond the padded image, which `ceil_mode` allows, never counts."""
    windows = _windows(x, kernel_shape, strides, dilations, pads, auto_pad, ceil_mode)
    kernel, stride, dilation, (top, left, bottom, right), beyond = windows
    require("dilations", dilation, (1, 1))
    if not any(windows.padding) and not any(beyond):
        return functional.avg_pool2d(x, kernel, stride)
    outer = (left, right + beyond[1], top, bottom + beyond[0])
    counted = x.new_ones(1, 1, *x.shape[2:])
    if count_include_pad:
        counted = functional.pad(counted, (left, right, top, bottom), value=1.0)
        counted = functional.pad(counted, (0, beyond[1], 0, beyond[0]))
    else:
        counted = functional.pad(counted, outer)
    sums = functional.avg_pool2d(functional.pad(x, outer), kernel, stride)
    return sums / functional.avg_pool2d(counted, kernel, stride)


class _Windows(NamedTuple):
    """The windows of a pooling, (down, across); `beyond`: how far the last reach beyond the padded image."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: Sides
    beyond: tuple[int, int]


def _windows(
    x: Tensor,
    kernel_shape: list[int],
    strides: list[int] | None,
    dilations: list[int] | None,
    pads: list[int] | None,
    auto_pad: str,
    ceil_mode: int,
) -> _Windows:
    """Place the windows of a pooling, by its attributes."""
    if ceil_mode:  # ONNX's specification and ONNX Runtime disagree on both together
        require("ceil_mode with auto_pad", auto_pad, "NOTSET")
    kernel, stride = _pair("kernel_shape", kernel_shape), _pair("strides", strides)
    dilation = _pair("dilations", dilations)
    padding = _padding(x, auto_pad, pads, kernel, stride, dilation)
    return _Windows(kernel, stride, dilation, padding, _overhang(x, padding, kernel, stride, dilation, ceil_mode))


def _pair(name: str, given: list[int] | None) -> tuple[int, int]:
    """Return a number for rows and one for columns, 1 and 1 by default."""
    numbers = given or [1, 1]
    if len(numbers) != 2:
        raise ValueError(f"{name} {numbers} is not for two dimensions")
    return numbers[0], numbers[1]


def _padding(
    x: Tensor,
    auto_pad: str,
    pads: list[int] | None,
    kernel: tuple[int, ...],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> Sides:
    """Return the number of rows and columns to add on each side of an image."""
    require("auto_pad", auto_pad, "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    if auto_pad == "NOTSET":
        top, left, bottom, right = pads or (0, 0, 0, 0)
        return top, left, bottom, right
    if auto_pad == "VALID":
        return 0, 0, 0, 0
    smaller, larger = [], []
    for axis in (0, 1):
        size = int(x.shape[2 + axis])
        # One window per stride begun, and the padding that these windows need.
        reach = (-(-size // stride[axis]) - 1) * stride[axis] + (int(kernel[axis]) - 1) * dilation[axis] + 1
        missing = max(reach - size, 0)
        smaller.append(missing // 2)
        larger.append(missing - missing // 2)
    before, after = (smaller, larger) if auto_pad == "SAME_UPPER" else (larger, smaller)
    return before[0], before[1], after[0], after[1]


def _overhang(
    x: Tensor,
    padding: Sides,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    ceil_mode: int,
) -> tuple[int, int]:
    """Return how far the last windows reach beyond the padded image, down and across; 0 unless `ceil_mode`."""
    if not ceil_mode:
        return 0, 0
    beyond = []
    for axis in (0, 1):
        size, before, after = int(x.shape[2 + axis]), padding[axis], padding[2 + axis]
        reach = (kernel[axis] - 1) * dilation[axis] + 1
        windows = -(-(size + before + after - reach) // stride[axis])
        # A window that would begin after the last row of the image itself is left out.
        windows -= windows * stride[axis] >= size + before
        beyond.append(max(windows * stride[axis] + reach - (size + before + after), 0))
    return beyond[0], beyond[1]
