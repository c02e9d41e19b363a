"""The parts beside the original's, and unions: their masks against plain NumPy, and what must not have changed."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.ndimage

from facepart.arrays import occlude
from facepart.errors import UsageError
from facepart.networks.alignment import ARCFACE_TEMPLATE, align_face, aligned_landmarks
from facepart.networks.label_map import CLASSES
from facepart.occlusion.face_regions import ZONES
from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.method import STANDARD, OcclusionMethod
from facepart.occlusion.occlude import apply_occlusions
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.overlap import removed_shares
from facepart.occlusion.parts import BUILT_IN, PARTS, Part, choose_parts, find_part, part_mask, parts_table
from facepart.occlusion.soften import soften_layers
from facepart.study.request import Request
from tests.conftest import ROOT

CLASS_PARTS = {
    "eyeglasses": (6,),
    "eyes_or_glasses": (4, 5, 6),
    "ears": (7, 8),
    "upper_lip": (12,),
    "lower_lip": (13,),
    "neck": (14,),
    "head_covering": (18,),
    "background": (0,),
}
SIDE_PARTS = {"left_eye": (4, 5), "right_eye": (4, 5), "left_brow": (2, 3), "right_brow": (2, 3)}
# Where things lie on a drawn face: class -> centre x and y, half axes.
FACE = {
    17: (256, 200, 200, 190),
    1: (256, 270, 150, 190),
    3: (190, 190, 40, 10),
    2: (322, 190, 40, 10),
    5: (190, 225, 30, 12),
    4: (322, 225, 30, 12),
    10: (256, 285, 30, 50),
    12: (256, 365, 45, 9),
    13: (256, 385, 45, 10),
    11: (256, 375, 40, 4),
    8: (110, 260, 14, 40),
    7: (402, 260, 14, 40),
    14: (256, 490, 60, 40),
    18: (256, 40, 150, 30),
}


def draw(roll: float = 0.0, without: tuple[int, ...] = (), seed: int = 0) -> np.ndarray:
    """Draw a label map, rolled by some degrees; every class lies a little elsewhere for each seed."""
    rng = np.random.default_rng(seed)
    turn = cv2.getRotationMatrix2D((256, 256), -roll, 1)
    labels = np.zeros((512, 512), np.uint8)
    for label, (x, y, wide, high) in FACE.items():
        if label not in without:
            centre = turn @ [*(np.array([x, y]) + rng.integers(-6, 7, 2)), 1]
            cv2.ellipse(labels, np.round(centre).astype(int).tolist(), (wide, high), roll, 0, 360, label, cv2.FILLED)
    return labels


def axis_of(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nose's centroid, and the direction from there to the mouth's, (row, column)."""
    nose = np.argwhere(labels == 10).mean(axis=0)
    mouth = np.argwhere(np.isin(labels, [11, 12, 13]))
    down = mouth.mean(axis=0) - nose if len(mouth) else np.array([1.0, 0.0])
    return nose, down / np.linalg.norm(down)


@pytest.mark.parametrize("name", CLASS_PARTS)
def test_a_part_of_classes_is_just_those(name):
    labels = np.random.default_rng(3).integers(0, 19, (512, 512)).astype(np.uint8)
    mask = part_mask(labels, BUILT_IN[name])
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, 255 * np.isin(labels, CLASS_PARTS[name]))


@pytest.mark.parametrize("name", SIDE_PARTS)
@pytest.mark.parametrize(("roll", "without"), [(0, ()), (25, ()), (-40, ()), (0, (11, 12, 13))])
def test_a_side_is_that_of_the_axis_through_nose_and_mouth(name, roll, without):
    for seed in range(4):
        labels = draw(roll, without, seed)
        nose, down = axis_of(labels)
        # Rotated by a quarter turn: towards the person's left, which is the photo's right.
        left = (np.indices(labels.shape).transpose(1, 2, 0) - nose) @ [-down[1], down[0]] > 0
        expected = np.isin(labels, SIDE_PARTS[name]) & (left == name.startswith("left"))
        np.testing.assert_array_equal(part_mask(labels, BUILT_IN[name]), 255 * expected)
        # Just the one drawn there, which is all of its class.
        (drawn,) = np.unique(labels[expected])
        assert CLASSES[drawn] == name.replace("_", " ")
        assert np.count_nonzero(expected) == np.count_nonzero(labels == drawn)


