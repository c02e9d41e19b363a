"""Networks on the CPU by OpenVINO.

The input is 8-bit photos: conversion, colour order, mean and scale are part of the compiled graph, and for label maps
so is the choice of the best class, which is made in fp32 also where the rest is computed in bfloat16. The graph is
compiled for one photo, and several photos are in flight at once, one per stream. On CPUs that is as fast as large
batches, it also runs ONNX files with a fixed batch of one, and the answer for a photo cannot depend on the other
photos.
"""

import hashlib
import io
import json
import logging
import os
import threading
import warnings
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops
from openvino.frontend import FrontEndManager
from openvino.preprocess import ColorFormat, PrePostProcessor

from facepart import __version__
from facepart.errors import FacepartError, one_line
from facepart.files.atomic import remove_abandoned, replacing
from facepart.files.json_input import parse_object
from facepart.memory import memory_error
from facepart.networks.compiled_cache import CompiledCache
from facepart.networks.engine import Network, Preprocessing
from facepart.networks.wording import openvino_reason
from facepart.processors import thread_limit

if TYPE_CHECKING:
    from torch import nn

_PRECISIONS: dict[str, str] = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
# What calibrates a network is in its graph; the rest of the graph is computed in the fastest floating point.
_INT8 = "int8"
# Of compiled networks: raise it if the same weights become another network, such as by other preprocessing.
_FORMAT = 6
_LONGEST_HEADER = 1 << 16  # bytes

_logger = logging.getLogger(__name__)

# OpenVINO's names of what a processor computes in hardware.
_CAPABILITIES: dict[str, str] = {"FP32": "fp32", "BF16": "bf16", "FP16": "fp16", "INT8": _INT8}


@lru_cache(maxsize=1)
def _core() -> ov.Core:
    """Return the one OpenVINO of this process, which is never closed.

    On processors with AMX, OpenVINO sets a stack for signals, and frees it with its last ``Core``; if another thread
    does that, the next signal, such as Ctrl-C, would end the process by a segmentation fault.
    """
    return ov.Core()


def cpu_precisions() -> tuple[str, ...]:
    """Return the precisions that this processor computes in hardware."""
    available = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return tuple(precision for name, precision in _CAPABILITIES.items() if name in available)


def processor_name() -> str:
    """Name this machine's processor, as OpenVINO does."""
    return str(_core().get_property("CPU", "FULL_DEVICE_NAME"))


