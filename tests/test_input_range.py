"""Graphs that normalise their own input get the values that they normalise, with ONNX Runtime as the judge.

Each graph is a way to normalise, then a convolution and an average. Whatever the way, 8-bit photos must come out as
they do from the network without it that is fed -1..1.
"""

import logging
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from facepart.errors import FacepartError
from facepart.networks.engine import Preprocessing
from facepart.networks.face_parser import PREPROCESSING, ParserFile
from facepart.networks.input_range import choose_range, takes_bytes, takes_unit
from facepart.networks.openvino_engine import OpenVinoEngine
from facepart.networks.pytorch_engine import PyTorchEngine
from facepart.networks.recogniser import RecogniserFile
from tests.test_recogniser_weights_mxnet import TINY, node, tiny_arrays, tiny_nodes, write_tiny
from tests.witness.checkpoints import cosines
from tests.witness.onnx_graphs import PHOTO, onnxruntime_answer

SIDE = 16
USUAL = Preprocessing(SIDE, SIDE, "rgb", (127.5,) * 3, (127.5,) * 3)
BYTES, UNIT = takes_bytes(USUAL), takes_unit(USUAL)
IMAGENET_MEAN, IMAGENET_SCALE = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
FILTERS = 24


def channels(values):
    return np.asarray(values, np.float32).reshape(1, -1, 1, 1)


def batch_norm(mean, variance, gamma=(1, 1, 1), beta=(0, 0, 0)):
    return [("BatchNormalization", [gamma, beta, mean, variance], {"epsilon": 2e-5})]


def write(path, steps, shape=("n", 3, SIDE, SIDE), weights=None, bias=None, kind=TensorProto.FLOAT, opset=17):
    """Write steps of (operator, constants, attributes), one after another, then a convolution and averages."""
    stored: dict[str, Any] = {}
    nodes, name = [], PHOTO
    for index, (operator, constants, attributes) in enumerate(steps):
        names = [f"constant {index}.{place}" for place in range(len(constants))]
        integer = operator in ("Gather", "Slice", "Reshape", "Split", "Unsqueeze", "Squeeze", "Pad")
        stored |= {
            each: np.asarray(value, np.int64 if integer else np.float32)
            for each, value in zip(names, constants, strict=True)
        }
        nodes.append(helper.make_node(operator, [name, *names], [f"step {index}"], **attributes))
        name = f"step {index}"
    generator = np.random.default_rng(3)
    if weights is None:
        weights = generator.normal(0, 0.3, (FILTERS, 3, 3, 3))
    stored["weights"] = np.asarray(weights, np.float32)
    taken = [name, "weights"]
    if bias is not None:
        stored["bias"] = np.asarray(bias, np.float32)
        taken.append("bias")
    stored["matrix"] = generator.normal(0, 1, (FILTERS * 16, 64)).astype(np.float32)
    nodes += [
        helper.make_node("Conv", taken, ["maps"]),
        helper.make_node("Relu", ["maps"], ["positive"]),
        helper.make_node("AveragePool", ["positive"], ["means"], kernel_shape=[3, 3], strides=[3, 3]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "recogniser",
        [helper.make_tensor_value_info(PHOTO, kind, shape)],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 64])],
        [numpy_helper.from_array(array, each) for each, array in stored.items()],
    )
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", opset)]), path)
    return path


