"""Label sets, label maps in folders, and how far label maps agree."""

import json
import secrets
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facepart.data.label_input import read_label_map
from facepart.data.photo_output import write_indexed_png
from facepart.data.photos import Photo
from facepart.errors import FacepartError, UsageError
from facepart.files.addresses import place
from facepart.networks.alignment import ARCFACE_TEMPLATE, align_labels, similarity_transform
from facepart.networks.label_folder import LabelFolder, fit_labels, label_maps_digest
from facepart.networks.label_map import PALETTE
from facepart.networks.label_sets import LABEL_SETS, OWN_SET, find_label_set, label_set_beside
from facepart.occlusion.label_overlap import class_overlaps, confusion, part_overlaps
from facepart.occlusion.parts import BUILT_IN, find_part
from facepart.pipeline.parser_choice import lacking_classes, refuse_unknown_classes

# As CelebAMask-HQ's g_mask.py numbers its files, from 1 on, and as LaPa's paper lists its categories.
# fmt: off
CELEBAMASK = [
    "skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear", "r_ear", "mouth", "u_lip", "l_lip",
    "hair", "hat", "ear_r", "neck_l", "neck", "cloth",
]
LAPA = [
    "background", "skin", "left_eyebrow", "right_eyebrow", "left_eye", "right_eye", "nose", "upper_lip",
    "inner_mouth", "lower_lip", "hair",
]
# fmt: on
# By hand: this program's numbers of these.
CELEBAMASK_NUMBERS = [0, 1, 10, 6, 4, 5, 2, 3, 7, 8, 11, 12, 13, 17, 18, 9, 15, 14, 16]
LAPA_NUMBERS = [0, 1, 2, 3, 4, 5, 10, 12, 11, 13, 17]


def test_built_in_sets_map_to_the_right_classes():
    assert len(CELEBAMASK) + 1 == len(CELEBAMASK_NUMBERS) == 19
    assert len(LAPA) == len(LAPA_NUMBERS)
    for name, numbers in (("celebamask-hq", CELEBAMASK_NUMBERS), ("lapa", LAPA_NUMBERS), ("bisenet", range(19))):
        found = LABEL_SETS[name].translate(np.arange(len(numbers), dtype=np.uint8))
        assert found.tolist() == list(numbers), name


def test_a_set_from_a_toml_file(tmp_path: Path):
    path = tmp_path / "own.toml"
    path.write_text('classes = ["background", "nose", "skin", "skin"]\n')
    found = find_label_set(str(path))
    assert found.translate(np.array([[3, 1], [0, 2]], np.uint8)).tolist() == [[1, 10], [0, 1]]
    with pytest.raises(FacepartError, match=r"has the value 4; the label set own.toml has values from 0 to 3"):
        found.translate(np.array([4], np.uint8))
    for text, message in (
        ('classes = ["chin"]', "unknown class 'chin'; known: background, skin"),
        ("classes = []", "needs classes"),
        ('order = ["skin"]', "unknown key 'order'"),
        ("classes = ", "is not TOML"),
    ):
        path.write_text(text)
        with pytest.raises(FacepartError, match=message) as caught:
            find_label_set(str(path))
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="unknown label set 'helen'; known: bisenet, celebamask-hq, lapa"):
        find_label_set("helen")
    with pytest.raises(FacepartError, match="no such label set"):
        find_label_set(str(tmp_path / "none.toml"))


def test_the_set_that_a_networks_description_names(tmp_path: Path):
    network = tmp_path / "onnx" / "model.onnx"
    network.parent.mkdir()
    assert label_set_beside(network) is None
    names = dict(enumerate(["background", *CELEBAMASK]))
    (tmp_path / "config.json").write_text(json.dumps({"id2label": names}))
    assert label_set_beside(network) == LABEL_SETS["celebamask-hq"]
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {0: "road"}}))
    with pytest.raises(FacepartError, match=r"config\.json names a class 'road' that is not known: name the"):
        label_set_beside(network)


