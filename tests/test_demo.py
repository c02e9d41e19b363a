"""The demo: its photographs, the simulated captures, and all four stages from one command."""

import hashlib
import itertools
import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facepart.analysis.metrics import mean_shift
from facepart.cli import main
from facepart.data.photo_input import read_photo
from facepart.demo import faces
from facepart.demo.captures import Variation, expose, jitter, simulate_captures
from facepart.demo.photographs import fetch_photographs
from facepart.errors import FacepartError
from facepart.matching.match import match_features
from facepart.networks.alignment import ARCFACE_TEMPLATE, align_face
from facepart.pipeline.extract import extract_features
from facepart.scores import load_scores

pytestmark = pytest.mark.slow

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def photographs():
    try:
        return fetch_photographs()
    except FacepartError as error:
        pytest.skip(f"needs the demo's photographs, which cannot be had here: {error}")


@pytest.fixture(scope="module")
def gradient() -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A smooth picture in three colours, with a face's landmarks in it."""
    y, x = np.mgrid[:300, :260]
    picture = np.stack([x * 255 / 259, y * 255 / 299, 128 + 0 * x], axis=2).astype(np.uint8)
    return picture, ARCFACE_TEMPLATE * 1.5 + 40


def test_the_photographs_are_six_files_with_nine_subjects(photographs):
    assert len(photographs) == 6
    assert len({person for people in photographs.values() for person in people}) == 9
    # obama2.jpg, as the source archive of face_recognition 1.3.0 has it.
    (second,) = (path for path in photographs if path.name == "obama2.jpg")
    assert hashlib.sha256(second.read_bytes()).hexdigest().startswith("a7efcc907375274796f39646510704aa")
    assert second.parent.name == "face_recognition==1.3.0"
    assert sorted(path.name for path in second.parent.iterdir()) == [
        "biden.jpg",
        "obama.jpg",
        "obama2.jpg",
        "obama3.jpg",
    ]


def test_photographs_that_cannot_be_fetched_are_reported_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEPART_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(FacepartError, match=r"face_recognition 1\.3\.0.*--images FOLDER") as told:
        fetch_photographs()
    assert "\n" not in str(told.value)
    assert not list(tmp_path.rglob("*.jpg"))


def test_captures_are_the_same_in_every_run_and_for_every_count(gradient):
    photo, landmarks = gradient
    three = simulate_captures(photo, landmarks, 3, 112, "someone_0")
    five = simulate_captures(photo, landmarks, 5, 112, "someone_0")
    other = simulate_captures(photo, landmarks, 3, 112, "someone_1")
    assert all(np.array_equal(first, second) for first, second in zip(three, five, strict=False))
    assert np.array_equal(three[0], align_face(photo, landmarks, 112))
    assert not np.array_equal(three[1], other[1])
    assert all(not np.array_equal(first, second) for first, second in itertools.combinations(five, 2))
    assert simulate_captures(photo, landmarks, 0, 112, "someone_0") == []


@given(seeds)
def test_jitter_moves_the_face_as_a_whole_and_within_its_bounds(seed):
    variation = Variation()
    landmarks = ARCFACE_TEMPLATE * 3
    moved = jitter(landmarks, variation, np.random.default_rng(seed))
    before, after = (np.linalg.norm(points[:, None] - points, axis=2) for points in (landmarks, moved))
    scale = after[0, 1] / before[0, 1]
    assert np.allclose(after, scale * before)
    assert abs(scale - 1) <= variation.scale + 1e-9
    shift = moved.mean(axis=0) - landmarks.mean(axis=0)
    assert np.abs(shift).max() <= variation.shift * before[0, 1] + 1e-9
    turn = [np.rad2deg(np.arctan2(*(points[1] - points[0])[::-1])) for points in (landmarks, moved)]
    assert abs(turn[1] - turn[0]) <= variation.rotation + 1e-9


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_light_stays_within_its_bounds(gradient, seed):
    variation = Variation(noise=(0, 0), quality=(95, 95))
    photo = gradient[0]
    seen = expose(photo, variation, np.random.default_rng(seed)).astype(float)
    x = photo / 255
    darkest = 255 * variation.gain[0] * x ** variation.gamma[1]
    brightest = np.minimum(255 * variation.gain[1] * x ** variation.gamma[0], 255)
    # What is left is rounding and the compression, which moves a smooth picture by a few levels.
    assert (seen >= darkest - 12).all() and (seen <= brightest + 12).all()
    assert seen.shape == photo.shape


