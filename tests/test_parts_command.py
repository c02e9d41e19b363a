"""Own parts, unions and landmarks by the commands, as processes: what is written, and what is redone."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.demo.faces import align_folder
from facepart.files.progress import silent
from tests.command_line import Done
from tests.conftest import Run

pytestmark = pytest.mark.slow

CHEEKS = '[cheeks]\nclasses = ["skin", "nose"]\ndilation = 1\nverb = "are"\n'


@pytest.fixture(scope="module")
def photos(
    tmp_path_factory: pytest.TempPathFactory, face_paths: list[Path], bisenet_weights: Path, detector_weights: Path
) -> Path:
    """Two subjects of two photos: ``photos``, and the same aligned: ``aligned``."""
    del bisenet_weights, detector_weights
    folder = tmp_path_factory.mktemp("parts")
    for number, path in enumerate(face_paths[:4]):
        write_image(folder / "photos" / f"{number // 2:03}_{number % 2}.png", read_photo(path)[::2, ::2].copy())
    align_folder(folder / "photos", folder / "aligned", silent)
    return folder


def facepart(run: Run, *words: str | Path) -> Done:
    return run("-m", "facepart", *words, "--device", "cpu", "--precision", "fp32")


def pixels_of(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path))


def test_blur_writes_own_parts_and_unions(photos: Path, tmp_path: Path, run_process: Run, run: Run) -> None:
    (tmp_path / "parts.toml").write_text(CHEEKS)
    masks, blurred = tmp_path / "masks", tmp_path / "blurred"
    parts = ["eyes+nose", "left_eye", "periocular,cheeks", "cheeks+mouth"]
    words: list[str | Path] = [
        "-s",
        photos / "aligned",
        "-m",
        masks,
        "-d",
        blurred,
        "--save-labels",
        "--parts",
        *parts,
    ]
    done = facepart(run_process, "blur", *words, "--parts-file", tmp_path / "parts.toml")
    assert (done.returncode, done.stderr) == (0, "")
    names = ["left_eye", "periocular", "cheeks", "eyes+nose", "mouth+cheeks"]
    assert sorted(path.name for path in masks.iterdir() if path.is_dir()) == sorted(
        ["labels", *(f"mask_{name}" for name in names)]
    )
    for path in (photos / "aligned").glob("*.png"):
        labels = pixels_of(masks / "labels" / f"{path.stem}.png")
        found = {name: pixels_of(masks / f"mask_{name}" / f"{path.stem}_annotation.png") > 0 for name in names}
        for name, classes in {
            "eyes+nose": [4, 5, 10],
            "cheeks": [1, 10],
            "mouth+cheeks": [1, 10, 11, 12, 13],
        }.items():
            np.testing.assert_array_equal(found[name], np.isin(labels, classes))
        assert np.nonzero(found["left_eye"])[1].min() > np.nonzero(labels == 10)[1].mean()
        # In ArcFace's template the eyes lie at 0.346 and 0.661 of the width, 0.466 of the height.
        centres, _ = cv2.findContours(found["periocular"].astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        middles = sorted((contour.mean(axis=(0, 1)) / 512).tolist() for contour in centres)
        np.testing.assert_allclose(middles, [[0.346, 0.466], [0.661, 0.466]], atol=0.06)
        photo = pixels_of(path)
        for name in names:
            assert np.any(pixels_of(blurred / f"blurred_{name}" / path.name) != photo), name
    with (blurred / "parts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["part"] for row in rows[:5]] == ["left_eye", "periocular", "cheeks", "eyes+nose", "mouth+cheeks"]
    assert all(int(row["pixels"]) > 0 for row in rows)
    # A part that is defined anew is not mixed with what is there.
    (tmp_path / "parts.toml").write_text(CHEEKS.replace("1", "2"))
    again = facepart(run, "blur", *words, "--parts-file", tmp_path / "parts.toml")
    assert again.returncode == 1
    assert "was made with recipes" in again.stderr
    assert again.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--parts", "eyes+chin"], 2, "unknown part 'chin' in 'eyes+chin'; known: eyes brows"),
        (["--parts", "cheeks"], 2, "unknown part 'cheeks'; known: eyes brows"),
        (["--parts-file", "{}/none.toml"], 1, "none.toml: no such file of parts"),
        (["--parts-file", "{}/wrong.toml"], 1, "wrong.toml: [nose]: is a built-in part"),
        (
            ["--parts-file", "{}/parts.toml", "--parts", "cheek"],
            2,
            "unknown part 'cheek' (did you mean cheeks?); known: eyes",
        ),
    ],
)
@pytest.mark.parametrize("command", ["blur", "study"])
def test_mistakes_are_one_line(
    photos: Path, tmp_path: Path, run: Run, command: str, words: list[str], status: int, message: str
) -> None:
    (tmp_path / "wrong.toml").write_text("[nose]\nclasses = [1]\n")
    (tmp_path / "parts.toml").write_text(CHEEKS)
    out = ["-o", tmp_path / "out"] if command == "study" else ["-m", tmp_path / "out", "-d", tmp_path / "out"]
    done = run("-m", "facepart", command, "-s", photos / "aligned", *out, *(word.format(tmp_path) for word in words))
    assert done.returncode == status
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "out").glob("*.json"))


def rows_of(out: Path) -> dict[str, dict[str, str]]:
    with (out / "results.csv").open(newline="") as file:
        return {row["part"]: row for row in csv.DictReader(file) if row["comparison"] == "within"}


def test_a_study_of_own_parts(photos: Path, tmp_path: Path, run: Run, recogniser_weights: Path) -> None:
    """An own part that is defined anew is embedded again, and no other."""
    (tmp_path / "parts.toml").write_text(CHEEKS)
    out = tmp_path / "out"
    words: list[str | Path] = [
        "-s",
        photos / "photos",
        "-o",
        out,
        "--model",
        recogniser_weights,
        "--align",
        "--control",
        "1",
    ]
    parts = ["eyes_or_glasses", "eyes+nose", "nose", "periocular", "cheeks"]
    words += ["--parts", *parts, "--parts-file", tmp_path / "parts.toml", "--equal-area", "--keep", "features"]
    first = facepart(run, "study", *words)
    assert first.returncode == 0, first.stderr
    rows = rows_of(out)
    assert list(rows) == ["nose", "eyes_or_glasses", "periocular", "cheeks", "eyes+nose"]
    assert {part: row["control"] for part, row in rows.items()} == {
        **dict.fromkeys(rows, "not controllable"),
        "nose": "moved",
    }
    assert rows["periocular"]["undetected"] == "0"
    page = (out / "report.html").read_text()
    for text in ("eyes and nose", "periocular region", "skin, nose", "left eye, right eye, glasses", "; nose: nose"):
        assert text in page, text
    methods = " ".join((out / "methods.txt").read_text().split())
    assert "The cheeks are made of these classes of the face parser: skin, nose." in methods
    assert "The periocular region is the area around the eyes, located from the face landmarks." in methods
    assert "In a union (eyes and nose), each part was dilated by its own radius." in methods
    record = json.loads((out / "run.json").read_text())["settings"]["recipes"]
    assert record["cheeks"]["classes"] == [1, 10]
    assert [each["classes"] for each in record["eyes+nose"]["union"]] == [[4, 5], [10]]
    before = {part: np.load(out / "features" / part / "000_0.npy") for part in rows}

    assert "skipped 4" in facepart(run, "study", *words).stdout
    (tmp_path / "parts.toml").write_text(CHEEKS.replace('"nose"', '"hair"'))
    again = facepart(run, "study", *words)
    assert again.returncode == 0, again.stderr
    assert "4 photos are embedded with more occlusions: cheeks, cheeks_patch\n" in again.stdout
    for part, feature in before.items():
        assert np.array_equal(np.load(out / "features" / part / "000_0.npy"), feature) == (part != "cheeks"), part
    assert float(rows_of(out)["cheeks"]["share"]) != float(rows["cheeks"]["share"])
    assert rows_of(out)["nose"] == rows["nose"]


def test_landmarks_are_found_without_aligning(
    photos: Path, tmp_path: Path, run: Run, recogniser_weights: Path
) -> None:
    """On crops that are aligned already, those that the detector finds lie where aligning puts them."""
    common: list[str | Path] = ["--model", recogniser_weights, "--parts", "nose", "periocular", "--keep", "masks"]
    for source, options in (("photos", ["--align"]), ("aligned", [])):
        words: list[str | Path] = ["-s", photos / source, "-o", tmp_path / source, *common, *options]
        done = facepart(run, "study", *words)
        assert done.returncode == 0, done.stderr
    assert "found by yunet" in (tmp_path / "aligned" / "report.html").read_text()
    for path in (tmp_path / "photos" / "masks" / "mask_periocular").iterdir():
        one, other = (
            pixels_of(tmp_path / each / path.relative_to(tmp_path / "photos")) > 0 for each in ("photos", "aligned")
        )
        assert (one & other).sum() > 0.7 * (one | other).sum() > 0