class OpenVinoEngine:
    """A network on the CPU; see :class:`facepart.networks.engine.Engine`."""

    device = "cpu"
    runtime = "openvino"
    batch = 1
    _mapped: NDArray[np.uint8] | None = None

    def __init__(
        self,
        network: Network,
        preprocessing: Preprocessing,
        classes: int | None = None,
        precision: str = "fp32",
        threads: int | None = None,
        calibration: NDArray[np.uint8] | None = None,
    ) -> None:
        """Compile `network`.

        `classes`, `precision` and `threads` are as in :func:`facepart.networks.engine_choice.open_engine`.
        `calibration` are the photos that calibrate it if the precision is int8, uint8 (n, h, w, 3), RGB.

        Raises:
            FacepartError: the network cannot be compiled for photos of the size in `preprocessing`, or does not
                score that many classes; or it cannot be computed in INT8.
        """
        try:
            model = _read(network, preprocessing)
            if calibration is not None:
                # Imported here: only a network that is calibrated in this run needs it.
                from facepart.networks.int8 import last_convolution, quantise

                # The end of a parser, where the classes are chosen, stays exact, as it does in bfloat16.
                exact = last_convolution(model) if classes is not None else []
                model = quantise(model, calibration, preprocessing, exact)
            if classes is not None:
                sides = preprocessing.height, preprocessing.width
                model = _best_class(model, classes, _name(network), precision, sides)
            whole = _with_preprocessing(model, preprocessing)
            self._use(_core().compile_model(whole, "CPU", _options(precision, threads)))
        except RuntimeError as error:
            size = f"{preprocessing.height}x{preprocessing.width}"
            reason = openvino_reason(error)
            raise FacepartError(f"{_name(network)}: does not run on photos of {size}: {reason}") from error
        self.preprocessing = preprocessing
        self.precision = precision
        self._classes = classes

    def _use(self, compiled: ov.CompiledModel) -> None:
        self._compiled = compiled
        self._port = compiled.output(0)
        self.output_shape = tuple(self._port.shape)[1:]
        # Two per stream: while the answer of one request is copied, the stream computes the next.
        count = 2 * compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._requests = [compiled.create_infer_request() for _ in range(count)]
        self._lock = threading.Lock()

    def save_compiled(self, cache: CompiledCache) -> None:
        """Write the compiled network into the cache, for :meth:`from_compiled`.

        The file is a line of JSON, which says what the network was made of and has the hash of the rest, and the
        compiled network in OpenVINO's form.

        Raises:
            FacepartError: it cannot be written.
        """
        path, body = cache.path(self.precision), self._compiled.export_model().getbuffer()
        header = {
            **_compatibility(cache, self._classes, self.precision),
            "preprocessing": asdict(self.preprocessing),
            "size": len(body),
        }
        header["sha256"] = _hash_of(header["preprocessing"], hashlib.sha256(body).hexdigest())
        remove_abandoned(path.parent)
        with replacing(path) as temporary, temporary.open("wb") as file:
            file.write(json.dumps(header).encode() + b"\n")
            file.write(body)

    @classmethod
    def from_compiled(
        cls, cache: CompiledCache, precision: str, classes: int | None = None, threads: int | None = None
    ) -> "OpenVinoEngine | None":
        """Read a compiled network from the cache; None if there is none for this release and processor.

        A file that is damaged is warned about, and None, too: the network is compiled again.
        """
        path = cache.path(precision)
        try:
            with path.open("rb") as file:
                header = _read_header(file)
                wanted = _compatibility(cache, classes, precision)
                if {key: header.get(key) for key in wanted} != wanted:
                    return None
                start = file.tell()
                if os.fstat(file.fileno()).st_size != start + header["size"]:
                    raise ValueError("its size")
                # Before OpenVINO sees it: what is damaged can give other answers, or crash.
                found = hashlib.file_digest(file, "sha256").hexdigest()
                if _hash_of(header["preprocessing"], found) != header["sha256"]:
                    raise ValueError("its contents")
                # Mapped, not read: the weights stay in the file, and all processes share one copy in memory.
                weights = np.memmap(file, np.uint8, "c", offset=start)
                tensor = ov.Tensor(weights, shared_memory=True)
                compiled = _core().import_model(tensor, "CPU", _options(precision, threads))
            fields = header["preprocessing"]
            preprocessing = Preprocessing(
                **fields | {key: tuple(fields[key]) for key in ("mean", "scale")}  # JSON has no tuples
            )
        except OSError:
            return None  # missing, or not readable
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            if lack := memory_error(error):
                raise lack from error
            _logger.warning("%s: is damaged: the network is compiled anew", path)
            return None
        engine = cls.__new__(cls)
        engine._use(compiled)
        engine._mapped = weights  # keeps the file mapped while the network uses it
        engine._classes, engine.preprocessing, engine.precision = classes, preprocessing, precision
        return engine

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        """Run the network on uint8 photos (n, height, width, 3), RGB; n may be anything."""
        # Waiting in order, without OpenVINO's callbacks into Python: a worker thread that is still in such a callback
        # needs the interpreter's lock, which the thread that frees the network holds while it joins the worker.
        out = np.empty((len(photos), *self.output_shape), self._port.get_element_type().to_dtype())
        ahead = len(self._requests)
        with self._lock:
            try:
                for index in range(len(photos) + ahead):
                    request = self._requests[index % ahead]
                    if index >= ahead and index - ahead < len(photos):
                        request.wait()
                        out[index - ahead] = request.get_output_tensor(0).data[0]
                    if index < len(photos):
                        request.start_async({0: photos[index][None]})
            except RuntimeError as error:
                raise FacepartError(f"the network cannot be run: {openvino_reason(error)}") from error
        return out


def _options(precision: str, threads: int | None) -> dict[str, str]:
    # The precision is always named: the default on processors with bfloat16 would be less exact than fp32.
    rest = precision
    if precision == _INT8:
        rest = "bf16" if "bf16" in cpu_precisions() else "fp32"
    options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": _PRECISIONS[rest]}
    if threads is not None:
        return {**options, "INFERENCE_NUM_THREADS": str(threads)}
    limit = thread_limit()
    if limit is None:
        return options
    # OpenVINO knows nothing of quotas, and would pin its threads to the first processors, as another job's.
    return {**options, "INFERENCE_NUM_THREADS": str(limit), "ENABLE_CPU_PINNING": "NO"}


def _compatibility(cache: CompiledCache, classes: int | None, precision: str) -> dict[str, Any]:
    """Return what a compiled network was made of and for: another one of these, and it is another network."""
    return {
        "format": _FORMAT,
        "facepart": __version__,
        "openvino": ov.get_version(),
        "processor": processor_name(),
        "weights": cache.sha256,
        "variant": cache.variant,
        "calibration": cache.calibration,
        "classes": classes,
        "precision": precision,
    }


