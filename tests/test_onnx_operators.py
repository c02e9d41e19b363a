"""Each family of ONNX operators in PyTorch, on graphs of a few nodes, against ONNX Runtime."""

import numpy as np
import onnx
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from facepart.errors import FacepartError
from facepart.networks.graph_network import GraphNetwork
from facepart.networks.onnx.network import load_onnx
from facepart.networks.onnx.operators import ONNX_OPERATORS
from tests.witness.onnx_graphs import PHOTO, onnxruntime_answer, photos, write_graph

random = np.random.default_rng(1)


def node(operator, *inputs, output="answer", **attributes):
    return helper.make_node(operator, list(inputs), [output], **attributes)


def noise(*shape):
    return random.normal(0, 1, shape).astype(np.float32)


def whole(*numbers):
    return np.array(numbers, np.int64)


def number(value):
    return np.array(value, np.float32)


def answers(path, pictures):
    height, width = pictures.shape[2:]
    with torch.inference_mode():
        return load_onnx(path, height, width)(torch.from_numpy(pictures)).numpy()


def compare(path, pictures, atol=1e-5):
    expected = onnxruntime_answer(path, pictures)
    given = answers(path, pictures)
    assert given.shape == expected.shape
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=atol)


# Operators without attributes, with what goes before so that the answer is a number.
UNARY = {
    **{name: [] for name in ("Abs", "Ceil", "Cos", "Erf", "Exp", "Floor", "HardSwish", "Identity", "Neg", "Relu")},
    **{name: [] for name in ("Reciprocal", "Sigmoid", "Sin", "Tanh", "GlobalAveragePool", "GlobalMaxPool")},
    **{name: ["Abs"] for name in ("Log", "Sqrt")},
}


@pytest.mark.parametrize("operator", UNARY)
def test_operators_of_one_input(tmp_path, operator):
    nodes, name = [], PHOTO
    for each in [*UNARY[operator], operator]:
        nodes.append(node(each, name, output=f"{each}_{name}"))
        name = f"{each}_{name}"
    compare(write_graph(tmp_path / "a.onnx", nodes, outputs=[name]), photos(3))


