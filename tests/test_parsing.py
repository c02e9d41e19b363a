"""The parser against the original program's masks, and against itself in another runtime."""

import json
import warnings

import cv2
import numpy as np
import pytest
import torch

from facepart.data.photo_input import read_photo
from facepart.errors import FacepartError
from facepart.networks import bisenet
from facepart.networks import face_parser as parser
from facepart.networks.catalogue import Weights
from facepart.networks.label_map import CLASSES, PALETTE, SIZE
from facepart.networks.label_sets import OWN_SET
from facepart.networks.pytorch_engine import PyTorchEngine
from facepart.occlusion.parts import PARTS, part_mask
from tests.opened_networks import parser_of
from tests.small_network import save_small_parser

pytestmark = pytest.mark.slow

# The golden folders bear the original study's names.
ORIGINAL_NAMES = {"eyes_brows": "eyeswbrows", "mouth": "mouthwlips"}


@pytest.mark.parametrize("precision", ["fp32", "auto"])
def test_the_part_masks_are_the_original_programs(shared, bisenet_weights, precision):
    golden = shared / "golden" / "blur"
    photos = sorted((golden / "images").glob("*.png"))
    assert len(photos) == 4
    labels = parser_of(bisenet_weights, precision)(np.stack([parser.fit_photo(read_photo(path)) for path in photos]))
    for path, label in zip(photos, labels, strict=True):
        for part in PARTS:
            name = golden / f"mask_{ORIGINAL_NAMES.get(part, part)}" / f"{path.stem}_annotation.png"
            expected = cv2.imread(str(name), cv2.IMREAD_GRAYSCALE)
            assert np.mean(part_mask(label, PARTS[part]) != expected) <= 0.002, (path.stem, part)


def test_openvino_and_pytorch_give_the_same_label_map(bisenet_weights, faces):
    photos = np.stack([parser.fit_photo(face) for face in faces[:2]])
    engine = parser_of(bisenet_weights)
    reference = PyTorchEngine(bisenet.load_bisenet(bisenet_weights), parser.PREPROCESSING, len(CLASSES))
    labels = engine(photos)
    assert labels.shape == (2, SIZE, SIZE)
    assert labels.dtype == np.uint8
    # Two float32 runtimes may differ where two classes are tied to the last bit, and nowhere else.
    assert np.mean(labels != reference(photos)) < 1e-4
    # A face is mostly skin in the middle, and no answer is one class alone.
    assert len(np.unique(labels)) >= 5


def test_the_answer_does_not_depend_on_the_company(bisenet_weights, faces):
    photos = np.stack([parser.fit_photo(face) for face in faces[:3]])
    engine = parser_of(bisenet_weights)
    together = engine(photos)
    np.testing.assert_array_equal(engine(photos[::-1])[::-1], together)
    np.testing.assert_array_equal(engine(photos[1:2])[0], together[1])
    assert engine(photos[:0]).shape == (0, SIZE, SIZE)


def test_the_network_has_the_published_shape():
    network = bisenet.BiSeNet().eval()
    with torch.no_grad():
        scores = network(torch.zeros(1, 3, 64, 96))
    assert scores.shape == (1, len(CLASSES), 64, 96)
    assert PALETTE.shape == (len(CLASSES), 3)
    assert len({tuple(colour) for colour in PALETTE}) == len(CLASSES)


def test_a_checkpoint_round_trip_is_strict(tmp_path):
    state = bisenet.BiSeNet().state_dict()
    # As in the published file, whose two auxiliary heads only training needs.
    torch.save(state | {"conv_out16.conv_out.weight": torch.zeros(19, 64, 1, 1)}, tmp_path / "whole.pth")
    loaded = bisenet.load_bisenet(tmp_path / "whole.pth").state_dict()
    assert all(torch.equal(loaded[key], state[key]) for key in state)

    state.pop("conv_out.conv_out.weight")
    torch.save(state, tmp_path / "short.pth")
    with pytest.raises(FacepartError, match="1 tensors are missing, 0 are unknown"):
        bisenet.load_bisenet(tmp_path / "short.pth")


@pytest.mark.parametrize(
    ("prefix", "container", "precision"),
    [
        ("", "state_dict", torch.float32),
        ("module.", None, torch.float32),
        ("_orig_mod.", "model", torch.float16),
        ("module._orig_mod.", "state_dict", torch.float16),
        ("net.", "model", torch.float32),
        ("", None, torch.float16),
    ],
)
def test_what_training_puts_around_a_parser_comes_off(tmp_path, prefix, container, precision):
    torch.manual_seed(0)
    state = bisenet.BiSeNet().state_dict()
    stored = {f"{prefix}{key}": each.to(precision) if each.ndim else each for key, each in state.items()}
    stored |= {f"{prefix}conv_out16.conv_out.weight": torch.zeros(19, 64, 1, 1)}
    torch.save({"epoch": 3, container: stored} if container else stored, tmp_path / "wrapped.pth")
    loaded = bisenet.load_bisenet(tmp_path / "wrapped.pth").state_dict()
    for key, each in state.items():
        assert torch.equal(loaded[key], each.to(precision).to(each.dtype) if each.ndim else each), key


