"""arcface_torch state dicts. MXNet's golden answers judge the networks too: with its parameters they must agree.

LResNet100E-IR is iresnet100, and mobilefacenet-y1 is arcface_torch's MobileFaceNet at half its width: what differs is
a factor of the input, the eps of the BatchNorms, and a bias that a BatchNorm can take.
"""

import collections

import numpy as np
import pytest
import torch

from facepart.errors import FacepartError
from facepart.networks.engine import Preprocessing
from facepart.networks.iresnet import BLOCKS, IResNet
from facepart.networks.mobilefacenet import MobileFaceNet, Shape, shape_in
from facepart.networks.mxnet.checkpoint import read_parameters, read_symbol
from facepart.networks.recogniser import RecogniserFile
from tests.witness.checkpoints import cosines, golden_parameters

ARCFACE = Preprocessing(112, 112, "rgb", (127.5,) * 3, (127.5,) * 3)
BATCH_NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_var"}
MXNET_SCALE = 0.0078125  # both checkpoints multiply by 1/128, not by 1/127.5


class Mapped(dict[str, torch.Tensor]):
    """A state dict filled from MXNet's arrays, layer by layer."""

    def __init__(self, arrays):
        super().__init__()
        self.arrays = {name.split(":")[-1]: torch.from_numpy(np.array(values)) for name, values in arrays.items()}

    def weight(self, key, name):
        self[f"{key}.weight"] = self.arrays[f"{name}_weight"]

    def prelu(self, key, name):
        self[f"{key}.weight"] = self.arrays[f"{name}_gamma"]

    def batch_norm(self, key, name):
        self |= {f"{key}.{ours}": self.arrays[f"{name}_{theirs}"] for ours, theirs in BATCH_NORM.items()}


def lresnet100(symbol):
    state = Mapped(golden_parameters(read_symbol(symbol)))
    state.weight("conv1", "conv0")
    state.batch_norm("bn1", "bn0")
    state.prelu("prelu", "relu0")
    for stage, blocks in enumerate((3, 13, 30, 3), start=1):
        for block in range(blocks):
            ours, theirs = f"layer{stage}.{block}", f"stage{stage}_unit{block + 1}"
            for number in (1, 2, 3):
                state.batch_norm(f"{ours}.bn{number}", f"{theirs}_bn{number}")
            state.weight(f"{ours}.conv1", f"{theirs}_conv1")
            state.prelu(f"{ours}.prelu", f"{theirs}_relu1")
            state.weight(f"{ours}.conv2", f"{theirs}_conv2")
            if not block:
                state.weight(f"{ours}.downsample.0", f"{theirs}_conv1sc")
                state.batch_norm(f"{ours}.downsample.1", f"{theirs}_sc")
    state.batch_norm("bn2", "bn1")
    state.weight("fc", "pre_fc1")
    state["fc.bias"] = state.arrays["pre_fc1_bias"]
    state.batch_norm("features", "fc1")
    state["features.weight"] = torch.ones(512)  # fix_gamma
    return dict(state)


def mobilefacenet_y1(parameters):
    state = Mapped(read_parameters(parameters))

    def convolution(key, name, linear=False):
        state.weight(f"{key}.layers.0", f"{name}_conv2d")
        state.batch_norm(f"{key}.layers.1", f"{name}_batchnorm")
        if not linear:
            state.prelu(f"{key}.layers.2", f"{name}_relu")

    def bottleneck(key, name):
        convolution(f"{key}.layers.0", f"{name}_conv_sep")
        convolution(f"{key}.layers.1", f"{name}_conv_dw")
        convolution(f"{key}.layers.2", f"{name}_conv_proj", linear=True)

    convolution("layers.0", "conv_1")
    convolution("layers.1", "conv_2_dw")
    for stage, (name, blocks) in enumerate({"23": 4, "34": 6, "45": 2}.items()):
        bottleneck(f"layers.{2 * stage + 2}", f"dconv_{name}")
        for block in range(blocks):
            bottleneck(f"layers.{2 * stage + 3}.layers.{block}", f"res_{name[1]}_block{block}")
    convolution("conv_sep", "conv_6sep")
    convolution("features.layers.0", "conv_6dw7_7", linear=True)
    state["features.layers.2.weight"] = state.arrays["fc1_weight"]
    state.batch_norm("features.layers.3", "fc1")
    state["features.layers.3.weight"] = torch.ones(128)  # fix_gamma
    # arcface_torch's linear layer has no bias: the mean that is taken away next holds it.
    state["features.layers.3.running_mean"] = state.arrays["fc1_moving_mean"] - state.arrays["pre_fc1_bias"]
    return dict(state)