# Name -> the node and its constants; the shape of a photo is (n, 3, 8, 6).
LAYERS = {
    "Add": ([node("Add", PHOTO, "c")], {"c": noise(3, 1, 1)}),
    "Sub from a constant": ([node("Sub", "c", PHOTO)], {"c": noise(1)}),
    "Mul by itself": ([node("Mul", PHOTO, PHOTO)], {}),
    "Div": ([node("Div", PHOTO, "c")], {"c": number(3)}),
    "Pow": ([node("Abs", PHOTO, output="a"), node("Pow", "a", "c")], {"c": number(1.5)}),
    "Sum": ([node("Sum", PHOTO, "c", PHOTO)], {"c": noise(1, 3, 8, 6)}),
    "Max": ([node("Max", PHOTO, "c", "d")], {"c": noise(6), "d": number(-0.2)}),
    "Min": ([node("Min", PHOTO, "c")], {"c": noise(6)}),
    "MatMul": ([node("MatMul", PHOTO, "c")], {"c": noise(6, 5)}),
    "Gemm": (
        [node("Flatten", PHOTO, output="f"), node("Gemm", "f", "w", "b", alpha=0.5, beta=2.0, transB=1)],
        {"w": noise(7, 144), "b": noise(7)},
    ),
    "Gemm without bias": (
        [node("Flatten", PHOTO, output="f"), node("Gemm", "f", "w", alpha=0.5)],
        {"w": noise(144, 7)},
    ),
    "Gemm turned round": (
        [
            node("Flatten", PHOTO, output="f"),
            node("Transpose", "f", output="t", perm=[1, 0]),
            node("Gemm", "t", "w", "b", transA=1),
        ],
        {"w": noise(144, 7), "b": noise(1, 7)},
    ),
    "BatchNormalization": (
        [node("BatchNormalization", PHOTO, "g", "b", "m", "v", epsilon=1e-3)],
        {"g": noise(3), "b": noise(3), "m": noise(3), "v": np.abs(noise(3))},
    ),
    "LayerNormalization": (
        [node("LayerNormalization", PHOTO, "g", "b", axis=-2, epsilon=1e-3)],
        {"g": noise(8, 6), "b": noise(8, 6)},
    ),
    "LpNormalization": ([node("LpNormalization", PHOTO, axis=1, p=2)], {}),
    "LpNormalization of sums": ([node("LpNormalization", PHOTO, p=1)], {}),
    "PRelu a slope for all": ([node("PRelu", PHOTO, "s")], {"s": noise(1)}),
    "PRelu a slope for each channel": ([node("PRelu", PHOTO, "s")], {"s": noise(3, 1, 1)}),
    "PRelu a slope for each pixel": ([node("PRelu", PHOTO, "s")], {"s": noise(3, 8, 6)}),
    "LeakyRelu": ([node("LeakyRelu", PHOTO, alpha=0.3)], {}),
    "HardSigmoid": ([node("HardSigmoid", PHOTO, alpha=0.3, beta=0.4)], {}),
    "Softmax": ([node("Softmax", PHOTO, axis=1)], {}),
    "Softmax by default": ([node("Softmax", PHOTO)], {}),
    "Clip": ([node("Clip", PHOTO, "low", "high")], {"low": number(-0.5), "high": number(0.25)}),
    "Clip above": ([node("Clip", PHOTO, "", "high")], {"high": number(0.25)}),
    "Dropout": ([node("Dropout", PHOTO, "r", "t")], {"r": number(0.5), "t": np.array(False)}),
    "Where": (
        [node("Greater", PHOTO, "c", output="g"), node("Not", "g", output="n"), node("Where", "n", PHOTO, "c")],
        {"c": noise(6)},
    ),
    "And, Or": (
        [
            node("Less", PHOTO, "zero", output="l"),
            node("GreaterOrEqual", PHOTO, "c", output="g"),
            node("LessOrEqual", PHOTO, "d", output="e"),
            node("And", "l", "g", output="a"),
            node("Or", "a", "e", output="o"),
            node("Cast", "o", to=TensorProto.FLOAT),
        ],
        {"zero": number(0), "c": number(-0.3), "d": number(-0.8)},
    ),
    "Cast to whole numbers": (
        [
            node("Mul", PHOTO, "c", output="m"),
            node("Cast", "m", output="i", to=TensorProto.INT64),
            node("Div", "i", "d", output="q"),
            node("Equal", "q", "one", output="e"),
            node("Where", "e", "d", "q", output="w"),
            node("Cast", "w", to=TensorProto.FLOAT),
        ],
        {"c": number(20), "d": whole(7), "one": whole(-1)},
    ),
    "ReduceMax": ([node("ReduceMax", PHOTO, axes=[1, -1], keepdims=0)], {}),
    "ReduceMin": ([node("ReduceMin", PHOTO, axes=[2])], {}),
    "ReduceMean": ([node("ReduceMean", PHOTO, axes=[2, 3], keepdims=0)], {}),
    "ReduceL2": ([node("ReduceL2", PHOTO, axes=[1], keepdims=1)], {}),
    "ReduceSum": ([node("ReduceSum", PHOTO, "a", keepdims=0)], {"a": whole(-1, 1)}),
    "CumSum": ([node("CumSum", PHOTO, "a")], {"a": np.array(-1)}),
    "Transpose": ([node("Transpose", PHOTO, perm=[0, 2, 3, 1])], {}),
    "Flatten": ([node("Flatten", PHOTO, axis=-2)], {}),
    "Reshape": ([node("Reshape", PHOTO, "s")], {"s": whole(0, -1, 0, 2)}),
    "Reshape counting": ([node("Reshape", PHOTO, "s", allowzero=1)], {"s": whole(-1, 3, 48)}),
    "Concat": ([node("Concat", PHOTO, PHOTO, axis=-3)], {}),
    "Expand": (
        [node("ReduceMean", PHOTO, output="m", axes=[1, 3]), node("Expand", "m", "s")],
        {"s": whole(2, 1, 4)[1:]},
    ),
    "Tile": ([node("Tile", PHOTO, "t")], {"t": whole(1, 2, 1, 3)}),
    "Squeeze and Unsqueeze": (
        [
            node("ReduceMean", PHOTO, output="m", axes=[2, 3]),
            node("Squeeze", "m", "a", output="s"),
            node("Unsqueeze", "s", "b"),
        ],
        {"a": whole(-1, 2), "b": whole(-1, 1)},
    ),
    "Gather some": ([node("Gather", PHOTO, "i", axis=-3)], {"i": whole(2, -2, 0)}),
    "Gather one": ([node("Gather", PHOTO, "i", axis=2)], {"i": np.array(-1)}),
    "Gather a table": ([node("Gather", PHOTO, "i", axis=3)], {"i": whole(5, 0, 1, 1).reshape(2, 2)}),
    "Slice": (
        [node("Slice", PHOTO, "b", "e", "a", "s")],
        {"b": whole(1, -6), "e": whole(2**63 - 1, -1), "a": whole(3, -2), "s": whole(2, 3)},
    ),
    "Slice backwards": (
        [node("Slice", PHOTO, "b", "e", "a", "s")],
        {"b": whole(-1, -2, 2), "e": whole(-(2**63), 1, 0), "a": whole(1, 2, 3), "s": whole(-1, -2, -1)},
    ),
    "Slice all axes": ([node("Slice", PHOTO, "b", "e")], {"b": whole(0, 1, 2, 3), "e": whole(9, 9, 9, 9)}),
    "Pad with zeros": ([node("Pad", PHOTO, "p")], {"p": whole(0, 0, 1, 2, 0, 1, 3, 0)}),
    "Pad with a number": ([node("Pad", PHOTO, "p", "v")], {"p": whole(0, 0, 1, 2, 0, 0, -1, 0), "v": number(7)}),
    "Pad by reflection": ([node("Pad", PHOTO, "p", mode="reflect")], {"p": whole(0, 0, 1, 2, 0, 0, 3, 0)}),
    "Pad with the edge": ([node("Pad", PHOTO, "p", mode="edge")], {"p": whole(0, 0, 1, 2, 0, 0, 3, 0)}),
}