def test_zones_are_opposite_to_each_other():
    opposites = {name: zone.opposite for name, zone in ZONES.items() if zone.opposite}
    assert opposites == {"left side": "right side", "right side": "left side"}


def test_left_is_the_persons_left():
    columns = np.nonzero(part_mask(draw(), BUILT_IN["left_eye"]))[1]
    assert columns.min() > 256


def test_classes_that_the_parser_swaps_do_not_matter():
    labels = draw()
    swapped = labels.copy()
    spots = np.random.default_rng(0).random(labels.shape) < 0.4
    for one, other in ((4, 5), (2, 3)):
        swapped[spots & (labels == one)], swapped[spots & (labels == other)] = other, one
    for name in SIDE_PARTS:
        np.testing.assert_array_equal(part_mask(swapped, BUILT_IN[name]), part_mask(labels, BUILT_IN[name]))


def test_without_a_nose_nothing_has_a_side():
    labels = draw(without=(10,))
    for name in [*SIDE_PARTS, "lower_face"]:
        assert not part_mask(labels, BUILT_IN[name]).any()
    assert part_mask(labels, PARTS["eyes"]).any()


@pytest.mark.parametrize("roll", [0, 20, -35])
def test_the_lower_face_is_skin_and_mouth_below_the_nose(roll):
    labels = draw(roll)
    nose, down = axis_of(labels)
    along = (np.indices(labels.shape).transpose(1, 2, 0) - nose) @ down
    end = np.quantile(along[labels == 10], 0.98)
    expected = np.isin(labels, [1, 11, 12, 13]) & (along > end)
    np.testing.assert_array_equal(part_mask(labels, BUILT_IN["lower_face"]), 255 * expected)
    mouth = np.isin(labels, [11, 12, 13])
    assert np.all(expected[mouth])
    assert not np.any(expected & (along < np.sort(along[mouth])[0] / 2))


@pytest.mark.parametrize(("height", "width"), [(224, 224), (300, 200)])
def test_the_periocular_region_lies_around_the_landmarks_of_the_eyes(height, width):
    """On the photo, whose proportions differ from the label map's; closed eyes have it, too."""
    points = (ARCFACE_TEMPLATE + 0.5) * (min(height, width) / 112) - 0.5
    mask = part_mask(np.ones((512, 512), np.uint8), BUILT_IN["periocular"], Landmarks(points, height, width))
    # The landmarks are the template's, so a crop has the photo's shorter side.
    radius = 0.14 * min(height, width)
    for row in range(0, 512, 3):
        for column in range(0, 512, 3):
            x, y = (column + 0.5) * width / 512 - 0.5, (row + 0.5) * height / 512 - 0.5
            away = min(np.hypot(x - points[eye, 0], y - points[eye, 1]) for eye in (0, 1))
            if abs(away - radius) > 1e-6:
                assert (mask[row, column] == 255) == (away < radius)
    assert set(np.unique(mask)) == {0, 255}


def test_the_periocular_region_needs_landmarks():
    part = BUILT_IN["periocular"]
    assert part.needs_landmarks and find_part("nose+periocular").needs_landmarks
    assert not any(each.needs_landmarks for each in BUILT_IN.values() if each != part)
    assert not part_mask(draw(), part).any()
    assert not part_mask(draw(), part, Landmarks(np.full((5, 2), 7.0), 224, 224)).any()


def test_landmarks_go_where_the_warp_takes_them():
    points = (ARCFACE_TEMPLATE * 1.7 + [40, 25]) @ [[0.96, 0.28], [-0.28, 0.96]]
    np.testing.assert_allclose(aligned_landmarks(points, 224), (ARCFACE_TEMPLATE + 0.5) * 2 - 0.5, atol=1e-9)
    # Landmarks that no similarity brings to the template: a dot on one of them is found there on the crop.
    points = points + np.random.default_rng(1).normal(0, 6, (5, 2))
    photo = np.zeros((260, 300, 3), np.uint8)
    cv2.circle(photo, np.round(points[0]).astype(int).tolist(), 3, (255, 255, 255), cv2.FILLED)
    found = np.argwhere(align_face(photo, points, 224)[:, :, 0] > 127).mean(axis=0)[::-1]
    np.testing.assert_allclose(found, aligned_landmarks(points, 224)[0], atol=1.2)


