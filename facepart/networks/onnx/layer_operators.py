"""ONNX layers in PyTorch: resizing, normalisation, matrix products and activations with weights.

The functions are rows of the table in :mod:`facepart.networks.onnx.operators`, which says how inputs and attributes
become arguments.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from facepart.networks.graph_network import with_statistics
from facepart.networks.onnx.array_operators import require

# How ONNX finds the source of a pixel -> the same in PyTorch: its align_corners, or its mode.
_LINEAR = {"align_corners": True, "half_pixel": False, "pytorch_half_pixel": False}
_NEAREST = {
    ("asymmetric", "floor"): "nearest",
    ("half_pixel", "round_prefer_ceil"): "nearest-exact",
    ("half_pixel", "round_prefer_floor"): "nearest-exact",
}


def interpolate(
    x: Tensor,
    *,
    opset: int,
    roi: list[float] | None = None,
    scales: list[float] | None = None,
    sizes: list[int] | None = None,
    antialias: int = 0,
    axes: list[int] | None = None,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: str = "stretch",
    mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> Tensor:
    """Resize since opset 11, of rows and columns, in the modes linear and nearest.

    `roi`, `cubic_coeff_a`, `exclude_outside` and `extrapolation_value` have no effect in these modes.
    """
    transformation = coordinate_transformation_mode
    if opset < 11:
        raise ValueError(f"that of operator set {opset} is not supported")
    require("mode", mode, "linear", "nearest")
    require("antialias", antialias, 0)
    require("axes", axes, None, [2, 3], [-2, -1])
    require("keep_aspect_ratio_policy", keep_aspect_ratio_policy, "stretch")
    if mode == "linear":
        require("coordinate_transformation_mode", transformation, *_LINEAR)
        arguments: dict[str, Any] = {"mode": "bilinear", "align_corners": _LINEAR[transformation]}
    else:
        require("coordinate_transformation_mode with nearest_mode", (transformation, nearest_mode), *_NEAREST)
        arguments = {"mode": _NEAREST[transformation, nearest_mode]}
    height, width = (int(side) for side in x.shape[2:])
    if sizes:
        require("sizes", sizes[1:-2], [], [x.shape[1]])
        size = (sizes[-2], sizes[-1])
        factors = (size[0] / height, size[1] / width)
        arguments["size"] = size
    else:
        require("scales", (scales or [])[:-2], [], [1.0, 1.0])
        down, across = (scales or [])[-2:]
        factors = (down, across)
        size = (int(height * factors[0]), int(width * factors[1]))
        arguments["scale_factor"] = factors
    if mode == "nearest" and (transformation, nearest_mode) == ("half_pixel", "round_prefer_floor"):
        # PyTorch rounds ties the other way; a whole number of repetitions of each pixel has no ties.
        require("nearest_mode round_prefer_floor with scales", [each % 1 for each in factors], [0.0, 0.0])
    if transformation == "pytorch_half_pixel" and 1 in size and size != (height, width):
        raise ValueError("pytorch_half_pixel to a single row or column is not supported")
    return functional.interpolate(x, **arguments)


@with_statistics
def batch_norm(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    spatial: int = 1,
    training_mode: int = 0,
) -> Tensor:
    """BatchNormalization, with the statistics of the training set; `momentum` is used in training only."""
    require("training_mode", training_mode, 0)
    require("spatial", spatial, 1)
    return functional.batch_norm(x, mean, variance, scale, bias, eps=epsilon)


def layer_norm(
    x: Tensor,
    scale: Tensor,
    bias: Tensor | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-5,
    stash_type: int = 1,
) -> Tensor:
    """LayerNormalization, in 32-bit floats whatever `stash_type` says."""
    return functional.layer_norm(x, [int(side) for side in x.shape[axis:]], scale, bias, epsilon)


def lp_normalization(x: Tensor, *, axis: int = -1, p: int = 2) -> Tensor:
    """LpNormalization."""
    # Only zeros have a norm below the smallest normal float; they stay zeros.
    return functional.normalize(x, p=p, dim=axis, eps=torch.finfo(torch.float32).tiny)


def global_average_pool(x: Tensor) -> Tensor:
    """GlobalAveragePool."""
    return torch.mean(x, dim=(2, 3), keepdim=True)


def global_max_pool(x: Tensor) -> Tensor:
    """GlobalMaxPool."""
    return torch.amax(x, dim=(2, 3), keepdim=True)


def softmax(x: Tensor, *, opset: int, axis: int | None = None) -> Tensor:
    """Softmax: along one axis since opset 13, before that along this axis and all later ones together."""
    if opset >= 13:
        return torch.softmax(x, dim=-1 if axis is None else axis)
    return torch.softmax(x.flatten(1 if axis is None else axis), -1).reshape(x.shape)


def gemm(
    a: Tensor,
    b: Tensor,
    c: Tensor | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,  # noqa: N803 - ONNX's name
    transB: int = 0,  # noqa: N803
) -> Tensor:
    """Gemm: alpha A B + beta C."""
    a, b = a.t() if transA else a, b.t() if transB else b
    return alpha * (a @ b) if c is None else torch.addmm(c, a, b, beta=beta, alpha=alpha)


def prelu(x: Tensor, slope: Tensor) -> Tensor:
    """PRelu; PyTorch has a kernel of its own for one slope per channel, (c, 1, 1)."""
    if slope.ndim == x.ndim - 1 and all(int(side) == 1 for side in slope.shape[1:]):
        return functional.prelu(x, slope.flatten())
    return torch.where(x < 0, x * slope, x)


def leaky_relu(x: Tensor, *, alpha: float = 0.01) -> Tensor:
    """LeakyRelu."""
    return functional.leaky_relu(x, negative_slope=alpha)


def hard_sigmoid(x: Tensor, *, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    """HardSigmoid."""
    return torch.clamp(alpha * x + beta, 0.0, 1.0)


def gelu(x: Tensor, *, approximate: str = "none") -> Tensor:
    """Gelu."""
    return functional.gelu(x, approximate=approximate)


def dropout(x: Tensor, *, ratio: float | None = None, training_mode: bool | None = None, seed: int = 0) -> Tensor:
    """Dropout, which does nothing outside training."""
    require("training_mode", training_mode, None, False)
    return x
