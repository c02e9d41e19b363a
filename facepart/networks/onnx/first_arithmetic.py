"""What an ONNX graph does with its input before the first weights, computed by onnx's reference implementation."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from facepart.errors import FacepartError, one_line
from facepart.networks.onnx.graph import photo_inputs, read_names, stored_values

# Operators that scale, shift, limit or rearrange values, and have no weights.
_ARITHMETIC = {
    "Add",
    "BatchNormalization",
    "Cast",
    "CastLike",
    "Clip",
    "Concat",
    "Div",
    "Dropout",
    "Flatten",
    "Gather",
    "Identity",
    "Max",
    "Min",
    "Mul",
    "Neg",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Sub",
    "Sum",
    "Transpose",
    "Unsqueeze",
}
# Operators that leave a photo of one colour one, besides a border; computed, some would take minutes.
_FLAT = {"AveragePool", "MaxPool", "Pad", "Resize", "Upsample"}
# Operators that look at lengths, not at values.
_SHAPES = {"Shape", "Size"}
# A convolution of this kernel on three channels normalises, or swaps the channels.
_PER_PIXEL = {(3, 1, 1, 1), (3, 3, 1, 1)}
# The mean of photos of faces in each range, as far as it was ever different from this: 76 to 200 of 255.
_MEAN_OF_BYTES, _MEAN_OF_UNIT = (60.0, 200.0), (0.3, 0.75)
_FEWEST_FILTERS, _LEAST_EXPLAINED = 8, 0.5


class OnnxArithmetic:
    """The beginning of a graph; a :class:`facepart.networks.input_range.FirstArithmetic`."""

    def __init__(self, model: onnx.ModelProto, height: int, width: int) -> None:
        """Find the beginning of a graph.

        Args:
            model: reduced by :func:`facepart.networks.onnx.graph.reduce_graph`.
            height: rows of its input.
            width: columns of its input.

        Raises:
            FacepartError: the beginning of the graph cannot be computed. The message names no file.
        """
        (source,) = photo_inputs(model.graph)
        self._source = source.name
        batch = source.type.tensor_type.shape.dim[0].dim_value or 1
        self._shape = (batch, 3, height, width)
        self._model = model
        self._stored = stored_values(model.graph)
        self._ends = self._find_ends()
        self._evaluator: ReferenceEvaluator | None = None

    def __call__(self, pixel: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """See :class:`facepart.networks.input_range.FirstArithmetic`.

        Raises:
            FacepartError: the beginning of the graph cannot be computed.
        """
        photo = np.broadcast_to(pixel[:, None, None], self._shape).astype(np.float32)
        if self._ends == [self._source]:
            return [photo]
        try:
            if self._evaluator is None:
                self._evaluator = self._evaluate(self._ends)
            # What overflows, such as a cast of a value far out of range, is told by the result.
            with np.errstate(all="ignore"):
                answers = self._evaluator.run(None, {self._source: photo})
            return [np.asarray(answer).astype(np.float32) for answer in answers]
        except Exception as error:
            # The reference implementation lets through whatever NumPy raises.
            raise FacepartError(f"the beginning of its graph cannot be computed: {one_line(error)}") from error

    @property
    def is_empty(self) -> bool:
        """Whether the first weights see the input as it is."""
        return self._ends == [self._source]

    def folded_mean(self) -> float | None:
        """Estimate the mean that the first convolution takes off its input; None if it does not seem to take one off.

        A normalisation can be folded into the first convolution: its weights are divided by the deviation, and from
        its biases the mean times the sum of each filter is subtracted. So does a BatchNorm after it that has learnt
        the means of its inputs. The mean is the slope of what is subtracted on the sums, through zero, if it explains
        half of the variation over at least 8 filters. In networks that take -1..1 it is about -0.1, or explains
        little.
        """
        nodes = self._model.graph.node
        node = next((each for each in nodes if each.op_type == "Conv"), None)
        if not self.is_empty or node is None or self._source not in node.input[:1] or len(node.input) < 2:
            return None
        after = [each for each in nodes if not set(each.input).isdisjoint(node.output)]
        names = [*node.input[2:3]]
        if len(after) == 1 and after[0].op_type == "BatchNormalization":
            names += after[0].input[3:4]
        weights, *shifts = (self._constant(name) for name in (node.input[1], *filter(None, names)))
        if weights is None or weights.ndim != 4 or len(weights) < _FEWEST_FILTERS:
            return None
        sums = weights.sum((1, 2, 3), dtype=np.float64)
        subtracted = np.zeros(len(sums))
        for name, shift in zip(filter(None, names), shifts, strict=True):
            if shift is None or shift.shape != sums.shape:
                return None
            subtracted += -shift if name in node.input else shift
        together, own, others = sums @ subtracted, sums @ sums, subtracted @ subtracted
        if not together**2 >= _LEAST_EXPLAINED * own * others > 0:
            return None
        return float(together / own)

    def _find_ends(self) -> list[str]:
        """Return the values that operators with weights take, or the graph's output."""
        graph = self._model.graph
        from_photo, before_weights = {self._source}, {self._source}
        flat: set[str] = set()
        ends: list[str] = []
        for node in graph.node:
            taken = [name for name in read_names(node) if name in from_photo]
            if not taken or node.op_type in _SHAPES:
                continue
            from_photo.update(node.output)
            # What is left as it is has another size than in the network, which a new shape depends on.
            sized = node.op_type == "Reshape" and not flat.isdisjoint(taken)
            if self._is_arithmetic(node) and before_weights.issuperset(taken) and not sized:
                before_weights.update(filter(None, node.output))
                if node.op_type in _FLAT or not flat.isdisjoint(taken):
                    flat.update(node.output)
            else:
                ends += [name for name in taken if name in before_weights]
        ends += [value.name for value in graph.output if value.name in before_weights]
        return list(dict.fromkeys(ends))

    def _is_arithmetic(self, node: onnx.NodeProto) -> bool:
        if node.op_type == "Conv":
            return len(node.input) > 1 and _stored_shape(self._stored.get(node.input[1])) in _PER_PIXEL
        return node.op_type in _ARITHMETIC | _FLAT

    def _constant(self, name: str) -> NDArray[np.float32] | None:
        """Return a value that does not depend on the input; None if it does, or cannot be computed."""
        try:
            if name in self._stored:
                return numpy_helper.to_array(self._stored[name]).astype(np.float32)
            (value,) = self._evaluate([name]).run(None, {})
            return np.asarray(value).astype(np.float32)
        except Exception:  # the reference implementation lets through whatever NumPy raises
            return None

    def _evaluate(self, ends: list[str]) -> ReferenceEvaluator:
        """Return an evaluator of the part of the graph that computes some values."""
        graph = self._model.graph
        needed, nodes = set(ends), []
        for node in reversed(graph.node):
            if not needed.isdisjoint(node.output):
                flat = node.op_type in _FLAT
                used = onnx.helper.make_node("Identity", node.input[:1], node.output[:1]) if flat else node
                nodes.append(used)
                needed.update(read_names(used))
        part = onnx.helper.make_graph(
            nodes[::-1],
            "beginning",
            [value for value in graph.input if value.name in needed],
            [onnx.helper.make_empty_tensor_value_info(name) for name in ends],
            [tensor for tensor in graph.initializer if tensor.name in needed],
        )
        versions = self._model.opset_import
        return ReferenceEvaluator(
            onnx.helper.make_model(part, opset_imports=versions, functions=self._model.functions)
        )


def range_of_mean(mean: float | None) -> str:
    """Return which range has such a mean in photos of faces: ``bytes``, ``unit``, or empty for -1..1 or unknown."""
    if mean is None:
        return ""
    if _MEAN_OF_BYTES[0] <= mean <= _MEAN_OF_BYTES[1]:
        return "bytes"
    return "unit" if _MEAN_OF_UNIT[0] <= mean <= _MEAN_OF_UNIT[1] else ""


def _stored_shape(tensor: onnx.TensorProto | None) -> tuple[int, ...]:
    return tuple(tensor.dims) if tensor is not None else ()
