"""`import facepart`: what it shows, what it loads, and what its functions of arrays give and refuse."""

import math
import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import facepart
from facepart.analysis.metrics.error_rates import fmr
from facepart.data.photo_input import read_photo
from facepart.pipeline.blur import blur_photos
from facepart.pipeline.extract import extract_features
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def any_of(*values: Any) -> tuple[Any, ...]:
    """Return what no type checker would let through."""
    return values


def named(**values: Any) -> dict[str, Any]:
    """Do the same for keywords."""
    return values


def test_importing_loads_nothing_and_shows_the_public_names():
    code = (
        "import sys, facepart; assert set(dir(facepart)) == set(facepart.__all__); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'numpy', 'cv2', 'torch', 'openvino'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    for name in facepart.__all__:
        assert getattr(facepart, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'segment'"):
        facepart.segment  # noqa: B018


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.booleans())
def test_match_compares_everyone_with_everyone(seed, count, with_gallery):
    rng = np.random.default_rng(seed)
    rows, others = rng.standard_normal((count, 5)), rng.standard_normal((7, 5)) * 30
    who, other_who = [f"subject {number}" for number in rng.integers(0, 4, count)], rng.integers(0, 4, 7)
    named = [f"subject {number}" for number in other_who]
    found = facepart.match(rows, who, *((others, named) if with_gallery else ()))
    expected: dict[bool, list[float]] = {True: [], False: []}
    for i in range(count):
        for j in range(7) if with_gallery else range(i + 1, count):
            one, other = rows[i], (others if with_gallery else rows)[j]
            same = who[i] == (named if with_gallery else who)[j]
            expected[same].append(float(one @ other / np.linalg.norm(one) / np.linalg.norm(other)))
    for scores, values in zip(found, (expected[True], expected[False]), strict=True):
        np.testing.assert_allclose(np.repeat(scores.scores, scores.counts), np.sort(values), atol=2e-6)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (([[1, np.nan], [1, 2]], "ab"), "row 0 is not finite, or all zero"),
        (([[1, 1], [0, 0]], "ab"), "row 1 is not finite, or all zero"),
        (([1, 2], "ab"), "an array of shape"),
        (([["x", "y"]], "a"), "not an array of real numbers"),
        (([[1, 2]], "ab"), "1 row, but 2 subjects"),
        (([[1, 2]], "a", [[1, 2, 3]], "b"), "they are of two networks"),
        (([[1, 2]], "a", [[1, 2]]), "needs both its embeddings and its subjects"),
        ((np.eye(2), ["ann", None]), "the subject of row 1 is missing"),
        ((np.eye(2), ["", "ann"]), "the subject of row 0 is missing"),
        ((np.eye(2), np.array([1, np.nan])), "the subject of row 1 is missing"),
        ((np.eye(2), [["ann"], ["bob"]]), "the subject of row 0 is no text or number"),
        ((np.eye(2), ["ann", 1]), "subjects are numbers and text, which are never equal"),
        ((np.eye(2), ["1", "2"], np.eye(2), [1, 2]), "subjects are numbers and text, which are never equal"),
        ((np.eye(2), {"ann": 1, "bob": 2}), "subjects are a list, one for each row"),
        ((np.eye(2), None), "subjects are a list, one for each row"),
        ((np.eye(2) + 1j, "ab"), "not an array of real numbers"),
        ((np.ma.masked_equal(np.eye(2), 0), "ab"), "some values are masked"),
    ],
)
def test_match_refuses_in_one_line(arguments, reason):
    with pytest.raises(facepart.FacepartError, match=reason) as caught:
        facepart.match(*arguments)
    assert "\n" not in str(caught.value)


def test_rows_that_float32_cannot_hold_and_names_in_another_unicode_form_are_matched():
    rows = np.random.default_rng(5).standard_normal((4, 8))
    who = ["Jos\u00e9", "Jose\u0301", "ann", "bob"]
    expected = facepart.match(rows, who)
    assert expected.authentic.n == 1
    for scale in (1e-60, 1e-44, 1e60):
        assert facepart.match(rows * scale, who) == expected


def test_missing_values_of_pandas_are_missing_subjects():
    pandas = pytest.importorskip("pandas")
    for who in (
        pandas.array([1, None], "Int64"),
        pandas.Categorical(["ann", None]),
        pandas.Series(["ann", pandas.NA]),
    ):
        with pytest.raises(facepart.FacepartError, match="the subject of row 1 is missing"):
            facepart.match(np.eye(2), who)