@pytest.fixture
def pictures():
    """8-bit photos with soft spots, uint8 (4, h, w, 3)."""
    spots = np.random.default_rng(7).integers(0, 256, (4, 4, 4, 3)).astype(np.uint8)
    return np.kron(spots, np.ones((1, SIDE // 4, SIDE // 4, 1), np.uint8))


# What it is called -> what it takes, and its steps.
FORMS = {
    "(x - 127.5) / 128": (BYTES, [("Sub", [127.5], {}), ("Div", [128], {})]),
    "(x - 127.5) * 0.0078125": (BYTES, [("Sub", [[127.5]], {}), ("Mul", [[0.0078125]], {})]),
    "x / 127.5 - 1": (BYTES, [("Div", [127.5], {}), ("Sub", [1], {})]),
    "x * (1 / 127.5) + -1": (BYTES, [("Mul", [1 / 127.5], {}), ("Add", [-1], {})]),
    "(x - 0.5) / 0.5": (UNIT, [("Sub", [0.5], {}), ("Div", [0.5], {})]),
    "2 x - 1": (UNIT, [("Mul", [2], {}), ("Sub", [1], {})]),
    "x - 0.5": (UNIT, [("Sub", [0.5], {})]),
    "(x * 255 - 127.5) / 127.5": (UNIT, [("Mul", [255], {}), ("Sub", [127.5], {}), ("Div", [127.5], {})]),
    "a cast to half precision": (
        UNIT,
        [
            ("Cast", [], {"to": TensorProto.FLOAT16}),
            ("Cast", [], {"to": TensorProto.FLOAT}),
            ("Sub", [0.5], {}),
            ("Div", [0.5], {}),
        ],
    ),
    "(x - 0.5) / 0.5 a channel": (UNIT, [("Sub", [channels([0.5] * 3)], {}), ("Div", [channels([0.5] * 3)], {})]),
    "limited to 0..1": (UNIT, [("Clip", [0, 1], {}), ("Mul", [2], {}), ("Sub", [1], {})]),
    "limited to -1..1": (USUAL, [("Clip", [-1, 1], {})]),
    "limited to 0..255": (BYTES, [("Clip", [0, 255], {}), ("Sub", [127.5], {}), ("Div", [127.5], {})]),
    "a BatchNorm of bytes": (BYTES, batch_norm([127.5] * 3, [127.5**2] * 3)),
    "a BatchNorm of 0..1": (UNIT, batch_norm([0.5] * 3, [0.25] * 3)),
    "a BatchNorm of -1..1": (USUAL, batch_norm([0] * 3, [1] * 3)),
    "a BatchNorm of -1..1, another scale": (USUAL, batch_norm([0] * 3, [0.25] * 3)),
    "a depthwise 1x1 convolution": (
        UNIT,
        [("Conv", [np.full((3, 1, 1, 1), 2), [-1, -1, -1]], {"group": 3, "kernel_shape": [1, 1]})],
    ),
    "channels swapped twice": (
        UNIT,
        [
            ("Gather", [[2, 1, 0]], {"axis": 1}),
            ("Mul", [2], {}),
            ("Gather", [[2, 1, 0]], {"axis": 1}),
            ("Sub", [1], {}),
        ],
    ),
    "rows and columns last, and back": (
        UNIT,
        [
            ("Transpose", [], {"perm": [0, 2, 3, 1]}),
            ("Sub", [[0.5, 0.5, 0.5]], {}),
            ("Transpose", [], {"perm": [0, 3, 1, 2]}),
            ("Div", [0.5], {}),
        ],
    ),
    "a mean of each pixel first": (
        BYTES,
        [("AveragePool", [], {"kernel_shape": [1, 1]}), ("Sub", [127.5], {}), ("Div", [127.5], {})],
    ),
    "a resize first": (
        UNIT,
        [("Resize", [[], [1, 1, 1, 1]], {"mode": "linear"}), ("Mul", [2], {}), ("Sub", [1], {})],
    ),
    "a border first": (BYTES, [("Pad", [[0] * 8], {}), ("Sub", [127.5], {}), ("Div", [127.5], {})]),
    "means of 2x2 in a row, then as they were": (
        USUAL,
        [
            ("AveragePool", [], {"kernel_shape": [2, 2], "strides": [2, 2]}),
            ("Reshape", [[0, 3, 64]], {}),
            ("Reshape", [[0, 3, 8, 8]], {}),
            ("Resize", [[], [1, 1, 2, 2]], {"mode": "nearest"}),
        ],
    ),
    "a resize alone": (USUAL, [("Resize", [[], [1, 1, 1, 1]], {"mode": "linear"})]),
    "nothing": (USUAL, []),
    "identities": (USUAL, [("Identity", [], {}), ("Dropout", [], {})]),
    "(x + 1) / 2, then twice that minus 1": (
        USUAL,
        [("Add", [1], {}), ("Div", [2], {}), ("Mul", [2], {}), ("Sub", [1], {})],
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_normalisation_gets_its_own_range(tmp_path, form, pictures):
    expected, steps = FORMS[form]
    path = write(tmp_path / "net.onnx", steps)
    network, preprocessing = RecogniserFile(path).load()
    assert preprocessing == expected
    # The network without the arithmetic, fed -1..1. There is no bias: a factor of all does not turn an embedding.
    plain = write(tmp_path / "plain.onnx", [])
    taken = (pictures.transpose(0, 3, 1, 2).astype(np.float32) - np.float32(127.5)) / np.float32(127.5)
    right = onnxruntime_answer(plain, taken)
    for engine in (OpenVinoEngine, PyTorchEngine) if form == "(x - 0.5) / 0.5" else (OpenVinoEngine,):
        assert cosines(engine(network, preprocessing)(pictures), right).min() > 0.9999


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([("Div", [255], {})], BYTES),
        ([("Mul", [1 / 256], {})], BYTES),
        ([("Sub", [channels([123.68, 116.78, 103.94])], {})], BYTES),
        (
            [("Div", [255], {}), ("Sub", [channels(IMAGENET_MEAN)], {}), ("Div", [channels(IMAGENET_SCALE)], {})],
            BYTES,
        ),
        ([("Sub", [channels(IMAGENET_MEAN)], {}), ("Div", [channels(IMAGENET_SCALE)], {})], UNIT),
        ([("Mul", [255], {}), ("Sub", [channels([123.68, 116.78, 103.94])], {})], UNIT),
        ([("Mul", [255], {})], UNIT),
        ([("Add", [1], {}), ("Mul", [0.5], {})], USUAL),
        (
            [
                ("Add", [1], {}),
                ("Div", [2], {}),
                ("Sub", [channels(IMAGENET_MEAN)], {}),
                ("Div", [channels(IMAGENET_SCALE)], {}),
            ],
            USUAL,
        ),
        # What a BatchNorm at the beginning has learnt of faces; with an odd channel, too.
        (batch_norm([118.2, 99.1, 92.5], [4900, 4300, 4400]), BYTES),
        (batch_norm([-0.07, -0.2, -0.27], [0.3, 0.26, 0.27]), USUAL),
        (batch_norm([0.46, 0.39, 0.36], [0.076, 0.066, 0.068], [0.8, 1.1, 1.2], [0.05, 0, -0.1]), UNIT),
        (batch_norm([118.2, 99.1, 0], [4900, 4300, 1e-12]), BYTES),
        # A mean for each pixel.
        ([("Sub", [np.full((3, SIDE, SIDE), 120)], {}), ("Div", [128], {})], BYTES),
    ],
)
def test_other_arithmetic_gets_the_range_that_it_brings_to_about_one(tmp_path, steps, expected):
    assert RecogniserFile(write(tmp_path / "net.onnx", steps)).load()[1] == expected


@pytest.mark.parametrize(
    "steps",
    [
        [("Mul", [40], {}), ("Add", [3], {})],
        [("Add", [30], {})],
        [("Mul", [0], {})],
        [("Sub", [1 / 3], {})],  # 0..1 and -1..1 are equally far from zero
        batch_norm([0] * 3, [1e-9] * 3),
        [("Sub", [np.nan], {})],
        [("Reshape", [[7, 11]], {}), ("Reshape", [[-1, 3, SIDE, SIDE]], {})],
    ],
)
def test_arithmetic_that_fits_no_range_is_refused_in_one_line(tmp_path, steps):
    path = write(tmp_path / "net.onnx", steps)
    with pytest.raises(
        FacepartError, match=r"the beginning of its graph|begins with arithmetic on its input"
    ) as told:
        RecogniserFile(path).load()
    assert str(told.value).startswith(f"{path}: ")
    assert "\n" not in str(told.value)
    # The model list knows what a network takes.
    assert RecogniserFile(path, USUAL).load()[1] == USUAL


def test_branches_that_take_other_ranges_are_refused(tmp_path):
    path = write(tmp_path / "net.onnx", [("Sub", [0.5], {}), ("Div", [0.5], {})])
    model = onnx.load(path)
    model.graph.node.append(helper.make_node("ReduceMean", [PHOTO], ["own mean"], axes=[1, 2, 3], keepdims=0))
    model.graph.node.append(helper.make_node("Unsqueeze", ["own mean", "one"], ["column"]))
    model.graph.node.append(helper.make_node("Add", ["embedding", "column"], ["sum"]))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "one"))
    model.graph.output[0].name = "sum"
    onnx.save(model, path)
    with pytest.raises(FacepartError, match="cannot be told"):
        RecogniserFile(path).load()


def test_a_photo_that_is_standardised_by_itself_takes_anything(tmp_path):
    """FaceNet's prewhitening inside the graph: the range makes no difference."""
    path = write(tmp_path / "net.onnx", [])
    model = onnx.load(path)
    first = model.graph.node[0]
    own = [
        helper.make_node("ReduceMean", [PHOTO], ["own mean"], axes=[1, 2, 3]),
        helper.make_node("Sub", [PHOTO, "own mean"], ["centred"]),
    ]
    first.input[0] = "centred"
    for each in reversed(own):
        model.graph.node.insert(0, each)
    onnx.save(model, path)
    assert RecogniserFile(path).load()[1] == USUAL


@pytest.mark.parametrize(("mean", "scale", "expected"), [(127.5, 127.5, BYTES), (0.5, 0.5, UNIT), (0.0, 1.0, USUAL)])
def test_a_normalisation_folded_into_the_first_convolution(tmp_path, caplog, pictures, mean, scale, expected):
    generator = np.random.default_rng(5)
    weights = generator.normal(0, 0.3, (FILTERS, 3, 3, 3))
    bias = generator.normal(0, 0.2, FILTERS)
    plain = write(tmp_path / "plain.onnx", [], weights=weights, bias=bias)
    folded = write(
        tmp_path / "folded.onnx",
        [],
        weights=weights / scale,
        bias=bias - weights.sum((1, 2, 3)) / scale * mean,
    )
    with caplog.at_level(logging.WARNING):
        network, preprocessing = RecogniserFile(folded).load()
    assert preprocessing == expected
    assert len(caplog.records) == (0 if expected == USUAL else 1)
    taken = (pictures.transpose(0, 3, 1, 2).astype(np.float32) - np.float32(127.5)) / np.float32(127.5)
    answers = OpenVinoEngine(network, preprocessing)(pictures)
    assert cosines(answers, onnxruntime_answer(plain, taken)).min() > 0.9999
    # The model list knows better than a guess.
    assert RecogniserFile(folded, USUAL).load()[1] == USUAL


@pytest.mark.parametrize("expected", [BYTES, UNIT, USUAL])
def test_a_batchnorm_after_the_first_convolution_tells_what_it_was_trained_on(tmp_path, pictures, expected):
    """A network trained by PyTorch's rules on photos of one range: the statistics are those of real convolutions."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 32, 3),
        torch.nn.BatchNorm2d(32, momentum=None),
        torch.nn.PReLU(32),
        torch.nn.AdaptiveAvgPool2d(2),
        torch.nn.Flatten(),
    )
    photos = torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy()).float()
    mean, scale = (torch.tensor(each)[:, None, None] for each in (expected.mean, expected.scale))
    with torch.no_grad():
        # Darker than grey, as faces are.
        network((photos * 0.9 - mean) / scale)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (torch.zeros(1, 3, SIDE, SIDE),),
            tmp_path / "net.onnx",
            dynamo=False,
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
        )
    assert "BatchNormalization" in {each.op_type for each in onnx.load(tmp_path / "net.onnx").graph.node}
    assert RecogniserFile(tmp_path / "net.onnx").load()[1] == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("_minus_scalar", 127.5), ("_mul_scalar", 0.0078125), "bytes"),
        (("_mul_scalar", 0.0078125), ("_minus_scalar", 0.99609375), "bytes"),
        (("_div_scalar", 255), ("_copy", 0), "bytes"),
        (("_minus_scalar", 0.5), ("_div_scalar", 0.5), "unit"),
        (("_mul_scalar", 2), ("_plus_scalar", -1), "unit"),
        (("_copy", 0), ("_mul_scalar", 1.1), "usual"),
    ],
)
def test_symbols_that_normalise(tmp_path, first, second, expected):
    nodes = tiny_nodes()
    for place, (operator, number) in enumerate((first, second), start=1):
        attributes = {} if operator == "_copy" else {"scalar": str(number)}
        nodes[place] = node(operator, f"step{place}", place - 1, **attributes)
    usual = replace(USUAL, height=112, width=112)
    ranges = {"bytes": takes_bytes(usual), "unit": takes_unit(usual), "usual": usual}
    assert RecogniserFile(write_tiny(tmp_path, nodes)).load()[1] == ranges[expected]


def test_a_symbol_that_fits_no_range_is_refused_in_one_line(tmp_path):
    nodes = tiny_nodes()
    nodes[1], nodes[2] = node("_mul_scalar", "a", 0, scalar="40"), node("_plus_scalar", "b", 1, scalar="3")
    path = write_tiny(tmp_path, nodes)
    with pytest.raises(
        FacepartError, match=r"with model-symbol.json: begins with arithmetic.*cannot be told"
    ) as told:
        RecogniserFile(path).load()
    assert "\n" not in str(told.value)
    assert RecogniserFile(path, TINY).load()[1] == TINY


@pytest.mark.parametrize(
    ("mean", "variance", "expected"),
    [(118.0, 4900.0, "bytes"), (0.45, 0.07, "unit"), (-0.1, 0.28, "usual"), (0.0, 1.0, "usual")],
)
def test_a_symbol_that_begins_with_a_batchnorm_tells_by_its_statistics(tmp_path, mean, variance, expected):
    """ArcFace's first ResNets begin with `bn_data`; gamma is fixed at 1 whatever the file holds."""
    nodes = tiny_nodes()
    parameters = [node("null", f"bn_data_{what}") for what in ("gamma", "beta", "moving_mean", "moving_var")]
    nodes = [
        nodes[0],
        *parameters,
        node("BatchNorm", "bn_data", 0, 1, 2, 3, 4, eps="2e-05", fix_gamma="True"),
        node("Pooling", "pool", 5, global_pool="True", kernel="(7, 7)", pool_type="avg"),
        node("Flatten", "flat", 6),
        *nodes[9:11],
        node("FullyConnected", "fc1", 7, 8, 9, num_hidden="2"),
    ]
    arrays = tiny_arrays() | {
        "arg:bn_data_gamma": np.full(3, 5, np.float32),
        "arg:bn_data_beta": np.zeros(3, np.float32),
        "aux:bn_data_moving_mean": np.full(3, mean, np.float32),
        "aux:bn_data_moving_var": np.full(3, variance, np.float32),
    }
    usual = replace(USUAL, height=112, width=112)
    ranges = {"bytes": takes_bytes(usual), "unit": takes_unit(usual), "usual": usual}
    assert RecogniserFile(write_tiny(tmp_path, nodes, arrays)).load()[1] == ranges[expected]


def test_a_parser_that_normalises_inside_gets_what_it_normalises(tmp_path):
    # Only the beginning matters here, and what is no beginning of ImageNet's stays as it was.
    mean, scale = channels(IMAGENET_MEAN), channels(IMAGENET_SCALE)
    inside: list[tuple[str, list[Any], dict[str, Any]]] = [
        ("Div", [255], {}),
        ("Sub", [mean], {}),
        ("Div", [scale], {}),
    ]
    for steps, expected in [
        ([], PREPROCESSING),
        (inside, takes_bytes(PREPROCESSING)),
        (inside[1:], takes_unit(PREPROCESSING)),
    ]:
        path = write(tmp_path / "parser.onnx", steps, shape=("n", 3, 512, 512))
        assert ParserFile(path).load() == (path, expected)


class Affine:
    """Arithmetic that scales and shifts."""

    def __init__(self, slope, shift):
        self.slope, self.shift = slope, shift

    def __call__(self, pixel):
        return [pixel * np.float32(self.slope) + np.float32(self.shift)]


@pytest.mark.parametrize("expected", [USUAL, BYTES, UNIT])
@pytest.mark.parametrize("mean", [-0.25, 0.0, 0.25])
@pytest.mark.parametrize("half", [0.5, 1.0, 2.0, 4.0])
def test_whatever_brings_a_range_to_zero_is_taken_for_that_range(expected, mean, half):
    """A property: any slope and shift that bring a range to -half..half around a mean near zero tell that range."""
    low, high = ((value - expected.mean[0]) / expected.scale[0] for value in (0, 255))
    slope = 2 * half / (high - low)
    shift = -slope * (low + high) / 2 + mean * half
    try:
        assert choose_range(Affine(slope, shift), USUAL) == expected
    except FacepartError:
        # 0..1 and -1..1 that are off zero to the other's side: half-way between them is refused.
        assert expected in (USUAL, UNIT)
        assert abs(mean) == 0.25


def test_the_case_from_the_field(tmp_path):
    """(x - 0.5) / 0.5 was fed -1..1: a cosine of 0.55 to the right embedding."""
    path = write(tmp_path / "net.onnx", [("Sub", [0.5], {}), ("Div", [0.5], {})])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    photo = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3)).astype(np.uint8)
    right = session.run(None, {PHOTO: photo.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)})[0]
    wrong = session.run(None, {PHOTO: photo.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(127.5) - 1})[0]
    assert cosines(right, wrong).max() < 0.9
    network, preprocessing = RecogniserFile(path).load()
    assert cosines(OpenVinoEngine(network, preprocessing)(photo), right).min() > 0.9999
