"""``facepart study --keep-only``, by the command: what is embedded, compared, recorded and told."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facepart.arrays import embed_faces, parse_faces
from facepart.data.photo_input import read_photo
from facepart.data.photo_output import write_image
from facepart.occlusion.parts import PARTS, part_mask
from tests.command_line import Done
from tests.conftest import Run
from tests.small_network import save_small_network
from tests.soft_masks import soft_mask
from tests.test_study_undetected import EYELESS, NEAR, without_eyes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, face_paths: list[Path], bisenet_weights: Path) -> Path:
    """Three subjects of two photos; the eyes of the first subject are painted over."""
    del bisenet_weights
    folder = tmp_path_factory.mktemp("alone")
    for number, path in enumerate(face_paths[:6]):
        name, photo = f"{number // 2:03}_{number % 2}", read_photo(path)[::2, ::2].copy()
        write_image(folder / "photos" / f"{name}.png", without_eyes(photo) if name in EYELESS else photo)
    return folder


@pytest.fixture(scope="module")
def network(photos: Path) -> Path:
    return save_small_network(photos / "small.onnx")


@pytest.fixture(scope="module")
def study(photos: Path, network: Path, run: Run) -> Any:
    """Run ``facepart study`` on the photos with further options."""

    def call(*options: str | Path) -> Done:
        words = ["-s", photos / "photos", "-o", photos / "out", "--model", network]
        words += ["--parts", "eyes", "nose", "--occlusion", "grey", "--device", "cpu", "--precision", "fp32"]
        return run("-m", "facepart", "study", *words, *options)

    return call


@pytest.fixture(scope="module")
def done(study: Any) -> tuple[Done, Done, Done]:
    """A study, then what it says keep-only would take, then the study with keep-only."""
    runs = study(), study("--keep-only", "--dry-run"), study("--keep-only", "--keep", "features")
    assert not any(each.returncode for each in runs), runs
    return runs


def test_an_earlier_study_embeds_the_new_versions_alone(photos: Path, done: tuple[Done, Done, Done]) -> None:
    before, plan, after = done
    assert "only the part left" not in before.stdout
    assert "per photo: the baseline, 2 occluded parts, and 2 parts alone (5 embeddings)" in plan.stdout
    assert "with more occlusions: keep_eyes_grey, keep_nose_grey" in after.stdout
    # One group in two conditions more: their baselines are those of deletion.
    assert "computed 2 sets of scores" in after.stdout
    settings = json.loads((photos / "out" / "run.json").read_text())["settings"]
    assert settings["keep_only"] is True
    assert "keep-only" in (photos / "out" / "methods.txt").read_text()


def test_rows_are_of_the_photos_with_the_part(photos: Path, done: tuple[Done, Done, Done]) -> None:
    out = photos / "out"
    with (out / "results.csv").open(newline="") as file:
        rows = {(row["part"], row["comparison"]): row for row in csv.DictReader(file)}
    assert set(rows) == {(part, kind) for part in ("eyes", "nose") for kind in ("within", "keep_only")}
    names = sorted(path.stem for path in (photos / "photos").iterdir())
    for part, used in (("eyes", [name for name in names if name not in EYELESS]), ("nose", names)):
        row = rows[part, "keep_only"]
        assert row["occlusion"] == "grey"
        assert int(row["photos_compared"]) == len(used)
        assert row["impostor_mean_baseline"] == rows[part, "within"]["impostor_mean_baseline"]
        assert float(row["replaced"]) + float(rows[part, "within"]["replaced"]) == pytest.approx(1)
        means = [impostor_mean(out / "features" / of, used) for of in (f"keep_{part}_grey", "baseline")]
        assert float(row["impostor_mean"]) == pytest.approx(means[0], abs=NEAR)
        assert float(row["impostor_shift"]) == pytest.approx(means[0] - means[1], abs=NEAR)
    # Where there are no eyes, nothing is kept, and nothing occluded.
    for name in EYELESS:
        features = [np.load(out / "features" / of / f"{name}.npy") for of in ("keep_eyes_grey", "baseline")]
        assert np.array_equal(*features)
    printed = done[2].stdout.partition("only the part visible")[2].splitlines()
    assert {line.split()[1] for line in printed[1:6] if line[:1].isdigit()} == {"eyes", "nose"}


def impostor_mean(folder: Path, names: list[str]) -> float:
    rows = np.array([np.load(folder / f"{name}.npy") for name in names], np.float64)
    pairs = [(i, j) for i in range(len(names)) for j in range(i) if names[i][:3] != names[j][:3]]
    return float(np.mean([rows[i] @ rows[j] for i, j in pairs]))


def test_embeddings_are_those_of_photos_made_by_hand(
    photos: Path, done: tuple[Done, Done, Done], network: Path
) -> None:
    del done
    photo = read_photo(photos / "photos" / "001_0.png")
    labels = parse_faces([photo], device="cpu", precision="fp32")[0]
    alone = keep_by_hand(photo, labels, "nose")
    found = np.load(photos / "out" / "features" / "keep_nose_grey" / "001_0.npy")
    expected = embed_faces([alone], model=str(network), device="cpu", precision="fp32")[0]
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert float(found @ np.load(photos / "out" / "features" / "baseline" / "001_0.npy")) < 0.999


def keep_by_hand(photo: NDArray[np.uint8], labels: NDArray[np.uint8], part: str) -> NDArray[np.uint8]:
    """Grey but for the part, in plain floating point."""
    height, width = photo.shape[:2]
    alpha = soft_mask(part_mask(labels, PARTS[part]), PARTS[part], height, width)[:, :, None].astype(float)
    return np.floor((alpha * photo + (255 - alpha) * 128) / 255 + 1e-9).astype(np.uint8)