def test_what_is_no_score_or_threshold_is_refused():
    with pytest.raises(facepart.FacepartError, match="authentic: some scores are masked"):
        facepart.d_prime(np.ma.masked_less([0.1, 0.5, 0.9], 0.3), [0.1, 0.2])
    for threshold in (math.nan, [0.5, math.nan], None):
        with pytest.raises(facepart.FacepartError, match="a threshold is"):
            fmr([0.1, 0.2], threshold)  # type: ignore[arg-type]


def test_a_roc_curve_by_hand():
    curve = facepart.roc([0.9, 0.4], [0.1, 0.4, 0.2, 0.3])
    np.testing.assert_array_equal(curve.thresholds, [0.1, 0.2, 0.3, 0.4, 0.9, np.inf])
    np.testing.assert_array_equal(curve.fmr, [1, 0.75, 0.5, 0.25, 0, 0])
    np.testing.assert_array_equal(curve.tmr, [1, 1, 1, 1, 0.5, 0])
    assert repr(curve) == "RocCurve(6 points)"


def test_records_are_short_to_read():
    scores = facepart.match(np.eye(3) + 0.1, [1, 1, 2])
    assert len(repr(scores)) < 150
    assert repr(scores.impostor).startswith("ScoreDistribution(n=2, mean=0.")


def test_photos_to_scores_are_those_of_the_scripts(tmp_path, face_paths, bisenet_weights, recogniser_weights):
    del bisenet_weights
    photos = [read_photo(path) for path in face_paths[:4]]
    options: dict[str, Any] = {"device": "cpu", "precision": "fp32"}
    (tmp_path / "photos.txt").write_text("\n".join(map(str, face_paths[:4])))
    blur_photos(tmp_path / "photos.txt", tmp_path / "m", tmp_path / "b", parts=["nose"], **options)
    blurred = tmp_path / "b" / "blurred_nose"
    extract_features(blurred, tmp_path / "f", model=str(recogniser_weights), **options)

    labels = facepart.parse_faces(photos, **options)
    assert labels.shape == (4, 512, 512)
    assert labels.dtype == np.uint8
    occluded = [facepart.occlude(photo, found, "nose") for photo, found in zip(photos, labels, strict=True)]
    embeddings = facepart.embed_faces(occluded, model=str(recogniser_weights), **options)
    for photo, embedding, path in zip(occluded, embeddings, face_paths, strict=False):
        (file,) = blurred.rglob(f"{path.stem}.png")
        np.testing.assert_array_equal(photo, read_photo(file))
        (feature,) = (tmp_path / "f").rglob(f"{path.stem}.npy")
        np.testing.assert_array_equal(embedding, np.load(feature))


def test_what_is_not_a_photo_is_refused_in_one_line(bisenet_weights):
    del bisenet_weights
    photo, labels = np.zeros((64, 64, 3), np.uint8), np.zeros((512, 512), np.uint8)
    wrong: list[Any] = [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3)), np.zeros((0, 64, 3), np.uint8)]
    for bad in wrong:
        with pytest.raises(facepart.FacepartError, match=r"photo 0: is .*, not uint8 \(height, width, 3\)"):
            facepart.parse_faces([bad])
    with pytest.raises(facepart.UsageError, match="unknown part 'ear'"):
        facepart.occlude(photo, labels, "ear")
    with pytest.raises(facepart.FacepartError, match=r"a label map is uint8 \(512, 512\)"):
        facepart.occlude(photo, labels[:100], "nose")
    with pytest.raises(facepart.FacepartError, match="a label map has values from 0 to 18, not 255"):
        facepart.occlude(photo, labels + np.uint8(255), "nose")
    calls: list[partial[Any]] = [
        partial(facepart.occlude, photo, labels, *any_of(3)),
        partial(facepart.occlude, photo, labels, "nose", *any_of(None)),
        partial(facepart.embed_faces, [photo], **named(device=None)),
        partial(facepart.embed_faces, [photo], **named(model=["sface"])),
        partial(facepart.align_faces, [photo], size=0),
        partial(facepart.align_faces, [photo], **named(size=112.5)),
        partial(facepart.parse_faces, [photo], label_set="celebamask-hq"),
    ]
    for call in calls:
        with pytest.raises(facepart.UsageError):
            call()
    np.testing.assert_array_equal(facepart.occlude(photo, labels, "nose"), photo)


def test_a_photo_without_a_face_is_named(face_paths, detector_weights):
    del detector_weights
    photos = [read_photo(face_paths[0]), np.full((200, 200, 3), 127, np.uint8)]
    assert facepart.align_faces(photos[:1], size=112).shape == (1, 112, 112, 3)
    with pytest.raises(facepart.FacepartError, match="photo 1: no face found"):
        facepart.align_faces(photos)