@pytest.mark.parametrize(
    ("label_set", "part", "lacking"),
    [
        ("lapa", "eyeglasses", ["glasses"]),
        ("lapa", "ears", ["left ear", "right ear"]),
        ("lapa", "eyes_or_glasses", []),
        ("lapa", "eyes_brows", []),
        ("lapa", "eyes+eyeglasses", []),
        ("lapa", "periocular", []),
        ("lapa", "left_eye", []),
        ("celebamask-hq", "ears", []),
    ],
)
def test_parts_of_missing_classes(label_set: str, part: str, lacking: list[str]):
    assert lacking_classes(find_part(part), LABEL_SETS[label_set]) == lacking


def test_a_side_needs_the_nose(tmp_path: Path):
    (tmp_path / "eyes.toml").write_text('classes = ["background", "left eye", "right eye"]')
    found = find_label_set(str(tmp_path / "eyes.toml"))
    refuse_unknown_classes([BUILT_IN["eyes"]], found)
    with pytest.raises(UsageError, match=r"--parts left_eye: the label set eyes.toml has no nose"):
        refuse_unknown_classes([BUILT_IN["left_eye"]], found)


def draw_labels(seed: int, height: int = 24, width: int = 20, most: int = 19) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, most, (height, width)).astype(np.uint8)


@pytest.mark.parametrize("mode", ["P", "L"])
def test_label_maps_are_read_as_numbers(tmp_path: Path, mode: str):
    labels = draw_labels(1)
    if mode == "P":
        write_indexed_png(tmp_path / "a.png", labels, PALETTE)
    else:
        Image.fromarray(labels).save(tmp_path / "a.png")
    assert np.array_equal(read_label_map(tmp_path / "a.png"), labels)


def test_label_maps_that_cannot_be_used_are_one_line(tmp_path: Path):
    folder, labels = LabelFolder(tmp_path, LABEL_SETS["lapa"]), draw_labels(2, most=11)
    Image.fromarray(np.dstack([labels] * 3)).save(tmp_path / "rgb.png")
    Image.fromarray(labels.astype(np.uint16) * 256).save(tmp_path / "deep.png")
    Image.fromarray(labels > 5).save(tmp_path / "bits.png")
    Image.fromarray(labels).save(tmp_path / "jpeg.png", "JPEG")
    Image.fromarray(labels[:-1]).save(tmp_path / "small.png")
    Image.fromarray(labels + np.uint8(8)).save(tmp_path / "other.png")
    Image.fromarray(labels).save(tmp_path / "good.png")
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    at = whole.index(b"IDAT") + 12
    (tmp_path / "flipped.png").write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
    (tmp_path / "text.png").write_text("no image")
    assert np.array_equal(folder.read("good", (24, 20)), np.array(LAPA_NUMBERS)[labels])
    for name, message in {
        "rgb": "its pixels are colours, not the numbers of classes",
        "deep": "its pixels are of 16 bits",
        "bits": "its pixels are of 1 bit",
        "jpeg": "is a file of the kind JPEG; label maps are PNG files",
        "small": "is 23x20, and the photo 24x20: a label map is as large as its photo, or 512x512",
        "other": "has the value 18; the label set lapa has values from 0 to 10",
        "cut": "cannot be read|damaged",
        "flipped": "cannot be read|damaged",
        "text": "is not a PNG file",
        "none": "no such label map",
    }.items():
        with pytest.raises(FacepartError, match=message) as caught:
            folder.read(name, (24, 20))
        assert str(caught.value).startswith(f"{tmp_path / name}.png: "), name
        assert "\n" not in str(caught.value)


