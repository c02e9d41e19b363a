"""The size control: area, place, chance and seed, on drawn faces and on real ones."""

from collections import Counter

import cv2
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from facepart.data.photo_input import read_photo
from facepart.networks import face_parser as parser
from facepart.occlusion.control import BLOBS, MOVED, control_mask
from facepart.occlusion.method import OcclusionMethod
from facepart.occlusion.occlude import occlude_parts
from facepart.occlusion.parts import HEAD, PARTS, part_mask
from facepart.occlusion.recipe import recipe
from facepart.occlusion.soften import soft_mask

# Small beside the face: there is always room for these.
FEATURES = ("eyes", "brows", "eyes_brows", "nose", "mouth")


def drawn_face(scale=1.0, across=256, down=270):
    """A label map with an oval face, hair above it, and features in their places."""
    labels = np.zeros((512, 512), np.uint8)

    def oval(value, x, y, wide, high):
        centre = round(across + scale * x), round(down + scale * y)
        cv2.ellipse(labels, centre, (round(scale * wide), round(scale * high)), 0, 0, 360, value, cv2.FILLED)

    oval(17, 0, -30, 150, 190)
    oval(1, 0, 0, 120, 165)
    for side, brow, eye, ear in ((-1, 2, 4, 7), (1, 3, 5, 8)):
        oval(brow, 52 * side, -62, 30, 6)
        oval(eye, 52 * side, -38, 20, 9)
        oval(ear, 128 * side, -10, 12, 30)
    oval(10, 0, 5, 22, 42)
    oval(12, 0, 75, 40, 9)
    oval(13, 0, 88, 36, 9)
    return labels


def face_of(labels, part):
    """Where a control may lie."""
    return np.isin(labels, HEAD) & ((labels != 17) | (part == "hair"))


def grown(mask, part, way=OcclusionMethod()):  # noqa: B008 (it is frozen)
    """The mask as the recipe dilates it; SciPy's, not OpenCV's."""
    return scipy.ndimage.maximum_filter(mask, 2 * recipe(part, 512, 512, way).dilation + 1)


def check_moved(labels, part, control, way):
    mask = part_mask(labels, part)
    assert np.count_nonzero(control.mask) == np.count_nonzero(mask)
    assert np.mean(face_of(labels, part)[control.mask > 0]) >= 0.97
    assert not np.any(grown(control.mask, part, way)[mask > 0])
    assert not np.any(grown(mask, part, way)[control.mask > 0])


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(FEATURES),
    st.floats(0.6, 1.3),
    st.integers(200, 312),
    st.integers(230, 300),
    st.integers(0, 2**40),
    st.sampled_from([OcclusionMethod(), OcclusionMethod(dilation=0), OcclusionMethod("grey", dilation=1.5)]),
)
def test_a_features_control_has_its_area_and_lies_on_the_face_away_from_it(part, scale, across, down, seed, way):
    labels = drawn_face(scale, across, down)
    control = control_mask(labels, part, seed, way)
    assert control.kind == MOVED
    check_moved(labels, part, control, way)


@pytest.mark.parametrize("part", FEATURES)
def test_a_moved_control_has_the_parts_shape(part):
    def cut(mask):
        left, top, columns, rows = cv2.boundingRect(mask)
        return mask[top : top + rows, left : left + columns]

    labels = drawn_face()
    shape = cut(part_mask(labels, part))
    for seed in range(5):
        moved = cut(control_mask(labels, part, seed).mask)
        assert np.array_equal(moved, shape) or np.array_equal(moved, shape[:, ::-1])


