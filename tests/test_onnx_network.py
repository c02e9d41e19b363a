"""Whole ONNX networks in PyTorch, against ONNX Runtime: real ones, PyTorch's exports, and what cannot be run."""

import warnings
import weakref

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from torch import nn
from torch.nn import functional

from facepart.errors import FacepartError
from facepart.networks.bisenet import load_bisenet
from facepart.networks.graph_network import GraphNetwork, Step
from facepart.networks.iresnet import IResNet
from facepart.networks.mobilefacenet import MobileFaceNet, Shape
from facepart.networks.onnx.network import load_onnx
from tests.witness.onnx_graphs import PHOTO, export, onnxruntime_answer, photos, write_graph

# The exporter that writes the files people have says that there is a newer one.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning"),
]


def answers(network, pictures):
    with torch.inference_mode():
        return network(torch.from_numpy(pictures)).numpy()


def compare(path, pictures):
    """Three photos at once answer as ONNX Runtime does, within 1e-4 of the largest number."""
    expected = onnxruntime_answer(path, pictures)
    given = answers(load_onnx(path, *pictures.shape[2:]), pictures)
    assert given.shape == expected.shape
    np.testing.assert_allclose(given, expected, atol=1e-4 * np.abs(expected).max())


def trained(network):
    """Give a network the statistics and slopes that training would, so that no layer is the identity."""
    torch.manual_seed(0)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith(("running_mean", "bias")):
            tensor.normal_(0, 0.1)
        elif tensor.ndim == 1:
            tensor.uniform_(0.2, 0.9)
    return network.eval()


def node(operator, *inputs, output="answer", **attributes):
    return helper.make_node(operator, list(inputs), [output], **attributes)


