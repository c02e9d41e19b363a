"""ONNX's layers in PyTorch: resizing, normalisation, matrices, and activations with weights.

As in :mod:`facepart.networks.onnx.operators`, whose table these are part of, each takes a node's attributes by the
names and with the defaults of the ONNX operator specification, and returns the function of its inputs.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from facepart.networks.graph_network import Function
from facepart.networks.onnx.array_operators import require

# How ONNX finds a pixel's source, for which PyTorch has the same: its align_corners, or its mode.
_LINEAR = {"align_corners": True, "half_pixel": False, "pytorch_half_pixel": False}
_NEAREST = {
    ("asymmetric", "floor"): "nearest",
    ("half_pixel", "round_prefer_ceil"): "nearest-exact",
    ("half_pixel", "round_prefer_floor"): "nearest-exact",
}


def resize(
    opset: int,
    antialias: int = 0,
    axes: list[int] | None = None,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: str = "stretch",
    mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> Function:
    """Resize since opset 11, of rows and columns: linear, or the nearest pixel."""
    way = coordinate_transformation_mode
    if opset < 11:
        raise ValueError(f"that of operator set {opset} is not supported")
    require("mode", mode, "linear", "nearest")
    require("antialias", antialias, 0)
    require("axes", axes, None, [2, 3], [-2, -1])
    require("keep_aspect_ratio_policy", keep_aspect_ratio_policy, "stretch")
    if mode == "linear":
        require("coordinate_transformation_mode", way, *_LINEAR)
        settings: dict[str, Any] = {"mode": "bilinear", "align_corners": _LINEAR[way]}
    else:
        require("coordinate_transformation_mode with nearest_mode", (way, nearest_mode), *_NEAREST)
        settings = {"mode": _NEAREST[way, nearest_mode]}
    # PyTorch rounds ties the other way; there are none where every pixel is repeated a whole number of times.
    whole = mode == "nearest" and (way, nearest_mode) == ("half_pixel", "round_prefer_floor")

    def apply(
        x: Tensor, roi: list[float] | None = None, scales: list[float] | None = None, sizes: list[int] | None = None
    ) -> Tensor:
        height, width = (int(side) for side in x.shape[2:])
        if sizes:
            require("sizes", sizes[1:-2], [], [x.shape[1]])
            wanted = (sizes[-2], sizes[-1])
            factors = (wanted[0] / height, wanted[1] / width)
        else:
            require("scales", (scales or [])[:-2], [], [1.0, 1.0])
            down, across = (scales or [])[-2:]
            factors = (down, across)
            wanted = (int(height * factors[0]), int(width * factors[1]))
        if whole:
            require("nearest_mode round_prefer_floor with scales", [each % 1 for each in factors], [0.0, 0.0])
        if way == "pytorch_half_pixel" and 1 in wanted and wanted != (height, width):
            raise ValueError("pytorch_half_pixel to a single row or column is not supported")
        return functional.interpolate(x, **({"size": wanted} if sizes else {"scale_factor": factors}), **settings)

    return apply


def batch_norm(epsilon: float = 1e-5, momentum: float = 0.9, spatial: int = 1, training_mode: int = 0) -> Function:
    """BatchNormalization, with the statistics of the training; `momentum` served that alone."""
    require("training_mode", training_mode, 0)
    require("spatial", spatial, 1)

    def apply(x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return functional.batch_norm(x, mean, variance, scale, bias, eps=epsilon)

    return apply


def layer_norm(axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1) -> Function:
    """LayerNormalization, in 32-bit floats whatever `stash_type` says."""

    def apply(x: Tensor, scale: Tensor, bias: Tensor | None = None) -> Tensor:
        return functional.layer_norm(x, [int(side) for side in x.shape[axis:]], scale, bias, epsilon)

    return apply


def lp_normalization(axis: int = -1, p: int = 2) -> Function:
    """LpNormalization."""
    # Only zeros have a norm below the smallest normal float; they stay zeros.
    return partial(functional.normalize, p=p, dim=axis, eps=torch.finfo(torch.float32).tiny)


def softmax(opset: int, axis: int | None = None) -> Function:
    """Softmax: along one axis since opset 13, before that along it and all axes after it taken together."""
    if opset >= 13:
        return partial(torch.softmax, dim=-1 if axis is None else axis)
    first = 1 if axis is None else axis
    return lambda x: torch.softmax(x.flatten(first), -1).reshape(x.shape)


def gemm(alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0) -> Function:  # noqa: N803
    """Gemm: alpha A B + beta C."""

    def apply(a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
        a, b = a.t() if transA else a, b.t() if transB else b
        return alpha * (a @ b) if c is None else torch.addmm(c, a, b, beta=beta, alpha=alpha)

    return apply


def prelu() -> Function:
    """PRelu; a slope for each channel, (c, 1, 1), has a kernel of its own in PyTorch."""

    def apply(x: Tensor, slope: Tensor) -> Tensor:
        if slope.ndim == x.ndim - 1 and all(int(side) == 1 for side in slope.shape[1:]):
            return functional.prelu(x, slope.flatten())
        return torch.where(x < 0, x * slope, x)

    return apply