def test_two_parsers_in_one_file_are_refused(tmp_path):
    state = bisenet.BiSeNet().state_dict()
    torch.save({"model": state, "ema": state}, tmp_path / "two.pth")
    with pytest.raises(FacepartError, match=r"two.pth: has 2 networks, under the names ema\. and model\.; save one"):
        bisenet.load_bisenet(tmp_path / "two.pth")


def test_wrong_checkpoints_are_reported_in_one_line(tmp_path):
    torch.save(bisenet.ResNet18().state_dict(), tmp_path / "resnet.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"epoch": 3}, tmp_path / "wrapped.pth")
    (tmp_path / "text.pth").write_text("not a checkpoint")
    whole = (tmp_path / "resnet.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    for name, reason in [
        ("resnet.pth", "is another network"),
        ("list.pth", "is not a state dict"),
        ("wrapped.pth", "is not a state dict"),
        ("text.pth", "is damaged, or contains more than weights"),
        ("cut.pth", "is damaged, or contains more than weights"),
        ("gone.pth", "cannot be read: No such file or directory"),
    ]:
        with pytest.raises(FacepartError, match=reason) as caught:
            bisenet.load_bisenet(tmp_path / name)
        assert "79999_iter.pth" in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "shape", "what"),
    [
        (
            "module.fpn.backbone.conv1.weight",
            (64, 3, 7, 7),
            "BiSeNet of github.com/yakhyo/face-parsing: give its .onnx",
        ),
        ("segformer.encoder.patch_embeddings.0.proj.weight", (32, 3, 7, 7), "a SegFormer: export it to ONNX"),
        ("layer1.0.prelu.weight", (64,), "a recogniser: give it with --model"),
    ],
)
def test_checkpoints_of_other_known_networks_say_what_to_give_instead(tmp_path, key, shape, what):
    torch.save({key: torch.zeros(shape)}, tmp_path / "other.pt")
    with pytest.raises(FacepartError, match=rf"other\.pt: is {what}") as caught:
        bisenet.load_bisenet(tmp_path / "other.pt")
    assert "\n" not in str(caught.value)


def test_what_a_description_asks_of_a_photo_is_done_or_refused(tmp_path):
    description = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.2, 0.2], "size": {"height": 512, "width": 512}}
    path = tmp_path / "preprocessor_config.json"
    plain = save_small_parser(tmp_path / "drawn.onnx")
    weights = Weights(plain, None, "0" * 64)
    identities = set()
    for more, colour in (({}, "rgb"), ({"do_flip_channel_order": True}, "bgr"), ({"do_center_crop": None}, "rgb")):
        path.write_text(json.dumps({**description, **more}))
        _, preprocessing = parser.ParserFile(plain).load()
        assert preprocessing.colour == colour
        assert preprocessing.mean == pytest.approx((0.5 * 255, 0.4 * 255, 0.3 * 255))
        identities.add(parser.parser_identity(weights, OWN_SET))
    assert len(identities) == 2
    path.write_text(json.dumps({**description, "do_center_crop": True, "crop_size": {"height": 448, "width": 448}}))
    with pytest.raises(FacepartError, match=r"drawn\.onnx: its preprocessor_config\.json has do_center_crop"):
        parser.open_parser(plain, "cpu", "fp32")


def test_an_onnx_parser_whose_order_of_classes_nothing_tells_is_warned_about(tmp_path, caplog):
    weights = Weights(save_small_parser(tmp_path / "drawn.onnx"), None, "0" * 64)
    (tmp_path / "config.json").unlink(missing_ok=True)
    assert parser.parser_label_set(weights, None) == OWN_SET
    assert "drawn.onnx: no config.json beside it names its classes, so their order is taken to be" in caplog.text
    caplog.clear()
    assert parser.parser_label_set(weights, OWN_SET) == OWN_SET
    (tmp_path / "config.json").write_text(json.dumps({"id2label": dict(enumerate(CLASSES))}))
    assert parser.parser_label_set(weights, None).is_own
    assert not caplog.text


def test_a_parser_as_an_onnx_file_gives_the_same_label_map(tmp_path, bisenet_weights, faces):
    path = tmp_path / "bisenet.onnx"
    network = bisenet.load_bisenet(bisenet_weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (torch.zeros(1, 3, SIZE, SIZE),), path, dynamo=False)
    photo = parser.fit_photo(faces[0])[None]
    labels = parser.open_parser(path, "cpu", "fp32")(photo)
    assert np.mean(labels != parser_of(bisenet_weights)(photo)) < 1e-4


def test_a_recogniser_is_not_a_parser(recogniser_weights):
    with pytest.raises(FacepartError, match=r"fr_feature\.onnx: "):
        parser.open_parser(recogniser_weights, "cpu", "fp32")
