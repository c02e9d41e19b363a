"""Engines give what the network gives; the stream around them keeps order, bounds and errors."""

import copy
import threading

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from facepart.data.photo_input import PhotoError
from facepart.errors import FacepartError, UsageError
from facepart.networks.engine import Preprocessing
from facepart.networks.engine_choice import choose_precision, open_engine
from facepart.networks.openvino_engine import OpenVinoEngine, cpu_precisions
from facepart.networks.pytorch_engine import PyTorchEngine
from facepart.pipeline import batches as streaming

pytestmark = pytest.mark.slow

SMALL = Preprocessing(height=16, width=24, colour="bgr", mean=(10.0, 20.0, 30.0), scale=(2.0, 4.0, 8.0))


class Loaded:
    """A network that is loaded already."""

    def __init__(self, network, preprocessing):
        self.answer = network, preprocessing

    def load(self):
        return self.answer

    def sha256(self):
        raise AssertionError("is asked for where a compiled network is cached, and only there")


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()


@pytest.fixture
def photos():
    return np.random.default_rng(3).integers(0, 256, (5, 16, 24, 3)).astype(np.uint8)


def by_hand(network, photos):
    x = torch.from_numpy(photos[..., ::-1].astype(np.float32).copy())
    x = (x - torch.tensor(SMALL.mean)) / torch.tensor(SMALL.scale)
    with torch.no_grad():
        return network(x.permute(0, 3, 1, 2)).numpy()


@pytest.mark.parametrize("engine", [OpenVinoEngine, PyTorchEngine])
def test_preprocessing_and_network_are_as_by_hand(engine, network, photos):
    expected = by_hand(network, photos)
    np.testing.assert_allclose(engine(network, SMALL)(photos), expected, rtol=1e-4, atol=1e-5)
    assert engine(network, SMALL)(photos[:0]).shape == (0, 5)


def test_the_answer_does_not_depend_on_the_batch(network, photos):
    whole = PyTorchEngine(network, SMALL)(photos)
    np.testing.assert_allclose(PyTorchEngine(network, SMALL, batch=2)(photos), whole, rtol=1e-5, atol=1e-6)
    engine = OpenVinoEngine(network, SMALL)
    np.testing.assert_array_equal(np.concatenate([engine(photo[None]) for photo in photos]), engine(photos))


@pytest.mark.parametrize("batch", [1, None])
def test_onnx_files_of_any_batch_run_as_in_onnxruntime(tmp_path, network, photos, batch):
    import onnx
    from onnx import TensorProto, helper

    # Mean over the picture, times 2: enough to see that the right pixels arrive.
    two = helper.make_tensor("two", TensorProto.FLOAT, [], [2.0])
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
        helper.make_node("Mul", ["pooled", "two"], ["y"]),
        helper.make_node("Neg", ["pooled"], ["unwanted"]),
    ]
    shape = [batch or "n", 3, 16, 24]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [shape[0], 3, 1, 1]) for name in ("y", "unwanted")],
        [two],
    )
    path = tmp_path / "net.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    plain = Preprocessing(height=16, width=24)
    session = onnxruntime.InferenceSession(path)
    x = photos.transpose(0, 3, 1, 2).astype(np.float32)
    expected = np.concatenate([session.run(["y"], {"x": one[None]})[0] for one in x])
    np.testing.assert_allclose(open_engine(Loaded(path, plain), "cpu", "fp32")(photos), expected, rtol=1e-5)
    np.testing.assert_allclose(PyTorchEngine(path, plain)(photos), expected, rtol=1e-5)


def test_an_engine_can_be_dropped_right_after_its_answer(network, photos):
    """With callbacks from OpenVINO's threads into Python, one of these waited for ever."""
    for _ in range(30):
        OpenVinoEngine(network, SMALL)(photos)


def test_a_device_that_is_not_there_is_an_error_never_another_device(network):
    with pytest.raises(UsageError, match=r"unknown device 'tpu' \(did you mean cpu\?\); known: auto, cpu, cuda"):
        open_engine(Loaded(network, SMALL), "tpu")
    with pytest.raises(UsageError, match="'cuda:99' is not available"):
        open_engine(Loaded(network, SMALL), "cuda:99")