def test_compression_and_noise_are_applied(gradient):
    photo = gradient[0]
    still = Variation(gain=(1, 1), gamma=(1, 1), noise=(0, 0), quality=(95, 95))
    apart = [
        np.abs(expose(photo, variation, np.random.default_rng(1)).astype(float) - photo).mean()
        for variation in (
            still,
            Variation(gain=(1, 1), gamma=(1, 1), noise=(0, 0), quality=(5, 5)),
            Variation(gain=(1, 1), gamma=(1, 1), noise=(8, 8), quality=(95, 95)),
        )
    ]
    assert apart[0] < 1 and min(apart[1:]) > 3 * apart[0]


def test_the_demo_runs_a_study_and_prints_its_result(tmp_path, monkeypatch, capsys, photographs, bisenet_weights):
    monkeypatch.setattr("facepart.cli.demo._CAPTURES", 2)
    assert main(["demo", "-o", str(tmp_path), "--parts", "mouth", "nose"]) == 0
    told = capsys.readouterr().out
    flowing = " ".join(told.split())
    assert "captures are simulated" in flowing and "prove nothing about" in flowing

    # Everything again from the photos: the study's own tests compare it with the other commands.
    sources = {"baseline": "photos", "mouth": "blurred/blurred_mouth", "nose": "blurred/blurred_nose"}
    for condition, source in sources.items():
        features = extract_features(tmp_path / source, tmp_path / "features" / condition, device="cpu").features_list
        match_features(features, None, tmp_path / "again" / condition, "all", dataset="MORPH")
        found = tmp_path / "matches" / condition / "all_scores.npz"
        assert found.read_bytes() == (tmp_path / "again" / condition / "all_scores.npz").read_bytes()
    original, mouth, nose = (
        load_scores(tmp_path / "again" / condition / "all_scores.npz") for condition in ("baseline", "mouth", "nose")
    )
    assert original.authentic.n == 9
    shifts = {name: mean_shift(original.impostor, each.impostor) for name, each in (("mouth", mouth), ("nose", nose))}
    for part, shift in shifts.items():
        (row,) = (line for line in told.splitlines() if line.split()[1:2] == [part])
        assert f"{shift:+.4f}" in row
    most = max(shifts, key=lambda part: abs(shifts[part]))
    assert f"Occluding the {most} shifted the impostor scores most" in told and f"{abs(shifts[most]):.4f}" in told
    assert f"report: {tmp_path / 'report.html'}" in told
    assert "simulated captures" in (tmp_path / "report.html").read_text()


def test_the_demo_on_own_photos_resumes(tmp_path, capsys, photographs, bisenet_weights):
    source, output = tmp_path / "own", tmp_path / "out"
    for path, people in photographs.items():
        if len(people) == 1:
            (source / people[0]).mkdir(parents=True, exist_ok=True)
            (source / people[0] / path.name).write_bytes(path.read_bytes())
    (source / "obama" / "broken.jpg").write_bytes(b"no picture")
    command = ["demo", "-o", str(output), "--images", str(source), "--parts", "nose"]
    assert main(command) == 0
    first, failed = capsys.readouterr()
    assert "5 photos of 3 subjects" in first and "simulated" not in first
    assert "broken.jpg" in failed and "broken.jpg" not in first
    assert read_photo(output / "photos" / "obama" / "obama.png").shape == (224, 224, 3)

    made = {path: path.stat().st_mtime_ns for path in output.rglob("*.png")}
    assert len(made) == 5 + 5  # aligned photos, and blurred ones
    gone = output / "blurred" / "blurred_nose" / "hanks" / "Tom_Hanks_54745.png"
    before = gone.read_bytes()
    gone.unlink()
    assert main(command) == 0
    again, failed_again = capsys.readouterr()
    assert again == re.sub(r"\(default.*\)", "(as in the earlier run in this folder)", first)
    assert failed_again == failed
    assert gone.read_bytes() == before
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in made.items() if path != gone)


