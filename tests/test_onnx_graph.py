"""What is made of an ONNX file before it runs: unused inputs, stored integers, other outputs.

Judged by ONNX Runtime, and by NumPy that computes each number on its own.
"""

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from benchmarks.fuzz.networks import save_graph
from facepart.data.photo_input import read_photo
from facepart.errors import FacepartError
from facepart.networks.alignment import align_photo
from facepart.networks.catalogue.files import network_sha256
from facepart.networks.engine import Preprocessing
from facepart.networks.face_detector import FaceDetector
from facepart.networks.onnx.file import describe_onnx
from facepart.networks.onnx.graph import dequantize, photo_inputs, read_model, reduce_graph
from facepart.networks.openvino_engine import OpenVinoEngine
from facepart.networks.pytorch_engine import PyTorchEngine
from facepart.networks.recogniser import RecogniserFile, open_recogniser
from tests.conftest import Run
from tests.small_faces import draw
from tests.witness.checkpoints import cosines

pytestmark = pytest.mark.slow

SIDE = 8
LENGTH = 64
TAKES = Preprocessing(SIDE, SIDE, "rgb", (127.5,) * 3, (127.5,) * 3)
VALUE = helper.make_tensor_value_info


def save(path, nodes, stored, inputs=(), outputs=(("embedding", LENGTH),), opset=21, tensors=(), side=SIDE):
    """Write a graph from the input ``face``; `inputs` are further ones, (name, shape)."""
    graph = helper.make_graph(
        nodes,
        "recogniser",
        [VALUE("face", TensorProto.FLOAT, ["n", 3, side, side])]
        + [VALUE(name, TensorProto.FLOAT, shape) for name, shape in inputs],
        [VALUE(name, TensorProto.FLOAT, ["n", length]) for name, length in outputs],
        [*(numpy_helper.from_array(array, name) for name, array in stored.items()), *tensors],
    )
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", opset)]), path)
    return path


def ends(matrix="matrix"):
    """Nodes that flatten the face and multiply by a matrix."""
    return [
        helper.make_node("Flatten", ["face"], ["flat"]),
        helper.make_node("MatMul", ["flat", matrix], ["embedding"]),
    ]


@pytest.fixture
def matrix():
    return np.random.default_rng(0).normal(0, 0.1, (3 * SIDE * SIDE, LENGTH)).astype(np.float32)


@pytest.fixture
def pictures():
    return np.random.default_rng(1).integers(0, 256, (3, SIDE, SIDE, 3)).astype(np.uint8)


def flattened(pictures):
    """What a graph's input is, a row for each photo."""
    return (pictures.transpose(0, 3, 1, 2).reshape(len(pictures), -1).astype(np.float64) - 127.5) / 127.5