def test_stamps_follow_the_contents_of_label_maps(tmp_path: Path):
    folder = LabelFolder(tmp_path / "labels", OWN_SET)
    (tmp_path / "labels").mkdir()
    photos = [Photo(tmp_path / f"{name}.png", name) for name in "ab"]
    for photo in photos:
        photo.path.write_bytes(b"photo")
    with pytest.raises(FacepartError, match=r"labels: has no label map of any of the photos, such as .*a\.png"):
        folder.stamped(photos)
    for name in "ab":
        Image.fromarray(draw_labels(3)).save(folder.path_of(name))
    before = folder.stamped(photos)
    folder.path_of("a").write_bytes(folder.path_of("a").read_bytes())
    assert folder.stamped(photos) == before
    Image.fromarray(draw_labels(4)).save(folder.path_of("a"))
    after = folder.stamped(photos)
    assert [one.stamp == two.stamp for one, two in zip(before, after, strict=True)] == [False, True]
    assert label_maps_digest(before) != label_maps_digest(after)


def test_a_photo_that_is_replaced_in_a_store_is_noticed_beside_its_label_map(tmp_path: Path):
    """A photo of a list of addresses has no stamp until its store is asked."""
    folder = LabelFolder(tmp_path, OWN_SET)
    photo = Photo(place(f"memory://bucket-{secrets.token_hex(4)}/a.png"), "a")
    Image.fromarray(draw_labels(3)).save(folder.path_of("a"))
    photo.path.write_bytes(b"photo")
    before = folder.stamped([photo])
    assert folder.stamped([photo]) == before
    photo.path.write_bytes(b"another photo")
    assert folder.stamped([photo]) != before


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40))
def test_fitting_takes_the_nearest_pixel(seed: int, height: int, width: int):
    labels = draw_labels(seed, height, width)
    rows, columns = (((np.arange(512) + 0.5) * side / 512).astype(int) for side in (height, width))
    assert np.array_equal(fit_labels(labels), labels[rows][:, columns])


@pytest.mark.parametrize("scale", [1, 2])
def test_aligned_labels_are_those_under_each_pixel(scale: int):
    """Against a loop over the pixels of the crop; label maps may be larger than the photo."""
    height, width, side = 90, 70, 56
    labels = draw_labels(5, height * scale, width * scale)
    angle = np.deg2rad(20)
    turn = 0.6 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = (ARCFACE_TEMPLATE - 56) @ turn.T + [36.3, 44.1]
    found = align_labels(labels, (height, width), landmarks, side)
    warp = similarity_transform(landmarks, (ARCFACE_TEMPLATE + 0.5) * side / 112 - 0.5)
    back = np.linalg.inv(warp[:, :2])
    wrong = compared = 0
    for row in range(side):
        for column in range(side):
            x, y = (back @ (np.array([column, row]) - warp[:, 2]) + 0.5) * scale - 0.5
            near = abs(x % 1 - 0.5) < 0.01 or abs(y % 1 - 0.5) < 0.01  # either pixel is nearest
            inside = 0 <= round(x) < width * scale and 0 <= round(y) < height * scale
            if not near:
                compared += 1
                wrong += found[row, column] != (labels[round(y), round(x)] if inside else 0)
    assert compared > 0.9 * side * side
    assert wrong == 0


@given(st.integers(0, 2**32))
def test_overlaps_are_those_of_brute_force(seed: int):
    one, two = draw_labels(seed, 32, 32), draw_labels(seed + 1, 32, 32, most=12)
    counts = confusion(one, two)
    pairs = list(zip(one.ravel().tolist(), two.ravel().tolist(), strict=True))
    assert counts.sum() == len(pairs)
    for number, overlap in enumerate(class_overlaps(one, two)):
        both = sum(a == b == number for a, b in pairs)
        either = sum(number in pair for pair in pairs)
        assert overlap == (both, either, int(either > 0))
        assert counts[number, 3] == sum(pair == (number, 3) for pair in pairs)
    parts = [BUILT_IN["eyes_brows"], BUILT_IN["head_covering"], find_part("eyes+nose")]
    for part, classes, overlap in zip(
        parts, ({2, 3, 4, 5, 6}, {18}, {4, 5, 10}), part_overlaps(one, two, parts), strict=True
    ):
        assert overlap.intersection == sum(a in classes and b in classes for a, b in pairs), part.name
        assert overlap.union == sum(a in classes or b in classes for a, b in pairs), part.name