def _hash_of(preprocessing: dict[str, Any], body: str) -> str:
    """Return the hash of the preprocessing and of the rest, of which the hash is given."""
    return hashlib.sha256(f"{json.dumps(preprocessing, sort_keys=True)} {body}".encode()).hexdigest()


def _read_header(file: BinaryIO) -> dict[str, Any]:
    """Read what a compiled network says of itself.

    Raises:
        ValueError: it says nothing.
    """
    return parse_object(file.readline(_LONGEST_HEADER))


def _read(network: Network, preprocessing: Preprocessing) -> ov.Model:
    shape = [1, 3, preprocessing.height, preprocessing.width]
    model = _read_onnx(network) if isinstance(network, Path) else ov.convert_model(_trace(network, shape))
    if len(model.inputs) != 1:
        raise FacepartError(f"{_name(network)}: has {len(model.inputs)} inputs, expected one (a photo)")
    model.reshape({model.inputs[0]: shape})
    return model


def _read_onnx(path: Path) -> ov.Model:
    """Read an ONNX file, reduced to what its first output needs."""
    # Imported here: a network that was compiled before does not need it.
    from facepart.networks.onnx.graph import read_model, reduce_graph, refuse_unreadable_nodes

    model = read_model(path)
    # Named, because OpenVINO looks for the kind of a damaged file by trying all, and some print what they dislike.
    reader = FrontEndManager().load_by_framework("onnx")
    try:
        reduced = reduce_graph(model)
        refuse_unreadable_nodes(model)
        source = io.BytesIO(model.SerializeToString()) if reduced else str(path)
    except FacepartError as error:
        raise FacepartError(f"{path}: {error}") from error
    except ValueError as error:  # protobuf's limit of 2 GB
        raise FacepartError(f"{path}: cannot be reduced to its first output: {one_line(error)}") from error
    try:
        return reader.convert(reader.load(source))
    except Exception as error:
        # The reader's errors have no base of their own; the caller says that the network does not run.
        raise RuntimeError(str(error)) from error


def _trace(module: "nn.Module", shape: list[int]) -> Any:
    # Imported here: a network that was compiled before needs no PyTorch, which takes seconds to load.
    import torch

    with warnings.catch_warnings(), torch.no_grad():
        # The tracer warns of shape arithmetic in Python; the shape is fixed here, so it holds. Its check of the
        # trace would run the network twice more.
        warnings.simplefilter("ignore")
        return torch.jit.trace(module.eval(), torch.zeros(shape), check_trace=False)  # type: ignore[no-untyped-call]


def _best_class(model: ov.Model, classes: int, name: str, precision: str, size: tuple[int, int]) -> ov.Model:
    """Replace the scores by the number of the best class, so that the graph returns label maps instead of scores.

    Scores of another size than the photo, rows and columns of which are given, are upsampled bilinearly.
    """
    scores = model.outputs[0].get_node().input_value(0)
    if len(scores.get_partial_shape()) != 4 or scores.get_shape()[1] != classes:
        raise FacepartError(
            f"{name}: its output is {scores.get_partial_shape()}, expected scores for {classes} classes: name its "
            "classes by --label-set"
        )
    if tuple(scores.get_shape()[2:]) != size:
        scores = ops.interpolate(
            scores, _integers(list(size)), "linear_onnx", "sizes", axes=_integers([2, 3])
        ).output(0)
    labels = _labels_in_fp32(scores) if precision in ("bf16", _INT8) else None
    return ov.Model([ops.result(_best(scores) if labels is None else labels)], model.get_parameters())


def _best(scores: ov.Output) -> ov.Node:
    """Scores (1, classes, ...) -> the number of the best class, uint8 (1, ...); of equal scores, the first counts."""
    best = ops.topk(scores, _integers(1), axis=1, mode="max", sort="value").output(1)
    return ops.convert(ops.squeeze(best, _integers([1])), "u8")