def one_by_one(quantized, scale, zero, axis, block):
    """DequantizeLinear by its definition, a number at a time."""
    out = np.empty(quantized.shape, np.float64)
    for place in np.ndindex(quantized.shape):
        if scale.ndim == 0:
            at: tuple[int, ...] = ()
        elif block:
            at = tuple(each // block if number == axis else each for number, each in enumerate(place))
        else:
            at = (place[axis],)
        out[place] = (float(quantized[place]) - float(zero[at])) * float(scale[at])
    return out


@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    axis=st.integers(0, 3),
    block=st.integers(0, 6),
    kind=st.sampled_from(["int8", "uint8", "int32"]),
    scalar=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_stored_integers_are_computed_as_defined(shape, axis, block, kind, scalar, seed):
    generator = np.random.default_rng(seed)
    axis %= len(shape)
    quantized = generator.integers(0, 100, shape).astype(kind)
    sides = list(shape)
    sides[axis] = -(-shape[axis] // block) if block else shape[axis]
    wanted = () if scalar and not block else tuple(sides) if block else (shape[axis],)
    scale = np.asarray(generator.uniform(0.1, 2, wanted), np.float32)
    zero = np.asarray(generator.integers(0, 20, wanted), kind)
    expected = one_by_one(quantized, scale, zero, axis, block)
    found = dequantize(quantized, scale, zero, axis=axis, block=block)
    assert found.dtype == np.float32
    assert found.shape == quantized.shape
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    # Axes may count from the end, and no zero point means 0.
    none = dequantize(quantized, scale, axis=axis - len(shape), block=block)
    np.testing.assert_allclose(none, one_by_one(quantized, scale, zero * 0, axis, block), rtol=1e-6)


@pytest.mark.parametrize("engine", [OpenVinoEngine, PyTorchEngine])
@pytest.mark.parametrize("block", [16, 24, 192])
@pytest.mark.parametrize("kind", [np.int8, np.uint8])
def test_weights_in_blocks_give_the_embedding_computed_by_hand(tmp_path, pictures, engine, block, kind):
    generator = np.random.default_rng(2)
    quantized = generator.integers(0, 120, (3 * SIDE * SIDE, LENGTH)).astype(kind)
    blocks = (len(quantized) // block, LENGTH)
    scale = generator.uniform(0.001, 0.01, blocks).astype(np.float32)
    zero = generator.integers(40, 80, blocks).astype(kind)
    nodes = [
        helper.make_node("DequantizeLinear", ["stored", "scale", "zero"], ["matrix"], axis=0, block_size=block),
        *ends(),
    ]
    path = save(tmp_path / "net.onnx", nodes, {"stored": quantized, "scale": scale, "zero": zero})
    expected = flattened(pictures) @ one_by_one(quantized, scale, zero, 0, block)
    _, preprocessing = RecogniserFile(path).load()
    assert (preprocessing, describe_onnx(path).dimension) == (TAKES, LENGTH)
    np.testing.assert_allclose(engine(path, TAKES)(pictures), expected, atol=1e-4)


def test_weights_of_four_bits_from_a_constant_node_and_then_reshaped(tmp_path, pictures):
    generator = np.random.default_rng(3)
    numbers = generator.integers(-8, 8, (2, 3 * SIDE * SIDE * LENGTH // 2))
    scale = generator.uniform(0.01, 0.1, (2, numbers.shape[1] // 32)).astype(np.float32)
    stored = helper.make_tensor("stored", TensorProto.INT4, numbers.shape, numbers.ravel())
    nodes = [
        helper.make_node("Constant", [], ["stored"], value=stored),
        helper.make_node("DequantizeLinear", ["stored", "scale"], ["long"], axis=-1, block_size=32),
        helper.make_node("Reshape", ["long", "sides"], ["matrix"]),
        *ends(),
    ]
    path = save(tmp_path / "net.onnx", nodes, {"scale": scale, "sides": np.array([3 * SIDE * SIDE, LENGTH])})
    weights = numbers * np.repeat(scale, 32, axis=1)
    expected = flattened(pictures) @ weights.reshape(-1, LENGTH)
    for engine in (OpenVinoEngine, PyTorchEngine):
        np.testing.assert_allclose(engine(path, TAKES)(pictures), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("stored", "attributes", "message"),
    [
        ({"scale": np.ones((5, LENGTH), np.float32)}, {"axis": 0, "block_size": 16}, r"scales \(5, 64\) of blocks"),
        ({"scale": np.ones(5, np.float32)}, {"axis": 0}, r"scales \(5\) along axis 0"),
        ({"scale": np.ones((12, LENGTH), np.float32)}, {"axis": 7, "block_size": 16}, "a DequantizeLinear"),
    ],
)
def test_scales_that_do_not_fit_are_reported_in_one_line(tmp_path, stored, attributes, message):
    nodes = [helper.make_node("DequantizeLinear", ["stored", "scale"], ["matrix"], **attributes), *ends()]
    path = save(tmp_path / "net.onnx", nodes, {"stored": np.ones((192, LENGTH), np.int8), **stored})
    for load in (
        lambda path: RecogniserFile(path).load(),
        lambda path: OpenVinoEngine(path, TAKES),
        lambda path: PyTorchEngine(path, TAKES),
    ):
        with pytest.raises(FacepartError, match=message) as told:
            load(path)
        assert str(told.value).startswith(f"{path}: its node ")
        assert "\n" not in str(told.value)


@pytest.mark.parametrize("engine", [OpenVinoEngine, PyTorchEngine])
def test_inputs_that_nothing_needs_are_left_out(tmp_path, pictures, matrix, engine):
    """Listed and used by no node; listed and stored; used for another output alone; used in an unused node."""
    nodes = [
        *ends(),
        helper.make_node("Add", ["embedding", "label"], ["loss"]),
        helper.make_node("Neg", ["lonely"], ["nowhere"]),
    ]
    inputs = [("forgotten", [32, 3, 3, 3]), ("matrix", list(matrix.shape)), ("label", [1]), ("lonely", [4])]
    outputs = (("embedding", LENGTH), ("loss", LENGTH))
    path = save(tmp_path / "net.onnx", nodes, {"matrix": matrix}, inputs, outputs, opset=17)
    _, preprocessing = RecogniserFile(path).load()
    assert (preprocessing, describe_onnx(path).dimension) == (TAKES, LENGTH)
    np.testing.assert_allclose(engine(path, TAKES)(pictures), flattened(pictures) @ matrix, atol=1e-4)


def test_what_a_subgraph_takes_from_outside_is_kept(tmp_path):
    branch = helper.make_graph(
        [helper.make_node("MatMul", ["flat", "matrix"], ["product"])], "then", [], [VALUE("product", 1, None)]
    )
    nodes = [
        helper.make_node("Flatten", ["face"], ["flat"]),
        helper.make_node("If", ["yes"], ["embedding"], then_branch=branch, else_branch=branch),
    ]
    stored = {"matrix": np.ones((192, LENGTH), np.float32), "yes": np.array(True), "unused": np.ones(3, np.float32)}
    model = read_model(save(tmp_path / "net.onnx", nodes, stored))
    reduce_graph(model)
    assert {tensor.name for tensor in model.graph.initializer} == {"matrix", "yes"}
    assert [value.name for value in photo_inputs(model.graph)] == ["face"]


def test_a_graph_without_input_or_with_one_that_counts_for_nothing_is_refused(tmp_path, matrix):
    path = save(tmp_path / "net.onnx", ends(), {"matrix": matrix})
    model = onnx.load(path)
    model.graph.input.pop()
    model.graph.initializer.append(numpy_helper.from_array(np.zeros((1, 3, SIDE, SIDE), np.float32), "face"))
    onnx.save(model, path)
    with pytest.raises(FacepartError, match="has 0 inputs, expected one"):
        RecogniserFile(path).load()
    with pytest.raises(FacepartError, match="has 0 inputs, expected one"):
        OpenVinoEngine(path, TAKES)


@pytest.mark.parametrize("length", [256, 512, 1024])
@pytest.mark.parametrize("normalised", [False, True])
def test_embeddings_of_any_length_whether_normalised_or_not(tmp_path, pictures, length, normalised):
    weights = np.random.default_rng(4).normal(0, 1, (3 * SIDE * SIDE, length)).astype(np.float32)
    nodes = ends()
    if normalised:
        nodes[-1].output[0] = "long"
        nodes.append(helper.make_node("LpNormalization", ["long"], ["embedding"], axis=1, p=2))
    path = save(tmp_path / "net.onnx", nodes, {"matrix": weights}, outputs=(("embedding", length),), opset=17)
    assert describe_onnx(path).dimension == length
    assert cosines(OpenVinoEngine(path, TAKES)(pictures), flattened(pictures) @ weights).min() > 0.99999


def test_an_embedding_with_two_axes_of_length_one_is_flattened(tmp_path, matrix, run: Run):
    nodes = [*ends(), helper.make_node("Unsqueeze", ["embedding", "axes"], ["column"])]
    stored = {"matrix": matrix, "axes": np.array([2, 3])}
    path = save(tmp_path / "net.onnx", nodes, stored, outputs=(), opset=17)
    model = onnx.load(path)
    model.graph.output.append(VALUE("column", TensorProto.FLOAT, ["n", LENGTH, 1, 1]))
    onnx.save(model, path)
    assert describe_onnx(path).dimension == LENGTH
    draw(tmp_path / "photos" / "1.png", 1)
    done = run("-m", "facepart", "extract", "-s", tmp_path / "photos", "-d", tmp_path / "f", "--model", path,
               "--device", "cpu", "--precision", "fp32")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "f" / "1.npy").shape == (LENGTH,)


def test_weights_of_half_precision_behind_an_input_of_single(tmp_path, pictures, matrix):
    nodes = [
        helper.make_node("Cast", ["face"], ["half"], to=TensorProto.FLOAT16),
        helper.make_node("Flatten", ["half"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["product"]),
        helper.make_node("Cast", ["product"], ["embedding"], to=TensorProto.FLOAT),
    ]
    path = save(tmp_path / "net.onnx", nodes, {"matrix": matrix.astype(np.float16)}, opset=17)
    _, preprocessing = RecogniserFile(path).load()
    assert preprocessing == TAKES
    expected = flattened(pictures) @ matrix.astype(np.float16).astype(np.float64)
    assert cosines(OpenVinoEngine(path, TAKES)(pictures), expected).min() > 0.9999


def test_weights_beside_the_file_that_are_missing_or_out_of_reach_are_reported(tmp_path, matrix):
    path = save(tmp_path / "net.onnx", ends(), {"matrix": matrix}, opset=17)
    model = onnx.load(path)
    onnx.save_model(model, path, save_as_external_data=True, location="net.data", size_threshold=0)
    assert describe_onnx(path).dimension == LENGTH
    (tmp_path / "net.data").unlink()
    for load in (lambda path: RecogniserFile(path).load(), network_sha256, lambda path: OpenVinoEngine(path, TAKES)):
        with pytest.raises(FacepartError, match=r"net\.onnx: ") as told:
            load(path)
        assert "\n" not in str(told.value)
    stored = onnx.load(path, load_external_data=False)
    for location in ("a" * 10_000_000, "../" * 100_000 + "x"):
        stored.graph.initializer[0].external_data[0].value = location
        onnx.save(stored, path)
        with pytest.raises(FacepartError) as told:
            network_sha256(path)
        assert len(str(told.value)) < 1000


def test_names_of_ten_megabytes_do_not_reach_the_screen(tmp_path, matrix):
    long = "x" * 10_000_000
    nodes = ends()
    nodes[0].op_type = long
    nodes[0].name = long
    path = save(tmp_path / "net.onnx", nodes, {"matrix": matrix}, opset=17)
    for load in (
        lambda path: RecogniserFile(path).load(),
        lambda path: OpenVinoEngine(path, TAKES),
        lambda path: PyTorchEngine(path, TAKES),
    ):
        try:
            load(path)
        except FacepartError as error:
            assert len(str(error)) < 1000
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([helper.make_node("NotAnOperator", ["face"], ["flat"])], "No conversion rule found for operations: NotAn"),
        ([helper.make_node("Reshape", ["face", "odd"], ["flat"])], "Incompatible MatMul matrix dimension"),
    ],
)
def test_openvino_reasons_come_without_its_sources(tmp_path, nodes, words):
    stored = {"matrix": np.ones((192, LENGTH), np.float32), "odd": np.array([-1, 7])}
    path = save(tmp_path / "net.onnx", [*nodes, ends()[1]], stored, opset=17)
    with pytest.raises(FacepartError, match=words) as told:
        OpenVinoEngine(path, TAKES)
    text = str(told.value)
    assert text.startswith(f"{path}: does not run on photos of 8x8: ")
    assert not any(each in text for each in ("src/", ".cpp", ".hpp", "Exception from", "Check '", "\n"))


def test_a_file_that_is_no_network_is_refused_before_openvino_sees_it(tmp_path, capfd):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"\x08\x07garbage" * 30)
    with pytest.raises(FacepartError, match=r"net\.onnx: is damaged or not an ONNX file"):
        OpenVinoEngine(path, TAKES)
    assert capfd.readouterr().err == ""


@settings(max_examples=60)
@given(position=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_file_never_gives_another_error(tmp_path_factory, position, byte, cut):
    folder = tmp_path_factory.mktemp("damaged")
    quantized = np.ones((192, LENGTH), np.int8)
    nodes = [helper.make_node("DequantizeLinear", ["stored", "scale"], ["matrix"], axis=0, block_size=16), *ends()]
    path = save(folder / "net.onnx", nodes, {"stored": quantized, "scale": np.ones((12, LENGTH), np.float32)})
    damaged = bytearray(path.read_bytes())
    # The graph's beginning and end, where the structure is.
    position = position % 400 if position % 2 else len(damaged) - 1 - position % 400
    damaged[position] = byte
    path.write_bytes(damaged[:position] if cut else damaged)
    try:
        RecogniserFile(path).load()
    except FacepartError as error:
        assert str(error).startswith(f"{path}: ")
        assert "\n" not in str(error)


def test_sface_gives_the_embeddings_of_onnxruntime(sface_weights, face_paths, detector_weights):
    """OpenCV's FaceRecognizerSF gives it RGB of 0..255, unscaled: blobFromImage(crop, 1, (112, 112), 0, swapRB)."""
    _, preprocessing = RecogniserFile(sface_weights).load()
    assert preprocessing == Preprocessing(112, 112)
    assert describe_onnx(sface_weights).dimension == 128
    detector = FaceDetector(detector_weights)
    crops = np.stack([align_photo(read_photo(path), detector) for path in face_paths[:12]])
    session_options = onnxruntime.SessionOptions()
    session_options.log_severity_level = 4
    session = onnxruntime.InferenceSession(sface_weights, session_options, providers=["CPUExecutionProvider"])
    # ONNX Runtime wants the 29 inputs that no node uses.
    unused = {each.name: np.zeros(each.shape, np.float32) for each in session.get_inputs() if each.name != "data"}
    assert len(unused) == 29
    pixels = crops.transpose(0, 3, 1, 2).astype(np.float32)
    right = np.concatenate([session.run(None, {"data": photo[None], **unused})[0] for photo in pixels])
    assert cosines(open_recogniser(sface_weights, device="cpu", precision="fp32")(crops), right).min() > 0.9999
    assert cosines(PyTorchEngine(sface_weights, preprocessing)(crops), right).min() > 0.9999


def test_sface_gives_the_features_of_opencv(sface_weights, face_paths, detector_weights, tmp_path):
    """OpenCV's own program for this network, on crops that it aligns itself."""
    model = onnx.load(sface_weights)
    for each in [each for each in model.graph.input if each.name != "data"]:
        model.graph.input.remove(each)  # no node uses them, and OpenCV 5 refuses several inputs
    onnx.save(model, tmp_path / "sface.onnx")
    recogniser = cv2.FaceRecognizerSF.create(str(tmp_path / "sface.onnx"), "")
    detector = cv2.FaceDetectorYN.create(str(detector_weights), "", (0, 0))
    crops: list[NDArray[np.uint8]] = []
    expected = []
    for path in face_paths[:4]:
        photo = np.ascontiguousarray(read_photo(path)[..., ::-1])  # BGR
        detector.setInputSize((photo.shape[1], photo.shape[0]))
        crop = recogniser.alignCrop(photo, detector.detect(photo)[1][0])
        crops.append(crop[..., ::-1].astype(np.uint8))
        expected.append(recogniser.feature(crop)[0].copy())
    engine = open_recogniser(sface_weights, device="cpu", precision="fp32")
    found = engine(np.stack(crops))
    assert cosines(found, np.stack(expected)).min() > 0.9999
    # Another order of the channels would show.
    assert cosines(found, engine(np.stack([crop[..., ::-1] for crop in crops]))).max() < 0.999
    # Our alignment is OpenCV's but for the interpolation.
    own = FaceDetector(detector_weights)
    aligned = np.stack([align_photo(read_photo(path), own) for path in face_paths[:4]])
    assert cosines(found, engine(aligned)).min() > 0.9


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("an input is gone", "is damaged: its node Conv, Conv, lacks an input"),
        ("no operator set", "is damaged: it names no operator set"),
        ("a huge operator set", "is damaged: AveragePool of operator set 4294967296 cannot be"),
    ],
)
def test_a_graph_that_openvino_chokes_on_is_refused_in_one_line(tmp_path, run_process: Run, damage, reason) -> None:
    # Given to OpenVINO, the first one ends the process, and the second one prints what its other readers dislike.
    path = tmp_path / "net.onnx"
    save_graph(path)
    model = onnx.load(path)
    if damage == "no operator set":
        del model.opset_import[:]
    elif damage == "a huge operator set":
        model.opset_import[0].version = 2**32
    else:
        del model.graph.node[1].input[0]
    onnx.save(model, path)
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos" / "1_1.png"), np.zeros((112, 112, 3), np.uint8))
    command = ["-m", "facepart", "extract", "-s", tmp_path / "photos", "-d", tmp_path / "f", "--model", path]
    done = run_process(*command, "--device", "cpu")
    assert done.returncode == 1
    assert done.stderr == f"facepart: {path}: {reason}\n"
