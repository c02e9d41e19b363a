"""Networks on the CPU by OpenVINO.

8-bit photos go in: conversion, colour order, mean and scale are part of the compiled graph. The graph is compiled
for one photo and several photos are in flight at once, one a stream: on CPUs that is as fast as large batches, it
also runs ONNX files of a fixed batch of one, and the answer for a photo cannot depend on its neighbours.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray
from openvino import opset13 as ops
from openvino.preprocess import ColorFormat, PrePostProcessor
from torch import nn

from facepart.engines.base import Network, Preprocessing
from facepart.errors import FacepartError


class OpenVinoEngine:
    """A network on the CPU; see :class:`facepart.engines.base.Engine`."""

    device = "cpu"
    precision = "fp32"
    runtime = "openvino"

    def __init__(self, network: Network, preprocessing: Preprocessing, classes: int | None = None) -> None:
        """Compile `network`; `classes` as in :func:`facepart.engines.open_engine`.

        Raises:
            FacepartError: the network cannot be compiled for photos of the size that `preprocessing` names, or
                does not score that many classes.
        """
        self.preprocessing = preprocessing
        model = _read(network, preprocessing)
        if classes is not None:
            model = _best_class(model, classes, _name(network))
        # float32 is asked for by name: on processors with bfloat16 the default would be less exact.
        options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
        self._compiled = ov.Core().compile_model(_take_photos(model, preprocessing), "CPU", options)
        # Two a stream: while one request's answer is taken, the stream has the next.
        count = 2 * self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._requests = [self._compiled.create_infer_request() for _ in range(count)]

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        """Run the network on uint8 photos (n, height, width, 3), RGB; n may be anything."""
        # Waiting in order, without OpenVINO's callbacks into Python: a worker thread that still has to leave such a
        # callback needs the interpreter's lock, which the thread that frees the network holds while it joins it.
        port = self._compiled.output(0)
        out = np.empty((len(photos), *tuple(port.shape)[1:]), port.get_element_type().to_dtype())
        ahead = len(self._requests)
        for index in range(len(photos) + ahead):
            request = self._requests[index % ahead]
            if index >= ahead:
                request.wait()
                out[index - ahead] = request.get_output_tensor(0).data[0]
            if index < len(photos):
                request.start_async({0: photos[index][None]})
        return out


def _read(network: Network, preprocessing: Preprocessing) -> ov.Model:
    shape = [1, 3, preprocessing.height, preprocessing.width]
    try:
        if isinstance(network, Path):
            model = ov.Core().read_model(network)
        else:
            model = ov.convert_model(_trace(network, torch.zeros(shape)))
        if len(model.inputs) != 1:
            raise FacepartError(f"{_name(network)}: takes {len(model.inputs)} inputs, not one photo")
        model.reshape({model.inputs[0]: shape})
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise FacepartError(f"{_name(network)}: does not run on photos of {shape[2]}x{shape[3]}: {reason}") from error
    if len(model.outputs) > 1:
        # Only the first output is wanted; what leads to the others alone is not computed.
        model = ov.Model([ops.result(model.outputs[0].get_node().input_value(0))], model.get_parameters())
    return model


def _best_class(model: ov.Model, classes: int, name: str) -> ov.Model:
    """Replace the scores by the number of the best class, so that label maps leave the graph, not scores."""
    scores = model.outputs[0].get_node().input_value(0)
    if len(scores.get_partial_shape()) != 4 or scores.get_shape()[1] != classes:
        raise FacepartError(f"{name}: gives {scores.get_partial_shape()}, not a score for each of {classes} classes")
    best = ops.topk(scores, ops.constant(1), axis=1, mode="max", sort="value").output(1)
    labels = ops.convert(ops.squeeze(best, ops.constant([1])), "u8")
    return ov.Model([ops.result(labels)], model.get_parameters())


def _take_photos(model: ov.Model, preprocessing: Preprocessing) -> ov.Model:
    """Put the conversion from 8-bit RGB rows of pixels into the graph."""
    steps = PrePostProcessor(model)
    photo = steps.input()
    photo.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_color_format(ColorFormat.RGB)
    photo.model().set_layout(ov.Layout("NCHW"))
    if preprocessing.colour == "bgr":
        photo.preprocess().convert_color(ColorFormat.BGR)
    photo.preprocess().convert_element_type(ov.Type.f32)
    photo.preprocess().mean(list(preprocessing.mean)).scale(list(preprocessing.scale))
    return steps.build()


def _name(network: Network) -> str:
    return str(network) if isinstance(network, Path) else type(network).__name__


def _trace(network: nn.Module, photo: torch.Tensor) -> Any:
    with warnings.catch_warnings(), torch.no_grad():
        # The tracer warns of shape arithmetic in Python; the shape is fixed here, so it holds. Its check of the
        # trace would run the network twice more.
        warnings.simplefilter("ignore")
        return torch.jit.trace(network.eval(), photo, check_trace=False)  # type: ignore[no-untyped-call]