def test_a_union_is_all_that_its_members_are():
    labels, landmarks = draw(), Landmarks((ARCFACE_TEMPLATE + 0.5) * 2 - 0.5, 224, 224)
    for names in (["eyes", "nose"], ["left_eye", "hair", "periocular"], ["skin", "brows", "lower_face", "neck"]):
        masks = [part_mask(labels, BUILT_IN[name], landmarks) for name in names]
        union = find_part("+".join(names))
        np.testing.assert_array_equal(part_mask(labels, union, landmarks), np.maximum.reduce(masks))
        assert not union.controllable


@pytest.mark.parametrize("method", [STANDARD, OcclusionMethod("grey", dilation=0.5)])
@pytest.mark.parametrize(
    "names", [("skin", "brows", "nose"), ("eyes", "mouth"), ("head_covering", "neck", "eyeglasses")]
)
def test_each_member_of_a_union_grows_as_it_does_alone(names, method):
    """On a photo of the label map's size, where masks are not resized."""
    labels = draw()
    photo = np.random.default_rng(0).integers(0, 256, (512, 512, 3)).astype(np.uint8)
    grown = np.zeros_like(labels)
    for name in names:
        radius = round(2 * BUILT_IN[name].dilations * method.dilation * 512 / 224)
        mask = part_mask(labels, BUILT_IN[name])
        grown = np.maximum(grown, scipy.ndimage.maximum_filter(mask, 2 * radius + 1, mode="constant"))
    expected = soften_layers([(grown, 0)], 5 * 512 / 224, 512, 512).whole(512, 512)
    occlusion = Occlusion(Region(find_part("+".join(names))), method)
    found = apply_occlusions(photo, labels, [occlusion])[occlusion]
    np.testing.assert_array_equal(found.soft.whole(512, 512), expected)
    assert found.share == pytest.approx(expected.mean() / 255)
    removed = removed_shares(labels, {"it": found.soft}, 512, 512, [PARTS["hair"], find_part("+".join(names))])
    inside = part_mask(labels, find_part("+".join(names))) > 0
    assert removed["it"][1] == pytest.approx(expected[inside].mean() / 255, abs=1e-5)
    assert removed["it"][0] == pytest.approx(expected[labels == 17].mean() / 255, abs=1e-5)


def test_overlaps_with_sides_and_landmarks():
    labels, landmarks = draw(), Landmarks((ARCFACE_TEMPLATE + 0.5) * 4.5 - 0.5, 512, 512)
    parts = [BUILT_IN[name] for name in ("left_eye", "right_eye", "periocular", "eyeglasses")]
    occlusion = Occlusion(Region(BUILT_IN["left_eye"]))
    soft = apply_occlusions(np.zeros((512, 512, 3), np.uint8), labels, [occlusion])[occlusion].soft
    whole = soft.whole(512, 512)
    found = removed_shares(labels, {"it": soft}, 512, 512, parts, landmarks)["it"]
    for part, share in zip(parts[:3], found, strict=False):
        assert share == pytest.approx(whole[part_mask(labels, part, landmarks) > 0].mean() / 255, abs=1e-5)
    assert found[0] > 0.9 and found[1] == 0 and 0 < found[2] < 0.5 and np.isnan(found[3])


def test_unions_are_named_in_one_order():
    union = find_part("nose+eyes")
    assert (union.name, union.label, union.plural) == ("eyes+nose", "eyes and nose", True)
    assert union == find_part("eyes+nose") == find_part("eyes+nose+eyes")
    assert find_part("nose+nose") is PARTS["nose"]
    assert find_part("mouth+eyes_brows+nose").label == "eyes and brows, nose, and mouth"
    chosen = choose_parts(["periocular", "eyes+nose", "nose", "nose+eyes", "left_eye"])
    assert [part.name for part in chosen] == ["nose", "left_eye", "periocular", "eyes+nose"]
    assert Occlusion(Region(union), OcclusionMethod("grey")).name == "eyes+nose_grey"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("eyes+ear", r"unknown part 'ear' in 'eyes\+ear' \(did you mean ears\?\); known: eyes brows .* lower_face"),
        ("eyes+", r"unknown part 'eyes\+' in|unknown part 'eyes\+'; known"),
        ("+", r"unknown part '\+'; known"),
        ("Eyes", r"unknown part 'Eyes' \(did you mean eyes\?\); known"),
    ],
)
def test_an_unknown_member_is_named(name, message):
    with pytest.raises(UsageError, match=message):
        choose_parts(["nose", name])