@pytest.mark.parametrize("name", LAYERS)
def test_operators(tmp_path, name):
    nodes, constants = LAYERS[name]
    compare(write_graph(tmp_path / "a.onnx", nodes, constants), photos(3))


# What newer versions have as an input, or do otherwise: the node, its constants and the version.
OLDER = {
    "BatchNormalization 7": (
        [node("BatchNormalization", PHOTO, "g", "b", "m", "v", spatial=1, momentum=0.5)],
        {"g": noise(3), "b": noise(3), "m": noise(3), "v": np.abs(noise(3))},
        8,
    ),
    "Clip 6": ([node("Clip", PHOTO, min=-0.5, max=0.25)], {}, 10),
    "Dropout 10": ([node("Dropout", PHOTO, ratio=0.3)], {}, 11),
    "Pad 2": ([node("Pad", PHOTO, pads=[0, 0, 1, 2, 0, 1, 3, 0], value=2.0)], {}, 10),
    "ReduceSum 11": ([node("ReduceSum", PHOTO, axes=[-1, 1], keepdims=0)], {}, 11),
    "ReduceMean 18": ([node("ReduceMean", PHOTO, "a", keepdims=0)], {"a": whole(2, 3)}, 18),
    "ReduceL2 18": ([node("ReduceL2", PHOTO, "a")], {"a": whole(1)}, 18),
    "Slice 1": ([node("Slice", PHOTO, starts=[1, 2], ends=[3, -1], axes=[1, 2])], {}, 9),
    "Softmax 11": ([node("Softmax", PHOTO, axis=2)], {}, 11),
    "Softmax 11 by default": ([node("Softmax", PHOTO)], {}, 11),
    "Squeeze 11": (
        [
            node("GlobalAveragePool", PHOTO, output="m"),
            node("Squeeze", "m", output="s", axes=[-1]),
            node("Unsqueeze", "s", output="answer", axes=[1, 4]),
        ],
        {},
        11,
    ),
    "Gelu 20": ([node("Gelu", PHOTO, approximate="tanh")], {}, 20),
    "Pad 18": ([node("Pad", PHOTO, "p", "", "a")], {"p": whole(1, 2, 0, 3), "a": whole(-1, 1)}, 18),
    "LayerNormalization without bias": ([node("LayerNormalization", PHOTO, "g")], {"g": noise(6)}, 17),
}


