"""ONNX's operators in PyTorch: a table from an operator's name to what it does.

Each operator is a small function whose arguments are the attributes of its nodes, with the names and the defaults of
the ONNX operator specification (github.com/onnx/onnx, docs/Operators.md), from opset 7 on. It returns the function
from the node's inputs to its output, or to a tuple of its outputs. What is not an argument is not supported; a value
that is not supported is a ValueError. Two arguments are no attributes: ``opset``, the version of the operators, and
``outputs``, how many outputs the node has.

An input that sets how something is done rather than what it is done with, such as the shape of a Reshape, comes as
Python numbers, because it must be known before the network runs: :data:`SETTINGS`.
"""

import operator
from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from facepart.networks.graph_network import Function
from facepart.networks.onnx import array_operators as arrays
from facepart.networks.onnx import layer_operators as layers
from facepart.networks.onnx import window_operators as windows
from facepart.networks.onnx.array_operators import require

Builder = Callable[..., Function]


def _plain(function: Function) -> Builder:
    """Make an operator without attributes."""
    return lambda: function


def _chain(function: Callable[[Any, Any], Any]) -> Builder:
    """Make an operator that joins any number of inputs, two at a time."""
    return _plain(lambda *inputs: reduce(function, inputs))


def _divide(a: Tensor, b: Tensor) -> Tensor:
    return a / b if a.is_floating_point() else torch.div(a, b, rounding_mode="trunc")


def _clip(min: float | None = None, max: float | None = None) -> Function:  # noqa: A002
    def apply(x: Tensor, low: float | None = min, high: float | None = max) -> Tensor:
        return x if low is None and high is None else torch.clamp(x, low, high)

    return apply


def _dropout(ratio: float = 0.5, seed: int = 0) -> Function:
    def apply(x: Tensor, ratio: float | None = None, training: bool | None = None) -> Tensor:
        require("training_mode", training, None, False)
        return x

    return apply


def _leaky_relu(alpha: float = 0.01) -> Function:
    return partial(functional.leaky_relu, negative_slope=alpha)


def _hard_sigmoid(alpha: float = 0.2, beta: float = 0.5) -> Function:
    return lambda x: torch.clamp(alpha * x + beta, 0.0, 1.0)


def _gelu(approximate: str = "none") -> Function:
    return partial(functional.gelu, approximate=approximate)


# Operator -> which of its inputs are numbers that must be known before the network runs.
SETTINGS: dict[str, tuple[int, ...]] = {
    "Clip": (1, 2),
    "ConstantOfShape": (0,),
    "CumSum": (1,),
    "Dropout": (1, 2),
    "Expand": (1,),
    "Pad": (1, 2, 3),
    "Range": (0, 1, 2),
    "ReduceL2": (1,),
    "ReduceMax": (1,),
    "ReduceMean": (1,),
    "ReduceMin": (1,),
    "ReduceSum": (1,),
    "Reshape": (1,),
    "Resize": (1, 2, 3),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Tile": (1,),
    "Unsqueeze": (1,),
}

OPERATORS: dict[str, Builder] = {
    "Abs": _plain(torch.abs),
    "Add": _plain(operator.add),
    "And": _plain(torch.logical_and),
    "AveragePool": windows.average_pool,
    "BatchNormalization": layers.batch_norm,
    "Cast": arrays.cast,
    "Ceil": _plain(torch.ceil),
    "Clip": _clip,
    "Concat": arrays.concatenate,
    "Constant": arrays.constant,
    "ConstantOfShape": arrays.constant_of_shape,
    "Conv": windows.convolution,
    "Cos": _plain(torch.cos),
    "CumSum": arrays.cumulative_sum,
    "Div": _plain(_divide),
    "Dropout": _dropout,
    "Equal": _plain(operator.eq),
    "Erf": _plain(torch.erf),
    "Exp": _plain(torch.exp),
    "Expand": _plain(arrays.expand),
    "Flatten": arrays.flatten,
    "Floor": _plain(torch.floor),
    "Gather": arrays.gather,
    "Gelu": _gelu,
    "Gemm": layers.gemm,
    "GlobalAveragePool": _plain(partial(torch.mean, dim=(2, 3), keepdim=True)),
    "GlobalMaxPool": _plain(partial(torch.amax, dim=(2, 3), keepdim=True)),
    "Greater": _plain(operator.gt),
    "GreaterOrEqual": _plain(operator.ge),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _plain(functional.hardswish),
    "Identity": _plain(lambda x: x),
    "LayerNormalization": layers.layer_norm,
    "LeakyRelu": _leaky_relu,
    "Less": _plain(operator.lt),
    "LessOrEqual": _plain(operator.le),
    "Log": _plain(torch.log),
    "LpNormalization": layers.lp_normalization,
    "MatMul": _plain(torch.matmul),
    "Max": _chain(torch.maximum),
    "MaxPool": windows.max_pool,
    "Min": _chain(torch.minimum),
    "Mul": _plain(operator.mul),
    "Neg": _plain(torch.neg),
    "Not": _plain(torch.logical_not),
    "Or": _plain(torch.logical_or),
    "PRelu": layers.prelu,
    "Pad": arrays.pad,
    "Pow": _plain(torch.pow),
    "Range": _plain(torch.arange),
    "Reciprocal": _plain(torch.reciprocal),
    "ReduceL2": arrays.reduction(torch.linalg.vector_norm),
    "ReduceMax": arrays.reduction(torch.amax),
    "ReduceMean": arrays.reduction(torch.mean),
    "ReduceMin": arrays.reduction(torch.amin),
    "ReduceSum": arrays.reduction(torch.sum),
    "Relu": _plain(torch.relu),
    "Reshape": arrays.reshape,
    "Resize": layers.resize,
    "Shape": arrays.shape_of,
    "Sigmoid": _plain(torch.sigmoid),
    "Sin": _plain(torch.sin),
    "Slice": arrays.cut,
    "Softmax": layers.softmax,
    "Split": arrays.split,
    "Sqrt": _plain(torch.sqrt),
    "Squeeze": arrays.squeeze,
    "Sub": _plain(operator.sub),
    "Sum": _chain(operator.add),
    "Tanh": _plain(torch.tanh),
    "Tile": _plain(lambda x, repeats: x.repeat(repeats)),
    "Transpose": arrays.transpose,
    "Unsqueeze": arrays.unsqueeze,
    "Where": _plain(torch.where),
}