def test_the_originals_parts_are_the_default_and_as_they_were():
    seven = {
        "eyes": ([4, 5], 4),
        "brows": ([2, 3], 2),
        "eyes_brows": ([2, 3, 4, 5, 6], 4),
        "nose": ([10], 3),
        "mouth": ([11, 12, 13], 4),
        "hair": ([17], 4),
        "skin": ([1], 0),
    }
    assert list(PARTS) == list(seven) == list(Request(Path("photos"), Path("out")).parts)
    for name, (classes, dilations) in seven.items():
        assert list(Occlusion(Region(PARTS[name])).recipe().items()) == [
            ("occluder", "blur"),
            ("classes", classes),
            ("dilations_5x5", dilations),
            ("dilation", 1.0),
            ("mask_sigma", 5.0),
            ("reference_size", 224),
            ("box", 15),
        ]
        assert PARTS[name].key == name
    assert list(BUILT_IN)[:7] == list(PARTS)


def test_every_definition_has_a_recipe_of_its_own():
    parts = [*BUILT_IN.values(), find_part("eyes+nose"), find_part("eyes+mouth"), find_part("left_eye+right_eye")]
    parts += [Part("cheeks", (1,), 0, "cheeks"), Part("cheeks", (1,), 1, "cheeks"), Part("cheeks", (1, 9), 0, "")]
    recipes = [Occlusion(Region(part)).recipe() for part in parts]
    patches = [Occlusion(Region(part, patch=True)).recipe() for part in parts]
    # Skin is what cheeks are by the first definition.
    same = [PARTS["skin"].name, "cheeks"]
    for place, part in enumerate(parts):
        for other in range(place):
            alike = [parts[other].name, part.name] == same and part.dilations == 0 and part.classes == (1,)
            assert (recipes[place] == recipes[other]) == alike, (part.name, parts[other].name)
            assert patches[place] != recipes[other]
            assert part.key != parts[other].key


def test_a_part_travels_to_a_worker():
    for part in [*BUILT_IN.values(), find_part("eyes+periocular"), Part("cheeks", (1,), 0, "cheeks")]:
        region = Region(part)
        again = pickle.loads(pickle.dumps(region))  # noqa: S301 - our own
        assert again == region and hash(again) == hash(region)
        assert again.part is not region.part


def test_the_table_lists_the_classes_of_every_part():
    text = " ".join(parts_table().split())
    for name, part in BUILT_IN.items():
        row = text.partition(f"{name} {part.describe().split()[0]}")[2]
        assert row or name == "lower_face", name
        for number in part.classes:
            assert CLASSES[number] in part.describe()
    assert "eyes_brows left brow, right brow, left eye, right eye, glasses (with eyeglasses" in text
    assert find_part("left_eye+nose").describe() == (
        "nose: nose; left_eye: left eye, right eye (pixels on the left side of the face only)"
    )


def test_the_documentation_lists_every_part_with_its_classes():
    text = (ROOT / "docs" / "parts.md").read_text()
    for name, part in BUILT_IN.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |") and line.count("|") == 5]
        cells = [cell.strip() for cell in row.split("|")[2:-1]]
        for number in part.classes:
            assert f"{number} {CLASSES[number]}" in cells[0]
        assert len([word for word in cells[0].split() if word.isdigit()]) == len(part.classes)
        assert cells[1:] == [str(part.dilations), "yes" if part.controllable else "no"]


def test_arrays_are_occluded_by_any_part():
    labels, photo = draw(), np.random.default_rng(4).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    eyes, nose = (occlude(photo, labels, name, "grey") != photo for name in ("eyes", "nose"))
    both = occlude(photo, labels, "nose+eyes", "grey") != photo
    # Where the soft borders of both are too faint to show alone, they may show together.
    assert np.all(both[eyes | nose]) and np.mean(both & ~(eyes | nose)) < 0.001
    left = np.nonzero(np.any(occlude(photo, labels, "left_eye") != photo, axis=2))[1]
    # The eye begins at 128; its mask grows by 8 pixels, and its soft border by 13.
    assert 128 - 8 - 14 < left.min() < 128
    with pytest.raises(UsageError, match="unknown part 'cheeks'"):
        occlude(photo, labels, "cheeks")
