"""What runs on CUDA, on the CPU and on tensors without values, since most machines that test have no such device."""

import copy
import logging

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from facepart.errors import FacepartError, UsageError
from facepart.memory import memory_error
from facepart.networks import cuda_devices, engine_choice
from facepart.networks.batch_norm import fold_batch_norms
from facepart.networks.bisenet import BiSeNet
from facepart.networks.cuda_devices import find_cuda_devices
from facepart.networks.cuda_errors import cuda_errors, device_error
from facepart.networks.engine import EITHER_16, Preprocessing
from facepart.networks.engine_choice import choose_device, choose_precision
from facepart.networks.graph_network import GraphNetwork
from facepart.networks.iresnet import IResNet
from facepart.networks.pytorch_engine import PyTorchEngine, computes_in_bf16

TAKES = Preprocessing(height=16, width=24)
NORMALISED = Preprocessing(16, 24, "rgb", (127.5,) * 3, (127.5,) * 3)
TOO_OLD = (
    "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040). Please update your GPU "
    "driver by downloading and installing a new version from the URL: http://www.nvidia.com/Download/index.aspx"
)


@pytest.fixture
def photos():
    return np.random.default_rng(3).integers(0, 256, (5, 16, 24, 3)).astype(np.uint8)


def with_statistics(network):
    """Give the BatchNorm layers of a network statistics as after training."""
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor, low, high in [
                (module.running_mean, -1, 1),
                (module.running_var, 0.5, 2),
                (module.weight.data, 0.5, 2),
                (module.bias.data, -1, 1),
            ]:
                assert tensor is not None
                tensor.uniform_(low, high)
    return network.eval()


class Recording(nn.Module):
    """Means of the channels; remembers how many photos it was given at once."""

    def __init__(self):
        super().__init__()
        self.counts = []

    def forward(self, x):
        self.counts.append(len(x))
        return x.mean((2, 3))


class Hungry(Recording):
    """Has memory for so many photos at once."""

    def __init__(self, most):
        super().__init__()
        self.most = most

    def forward(self, x):
        if len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has ...")
        return super().forward(x)