def set_eps(network, default, last):
    norms = [each for each in network.modules() if isinstance(each, torch.nn.modules.batchnorm._BatchNorm)]
    for each in norms:
        each.eps = default
    norms[-1].eps = last


def run(network, pictures):
    with torch.inference_mode():
        return network(torch.from_numpy(np.ascontiguousarray(pictures))).numpy()


def save(path, content):
    torch.save(content, path)
    return path


@pytest.mark.slow
def test_iresnet100_is_lresnet100(shared, tmp_path):
    symbol = shared / "models" / "arcface-r100-random" / "model-symbol.json"
    network, preprocessing = RecogniserFile(save(tmp_path / "backbone.pth", lresnet100(symbol))).load()
    assert preprocessing == ARCFACE
    noise = np.random.default_rng(123).integers(0, 256, (2, 3, 112, 112)).astype(np.float32)
    expected = np.load(shared / "golden" / "mxnet" / "r100_random_embeddings.npy")
    pictures = (noise - np.float32(127.5)) * np.float32(MXNET_SCALE)
    answers = run(network, pictures)
    assert answers.shape[1] == 512
    assert cosines(answers, expected).min() > 0.9999  # eps 1e-5, as published
    set_eps(network, 2e-5, 2e-5)
    np.testing.assert_allclose(run(network, pictures), expected, atol=1e-4)


@pytest.mark.slow
def test_mobilefacenet_is_that_of_mxnet(shared, tmp_path):
    parameters = shared / "models" / "mobilefacenet-y1" / "model-0000.params"
    network, preprocessing = RecogniserFile(save(tmp_path / "backbone.pt", mobilefacenet_y1(parameters))).load()
    assert preprocessing == ARCFACE
    faces = np.load(shared / "golden" / "mxnet" / "faces_bgr_112.npy")[..., ::-1].transpose(0, 3, 1, 2)
    expected = np.load(shared / "golden" / "mxnet" / "mobilefacenet_y1_embeddings.npy")
    set_eps(network, 1e-3, 2e-5)
    pictures = (faces.astype(np.float32) - np.float32(127.5)) * np.float32(MXNET_SCALE)
    answers = run(network, pictures)
    assert answers.shape[1] == 128
    np.testing.assert_allclose(answers, expected, atol=1e-4)


def published_iresnet(blocks, dimension=512):
    """Return the keys and shapes of arcface_torch's iresnet, written down from its source."""
    shapes: dict[str, tuple[int, ...]] = {}

    def batch_norm(key, width):
        shapes.update({f"{key}.{each}": (width,) for each in BATCH_NORM} | {f"{key}.num_batches_tracked": ()})

    shapes["conv1.weight"], shapes["prelu.weight"] = (64, 3, 3, 3), (64,)
    batch_norm("bn1", 64)
    before = 64
    for stage, (width, count) in enumerate(zip((64, 128, 256, 512), blocks, strict=True), start=1):
        for block in range(count):
            key = f"layer{stage}.{block}"
            batch_norm(f"{key}.bn1", before)
            shapes[f"{key}.conv1.weight"] = (width, before, 3, 3)
            batch_norm(f"{key}.bn2", width)
            shapes[f"{key}.prelu.weight"] = (width,)
            shapes[f"{key}.conv2.weight"] = (width, width, 3, 3)
            batch_norm(f"{key}.bn3", width)
            if not block:
                shapes[f"{key}.downsample.0.weight"] = (width, before, 1, 1)
                batch_norm(f"{key}.downsample.1", width)
            before = width
    batch_norm("bn2", 512)
    shapes["fc.weight"], shapes["fc.bias"] = (dimension, 512 * 7 * 7), (dimension,)
    batch_norm("features", dimension)
    return shapes


# Depth, millions of parameters as the literature gives them.
@pytest.mark.parametrize(("depth", "millions"), [(18, 24.0), (34, 34.1), (50, 43.6), (100, 65.2)])
def test_an_iresnet_has_the_published_keys_and_size(depth, millions):
    with torch.device("meta"):
        network = IResNet(BLOCKS[depth], 512)
    assert {key: tuple(value.shape) for key, value in network.state_dict().items()} == published_iresnet(
        BLOCKS[depth]
    )
    assert sum(each.numel() for each in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)


# Scale, blocks, millions of parameters: two variants whose sizes were told in insightface's issue 1612.
@pytest.mark.parametrize(("scale", "blocks", "millions"), [(4, (2, 8, 12, 4), 6.3), (3, (2, 6, 8, 3), 3.7)])
def test_a_mobilefacenet_has_the_published_size(scale, blocks, millions):
    with torch.device("meta"):
        network = MobileFaceNet(Shape(scale, blocks, 512))
    assert sum(each.numel() for each in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)