def _labels_in_fp32(scores: ov.Output) -> ov.Node | None:
    """Build label maps from what is upsampled to `scores`, in fp32 in a graph that is compiled for bfloat16.

    bfloat16 has 8 significant bits: upsampled scores of the two best classes would be equal in 0.6 % of a photo's
    pixels, and all of these would get the class with the lower number. OpenVINO computes the end of a graph in fp32,
    back to the last convolution, product or interpolation (`Graph::EnforceInferencePrecision` of its CPU plugin).
    So the interpolation becomes sums of rows and columns with weights, and the 1x1 convolution before it, whose
    weights' rounding would favour some classes, a transposed one, which is not on that list.

    Returns:
        uint8 (1, height, width); None if the scores are not upsampled bilinearly at the end.
    """
    upsample = scores.get_node()
    height, width = scores.get_shape()[2:]
    vertical, horizontal = (_taps(upsample, axis) for axis in (2, 3))
    if vertical is None or horizontal is None:
        return None
    (rows, down), (columns, across) = vertical, horizontal
    coarse = _unrounded(upsample.input_value(0))
    left, right = (_take(coarse, columns + step, 3) for step in (0, 1))
    wide = ops.add(left, ops.multiply(ops.subtract(right, left), ops.constant(across)))
    # Rows between the same two are computed at once, as many for each two as for any: rows that are not needed cost
    # less than copies of the two for each.
    gaps = wide.get_output_shape(0)[2] - 1
    place = np.arange(height) - np.searchsorted(rows, rows)
    per_gap = int(place.max()) + 1
    weights = np.zeros((gaps, per_gap, 1), np.float32)
    weights[rows, place, 0] = down
    shape = _integers([1, wide.get_output_shape(0)[1], gaps, 1, width])
    above, below = (ops.reshape(_take(wide, np.arange(gaps) + step, 2), shape, False) for step in (0, 1))
    upsampled = ops.add(above, ops.multiply(ops.subtract(below, above), ops.constant(weights)))
    labels = ops.reshape(_best(upsampled.output(0)), _integers([1, gaps * per_gap, width]), False)
    return _take(labels, rows * per_gap + place, 1)


def _taps(upsample: ov.Node, axis: int) -> tuple[NDArray[np.int64], NDArray[np.float32]] | None:
    """Return how an operator interpolates along an axis; None if it does not upsample linearly.

    Returns:
        For each row, or column, of the output: the number of the first of the two of the input that it lies between,
        ascending, and the second's weight, 0..1.
    """
    if upsample.get_type_name() != "Interpolate":
        return None
    attributes = upsample.get_attributes()
    small, large = (upsample.input_value(0).get_shape()[axis], upsample.get_output_shape(0)[axis])
    padded = any([*attributes["pads_begin"], *attributes["pads_end"]])
    # Scales that are given need not be those of the sizes.
    odd = large % small and attributes["shape_calculation_mode"] != "sizes"
    if attributes["mode"] not in ("linear", "linear_onnx") or padded or small < 2 or odd:
        return None
    position = np.arange(large, dtype=np.float64)
    match attributes["coordinate_transformation_mode"]:
        case "align_corners":
            position *= (small - 1) / (large - 1)
        case "half_pixel" | "pytorch_half_pixel":
            position = (position + 0.5) * small / large - 0.5
        case "asymmetric":
            position *= small / large
        case _:
            return None
    position = position.clip(0, small - 1)
    first = np.minimum(position.astype(np.int64), small - 2)
    return first, (position - first).astype(np.float32)


def _unrounded(value: ov.Output) -> ov.Output:
    """Return a value that a 1x1 convolution computes, by an operator whose weights OpenVINO does not round.

    A constant may be added to it.
    """
    node = value.get_node()
    if node.get_type_name() == "Add" and node.input_value(1).get_node().get_type_name() == "Constant":
        exact = _unrounded(node.input_value(0))
        replaced = exact.get_node().get_type_name() == "ConvolutionBackpropData"
        return ops.add(exact, node.input_value(1)).output(0) if replaced else value
    if node.get_type_name() != "Convolution":
        return value
    weights, attributes = node.input_value(1).get_node(), node.get_attributes()
    plain = all(each == 1 for each in (*attributes["strides"], *node.input_value(1).get_shape()[2:]))
    if (
        weights.get_type_name() != "Constant"
        or not plain
        or any([*attributes["pads_begin"], *attributes["pads_end"]])
    ):
        return value
    transposed = ops.constant(np.ascontiguousarray(weights.data.swapaxes(0, 1)))
    return ops.convolution_backprop_data(
        node.input_value(0), transposed, strides=[1, 1], pads_begin=[0, 0], pads_end=[0, 0], dilations=[1, 1]
    ).output(0)


def _take(value: ov.Output | ov.Node, numbers: NDArray[np.int64], axis: int) -> ov.Node:
    return ops.gather(value, _integers(numbers), _integers(axis))


def _integers(numbers: int | list[int] | NDArray[np.int64]) -> ov.Node:
    return ops.constant(np.asarray(numbers, np.int64))


def _with_preprocessing(model: ov.Model, preprocessing: Preprocessing) -> ov.Model:
    """Add the conversion from 8-bit RGB photos to the graph."""
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
