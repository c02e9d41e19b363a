"""Finding and aligning faces: against independent fits, and on the demo's photographs."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from facepart.data.photo_input import read_photo
from facepart.demo.photographs import fetch_photographs
from facepart.errors import FacepartError
from facepart.networks.alignment import (
    ARCFACE_TEMPLATE,
    align_face,
    align_photo,
    crop_side,
    cut_to_template,
    find_landmarks,
    has_template,
    misalignment,
    similarity_transform,
)
from facepart.networks.catalogue import DETECTOR, obtain
from facepart.networks.face_detector import Face, FaceDetector, choose_face

angles = st.floats(-np.pi, np.pi)
scales = st.floats(0.05, 20)
shifts = st.floats(-2000, 2000)
seeds = st.integers(0, 2**32 - 1)


def turned(points, angle, scale, x, y):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * points @ turn.T + [x, y]


@given(angles, scales, shifts, shifts)
def test_a_similarity_is_recovered_exactly(angle, scale, x, y):
    landmarks = turned(ARCFACE_TEMPLATE, angle, scale, x, y)
    found = similarity_transform(landmarks, ARCFACE_TEMPLATE)
    assert np.allclose(landmarks @ found[:, :2].T + found[:, 2], ARCFACE_TEMPLATE, atol=1e-6)
    by_opencv, _ = cv2.estimateAffinePartial2D(landmarks, ARCFACE_TEMPLATE, method=cv2.LMEDS)
    assert np.allclose(found[:, :2], by_opencv[:, :2], atol=1e-4 / scale)


@given(seeds)
def test_no_other_similarity_fits_noisy_landmarks_better(seed):
    generator = np.random.default_rng(seed)
    landmarks = turned(ARCFACE_TEMPLATE, *generator.uniform([-3, 0.2, -100, -100], [3, 5, 100, 100]))
    landmarks += generator.normal(0, 0.3 * np.ptp(landmarks) / 5, landmarks.shape)

    def misfit(parameters):
        a, b, x, y = parameters
        return (landmarks @ np.array([[a, b], [-b, a]]) + [x, y] - ARCFACE_TEMPLATE).ravel()

    best = least_squares(misfit, [1, 0, 0, 0], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    found = similarity_transform(landmarks, ARCFACE_TEMPLATE)
    assert np.allclose([found[0, 0], found[1, 0], *found[:, 2]], best.x, rtol=1e-5, atol=1e-4)


@given(angles, scales, shifts, shifts)
def test_the_side_of_a_crop_is_that_of_the_template_in_the_photo(angle, scale, x, y):
    assert crop_side(turned(ARCFACE_TEMPLATE, angle, scale, x, y)) == pytest.approx(112 * scale, rel=1e-6)


def test_a_mirrored_face_is_not_mirrored_back():
    mirrored = ARCFACE_TEMPLATE * [-1, 1]
    found = similarity_transform(mirrored, ARCFACE_TEMPLATE)
    assert np.linalg.det(found[:, :2]) > 0


@pytest.mark.parametrize("landmarks", [np.full((5, 2), 7.0), np.full((5, 2), np.nan)])
def test_landmarks_without_extent_are_reported(landmarks):
    with pytest.raises(FacepartError, match="landmarks"):
        similarity_transform(landmarks, ARCFACE_TEMPLATE)


def dots(shape, centres, radius):
    """Draw a smooth white dot at each centre; its centre of gravity can be measured to a fraction of a pixel."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    heights = [np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * radius**2)) for cx, cy in centres]
    return np.repeat((255 * np.max(heights, axis=0)).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("scale", [0.5, 1.7, 9.3])
@pytest.mark.parametrize("size", [112, 224, 160])
def test_landmarks_come_to_lie_on_the_template(scale, size):
    landmarks = turned(ARCFACE_TEMPLATE, 0.3, scale, 60 * scale, 20)
    photo = dots((round(190 * scale), round(210 * scale)), landmarks, 3 * scale)
    crop = align_face(photo, landmarks, size)[..., 0].astype(float)
    y, x = np.mgrid[:size, :size]
    assert crop.shape == (size, size)
    for expected in (ARCFACE_TEMPLATE + 0.5) * size / 112 - 0.5:
        near = crop * (np.hypot(x - expected[0], y - expected[1]) < 7 * size / 112)
        gravity = np.array([(near * x).sum(), (near * y).sum()]) / near.sum()
        assert np.abs(gravity - expected).max() < 0.35


def test_a_large_photo_is_shrunk_without_aliasing():
    # A fine chequerboard is grey from afar; sampled point by point it would give stripes.
    y, x = np.mgrid[:1200, :1200]
    photo = np.repeat((255 * ((x // 2 + y // 2) % 2)).astype(np.uint8)[..., None], 3, axis=2)
    crop = align_face(photo, turned(ARCFACE_TEMPLATE, 0.1, 8, 150, 150))
    assert np.abs(crop[20:90, 20:90].astype(int) - 127).max() <= 12


def face(x, y, width, height):
    return Face((x, y, width, height), 0.9, np.zeros((5, 2), np.float32))


def test_the_large_and_central_face_is_chosen():
    large, small, aside = face(80, 60, 60, 80), face(90, 90, 20, 20), face(0, 0, 62, 82)
    assert choose_face([small, aside, large], (200, 220, 3)) is large
    assert choose_face([small, aside], (200, 220, 3)) is small


@pytest.fixture(scope="module")
def detector():
    try:
        return FaceDetector(obtain(DETECTOR, "detector").path)
    except FacepartError as error:
        pytest.skip(f"needs the weights of the face detector, which cannot be had here: {error}")


@pytest.fixture(scope="module")
def photographs():
    try:
        return {path.name: path for path in fetch_photographs()}
    except FacepartError as error:
        pytest.skip(f"needs the demo's photographs, which cannot be had here: {error}")


def test_landmarks_are_in_arcface_order_and_follow_the_face(detector, photographs):
    photo = read_photo(photographs["obama.jpg"])
    found = choose_face(detector.detect(photo), photo.shape)
    left_eye, right_eye, nose, left_mouth, right_mouth = found.landmarks
    assert left_eye[0] < nose[0] < right_eye[0] and left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    between_eyes = np.linalg.norm(right_eye - left_eye)
    # Smaller, larger, shifted: the same points, to what the network's own noise allows.
    for other, back in (
        (cv2.resize(photo, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), lambda p: (p + 0.5) * 4 - 0.5),
        (cv2.resize(photo, None, fx=3, fy=3), lambda p: (p + 0.5) / 3 - 0.5),
        (np.pad(photo, ((0, 0), (300, 100), (0, 0))), lambda p: p - [300, 0]),
    ):
        again = choose_face(detector.detect(other), other.shape)
        assert np.abs(back(again.landmarks) - found.landmarks).max() < 0.2 * between_eyes


def test_every_face_of_a_group_is_found(detector, photographs):
    assert len(detector.detect(read_photo(photographs["t1.jpg"]))) == 6


def test_a_small_face_in_a_large_photo_and_one_that_fills_it(detector, photographs):
    photo = read_photo(photographs["biden.jpg"])
    crowd = np.full((3000, 4000, 3), 128, np.uint8)
    crowd[1500:1954, 3000:3200] = cv2.resize(photo, (200, 454), interpolation=cv2.INTER_AREA)
    x, y, width, height = choose_face(detector.detect(crowd), crowd.shape).box
    assert 3000 < x < x + width < 3200 and 1500 < y < y + height < 1630
    assert len(detector.detect(read_photo(photographs["Tom_Hanks_54745.png"]))) == 1


def test_a_photo_without_a_face_is_reported_whatever_its_shape(detector):
    for shape in [(1, 1), (3, 900), (900, 3), (50, 60)]:
        photo = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
        with pytest.raises(FacepartError, match="no face found"):
            align_photo(photo, detector)


def test_another_network_is_refused(tmp_path):
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(b"no network")
    with pytest.raises(FacepartError, match=r"wrong\.onnx.*YuNet"):
        FaceDetector(wrong)
    with pytest.raises(FacepartError, match="missing"):
        FaceDetector(tmp_path / "missing.onnx")


SHORT_OF_MEMORY = """
import resource, sys
from pathlib import Path
from facepart.errors import FacepartError
from facepart.networks.face_detector import FaceDetector

# What is loaded on the way is there already: the system's loader ends a process that lacks memory for that.
kept = FaceDetector(Path(sys.argv[1]))
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    FaceDetector(Path(sys.argv[1]))
except FacepartError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space as Linux does")
@pytest.mark.parametrize("megabytes", [1, 2])
def test_a_lack_of_memory_is_not_called_another_network(detector_weights, megabytes, run_process):
    done = run_process("-c", SHORT_OF_MEMORY, detector_weights, megabytes * 10**6)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{detector_weights}: there is not enough memory to open the face detector\n"


# SphereFace's landmarks in crops of 112 rows and 96 columns (its coord5points).
SPHEREFACE = np.array(
    [[30.2946, 51.6963], [65.5318, 51.5014], [48.0252, 71.7366], [33.5493, 92.3655], [62.7299, 92.2041]]
)


@pytest.mark.parametrize("factor", [1, 2])
def test_the_crop_for_112x96_is_warped_to_its_own_template(detector, shared, factor):
    photo = read_photo(min((shared / "data" / "london" / "images").glob("*.jpg")))
    landmarks = find_landmarks(photo, detector)
    crop = cut_to_template(align_face(photo, landmarks, 112 * factor), 112, 96)
    assert crop.shape == (112 * factor, 96 * factor, 3)
    template = (SPHEREFACE + 0.5) * factor - 0.5
    warp = similarity_transform(landmarks, template)
    scale = float(np.hypot(warp[0, 0], warp[1, 0]))
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else photo
    ratio = photo.shape[1] / small.shape[1]
    warp = similarity_transform((landmarks + 0.5) / ratio - 0.5, template)
    expected = cv2.warpAffine(small, warp, (96 * factor, 112 * factor), flags=cv2.INTER_CUBIC)
    assert np.abs(crop.astype(int) - expected).mean() < 2


def test_only_squares_and_112x96_have_a_template():
    assert all(has_template(*size) for size in [(112, 112), (160, 160), (112, 96), (224, 192)])
    assert not any(has_template(*size) for size in [(96, 112), (112, 95), (128, 96), (160, 120)])
    square = np.zeros((112, 112, 3), np.uint8)
    assert cut_to_template(square, 160, 160) is square


@pytest.mark.slow
def test_a_face_is_found_in_photos_of_a_hundred_subjects(detector, shared):
    photos: list[Path] = sorted((shared / "data" / "london" / "images").glob("*_0_neutral.jpg"))[::3]
    photos += sorted((shared / "data" / "lfw" / "images").glob("*/*_0001.jpg"))[::8]
    crops = [align_photo(read_photo(path), detector) for path in photos]
    assert len(crops) > 90
    # What aligned faces share: the mean face is darker at the eyes than on the cheeks below them.
    mean = np.mean(crops, axis=(0, 3))
    for eye, cheek in (((51, 38), (72, 36)), ((51, 73), (72, 76))):
        assert mean[eye] < mean[cheek] - 15


def test_misalignment_is_zero_on_the_template_and_grows_with_the_distance() -> None:
    assert misalignment(ARCFACE_TEMPLATE, (112, 112, 3)) == pytest.approx(0)
    # A crop twice as large, with its landmarks where the template scaled about pixel centres has them.
    doubled = (ARCFACE_TEMPLATE + 0.5) * 2 - 0.5
    assert misalignment(doubled, (224, 224, 3)) == pytest.approx(0)
    assert misalignment(doubled + np.array([22.4, 0]), (224, 224, 3)) == pytest.approx(0.1)
