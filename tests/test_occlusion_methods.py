"""Occlusion methods: names, sweeps and recipes, what replaces the part, and what all must keep."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.errors import FacepartError, UsageError
from facepart.occlusion.method import AVERAGE, OCCLUDERS, STANDARD, OcclusionMethod, parse_sweep
from facepart.occlusion.occlude import occlude_parts
from facepart.occlusion.occlusion import BASELINE, Occlusion, Region
from facepart.occlusion.parts import PARTS
from facepart.occlusion.recipe import box_side, growth, scale_of
from facepart.occlusion.replace import WHOLE, inpaint
from facepart.pipeline.blur import blur_photos
from tests.soft_masks import soft_mask

METHODS = [
    *(OcclusionMethod(name) for name in OCCLUDERS if name != AVERAGE),
    OcclusionMethod("blur", 5),
    OcclusionMethod("pixelate", 9, 0.5),
    OcclusionMethod("grey", dilation=2.0),
    OcclusionMethod(dilation=0),
]
NOSE = Region(PARTS["nose"])


def names(methods):
    return [method.name for method in methods]


def photo_of(seed, height=120, width=90):
    """Smooth blobs of colour, so that neighbours are alike as on a face."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def square_mask(top=200, left=180, side=110):
    mask = np.zeros((512, 512), np.uint8)
    mask[top : top + side, left : left + side] = 255
    return mask


def test_names_distinguish_methods_and_fit_a_file():
    assert OcclusionMethod().name == "blur"
    assert names(METHODS[-4:]) == ["blur-5", "pixelate-9-dilation-0.5", "grey-dilation-2", "blur-dilation-0"]
    assert OcclusionMethod(dilation=-0.0).name == OcclusionMethod(dilation=0).name
    assert OcclusionMethod(dilation=2).name == OcclusionMethod(dilation=2.0).name


@given(
    *[
        st.builds(
            lambda occlusion, box, dilation: OcclusionMethod(
                occlusion, box if occlusion in ("blur", "pixelate") else 15, dilation
            ),
            st.sampled_from(OCCLUDERS),
            st.integers(1, 111).map(lambda half: 2 * half + 1),
            st.floats(0, 10),
        )
    ]
    * 2
)
def test_names_and_recipes_are_equal_only_for_equal_methods(one, other):
    recipes = [Occlusion(NOSE, method).recipe() for method in (one, other)]
    assert (one.name == other.name) == (one == other) == (recipes[0] == recipes[1])
    assert not set(one.name) - set("abcdefghijklmnopqrstuvwxyz0123456789.-")


def test_the_recipe_of_an_occlusion_holds_all_it_depends_on_and_nothing_of_other_parts():
    assert Occlusion(NOSE).recipe() == {
        "occluder": "blur",
        "classes": [10],
        "reference_size": 224,
        "dilations_5x5": 3,
        "dilation": 1.0,
        "mask_sigma": 5.0,
        "box": 15,
    }
    assert BASELINE.recipe() == {}
    dilations = {part: Occlusion(Region(PARTS[part])).recipe()["dilations_5x5"] for part in PARTS}
    assert dilations == {"eyes": 4, "brows": 2, "eyes_brows": 4, "nose": 3, "mouth": 4, "hair": 4, "skin": 0}
    # A control is of the recipe, too: tests/test_occlusion_control.py; a patch: tests/test_occlusion_patch.py.
    assert set(Occlusion(Region(PARTS["nose"], 2)).recipe()) - set(Occlusion(NOSE).recipe()) == {"control"}
    assert set(Occlusion(Region(PARTS["nose"], patch=True)).recipe()) - set(Occlusion(NOSE).recipe()) == {"patch"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("haze",), "unknown occlusion 'haze'; known: blur mean grey noise pixelate inpaint"),
        (("blur", 4), "a box of 4 is impossible"),
        (("blur", 1), "a box of 1 is impossible"),
        (("pixelate", 225), "a box of 225 is impossible"),
        (("grey", 5), "grey has no box"),
        (("blur", 15, -0.5), "a dilation of -0.5 is impossible"),
        (("blur", 15, float("nan")), "a dilation of nan is impossible"),
        (("blur", 15, float("inf")), "a dilation of inf is impossible"),
    ],
)
def test_impossible_methods_are_refused(values, words):
    with pytest.raises(UsageError, match=words):
        OcclusionMethod(*values)