def test_wrong_calls_are_reported_before_any_work(tmp_path, capsys):
    for arguments, reason in (
        (["--parts", "chin"], "unknown part 'chin'"),
        (["-d", "MORPH"], "-d goes with --images"),
    ):
        assert main(["demo", "-o", str(tmp_path / "out"), *arguments]) == 2
        told = capsys.readouterr().err
        assert reason in told and told.count("\n") == 1
        assert not (tmp_path / "out").exists()


def test_photos_of_one_subject_are_reported(tmp_path, capsys, photographs):
    (tmp_path / "own").mkdir()
    for path, people in photographs.items():
        if people == ("obama",):
            (tmp_path / "own" / path.name).write_bytes(path.read_bytes())
    call = ["demo", "-o", str(tmp_path / "out"), "--images", str(tmp_path / "own"), "-d"]
    assert main([*call, "FOLDER"]) == 1
    assert "obama: is in no folder, but -d" in capsys.readouterr().err
    assert main(["demo", "-o", str(tmp_path / "out")]) == 1
    assert "photos of another demo" in capsys.readouterr().err


def test_lfw_takes_some_subjects_with_enough_photos(tmp_path, monkeypatch, photographs):
    lfw = tmp_path / "lfw"
    biden = next(path for path in photographs if path.name == "biden.jpg")
    for person, count in (("Ann_A", 7), ("Bob_B", 2), ("Cy_C", 6)):
        (lfw / person).mkdir(parents=True)
        for number in range(1, count + 1):
            (lfw / person / f"{person}_{number:04d}.jpg").write_bytes(biden.read_bytes())
    monkeypatch.setattr(faces, "fetch_lfw", lambda: lfw)
    outcome = faces.align_lfw(tmp_path / "photos")
    assert outcome.done == 12
    assert {path.stem[:-5] for path in (tmp_path / "photos").glob("*.png")} == {"Ann_A", "Cy_C"}


def test_lfw_that_cannot_be_fetched_is_reported(tmp_path, monkeypatch):
    datasets = pytest.importorskip("sklearn.datasets")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))

    def no_network(**_):
        raise OSError("no network")

    monkeypatch.setattr(datasets, "fetch_lfw_people", no_network)
    with pytest.raises(FacepartError, match=r"cannot fetch LFW \(no network\)"):
        faces.fetch_lfw()


def test_lfw_is_kept_in_the_cache_unless_scikit_learn_has_it(tmp_path, monkeypatch):
    datasets = pytest.importorskip("sklearn.datasets")
    asked = []
    monkeypatch.setattr(datasets, "fetch_lfw_people", lambda data_home, **_: asked.append(data_home))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FACEPART_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SCIKIT_LEARN_DATA", raising=False)
    assert faces.fetch_lfw() == tmp_path / "cache" / "scikit_learn_data" / "lfw_home" / "lfw_funneled"
    (tmp_path / "scikit_learn_data" / "lfw_home").mkdir(parents=True)
    assert faces.fetch_lfw() == tmp_path / "scikit_learn_data" / "lfw_home" / "lfw_funneled"
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "chosen"))
    assert faces.fetch_lfw() == tmp_path / "chosen" / "lfw_home" / "lfw_funneled"
    assert asked == [tmp_path / name for name in ("cache/scikit_learn_data", "scikit_learn_data", "chosen")]


def test_lfw_without_scikit_learn_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(FacepartError, match="pip install scikit-learn"):
        faces.fetch_lfw()
