"""MXNet checkpoints: read without MXNet, and answering as Apache MXNet 1.9.1 did (golden answers)."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from facepart.errors import FacepartError
from facepart.networks.engine import Preprocessing
from facepart.networks.mxnet.checkpoint import read_parameters, read_symbol
from facepart.networks.openvino_engine import OpenVinoEngine
from facepart.networks.pytorch_engine import PyTorchEngine
from facepart.networks.recogniser import RecogniserFile, choose_size, open_recogniser
from tests.witness.checkpoints import FLAGS, cosines, golden_parameters, write_parameters

pytestmark = pytest.mark.slow

TINY = Preprocessing(2, 2, "rgb", (1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
RAW = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))

arrays = st.sampled_from(sorted(FLAGS)).flatmap(
    lambda kind: npst.arrays(kind, npst.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=3))
)


def node(operator, name, *inputs, **attributes):
    return {"op": operator, "name": name, "inputs": [[each, 0, 0] for each in inputs], "attrs": attributes}


def tiny_nodes():
    """Return the nodes of (x - 127.5) / 128, average over the picture, BatchNorm, linear, and a training head."""
    return [
        node("null", "data"),
        node("_minus_scalar", "minus", 0, scalar="127.5"),
        node("_mul_scalar", "mul", 1, scalar="0.0078125"),
        node("Pooling", "pool", 2, global_pool="True", kernel="(7, 7)", pool_type="avg"),
        *[node("null", f"bn_{what}") for what in ("gamma", "beta", "moving_mean", "moving_var")],
        node("BatchNorm", "bn", 3, 4, 5, 6, 7),
        node("null", "fc1_weight"),
        node("null", "fc1_bias"),
        node("FullyConnected", "fc1", 8, 9, 10, num_hidden="2"),
        node("null", "softmax_label"),
        node("SoftmaxOutput", "softmax", 11, 12),
    ]


def tiny_arrays():
    return {
        # The symbol leaves fix_gamma at its default, True: this 5 must count as 1.
        "arg:bn_gamma": np.full(3, 5, np.float32),
        "arg:bn_beta": np.array([0, 1, 2], np.float32),
        "aux:bn_moving_mean": np.array([0, 0.5, 0], np.float32),
        "aux:bn_moving_var": np.array([1, 4, 0.25], np.float32) - np.float32(0.001),
        "arg:fc1_weight": np.array([[1, 0, 0], [1, 2, 4]], np.float32),
        "arg:fc1_bias": np.array([0.25, -1], np.float32),
    }


def write_tiny(folder, nodes=None, arrays=None, epoch=0, **options):
    folder.mkdir(exist_ok=True)
    (folder / "model-symbol.json").write_text(json.dumps({"nodes": nodes or tiny_nodes()}))
    return write_parameters(folder / f"model-{epoch:04d}.params", arrays or tiny_arrays(), **options)


def run(path, pictures):
    network, _ = RecogniserFile(path, TINY).load()
    assert isinstance(network, torch.nn.Module)
    with torch.inference_mode():
        return network(torch.from_numpy(pictures)).numpy()


@given(stored=st.dictionaries(st.text(max_size=5), arrays, max_size=4), version=st.sampled_from([0, 1, 2, 3]))
def test_parameters_are_read_back_in_every_version(stored, version, tmp_path_factory):
    path = tmp_path_factory.mktemp("parameters") / "model-0000.params"
    read = read_parameters(write_parameters(path, {f"arg:{name}": array for name, array in stored.items()}, version))
    assert list(read) == list(stored)
    for name, array in stored.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


def test_a_file_cut_short_anywhere_is_reported(tmp_path):
    whole = write_tiny(tmp_path).read_bytes()
    cut = tmp_path / "cut-0000.params"
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        with pytest.raises(FacepartError, match=r"cut-0000.params: is (cut short|not an MXNet parameter file)"):
            read_parameters(cut)


@given(position=st.integers(0, 400), byte=st.integers(0, 255))
def test_a_damaged_byte_never_gives_another_error(position, byte, tmp_path_factory):
    path = write_tiny(tmp_path_factory.mktemp("damaged"))
    damaged = bytearray(path.read_bytes())
    damaged[position % len(damaged)] = byte
    path.write_bytes(damaged)
    try:
        read_parameters(path)
    except FacepartError as error:
        assert "\n" not in str(error)


def test_a_network_that_averages_over_the_picture_takes_any_size(tmp_path):
    path = write_tiny(tmp_path)
    assert RecogniserFile(path, size=(5, 4)).load()[1] == Preprocessing(5, 4, "rgb", *RAW)
    assert choose_size(path, None, (5, 4)) == (5, 4)
    assert choose_size(path, None, (112, 112)) is None  # its own
    assert choose_size(path, TINY, (2, 2)) is None


def test_a_size_that_the_last_layer_does_not_fit_is_reported_with_a_remedy(tmp_path):
    nodes, arrays = tiny_nodes(), tiny_arrays()
    nodes[3] = node("Flatten", "pool", 2)  # every pixel counts on its own
    for what in ("arg:bn_gamma", "arg:bn_beta", "aux:bn_moving_mean", "aux:bn_moving_var"):
        arrays[what] = np.ones(3 * 112 * 112, np.float32)
    arrays["arg:fc1_weight"] = np.ones((2, 3 * 112 * 112), np.float32)
    path = write_tiny(tmp_path, nodes, arrays)
    assert open_recogniser(path, device="cpu", precision="fp32").output_shape == (2,)
    with pytest.raises(FacepartError) as told:
        open_recogniser(path, device="cpu", precision="fp32", size=(160, 160))
    assert str(told.value).startswith(f"{path}: does not run on faces of 160x160")
    assert str(told.value).endswith("leave out --image-size for the network's own size")
    assert "\n" not in str(told.value)


def test_a_small_network_gives_the_answer_computed_by_hand(tmp_path):
    # Channel means 127.5 + 128 * (1, 2, 3): after BN with gamma 1: 1, (2 - 0.5) / 2 + 1 = 1.75, 3 / 0.5 + 2 = 8.
    picture = np.zeros((1, 3, 2, 2), np.float32)
    picture[0] = 127.5 + 128 * np.array([1, 2, 3], np.float32)[:, None, None]
    picture[0, :, 0, 0] += 3
    picture[0, :, 1, 1] -= 3
    answer = run(write_tiny(tmp_path), picture)
    np.testing.assert_allclose(answer, [[1.25, 1 + 2 * 1.75 + 4 * 8 - 1]], rtol=1e-6)
    assert answer.shape == (1, 2)


def test_global_pooling_ignores_its_windows(tmp_path):
    picture = np.random.default_rng(0).uniform(0, 255, (2, 3, 2, 2)).astype(np.float32)
    expected = run(write_tiny(tmp_path / "plain"), picture)
    nodes = tiny_nodes()
    nodes[3]["attrs"] |= {"kernel": "(2,)", "pooling_convention": "same"}
    found = run(write_tiny(tmp_path / "odd", nodes), picture)
    np.testing.assert_array_equal(found, expected)


def test_a_graph_that_normalises_itself_gets_raw_values(tmp_path):
    nodes = tiny_nodes()
    found = RecogniserFile(write_tiny(tmp_path, nodes), TINY).load()[1]
    assert (found.height, found.width, found.mean, found.scale) == (2, 2, *RAW)
    nodes[1], nodes[2] = node("_copy", "minus", 0), node("_copy", "mul", 1)
    assert RecogniserFile(write_tiny(tmp_path, nodes), TINY).load()[1] == TINY
    assert RecogniserFile(tmp_path).load()[1] == Preprocessing(112, 112, "rgb", (127.5,) * 3, (127.5,) * 3)


@pytest.mark.parametrize("key", ["attr", "param"])
def test_symbols_of_older_versions_are_read(tmp_path, key):
    nodes = [{**{k: v for k, v in each.items() if k != "attrs"}, key: each["attrs"]} for each in tiny_nodes()]
    picture = np.random.default_rng(0).uniform(0, 255, (2, 3, 2, 2)).astype(np.float32)
    expected = run(write_tiny(tmp_path / "new"), picture)
    np.testing.assert_array_equal(run(write_tiny(tmp_path / "old", nodes), picture), expected)


def test_a_folder_gives_its_newest_epoch_and_a_prefix_the_epoch_named(tmp_path):
    for epoch in (0, 12, 3):
        write_tiny(tmp_path, arrays=tiny_arrays() | {"arg:fc1_bias": np.full(2, epoch, np.float32)}, epoch=epoch)
    zero = np.full((1, 3, 2, 2), 127.5, np.float32)
    # What is no bias is the same in all: 0 in the first number, by the weights.
    assert run(tmp_path, zero)[0, 0] == 12
    assert run(tmp_path / "model,3", zero)[0, 0] == 3
    assert run(tmp_path / "model-0000.params", zero)[0, 0] == 0
    with pytest.raises(FacepartError, match=r"model-0007.params: no such file"):
        RecogniserFile(tmp_path / "model,7", TINY).load()
    shutil.copy(tmp_path / "model-0000.params", tmp_path / "other-0000.params")
    with pytest.raises(FacepartError, match=r"several checkpoints \(model, other\)"):
        RecogniserFile(tmp_path, TINY).load()


def replaced(index, new):
    nodes = tiny_nodes()
    nodes[index] = new
    return nodes


def without(name):
    stored = tiny_arrays()
    del stored[name]
    return stored


@pytest.mark.parametrize(
    ("nodes", "stored", "message"),
    [
        (
            replaced(3, node("Deconvolution", "up", 2)),
            None,
            "up .Deconvolution.: the operator is not supported",
        ),
        (
            replaced(3, node("Pooling", "pool", 2, pool_type="lp")),
            None,
            "pool .Pooling.: pool_type lp is not supported",
        ),
        (
            replaced(3, node("Pooling", "pool", 2, pooling_convention="same")),
            None,
            "pool .Pooling.: pooling_convention same is not supported",
        ),
        (
            replaced(3, node("Pooling", "pool", 2, kernel="(2,)")),
            None,
            r"pool .Pooling.: kernel \(2,\) is not supported",
        ),
        (
            replaced(8, node("BatchNorm", "bn", 3, 4, 5, 6, 7, axis="3")),
            None,
            "bn .BatchNorm.: axis 3 is not supported",
        ),
        (
            replaced(3, node("Convolution", "conv", 2, layout="NHWC")),
            None,
            "conv .Convolution.: layout NHWC is not supported",
        ),
        (
            replaced(3, node("LeakyReLU", "elu", 2, act_type="elu")),
            None,
            "elu .LeakyReLU.: act_type elu is not supported",
        ),
        (replaced(2, node("_mul_scalar", "mul", 1)), None, "mul ._mul_scalar.: the attribute scalar is missing"),
        (replaced(11, node("FullyConnected", "out", 8, 9, 10)), None, "has no node fc1"),
        (replaced(0, node("null", "picture")), None, "the parameter picture of the symbol is missing"),
        (None, without("arg:fc1_bias"), "the parameter fc1_bias of the symbol is missing"),
        (None, tiny_arrays() | {"arg:fc1_weight": np.ones((2, 7), np.float32)}, "does not run on faces of 2x2"),
        (None, tiny_arrays() | {"arg:fc1_bias": np.full(2, np.nan, np.float32)}, "is not a usable embedding"),
        (replaced(3, node("Pooling", "pool", 9)), None, "is not an MXNet symbol"),
    ],
)
def test_files_that_do_not_make_a_recogniser_are_reported_in_one_line(tmp_path, nodes, stored, message):
    path = write_tiny(tmp_path, nodes, stored)
    with pytest.raises(FacepartError, match=message) as told:
        RecogniserFile(path, TINY).load()
    assert str(tmp_path) in str(told.value)
    assert "\n" not in str(told.value)


def test_missing_and_foreign_files_are_reported(tmp_path):
    with pytest.raises(FacepartError, match="has no MXNet checkpoint"):
        RecogniserFile(tmp_path).load()
    path = write_tiny(tmp_path)
    path.write_text("<html>not found</html>")
    with pytest.raises(FacepartError, match=r"model-0000.params: is a text file.*expected"):
        RecogniserFile(path).load()
    (tmp_path / "model-symbol.json").write_text("{}")
    write_parameters(path, tiny_arrays())
    with pytest.raises(FacepartError, match=r"model-symbol.json: is not an MXNet symbol"):
        RecogniserFile(path).load()
    (tmp_path / "model-symbol.json").unlink()
    with pytest.raises(FacepartError, match=r"model-symbol.json: no such file"):
        RecogniserFile(path).load()


@pytest.mark.parametrize("runtime", [OpenVinoEngine, PyTorchEngine])
def test_mobilefacenet_answers_as_mxnet_did(shared, runtime):
    network, preprocessing = RecogniserFile(shared / "models" / "mobilefacenet-y1" / "model,0").load()
    faces = np.load(shared / "golden" / "mxnet" / "faces_bgr_112.npy")[..., ::-1]
    answers = runtime(network, preprocessing)(np.ascontiguousarray(faces))
    expected = np.load(shared / "golden" / "mxnet" / "mobilefacenet_y1_embeddings.npy")
    assert answers.shape[1] == 128
    assert cosines(answers, expected).min() > 0.9999999
    np.testing.assert_allclose(answers, expected, atol=1e-4)


def test_lresnet100_answers_as_mxnet_did(shared, tmp_path):
    symbol = shared / "models" / "arcface-r100-random" / "model-symbol.json"
    shutil.copy(symbol, tmp_path)
    write_parameters(tmp_path / "model-0000.params", golden_parameters(read_symbol(symbol)))
    network, preprocessing = RecogniserFile(Path(tmp_path)).load()
    noise = np.random.default_rng(123).integers(0, 256, (2, 3, 112, 112)).astype(np.uint8)
    answers = PyTorchEngine(network, preprocessing)(noise.transpose(0, 2, 3, 1))
    expected = np.load(shared / "golden" / "mxnet" / "r100_random_embeddings.npy")
    assert answers.shape[1] == 512
    assert cosines(answers, expected).min() > 0.9999999
    np.testing.assert_allclose(answers, expected, atol=1e-4)
