"""Photos on which a part is not detected, and the options that choose what is compared and ranked, by the command."""

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facepart.arrays import parse_faces
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from tests.command_line import Done
from tests.conftest import Run
from tests.small_network import save_small_network

pytestmark = pytest.mark.slow

PARTS = ("eyes", "nose")
# Classes of the label map: brows, eyes and glasses.
EYES = (2, 3, 4, 5, 6)
# Photos of this subject, the first, show no eyes.
EYELESS = ["000_0", "000_1"]
# In grey levels; unit rows are 32-bit floats.
NEAR = 1e-6


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, face_paths: list[Path], bisenet_weights: Path) -> Path:
    """Four subjects of two photos, and a table of two groups; the eyes of the first subject are painted over."""
    del bisenet_weights
    folder = tmp_path_factory.mktemp("undetected")
    for number, path in enumerate(face_paths[:8]):
        name, photo = f"{number // 2:03}_{number % 2}", read_photo(path)[::2, ::2].copy()
        write_image(folder / "photos" / f"{name}.png", without_eyes(photo) if name in EYELESS else photo)
    (folder / "people.csv").write_text("subject,group\n000,CM\n001,CM\n002,CF\n003,CF\n")
    return folder


def without_eyes(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill the eyes from their surroundings, so that the parser finds none."""
    labels = parse_faces([photo], device="cpu", precision="fp32")[0]
    mask = cv2.dilate(np.isin(labels, EYES).astype(np.uint8), np.ones((25, 25), np.uint8))
    return cv2.inpaint(photo, cv2.resize(mask, photo.shape[1::-1]), 5, cv2.INPAINT_TELEA).astype(np.uint8)


@pytest.fixture(scope="module")
def study(photos: Path, run: Run) -> Any:
    """Run ``facepart study`` on the photos with further options."""
    network = save_small_network(photos / "small.onnx")

    def call(*options: str | Path, out: Path = photos / "out") -> Done:
        words = ["-s", photos / "photos", "-o", out, "--model", network, "--parts", *PARTS]
        return run(*("-m", "facepart", "study", *words, "--device", "cpu", "--precision", "fp32", *options))

    return call


def rows_of(out: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    with (out / "results.csv").open(newline="") as file:
        return {(row["group"], row["part"], row["comparison"]): row for row in csv.DictReader(file)}


def impostor_mean(folder: Path, names: list[str]) -> float:
    """The mean cosine of photos of two subjects, from the features that a study keeps."""
    rows = np.array([np.load(folder / f"{name}.npy") for name in names], np.float64)
    subjects = np.array([name.split("_")[0] for name in names])
    return float((rows @ rows.T)[subjects[:, None] != subjects].mean())


def shift_on(out: Path, part: str, names: list[str]) -> float:
    return impostor_mean(out / "features" / part, names) - impostor_mean(out / "features" / "baseline", names)


@pytest.fixture(scope="module")
def excluded(photos: Path, study: Any) -> Done:
    """A study by default, whose features are kept."""
    done: Done = study("--keep", "features")
    assert done.returncode == 0, done.stderr
    return done


def test_a_part_is_compared_on_the_photos_on_which_it_was_detected(photos: Path, excluded: Done) -> None:
    names = sorted(path.stem for path in (photos / "photos").iterdir())
    with_eyes = [name for name in names if name not in EYELESS]
    rows = rows_of(photos / "out")
    eyes, nose = (rows["all", part, "within"] for part in PARTS)
    assert [eyes[column] for column in ("photos", "undetected", "photos_compared", "subjects_compared")] == list(
        "8263"
    )
    assert [nose[column] for column in ("photos", "undetected", "photos_compared", "subjects_compared")] == list(
        "8084"
    )
    assert float(eyes["impostor_shift"]) == pytest.approx(shift_on(photos / "out", "eyes", with_eyes), abs=NEAR)
    assert float(nose["impostor_shift"]) == pytest.approx(shift_on(photos / "out", "nose", names), abs=NEAR)
    # The baseline is that of the same photos.
    baseline = impostor_mean(photos / "out" / "features" / "baseline", with_eyes)
    assert float(eyes["impostor_mean_baseline"]) == pytest.approx(baseline, abs=NEAR)
    assert "eyes all 25 %" in next(line for line in excluded.stdout.splitlines() if "not detected" in line)


def test_undetected_keep_compares_all_photos_as_the_original_study_did(
    photos: Path, excluded: Done, study: Any
) -> None:
    del excluded
    names = sorted(path.stem for path in (photos / "photos").iterdir())
    without = rows_of(photos / "out")["all", "eyes", "within"]
    done = study("--undetected", "keep", "--keep", "features")
    assert done.returncode == 0, done.stderr
    assert "embedded 0 photos" in done.stdout
    eyes = rows_of(photos / "out")["all", "eyes", "within"]
    assert [eyes[column] for column in ("photos", "undetected", "photos_compared", "subjects_compared")] == list(
        "8284"
    )
    kept = shift_on(photos / "out", "eyes", names)
    assert float(eyes["impostor_shift"]) == pytest.approx(kept, abs=NEAR)
    # A photo without eyes counts as a shift of 0.
    assert abs(kept - float(without["impostor_shift"])) > 10 * NEAR
    assert np.array_equal(*(np.load(photos / "out" / "features" / of / "000_0.npy") for of in ("eyes", "baseline")))
    assert json.loads((photos / "out" / "results.json").read_text())["undetected"] == "keep"


def test_control_equal_area_weight_margin_and_criterion(photos: Path, study: Any, tmp_path: Path) -> None:
    options = ["--control", "--equal-area", "--weight", "subjects", "--margin", "2", "--rank-by", "equal_area"]
    done = study(*options, "--people", photos / "people.csv", out=tmp_path / "out")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (found["draws"], found["weight"], found["margin"], found["ranked_by"]) == (5, "subjects", 2, "equal_area")
    rows = rows_of(tmp_path / "out")
    # Both photos with eyes of the group are of one subject.
    assert {key for key in rows if key[0] == "CM"} == {
        ("CM", "eyes", "within"),
        *(("CM", "nose", comparison) for comparison in ("within", "control", "equal_area")),
    }
    assert rows["CM", "eyes", "within"]["impostor_shift"] == ""
    assert rows["CM", "nose", "control"]["impostor_n"] == str(5 * 4)
    # The eyes of these faces are smaller than the patch.
    assert ("CF", "eyes", "equal_area") not in rows
    assert float(rows["CF", "nose", "equal_area"]["replaced"]) < float(rows["CF", "nose", "within"]["replaced"])
    for group in ("CM", "CF"):
        ranked = {each["part"]: each["effect"] for each in found["rankings"][group]}
        assert ranked == {
            part: pytest.approx(float(rows[group, part, "equal_area"]["impostor_shift_subjects"])) for part in ranked
        }
    assert set(found["rankings_by_criterion"]) >= {"importance", "impostor_shift", "equal_area"}
    # Fewer than ten subjects: nothing is tested.
    with (tmp_path / "out" / "shift_differences.csv").open(newline="") as file:
        tested = list(csv.DictReader(file))
    assert [(row["part"], row["effect"], row["p_value"], row["equivalent"]) for row in tested] == [
        ("nose", "impostor_shift", "", ""),
        ("nose", "importance", "", ""),
    ]


def test_options_without_an_effect_are_named(photos: Path, study: Any, tmp_path: Path) -> None:
    """One group has none to be compared with, and no photo shows a hat."""
    done = study("--margin", "0.1", "--shapley", "--parts", "nose", "head_covering", out=tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "--margin has no effect: there is only one group" in done.stderr
    assert "no Shapley values: all parts were detected in photos of fewer than two subjects" in done.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--undetected", "guess"], "argument --undetected: invalid choice: 'guess'"),
        (["--rank-by", "size"], "argument --rank-by: invalid choice: 'size'"),
        (["--rank-by", "importance"], "--rank-by importance: needs --control"),
        (["--rank-by", "equal_area"], "--rank-by equal_area: needs --equal-area"),
        (["--rank-by", "authentic_cross"], "--rank-by authentic_cross: needs --cross"),
        (["--weight", "photos"], "argument --weight: invalid choice: 'photos'"),
        (["--margin", "0"], "--margin 0.0: must be above 0"),
        (["--margin", "nan"], "argument --margin: 'nan' is not a finite number"),
        (["--margin", "much"], "argument --margin: 'much' is not a finite number"),
        (["--control", "-1"], "--control -1: must be a number of positions, 0 or more"),
        (["--control", "99"], "--control 99: there are 12 control positions"),
    ],
)
def test_wrong_calls_are_one_line(photos: Path, run: Run, tmp_path: Path, options: list[str], reason: str) -> None:
    done = run("-m", "facepart", "study", "-s", photos / "photos", "-o", tmp_path / "out", *options)
    assert done.returncode == 2
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_photos_too_small_for_the_parser_rank_nothing(
    face_paths: list[Path], bisenet_weights: Path, run: Run, tmp_path: Path
) -> None:
    """Photos of 23x28 pixels on which there are neither eyes nor noses, but on one."""
    del bisenet_weights
    for number, path in enumerate(face_paths[:8]):
        photo = read_photo(path)
        if number:
            photo = cv2.resize(photo, (23, 28), interpolation=cv2.INTER_AREA).astype(np.uint8)
        write_image(tmp_path / "photos" / f"{number // 2:03}_{number % 2}.png", photo)
    words = ["-s", tmp_path / "photos", "-o", tmp_path / "out", "--parts", *PARTS]
    words += ["--model", save_small_network(tmp_path / "small.onnx")]
    done = run("-m", "facepart", "study", *words, "--device", "cpu", "--precision", "fp32")
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "out")
    for part in PARTS:
        row = rows["all", part, "within"]
        assert int(row["photos_compared"]) <= 1
        assert row["impostor_shift"] == row["d_prime"] == ""
        assert any(part in line and "no rank" in line for line in done.stdout.splitlines())
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert not any(found["rankings"].values())
    assert not any(ranked for rankings in found["rankings_by_criterion"].values() for ranked in rankings.values())
    assert "not detected in some photos" in done.stdout
    assert "no rank" in (tmp_path / "out" / "report.html").read_text()