class Residual(nn.Module):
    """As published ResNet parsers do it: pooling, and resizing to sizes that are read off the arrays."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.down = nn.Conv2d(8, 8, 3, 2, 1)
        self.attention = nn.Conv2d(8, 8, 1)
        self.head = nn.Conv2d(16, 19, 1)

    def forward(self, x):
        near = self.pool(self.stem(x))
        far = self.down(near)
        mean = functional.adaptive_avg_pool2d(far, 1)
        far = far * torch.sigmoid(self.attention(mean))
        far = functional.interpolate(far, near.size()[2:], mode="nearest")
        scores = self.head(torch.cat([near, far], dim=1))
        return functional.interpolate(scores, x.size()[2:], mode="bilinear", align_corners=True), mean


class Normalised(nn.Module):
    """An embedding divided by its length, and the length, as AdaFace gives them; patches and attention before."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        self.norm = nn.LayerNorm(16)
        self.qkv = nn.Linear(16, 48)
        self.out = nn.Linear(16 * 16, 12)

    def forward(self, x):
        tokens = self.norm(self.patches(x).flatten(2).transpose(1, 2))
        batch, count, width = tokens.shape
        query, key, value = self.qkv(tokens).reshape(batch, count, 3, 2, width // 2).permute(2, 0, 3, 1, 4)
        mixed = torch.softmax(query @ key.transpose(-2, -1), dim=-1) @ value
        tokens = tokens + functional.gelu(mixed.transpose(1, 2).reshape(batch, count, width))
        found = self.out(tokens.reshape(batch, -1))
        length = torch.norm(found, 2, 1, True)
        return found / length.clamp(min=1e-6), length


class Shuffled(nn.Module):
    """Channels shuffled by two reshapes, and photos cut into windows that join the batch and leave it again."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        x = self.conv(x)
        batch, channels, height, width = x.shape
        x = x.reshape(batch, 2, channels // 2, height, width).transpose(1, 2).reshape(batch, channels, height, width)
        x = x.reshape(batch, channels, height // 4, 4, width // 4, 4).permute(0, 2, 4, 1, 3, 5)
        x = torch.softmax(x.reshape(-1, channels, 4, 4), dim=1)
        x = x.reshape(batch, height // 4, width // 4, channels, 4, 4).permute(0, 3, 1, 4, 2, 5)
        return x.reshape(batch, channels, height, width).mean(dim=(2, 3))


@pytest.mark.parametrize("opset", [11, 13, 17])
@pytest.mark.parametrize("free", [(), (0,)], ids=["fixed", "free"])
@pytest.mark.parametrize("network", [Residual, Normalised, Shuffled])
def test_exports_of_a_fixed_batch_and_of_a_free_one(tmp_path, network, free, opset):
    path = export(tmp_path / "net.onnx", trained(network()), (1, 3, 16, 16), opset, free)
    compare(path, photos(3, 16, 16))


@pytest.mark.parametrize("network", [Residual, Shuffled])
def test_an_export_of_a_free_size_is_for_the_size_asked_for(tmp_path, network):
    path = export(tmp_path / "net.onnx", trained(network()), (1, 3, 16, 16), 17, (0, 2, 3))
    compare(path, photos(3, 24, 16))


@pytest.mark.parametrize("opset", [11, 17])
def test_the_face_parser_as_exported(tmp_path, bisenet_weights, opset):
    path = export(tmp_path / "bisenet.onnx", load_bisenet(bisenet_weights), (1, 3, 64, 96), opset)
    compare(path, photos(3, 64, 96))


@pytest.mark.parametrize("opset", [11, 17])
@pytest.mark.parametrize("network", [IResNet((1, 2, 1, 1), 64), MobileFaceNet(Shape(2, (1, 2, 2, 1), 64))])
def test_arcface_networks_as_exported(tmp_path, network, opset):
    compare(export(tmp_path / "face.onnx", trained(network), (1, 3, 112, 112), opset), photos(3, 112, 112))


def test_the_default_recogniser_though_of_a_fixed_batch(recogniser_weights):
    compare(recogniser_weights, photos(3, 112, 112))


def test_edgeface(shared):
    path = shared / "models" / "edgeface_xs_512d.onnx"
    faces = np.load(shared / "golden" / "mxnet" / "faces_bgr_112.npy")[..., ::-1]
    compare(path, faces.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(127.5) - 1)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A file with constants of many kinds, of a fixed batch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return export(tmp_path_factory.mktemp("net") / "net.onnx", trained(Normalised()), (1, 3, 16, 16), 17, ())


def test_all_numbers_move_with_the_module(exported):
    network, pictures = load_onnx(exported, 16, 16), photos(3, 16, 16)
    expected = answers(network, pictures)
    assert all(
        parameter.dtype == torch.float32 for parameter in network.parameters() if parameter.is_floating_point()
    )
    lasting = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    np.testing.assert_allclose(answers(lasting, pictures), expected, atol=1e-6)
    # A number left behind in 32 bits would not fit the others, or be as exact.
    wide = answers(network.double(), pictures.astype(np.float64))
    assert wide.dtype == np.float64
    np.testing.assert_allclose(wide, expected, atol=1e-5)
    # On a device of shapes alone, as on CUDA, tensors of another device would not do.
    assert network.to("meta")(torch.empty(2, 3, 16, 16, device="meta", dtype=torch.float64)).shape == (2, 12)


def test_a_trace_and_a_compiled_module_take_any_batch(exported):
    network, pictures = load_onnx(exported, 16, 16), torch.from_numpy(photos(5, 16, 16))
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network, pictures[:1], check_trace=False)
        # Without a break: no decision waits for a value.
        compiled = torch.compile(network, backend="eager", fullgraph=True)
        for count in (1, 2, 5):
            expected = network(pictures[:count])
            torch.testing.assert_close(traced(pictures[:count]), expected)
            torch.testing.assert_close(compiled(pictures[:count]), expected)


def test_what_is_known_before_is_not_computed_again(shared):
    """Of 789 nodes with a position encoding and much arithmetic on shapes, the layers remain."""
    path = shared / "models" / "edgeface_xs_512d.onnx"
    network = load_onnx(path, 112, 112)
    assert isinstance(network, GraphNetwork)
    assert len(network._steps) < 410
    # Nothing is kept that the file does not hold, bar what is computed from it in its place.
    assert 4 * sum(parameter.numel() for parameter in network.parameters()) < path.stat().st_size


def test_values_are_let_go_after_their_last_use():
    seen: list[weakref.ref[torch.Tensor]] = []

    def step(x):
        # The input of the one before is held by nobody else.
        assert all(reference() is None for reference in seen[:-1])
        out = x + 1
        seen.append(weakref.ref(out))
        return out

    def two(x):
        return step(x), x * 0

    steps = [Step(step, (str(index),), (str(index + 1),)) for index in range(5)]
    steps += [Step(two, ("5",), ("6", "unused")), Step(step, ("6",), ("7",))]
    assert GraphNetwork(steps, {}, "0", "7")(torch.zeros(())).item() == 7


def test_only_what_the_first_output_needs_counts(tmp_path):
    nodes = [
        node("Relu", PHOTO, output="answer"),
        node("Det", PHOTO, output="other"),
        node("Sigmoid", "missing", output="unused"),
    ]
    path = write_graph(tmp_path / "two.onnx", nodes, outputs=("answer", "other"))
    np.testing.assert_array_equal(answers(load_onnx(path, 8, 6), photos(2)), np.maximum(photos(2), 0))


def test_what_depends_on_the_batch_alone_is_repeated(tmp_path):
    """A row of zeros for each photo, made of the batch's number, with something learnt added: a class token."""
    nodes = [
        node("Shape", PHOTO, output="shape"),
        node("Gather", "shape", "zero", output="batch"),
        node("Concat", "batch", "sides", axis=0, output="sides of tokens"),
        node("ConstantOfShape", "sides of tokens", output="nothing"),
        node("Add", "nothing", "token", output="tokens"),
        node("Concat", "tokens", PHOTO, axis=2),
    ]
    constants = {
        "zero": np.array([0]),
        "sides": np.array([3, 1, 6]),
        "token": np.random.default_rng(0).normal(size=(3, 1, 6)).astype(np.float32),
    }
    path = write_graph(tmp_path / "token.onnx", nodes, constants)
    compare(path, photos(3))
    network = load_onnx(path, 8, 6)
    assert sum(parameter.numel() for parameter in network.parameters()) == 18
    # A trace for one photo holds for more, too.
    pictures = torch.from_numpy(photos(3))
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network, pictures[:1], check_trace=False)
        torch.testing.assert_close(traced(pictures), network(pictures))