def test_places_are_drawn_evenly():
    """The nose's places, as brute force finds them on the grid, come up about equally often."""
    labels = drawn_face(0.75)
    face, mask = face_of(labels, "nose"), part_mask(labels, "nose")
    near = grown(mask, "nose") > 0
    rows, columns = np.nonzero(mask)
    possible = set()
    for down in range(-rows.min() // 4 * 4, 512 - rows.max(), 4):
        for across in range(-columns.min() // 4 * 4, 512 - columns.max(), 4):
            place = rows + down, columns + across
            if min(place[0].min(), place[1].min()) >= 0 and not near[place].any() and face[place].mean() >= 0.99:
                possible.add((int(down), int(across)))
    drawn: Counter[tuple[int, int]] = Counter()
    for seed in range(600):
        found_rows, found_columns = np.nonzero(control_mask(labels, "nose", seed).mask)
        drawn[int(found_rows.min() - rows.min()), int(found_columns.min() - columns.min())] += 1
    among = sum(count for place, count in drawn.items() if place in possible)
    # The control also takes places with a little less on the face, and leaves out some within a cell of the part.
    assert among > 400
    left = sum(count for (_, across), count in drawn.items() if across < 0)
    expected = np.mean([across < 0 for _, across in possible])
    assert left / 600 == pytest.approx(expected, abs=0.08)
    assert max(drawn.values()) <= 15


def test_what_cannot_be_moved_upright_is_turned():
    """A face as a long bar across; a part as a bar down, higher than the face: it fits only lying down, aside."""
    labels = np.zeros((512, 512), np.uint8)
    labels[216:296, 40:472] = 1
    labels[170:342, 240:272] = 10
    kinds: Counter[str] = Counter()
    for seed in range(12):
        control = control_mask(labels, "nose", seed, OcclusionMethod(dilation=0))
        kinds[control.kind] += 1
        assert np.count_nonzero(control.mask) == np.count_nonzero(labels == 10)
        if control.kind == MOVED:
            check_moved(labels, "nose", control, OcclusionMethod(dilation=0))
            left, _, columns, rows = cv2.boundingRect(control.mask)
            assert columns > rows
            assert left + columns <= 240 or left >= 272
    assert kinds[MOVED] >= 6


@pytest.mark.parametrize("seed", range(5))
def test_skin_gets_blobs_of_just_its_area_on_the_head(seed):
    labels = drawn_face()
    control = control_mask(labels, "skin", [seed, 3])
    assert control.kind == BLOBS
    assert np.count_nonzero(control.mask) == np.count_nonzero(labels == 1)
    assert np.isin(labels[control.mask > 0], HEAD).all()
    # Blobs, not single pixels: what a filter of 5x5 leaves of them is most.
    assert np.mean(scipy.ndimage.minimum_filter(control.mask, 5)[control.mask > 0] > 0) > 0.8


def test_blobs_keep_off_the_part_where_there_is_room():
    labels = drawn_face()
    labels[(labels == 17) & (np.arange(512)[:, None] > 250)] = 0
    control = control_mask(labels, "hair", 5)
    assert control.kind == BLOBS
    # Grown, they take as many pixels as the part does, grown.
    parts = np.count_nonzero(grown(part_mask(labels, "hair"), "hair"))
    assert np.count_nonzero(grown(control.mask, "hair")) == pytest.approx(parts, rel=0.03)
    assert not np.any(grown(part_mask(labels, "hair"), "hair")[control.mask > 0])
    assert face_of(labels, "nose")[control.mask > 0].all()


@pytest.mark.parametrize("part", PARTS)
def test_the_seed_decides(part):
    labels = drawn_face()
    first = control_mask(labels, part, [1, 2, 3])
    again = control_mask(labels.copy(), part, [1, 2, 3])
    np.testing.assert_array_equal(first.mask, again.mask)
    others = [control_mask(labels, part, [1, 2, draw]).mask for draw in range(4, 9)]
    assert any(np.any(first.mask != other) for other in others)


@pytest.mark.parametrize("part", PARTS)
def test_no_part_no_control(part):
    labels = np.full((512, 512), 14, np.uint8)
    control = control_mask(labels, part, 0)
    assert control.kind == ""
    assert not control.mask.any()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("covered", [1, 40, 512])
def test_odd_maps_get_a_control_of_equal_area_too(part, covered):
    """A part of a pixel, a part with nothing around it, a part that is the whole photo."""
    labels = np.zeros((512, 512), np.uint8)
    labels[-covered:, :covered] = PARTS[part].classes[0]
    control = control_mask(labels, part, 9)
    parts = np.count_nonzero(grown(part_mask(labels, part), part))
    assert np.count_nonzero(grown(control.mask, part)) == pytest.approx(parts, rel=0.03)
    assert np.isin(labels[control.mask > 0], HEAD).all()


def test_a_control_is_softened_and_lost_as_the_part_is():
    labels = drawn_face()
    photo = np.random.default_rng(1).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    for part in FEATURES:
        mask = part_mask(labels, part)
        control = control_mask(labels, part, 2)
        own = occlude_parts(photo, {part: mask})[part]
        other = occlude_parts(photo, {part: control.mask})[part]
        assert other.share == pytest.approx(own.share, rel=0.03)
        # Nearly nothing of the part itself is lost with it.
        soft = soft_mask(control.mask, recipe(part, 512, 512), 512, 512)
        assert soft[mask > 0].mean() < 0.15 * 255, part


def test_controls_on_real_faces(shared, bisenet_weights):
    paths = sorted((shared / "golden" / "blur" / "images").glob("*.png"))[:4]
    engine = parser.open_parser(bisenet_weights, "cpu")
    for number, path in enumerate(paths):
        labels = engine(parser.fit_photo(read_photo(path))[None])[0]
        for part in PARTS:
            for draw in range(3):
                control = control_mask(labels, part, [number, draw])
                pixels = np.count_nonzero(part_mask(labels, part))
                if control.kind == BLOBS:
                    parts = np.count_nonzero(grown(part_mask(labels, part), part))
                    assert np.count_nonzero(grown(control.mask, part)) == pytest.approx(parts, rel=0.03)
                else:
                    assert np.count_nonzero(control.mask) == pixels
                if part in FEATURES and pixels:
                    assert control.kind == MOVED, (path.stem, part)
                    check_moved(labels, part, control, OcclusionMethod())
