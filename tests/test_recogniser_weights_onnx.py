"""ONNX recognisers: what the file says of itself, with onnxruntime as the judge of what goes in."""

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from facepart.errors import FacepartError
from facepart.networks.engine import Preprocessing
from facepart.networks.onnx.file import describe_onnx
from facepart.networks.openvino_engine import OpenVinoEngine
from facepart.networks.recogniser import RecogniserFile, choose_size

SIDE = 8
DIMENSION = 64
PLAIN = Preprocessing(SIDE, SIDE, "rgb", (127.5,) * 3, (127.5,) * 3)
RAW = Preprocessing(SIDE, SIDE, "rgb", (0.0,) * 3, (1.0,) * 3)


def write(
    path,
    before=(),
    shape=("n", 3, SIDE, SIDE),
    given=("n", DIMENSION),
    kind=TensorProto.FLOAT,
    more_inputs=(),
    used=False,
):
    """Write a recogniser that flattens, multiplies and squashes; `before` are (operator, constant) on its input."""
    random = np.random.default_rng(0)
    nodes, constants, name = [], [], "face"
    for index, (operator, constant) in enumerate(before):
        inputs = [name]
        if constant is not None:
            inputs.append(f"constant{index}")
            tensor = numpy_helper.from_array(np.array(constant, np.float32), f"constant{index}")
            if index % 2:
                nodes.append(helper.make_node("Constant", [], [f"constant{index}"], value=tensor))
            else:
                constants.append(tensor)
        nodes.append(helper.make_node(operator, inputs, [f"step{index}"]))
        name = f"step{index}"
    weight = random.normal(0, 0.05, (3 * SIDE * SIDE, DIMENSION)).astype(np.float32)
    constants.append(numpy_helper.from_array(weight, "weight"))
    nodes += [
        helper.make_node("Flatten", [name], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["product"]),
        helper.make_node("Tanh", ["product"], ["embedding" if not used else "squashed"]),
        *[helper.make_node("Add", ["squashed", each], ["embedding"]) for each in more_inputs if used],
    ]
    values = [helper.make_tensor_value_info("face", kind, shape)]
    values += [helper.make_tensor_value_info(each, TensorProto.FLOAT, [1]) for each in more_inputs]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, given)
    graph = helper.make_graph(nodes, "recogniser", values, [output], constants)
    # A version that every onnxruntime of the last years runs.
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def onnxruntime_answer(path, pictures):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: pictures})[0]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ((), PLAIN),
        ((("Identity", None),), PLAIN),
        ((("Sub", 127.5), ("Mul", 0.0078125)), RAW),
        ((("Identity", None), ("Sub", [[[127.5]]] * 3), ("Mul", [[[1 / 128]]] * 3)), RAW),
        ((("Div", 127.5), ("Sub", 1.0)), RAW),
        # A fine adjustment, as of a BatchNorm taken apart, is no normalisation of 0..255.
        ((("Sub", 0.02), ("Mul", 1.1)), PLAIN),
    ],
)
def test_the_first_nodes_tell_what_goes_in(tmp_path, before, expected):
    path = write(tmp_path / "face.onnx", before)
    network, preprocessing = RecogniserFile(path).load()
    assert (network, preprocessing, describe_onnx(path).dimension) == (path, expected, DIMENSION)
    # Whatever the model list says, values are not normalised twice.
    assert RecogniserFile(path, PLAIN).load()[1] == expected
    raw = np.random.default_rng(1).integers(0, 256, (3, 3, SIDE, SIDE)).astype(np.uint8)
    photos = np.ascontiguousarray(raw.transpose(0, 2, 3, 1))
    answers = OpenVinoEngine(network, preprocessing)(photos)
    taken = (raw.astype(np.float32) - np.float32(expected.mean[0])) / np.float32(expected.scale[0])
    np.testing.assert_allclose(answers, onnxruntime_answer(path, taken), atol=1e-4)
    # The networks differ in how they normalise, not in what they see then: values of about -1 to 1.
    plain = onnxruntime_answer(write(tmp_path / "plain.onnx"), (raw.astype(np.float32) - 127.5) / 127.5)
    np.testing.assert_allclose(answers, plain, atol=0.15)


