"""The average face as an occlusion: by NumPy, in any order, and as a command."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.errors import FacepartError, UsageError
from facepart.occlusion.average_face import AverageFaces, FaceSums
from facepart.occlusion.method import OcclusionMethod
from facepart.occlusion.occlude import apply_occlusions, blend
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import PARTS
from facepart.pipeline.blur import blur_photos
from tests.conftest import Run
from tests.small_network import save_small_network, save_small_parser

NOSE = Region(PARTS["nose"])
AVERAGE = Occlusion(NOSE, OcclusionMethod("average", average="0" * 64))


def photos_of(seed: int, count: int, size: tuple[int, int] = (6, 5)) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    return list(rng.integers(0, 256, (count, *size, 3), dtype=np.uint8))


def summed(photos: list[tuple[str, NDArray[np.uint8]]]) -> AverageFaces:
    sums = FaceSums(sorted({group for group, _ in photos}), len(photos))
    for group, photo in photos:
        sums.add(group, photo)
    return sums.averages()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(9, 20), st.randoms())
def test_groups_are_weighted_alike_in_any_order(seed: int, few: int, many: int, random) -> None:
    one, other = photos_of(seed, few), photos_of(seed + 1, many)
    photos = [*(("a", photo) for photo in one), *(("b", photo) for photo in other)]
    expected = (np.mean(np.stack(one), axis=0) + np.mean(np.stack(other), axis=0)) / 2
    found = summed(photos)
    assert np.abs(found.of(6, 5) - expected).max() <= 0.5 + 1e-9
    random.shuffle(photos)
    assert np.array_equal(summed(photos).of(6, 5), found.of(6, 5))


def test_each_size_has_its_own_average_and_few_photos_are_refused() -> None:
    small, large = photos_of(0, 10), photos_of(1, 10, (7, 7))
    found = summed([("a", photo) for photo in (*small, *large)])
    assert np.array_equal(found.of(7, 7), np.floor(np.mean(np.stack(large), axis=0) + 0.5).astype(np.uint8))
    with pytest.raises(FacepartError, match="no average face of 5x6 pixels"):
        found.of(5, 6)
    with pytest.raises(FacepartError, match=r"only 9 photos of 6x5 pixels: an average needs 10 .* use --align"):
        summed([("a", photo) for photo in small[:9]])
    with pytest.raises(FacepartError, match=r"20 photos of more than 2 sizes: .* use --align"):
        summed([("a", photo) for photo in (*small, *large[:9], *photos_of(2, 1, (9, 9)))])
    with pytest.raises(FacepartError, match="no photo could be read"):
        FaceSums(["a"], 0).averages()


def test_the_average_takes_the_part_and_belongs_to_the_recipe() -> None:
    labels = np.zeros((512, 512), np.uint8)
    labels[200:300, 200:300] = 10
    photo, average = (cv2.resize(each, (112, 112)).astype(np.uint8) for each in photos_of(3, 2, (9, 9)))
    found = apply_occlusions(photo, labels, [AVERAGE], averages=AverageFaces({(112, 112): average}))[AVERAGE]
    soft = found.soft.whole(112, 112)
    assert soft.any()
    assert np.array_equal(found.photo, blend(photo, average, soft))
    other = Occlusion(NOSE, OcclusionMethod("average", average="1" * 64))
    assert (other.name, AVERAGE.name) == ("nose_average", "nose_average")
    assert other.recipe() != AVERAGE.recipe()
    with pytest.raises(UsageError, match="facepart study --occlusion average"):
        apply_occlusions(photo, labels, [AVERAGE])


def test_blur_alone_refuses_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the average face is that of a study"):
        blur_photos(tmp_path, tmp_path / "m", tmp_path / "b", method=OcclusionMethod("average"))


@pytest.mark.slow
def test_a_study_makes_it_once_and_anew_for_other_photos(tmp_path: Path, face_paths: list[Path], run: Run) -> None:
    photos = [cv2.resize(read_photo(path), (112, 112)) for path in face_paths[:4]]
    for number in range(24):
        shade = np.clip(photos[number % 4] * (0.8 + 0.015 * number), 0, 255).astype(np.uint8)
        write_image(tmp_path / "photos" / f"{number % 4:03}_{number // 4}.png", shade)
    (tmp_path / "people.csv").write_text("subject,sex,age\n000,f,20\n001,f,20\n002,m,20\n003,m,50\n")
    out = tmp_path / "out"
    first = ("-m", "facepart", "study", "-s", tmp_path / "photos", "-o", out, "-d", "MORPH", "--parts", "nose")
    words = (
        *first,
        "--occlusion",
        "average",
        "blur",
        "--model",
        save_small_network(tmp_path / "small.onnx"),
        "--parser",
        save_small_parser(tmp_path / "drawn.onnx"),
        "--device",
        "cpu",
        "--precision",
        "fp32",
    )
    people = ("--people", tmp_path / "people.csv")
    done = run(*words, *people, "--group-column", "sex")
    assert done.returncode == 0, done.stderr
    assert "the average face is made of 24 photos" in done.stdout
    settings_now = json.loads((out / "run.json").read_text())["settings"]
    ((name, sha256),) = settings_now["average_face"].items()
    by_sex = [
        np.mean([read_photo(tmp_path / "photos" / f"{who}_{n}.png") for who in pair for n in range(6)], axis=0)
        for pair in (("000", "001"), ("002", "003"))
    ]
    assert np.abs(read_photo(out / "average" / name) - np.mean(by_sex, axis=0)).max() <= 0.5 + 1e-9
    assert len(sha256) == 64
    assert "replaced by the average face of all photos" in (out / "report.html").read_text()
    again = run(*words, *people, "--group-column", "sex", "--workers", "1")
    assert "the average face is made" not in again.stdout
    assert "embedded 0 photos" in again.stdout
    crossed = run(*words, *people, "--group-column", "sex", "age:30")
    assert crossed.returncode == 0, crossed.stderr
    assert "groups or the alignment have changed: the average face is made of 12 photos" in crossed.stdout
    assert "12 photos are embedded with more occlusions: nose_average" in crossed.stdout
    assert "left out 2 groups of fewer than 2 subjects: m_age_under_30 (1), m_age_30_or_more (1)" in crossed.stderr
    kept = ("--keep", "photos", "masks", "features")
    done = run(*words, *people, "--group-column", "sex", *kept)
    assert done.returncode == 0, done.stderr
    occluded = out / "blurred" / "blurred_nose" / "000_5.png"
    assert occluded.is_file()
    left = tmp_path / "photos" / "000_5.png"
    pixels = left.read_bytes()
    left.unlink()
    done = run(*words, *people, "--group-column", "sex", *kept)
    assert done.returncode == 0, done.stderr
    assert "the average face is made of 23 photos" in done.stdout
    # What shows the earlier average goes with it, and what does not depend on it stays.
    assert not occluded.exists()
    assert not (out / "features" / "nose_average" / "000_5.npy").exists()
    assert (out / "features" / "nose" / "000_5.npy").is_file()
    assert len(list((out / "blurred" / "blurred_nose").iterdir())) == 23
    left.write_bytes(pixels)
    fewer = run(*words, *people, "--group-column", "age:30", "--smallest-group", "3")
    assert fewer.returncode == 0, fewer.stderr
    assert "left out 1 group of fewer than 3 subjects: age_30_or_more (1)" in fewer.stderr
    named = run(*words, *people, "--group-column", "age:30", "--groups", "age_30_or_more")
    assert named.returncode == 1
    assert "of group 'age_30_or_more' show one subject" in named.stderr