@pytest.mark.parametrize("shape", [Shape(2, (1, 4, 6, 2), 512), Shape(4, (2, 8, 12, 4), 256)])
def test_the_shape_of_a_mobilefacenet_is_read_from_its_state(shape):
    with torch.device("meta"):
        assert shape_in(MobileFaceNet(shape).state_dict()) == shape


@pytest.fixture(scope="module")
def iresnet18():
    random = np.random.default_rng(0)
    state = {}
    for key, shape in published_iresnet((2, 2, 2, 2), 64).items():
        scale = np.sqrt(1 / max(1, np.prod(shape[1:])))
        values = random.uniform(0.5, 1.0, shape) if len(shape) == 1 else random.normal(0, scale, shape)
        state[key] = torch.tensor(values, dtype=torch.float32) if shape else torch.tensor(7)
    return state


@pytest.mark.slow
def test_the_wrappings_of_a_state_dict_come_off(tmp_path, iresnet18):
    picture = np.random.default_rng(1).normal(0, 1, (1, 3, 112, 112)).astype(np.float32)
    plain, _ = RecogniserFile(save(tmp_path / "plain.pth", iresnet18)).load()
    assert isinstance(plain, IResNet)
    assert not plain.training
    expected = run(plain, picture)
    assert expected.shape == (1, 64)
    parallel = collections.OrderedDict((f"module.{key}", value) for key, value in iresnet18.items())
    untracked = {key: value for key, value in iresnet18.items() if not key.endswith("num_batches_tracked")}
    contents = {
        "parallel": parallel,
        "wrapped": {"epoch": 3, "state_dict": iresnet18},
        "trained": {"epoch": 3, "global_step": 1, "state_dict_backbone": iresnet18, "state_dict_softmax_fc": {}},
        "untracked": untracked,
    }
    for name, content in contents.items():
        network = RecogniserFile(save(tmp_path / f"{name}.pt", content)).load()[0]
        np.testing.assert_array_equal(run(network, picture), expected)
    half = {key: value.half() if value.is_floating_point() else value for key, value in iresnet18.items()}
    answer = run(RecogniserFile(save(tmp_path / "half.pth", half)).load()[0], picture)
    assert answer.dtype == np.float32
    assert cosines(answer, expected).min() > 0.9999


def under(prefix, state):
    return {f"{prefix}{key}": value for key, value in state.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("container", "prefix"),
    [
        ("", "module."),
        ("state_dict", "_orig_mod."),
        ("model", "module._orig_mod."),
        ("ema", "_orig_mod.module."),
        ("checkpoint/model", "backbone."),
        ("", "model.backbone."),
        ("state_dict", "student."),
        ("checkpoint/model", "x."),
    ],
)
def test_whatever_stands_before_all_keys_comes_off(tmp_path, iresnet18, prefix, container):
    content = under(prefix, iresnet18)
    for key in reversed(container.split("/")) if container else ():
        content = {"epoch": 3, "optimizer": {"state": {0: {"step": torch.ones(1)}}, "lr": 0.1}, key: content}
    network = RecogniserFile(save(tmp_path / "wrapped.pt", content)).load()[0]
    assert isinstance(network, torch.nn.Module)
    found = network.state_dict()
    assert found.keys() == iresnet18.keys()
    assert all(torch.equal(found[key], iresnet18[key]) for key in found)


def test_a_mobilefacenet_under_a_prefix_beside_a_training_head(tmp_path):
    torch.manual_seed(0)
    shape = Shape(1, (1, 1, 1, 1), 64)
    state = MobileFaceNet(shape).state_dict()
    content = under("backbone.", state) | {"head.weight": torch.ones(7, 64), "margin": torch.ones(())}
    trained = RecogniserFile(save(tmp_path / "trained.pt", content)).load()[0]
    assert isinstance(trained, torch.nn.Module)
    found = trained.state_dict()
    assert found.keys() == state.keys()
    assert all(torch.equal(found[key], state[key]) for key in found)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("student.", "teacher.", r"has 2 networks, under the names student\. and teacher\.; save one of them alone"),
        ("", "ema.", r"has 2 networks, under the names \(no name\) and ema\."),
        ("module.a.", "module.b.", r"under the names module\.a\. and module\.b\."),
    ],
)
def test_several_networks_in_one_file_are_refused(tmp_path, iresnet18, first, second, message):
    path = save(tmp_path / "two.pt", under(first, iresnet18) | under(second, iresnet18))
    with pytest.raises(FacepartError, match=message) as told:
        RecogniserFile(path).load()
    assert str(told.value).startswith(f"{path}: ")
    assert "\n" not in str(told.value)