def test_a_way_is_chosen_by_name():
    assert [OcclusionMethod(name) for name in OCCLUDERS] == [OcclusionMethod(name) for name in OCCLUDERS]
    with pytest.raises(UsageError, match="unknown occlusion 'blur=5'"):
        OcclusionMethod("blur=5")


def test_sweeps_vary_one_number():
    base = OcclusionMethod("grey", dilation=0.5)
    assert names(parse_sweep("blur=5,9,15,25")) == ["blur-5", "blur-9", "blur", "blur-25"]
    assert parse_sweep("pixelate=9, 15", base) == [
        OcclusionMethod("pixelate", 9, 0.5),
        OcclusionMethod("pixelate", 15, 0.5),
    ]
    assert parse_sweep("dilation=0,0.5,1,2", base) == [
        OcclusionMethod("grey", dilation=value) for value in (0, 0.5, 1, 2)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "blur",
        "blur=",
        "blur=5,",
        "blur=x",
        "blur=5.5",
        "blur=4",
        "noise=5",
        "dilation=-1",
        "dilation=nan",
        "box=5",
    ],
)
def test_a_wrong_sweep_is_refused_in_one_line(text):
    with pytest.raises(UsageError) as caught:
        parse_sweep(text)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_box_and_dilation_scale_the_recipe():
    dilations = PARTS["nose"].dilations
    assert box_side(OcclusionMethod(box=5, dilation=0.5), 224, 224) == 5
    assert growth(dilations, 224, 224, OcclusionMethod(dilation=0.5)) == 3
    large = OcclusionMethod(box=9, dilation=2)
    assert (growth(dilations, 448, 448, large), NOSE.sigma * scale_of(448, 448)) == (24, 10.0)
    assert box_side(large, 448, 448) == 17
    # A box of one pixel would leave the photo as it is.
    assert box_side(OcclusionMethod(box=3), 112, 112) == 3


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(METHODS), st.integers(0, 99), st.integers(0, 470), st.integers(0, 470), st.integers(5, 200))
def test_no_way_touches_the_photo_outside_the_soft_mask(method, seed, top, left, side):
    photo = photo_of(seed)
    before = photo.copy()
    mask = square_mask(top, left, side)
    soft = soft_mask(mask, PARTS["nose"], 120, 90, method)
    occluded = occlude_parts(photo, {"nose": mask}, method)["nose"]
    np.testing.assert_array_equal(occluded.photo[soft == 0], photo[soft == 0])
    np.testing.assert_array_equal(photo, before)
    assert occluded.share == pytest.approx(soft.mean() / 255)
    again = occlude_parts(photo, {"mouth": mask, "nose": mask}, method)["nose"]
    np.testing.assert_array_equal(again.photo, occluded.photo)


@pytest.mark.parametrize("method", METHODS, ids=names(METHODS))
def test_a_part_that_is_nowhere_leaves_the_photo_as_it_is(method):
    photo = photo_of(1)
    occluded = occlude_parts(photo, {"hair": np.zeros((512, 512), np.uint8)}, method)["hair"]
    np.testing.assert_array_equal(occluded.photo, photo)
    assert occluded.share == 0


@pytest.mark.parametrize("method", METHODS, ids=names(METHODS))
def test_where_all_is_lost_the_replacement_is_all_there_is(method):
    photo = photo_of(2, 224, 224)
    occluded = occlude_parts(photo, {"skin": np.full((512, 512), 255, np.uint8)}, method)["skin"]
    expected = WHOLE["mean" if method.occluder == "inpaint" else method.occluder](photo, method.box)
    np.testing.assert_array_equal(occluded.photo, expected)
    assert occluded.share == 1


def test_mean_is_the_photos_mean_and_grey_is_128():
    photo = photo_of(3)
    np.testing.assert_array_equal(WHOLE["mean"](photo, 15)[5, 7], np.floor(photo.mean(axis=(0, 1)) + 0.5))
    assert (WHOLE["grey"](photo, 15) == 128).all()