def test_a_precision_that_is_not_there_is_an_error_never_another(network, monkeypatch):
    with pytest.raises(UsageError, match=r"'int4' \(did you mean int8\?\); known: auto, .*, int8-parser"):
        open_engine(Loaded(network, SMALL), "cpu", "int4")
    monkeypatch.setattr("facepart.networks.engine_choice.cpu_precisions", lambda: ("fp32",))
    with pytest.raises(UsageError, match="this processor does not compute in bf16; it computes in fp32"):
        open_engine(Loaded(network, SMALL), "cpu", "bf16")
    assert choose_precision("cpu", "auto") == "fp32"
    monkeypatch.setattr("facepart.networks.engine_choice.cpu_precisions", lambda: ("fp32", "bf16"))
    assert choose_precision("cpu", "auto") == "bf16"
    assert choose_precision("cuda:0", "fp32") == "fp32"


@pytest.mark.skipif("bf16" not in cpu_precisions(), reason="needs a processor that computes in bfloat16")
def test_bf16_is_used_if_requested(network, photos):
    exact = OpenVinoEngine(network, SMALL)(photos)
    rounded = OpenVinoEngine(network, SMALL, precision="bf16")(photos)
    assert np.any(exact != rounded)
    np.testing.assert_allclose(rounded, exact, rtol=0.02, atol=0.02 * np.abs(exact).max())


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_what_runs_on_cuda_runs_in_its_precisions(network, photos, precision):
    """On the CPU, since tests have no CUDA device; and on tensors without values, which have shapes alone."""
    exact = PyTorchEngine(copy.deepcopy(network), SMALL)(photos)
    rounded = PyTorchEngine(copy.deepcopy(network), SMALL, precision=precision, batch=2)(photos)
    assert rounded.dtype == np.float32
    assert np.any(exact != rounded)
    np.testing.assert_allclose(rounded, exact, rtol=0.02, atol=0.02 * np.abs(exact).max())
    assert PyTorchEngine(copy.deepcopy(network), SMALL, None, precision, "meta").output_shape == (5,)
    scores = nn.Conv2d(3, 4, 1)
    assert PyTorchEngine(scores, SMALL, 4, precision, "meta").output_shape == (16, 24)


def test_a_network_for_another_size_is_reported(photos):
    class FixedSize(nn.Module):
        def forward(self, x):
            return x.reshape(1, 3 * 8 * 8)

    with pytest.raises(FacepartError, match="16x24"):
        OpenVinoEngine(FixedSize(), SMALL)


class Doubling:
    """An engine that doubles, and remembers how many photos it was given at once."""

    device = precision = runtime = "test"
    preprocessing = Preprocessing(1, 1)
    output_shape: tuple[int, ...] = (1, 1, 3)
    batch = 1

    def __init__(self):
        self.calls = []

    def __call__(self, photos):
        self.calls.append(len(photos))
        return photos.astype(int) * 2


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 3)), max_size=70))
def test_the_stream_keeps_order_and_company(items):
    """Items of 1 to 3 pictures come back in order, each with its own outputs; those of 0 fail."""

    def prepare(item):
        value, count = item
        if count == 0:
            raise PhotoError(f"no {value}")
        return value, (np.full((count, 1, 1, 3), value, np.uint8),)

    def finish(item, kept, outputs):
        assert kept == item[0]
        (output,) = outputs
        assert output.shape == (item[1], 1, 1, 3)
        return int(output.max())

    engine = Doubling()
    results = list(streaming.run_batches(items, prepare, (engine,), finish))
    assert [item for item, _ in results] == items
    for (value, count), result in results:
        assert str(result) == (f"no {value}" if count == 0 else str(2 * value))
    assert sum(engine.calls) == sum(count for _, count in items)


def test_memory_is_bounded_however_many_photos_there_are():
    alive, most, lock = 0, 0, threading.Lock()

    def prepare(item):
        nonlocal alive, most
        with lock:
            alive += 1
            most = max(most, alive)
        return None, (np.zeros((1, 1, 1, 3), np.uint8),)

    for _ in streaming.run_batches(range(500), prepare, (Doubling(),), lambda item, kept, outputs: None):
        with lock:
            alive -= 1
    assert alive == 0
    assert most <= 3 * streaming.DEFAULT_BATCH + 1


def test_an_error_that_no_photo_caused_ends_the_stream():
    def finish(item, kept, outputs):
        if item == 20:
            raise FacepartError("the disk is full")
        return item

    done = []
    with pytest.raises(FacepartError, match="the disk is full"):
        for item, _ in streaming.run_batches(
            range(100), lambda item: (None, (np.zeros((1, 1, 1, 3), np.uint8),)), (Doubling(),), finish
        ):
            done.append(item)
    assert done == list(range(20))
