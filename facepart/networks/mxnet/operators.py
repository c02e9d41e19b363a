"""The table of MXNet operators: how each one is done in PyTorch, and how the attributes of a node are read.

An operator is a plain function: its positional arguments are the node's inputs, its keyword-only arguments the node's
attributes, with the defaults of MXNet 1.9.1. These differ from PyTorch's: a BatchNorm has eps 0.001, and
``fix_gamma``, which is True unless the symbol says otherwise, means that gamma is 1 whatever the file holds.

The operators are those of insightface's recognisers: LResNet-E-IR of any depth, with or without
squeeze-and-excitation, and MobileFaceNet.
"""

import inspect
import operator
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from facepart.networks.graph_network import Function, with_statistics

Pair = tuple[int, int]  # rows, columns


class MXNetOperator(NamedTuple):
    """How an operator is done.

    Attributes:
        function: from the node's inputs to its output.
        attributes: the name of each attribute that the function takes -> how to read what MXNet wrote, a string.
            Other attributes have no effect on the answer.
        supported: the name of an attribute -> the values that it may have, if it is there.
    """

    function: Function
    attributes: Mapping[str, Callable[[str], Any]] = {}
    supported: Mapping[str, tuple[str, ...]] = {}


def bind_attributes(name: str, attributes: Mapping[str, str]) -> Function:
    """Return the function of the operator called `name`, with a node's attributes bound.

    Raises:
        ValueError: the operator, or the value of an attribute, is not supported, or an attribute is missing.
    """
    if name not in MXNET_OPERATORS:
        raise ValueError("the operator is not supported")
    # Global pooling ignores the windows and their attributes.
    is_global = name == "Pooling" and _read_flag(attributes.get("global_pool", "False"))
    function, readers, supported = _GLOBAL_POOLING if is_global else MXNET_OPERATORS[name]
    for key, values in supported.items():
        if attributes.get(key, values[0]) not in values:
            raise ValueError(f"{key} {attributes[key]} is not supported")
    if missing := _required(function) - attributes.keys():
        raise ValueError(f"the attribute {', '.join(sorted(missing))} is missing")
    settings = {}
    for key in readers.keys() & attributes.keys():
        try:
            settings[key] = readers[key](attributes[key])
        except ValueError as error:
            raise ValueError(f"{key} {attributes[key]} is not supported") from error
    return partial(function, **settings)


@cache
def _required(function: Function) -> frozenset[str]:
    """Return the attributes without a default."""
    parameters = inspect.signature(function).parameters.values()
    return frozenset(
        each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.default is each.empty
    )


def _read_flag(text: str) -> bool:
    return text.lower() in ("true", "1")


def _read_pair(text: str) -> Pair | None:
    """Read ``(3, 3)``, which Python 2 wrote ``(3L, 3L)``; None for ``()``, which means the default."""
    numbers = [int(each) for each in re.findall(r"\d+", text)]
    if not numbers:
        return None
    if len(numbers) != 2:
        raise ValueError("not for two dimensions")
    return numbers[0], numbers[1]


def _identity(x: Tensor) -> Tensor:
    return x


def _add_scalar(x: Tensor, *, scalar: float) -> Tensor:
    return x + scalar


def _subtract_scalar(x: Tensor, *, scalar: float) -> Tensor:
    return x - scalar


def _multiply_by_scalar(x: Tensor, *, scalar: float) -> Tensor:
    return x * scalar


def _divide_by_scalar(x: Tensor, *, scalar: float) -> Tensor:
    return x / scalar


def _convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Pair | None = None,
    pad: Pair | None = None,
    dilate: Pair | None = None,
    num_group: int = 1,
) -> Tensor:
    return functional.conv2d(x, weight, bias, stride or 1, pad or 0, dilate or 1, num_group)


@with_statistics
def _batch_norm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    eps: float = 1e-3,
    fix_gamma: bool = True,
) -> Tensor:
    return functional.batch_norm(x, mean, variance, torch.ones_like(gamma) if fix_gamma else gamma, beta, eps=eps)