def test_fixed_and_free_dimensions_are_reported(tmp_path):
    fixed = describe_onnx(write(tmp_path / "fixed.onnx", shape=(1, 3, SIDE, SIDE)))
    assert (fixed.batch, fixed.height, fixed.width, fixed.dimension) == (1, SIDE, SIDE, DIMENSION)
    free = describe_onnx(write(tmp_path / "free.onnx", shape=("n", 3, "h", "w")))
    assert (free.batch, free.height, free.width) == (None, None, None)
    assert RecogniserFile(tmp_path / "free.onnx").load()[1].height == 112
    assert RecogniserFile(tmp_path / "free.onnx", PLAIN).load()[1] == PLAIN
    assert RecogniserFile(tmp_path / "free.onnx", PLAIN, (9, 7)).load()[1] == replace(PLAIN, height=9, width=7)
    assert choose_size(tmp_path / "free.onnx", PLAIN, (9, 7)) == (9, 7)
    assert choose_size(tmp_path / "free.onnx", PLAIN, (SIDE, SIDE)) is None
    assert choose_size(tmp_path / "fixed.onnx", None, (SIDE, SIDE)) is None
    half = write(tmp_path / "half.onnx", shape=("n", 3, SIDE, "w"))
    assert choose_size(half, None, (SIDE, 7)) == (SIDE, 7)
    for path, size, own in [(tmp_path / "fixed.onnx", (9, 8), "8x8"), (half, (9, 8), "8x112")]:
        with pytest.raises(FacepartError, match=f"only takes faces of {own}, not 9x8"):
            choose_size(path, None, size)


@pytest.mark.parametrize("given", [("n", "d"), (None, None), None])
def test_a_length_that_the_file_leaves_open_is_inferred(tmp_path, given):
    assert describe_onnx(write(tmp_path / "open.onnx", given=given)).dimension == DIMENSION


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"given": ("n", 19, 512, 512)},
            r"is not a recogniser: its output is \(n, 19, 512, 512\), expected embeddings",
        ),
        ({"given": ("n", 3)}, r"is not a recogniser: its output is \(n, 3\), expected embeddings"),
        ({"shape": ("n", SIDE, SIDE, 3)}, r"its input is \(n, 8, 8, 3\), expected faces"),
        ({"kind": TensorProto.UINT8}, r"its input is \(n, 3, 8, 8\) of type uint8, expected faces as 32-bit floats"),
        ({"kind": TensorProto.FLOAT16}, r"of type float16, expected faces as 32-bit floats"),
        ({"more_inputs": ("other",), "used": True}, "has 2 inputs, expected one"),
    ],
)
def test_files_that_are_not_recognisers_are_reported(tmp_path, options, message):
    path = write(tmp_path / "wrong.onnx", **options)
    with pytest.raises(FacepartError, match=message) as told:
        RecogniserFile(path).load()
    assert str(told.value).startswith(f"{path}: ")


def test_a_size_that_differs_from_the_catalogue_is_reported(tmp_path):
    path = write(tmp_path / "small.onnx")
    with pytest.raises(FacepartError, match=r"small.onnx: takes faces of 8x8, but the catalogue says 112x112"):
        RecogniserFile(path, Preprocessing(112, 112)).load()


def test_damaged_files_are_reported_in_one_line(tmp_path):
    whole = write(tmp_path / "whole.onnx").read_bytes()
    cut = tmp_path / "cut.onnx"
    for length in range(1, len(whole), len(whole) // 50):
        cut.write_bytes(whole[:length])
        with pytest.raises(FacepartError) as told:
            RecogniserFile(cut).load()
        assert str(told.value).startswith(f"{cut}: ")
        assert "\n" not in str(told.value)
    cut.write_text("<!DOCTYPE html>")
    with pytest.raises(FacepartError, match=r"cut.onnx: is a text file.*expected an .onnx file"):
        RecogniserFile(cut).load()


def test_a_real_recogniser_gets_what_it_was_trained_on(shared):
    path = shared / "models" / "edgeface_xs_512d.onnx"
    network, preprocessing = RecogniserFile(path).load()
    assert (network, describe_onnx(path).dimension) == (path, 512)
    photos = np.ascontiguousarray(np.load(shared / "golden" / "mxnet" / "faces_bgr_112.npy")[..., ::-1])
    answers = OpenVinoEngine(network, preprocessing)(photos)
    # Its README: RGB, x / 127.5 - 1.
    expected = onnxruntime_answer(path, photos.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(127.5) - 1)
    np.testing.assert_allclose(answers, expected, atol=1e-3 * np.abs(expected).max())