def test_inputs_and_outputs_that_are_left_out(tmp_path):
    nodes = [
        helper.make_node("Split", [PHOTO], ["", "second", "third"], axis=1),
        node("Clip", "second", "", "highest", output="clipped"),
        node("Add", "clipped", "third"),
    ]
    path = write_graph(tmp_path / "gaps.onnx", nodes, {"highest": np.array(0.25, np.float32)})
    # By hand: ONNX Runtime crashes on an output that is left out.
    expected = np.minimum(photos(2)[:, 1:2], 0.25) + photos(2)[:, 2:]
    np.testing.assert_allclose(answers(load_onnx(path, 8, 6), photos(2)), expected, rtol=1e-6)


FLAT = np.array([1, -1])


@pytest.mark.parametrize(
    ("nodes", "constants", "shape", "message"),
    [
        ([node("Reshape", PHOTO, "s")], {"s": FLAT}, ("n", 3, 8, 6), "its outputs for two photos at once, .1, 288."),
        ([node("ReduceMean", PHOTO, axes=[0])], {}, (1, 3, 8, 6), "its outputs for two photos at once, .1, 3, 8, 6."),
        (
            [node("ReduceMax", PHOTO, axes=[0], output="m"), node("Sub", PHOTO, "m")],
            {},
            (1, 3, 8, 6),
            r"two photos at once, \(2, 3, 8, 6\), differ from those for each photo alone, \(2, 3, 8, 6\); use "
            "--device cpu",
        ),
        (
            [node("Concat", PHOTO, "token", axis=2)],
            {"token": np.zeros((1, 3, 1, 6), np.float32)},
            (1, 3, 8, 6),
            "its node answer, a Concat: Sizes of tensors must match",
        ),
        (
            [node("Transpose", PHOTO, perm=[1, 0, 2, 3], output="t"), node("Reshape", "t", "s")],
            {"s": np.array([1, 3, 48])},
            (1, 3, 8, 6),
            "its node answer, a Reshape",
        ),
        ([node("Relu", PHOTO)], {}, (1, 3, 9, 6), "its input is 3x9x6, not photos of 3x8x6"),
        ([node("Relu", PHOTO)], {}, (1, 8, 6, 3), "its input is 8x6x3, not photos of 3x8x6"),
        ([node("Relu", PHOTO)], {}, (1, 3, 8), "its input is not photos as 32-bit floats"),
        ([node("Relu", "elsewhere")], {}, (1, 3, 8, 6), "a Relu: no node before it computes its input elsewhere"),
        ([node("Relu", PHOTO, output="x")], {}, (1, 3, 8, 6), "its first output does not depend on the photo"),
        ([node("Shape", PHOTO)], {}, (1, 3, 8, 6), "its first output does not depend on the photo"),
        (
            [node("Cast", PHOTO, to=TensorProto.INT64, output="i"), node("Reshape", PHOTO, "i")],
            {},
            (1, 3, 8, 6),
            "a Reshape: a setting, which must be known before the network runs, depends on the photos",
        ),
        (
            [
                node("Shape", PHOTO, output="s"),
                node("Cast", "s", to=TensorProto.FLOAT, output="f"),
                node("ReduceMax", "f", output="m"),
                node("Concat", "f", "f", axis=0, output="g"),
                node("Gather", "g", "i", output="h"),
                node("Mul", PHOTO, "h"),
            ],
            {"i": np.array(0)},
            ("n", 3, 8, 6),
            "its value h depends on the batch size in a way that is not supported",
        ),
    ],
)
def test_a_network_that_does_not_run_on_any_batch_is_reported_in_one_line(tmp_path, nodes, constants, shape, message):
    path = write_graph(tmp_path / "odd.onnx", nodes, constants, shape)
    with pytest.raises(FacepartError, match=message) as told:
        load_onnx(path, 8, 6)
    assert str(told.value).startswith(f"{path}: ")
    assert "\n" not in str(told.value)