def _fully_connected(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, flatten: bool = True) -> Tensor:
    return functional.linear(torch.flatten(x, 1) if flatten else x, weight, bias)


def _leaky_relu(x: Tensor, gamma: Tensor | None = None, *, act_type: str = "leaky", slope: float = 0.25) -> Tensor:
    """LeakyReLU; of the type prelu, with slopes that are learnt."""
    if act_type == "leaky":
        return functional.leaky_relu(x, negative_slope=slope)
    if gamma is None:
        raise TypeError("a LeakyReLU of the type prelu has no slopes")
    return functional.prelu(x, gamma)


def _activation(x: Tensor, *, act_type: str = "relu") -> Tensor:
    if act_type == "relu":
        return torch.relu(x)
    return torch.sigmoid(x) if act_type == "sigmoid" else torch.tanh(x)


def _pool(
    x: Tensor,
    *,
    pool_type: str = "max",
    kernel: Pair | None = None,
    stride: Pair | None = None,
    pad: Pair | None = None,
    pooling_convention: str = "valid",
    count_include_pad: bool = True,
) -> Tensor:
    windows = (kernel or (1, 1), stride or (1, 1), pad or (0, 0))
    ceil_mode = pooling_convention == "full"
    if pool_type == "max":
        return functional.max_pool2d(x, *windows, ceil_mode=ceil_mode)
    return functional.avg_pool2d(x, *windows, ceil_mode, count_include_pad)


def _pool_globally(x: Tensor, *, pool_type: str = "max") -> Tensor:
    return (torch.amax if pool_type == "max" else torch.mean)(x, dim=(2, 3), keepdim=True)


def _flatten(x: Tensor) -> Tensor:
    return torch.flatten(x, 1)


_SCALAR = {"scalar": float}
_POOL_TYPES = ("max", "avg")

MXNET_OPERATORS: dict[str, MXNetOperator] = {
    "_copy": MXNetOperator(_identity),
    "identity": MXNetOperator(_identity),
    "Dropout": MXNetOperator(_identity),
    "_plus_scalar": MXNetOperator(_add_scalar, _SCALAR),
    "_minus_scalar": MXNetOperator(_subtract_scalar, _SCALAR),
    "_mul_scalar": MXNetOperator(_multiply_by_scalar, _SCALAR),
    "_div_scalar": MXNetOperator(_divide_by_scalar, _SCALAR),
    "elemwise_add": MXNetOperator(operator.add),
    "_plus": MXNetOperator(operator.add),
    "_Plus": MXNetOperator(operator.add),
    "broadcast_add": MXNetOperator(operator.add),
    "elemwise_mul": MXNetOperator(operator.mul),
    "_mul": MXNetOperator(operator.mul),
    "broadcast_mul": MXNetOperator(operator.mul),
    "Convolution": MXNetOperator(
        _convolution,
        {"stride": _read_pair, "pad": _read_pair, "dilate": _read_pair, "num_group": int},
        {"layout": ("NCHW", "None")},
    ),
    "BatchNorm": MXNetOperator(_batch_norm, {"eps": float, "fix_gamma": _read_flag}, {"axis": ("1",)}),
    "FullyConnected": MXNetOperator(_fully_connected, {"flatten": _read_flag}),
    "LeakyReLU": MXNetOperator(_leaky_relu, {"act_type": str, "slope": float}, {"act_type": ("leaky", "prelu")}),
    "Activation": MXNetOperator(_activation, {"act_type": str}, {"act_type": ("relu", "sigmoid", "tanh")}),
    "Pooling": MXNetOperator(
        _pool,
        {
            "pool_type": str,
            "kernel": _read_pair,
            "stride": _read_pair,
            "pad": _read_pair,
            "pooling_convention": str,
            "count_include_pad": _read_flag,
        },
        {"pool_type": _POOL_TYPES, "pooling_convention": ("valid", "full")},
    ),
    "Flatten": MXNetOperator(_flatten),
}

_GLOBAL_POOLING = MXNetOperator(_pool_globally, {"pool_type": str}, {"pool_type": _POOL_TYPES})