def test_noise_covers_all_levels_evenly_and_differs_between_photos():
    photo = photo_of(4, 224, 224)
    other = photo.copy()
    other[0, 0, 0] ^= 1
    noise = WHOLE["noise"](photo, 15)
    counts = np.bincount(noise.ravel(), minlength=256)
    # 588 of each level are expected; the standard deviation is 24.
    assert abs(counts - noise.size / 256).max() < 5 * 24.3
    np.testing.assert_array_equal(noise, WHOLE["noise"](photo, 15))
    assert abs(np.corrcoef(noise.ravel(), WHOLE["noise"](other, 15).ravel())[0, 1]) < 0.02


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12).map(lambda half: 2 * half + 1), st.integers(0, 99))
def test_a_mosaics_blocks_have_the_mean_of_their_pixels(height, width, box, seed):
    photo = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    mosaic = WHOLE["pixelate"](photo, box)
    assert mosaic.shape == photo.shape
    for top in range(0, height, box):
        for left in range(0, width, box):
            block = np.s_[top : top + box, left : left + box]
            mean = np.floor(photo[block].mean(axis=(0, 1)) + 0.5)
            np.testing.assert_array_equal(mosaic[block], np.broadcast_to(mean, mosaic[block].shape))


@pytest.mark.parametrize("size", [(224, 224), (300, 260), (112, 112)])
def test_inpainting_a_patch_is_inpainting_the_photo(size):
    height, width = size
    photo = photo_of(5, height, width)
    for mask in (square_mask(), square_mask(0, 300, 150), square_mask(100, 0, 400)):
        soft = soft_mask(mask, PARTS["nose"], height, width)
        whole = inpaint(photo, soft, scale_of(height, width)).astype(int)
        expected = (soft[:, :, None] * whole + (255 - soft[:, :, None].astype(int)) * photo) // 255
        np.testing.assert_array_equal(
            occlude_parts(photo, {"nose": mask}, OcclusionMethod("inpaint"))["nose"].photo, expected
        )


def test_inpainting_continues_a_plain_surrounding_over_a_part():
    plain = np.full((60, 60, 3), (90, 120, 150), np.uint8)
    photo = plain.copy()
    photo[20:40, 25:45] = 255
    soft = np.zeros((60, 60), np.uint8)
    soft[18:42, 23:47] = 128
    # OpenCV rounds each pixel, and goes on from rounded ones.
    assert np.abs(inpaint(photo, soft, 1.0).astype(int) - plain).max() <= 5


def test_inpainting_hides_what_is_more_than_half_lost_and_looks_further_on_larger_photos():
    photo = np.random.default_rng(8).integers(0, 256, (60, 60, 3)).astype(np.uint8)
    soft = np.zeros((60, 60), np.uint8)
    soft[10:50, 10:50], soft[20:40, 20:40] = 127, 128
    near, far = inpaint(photo, soft, 1.0), inpaint(photo, soft, 2.0)
    np.testing.assert_array_equal(near[soft < 128], photo[soft < 128])
    assert np.any(near[soft == 128] != photo[soft == 128], axis=1).mean() > 0.95
    assert near[soft == 128].std() > far[soft == 128].std()


def test_a_stronger_blur_leaves_less_detail():
    photo = np.random.default_rng(6).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    mask = square_mask(150, 150, 200)
    spread = [
        occlude_parts(photo, {"nose": mask}, method)["nose"].photo[80:140, 80:140].std()
        for method in parse_sweep("blur=3,7,15,25", STANDARD)
    ]
    assert spread == sorted(spread, reverse=True)
    assert spread[0] > 3 * spread[-1]


def test_more_dilation_loses_more():
    shares = [
        occlude_parts(photo_of(7), {"nose": square_mask()}, method)["nose"].share
        for method in parse_sweep("dilation=0,0.5,1,2")
    ]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]


def test_a_folder_holds_one_way_only(tmp_path, face_paths, bisenet_weights):
    del bisenet_weights  # skips where they cannot be had
    photo = read_photo(face_paths[0])[::2, ::2].copy()
    source, masks, blurred = tmp_path / "photos", tmp_path / "masks", tmp_path / "blurred"
    write_image(source / "a.png", photo)
    blur_photos(source, masks, blurred, parts=["nose"], method=OcclusionMethod("grey"))
    settings = json.loads((blurred / "run.json").read_text())["settings"]
    assert settings["recipes"] == {"nose": Occlusion(NOSE, OcclusionMethod("grey")).recipe()}
    mask = read_photo(masks / "mask_nose" / "a_annotation.png")[:, :, 0].copy()
    expected = occlude_parts(photo, {"nose": mask}, OcclusionMethod("grey"))["nose"].photo
    np.testing.assert_array_equal(read_photo(blurred / "blurred_nose" / "a.png"), expected)
    with pytest.raises(FacepartError, match="was made with recipes"):
        blur_photos(source, masks, blurred, parts=["nose"])