class Overflowing(nn.Module):
    """Squares beyond what fp16 has, 65504, and divides by it again."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(1.0009765625 + 2.0**-16))

    def forward(self, x):
        return (x * x * 1000 * self.factor).mean((2, 3)) / 1000 + 1


def test_all_batches_have_one_size(photos):
    network = Recording()
    engine = PyTorchEngine(network, TAKES, batch=3, one_size=True)
    network.counts.clear()
    answers = engine(photos)
    assert network.counts == [3, 3]
    np.testing.assert_allclose(answers, photos.mean((1, 2)), rtol=1e-5)
    # So an answer does not depend on the photos beside it: equal in every bit.
    np.testing.assert_array_equal(np.concatenate([engine(photo[None]) for photo in photos]), answers)
    assert set(network.counts) == {3}
    assert engine(photos[:0]).shape == (0, 3)


def test_batches_become_smaller_until_the_memory_suffices(photos, caplog):
    network = Hungry(3)
    engine = PyTorchEngine(network, TAKES, batch=16)
    with caplog.at_level(logging.WARNING):
        np.testing.assert_allclose(engine(photos), photos.mean((1, 2)), rtol=1e-5)
    assert engine.batch == 2
    assert "not enough memory for 16 photos at once; from here on 8" in caplog.text


def test_no_memory_for_a_single_photo_is_one_line(photos):
    network = Hungry(1)
    engine = PyTorchEngine(network, TAKES, batch=2, device="cpu")
    network.most = 0
    engine.device = "cuda:0"  # of which the message speaks
    with pytest.raises(
        FacepartError, match=r"^cuda:0: there is not enough memory on the GPU; use --device cpu$"
    ) as e:
        engine(photos)
    # What the command prints is this line, not that of a lack of the machine's memory.
    assert memory_error(e.value) is e.value
    assert "GPU" in str(memory_error(torch.OutOfMemoryError("CUDA out of memory.")))


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (TOO_OLD, "CUDA initialization: The NVIDIA driver on your system is too old (found version 11040)"),
        (
            "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver "
            "from http://www.nvidia.com/Download/index.aspx",
            "Found no NVIDIA driver on your system",
        ),
        (
            "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported at some "
            "other API call\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1",
            "CUDA error: device-side assert triggered",
        ),
        ("shape '[1, 192]' is invalid for input of size 4", None),
    ],
)
def test_errors_of_the_device_are_one_line(said, line):
    assert device_error(RuntimeError(said)) == line
    expected = RuntimeError if line is None else FacepartError
    with pytest.raises(expected) as error, cuda_errors("cuda:1"):
        raise RuntimeError(said)
    if line:
        assert str(error.value) == f"cuda:1: {line}; use --device cpu"


def test_a_device_that_pytorch_cannot_use_is_none_and_says_why(monkeypatch, caplog):
    """NVML counts a device, but the driver is too old for PyTorch."""

    def unavailable():
        import warnings

        warnings.warn(TOO_OLD, stacklevel=1)
        return False

    monkeypatch.setattr(cuda_devices, "_may_have_cuda", lambda: True)
    monkeypatch.setattr("torch.cuda.is_available", unavailable)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert find_cuda_devices().usable == 0
    with caplog.at_level(logging.WARNING):
        assert choose_device("auto") == "cpu"
    (line,) = caplog.messages
    assert line.startswith("CUDA is not used: CUDA initialization: The NVIDIA driver on your system is too old")
    with pytest.raises(UsageError, match=r"'cuda' is not available: CUDA .* is too old .*; use --device cpu"):
        choose_device("cuda")


@pytest.fixture
def two_devices(monkeypatch):
    """Pretends that only the second of two devices computes in bf16."""
    current = [0]

    class Device:
        def __init__(self, device):
            self.number = torch.device(device).index

        def __enter__(self):
            current.append(self.number)

        def __exit__(self, *error):
            current.pop()

    monkeypatch.setattr("torch.cuda.device", Device)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda **_: current[-1] == 1)


@pytest.mark.usefixtures("two_devices")
def test_the_named_device_is_asked_for_bf16():
    assert not computes_in_bf16("cuda:0")
    assert computes_in_bf16("cuda:1")
    assert choose_precision("cuda:1", "bf16") == "bf16"
    with pytest.raises(UsageError, match=r"^cuda:0 does not compute in bf16"):
        choose_precision("cuda:0", "bf16")


def test_the_default_on_cuda_is_fp16_or_bf16():
    assert choose_precision("cuda:0", "auto") == EITHER_16
    assert choose_precision("cuda:0", EITHER_16) == EITHER_16
    with pytest.raises(UsageError, match="unknown precision"):
        choose_precision("cpu", EITHER_16)


def test_a_network_that_overflows_in_fp16_gets_bf16(photos):
    exact = PyTorchEngine(Overflowing(), NORMALISED)(photos)
    hungry = Preprocessing(16, 24)  # values of 0..255, so that the squares overflow
    engine = PyTorchEngine(Overflowing(), hungry, precision=EITHER_16)
    assert engine.precision == "bf16"
    assert np.isfinite(engine(photos)).all()
    # Its weights were rounded once: from float32, not from fp16.
    factor = engine._module.get_parameter("factor").detach()
    assert float(factor) == float(torch.tensor(1.0009765625 + 2.0**-16).bfloat16())
    with pytest.raises(FacepartError, match="its answers are not finite in fp16; use --precision bf16 or fp32"):
        PyTorchEngine(Overflowing(), hungry, precision="fp16")
    fitting = nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert PyTorchEngine(fitting, NORMALISED, precision=EITHER_16).precision == "fp16"
    assert np.isfinite(exact).all()


def test_scores_that_are_not_finite_are_no_label_map(photos):
    class Scores(nn.Module):
        def forward(self, x):
            return torch.cat([x * 500, x], 1)

    engine = PyTorchEngine(Scores(), TAKES, 6, "bf16")
    engine._dtype = torch.float16  # as if no test photo had overflowed
    with pytest.raises(FacepartError, match="scores are not finite in bf16; use --precision fp32"):
        engine(photos)


@pytest.mark.parametrize(
    ("network", "size", "folded"),
    [(BiSeNet(), 64, 29), (IResNet((1, 1, 1, 1), 32), 112, 14)],
    ids=["BiSeNet", "IResNet"],
)
def test_batch_norms_are_folded_in_float32(network, size, folded):
    network = with_statistics(network)
    x = torch.randn(2, 3, size, size)
    with torch.inference_mode():
        before = network(x)
        assert fold_batch_norms(network) == folded
        after = network(x)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5 * float(before.abs().max()))


def test_statistics_are_not_rounded(photos):
    """A BatchNorm before a convolution, which pads with zeros, cannot be folded into it."""
    network = with_statistics(nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 8, 3, padding=1), nn.Flatten()))
    network[0].running_mean += 1.0001
    engine = PyTorchEngine(copy.deepcopy(network), NORMALISED, precision="bf16")
    torch.testing.assert_close(engine._module.get_buffer("0.running_mean"), network[0].running_mean, rtol=0, atol=0)
    assert engine._module.get_parameter("1.weight").dtype == torch.bfloat16
    exact = PyTorchEngine(network, NORMALISED)(photos)
    np.testing.assert_allclose(engine(photos), exact, rtol=0.02, atol=0.02 * np.abs(exact).max())


def save(path, nodes, constants, output):
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 16, 24])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.mark.parametrize("precision", ["bf16", "fp16", EITHER_16])
def test_graphs_with_five_axes_and_with_casts_run_in_16_bits(tmp_path, photos, precision):
    """Constants of five axes have no channels-last layout; a cast of booleans makes 32 bits amid 16."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(4, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Reshape", ["x", "five"], ["x5"]),
        helper.make_node("Mul", ["x5", "factor"], ["scaled"]),
        helper.make_node("Reshape", ["scaled", "four"], ["x4"]),
        helper.make_node("Greater", ["x4", "zero"], ["positive"]),
        helper.make_node("Cast", ["positive"], ["ones"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["positive"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Cast", ["whole"], ["again"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["ones", "again"], ["both"]),
        helper.make_node("Conv", ["both", "weights"], ["maps"]),
        helper.make_node("BatchNormalization", ["maps", "gamma", "beta", "mean", "variance"], ["normed"]),
        helper.make_node("GlobalAveragePool", ["normed"], ["y"]),
    ]
    constants = {
        "five": np.array([0, 3, 4, 4, 24]),
        "four": np.array([0, 3, 16, 24]),
        "factor": rng.uniform(1, 2, (1, 3, 4, 4, 24)).astype(np.float32),
        "zero": np.array(0, np.float32),
        "weights": weights,
        "gamma": np.ones(4, np.float32),
        "beta": np.zeros(4, np.float32),
        "mean": np.full(4, 100.1, np.float32),
        "variance": np.ones(4, np.float32),
    }
    path = save(tmp_path / "net.onnx", nodes, constants, ["n", 4, 1, 1])
    exact = PyTorchEngine(path, NORMALISED)(photos)
    engine = PyTorchEngine(path, NORMALISED, precision=precision)
    # The mean in 32 bits: in bf16 it would be 100.
    np.testing.assert_allclose(engine(photos) + 100.1, exact + 100.1, rtol=0, atol=0.06 * np.abs(exact + 100.1).max())
    graph = engine._module
    assert isinstance(graph, GraphNetwork)
    assert {each.dtype for each in graph.exact} == {torch.float32}
    assert PyTorchEngine(path, NORMALISED, None, precision, "meta").output_shape == (4, 1, 1)


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp32", EITHER_16, "bf16"])
def test_answers_on_cuda_are_those_on_the_cpu(precision):
    network = with_statistics(IResNet((1, 1, 1, 1), 64))
    faces = np.random.default_rng(0).integers(0, 256, (70, 112, 112, 3), np.uint8)
    taken = Preprocessing(112, 112, "rgb", (127.5,) * 3, (127.5,) * 3)
    expected = PyTorchEngine(copy.deepcopy(network), taken)(faces)
    engine = PyTorchEngine(network, taken, precision=precision, device="cuda:0")
    found = engine(faces)
    cosines = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    assert cosines.min() > (0.999999 if precision == "fp32" else 0.999)
    np.testing.assert_array_equal(np.concatenate([engine(faces[at : at + 9]) for at in range(0, 70, 9)]), found)


@pytest.mark.cuda
def test_label_maps_on_cuda_are_those_on_the_cpu():
    torch.manual_seed(0)
    network = BiSeNet()
    photos = np.random.default_rng(0).integers(0, 256, (5, 128, 128, 3), np.uint8)
    taken = Preprocessing(128, 128, "rgb", (127.5,) * 3, (60.0,) * 3)
    expected = PyTorchEngine(copy.deepcopy(network), taken, 19)(photos)
    found = PyTorchEngine(network, taken, 19, "fp32", "cuda:0")(photos)
    assert np.mean(found == expected) > 0.999


@pytest.mark.cuda
def test_the_memory_of_the_device_is_used_as_far_as_it_goes():
    free, _ = torch.cuda.mem_get_info()
    held = torch.empty(max(free - (256 << 20), 0), dtype=torch.uint8, device="cuda")
    faces = np.random.default_rng(0).integers(0, 256, (64, 112, 112, 3), np.uint8)
    taken = Preprocessing(112, 112, "rgb", (127.5,) * 3, (127.5,) * 3)
    engine = PyTorchEngine(with_statistics(IResNet((1, 1, 1, 1), 64)), taken, device="cuda:0", batch=64)
    assert np.isfinite(engine(faces)).all()
    assert held.numel() == 0 or engine.batch <= 64
    assert engine_choice.choose_device("auto") == "cuda:0"