def test_a_prefix_that_only_some_keys_have_does_not_hide_what_is_missing(tmp_path, iresnet18):
    content = under("module.", iresnet18)
    content["bn2.weight"] = content.pop("module.bn2.weight")
    with pytest.raises(FacepartError, match=r"does not fit.*Missing key.*bn2.weight"):
        RecogniserFile(save(tmp_path / "half.pt", content)).load()
    content = under("module.", iresnet18) | {"module.head.weight": torch.ones(1)}
    with pytest.raises(FacepartError, match=r"does not fit.*Unexpected key.*head.weight"):
        RecogniserFile(save(tmp_path / "more.pt", content)).load()


def test_other_networks_are_recognised_under_a_prefix_and_long_names_are_cut(tmp_path):
    path = save(tmp_path / "other.pt", {"state_dict": {"module.cp.resnet.conv1.weight": torch.ones(1)}})
    with pytest.raises(FacepartError, match="seems to be a BiSeNet face parser"):
        RecogniserFile(path).load()
    path = save(tmp_path / "long.pt", {"x" * 10_000_000: torch.ones(1)})
    with pytest.raises(FacepartError, match="seems to be another network") as told:
        RecogniserFile(path).load()
    assert len(str(told.value)) < 1000


def changed(state, **changes):
    """Return a copy with keys (double underscore for the dot) set anew, or removed where None."""
    changes = {key.replace("__", "."): value for key, value in changes.items()}
    return {key: value for key, value in (state | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: changed(state, bn2__weight=None), r"does not fit.*Missing key.*bn2.weight"),
        (lambda state: changed(state, extra__weight=torch.ones(1)), r"does not fit.*Unexpected key.*extra.weight"),
        (lambda state: changed(state, fc__weight=torch.ones(64, 5)), r"does not fit.*size mismatch for fc.weight"),
        (lambda state: changed(state, fc__weight=None), r"does not fit.*fc.weight"),
        (
            lambda state: changed(state, layer4__2__bn1__weight=torch.ones(1)),
            "is an iresnet of unknown depth, with .2, 2, 2, 3. blocks",
        ),
        (lambda state: changed(state, bn2__bias=torch.full((512,), torch.nan)), "is not a usable embedding"),
        (lambda state: {"layer1.0.conv1.weight": torch.ones(1)}, "seems to be a ResNet for ImageNet; expected"),
        (lambda state: {"cp.resnet.conv1.weight": torch.ones(1)}, "seems to be a BiSeNet face parser; expected"),
        (lambda state: {"stem.weight": torch.ones(1)}, r"seems to be another network \(stem.weight ...\); expected"),
        (lambda state: {"conv_sep.layers.0.weight": torch.ones(1)}, "does not fit"),
        (lambda state: {}, "is not a state dict"),
        (lambda state: {"epoch": 3}, "is not a state dict"),
        (lambda state: [torch.ones(1)], "is not a state dict"),
        (lambda state: torch.nn.Linear(1, 1), "is damaged, or contains more than weights"),
    ],
)
def test_files_that_are_not_recognisers_are_reported_in_one_line(tmp_path, iresnet18, change, message):
    path = save(tmp_path / "wrong.pth", change(iresnet18))
    with pytest.raises(FacepartError, match=message) as told:
        RecogniserFile(path).load()
    assert str(told.value).startswith(f"{path}: ")
    assert "\n" not in str(told.value)


def test_damaged_and_missing_files_are_reported(tmp_path, iresnet18):
    path = save(tmp_path / "whole.pth", iresnet18)
    cut = tmp_path / "cut.pth"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FacepartError, match=r"cut.pth: is damaged"):
        RecogniserFile(cut).load()
    cut.write_bytes(b"")
    with pytest.raises(FacepartError, match=r"cut.pth: is an empty file"):
        RecogniserFile(cut).load()
    cut.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(FacepartError, match=r"cut.pth: is a text file.*expected"):
        RecogniserFile(cut).load()
    with pytest.raises(FacepartError, match=r"none.pth: no such file or folder; expected"):
        RecogniserFile(tmp_path / "none.pth").load()
    other = path.rename(tmp_path / "weights.bin")
    with pytest.raises(FacepartError, match=r"weights.bin: is not a recogniser; expected"):
        RecogniserFile(other).load()
