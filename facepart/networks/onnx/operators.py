"""The table of ONNX operators: how each one is done in PyTorch, and how a node is bound to its function.

An operator is a plain function. Its positional arguments are the node's inputs. Its keyword-only arguments are the
node's attributes, with the names and the defaults of the ONNX operator specification (github.com/onnx/onnx,
docs/Operators.md), from opset 7 on; tensors among them come as PyTorch tensors. Three kinds of keyword-only argument
are not attributes:

- an input that says how something is done rather than what it is done with, such as the shape of a Reshape. It must
  be known before the network runs, and comes as Python numbers. In older versions of some operators it was an
  attribute (the axes of a Squeeze): both reach the function by the same name;
- ``opset``, the version of the operators;
- ``outputs``, the number of the node's outputs.

A function returns the output, or a tuple of the outputs. An attribute that is not an argument is not supported. A
value that is not supported is a ValueError of the function; it is raised when the graph is read, because
:func:`~facepart.networks.onnx.nodes.trace_node` runs each node once then.
"""

import inspect
import operator
from collections.abc import Mapping
from functools import cache, reduce
from types import FunctionType
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from facepart.networks.graph_network import Function
from facepart.networks.onnx import array_operators as arrays
from facepart.networks.onnx import layer_operators as layers
from facepart.networks.onnx import window_operators as windows

_CONTEXT = {"opset", "outputs"}


