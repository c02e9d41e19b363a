"""The control of a part: one displacement for each draw, on drawn faces and on real ones."""

from itertools import combinations

import cv2
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.null_world import drawn_labels
from facepart.arrays import align_faces, parse_faces
from facepart.data.photo_input import read_photo
from facepart.errors import UsageError
from facepart.occlusion.control import MOVED, STEP, control_mask
from facepart.occlusion.method import STANDARD, OcclusionMethod
from facepart.occlusion.occlude import occlude_parts
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import HEAD, PARTS, part_mask
from facepart.occlusion.recipe import recipe

FEATURES = ("eyes", "brows", "eyes_brows", "nose", "mouth")
# Pixels of the label map in one of a photo of 224x224.
PIXEL = 512 / 224


def moved_labels(labels, down, right):
    """The same face elsewhere in the frame."""
    return scipy.ndimage.shift(labels, (down, right), order=0)


def face_of(labels):
    """Where a control may lie."""
    return np.isin(labels, HEAD) & (labels != 17)


def grown(mask, part, method=STANDARD):
    """The mask as the recipe dilates it; SciPy's, not OpenCV's."""
    return scipy.ndimage.maximum_filter(mask, 2 * recipe(PARTS[part], 512, 512, method).dilation + 1)


def displacement(labels, part, mask):
    """How far a part's shape was moved, down and to the right; a failure where it is another shape."""
    rows, columns = np.nonzero(part_mask(labels, PARTS[part]))
    moved_rows, moved_columns = np.nonzero(mask)
    down, right = moved_rows.min() - rows.min(), moved_columns.min() - columns.min()
    np.testing.assert_array_equal(moved_rows, rows + down)
    np.testing.assert_array_equal(moved_columns, columns + right)
    return int(down), int(right)


def fits(labels, part, move, method=STANDARD):
    """Whether a part's shape fits at a displacement: pixel by pixel."""
    rows, columns = np.nonzero(part_mask(labels, PARTS[part]))
    rows, columns = rows + move[0], columns + move[1]
    if min(rows.min(), columns.min()) < 0 or max(rows.max(), columns.max()) > 511:
        return False
    moved = np.zeros((512, 512), np.uint8)
    moved[rows, columns] = 255
    off_the_part = not np.any(grown(moved, part, method)[part_mask(labels, PARTS[part]) > 0])
    return off_the_part and np.mean(face_of(labels)[rows, columns]) >= 0.97


def nearest_by_brute_force(labels, part, wanted, method=STANDARD):
    """The squared distance of the nearest displacements that fit, of all on the grid."""
    reach = range(-512, 513, STEP)
    moves = sorted(
        ((down - wanted[0]) ** 2 + (right - wanted[1]) ** 2, down, right) for down in reach for right in reach
    )
    return next((distance for distance, *move in moves if fits(labels, part, move, method)), None)


@pytest.mark.parametrize("part", FEATURES)
def test_places_are_twelve_apart_from_each_other_and_from_the_part(part):
    places = PARTS[part].places
    assert len(places) == 12
    assert all(number % STEP == 0 for place in places for number in place)
    assert min(np.hypot(*np.subtract(one, other)) for one, other in combinations(places, 2)) >= 16
    assert min(np.hypot(*place) for place in places) > recipe(PARTS[part], 512, 512).dilation


@pytest.mark.parametrize("part", FEATURES)
@pytest.mark.parametrize("draw", [1, 2, 7, 12])
def test_a_control_is_where_its_displacement_says(part, draw):
    """On an average face, at once; on another face, in the same place of it."""
    labels = drawn_labels(np.random.default_rng(0))
    control = control_mask(labels, PARTS[part], draw)
    assert control.kind == MOVED
    found = displacement(labels, part, control.mask)
    wanted = PARTS[part].places[draw - 1]
    if fits(labels, part, wanted):
        assert found == wanted
    moved = moved_labels(labels, -6, 5)
    np.testing.assert_array_equal(control_mask(moved, PARTS[part], draw).mask, moved_labels(control.mask, -6, 5))


@pytest.mark.parametrize("part", FEATURES)
def test_most_draws_of_an_average_face_are_just_there(part):
    """No draw is somewhere else in most of the drawn faces, which differ."""
    rng = np.random.default_rng(2)
    faces = [drawn_labels(rng) for _ in range(12)]
    for draw, wanted in enumerate(PARTS[part].places, 1):
        there = sum(displacement(face, part, control_mask(face, PARTS[part], draw).mask) == wanted for face in faces)
        assert there >= 6, draw


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(FEATURES),
    st.integers(0, 2**32 - 1),
    st.integers(1, 12),
    st.integers(-60, 60),
    st.integers(-60, 60),
    st.sampled_from([STANDARD, OcclusionMethod(dilation=0), OcclusionMethod("grey", dilation=1.5)]),
)
def test_a_control_is_the_nearest_that_fits(part, seed, draw, down, right, method):
    """The oracle goes through all displacements, pixel by pixel."""
    labels = moved_labels(drawn_labels(np.random.default_rng(seed)), down, right)
    control = control_mask(labels, PARTS[part], draw, method)
    wanted = PARTS[part].places[draw - 1]
    expected = nearest_by_brute_force(labels, part, wanted, method)
    if expected is None:
        assert control.kind == ""
        assert not control.mask.any()
        return
    found = displacement(labels, part, control.mask)
    assert fits(labels, part, found, method)
    assert (found[0] - wanted[0]) ** 2 + (found[1] - wanted[1]) ** 2 == expected


