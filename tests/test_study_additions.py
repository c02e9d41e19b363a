"""Parts that are added to a study, or to folders of blurred photos: what is there stays, and no figure mixes both."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facepart.data.photo_output import write_image
from facepart.pipeline.blur import blur_photos
from facepart.study import Request, run_study
from tests.small_network import save_small_network, save_small_parser


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve subjects of two photos of noise, on which the parser finds a drawn face, and the networks."""
    folder = tmp_path_factory.mktemp("added")
    rng = np.random.default_rng(11)
    for subject in range(12):
        for photo in range(2):
            noise = rng.integers(100, 256, (64, 64, 3)).astype(np.uint8)
            write_image(folder / "photos" / f"{subject:03}_{photo}.png", noise)
    save_small_parser(folder / "parser.onnx")
    save_small_network(folder / "recogniser.onnx")
    return folder / "photos"


def study(photos: Path, output: Path, parts: list[str], **options: Any) -> dict[str, Any]:
    """Run a study and return its ``results.json``."""
    networks: dict[str, Any] = {
        "parser": str(photos.parent / "parser.onnx"),
        "models": [str(photos.parent / "recogniser.onnx")],
        "device": "cpu",
        "precision": "fp32",
    }
    run_study(Request(source=photos, output=output, dataset="MORPH", parts=parts, **networks, **options))
    found: dict[str, Any] = json.loads((output / "results.json").read_text())
    return found


def stamps(folder: Path) -> dict[Path, int]:
    """Return when each image was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}


def test_kept_masks_of_other_parts_stay(photos: Path, tmp_path: Path) -> None:
    study(photos, tmp_path, ["eyes", "nose"], keep=["masks"])
    before = stamps(tmp_path / "masks" / "mask_eyes")
    assert len(before) == 24
    study(photos, tmp_path, ["mouth", "nose"], keep=["masks"])
    after = stamps(tmp_path / "masks")
    assert len(after) == 3 * 24
    assert stamps(tmp_path / "masks" / "mask_eyes") == before
    recipes = json.loads((tmp_path / "masks" / "run.json").read_text())["settings"]["recipes"]
    assert sorted(recipes) == ["eyes", "mouth", "nose"]


def test_parts_are_added_to_folders_of_blurred_photos(photos: Path, tmp_path: Path) -> None:
    network: dict[str, Any] = {"model": str(photos.parent / "parser.onnx"), "device": "cpu", "precision": "fp32"}
    masks, blurred = tmp_path / "m", tmp_path / "b"
    blur_photos(photos, masks, blurred, parts=["eyes"], **network)
    before = stamps(tmp_path)
    blur_photos(photos, masks, blurred, parts=["nose"], **network)
    after = stamps(tmp_path)
    assert len(after) == 2 * len(before) == 4 * 24
    assert {path: after[path] for path in before} == before


def test_shares_of_a_part_that_was_added_are_of_all_photos_or_not_given(photos: Path, tmp_path: Path) -> None:
    study(photos, tmp_path / "out", ["nose", "mouth"], control=2)
    two = study(photos, tmp_path / "out", ["nose", "mouth", "upper_lip"], control=2)["overlaps"]
    assert "mouth" in two["nose"] and "upper_lip" not in two["nose"]
    # Of the third position, the share is known; of the first two, it is not.
    three = study(photos, tmp_path / "out", ["nose", "mouth", "upper_lip"], control=3)["overlaps"]
    assert "upper_lip" not in three["nose"]
    fresh = study(photos, tmp_path / "fresh", ["nose", "mouth", "upper_lip"], control=3)["overlaps"]
    assert fresh["nose"].pop("upper_lip") >= 0
    assert three["nose"] == pytest.approx(fresh["nose"])


def test_a_subject_in_two_groups_is_one(photos: Path, tmp_path: Path) -> None:
    rows = [f"{path.name},{'young' if path.stem.endswith('0') else 'old'}\n" for path in sorted(photos.iterdir())]
    (tmp_path / "people.csv").write_text("image,group\n" + "".join(rows))
    study(photos, tmp_path / "out", ["nose"], people=tmp_path / "people.csv")
    told = (tmp_path / "out" / "methods.txt").read_text()
    assert "We compared 24 photos of 12 subjects in 2 groups (old: 12 photos of 12 subjects; young: 12 photos" in told
    report = (tmp_path / "out" / "report.html").read_text()
    assert "24 photos of 12 subjects in 2 groups" in " ".join(report.split())
    assert "no two photos of a subject there were compared" in report
    assert "and with its control" not in report