class OnnxOperator(NamedTuple):
    """How an operator is done.

    Attributes:
        function: from the node's inputs to its output, or to a tuple of its outputs.
        settings: the place of each input that must be known before the network runs -> the name of its argument.
        former: those of the settings that were attributes in older versions.
    """

    function: Function
    settings: Mapping[int, str] = {}
    former: tuple[str, ...] = ()

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that a node may have."""
        return keyword_arguments(self.function) - _CONTEXT - set(self.settings.values()) | set(self.former)

    @property
    def context(self) -> frozenset[str]:
        """Which of ``opset`` and ``outputs`` the function takes."""
        return keyword_arguments(self.function) & _CONTEXT


@cache
def keyword_arguments(function: Function) -> frozenset[str]:
    """Return the names of a function's keyword-only arguments; PyTorch's own functions count as having none."""
    if not isinstance(function, FunctionType):
        return frozenset()
    parameters = inspect.signature(function).parameters.values()
    return frozenset(each.name for each in parameters if each.kind is each.KEYWORD_ONLY)


def identity(x: Tensor) -> Tensor:
    """Identity."""
    return x


def divide(a: Tensor, b: Tensor) -> Tensor:
    """Div; of integers, towards zero."""
    return a / b if a.is_floating_point() else torch.div(a, b, rounding_mode="trunc")


def add_all(*inputs: Tensor) -> Tensor:
    """Sum."""
    return reduce(operator.add, inputs)


def maximum_of(*inputs: Tensor) -> Tensor:
    """Max."""
    return reduce(torch.maximum, inputs)


def minimum_of(*inputs: Tensor) -> Tensor:
    """Min."""
    return reduce(torch.minimum, inputs)


def clip(x: Tensor, *, min: float | None = None, max: float | None = None) -> Tensor:  # noqa: A002 - ONNX's names
    """Clip."""
    return x if min is None and max is None else torch.clamp(x, min, max)


ONNX_OPERATORS: dict[str, OnnxOperator] = {
    "Abs": OnnxOperator(torch.abs),
    "Add": OnnxOperator(operator.add),
    "And": OnnxOperator(torch.logical_and),
    "AveragePool": OnnxOperator(windows.average_pool),
    "BatchNormalization": OnnxOperator(layers.batch_norm),
    "Cast": OnnxOperator(arrays.cast),
    "Ceil": OnnxOperator(torch.ceil),
    "Clip": OnnxOperator(clip, {1: "min", 2: "max"}, ("min", "max")),
    "Concat": OnnxOperator(arrays.concatenate),
    "Constant": OnnxOperator(arrays.constant),
    "ConstantOfShape": OnnxOperator(arrays.constant_of_shape, {0: "shape"}),
    "Conv": OnnxOperator(windows.convolution),
    "Cos": OnnxOperator(torch.cos),
    "CumSum": OnnxOperator(arrays.cumulative_sum, {1: "axis"}),
    "Div": OnnxOperator(divide),
    "Dropout": OnnxOperator(layers.dropout, {1: "ratio", 2: "training_mode"}, ("ratio",)),
    "Equal": OnnxOperator(operator.eq),
    "Erf": OnnxOperator(torch.erf),
    "Exp": OnnxOperator(torch.exp),
    "Expand": OnnxOperator(arrays.expand, {1: "shape"}),
    "Flatten": OnnxOperator(arrays.flatten),
    "Floor": OnnxOperator(torch.floor),
    "Gather": OnnxOperator(arrays.gather),
    "Gelu": OnnxOperator(layers.gelu),
    "Gemm": OnnxOperator(layers.gemm),
    "GlobalAveragePool": OnnxOperator(layers.global_average_pool),
    "GlobalMaxPool": OnnxOperator(layers.global_max_pool),
    "Greater": OnnxOperator(operator.gt),
    "GreaterOrEqual": OnnxOperator(operator.ge),
    "HardSigmoid": OnnxOperator(layers.hard_sigmoid),
    "HardSwish": OnnxOperator(functional.hardswish),
    "Identity": OnnxOperator(identity),
    "LayerNormalization": OnnxOperator(layers.layer_norm),
    "LeakyRelu": OnnxOperator(layers.leaky_relu),
    "Less": OnnxOperator(operator.lt),
    "LessOrEqual": OnnxOperator(operator.le),
    "Log": OnnxOperator(torch.log),
    "LpNormalization": OnnxOperator(layers.lp_normalization),
    "MatMul": OnnxOperator(torch.matmul),
    "Max": OnnxOperator(maximum_of),
    "MaxPool": OnnxOperator(windows.max_pool),
    "Min": OnnxOperator(minimum_of),
    "Mul": OnnxOperator(operator.mul),
    "Neg": OnnxOperator(torch.neg),
    "Not": OnnxOperator(torch.logical_not),
    "Or": OnnxOperator(torch.logical_or),
    "PRelu": OnnxOperator(layers.prelu),
    "Pad": OnnxOperator(arrays.pad, {1: "pads", 2: "value", 3: "axes"}, ("pads", "value")),
    "Pow": OnnxOperator(torch.pow),
    "Range": OnnxOperator(arrays.number_range, {0: "start", 1: "limit", 2: "delta"}),
    "Reciprocal": OnnxOperator(torch.reciprocal),
    "ReduceL2": OnnxOperator(arrays.reduce_l2, {1: "axes"}, ("axes",)),
    "ReduceMax": OnnxOperator(arrays.reduce_max, {1: "axes"}, ("axes",)),
    "ReduceMean": OnnxOperator(arrays.reduce_mean, {1: "axes"}, ("axes",)),
    "ReduceMin": OnnxOperator(arrays.reduce_min, {1: "axes"}, ("axes",)),
    "ReduceSum": OnnxOperator(arrays.reduce_sum, {1: "axes"}, ("axes",)),
    "Relu": OnnxOperator(torch.relu),
    "Reshape": OnnxOperator(arrays.reshape, {1: "shape"}),
    "Resize": OnnxOperator(layers.interpolate, {1: "roi", 2: "scales", 3: "sizes"}),
    "Shape": OnnxOperator(arrays.shape_of),
    "Sigmoid": OnnxOperator(torch.sigmoid),
    "Sin": OnnxOperator(torch.sin),
    "Slice": OnnxOperator(
        arrays.slice_axes, {1: "starts", 2: "ends", 3: "axes", 4: "steps"}, ("starts", "ends", "axes")
    ),
    "Softmax": OnnxOperator(layers.softmax),
    "Split": OnnxOperator(arrays.split_array, {1: "split"}, ("split",)),
    "Sqrt": OnnxOperator(torch.sqrt),
    "Squeeze": OnnxOperator(arrays.squeeze, {1: "axes"}, ("axes",)),
    "Sub": OnnxOperator(operator.sub),
    "Sum": OnnxOperator(add_all),
    "Tanh": OnnxOperator(torch.tanh),
    "Tile": OnnxOperator(arrays.tile, {1: "repeats"}),
    "Transpose": OnnxOperator(arrays.transpose),
    "Unsqueeze": OnnxOperator(arrays.unsqueeze, {1: "axes"}, ("axes",)),
    "Where": OnnxOperator(torch.where),
}