def test_a_face_too_small_for_another_place_has_no_control():
    labels = np.zeros((512, 512), np.uint8)
    labels[200:300, 200:300] = 1
    labels[215:285, 215:285] = 10
    for draw in range(1, 13):
        control = control_mask(labels, PARTS["nose"], draw)
        assert control.kind == ""
        assert not control.mask.any()


@pytest.mark.parametrize("wide", [112, 116, 120, 124, 128, 132, 150])
def test_whether_there_is_a_control_does_not_depend_on_the_draw(wide):
    """A strip of skin beside the nose that is just wide enough, or not quite."""
    labels = np.zeros((512, 512), np.uint8)
    labels[200:260, 203 : 203 + wide] = 1
    labels[200:260, 203:250] = 10
    kinds = {control_mask(labels, PARTS["nose"], draw).kind for draw in range(1, 13)}
    room = any(fits(labels, "nose", (0, right)) for right in range(0, 200, STEP))
    assert kinds == {MOVED if room else ""}


@pytest.mark.parametrize("part", PARTS)
def test_no_part_no_control(part):
    labels = np.full((512, 512), 14, np.uint8)
    control = control_mask(labels, PARTS[part], 1)
    assert control.kind == ""
    assert not control.mask.any()


@pytest.mark.parametrize("part", ["skin", "hair"])
def test_skin_and_hair_have_no_control(part):
    """Nothing of their size can be moved elsewhere on a face."""
    labels = drawn_labels(np.random.default_rng(0))
    assert part_mask(labels, PARTS[part]).any()
    assert not PARTS[part].controllable
    for draw in (1, 5, 100):
        control = Region(PARTS[part], draw).find(labels, STANDARD)
        assert control.kind == ""
        assert not control.mask.any()


@pytest.mark.parametrize("part", FEATURES)
def test_odd_maps(part):
    """A part of one pixel, a part with nothing around it, a part that is the whole photo."""
    for covered in (1, 40, 512):
        labels = np.zeros((512, 512), np.uint8)
        labels[-covered:, :covered] = PARTS[part].classes[0]
        control = control_mask(labels, PARTS[part], 9)
        assert control.kind == ""
        assert not control.mask.any()
    labels = np.ones((512, 512), np.uint8)
    labels[0, 511] = PARTS[part].classes[0]
    assert np.count_nonzero(control_mask(labels, PARTS[part], 9).mask) == 1


def test_more_draws_than_places_are_refused():
    assert Region(PARTS["nose"], 12).draw == 12
    with pytest.raises(UsageError, match="13 control positions: there are 12"):
        Region(PARTS["nose"], 13)


def test_another_place_is_another_recipe():
    recipes = [Occlusion(Region(PARTS["nose"], draw)).recipe() for draw in (1, 2)]
    assert recipes[0]["control"] == {"version": 2, "draw": 1, "place": list(PARTS["nose"].places[0])}
    assert recipes[0] != recipes[1]


def test_a_control_is_softened_and_occluded_as_the_part_is():
    labels = drawn_labels(np.random.default_rng(1))
    photo = np.random.default_rng(1).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    for part in FEATURES:
        mask = part_mask(labels, PARTS[part])
        own = occlude_parts(photo, {part: mask})[part]
        for draw in (1, 2, 3):
            other = occlude_parts(photo, {part: control_mask(labels, PARTS[part], draw).mask})[part]
            assert other.share == pytest.approx(own.share, rel=0.02)
            # Nearly nothing of the part itself is removed with it.
            soft = np.zeros((224, 224))
            soft[other.soft.place] = other.soft.values
            fitted = cv2.resize(mask, (224, 224), interpolation=cv2.INTER_AREA)
            assert soft[fitted > 127].mean() < 0.15 * 255, part


@pytest.mark.slow
def test_controls_of_real_faces_lie_at_one_place(shared, bisenet_weights):
    """London, aligned: relative to the part, nearly all controls of a draw lie at one place of all photos."""
    paths = sorted((shared / "data" / "london" / "images").glob("*.jpg"))[::17]
    label_maps = parse_faces(align_faces([read_photo(path) for path in paths]), model=str(bisenet_weights))
    for part in FEATURES:
        apart = []
        for labels in label_maps:
            for draw in range(1, 6):
                control = control_mask(labels, PARTS[part], draw)
                assert control.kind == MOVED
                found = displacement(labels, part, control.mask)
                assert fits(labels, part, found)
                apart.append(np.hypot(*np.subtract(found, PARTS[part].places[draw - 1])) / PIXEL)
        assert np.median(apart) == 0, part
        assert np.quantile(apart, 0.9) < 8, part
