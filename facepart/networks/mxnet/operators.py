"""MXNet's operators in PyTorch: a table from an operator's name to what it does.

Each operator is a small function that takes a node's attributes, as MXNet writes them, and returns the function from
tensors to a tensor; a setting that is not supported is a ValueError. Those of insightface's recognisers are here
(LResNet-E-IR of any depth, with or without squeeze-and-excitation, and MobileFaceNet). The defaults are those of
MXNet 1.9.1, which differ from PyTorch's: a BatchNorm has eps 0.001, and ``fix_gamma``, which is True unless the
symbol says otherwise, means that gamma is 1 whatever the file holds.
"""

import operator
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from facepart.networks.graph_network import Function

Attributes = Mapping[str, str]


def _flag(attributes: Attributes, name: str, default: bool) -> bool:
    return attributes.get(name, str(default)).lower() in ("true", "1")


def _pair(attributes: Attributes, name: str, default: int) -> tuple[int, int]:
    """Read ``(3, 3)``; Python 2 also wrote ``(3L, 3L)``."""
    numbers = [int(each) for each in re.findall(r"\d+", attributes.get(name, ""))] or [default, default]
    if len(numbers) != 2:
        raise ValueError(f"{name} {attributes[name]} is not that of a picture")
    return numbers[0], numbers[1]


def _require(attributes: Attributes, name: str, *supported: str) -> str:
    """Return an attribute, the first of `supported` by default, and refuse other values."""
    value = attributes.get(name, supported[0])
    if value not in supported:
        raise ValueError(f"{name} {value} is not supported")
    return value


def _identity(attributes: Attributes) -> Function:
    return lambda x: x


def _scalar(function: Callable[[Any, float], Any]) -> Callable[[Attributes], Function]:
    def build(attributes: Attributes) -> Function:
        scalar = float(attributes["scalar"])
        return lambda x: function(x, scalar)

    return build


def _elementwise(function: Callable[[Any, Any], Any]) -> Callable[[Attributes], Function]:
    return lambda attributes: function


def _convolution(attributes: Attributes) -> Function:
    _require(attributes, "layout", "NCHW", "None")
    return partial(
        functional.conv2d,
        stride=_pair(attributes, "stride", 1),
        padding=_pair(attributes, "pad", 0),
        dilation=_pair(attributes, "dilate", 1),
        groups=int(attributes.get("num_group", 1)),
    )


def _batch_norm(attributes: Attributes) -> Function:
    _require(attributes, "axis", "1")
    eps = float(attributes.get("eps", 1e-3))
    fixed = _flag(attributes, "fix_gamma", True)

    def apply(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return functional.batch_norm(x, mean, variance, torch.ones_like(gamma) if fixed else gamma, beta, eps=eps)

    return apply


def _fully_connected(attributes: Attributes) -> Function:
    if not _flag(attributes, "flatten", True):
        return functional.linear
    return lambda x, weight, bias=None: functional.linear(torch.flatten(x, 1), weight, bias)


def _leaky_relu(attributes: Attributes) -> Function:
    if _require(attributes, "act_type", "leaky", "prelu") == "prelu":
        return functional.prelu
    return partial(functional.leaky_relu, negative_slope=float(attributes.get("slope", 0.25)))


def _activation(attributes: Attributes) -> Function:
    functions: dict[str, Function] = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
    return functions[_require(attributes, "act_type", *functions)]


def _pooling(attributes: Attributes) -> Function:
    kind = _require(attributes, "pool_type", "max", "avg")
    if _flag(attributes, "global_pool", False):
        return partial(torch.amax if kind == "max" else torch.mean, dim=(2, 3), keepdim=True)
    settings: dict[str, Any] = {
        "kernel_size": _pair(attributes, "kernel", 1),
        "stride": _pair(attributes, "stride", 1),
        "padding": _pair(attributes, "pad", 0),
        "ceil_mode": _require(attributes, "pooling_convention", "valid", "full") == "full",
    }
    if kind == "max":
        return partial(functional.max_pool2d, **settings)
    return partial(functional.avg_pool2d, **settings, count_include_pad=_flag(attributes, "count_include_pad", True))


def _flatten(attributes: Attributes) -> Function:
    return partial(torch.flatten, start_dim=1)


_add, _multiply = _elementwise(operator.add), _elementwise(operator.mul)

OPERATORS: dict[str, Callable[[Attributes], Function]] = {
    "_copy": _identity,
    "identity": _identity,
    "Dropout": _identity,
    "_plus_scalar": _scalar(operator.add),
    "_minus_scalar": _scalar(operator.sub),
    "_mul_scalar": _scalar(operator.mul),
    "_div_scalar": _scalar(operator.truediv),
    "elemwise_add": _add,
    "_plus": _add,
    "_Plus": _add,
    "broadcast_add": _add,
    "elemwise_mul": _multiply,
    "_mul": _multiply,
    "broadcast_mul": _multiply,
    "Convolution": _convolution,
    "BatchNorm": _batch_norm,
    "FullyConnected": _fully_connected,
    "LeakyReLU": _leaky_relu,
    "Activation": _activation,
    "Pooling": _pooling,
    "Flatten": _flatten,
}
