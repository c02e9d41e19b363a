"""ONNX's convolution and pooling in PyTorch, with borders of any kind.

As in :mod:`facepart.networks.onnx.operators`, whose table these are part of, each takes a node's attributes by the
names and with the defaults of the ONNX operator specification, and returns the function of its inputs. Pictures are
(n, c, h, w): windows over one or three dimensions are refused.
"""

import torch
from torch import Tensor
from torch.nn import functional

from facepart.networks.graph_network import Function
from facepart.networks.onnx.array_operators import require

Sides = tuple[int, int, int, int]  # top, left, bottom, right: the order of ONNX's pads


def convolution(
    auto_pad: str = "NOTSET",
    dilations: list[int] | None = None,
    group: int = 1,
    kernel_shape: list[int] | None = None,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Function:
    """Conv. `kernel_shape` says nothing that the weights do not."""
    stride, dilation = _numbers("strides", strides, 1), _numbers("dilations", dilations, 1)

    def apply(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        top, left, bottom, right = _border(x, auto_pad, pads, weight.shape[2:], stride, dilation)
        if (top, left) != (bottom, right):
            x, top, left = functional.pad(x, (left, right, top, bottom)), 0, 0
        return functional.conv2d(x, weight, bias, stride, (top, left), dilation, group)

    return apply


def max_pool(
    kernel_shape: list[int],
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: list[int] | None = None,
    pads: list[int] | None = None,
    storage_order: int = 0,
    strides: list[int] | None = None,
) -> Function:
    """MaxPool. `storage_order` is of the indices, which are not computed."""
    _refuse_both(ceil_mode, auto_pad)
    kernel = _numbers("kernel_shape", kernel_shape, 1)
    stride, dilation = _numbers("strides", strides, 1), _numbers("dilations", dilations, 1)

    def apply(x: Tensor) -> Tensor:
        border = _border(x, auto_pad, pads, kernel, stride, dilation)
        beyond = _overhang(x, border, kernel, stride, dilation, ceil_mode)
        top, left, bottom, right = border
        # PyTorch pads both sides alike, by at most half the kernel.
        if (top, left) != (bottom, right) or any(beyond) or 2 * top > kernel[0] or 2 * left > kernel[1]:
            x = functional.pad(x, (left, right + beyond[1], top, bottom + beyond[0]), value=-torch.inf)
            top, left = 0, 0
        return functional.max_pool2d(x, kernel, stride, (top, left), dilation)

    return apply


def average_pool(
    kernel_shape: list[int],
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    dilations: list[int] | None = None,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Function:
    """AveragePool. What a window has beyond the padded picture, by `ceil_mode`, never counts."""
    _refuse_both(ceil_mode, auto_pad)
    kernel, stride = _numbers("kernel_shape", kernel_shape, 1), _numbers("strides", strides, 1)
    require("dilations", _numbers("dilations", dilations, 1), (1, 1))

    def apply(x: Tensor) -> Tensor:
        border = _border(x, auto_pad, pads, kernel, stride, (1, 1))
        beyond = _overhang(x, border, kernel, stride, (1, 1), ceil_mode)
        if not any(border) and not any(beyond):
            return functional.avg_pool2d(x, kernel, stride)
        top, left, bottom, right = border
        outer = (left, right + beyond[1], top, bottom + beyond[0])
        counted = x.new_ones(1, 1, *x.shape[2:])
        if count_include_pad:
            counted = functional.pad(counted, (left, right, top, bottom), value=1.0)
            counted = functional.pad(counted, (0, beyond[1], 0, beyond[0]))
        else:
            counted = functional.pad(counted, outer)
        sums = functional.avg_pool2d(functional.pad(x, outer), kernel, stride)
        return sums / functional.avg_pool2d(counted, kernel, stride)

    return apply


def _refuse_both(ceil_mode: int, auto_pad: str) -> None:
    """Refuse what ONNX's specification and ONNX Runtime disagree about."""
    if ceil_mode:
        require("ceil_mode with auto_pad", auto_pad, "NOTSET")


def _numbers(name: str, given: list[int] | None, default: int) -> tuple[int, int]:
    numbers = given or [default, default]
    if len(numbers) != 2:
        raise ValueError(f"{name} {numbers} is not that of a picture")
    return numbers[0], numbers[1]


def _border(
    x: Tensor,
    auto_pad: str,
    pads: list[int] | None,
    kernel: tuple[int, ...],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> Sides:
    """Tell how many rows and columns to add around a picture."""
    require("auto_pad", auto_pad, "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    if auto_pad == "NOTSET":
        top, left, bottom, right = pads or (0, 0, 0, 0)
        return top, left, bottom, right
    if auto_pad == "VALID":
        return 0, 0, 0, 0
    few, many = [], []
    for axis in (0, 1):
        size = int(x.shape[2 + axis])
        # As many windows as strides begun, and the border that these need.
        reach = (-(-size // stride[axis]) - 1) * stride[axis] + (int(kernel[axis]) - 1) * dilation[axis] + 1
        missing = max(reach - size, 0)
        few.append(missing // 2)
        many.append(missing - missing // 2)
    before, after = (few, many) if auto_pad == "SAME_UPPER" else (many, few)
    return before[0], before[1], after[0], after[1]


def _overhang(
    x: Tensor,
    border: Sides,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    ceil_mode: int,
) -> tuple[int, int]:
    """Tell how far the last windows reach beyond the padded picture, down and across, where they may."""
    if not ceil_mode:
        return 0, 0
    beyond = []
    for axis in (0, 1):
        size, before, after = int(x.shape[2 + axis]), border[axis], border[2 + axis]
        reach = (kernel[axis] - 1) * dilation[axis] + 1
        windows = -(-(size + before + after - reach) // stride[axis])
        # A window that would begin after the picture's own last row is none.
        windows -= windows * stride[axis] >= size + before
        beyond.append(max(windows * stride[axis] + reach - (size + before + after), 0))
    return beyond[0], beyond[1]