@pytest.mark.parametrize("name", OLDER)
def test_versions_of_operators(tmp_path, name):
    nodes, constants, opset = OLDER[name]
    compare(write_graph(tmp_path / "a.onnx", nodes, constants, opset=opset), photos(2))


@pytest.mark.parametrize(
    ("opset", "how", "attributes", "constants"),
    [
        (11, "in halves", {}, {}),
        (11, "by an attribute", {"split": [5, 1]}, {}),
        (13, "by an input", {}, {"lengths": whole(1, 5)}),
        (18, "in a number of parts", {"num_outputs": 2}, {}),
    ],
)
def test_split(tmp_path, opset, how, attributes, constants):
    split = helper.make_node("Split", [PHOTO, *constants], ["one", "other"], axis=-1, **attributes)
    nodes = [split, node("Concat", "other", "one", axis=3)]
    compare(write_graph(tmp_path / "a.onnx", nodes, constants, opset=opset), photos(2))


def test_constants_of_every_kind(tmp_path):
    nodes = [
        node("Constant", output="a", value=numpy_helper.from_array(noise(3, 1, 1).astype(np.float16))),
        node("Cast", "a", output="af", to=TensorProto.FLOAT),
        node("Constant", output="b", value_float=1.5),
        node("Constant", output="c", value_floats=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        node("Constant", output="d", value_int=2),
        node("Constant", output="e", value_ints=[8, 6]),
        node("ConstantOfShape", "e", output="f", value=helper.make_tensor("v", TensorProto.FLOAT, [1], [0.5])),
        node("Constant", output="start", value_int=1),
        node("Constant", output="stop", value_int=13),
        node("Range", "start", "stop", "d", output="g"),
        node("Cast", "g", output="gf", to=TensorProto.FLOAT),
        node("Cast", "d", output="df", to=TensorProto.FLOAT),
        node("Sum", PHOTO, "af", "b", "c", "f", "gf", "df"),
    ]
    path = write_graph(tmp_path / "a.onnx", nodes)
    compare(path, photos(2))
    # Nothing of that is left for later but one constant each.
    network = load_onnx(path, 8, 6)
    assert isinstance(network, GraphNetwork)
    assert len(network._steps) == 1


@pytest.mark.parametrize(
    ("scales", "sizes", "attributes"),
    [
        (
            (2.0, 2.0),
            None,
            {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        ),
        (
            (1.5, 0.5),
            None,
            {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        ),
        (None, (13, 9), {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
        ((0.5, 1.5), None, {"mode": "nearest", "nearest_mode": "round_prefer_ceil"}),
        ((2.0, 3.0), None, {"mode": "nearest"}),
        (None, (24, 12), {}),
        ((2.0, 3.0), None, {"mode": "linear"}),
        ((0.7, 1.3), None, {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}),
        (None, (5, 17), {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"}),
        ((8.0, 8.0), None, {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
        (None, (5, 17), {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
    ],
)
@pytest.mark.parametrize("opset", [11, 13, 18])
def test_resize(tmp_path, scales, sizes, attributes, opset):
    constants = {"scales": np.array([1, 1, *scales], np.float32)} if scales else {"sizes": whole(2, 3, *sizes)}
    inputs = [PHOTO, "", "scales"] if scales else [PHOTO, "", "", "sizes"]
    if opset == 11:
        constants["roi"] = np.zeros(0, np.float32)
        inputs[1] = "roi"
        if sizes:
            constants["none"] = np.zeros(0, np.float32)
            inputs[2] = "none"
    path = write_graph(tmp_path / "a.onnx", [node("Resize", *inputs, **attributes)], constants, opset=opset)
    compare(path, photos(2))


def test_resize_of_named_axes(tmp_path):
    nodes = [node("Resize", PHOTO, "", "scales", mode="linear", axes=[2, 3])]
    compare(write_graph(tmp_path / "a.onnx", nodes, {"scales": np.array([2, 3], np.float32)}, opset=18), photos(2))


pair = st.tuples(st.integers(1, 3), st.integers(1, 3)).map(list)
border: st.SearchStrategy[dict[str, object]] = st.one_of(
    st.fixed_dictionaries({"pads": st.lists(st.integers(0, 2), min_size=4, max_size=4)}),
    st.fixed_dictionaries({"auto_pad": st.sampled_from(["VALID", "SAME_UPPER", "SAME_LOWER", "NOTSET"])}),
    st.just({}),
)
window = st.fixed_dictionaries({"kernel_shape": pair}, optional={"strides": pair})
# At least what a kernel of 3 reaches when it takes every third row.
side = st.integers(7, 10)


def is_same(border):
    return border.get("auto_pad", "").startswith("SAME")


def skips(window):
    """Tell whether there are rows between the windows; for SAME, ONNX Runtime's pools then cut the first ones off."""
    strides = window.get("strides", [1, 1])
    return any(stride > kernel for stride, kernel in zip(strides, window["kernel_shape"], strict=True))


@settings(max_examples=60, deadline=None)
@given(window, border, pair, st.sampled_from([1, 3]), st.booleans(), side, side)
def test_convolution_with_any_border(tmp_path_factory, window, border, dilations, group, biased, height, width):
    # ONNX Runtime has no such thing.
    assume(dilations == [1, 1] or not is_same(border))
    constants = {"w": noise(6, 3 // group, *window["kernel_shape"]), "b": noise(6)}
    conv = node("Conv", PHOTO, *list(constants)[: 1 + biased], **window, **border, dilations=dilations, group=group)
    path = tmp_path_factory.mktemp("conv") / "a.onnx"
    compare(write_graph(path, [conv], constants, shape=("n", 3, "h", "w")), photos(2, height, width), atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(window, border, pair, st.integers(0, 1), side, side)
def test_max_pool_with_any_border(tmp_path_factory, window, border, dilations, ceil_mode, height, width):
    # ONNX Runtime refuses a border as wide as the kernel, and for SAME does not give the size that the
    # specification says, ceil(size / stride), if there are dilations.
    assume(max(border.get("pads", [0])) < min(window["kernel_shape"]))
    assume(not is_same(border) or (dilations == [1, 1] and not skips(window)))
    assume(not ceil_mode or "pads" in border)
    pool = node("MaxPool", PHOTO, **window, **border, dilations=dilations, ceil_mode=ceil_mode)
    path = tmp_path_factory.mktemp("pool") / "a.onnx"
    compare(write_graph(path, [pool], shape=("n", 3, "h", "w")), photos(2, height, width))


@settings(max_examples=60, deadline=None)
@given(window, border, st.integers(0, 1), st.integers(0, 1), side, side)
def test_average_pool_with_any_border(tmp_path_factory, window, border, ceil_mode, include, height, width):
    assume(max(border.get("pads", [0])) < min(window["kernel_shape"]))
    assume(not is_same(border) or not skips(window))
    assume(not ceil_mode or "pads" in border)
    pool = node("AveragePool", PHOTO, **window, **border, ceil_mode=ceil_mode, count_include_pad=include)
    path = tmp_path_factory.mktemp("pool") / "a.onnx"
    compare(write_graph(path, [pool], shape=("n", 3, "h", "w"), opset=19), photos(2, height, width))


@pytest.mark.parametrize(
    ("nodes", "constants", "opset", "message"),
    [
        (
            [node("Conv", PHOTO, "w", sparkle=1)],
            {"w": noise(1, 3, 1, 1)},
            17,
            "the attribute sparkle is not supported",
        ),
        (
            [node("Reshape", PHOTO, shape=[1, 3, 48])],
            {},
            17,
            "a Reshape: the attribute shape is not supported",
        ),
        (
            [node("Slice", PHOTO, starts=[0], ends=[1], steps=[1])],
            {},
            9,
            "a Slice: the attribute steps is not supported",
        ),
        ([node("Cast", PHOTO, to=TensorProto.STRING)], {}, 17, "a Cast: to 8 is not supported"),
        (
            [node("ReduceSum", PHOTO, "a", noop_with_empty_axes=1)],
            {"a": whole(1)},
            17,
            "noop_with_empty_axes 1 is not supported",
        ),
        (
            [node("Max", PHOTO, "", "c")],
            {"c": number(1)},
            17,
            "a Max: an input other than the last is left out",
        ),
        ([node("Det", PHOTO, name="odd")], {}, 17, "node odd, a Det: the operator is not supported"),
        ([node("Relu", PHOTO, domain="com.microsoft")], {}, 17, "answer, a Relu: the operator is not supported"),
        (
            [node("Resize", PHOTO, "", "s", mode="cubic")],
            {"s": number([1, 1, 2, 2])},
            17,
            "mode cubic is not supported",
        ),
        ([node("Resize", PHOTO, "s")], {"s": number([1, 1, 2, 2])}, 10, "that of operator set 10 is not supported"),
        ([node("Resize", PHOTO, "", "s")], {"s": number([1, 2, 2, 2])}, 17, r"scales \[1.0, 2.0\] is not supported"),
        ([node("Resize", PHOTO, "", "s")], {"s": number([1, 1, 0.5, 2])}, 17, "round_prefer_floor with scales"),
        ([node("MaxPool", PHOTO, kernel_shape=[2])], {}, 17, r"kernel_shape \[2\] is not for two dimensions"),
        (
            [node("AveragePool", PHOTO, kernel_shape=[2, 2], dilations=[2, 1])],
            {},
            19,
            "dilations .2, 1. is not supported",
        ),
        ([node("Conv", PHOTO, "w", auto_pad="SAME")], {"w": noise(1, 3, 1, 1)}, 17, "auto_pad SAME is not supported"),
        (
            [node("MaxPool", PHOTO, kernel_shape=[2, 2], ceil_mode=1, auto_pad="VALID")],
            {},
            17,
            "ceil_mode with auto_pad VALID is not supported",
        ),
        ([node("CumSum", PHOTO, "a", reverse=1)], {"a": np.array(1)}, 17, "reverse 1 is not supported"),
        (
            [node("Pad", PHOTO, "p", mode="wrap")],
            {"p": whole(0, 0, 1, 1, 0, 0, 1, 1)},
            19,
            "mode wrap is not supported",
        ),
        ([node("Dropout", PHOTO, "", "t")], {"t": np.array(True)}, 17, "training_mode True is not supported"),
        (
            [node("BatchNormalization", PHOTO, *["c"] * 4, training_mode=1)],
            {"c": noise(3)},
            17,
            "training_mode 1 is not supported",
        ),
    ],
)
def test_unsupported_features_are_reported_in_one_line(tmp_path, nodes, constants, opset, message):
    path = write_graph(tmp_path / "odd.onnx", nodes, constants, opset=opset)
    with pytest.raises(FacepartError, match=message) as told:
        load_onnx(path, 8, 6)
    assert str(told.value).startswith(f"{path}: its node ")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ONNX_OPERATORS)
def test_arguments_are_attributes_that_onnx_knows(name):
    """So that no attribute of a node goes by another name than the specification's."""
    schemas = [each for each in onnx.defs.get_all_schemas_with_history() if (each.domain, each.name) == ("", name)]
    known = {attribute for each in schemas for attribute in each.attributes}
    assert schemas
    assert ONNX_OPERATORS[name].attributes <= known