def test_other_inputs_and_versions_are_reported(tmp_path):
    path = write_graph(tmp_path / "odd.onnx", [node("Relu", PHOTO)], kind=TensorProto.UINT8)
    with pytest.raises(FacepartError, match=r"odd.onnx: its input is not photos as 32-bit floats"):
        load_onnx(path, 8, 6)
    write_graph(path, [node("Relu", PHOTO)], opset=6)
    with pytest.raises(
        FacepartError, match=r"odd.onnx: uses ONNX operator set 6; operator sets from 7 on are supported"
    ):
        load_onnx(path, 8, 6)
    with pytest.raises(FacepartError, match=r"gone.onnx: cannot be read: No such file or directory"):
        load_onnx(tmp_path / "gone.onnx", 8, 6)
    path.write_text("<!DOCTYPE html>")
    with pytest.raises(FacepartError, match=r"odd.onnx: is damaged or not an ONNX file"):
        load_onnx(path, 8, 6)


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 10**5), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_file_never_gives_another_error(exported, tmp_path_factory, position, byte, cut):
    damaged = bytearray(exported.read_bytes())
    position %= len(damaged)
    damaged[position] = byte
    path = tmp_path_factory.mktemp("damaged") / "net.onnx"
    path.write_bytes(damaged[:position] if cut else damaged)
    try:
        load_onnx(path, 16, 16)
    except FacepartError as error:
        assert str(error).startswith(f"{path}: ")
        assert "\n" not in str(error)
